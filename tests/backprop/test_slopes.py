import numpy as np
import pytest

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.expression import Number
from coursework.backprop.point import random_point
from coursework.backprop.slopes import SLOPES, Positive, Squared, slope
from coursework.backprop.symbols import A, HPrime


def test_every_activation_has_its_slope():
    assert SLOPES.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", SLOPES)
def test_the_printed_slope_is_the_derivative_and_its_numpy_too(name):
    for seed in range(3):
        point = random_point([4, 6, 1], name, biases=True, seed=seed)
        for j in range(1, 7):
            formula, true = slope(name, HPrime(2, j)), HPrime(2, j).evaluate(point)
            assert formula.evaluate(point) == pytest.approx(true, rel=1e-13)
            # the text is our own, so it may be run
            assert eval(formula.code(), {"__builtins__": {}, **point.arrays()}) == pytest.approx(
                true, rel=1e-13
            )


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("sigmoid", r"z_{1}^{(2)}\,\bigl(1-z_{1}^{(2)}\bigr)"),
        ("relu", r"[a_{1}^{(2)}>0]"),
        ("tanh", r"1-{\bigl(z_{1}^{(2)}\bigr)}^{2}"),
        ("softplus", r"\sigma(a_{1}^{(2)})"),
        ("identity", "1"),
        ("sin", r"\cos(a_{1}^{(2)})"),
    ],
)
def test_how_a_slope_is_printed(name, latex):
    assert slope(name, HPrime(2, 1)).latex() == latex


def test_the_kink_counts_as_flat():
    point = random_point([1, 1], seed=1)
    assert [Positive(Number(a)).evaluate(point) for a in (-1, 0, 2)] == [0, 0, 1]


def test_a_square_with_numbers_put_in():
    point = random_point([1, 1], seed=1)
    assert Squared(Number(-3)).numbers(point) == "(-3)^{2}"
    assert Squared(A(2, 1)).evaluate(point) == np.square(point.trace.a[2][0, 0])
