"""A rectifier network of whole numbers: exact, so that a gradient of zero is zero and not merely small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.grounds import NetworkGround
from coursework.backprop.statement import Place


class WholeGround(NetworkGround):
    """One example in a network of rectifiers with whole weights, one output; everything exact.

    Parameters
    ----------
    w : w[l - 1][j - 1][k - 1] is w_jk^(l).
    b : b[l - 1][j - 1] is the bias of a_j^(l+1).
    x, t : inputs and target.
    """

    def __init__(
        self, w: Sequence[Sequence[Sequence[int]]], b: Sequence[Sequence[int]], x: Sequence[int], t: int
    ) -> None:
        super().__init__([len(x), *(len(layer) for layer in w)])
        self.w, self.b, self.t = w, b, t
        # a[l - 1], z[l - 1] are layer l's; the inputs have no pre-activation
        self.a: list[list[int]] = [[]]
        self.z: list[list[int]] = [list(x)]
        for weights, biases in zip(w, b, strict=True):
            rows = zip(weights, biases, strict=True)
            self.a.append([_dot(row, self.z[-1]) + bias for row, bias in rows])
            self.z.append([max(0, a) for a in self.a[-1]] if len(self.a) < self.L else self.a[-1])

    def found(self, place: Place) -> Any:
        match place:
            case ("t",):
                return self.t
            case ("E",):
                return Fraction(self.quantity(("err",)) ** 2, 2)
            case ("x", k):
                return _entry(place, self.z, 1, k)
            case ("a" | "z" as name, l, j):
                return _entry(place, getattr(self, name), l, j)
            case ("hp", l, j) if l < self.L:
                return int(_entry(place, self.a, l, j) > 0)
            case ("w", l, j, k):
                return _entry(place, self.w, l, j, k)
            case ("d", l, j):
                return self.derivative(("E",), ("a", l, j))
        raise UndefinedSymbol(f"a network of sizes {self.sizes} has no {place}")

    def differentiated(self, top: Place, bottom: Place) -> int:
        da, dz = self._tangents(bottom)
        match top:
            case ("E",):
                return int(self.quantity(("err",)) * da[self.L][0])
            case ("a" | "z" as name, l, j):
                return int((da if name == "a" else dz)[l][j - 1])
        raise UndefinedSymbol(f"the derivative of {top} by {bottom} is not computed")

    def _tangents(self, bottom: Place) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        if bottom[0] not in ("w", "a"):
            raise UndefinedSymbol(f"{bottom} is neither a weight nor a pre-activation")
        # moving w_jk^(l) moves a_j^(l+1) by z_k^(l), and moving a_j^(l) moves it by 1; nothing below moves
        moved = bottom[1] + (bottom[0] == "w")
        start = self.z[bottom[1] - 1][bottom[3] - 1] if bottom[0] == "w" else 1
        da = {l: [0] * size for l, size in enumerate(self.sizes, start=1)}
        dz = {l: [0] * size for l, size in enumerate(self.sizes, start=1)}
        da[moved][bottom[2] - 1] = start
        for l in range(moved, self.L + 1):
            if l > moved:
                da[l] = [_dot(row, dz[l - 1]) for row in self.w[l - 2]]
            dz[l] = [d * (a > 0 or l == self.L) for d, a in zip(da[l], self.a[l - 1], strict=True)]
        return da, dz

    def function(self, name: str) -> Callable[[Any], Any]:
        return _WHOLE_FUNCTIONS[name]


_WHOLE_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "h": lambda a: max(0, a),
    "relu": lambda a: max(0, a),
    "step": lambda a: int(a > 0),
    "Abs": abs,
}


def _dot(row: Sequence[int], column: Sequence[int]) -> int:
    return sum(weight * value for weight, value in zip(row, column, strict=True))


def _entry(place: Place, layers: Sequence[Any], *numbers: int) -> Any:
    part: Any = layers
    for number in numbers:
        if not 1 <= number <= len(part):
            raise UndefinedSymbol(f"there is no {place}")
        part = part[number - 1]
    return part
