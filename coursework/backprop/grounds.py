"""Networks on which the records are true or false; here those of floats, in `whole` those of whole numbers.

Neither takes a derivative from the equations that are under test: floats are differentiated by the complex
step, whole numbers carry an exact tangent forward.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from coursework.backprop.activations import relu, sigmoid
from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.point import ExamplePoint
from coursework.backprop.statement import Place
from coursework.backprop.symbols import LOSS, A, Delta, HPrime, Symbol, T, W, X, Z

_SYMBOLS: dict[str, Callable[..., Symbol]] = {"a": A, "z": Z, "d": Delta, "hp": HPrime, "w": W}


class NetworkGround:
    """What the grounds have in common: sizes, values computed once, and sums over paths.

    Attributes
    ----------
    sizes : units of the layers 1 to L.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = list(sizes)
        self._known: dict[Place, Any] = {}

    @property
    def L(self) -> int:
        """The number of layers."""
        return len(self.sizes)

    def quantity(self, place: Place) -> Any:
        """Return the value of a quantity (see `formula.parse`).

        Raises
        ------
        UndefinedSymbol : this network has no such weight, unit or layer.
        """
        if place not in self._known:
            self._known[place] = self._composed(place)
        return self._known[place]

    def derivative(self, top: Place, bottom: Place) -> Any:
        """Return the derivative of one quantity by another, a weight or a pre-activation."""
        if ("D", top, bottom) not in self._known:
            self.quantity(bottom)
            self._known["D", top, bottom] = self.differentiated(top, bottom)
        return self._known["D", top, bottom]

    def _composed(self, place: Place) -> Any:
        match place:
            case ("units", l):
                if not 1 <= l <= self.L:
                    raise UndefinedSymbol(f"there is no layer {l}")
                return self.sizes[l - 1]
            case ("err",):
                return self.quantity(("a", self.L, 1)) - self.quantity(("t",))
            case ("S", l, i) if l == self.L:
                return 1
            case ("S", l, i):
                above = range(1, self.quantity(("units", l + 1)) + 1)
                return sum(self._link(l, i, k) * self.quantity(("S", l + 1, k)) for k in above)
            case ("path", l, i) if l == self.L:
                return True
            case ("path", l, i):
                above = range(1, self.quantity(("units", l + 1)) + 1)
                return any(self._link(l, i, k) != 0 and self.quantity(("path", l + 1, k)) for k in above)
        return self.found(place)

    def _link(self, l: int, i: int, k: int) -> Any:
        # what a path is multiplied by on its way from z_i of layer l to z_k of the next; the output is linear
        weight = self.quantity(("w", l, k, i))
        return weight if l + 1 == self.L else weight * self.quantity(("hp", l + 1, k))

    def found(self, place: Place) -> Any:
        """Return a, z, d, hp, w, x, t or E."""
        raise NotImplementedError

    def differentiated(self, top: Place, bottom: Place) -> Any:
        """Return a derivative, found anew."""
        raise NotImplementedError

    def function(self, name: str) -> Callable[[Any], Any]:
        """Return one of the functions in `formula.FUNCTIONS`."""
        raise NotImplementedError


class FloatGround(NetworkGround):
    """A point in a network of floats."""

    def __init__(self, point: ExamplePoint) -> None:
        super().__init__(point.network.sizes)
        self.point = point

    def found(self, place: Place) -> float:
        return float(_symbol(place).evaluate(self.point))

    def differentiated(self, top: Place, bottom: Place) -> float:
        return self.point.partial(_symbol(top), _symbol(bottom))

    def function(self, name: str) -> Callable[[Any], Any]:
        if name == "h":
            return lambda a: float(self.point.network.activation.h(np.array(float(a))))
        return _FLOAT_FUNCTIONS[name]


_FLOAT_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sig": lambda a: float(sigmoid(np.array(float(a)))),
    "relu": lambda a: float(relu(np.array(float(a)))),
    "step": lambda a: int(a > 0),
    "exp": math.exp,
    "Abs": abs,
}


def _symbol(place: Place) -> Symbol:
    match place:
        case ("E",):
            return LOSS
        case ("t",):
            return T(0, 1)
        case ("x", k):
            return X(1, k)
    return _SYMBOLS[place[0]](*place[1:])


class Supplied:
    """A ground with quantities put in: given ones, and random ones for those that do not exist.

    Parameters
    ----------
    ground : the ground below.
    given : values by place.
    rng : draws the values of what does not exist, once for each place; without it there are none.
    """

    def __init__(
        self, ground: NetworkGround, given: Mapping[Place, Any], rng: np.random.Generator | None = None
    ) -> None:
        self.ground, self.given, self.rng = ground, dict(given), rng
        self.derivative, self.function = ground.derivative, ground.function

    def quantity(self, place: Place) -> Any:
        """Return the value given, else the one below, else a random one."""
        if place not in self.given:
            try:
                return self.ground.quantity(place)
            except UndefinedSymbol:
                if self.rng is None:
                    raise
                self.given[place] = self.rng.normal()
        return self.given[place]
