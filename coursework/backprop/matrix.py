"""Lines of numpy for a whole batch, as trees: printed as LaTeX, as numpy and as shapes, and run as printed.

Row n of A^(l), Z^(l) and Delta^(l) belongs to example n.  A line is evaluated in a state: the arrays and
functions under the names that they have in the code, such as {"a": {2: ...}, "t": ..., "h_prime": ...}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from coursework.backprop.activations import Array
from coursework.backprop.expression import Difference, Expression, Letters, UndefinedSymbol
from coursework.backprop.layers import Layer, layer_code, layer_number, layer_placed

#: Arrays and functions under their names.
State = dict[str, Any]

_PRINTED = {
    "a": "A",
    "z": "Z",
    "delta": r"\Delta",
    "w": "W",
    "b": "B",
    "links": "M",
    "t": "T",
    "x": "X",
    "dw": r"\frac{\partial E}{\partial W^{(%s)}}",
    "db": r"\frac{\partial E}{\partial B^{(%s)}}",
}
_APPLIED = {"h": "h", "h_prime": "h'", "sigmoid": r"\sigma", "softmax": r"\operatorname{softmax}"}


def units_text(sizes: Sequence[int], l: Layer) -> str:
    """Return the number of units of layer l: 3, or D[l + 1] for a layer without a number."""
    return str(sizes[l - 1]) if isinstance(l, int) else f"D[{layer_code(l)}]"


class Matrix(Expression):
    """An array of a whole batch; its `evaluate` takes a state."""


@dataclass(frozen=True)
class Whole(Matrix):
    """An array by its letter, of layer l or, where l is None, the only one of its kind."""

    letter: str
    l: Layer | None = None

    def latex(self) -> str:
        printed = _PRINTED.get(self.letter, rf"\mathrm{{{self.letter}}}".replace("_", r"\_"))
        if "%s" in printed:
            return printed % self.l
        return printed if self.l is None else f"{printed}^{{({self.l})}}"

    def code(self) -> str:
        return self.letter if self.l is None else f"{self.letter}[{layer_code(self.l)}]"

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        value = point[self.letter]
        if self.l is None:
            return value
        try:
            return value[layer_number(self.l, letters)]
        except LookupError:
            raise UndefinedSymbol(f"there is no {self.code()} at {dict(letters or {})}") from None

    def placed(self, letter: str, unit: int) -> Expression:
        return self if self.l is None else replace(self, l=layer_placed(self.l, letter, unit))

    def shape(self, sizes: Sequence[int]) -> str:
        """Return the shape in a network of these sizes, such as (N, 3) or, for layer l, (N, D[l])."""
        l: Layer = len(sizes) if self.l is None else self.l
        if self.letter in ("w", "dw", "links"):
            return f"({units_text(sizes, l + 1)}, {units_text(sizes, l)})"
        if self.letter in ("b", "db"):
            return f"({units_text(sizes, l + 1)},)"
        return f"(N, {units_text(sizes, l)})"


@dataclass(frozen=True)
class _Shape(Matrix):
    text: str

    def code(self) -> str:
        return self.text


@dataclass(frozen=True)
class Transposed(Matrix):
    """The transpose."""

    of: Expression

    def latex(self) -> str:
        return rf"{{{self.of.latex()}}}^{{\mathsf{{T}}}}"

    def code(self) -> str:
        return f"{self.of.code()}.T"

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        return self.of.evaluate(point, letters).T


@dataclass(frozen=True)
class MatMul(Matrix):
    """The product of two matrices."""

    left: Expression
    right: Expression

    def latex(self) -> str:
        return rf"{self.left.latex()}\,{self.right.latex()}"

    def code(self) -> str:
        return f"{self.left.code()} @ {self.right.code()}"

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        return self.left.evaluate(point, letters) @ self.right.evaluate(point, letters)


@dataclass(frozen=True)
class Elementwise(Matrix):
    """The product entry by entry."""

    left: Expression
    right: Expression

    def latex(self) -> str:
        return rf"{_apart(self.left, self.left.latex())}\odot {self._right(self.right.latex())}"

    def code(self) -> str:
        return f"{_apart(self.left, self.left.code())} * {self._right(self.right.code())}"

    def _right(self, text: str) -> str:
        # Python multiplies from the left
        return f"({text})" if isinstance(self.right, Elementwise) else _apart(self.right, text)

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        return self.left.evaluate(point, letters) * self.right.evaluate(point, letters)


def _apart(part: Expression, text: str) -> str:
    return f"({text})" if isinstance(part, MatMul | Difference) else text


@dataclass(frozen=True)
class Applied(Matrix):
    """A function of the state, applied."""

    name: str
    argument: Expression

    def latex(self) -> str:
        return f"{_APPLIED[self.name]}({self.argument.latex()})"

    def code(self) -> str:
        return f"{self.name}({self.argument.code()})"

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        return point[self.name](self.argument.evaluate(point, letters))


@dataclass(frozen=True)
class BatchSum(Matrix):
    """The rows, one for each example n, added."""

    rows: Expression

    def latex(self) -> str:
        return rf"\sum_{{n}}{self.rows.latex()}_{{n}}"

    def code(self) -> str:
        return f"{self.rows.code()}.sum(axis=0)"

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        return self.rows.evaluate(point, letters).sum(axis=0)


@dataclass(frozen=True)
class Line:
    """A line of numpy: `target` becomes `value`, or with `added` grows by it."""

    target: Whole
    value: Expression
    added: bool = False

    def latex(self) -> str:
        """Return the line as an equation."""
        more = f"{self.target.latex()}+" if self.added else ""
        return f"{self.target.latex()}={more}{self.value.latex()}"

    def code(self) -> str:
        """Return the line as numpy."""
        return f"{self.target.code()} {'+=' if self.added else '='} {self.value.code()}"

    def shapes(self, sizes: Sequence[int]) -> str:
        """Return the line with the shape of each array in its place; N is the number of examples."""

        def shape(part: Expression) -> Expression:
            return _Shape(part.shape(sizes)) if isinstance(part, Whole) else part

        return f"{self.target.shape(sizes)} = {self.value.rebuilt(shape).code()}"

    def evaluate(self, state: Any, letters: Letters | None = None) -> Array:
        """Return what the right side comes to in `state`."""
        value: Array = self.value.evaluate(state, letters)
        return value

    def run(self, state: State, letters: Letters) -> None:
        """Do in `state` what the line says."""
        value = self.evaluate(state, letters)
        # only t and x stand for the only array of their kind, and no line gives them a value
        place = layer_number(self.target.l or 0, letters)
        arrays = state[self.target.letter]
        arrays[place] = arrays[place] + value if self.added else value
