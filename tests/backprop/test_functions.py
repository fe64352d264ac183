import math

import numpy as np
import pytest

from coursework.backprop.expression import Number, UndefinedSymbol
from coursework.backprop.functions import FUNCTIONS, Function, Negative, Same
from coursework.backprop.point import random_point
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import A, T, Y


@pytest.fixture
def point():
    return random_point([2, 3], "tanh", loss="softmax", seed=3)


@pytest.mark.parametrize(
    ("name", "latex", "code", "value"),
    [
        ("exp", "e^{a_{1}^{(2)}}", "np.exp(a[2][0])", math.exp),
        ("cos", r"\cos(a_{1}^{(2)})", "np.cos(a[2][0])", math.cos),
        ("sigmoid", r"\sigma(a_{1}^{(2)})", "sigmoid(a[2][0])", lambda a: 1 / (1 + math.exp(-a))),
    ],
)
def test_a_function_in_three_forms(point, name, latex, code, value):
    formula = Function(name, A(2, 1))
    assert formula.latex() == latex
    assert formula.code() == code
    assert formula.evaluate(point) == pytest.approx(value(A(2, 1).evaluate(point)), rel=1e-14)
    assert eval(code, {"__builtins__": {}, **point.arrays()}) == formula.evaluate(point)


def test_every_function_is_tried_above():
    assert FUNCTIONS.keys() == {"exp", "cos", "sigmoid"}


def test_a_function_with_numbers_put_in(point):
    assert Function("exp", Number(2)).numbers(point) == "e^{2}"
    assert Function("sigmoid", Number(-1)).numbers(point) == r"\sigma(-1)"


def test_the_bracket_of_two_units(point):
    assert Same("k", 2).latex() == "[k=2]"
    assert Same("k", 2).code() == "(k == 1)"
    assert [Same("k", 2).at("k", unit).evaluate(point) for unit in (1, 2, 3)] == [0, 1, 0]
    assert Same("k", "j").evaluate(point, {"k": 3, "j": 3}) == 1
    # a sum keeps the one term that the bracket lets through
    assert Sum("k", 3, T(2, "k") * Same("k", 2)).evaluate(point) == point.t[0, 1]
    with pytest.raises(UndefinedSymbol, match=r"index \$k\$"):
        Same("k", 2).evaluate(point)


def test_the_opposite(point):
    total = Negative(Sum("k", 3, Y(2, "k")))
    assert total.latex() == r"-\sum_{k=1}^{3}y_{k}"
    assert total.code() == "-(sum(y[k] for k in range(3)))"
    assert total.evaluate(point) == pytest.approx(-1)
    assert Negative(Number(1) - Y(2, 1)).latex() == r"-\bigl(1-y_{1}\bigr)"
    assert Negative(Number(2)).numbers(point) == "-(2)"
    np.testing.assert_equal(Negative(Y(2, 1)).evaluate(point), -point.value("y", 2)[0])
