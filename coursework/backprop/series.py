"""What the sums and products of a general formula run over: units of a layer, or layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.expression import (
    Difference,
    Expression,
    Letters,
    Point,
    UndefinedSymbol,
    factor_numbers,
)
from coursework.backprop.layers import Layer, layer_code, layer_number, layer_placed
from coursework.backprop.sums import Bound
from coursework.backprop.symbols import Index, index_code, index_number


@dataclass(frozen=True)
class Units(Bound):
    """All units of layer l, from layer 2 on; D_l of them."""

    l: Layer

    def latex(self, letter: str) -> str:
        return rf"_{{{letter}=1}}^{{D_{{{self.l}}}}}"

    def code(self) -> str:
        return f"range(len(a[{layer_code(self.l)}]))"

    def units(self, point: Point, letters: Letters) -> Array:
        try:
            return np.arange(1, len(point.value("a", layer_number(self.l, letters))) + 1)
        except LookupError:
            raise UndefinedSymbol(f"there is no $D_{{{self.l}}}$") from None

    def placed(self, letter: str, unit: int) -> Bound:
        return replace(self, l=layer_placed(self.l, letter, unit))


@dataclass(frozen=True)
class Among(Bound):
    """Some units, by their numbers."""

    members: tuple[int, ...]

    def latex(self, letter: str) -> str:
        return rf"_{{{letter}\in\{{{','.join(map(str, self.members))}\}}}}"

    def code(self) -> str:
        return f"[{', '.join(str(unit - 1) for unit in self.members)}]"

    def units(self, point: Point, letters: Letters) -> Array:
        return np.array(self.members, dtype=int)


@dataclass(frozen=True)
class Reached(Bound):
    """The units of layer l + 1 to which a link leads from unit j of layer l."""

    l: Layer
    j: Index

    def latex(self, letter: str) -> str:
        return rf"_{{{letter}:\,{self.j}\to {letter}}}"

    def code(self) -> str:
        return f"np.flatnonzero(links[{layer_code(self.l)}][:, {index_code(self.j)}])"

    def _links(self, point: Point, letters: Letters) -> Array:
        return point.value("links", layer_number(self.l, letters))

    def units(self, point: Point, letters: Letters) -> Array:
        return np.arange(1, len(self._links(point, letters)) + 1)

    def share(self, point: Point, letters: Letters, units: Array) -> Any:
        return self._links(point, letters)[units - 1, index_number(self.j, letters) - 1]

    def placed(self, letter: str, unit: int) -> Bound:
        return replace(self, l=layer_placed(self.l, letter, unit), j=unit if self.j == letter else self.j)


@dataclass(frozen=True)
class Prod(Expression):
    """The product of `body` over the layers `first` to `last`, called `letter` in it; 1 if there are none."""

    letter: str
    first: Layer
    last: Layer
    body: Expression

    open_ended = True
    #: Factors that are printed in numbers before dots take over.
    PRINTED = 3

    def placed(self, letter: str, unit: int) -> Expression:
        """Return the product with a number for a letter in its bounds."""
        return replace(
            self, first=layer_placed(self.first, letter, unit), last=layer_placed(self.last, letter, unit)
        )

    def latex(self) -> str:
        body = self.body.latex()
        body = rf"\bigl({body}\bigr)" if isinstance(self.body, Difference) else body
        return rf"\prod_{{{self.letter}={self.first}}}^{{{self.last}}}{body}"

    def code(self) -> str:
        layers = f"range({layer_code(self.first)}, {layer_code(self.last + 1)})"
        return f"np.prod([{self.body.code()} for {self.letter} in {layers}])"

    def factors(self) -> list[Expression]:
        """Return the factors, written out."""
        return [self.body.at(self.letter, m) for m in range(int(self.first), int(self.last) + 1)]

    def numbers(self, point: Point) -> str:
        factors = self.factors()
        shown = factors if len(factors) <= self.PRINTED else [*factors[: self.PRINTED - 1], factors[-1]]
        texts = factor_numbers(shown, point)
        if len(shown) < len(factors):
            texts.insert(-1, r"\cdots")
        return r" \cdot ".join(texts) or "1"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        value: Any = 1.0
        first, last = layer_number(self.first, letters), layer_number(self.last, letters)
        for m in range(first, last + 1):
            value = value * self.body.evaluate(point, {**(letters or {}), self.letter: m})
        return value
