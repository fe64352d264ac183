"""The value of a tree at many draws at once.

A value has the shape (n_d, ..., n_1, draws), one axis for each sum or product around it that it depends on,
the innermost first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from coursework.backprop.activations import relu, relu_prime, sigmoid, sigmoid_prime, tanh, tanh_prime
from coursework.backprop.judge.deadline import look
from coursework.backprop.judge.draws import SPARE, Draws, Function, Values
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.partials import partial
from coursework.backprop.judge.quantities import UNITS
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import (
    Add,
    Apply,
    Divide,
    Index,
    Letter,
    Multiply,
    Negative,
    Node,
    Number,
    Over,
    Partial,
    Power,
    Ref,
)

#: Functions that mean the same in every network; h and h' are the draws' own.
FUNCTIONS: dict[str, Function] = {
    "sigma": sigmoid,
    "sigma'": sigmoid_prime,
    "tanh": tanh,
    "tanh'": tanh_prime,
    "relu": relu,
    "step": relu_prime,
    "exp": np.exp,
    "ln": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
}

#: Most terms of one sum, and most numbers of all the sums around a quantity together.
MAX_TERMS = 200
MAX_NUMBERS = 20_000

IndexArray = NDArray[np.int64]


@lru_cache(maxsize=64)
def _existing(layout: Layout, name: str) -> NDArray[np.bool_]:
    """Return for every layer and unit, the spare ones too, whether the quantity `name` exists there."""
    units = range(max(layout.sizes) + SPARE + 1)
    places = product(units, units) if name == "w" else ((unit,) for unit in units)
    exists = np.array([[layout.has(name, l, p) for l in range(layout.L + SPARE + 1)] for p in places])
    return exists.T.reshape((-1, *(len(units),) * UNITS[name]))


class Scope:
    """The letters that are bound where a part of a formula stands."""

    def __init__(self, letters: Mapping[str, int], ranges: tuple[tuple[str, int, int], ...] = ()) -> None:
        self.letters: dict[str, int | IndexArray] = dict(letters)
        self.ranges = ranges
        self._fixed = dict(letters)
        for depth, (letter, low, high) in enumerate(ranges):
            self.letters[letter] = np.arange(low, high + 1).reshape((-1,) + (1,) * depth)

    def inside(self, node: Over) -> Scope:
        """Return the scope of the body of a sum or product."""
        low, high = (self.constant(bound) for bound in (node.low, node.high))
        if high - low >= MAX_TERMS:
            raise Unreadable(f"the {node.kind} over {node.letter} has more than {MAX_TERMS} terms")
        scope = Scope(self._fixed, (*self.ranges, (node.letter, low, high)))
        if np.prod([max(high - low + 1, 1) for _, low, high in scope.ranges]) > MAX_NUMBERS:
            raise Unreadable("the nested sums have too many terms together")
        return scope

    def constant(self, index: Index) -> int:
        """Return the value of a bound, which may not depend on another sum."""
        value = self.letters.get(index.letter, 0) if index.letter else 0
        if isinstance(value, np.ndarray) or (index.letter and index.letter not in self.letters):
            raise Unreadable(f"a bound may be a number, l or L, plus or minus a number; {index} is not")
        return value + index.offset

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes of a value that depends on every sum around it."""
        return tuple(high - low + 1 for _, low, high in reversed(self.ranges))


class Evaluator:
    """Evaluates trees at `draws`.

    Attributes
    ----------
    missing : the quantities met so far that the network does not have, or whose index nothing binds;
        each counts as a number that equals no other.
    """

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self.missing: list[Ref] = []

    def value(self, node: Node, scope: Scope) -> Values:
        """Return the value of `node`, of shape (*axes, draws)."""
        look()
        match node:
            case Ref():
                return self._quantity(node, scope)
            case Multiply(factors=factors):
                product = self.value(factors[0], scope)
                for factor in factors[1:]:
                    product = product * self.value(factor, scope)
                return product
            case Add(terms=terms):
                total = self.value(terms[0], scope)
                for term in terms[1:]:
                    total = total + self.value(term, scope)
                return total
            case Negative(term=term):
                return -self.value(term, scope)
            case Number(value=number):
                return np.full(self.draws.count, float(number))
            case Apply(function="h", argument=argument):
                return self.draws.h(self.value(argument, scope))
            case Apply(function="h'", argument=argument):
                return self.draws.h_prime(self.value(argument, scope))
            case Apply(function=function, argument=argument):
                return FUNCTIONS[function](self.value(argument, scope))
            case Over():
                return self._over(node, scope)
            case Divide(top=top, bottom=bottom):
                return np.asarray(self.value(top, scope) / self.value(bottom, scope))
            case Power(base=base, exponent=exponent):
                return np.asarray(self.value(base, scope) ** self.value(exponent, scope))
            case Letter(index=index):
                bound = scope.letters.get(index.letter)
                if bound is None:
                    self.missing.append(Ref(index.letter))
                    return np.asarray(self.draws.quantities["a"][-1, -1])
                return np.asarray(
                    np.asarray(bound)[..., None] + np.full(self.draws.count, float(index.offset))
                )
            case Partial():
                return self._partial(node, scope)

    def _over(self, node: Over, scope: Scope) -> Values:
        inner = scope.inside(node)
        terms = inner.shape[0]
        summed = node.kind == "sum"
        if terms <= 0:
            return np.full(self.draws.count, 0.0 if summed else 1.0)
        body = self.value(node.body, inner)
        if body.ndim > len(scope.ranges) + 1 and body.shape[0] == 1:
            body = body[0]  # an axis left over from a sum inside
        if body.ndim <= len(scope.ranges) + 1:  # the letter does not occur in it
            return np.asarray(terms * body if summed else body**terms)
        return np.asarray(body.sum(axis=0) if summed else body.prod(axis=0))

    def _quantity(self, ref: Ref, scope: Scope) -> Values:
        if ref.layer is None:
            return self.draws.scalars[ref.name]
        places = self._places(ref, scope)
        return np.asarray(self.draws.quantities["z" if ref.name == "x" else ref.name][places])

    def _places(self, ref: Ref, scope: Scope) -> tuple[int | IndexArray, ...]:
        """Return the numbers of layer and units, those that do not exist turned to spare slots."""
        assert ref.layer is not None
        layout, places = self.draws.layout, []
        for index in (ref.layer, *ref.units):
            bound = scope.letters.get(index.letter) if index.letter else 0
            places.append(None if bound is None else bound + index.offset)
        if any(place is None for place in places):
            self.missing.append(ref)
            return tuple(-1 if place is None else place % 2 for place in places)
        known = [place for place in places if place is not None]
        if all(isinstance(place, int) for place in known):
            exists = layout.has(ref.name, int(known[0]), tuple(int(unit) for unit in known[1:]))
            if not exists:
                self.missing.append(ref)
                return self._spare(known)
            return tuple(known)
        if _existing(layout, ref.name)[self._spare(known)].all():
            return tuple(known)
        self.missing.append(ref)
        return self._spare(known)

    def _spare(self, places: list[int | IndexArray]) -> tuple[int | IndexArray, ...]:
        sizes = [self.draws.layout.L + SPARE, max(self.draws.layout.sizes) + SPARE]
        return tuple(
            np.clip(place, 0, sizes[min(axis, 1)]) if isinstance(place, np.ndarray)
            else min(max(place, 0), sizes[min(axis, 1)])
            for axis, place in enumerate(places)
        )  # fmt: skip

    def _partial(self, node: Partial, scope: Scope) -> Values:
        """Evaluate a derivative for every combination of the indices bound around it."""
        refs = (node.top, node.bottom)
        places = [self._places(ref, scope) if ref.layer else () for ref in refs]
        flat = [np.asarray(place) for each in places for place in each]
        wide = np.broadcast_arrays(*flat) if flat else []
        shape = wide[0].shape if wide else ()
        if any(ref in self.missing for ref in refs):
            return np.asarray(self.draws.quantities["b"][-1, -1] + np.zeros((*shape, self.draws.count)))
        cut = len(places[0])
        found = [
            partial(self.draws, node.top.name, spot[:cut], node.bottom.name, spot[cut:])
            for spot in zip(*(axis.ravel().tolist() for axis in wide), strict=True)
        ] or [partial(self.draws, node.top.name, (), node.bottom.name, ())]
        return np.stack(found).reshape((*shape, self.draws.count))
