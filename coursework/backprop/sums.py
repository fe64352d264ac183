"""Sums over the units of a layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.expression import Difference, Expression, Letters, Point, UndefinedSymbol


class Bound:
    """What a sum runs over: some units of one layer."""

    def latex(self, letter: str) -> str:
        """Return what stands below and above the sign of the sum."""
        raise NotImplementedError

    def code(self) -> str:
        """Return the units, counted from 0, as Python."""
        raise NotImplementedError

    def units(self, point: Point, letters: Letters) -> Array:
        """Return the units, counted from 1."""
        raise NotImplementedError

    def share(self, point: Point, letters: Letters, units: Array) -> Any:
        """Return 1 where a unit takes part and 0 where it does not; by default all do."""
        return 1.0

    def placed(self, letter: str, unit: int) -> Bound:
        """Return the bound with a number for a letter."""
        return self


@dataclass(frozen=True)
class UpTo(Bound):
    """The units 1 to `last`."""

    last: int

    def latex(self, letter: str) -> str:
        return rf"_{{{letter}=1}}^{{{self.last}}}"

    def code(self) -> str:
        return f"range({self.last})"

    def units(self, point: Point, letters: Letters) -> Array:
        return np.arange(1, self.last + 1)


@dataclass(frozen=True)
class Sum(Expression):
    """The sum of `body` over the units 1 to `last`, or over a `Bound`, called `letter` in it."""

    letter: str
    last: int | Bound
    body: Expression

    open_ended = True
    #: Terms that are printed in numbers before dots take over.
    PRINTED = 6

    @property
    def bound(self) -> Bound:
        """What the sum runs over."""
        return UpTo(self.last) if isinstance(self.last, int) else self.last

    def placed(self, letter: str, unit: int) -> Expression:
        """Return the sum with a number for a letter in its bound."""
        return self if isinstance(self.last, int) else replace(self, last=self.last.placed(letter, unit))

    def latex(self) -> str:
        body = self.body.latex()
        body = rf"\bigl({body}\bigr)" if isinstance(self.body, Difference) else body
        return rf"\sum{self.bound.latex(self.letter)}{body}"

    def code(self) -> str:
        return f"sum({self.body.code()} for {self.letter} in {self.bound.code()})"

    def terms(self, point: Point | None = None, letters: Letters | None = None) -> list[Expression]:
        """Return the terms, written out; `point` is asked where the bound alone does not tell them."""
        if isinstance(self.last, int):
            units: Any = range(1, self.last + 1)
        elif point is None:
            raise UndefinedSymbol(f"the terms of ${self.latex()}$ depend on the network; give a point of it")
        else:
            every = self.last.units(point, letters or {})
            units = every[np.broadcast_to(self.last.share(point, letters or {}, every) != 0, every.shape)]
        return [self.body.at(self.letter, int(unit)) for unit in units]

    def numbers(self, point: Point) -> str:
        terms = self.terms(point)
        shown = terms if len(terms) <= self.PRINTED else [*terms[: self.PRINTED - 1], terms[-1]]
        texts = [term.numbers(point) for term in shown]
        if len(shown) < len(terms):
            texts.insert(-1, r"\cdots")
        return "+".join(texts).replace("+-", "-") or "0"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        # each letter of a sum gets an axis to the left of the ones in use, so that terms broadcast
        letters = dict(letters or {})
        axes = max((np.ndim(units) for units in letters.values()), default=0)
        units = self.bound.units(point, letters).reshape(-1, *[1] * axes)
        inside = {**letters, self.letter: units}
        try:
            body = np.asarray(self.body.evaluate(point, inside)) * self.bound.share(point, letters, units)
        except UndefinedSymbol:
            # term by term, the message names the very symbol that is missing
            for term in self.terms(point, letters) if axes == 0 else []:
                term.evaluate(point, letters)
            raise
        total = np.broadcast_to(body, np.broadcast_shapes(np.shape(body), units.shape)).sum(axis=0)
        return total if axes else total.item()
