"""Formulas as trees: one tree prints itself as LaTeX, as numpy and with numbers, and gives the number.

Every node answers the same four questions, so a formula on the page is printed from the very tree that
was evaluated.  Here stand the operations; the assignment's symbols are in `symbols`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np

from coursework.backprop.activations import Array

#: Where the letters stand: each an array of unit numbers on an axis of its own.
Letters = Mapping[str, Array]


class UndefinedSymbol(ValueError):
    """A formula names a unit, a weight or an index that is not there."""


class Point(Protocol):
    """What a formula is evaluated at: one example, its trace and its deltas, arrays under their letters."""

    def value(self, letter: str, layer: int) -> Array:
        """Return a[l], z[l], delta[l], h'(a[l]) or t, (units,), or w[l], (units of l + 1, units of l)."""

    def partial(self, top: Expression, bottom: Expression) -> float:
        """Return the derivative of one quantity by another, found without the equations."""


class Expression:
    """A formula."""

    def latex(self) -> str:
        """Return the formula as LaTeX."""
        raise NotImplementedError

    def code(self) -> str:
        """Return the formula as a line of numpy, units counted from 0."""
        raise NotImplementedError

    def numbers(self, point: Point) -> str:
        """Return LaTeX with this point's numbers in place of the symbols."""
        return number(self.evaluate(point))

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        """Return the value at `point`."""
        raise NotImplementedError

    def parts(self) -> Iterator[Expression]:
        """Yield the formulas that this one is made of."""
        for field in fields(self):  # type: ignore[arg-type]
            part = getattr(self, field.name)
            yield from (
                p for p in (part if isinstance(part, tuple) else (part,)) if isinstance(p, Expression)
            )

    def walk(self) -> Iterator[Expression]:
        """Yield this formula and all below it."""
        yield self
        for part in self.parts():
            yield from part.walk()

    def rebuilt(self, change: Callable[[Expression], Expression]) -> Expression:
        """Return the formula with `change` applied to every part of it, innermost first."""
        changed: dict[str, Any] = {}
        for field in fields(self):  # type: ignore[arg-type]
            part = getattr(self, field.name)
            if isinstance(part, Expression):
                changed[field.name] = part.rebuilt(change)
            elif isinstance(part, tuple):
                changed[field.name] = tuple(p.rebuilt(change) for p in part)
        return change(replace(self, **changed))  # type: ignore[type-var]

    def at(self, letter: str, unit: int) -> Expression:
        """Return the formula with `unit` in place of the letter of a sum."""
        return self.rebuilt(lambda part: part.placed(letter, unit))

    def placed(self, letter: str, unit: int) -> Expression:
        """Return this node, its own indices replaced; only symbols have any."""
        return self

    def __mul__(self, other: Expression) -> Product:
        return Product((*_factors(self), *_factors(other)))

    def __sub__(self, other: Expression) -> Difference:
        return Difference(self, other)

    def __truediv__(self, other: Expression) -> Quotient:
        return Quotient(self, other)


def _factors(expression: Expression) -> tuple[Expression, ...]:
    return expression.factors if isinstance(expression, Product) else (expression,)


def number(value: float, digits: int = 4) -> str:
    """Return LaTeX of `value` with so many significant digits."""
    # adding zero turns the zero of a product with a negative factor, -0.0, into 0.0
    mantissa, _, exponent = f"{value + 0.0:.{digits}g}".partition("e")
    return mantissa if not exponent else rf"{mantissa}\times 10^{{{int(exponent)}}}"


@dataclass(frozen=True)
class Number(Expression):
    """A constant."""

    constant: float

    def latex(self) -> str:
        return number(self.constant)

    def code(self) -> str:
        return f"{self.constant:g}"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return self.constant


@dataclass(frozen=True)
class Product(Expression):
    """Factors, multiplied."""

    factors: tuple[Expression, ...]

    def latex(self) -> str:
        last = self.factors[-1]
        return r"\,".join(_bracketed(f, f.latex(), f is last) for f in self.factors)

    def code(self) -> str:
        return " * ".join(f"({f.code()})" if isinstance(f, Difference) else f.code() for f in self.factors)

    def numbers(self, point: Point) -> str:
        last = self.factors[-1]
        texts = [(f, f.numbers(point)) for f in self.factors]
        return r" \cdot ".join(
            rf"({text})"
            if text.startswith("-") and f is not self.factors[0]
            else _bracketed(f, text, f is last)
            for f, text in texts
        )

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        value: Any = 1.0
        for factor in self.factors:
            value = value * factor.evaluate(point, letters)
        return value


def _bracketed(factor: Expression, text: str, last: bool) -> str:
    # a sum reaches to the end of its product, so it needs no bracket there
    open_ended = isinstance(factor, Sum) and not (last and text.startswith(r"\sum"))
    return rf"\bigl({text}\bigr)" if open_ended or isinstance(factor, Difference) else text


@dataclass(frozen=True)
class Difference(Expression):
    """left - right."""

    left: Expression
    right: Expression

    def latex(self) -> str:
        return f"{self.left.latex()}-{self._right(self.right.latex())}"

    def code(self) -> str:
        right = self.right.code()
        return f"{self.left.code()} - " + (f"({right})" if isinstance(self.right, Difference) else right)

    def numbers(self, point: Point) -> str:
        return f"{self.left.numbers(point)}-{self._right(self.right.numbers(point))}"

    def _right(self, text: str) -> str:
        return f"({text})" if text.startswith("-") or isinstance(self.right, Difference) else text

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return self.left.evaluate(point, letters) - self.right.evaluate(point, letters)


@dataclass(frozen=True)
class Quotient(Expression):
    """over / under, as a fraction."""

    over: Expression
    under: Expression

    def latex(self) -> str:
        return rf"\frac{{{self.over.latex()}}}{{{self.under.latex()}}}"

    def code(self) -> str:
        return f"({self.over.code()}) / ({self.under.code()})"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return self.over.evaluate(point, letters) / self.under.evaluate(point, letters)


@dataclass(frozen=True)
class Sum(Expression):
    """The sum of `body` over the units 1 to `last`, called `letter` in it."""

    letter: str
    last: int
    body: Expression

    #: Terms that are printed in numbers before dots take over.
    PRINTED = 6

    def latex(self) -> str:
        body = self.body.latex()
        body = rf"\bigl({body}\bigr)" if isinstance(self.body, Difference) else body
        return rf"\sum_{{{self.letter}=1}}^{{{self.last}}}{body}"

    def code(self) -> str:
        return f"sum({self.body.code()} for {self.letter} in range({self.last}))"

    def terms(self) -> list[Expression]:
        """Return the terms, written out."""
        return [self.body.at(self.letter, unit) for unit in range(1, self.last + 1)]

    def numbers(self, point: Point) -> str:
        terms = self.terms()
        shown = terms if len(terms) <= self.PRINTED else [*terms[: self.PRINTED - 1], terms[-1]]
        texts = [term.numbers(point) for term in shown]
        if len(shown) < len(terms):
            texts.insert(-1, r"\cdots")
        return "+".join(texts).replace("+-", "-")

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        # each letter gets an axis to the left of the ones in use, so that terms broadcast
        letters = dict(letters or {})
        units = np.arange(1, self.last + 1).reshape(-1, *[1] * len(letters))
        try:
            body = np.asarray(self.body.evaluate(point, {**letters, self.letter: units}))
        except UndefinedSymbol:
            # term by term, the message names the very symbol that is missing
            for term in self.terms():
                term.evaluate(point, letters)
            raise
        total = np.broadcast_to(body, np.broadcast_shapes(body.shape, units.shape)).sum(axis=0)
        return total if letters else total.item()
