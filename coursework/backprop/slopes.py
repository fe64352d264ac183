"""h'(a) of each activation as a formula, so that what is printed for it is what is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursework.backprop.expression import Expression, Letters, Number, Point
from coursework.backprop.functions import Function
from coursework.backprop.symbols import A, HPrime, Z


@dataclass(frozen=True)
class Positive(Expression):
    """[a > 0]: 1 where a is positive, else 0."""

    of: Expression

    def latex(self) -> str:
        return f"[{self.of.latex()}>0]"

    def code(self) -> str:
        return f"({self.of.code()} > 0)"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return np.greater(np.real(self.of.evaluate(point, letters)), 0) * 1.0


@dataclass(frozen=True)
class Squared(Expression):
    """The square."""

    of: Expression

    def latex(self) -> str:
        return rf"{{\bigl({self.of.latex()}\bigr)}}^{{2}}"

    def code(self) -> str:
        return f"{self.of.code()} ** 2"

    def numbers(self, point: Point) -> str:
        return f"({self.of.numbers(point)})^{{2}}"

    def evaluate(self, point: Point, letters: Letters | None = None) -> Any:
        return np.square(self.of.evaluate(point, letters))


#: What h' is in terms of a and z = h(a), under the name of the activation.
SLOPES: dict[str, Callable[[A, Z], Expression]] = {
    "sigmoid": lambda a, z: z * (Number(1) - z),
    "relu": lambda a, z: Positive(a),
    "tanh": lambda a, z: Number(1) - Squared(z),
    "softplus": lambda a, z: Function("sigmoid", a),
    "identity": lambda a, z: Number(1),
    "sin": lambda a, z: Function("cos", a),
}


def slope(activation: str, h_prime: HPrime) -> Expression:
    """Return h' at the same place as `h_prime`, of one activation."""
    return SLOPES[activation](A(h_prime.l, h_prime.j), Z(h_prime.l, h_prime.j))
