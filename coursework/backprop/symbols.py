"""The assignment's symbols, a node of a formula each: a, z, w, delta, h', x, t, E and derivatives of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coursework.backprop.expression import Expression, Letters, Point, UndefinedSymbol
from coursework.backprop.layers import Layer, layer_code, layer_number, layer_placed

#: A layer's unit, counted from 1, or the letter of a sum that runs over the units.
Index = int | str


@dataclass(frozen=True)
class Symbol(Expression):
    """A quantity of unit j in layer l."""

    l: Layer
    j: Index

    #: How it is called in `Point.value` and in numpy.
    letter = ""
    #: How it is printed.
    printed = ""

    def placed(self, letter: str, unit: int) -> Symbol:
        """Return the symbol with `unit` for `letter` among its indices, the layer included."""
        indices = {name: unit for name in ("j", "k") if getattr(self, name, None) == letter}
        return replace(self, l=layer_placed(self.l, letter, unit), **indices)

    def latex(self) -> str:
        return rf"{self.printed}_{{{self.j}}}^{{({self.l})}}"

    def code(self) -> str:
        return f"{self.letter}[{layer_code(self.l)}][{index_code(self.j)}]"

    def name_code(self) -> str:
        """Return which quantity it is, for `partial`: ("a", 3, 0)."""
        return f'("{self.letter}", {layer_code(self.l)}, {index_code(self.j)})'

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        try:
            return point.value(self.letter, layer_number(self.l, letters))[_place(self.j, letters)]
        except LookupError:
            raise UndefinedSymbol(f"there is no ${_named(self, letters).latex()}$") from None


def index_code(index: Index) -> str:
    """Return the unit, counted from 0, as Python."""
    return index if isinstance(index, str) else str(index - 1)


def index_number(index: Index, letters: Letters | None) -> Any:
    """Return the unit, counted from 1, or the array of units that a letter stands for."""
    if not isinstance(index, str):
        return index
    if letters is None or index not in letters:
        raise UndefinedSymbol(f"the index ${index}$ is not bound by a sum")
    return letters[index]


def _place(index: Index, letters: Letters | None) -> Any:
    unit = index_number(index, letters)
    # counted from 0 a unit 0 would be the last one
    if np.min(unit, initial=1) < 1:
        raise IndexError
    return unit - 1


def _named(symbol: Symbol, letters: Letters | None) -> Symbol:
    """Return the symbol with those of its letters as numbers that stand for one."""
    for letter, number in (letters or {}).items():
        symbol = symbol if np.ndim(number) else symbol.placed(letter, int(number))
    return symbol


class A(Symbol):
    """The pre-activation a_j^(l)."""

    letter = printed = "a"


class Z(Symbol):
    """The output z_j^(l)."""

    letter = printed = "z"


class Delta(Symbol):
    """delta_j^(l) = dE_n/da_j^(l)."""

    letter, printed = "delta", r"\delta"


class HPrime(Symbol):
    """h'(a_j^(l)), of whatever h is."""

    letter = "h_prime"

    def latex(self) -> str:
        return f"h'({A(self.l, self.j).latex()})"

    def code(self) -> str:
        return f"h_prime({A(self.l, self.j).code()})"


class X(Symbol):
    """The input x_j, which is z_j^(1); its layer is not looked at."""

    letter = "x"

    def latex(self) -> str:
        return f"x_{{{self.j}}}"

    def code(self) -> str:
        return f"x[{index_code(self.j)}]"


class T(Symbol):
    """The target t_n of a network with one output; its layer is not looked at."""

    letter = "t"

    def latex(self) -> str:
        return "t_{n}"

    def code(self) -> str:
        return f"t[{index_code(self.j)}]"


class Y(Symbol):
    """y_j, what the loss takes output unit j for: a_j^(L) itself, or a probability."""

    letter = "y"

    def latex(self) -> str:
        return f"y_{{{self.j}}}"

    def code(self) -> str:
        return f"y[{index_code(self.j)}]"


class B(Symbol):
    """The bias b_j^(l), which is added to a_j^(l+1)."""

    letter = printed = "b"


class TOfMany(T):
    """The target t_nj of output unit j, where there are several."""

    def latex(self) -> str:
        return f"t_{{n{self.j}}}"


class E(Symbol):
    """The loss E_n of the example; a symbol without indices."""

    letter = "E"

    def latex(self) -> str:
        return "E_{n}"

    def code(self) -> str:
        return "E"

    def name_code(self) -> str:
        return '("E",)'


#: The loss, for there is only one.
LOSS = E(0, 1)


@dataclass(frozen=True)
class W(Symbol):
    """The weight w_jk^(l), from unit k of layer l to unit j of layer l + 1."""

    k: Index

    letter = printed = "w"

    def latex(self) -> str:
        # w_{12} reads well until a unit has two digits
        comma = "," if any(isinstance(i, int) and i > 9 for i in (self.j, self.k)) else ""
        return rf"w_{{{self.j}{comma}{self.k}}}^{{({self.l})}}"

    def code(self) -> str:
        return f"w[{layer_code(self.l)}][{index_code(self.j)}, {index_code(self.k)}]"

    def name_code(self) -> str:
        return f'("w", {layer_code(self.l)}, {index_code(self.j)}, {index_code(self.k)})'

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        try:
            return point.value("w", layer_number(self.l, letters))[
                _place(self.j, letters), _place(self.k, letters)
            ]
        except LookupError:
            raise UndefinedSymbol(f"there is no ${_named(self, letters).latex()}$") from None


@dataclass(frozen=True)
class Partial(Expression):
    """The derivative of one symbol by another, before anything is known of it."""

    top: Symbol
    bottom: Symbol

    def latex(self) -> str:
        return rf"\frac{{\partial {self.top.latex()}}}{{\partial {self.bottom.latex()}}}"

    def code(self) -> str:
        return f"partial({self.top.name_code()}, {self.bottom.name_code()})"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        arrays = {}
        placed: Any = self
        for letter, units in (letters or {}).items():
            if np.ndim(units):
                arrays[letter] = units
            else:
                placed = placed.at(letter, int(units))
        names = sorted(_letters(placed) & arrays.keys())
        if not names:
            return point.partial(placed.top, placed.bottom)
        each = np.broadcast_arrays(*(arrays[name] for name in names))
        values = np.empty(each[0].shape)
        for place in np.ndindex(values.shape):
            term = placed
            for name, units in zip(names, each, strict=True):
                term = term.at(name, int(units[place]))
            values[place] = term.evaluate(point)
        return values


def _letters(expression: Expression) -> set[str]:
    symbols = [part for part in expression.walk() if isinstance(part, Symbol)]
    return {i for part in symbols for i in (part.j, getattr(part, "k", None)) if isinstance(i, str)}
