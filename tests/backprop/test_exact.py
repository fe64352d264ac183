"""Every line of a derivation equals SymPy's derivative of the loss, exactly, and whatever function h is."""

from itertools import pairwise

import numpy as np
import pytest
import sympy

from coursework.backprop.chains import two_chains
from coursework.backprop.derivation import derive
from coursework.backprop.expression import Difference, Number, Product, Quotient
from coursework.backprop.functions import Function, Negative, Same
from coursework.backprop.layers import Level, layer_number
from coursework.backprop.network import DenseNetwork
from coursework.backprop.series import Among, Prod, Reached, Units
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import LOSS, A, B, Delta, E, HPrime, Partial, T, W, X, Y, Z

l, L = Level("l"), Level("L")


class h_prime(sympy.Function):
    """The derivative of h."""


class h(sympy.Function):
    """Any function."""

    def fdiff(self, argindex=1):
        return h_prime(self.args[0])


class exp(sympy.Function):
    """e^a, which SymPy's own would merge with others of its kind."""

    def fdiff(self, argindex=1):
        return self


def sigmoid(a):
    return exp(a) / (1 + exp(a))


class Algebra:
    """A network of symbols.  A shift of 0 is added to every pre-activation, to differentiate by."""

    def __init__(self, network):
        self.network, self.L = network, network.L
        sizes = network.sizes
        self.z = {1: [sympy.Symbol(f"x{k + 1}") for k in range(sizes[0])]}
        self.a, self.w, self.b, self.shift, self.links = {}, {}, {}, {}, {}
        for l, (below, above) in enumerate(pairwise(sizes), start=1):
            self.links[l] = network.masks.get(l, np.ones((above, below)))
            self.w[l] = [
                [sympy.Symbol(f"w{l}_{j}_{k}") * int(self.links[l][j, k]) for k in range(below)]
                for j in range(above)
            ]
            self.b[l] = [sympy.Symbol(f"b{l}_{j}") if network.b else 0 for j in range(above)]
            self.shift[l + 1] = [sympy.Symbol(f"s{l + 1}_{j}") for j in range(above)]
            self.a[l + 1] = [
                sum(w * z for w, z in zip(self.w[l][j], self.z[l], strict=True))
                + self.b[l][j]
                + self.shift[l + 1][j]
                for j in range(above)
            ]
            self.z[l + 1] = [h(a) for a in self.a[l + 1]] if l + 1 < self.L else self.a[l + 1]
        self.t = [sympy.Symbol(f"t{j + 1}") for j in range(sizes[-1])]
        a = self.a[self.L]
        match network.loss_record.name:
            case "squared":
                self.y = a
                self.E = sum((a_j - t) ** 2 for a_j, t in zip(a, self.t, strict=True)) / 2
            case "logistic":
                self.y = [sigmoid(a_j) for a_j in a]
                pairs = zip(self.y, self.t, strict=True)
                self.E = -sum(t * sympy.log(y) + (1 - t) * sympy.log(1 - y) for y, t in pairs)
            case "softmax":
                self.t[-1] = 1 - sum(self.t[:-1])
                self.y = [exp(a_j) / sum(exp(a_k) for a_k in a) for a_j in a]
                self.E = -sum(t * sympy.log(y) for y, t in zip(self.y, self.t, strict=True))

    def is_zero(self, difference):
        """Return whether this vanishes identically: as a fraction in w, x, t, h, h' and each e^a."""
        return sympy.expand(sympy.numer(sympy.together(difference))) == 0

    def derivative(self, top, bottom, letters):
        """Return d top / d bottom."""
        layer, j = layer_number(bottom.l, letters), self.unit(bottom.j, letters)
        match bottom:
            case A():
                by = self.shift[layer][j]
            case B():
                by = self.b[layer][j]
            case W():
                by = self.w[layer][j][self.unit(bottom.k, letters)]
        return sympy.diff(self.of(top, letters), by)

    def unit(self, index, letters):
        return (letters[index] if isinstance(index, str) else index) - 1

    def units(self, bound, letters):
        match bound:
            case int():
                return range(1, bound + 1)
            case Units():
                return range(1, len(self.a[layer_number(bound.l, letters)]) + 1)
            case Among():
                return bound.members
            case Reached():
                column = self.links[layer_number(bound.l, letters)][:, self.unit(bound.j, letters)]
                return [k + 1 for k, linked in enumerate(column) if linked]

    def of(self, formula, letters):
        """Return the formula in SymPy's terms."""

        def of(part, **more):
            return self.of(part, {**letters, **more})

        match formula:
            case Number():
                return sympy.Rational(formula.constant)
            case Product():
                return sympy.prod([of(f) for f in formula.factors])
            case Difference():
                return of(formula.left) - of(formula.right)
            case Quotient():
                return of(formula.over) / of(formula.under)
            case Negative():
                return -of(formula.of)
            case Function(name="exp"):
                return exp(of(formula.argument))
            case Function(name="sigmoid"):
                return sigmoid(of(formula.argument))
            case Sum():
                units = self.units(formula.last, letters)
                return sympy.Add(*(of(formula.body, **{formula.letter: unit}) for unit in units))
            case Prod():
                layers = range(layer_number(formula.first, letters), layer_number(formula.last, letters) + 1)
                return sympy.prod([of(formula.body, **{formula.letter: m}) for m in layers])
            case Partial():
                return self.derivative(formula.top, formula.bottom, letters)
            case E():
                return self.E
            case Same():
                return sympy.Integer(self.unit(formula.j, letters) == self.unit(formula.k, letters))
        return self.symbol(formula, layer_number(formula.l, letters), self.unit(formula.j, letters), letters)

    def symbol(self, symbol, l, j, letters):
        match symbol:
            case A():
                return self.a[l][j]
            case Z():
                return self.z[l][j]
            case X():
                return self.z[1][j]
            case HPrime():
                return h_prime(self.a[l][j])
            case Delta():
                return sympy.diff(self.E, self.shift[l][j])
            case W():
                return self.w[l][j][self.unit(symbol.k, letters)]
            case T():
                return self.t[j]
            case Y():
                return self.y[j]


def places(network, bottom):
    """Yield every layer and pair of units for which the target is there."""
    for l in range(1, network.L + 1):
        for j in range(1, network.sizes[l if isinstance(bottom, W | B) and l < network.L else l - 1] + 1):
            for k in range(1, network.sizes[l - 1] + 1) if isinstance(bottom, W) else [0]:
                hidden = 1 < l < network.L if isinstance(bottom, A) else l < network.L
                linked = not isinstance(bottom, W) or (
                    hidden and network.masks.get(l, np.ones((9, 9)))[j - 1, k - 1]
                )
                fits = all(
                    not isinstance(i, int) or i == n for i, n in ((bottom.j, j), (getattr(bottom, "k", k), k))
                )
                if hidden and linked and fits:
                    yield {"l": l, "j": j, "k": k, "L": network.L}


def compare(network, bottom, letters):
    """Hold every line against SymPy's derivative."""
    algebra = Algebra(network)
    true = algebra.derivative(LOSS, bottom, letters)
    lines = derive(network, Partial(LOSS, bottom)).lines[:-1]
    for step in lines:
        difference = algebra.of(step.expression, letters) - true
        assert algebra.is_zero(difference), step.latex
    return len(lines)


@pytest.mark.parametrize(
    ("bottom", "biases"),
    [
        (A(l, "j"), False),
        (A(l, "j"), True),
        (W(l, "j", "k"), False),
        (W(l, "j", "k"), True),
        (B(l, "j"), True),
    ],
)
def test_every_line_for_any_layer_and_unit(bottom, biases):
    network = DenseNetwork([2, 3, 2, 1], biases=biases)
    compared = [compare(network, bottom, letters) for letters in places(network, bottom)]
    assert len(compared) == {A: 5, B: 6, W: 14}[type(bottom)]
    assert min(compared) >= 5


@pytest.mark.parametrize("loss", ["squared", "logistic", "softmax"])
def test_every_line_at_the_output(loss):
    network = DenseNetwork([1, 2], loss=loss)
    assert sum(compare(network, A(L, "j"), {"j": j, "L": 2}) for j in (1, 2)) >= 4


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_every_line_below_a_cross_entropy(loss):
    network = DenseNetwork([1, 2, 2], loss=loss)
    assert compare(network, A(2, 1), {"L": 3}) > 5
    assert compare(network, W(1, 2, 1), {"L": 3}) > 4


@pytest.mark.parametrize("bottom", [W(l, 1, 1), W(l, 2, 2), W(l, 1, 2), A(l, "j"), A(l, 2)])
def test_every_line_in_the_two_chains(bottom):
    network = two_chains(4, biases=True)
    compared = [compare(network, bottom, letters) for letters in places(network, bottom)]
    assert len(compared) == {W(l, 1, 1): 4, W(l, 2, 2): 3, W(l, 1, 2): 1, A(l, "j"): 6, A(l, 2): 3}[bottom]


def test_every_line_where_links_are_missing():
    mask = {1: np.array([[1, 0], [1, 1], [0, 1]]), 2: np.array([[1, 0, 1], [1, 1, 0]])}
    network = DenseNetwork([2, 3, 2, 1], masks=mask)
    for bottom in (A(l, "j"), W(l, "j", "k")):
        assert sum(compare(network, bottom, letters) for letters in places(network, bottom)) > 20
    for bottom in (A(2, 2), W(1, 1, 1), A(2, 3)):
        compare(network, bottom, {"L": 4})


def test_a_wrong_formula_is_no_derivative():
    network = DenseNetwork([2, 3, 2, 1])
    algebra = Algebra(network)
    transposed = HPrime(2, 1) * Sum("k", 2, W(2, 1, "k") * Delta(3, "k"))
    true = algebra.derivative(LOSS, A(2, 1), {})
    assert not algebra.is_zero(algebra.of(transposed, {}) - true)
