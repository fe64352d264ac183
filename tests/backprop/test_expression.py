import numpy as np
import pytest

from coursework.backprop.expression import Difference, Number, Product, UndefinedSymbol, number
from coursework.backprop.network import DenseNetwork
from coursework.backprop.point import ExamplePoint
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import A, Delta, T, W, Z


@pytest.fixture
def point():
    """A 2-2-1 network with identity units: a^(2) = z^(2) = (-1, -1), a^(3) = -11, t = -13."""
    w = {1: np.array([[1.0, 2.0], [3.0, 4.0]]), 2: np.array([[5.0, 6.0]])}
    network = DenseNetwork.from_weights(w, activation="identity")
    return ExamplePoint(network, np.array([1.0, -1.0]), np.array([-13.0]))


def test_a_product_in_four_forms(point):
    formula = W(2, 1, 2) * Z(2, 1)
    assert formula.latex() == r"w_{12}^{(2)}\,z_{1}^{(2)}"
    assert formula.code() == "w[2][0, 1] * z[2][0]"
    assert formula.numbers(point) == r"6 \cdot (-1)"
    assert formula.evaluate(point) == -6


def test_a_difference_in_four_forms(point):
    formula = A(3, 1) - T(3, 1)
    assert formula.latex() == "a_{1}^{(3)}-t_{n}"
    assert formula.code() == "a[3][0] - t[0]"
    assert formula.numbers(point) == "-11-(-13)"
    assert formula.evaluate(point) == 2


def test_a_difference_is_bracketed_in_a_product_and_after_a_minus(point):
    difference = Number(1) - Z(2, 1)
    assert (difference * Z(2, 1)).latex() == r"\bigl(1-z_{1}^{(2)}\bigr)\,z_{1}^{(2)}"
    assert (difference * Z(2, 1)).code() == "(1 - z[2][0]) * z[2][0]"
    nested = Number(3) - (Number(2) - Number(1))
    assert nested.latex() == "3-(2-1)"
    assert nested.code() == "3 - (2 - 1)"
    assert nested.evaluate(point) == 2


def test_a_quotient_in_three_forms(point):
    formula = A(3, 1) / W(1, 1, 2)
    assert formula.latex() == r"\frac{a_{1}^{(3)}}{w_{12}^{(1)}}"
    assert formula.code() == "(a[3][0]) / (w[1][0, 1])"
    assert formula.evaluate(point) == -5.5


def test_a_sum_in_four_forms(point):
    formula = Sum("k", 2, W(2, 1, "k") * Z(2, "k"))
    assert formula.latex() == r"\sum_{k=1}^{2}w_{1k}^{(2)}\,z_{k}^{(2)}"
    assert formula.code() == "sum(w[2][0, k] * z[2][k] for k in range(2))"
    assert formula.numbers(point) == r"5 \cdot (-1)+6 \cdot (-1)"
    assert formula.evaluate(point) == -11


def test_a_sum_of_a_sum_adds_over_both_letters(point):
    # 5 (1 - 2) + 6 (3 - 4), which is a^(3) again
    formula = Sum("k", 2, W(2, 1, "k") * Sum("m", 2, W(1, "k", "m") * Z(1, "m")))
    assert formula.evaluate(point) == -11
    loop = sum(term.evaluate(point) for term in formula.terms())
    assert loop == -11


def test_a_term_without_the_letter_is_added_as_often_as_the_sum_runs(point):
    assert Sum("k", 4, Number(2) * Z(2, 1)).evaluate(point) == -8
    assert Sum("k", 2, Sum("m", 3, Z(2, "k"))).evaluate(point) == -6


def test_a_sum_is_bracketed_unless_it_ends_the_product():
    total = Sum("k", 2, Z(2, "k"))
    assert (total * Z(2, 1)).latex() == r"\bigl(\sum_{k=1}^{2}z_{k}^{(2)}\bigr)\,z_{1}^{(2)}"
    assert (Z(2, 1) * total).latex() == r"z_{1}^{(2)}\,\sum_{k=1}^{2}z_{k}^{(2)}"
    assert Sum("k", 2, Number(1) - Z(2, "k")).latex() == r"\sum_{k=1}^{2}\bigl(1-z_{k}^{(2)}\bigr)"


def test_long_sums_are_printed_with_dots():
    network = DenseNetwork([1, 9, 1], "identity")
    formula = Sum("k", 9, W(2, 1, "k"))
    text = formula.numbers(ExamplePoint(network, np.ones(1), np.ones(1)))
    assert text.count(r"\cdots") == 1
    assert text.endswith(number(network.w[2][0, 8]).lstrip("-"))


def test_the_printed_code_gives_the_value(point):
    formula = Sum("k", 2, W(2, 1, "k") * (Z(2, "k") - Number(2))) * Delta(3, 1)
    # the text is our own, so it may be run here
    assert eval(formula.code(), point.arrays()) == formula.evaluate(point)


def test_products_are_flat():
    product = (Z(1, 1) * Z(1, 2)) * (Z(2, 1) * Z(2, 2))
    assert isinstance(product, Product)
    assert len(product.factors) == 4


def test_rebuilding_changes_every_part():
    formula = Sum("k", 2, (Z(2, "k") - Z(2, 1)) * Z(2, "k"))
    changed = formula.rebuilt(lambda part: A(part.l, part.j) if type(part) is Z else part)
    assert changed == Sum("k", 2, (A(2, "k") - A(2, 1)) * A(2, "k"))
    assert [type(part) for part in changed.walk()].count(A) == 3


def test_putting_a_unit_for_the_letter_of_a_sum():
    assert (W(2, 1, "k") * Z(2, "k")).at("k", 3) == W(2, 1, 3) * Z(2, 3)
    assert Difference(Z(2, "m"), Z(2, "k")).at("k", 3) == Difference(Z(2, "m"), Z(2, 3))


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (Z(2, 3), r"there is no \$z_\{3\}"),
        (Z(2, 0), r"there is no \$z_\{0\}"),
        (Z(9, 1), r"there is no \$z_\{1\}\^\{\(9\)\}"),
        (W(3, 1, 1), r"there is no \$w_\{11\}\^\{\(3\)\}"),
        (Z(2, "k"), r"index \$k\$ is not bound"),
        (Sum("k", 3, W(2, 1, "k")), r"there is no \$w_\{13\}"),
    ],
)
def test_a_symbol_that_is_not_there_is_named(point, formula, message):
    with pytest.raises(UndefinedSymbol, match=message):
        formula.evaluate(point)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (-0.0, "0"), (1.23456e-7, r"1.235\times 10^{-7}"), (3e12, r"3\times 10^{12}")],
)
def test_numbers_as_latex(value, text):
    assert number(value) == text
