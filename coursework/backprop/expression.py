"""Formulas as trees: one tree prints itself as LaTeX, as numpy and with numbers, and gives the number.

Every node answers the same four questions, so a formula on the page is printed from the very tree that
was evaluated.  Here stand the operations; the assignment's symbols are in `symbols`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from coursework.backprop.activations import Array
from coursework.backprop.layers import UndefinedSymbol

__all__ = [
    "Difference",
    "Expression",
    "Letters",
    "Number",
    "Point",
    "Product",
    "Quotient",
    "UndefinedSymbol",
    "factor_numbers",
    "flattened",
    "number",
]

#: Where the letters stand: the letter of a sum at an array of unit numbers, on an axis of its own; any
#: other letter, of a unit or a layer, at one number.
Letters = Mapping[str, Array | int]


class Point(Protocol):
    """What a formula is evaluated at: one example, its trace and its deltas, arrays under their letters."""

    def value(self, letter: str, layer: int) -> Array:
        """Return a[l], z[l], delta[l], h'(a[l]), x, t or y, (units,), or w[l], (units of l + 1, units of l).

        Further letters are b, links (1 where a weight is there, 0 where not; shaped like w[l]) and E.
        """

    def partial(self, top: Expression, bottom: Expression) -> float:
        """Return the derivative of one quantity by another, found without the equations."""


class Expression:
    """A formula."""

    #: Whether its LaTeX reaches to the end of a product, as a sum's does.
    open_ended = False

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
        """Return the formula with a number in place of a letter: of a sum, a unit or a layer."""
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


def flattened(expression: Expression) -> Expression:
    """Return the formula without products inside of products."""
    return expression.rebuilt(
        lambda part: (
            Product(tuple(f for factor in part.factors for f in _factors(factor)))
            if isinstance(part, Product)
            else part
        )
    )


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
        return r" \cdot ".join(factor_numbers(self.factors, point))

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        value: Any = 1.0
        for factor in self.factors:
            value = value * factor.evaluate(point, letters)
        return value


def factor_numbers(factors: Sequence[Expression], point: Point) -> list[str]:
    """Return the factors of a product as this point's numbers, in brackets where they need them."""
    texts = [factor.numbers(point) for factor in factors]
    return [
        rf"({text})" if text.startswith("-") and i > 0 else _bracketed(factor, text, i == len(texts) - 1)
        for i, (factor, text) in enumerate(zip(factors, texts, strict=True))
    ]


def _bracketed(factor: Expression, text: str, last: bool) -> str:
    # a sum reaches to the end of its product, so it needs no bracket there
    open_ended = factor.open_ended and not (last and text.startswith((r"\sum", r"\prod")))
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

    def numbers(self, point: Point) -> str:
        return rf"\frac{{{self.over.numbers(point)}}}{{{self.under.numbers(point)}}}"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return self.over.evaluate(point, letters) / self.under.evaluate(point, letters)
