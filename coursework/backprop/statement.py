"""What the records say, as trees: numbers and conditions about any network, in any arithmetic.

`formula` reads them, a `Ground` gives the symbols their meaning.  The same tree is a float on a network of
floats, exact on a network of whole numbers, and a formula again on one of SymPy's symbols.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from coursework.backprop.expression import UndefinedSymbol

#: A quantity of the network by name and whole-number indices: ("w", 3, 1, 2) is w_12^(3).
Place = tuple[Any, ...]
#: What the letters of indices stand for.
Letters = Mapping[str, int]

#: The largest exponent, either sign, that is computed.
LARGEST_POWER = 1000


class UnboundIndex(UndefinedSymbol):
    """A letter among the indices is bound nowhere."""


class Ground(Protocol):
    """What statements are true or false of."""

    def quantity(self, place: Place) -> Any:
        """Return the value of a quantity; `UndefinedSymbol` where there is no such thing."""

    def derivative(self, top: Place, bottom: Place) -> Any:
        """Return the derivative of one quantity by another, a weight or a pre-activation."""

    def function(self, name: str) -> Callable[[Any], Any]:
        """Return one of the functions in `formula.FUNCTIONS`."""


class Statement:
    """A number or a condition."""

    def at(self, ground: Ground, letters: Letters) -> Any:
        """Return what it comes to on `ground`, its free letters bound by `letters`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Statement):
    """A number as written."""

    value: float

    def at(self, ground: Ground, letters: Letters) -> Any:
        return self.value


@dataclass(frozen=True)
class Letter(Statement):
    """An index, such as l; L is the number of layers."""

    name: str

    def at(self, ground: Ground, letters: Letters) -> int:
        if self.name not in letters:
            raise UnboundIndex(f"the index ${self.name}$ is bound nowhere")
        return letters[self.name]


@dataclass(frozen=True)
class Quantity(Statement):
    """A quantity of the network: w(l+1, k, 1), or t without indices."""

    name: str
    indices: tuple[Statement, ...] = ()

    def place(self, ground: Ground, letters: Letters) -> Place:
        """Return the quantity's name with the numbers of its indices."""
        return (self.name, *(index.at(ground, letters) for index in self.indices))

    def at(self, ground: Ground, letters: Letters) -> Any:
        return ground.quantity(self.place(ground, letters))


@dataclass(frozen=True)
class Derivative(Statement):
    """D(top, bottom)."""

    top: Quantity
    bottom: Quantity

    def at(self, ground: Ground, letters: Letters) -> Any:
        return ground.derivative(self.top.place(ground, letters), self.bottom.place(ground, letters))


@dataclass(frozen=True)
class Applied(Statement):
    """A function of one argument."""

    name: str
    argument: Statement

    def at(self, ground: Ground, letters: Letters) -> Any:
        return ground.function(self.name)(self.argument.at(ground, letters))


def power(base: Any, exponent: int) -> Any:
    """Return base ** exponent for exponents that end; 9 ** 9 ** 9 does not."""
    if abs(exponent) > LARGEST_POWER:
        raise UndefinedSymbol(f"the exponent {exponent} is beyond {LARGEST_POWER}")
    return base**exponent


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": power,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Operation(Statement):
    """Two statements joined by one of `OPERATORS`."""

    symbol: str
    left: Statement
    right: Statement

    def at(self, ground: Ground, letters: Letters) -> Any:
        return OPERATORS[self.symbol](self.left.at(ground, letters), self.right.at(ground, letters))


@dataclass(frozen=True)
class Both(Statement):
    """Two conditions joined by `and`; the right one is not looked at where the left one is false."""

    left: Statement
    right: Statement

    def at(self, ground: Ground, letters: Letters) -> bool:
        return bool(self.left.at(ground, letters)) and bool(self.right.at(ground, letters))


@dataclass(frozen=True)
class Either(Statement):
    """Two conditions joined by `or`; the right one is not looked at where the left one is true."""

    left: Statement
    right: Statement

    def at(self, ground: Ground, letters: Letters) -> bool:
        return bool(self.left.at(ground, letters)) or bool(self.right.at(ground, letters))


@dataclass(frozen=True)
class Not(Statement):
    """The contrary of a condition."""

    condition: Statement

    def at(self, ground: Ground, letters: Letters) -> bool:
        return not self.condition.at(ground, letters)


#: What is made of the values over a range; of none 0, 1, false, true and 0.
GATHERED: dict[str, Callable[[Iterable[Any]], Any]] = {
    "Sum": sum,
    "Product": math.prod,
    "Any": any,
    "All": all,
    "Max": lambda values: max(values, default=0),
}


@dataclass(frozen=True)
class Over(Statement):
    """Sum, Product, Any, All or Max of `body` for `letter` from `low` to `high`, both included."""

    kind: str
    body: Statement
    letter: str
    low: Statement
    high: Statement

    def at(self, ground: Ground, letters: Letters) -> Any:
        values = range(self.low.at(ground, letters), self.high.at(ground, letters) + 1)
        return GATHERED[self.kind](self.body.at(ground, {**letters, self.letter: value}) for value in values)
