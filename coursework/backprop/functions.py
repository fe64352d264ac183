"""Functions in formulas, such as e^a and sigma(a), and the bracket [k = j], which is 1 or 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coursework.backprop.activations import Array, sigmoid
from coursework.backprop.expression import Difference, Expression, Letters, Point
from coursework.backprop.symbols import Index, index_code, index_number


@dataclass(frozen=True)
class Named:
    """A function: what it computes, its LaTeX around the argument, and its name in numpy."""

    function: Callable[[Array], Any]
    latex: str
    code: str


FUNCTIONS = {
    "exp": Named(np.exp, "e^{%s}", "np.exp"),
    "cos": Named(np.cos, r"\cos(%s)", "np.cos"),
    "sigmoid": Named(sigmoid, r"\sigma(%s)", "sigmoid"),
}


@dataclass(frozen=True)
class Function(Expression):
    """A function from the table, applied."""

    name: str
    argument: Expression

    def latex(self) -> str:
        return FUNCTIONS[self.name].latex % self.argument.latex()

    def code(self) -> str:
        return f"{FUNCTIONS[self.name].code}({self.argument.code()})"

    def numbers(self, point: Point) -> str:
        return FUNCTIONS[self.name].latex % self.argument.numbers(point)

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return FUNCTIONS[self.name].function(self.argument.evaluate(point, letters))


@dataclass(frozen=True)
class Same(Expression):
    """[j = k]: 1 where both name the same unit, else 0."""

    j: Index
    k: Index

    def placed(self, letter: str, unit: int) -> Expression:
        return replace(self, **{name: unit for name in ("j", "k") if getattr(self, name) == letter})

    def latex(self) -> str:
        return f"[{self.j}={self.k}]"

    def code(self) -> str:
        return f"({index_code(self.j)} == {index_code(self.k)})"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return np.equal(index_number(self.j, letters), index_number(self.k, letters)) * 1.0


@dataclass(frozen=True)
class Negative(Expression):
    """The opposite of a formula; it stands first in its line."""

    of: Expression

    def latex(self) -> str:
        return f"-{self._closed(self.of.latex())}"

    def code(self) -> str:
        return f"-({self.of.code()})"

    def numbers(self, point: Point) -> str:
        return f"-({self.of.numbers(point)})"

    def _closed(self, text: str) -> str:
        return rf"\bigl({text}\bigr)" if isinstance(self.of, Difference) else text

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return -self.of.evaluate(point, letters)
