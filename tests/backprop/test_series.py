import numpy as np
import pytest

from coursework.backprop.expression import Number, UndefinedSymbol
from coursework.backprop.layers import Level
from coursework.backprop.network import DenseNetwork
from coursework.backprop.point import ExamplePoint
from coursework.backprop.series import Among, Prod, Reached, Units
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import HPrime, W, Z

l, m = Level("l"), Level("m")


@pytest.fixture
def point():
    """A 2-3-1 network with identity units: z^(1) = (1, 2), a^(2) = (1, 2, 3), a^(3) = 14."""
    w = {1: np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), 2: np.array([[1.0, 2.0, 3.0]])}
    masks = {1: np.array([[1, 0], [0, 1], [1, 1]])}
    network = DenseNetwork.from_weights(w, activation="identity", masks=masks)
    return ExamplePoint(network, np.array([1.0, 2.0]), np.array([0.0]))


def run(code, point, **more):
    """Run our own printed line with nothing in reach but the arrays."""
    return eval(code, {"__builtins__": {"sum": sum, "range": range, "len": len}, **point.arrays(), **more})


def test_a_sum_over_all_units_of_any_layer(point):
    formula = Sum("k", Units(l), Z(l, "k"))
    assert formula.latex() == r"\sum_{k=1}^{D_{l}}z_{k}^{(l)}"
    assert formula.code() == "sum(z[l][k] for k in range(len(a[l])))"
    assert formula.evaluate(point, {"l": 2}) == 6
    assert formula.at("l", 2).latex() == r"\sum_{k=1}^{D_{2}}z_{k}^{(2)}"
    assert run(formula.code(), point, l=2) == 6


def test_a_sum_over_some_units(point):
    formula = Sum("k", Among((1, 3)), Z(2, "k"))
    assert formula.latex() == r"\sum_{k\in\{1,3\}}z_{k}^{(2)}"
    assert formula.numbers(point) == "1+3"
    assert formula.evaluate(point) == run(formula.code(), point) == 4
    assert Sum("k", Among(()), Z(2, "k")).evaluate(point) == 0
    assert Sum("k", Among(()), Z(2, "k")).numbers(point) == "0"


def test_a_sum_over_the_units_that_a_unit_leads_to(point):
    formula = Sum("k", Reached(l, "j"), Z(l + 1, "k"))
    assert formula.latex() == r"\sum_{k:\,j\to k}z_{k}^{(l+1)}"
    assert formula.evaluate(point, {"l": 1, "j": 1}) == 1 + 3
    assert formula.evaluate(point, {"l": 1, "j": 2}) == 2 + 3
    assert run(formula.code(), point, l=1, j=1) == 2 + 3
    placed = formula.at("l", 1).at("j", 2)
    assert placed.latex() == r"\sum_{k:\,2\to k}z_{k}^{(2)}"
    assert placed.numbers(point) == "2+3"


def test_a_sum_of_sums_over_the_links_of_each_unit(point):
    # unit 1 leads to 1 and 3, unit 2 to 2 and 3: 1 (1 + 3) + 2 (2 + 3)
    formula = Sum("k", 2, Z(1, "k") * Sum("p", Reached(1, "k"), Z(2, "p")))
    assert formula.evaluate(point) == run(formula.code(), point) == 14


def test_the_terms_of_such_a_sum_are_the_networks(point):
    formula = Sum("k", Reached(1, 1), Z(2, "k"))
    assert formula.terms(point) == [Z(2, 1), Z(2, 3)]
    with pytest.raises(UndefinedSymbol, match="give a point of it"):
        formula.terms()


@pytest.mark.parametrize("layer", [1, 7])
def test_a_layer_without_units_of_its_own_is_named(point, layer):
    with pytest.raises(UndefinedSymbol, match=rf"no \$D_\{{{layer}\}}\$"):
        Sum("k", Units(layer), Number(1)).evaluate(point)


def test_a_product_over_layers():
    w = {layer: np.array([[float(layer)]]) for layer in (1, 2, 3, 4)}
    point = ExamplePoint(DenseNetwork.from_weights(w, activation="identity"), np.ones(1), np.ones(1))
    formula = Prod("m", l + 1, Level("L") - 1, W(m, 1, 1) * HPrime(m, 1))
    assert formula.latex() == r"\prod_{m=l+1}^{L-1}w_{11}^{(m)}\,h'(a_{1}^{(m)})"
    assert formula.code() == "np.prod([w[m][0, 0] * h_prime(a[m][0]) for m in range(l + 1, L)])"
    for layer, value in ((1, 2 * 3 * 4), (2, 3 * 4), (3, 4), (4, 1)):
        assert formula.evaluate(point, {"l": layer, "L": 5}) == value
        assert run(formula.code(), point, l=layer) == value
    assert formula.at("L", 5).at("l", 2).numbers(point) == r"3 \cdot 1 \cdot 4 \cdot 1"
    assert formula.at("L", 5).at("l", 4).numbers(point) == "1"
    with pytest.raises(UndefinedSymbol, match=r"\$l\$"):
        formula.evaluate(point, {"L": 5})
    with pytest.raises(UndefinedSymbol, match=r"there is no \$w_\{11\}\^\{\(5\)\}"):
        formula.evaluate(point, {"l": 2, "L": 6})


def test_a_long_product_is_printed_with_dots():
    point = ExamplePoint(DenseNetwork([1] * 9, "identity"), np.ones(1), np.ones(1))
    text = Prod("m", 1, 8, W(m, 1, 1)).numbers(point)
    assert text.count(r"\cdots") == 1
    assert text.count(r"\cdot ") == 3


def test_a_product_is_bracketed_unless_it_ends_the_line():
    product = Prod("m", 1, 3, W(m, 1, 1))
    assert (Number(2) * product).latex() == r"2\,\prod_{m=1}^{3}w_{11}^{(m)}"
    assert (product * Number(2)).latex() == r"\bigl(\prod_{m=1}^{3}w_{11}^{(m)}\bigr)\,2"
    assert Prod("m", 1, 3, Number(1) - W(m, 1, 1)).latex() == r"\prod_{m=1}^{3}\bigl(1-w_{11}^{(m)}\bigr)"
