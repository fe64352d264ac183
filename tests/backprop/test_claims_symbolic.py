"""Every record once more, as identities between formulas: SymPy differentiates, with any h."""

from itertools import product

import pytest
import sympy as sp

from coursework.backprop.claims import claims
from coursework.backprop.comparison import bindings
from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.formula import FormulaError, parse
from coursework.backprop.grounds import NetworkGround, Supplied
from coursework.backprop.statement import Both, Constant, Either, Operation, Over, UnboundIndex
from coursework.backprop.whole import WholeGround


class sig(sp.Function):
    """The logistic function, known by its derivative."""

    is_real = True

    def fdiff(self, argindex=1):
        s = sig(self.args[0])
        return s * (1 - s)


class step(sp.Function):
    """1 for positive numbers, else 0."""

    is_real = True


class relu(sp.Function):
    """The rectifier, known by its derivative."""

    is_real = True

    def fdiff(self, argindex=1):
        return step(self.args[0])


class h_prime(sp.Function):
    """The derivative of h, of which no more is known."""

    is_real = True


class h(sp.Function):
    """Any activation."""

    is_real = True

    def fdiff(self, argindex=1):
        return h_prime(self.args[0])


ACTIVATIONS = {"any": (h, h_prime), "sigmoid": (sig, lambda a: sig(a) * (1 - sig(a))), "relu": (relu, step)}


class SymbolicGround(NetworkGround):
    """A network with a symbol for every weight, bias and input.

    Moving the bias of a unit moves its pre-activation, so derivatives by either are one.
    """

    def __init__(self, sizes, activation, *, links=lambda l, j, k: True, positive=False):
        super().__init__(sizes)
        self.h, self.slope = ACTIVATIONS[activation]
        self.links, self.positive = links, positive

    def _symbol(self, name):
        return sp.Symbol(name, positive=True) if self.positive else sp.Symbol(name, real=True)

    def _there(self, l, *units):
        above = [self.sizes[l], self.sizes[l - 1]] if len(units) == 2 else [self.sizes[l - 1]]
        return all(1 <= unit <= size for unit, size in zip(units, above, strict=True))

    def found(self, place):
        match place:
            case ("t",):
                return sp.Symbol("t", real=True)
            case ("E",):
                return self.quantity(("err",)) ** 2 / 2
            case ("x", k) | ("z", 1, k) if self._there(1, k):
                return self._symbol(f"x{k}")
            case ("w", l, j, k) if 1 <= l < self.L and self._there(l, j, k):
                return self._symbol(f"w{l}_{j}{k}") if self.links(l, j, k) else sp.Integer(0)
            case ("a", l, j) if 2 <= l <= self.L and self._there(l, j):
                below = range(1, self.sizes[l - 2] + 1)
                total = sum(self.quantity(("w", l - 1, j, k)) * self.quantity(("z", l - 1, k)) for k in below)
                return total + sp.Symbol(f"b{l - 1}_{j}", real=True)
            case ("z", l, j) if 2 <= l <= self.L and self._there(l, j):
                a = self.quantity(("a", l, j))
                return self.h(a) if l < self.L else a
            case ("hp", l, j) if l < self.L:
                return self.slope(self.quantity(("a", l, j)))
            case ("d", l, j):
                return self.derivative(("E",), ("a", l, j))
        raise UndefinedSymbol(f"there is no {place}")

    def differentiated(self, top, bottom):
        by = self.quantity(bottom)
        if bottom[0] == "a":
            by = sp.Symbol(f"b{bottom[1] - 1}_{bottom[2]}", real=True)
        return sp.diff(self.quantity(top), by)

    def function(self, name):
        return {
            "h": self.h,
            "sig": sig,
            "relu": relu,
            "step": step,
            "Abs": sp.Abs,
            # the one exponential that occurs is that of the logistic function, 1 / sigma(a) = 1 + exp(-a)
            "exp": lambda a: 1 / sig(-a) - 1,
        }[name]


def vanishes(expression):
    """Return whether an expression is 0 whatever the values of the functions in it."""
    functions = {f: sp.Dummy(real=True) for f in expression.atoms(sp.Function) if not isinstance(f, sp.Abs)}
    return sp.expand(sp.together(expression.xreplace(functions))) == 0


EQUATIONS = [name for name, claim in claims().items() if not any("==" in left for left in claim.right)]


def straight(l, j, k):
    """Return whether a link is one of two chains that meet in the output."""
    return j == k or l == 4


NETWORKS = {
    "small": {"sizes": [2, 3, 3, 1]},
    "chains": {"sizes": [2, 2, 2, 2, 1], "links": straight},
    "active chains": {"sizes": [2, 2, 2, 2, 1], "links": straight, "positive": True},
    "bipartite": {"sizes": [2, 2, 2, 2, 1]},
    "whole chains": {"sizes": [2, 2, 2, 2, 1], "links": straight},
    "whole bipartite": {"sizes": [2, 2, 2, 2, 1]},
}


class Random:
    """Draws a new symbol where a random number is asked for."""

    def normal(self):
        return sp.Dummy(real=True)


def on_symbols(claim):
    """Return the record's network, and the choices of its indices."""
    ground = SymbolicGround(activation=claim.activation, **NETWORKS[claim.family])
    return ground, list(bindings(ground, claim.forall))


def differences(left, right, ground, choices, given=()):
    """Return what the two sides differ by, of numbers that may be negative their squares."""
    sides = parse(left), parse(right)
    for letters in choices:
        values = {
            parse(name).place(ground, letters): sp.Integer(value) for name, value in dict(given).items()
        }
        a, b = (sp.sympify(side.at(Supplied(ground, values), letters)) for side in sides)
        yield a**2 - b**2 if "Abs" in left else a - b


@pytest.mark.parametrize("name", EQUATIONS)
def test_what_is_right_is_an_identity(name):
    claim = claims()[name]
    ground, choices = on_symbols(claim)
    if claim.family == "active chains":
        # every unit is on there and none has a bias, so that step and rectifier drop out
        ground.h, ground.slope = (lambda a: a), (lambda a: sp.Integer(1))
    proved = 0
    for left, right in claim.right.items():
        if "<=" in left:
            continue
        for difference in differences(left, right, ground, choices):
            if claim.family == "active chains":
                difference = difference.subs({s: 0 for s in difference.free_symbols if s.name[0] == "b"})
            assert vanishes(difference), left
            proved += 1
    assert proved


@pytest.mark.parametrize("name", [name for name in EQUATIONS if claims()[name].readings])
def test_readings_are_identities_or_not_as_recorded(name):
    claim = claims()[name]
    ground, choices = on_symbols(claim)
    if claim.family == "active chains":
        ground.h, ground.slope = (lambda a: a), (lambda a: sp.Integer(1))
    for reading in claim.readings:
        if "<" in reading.of:
            continue
        if reading.status == "undefined":
            with pytest.raises((FormulaError, UnboundIndex)):
                list(differences(reading.of, reading.says, ground, choices))
        elif reading.status == "undefined symbol":
            with pytest.raises(UndefinedSymbol):
                list(differences(reading.of, reading.says, ground, choices))
            left, right = parse(reading.of), parse(reading.says)
            supplied = [Supplied(ground, {}, Random()) for _ in choices]
            assert not all(
                vanishes(left.at(there, letters) - right.at(there, letters))
                for there, letters in zip(supplied, choices, strict=True)
            )
        else:
            found = list(differences(reading.of, reading.says, ground, choices, reading.given))
            assert all(map(vanishes, found)) == (reading.status == "equal"), reading.name


def product_of(condition, ground, letters):
    """Return a product that is 0 exactly where a disjunction of `f == 0` and `a <= 0` is true."""
    match condition:
        case Either(left=left, right=right):
            return product_of(left, ground, letters) * product_of(right, ground, letters)
        case Over(kind="Any", body=body, letter=letter, low=low, high=high):
            numbers = range(low.at(ground, letters), high.at(ground, letters) + 1)
            return sp.prod(product_of(body, ground, {**letters, letter: number}) for number in numbers)
        case Operation(symbol="==", left=left, right=Constant(value=0)):
            return left.at(ground, letters)
        case Operation(symbol="<=", left=left, right=Constant(value=0)):
            return ground.function("step")(left.at(ground, letters))
    raise AssertionError(f"{condition} is no disjunction")


@pytest.mark.parametrize("name", ["2.3.c", "2.4.b"])
def test_a_condition_for_zero_lists_the_factors_of_the_gradient(name):
    claim = claims()[name]
    ground, choices = on_symbols(claim)
    (left, right), *_ = claim.right.items()
    gradient = parse(left).left
    for letters in choices:
        factors = product_of(parse(right), ground, letters)
        assert vanishes(gradient.at(ground, letters) - factors)


def test_without_biases_the_condition_is_exhausted_by_signs():
    # rectifiers without biases know only the signs of weights and input, and whether the output is on target
    claim = claims()["2.3.d"]
    ((left, right),) = claim.right.items()
    sides, seen = (parse(left), parse(right)), set()
    assert isinstance(sides[1].condition, Both)
    for x, *w in product((-1, 0, 1), repeat=5):
        for t in (0, 1, 2):
            ground = WholeGround([[[v]] for v in w], [[0]] * 4, [x], t)
            for letters in bindings(ground, claim.forall):
                a, b = (side.at(ground, letters) for side in sides)
                assert a == b
                seen.add(a)
    assert seen == {True, False}


def test_the_logistic_slope_is_never_more_than_a_quarter():
    s = sp.Symbol("s", real=True)
    assert sp.factor(sp.Rational(1, 4) - s * (1 - s)) == (2 * s - 1) ** 2 / 4


def test_the_size_of_a_gradient_is_never_negative():
    # squares, which are compared above, say nothing of a sign
    claim = claims()["2.2.a"]
    ground, choices = on_symbols(claim)
    right = next(iter(claim.right.values()))
    for letters in choices:
        size = sp.sympify(parse(right).at(ground, letters))
        # the logistic function lies between 0 and 1
        values = {s: 1 / (1 + sp.Dummy(positive=True)) for s in size.atoms(sig)}
        assert all(sp.factor(part).is_nonnegative for part in sp.Mul.make_args(size.xreplace(values)))
    assert {letters["l"] for letters in choices} == {1, 2, 3, 4}


def test_the_bound_is_the_size_with_every_slope_a_quarter_and_every_weight_the_largest():
    claim = claims()["2.2.a"]
    ground, choices = on_symbols(claim)
    (_, size), (inequality, _) = claim.right.items()
    # without the last digits that floats are allowed
    bound = parse(inequality).right.left
    largest = sp.Symbol("W", positive=True)
    for letters in choices:
        later = range(letters["l"] + 1, ground.L)
        values = {("w", m, 1, 1): largest for m in later} | {("hp", m, 1): sp.Rational(1, 4) for m in later}
        there = Supplied(ground, values)
        assert vanishes(parse(size).at(there, letters) - bound.at(there, letters))


def test_no_record_is_left_out():
    conditions = {"2.3.c", "2.3.d", "2.4.b"}
    assert set(EQUATIONS) | conditions == set(claims())
