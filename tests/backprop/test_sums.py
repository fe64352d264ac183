import numpy as np
import pytest

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.network import DenseNetwork
from coursework.backprop.point import ExamplePoint
from coursework.backprop.sums import Sum, UpTo
from coursework.backprop.symbols import A, W, Z


@pytest.fixture
def point():
    """A 2-3-1 network with identity units: a^(2) = z^(2) = (1, 2, 3), a^(3) = 14."""
    w = {1: np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), 2: np.array([[1.0, 2.0, 3.0]])}
    return ExamplePoint(
        DenseNetwork.from_weights(w, activation="identity"), np.array([1.0, 2.0]), np.zeros(1)
    )


def test_a_number_for_a_bound_means_the_first_units(point):
    assert Sum("k", 3, Z(2, "k")).bound == UpTo(3)
    assert Sum("k", UpTo(3), Z(2, "k")).evaluate(point) == Sum("k", 3, Z(2, "k")).evaluate(point) == 6
    assert Sum("k", 2, Z(2, "k")).terms() == [Z(2, 1), Z(2, 2)]


def test_a_sum_inside_of_a_formula_with_letters_bound_outside(point):
    # sum over k of w_jk^(1) z_k^(1), for unit j = 3
    formula = Sum("k", 2, W(1, "j", "k") * Z(1, "k"))
    assert formula.evaluate(point, {"j": 3}) == A(2, 3).evaluate(point) == 3
    assert formula.at("j", 3).evaluate(point) == 3
    assert isinstance(formula.evaluate(point, {"j": 3}), float)


def test_sums_of_sums_broadcast_whatever_letters_are_in_use(point):
    inner = Sum("m", 2, W(1, "k", "m") * Z(1, "m"))
    assert Sum("k", 3, W(2, "j", "k") * inner).evaluate(point, {"j": 1}) == 14
    assert Sum("k", 3, Sum("m", 2, Z(1, "m"))).evaluate(point) == 9


def test_a_unit_too_many_is_named_and_a_unit_0_too(point):
    with pytest.raises(UndefinedSymbol, match=r"there is no \$z_\{4\}\^\{\(2\)\}"):
        Sum("k", 4, Z(2, "k")).evaluate(point)
    with pytest.raises(UndefinedSymbol, match=r"there is no \$w_\{01\}\^\{\(1\)\}"):
        Sum("k", 2, W(1, "j", "k")).evaluate(point, {"j": 0})
