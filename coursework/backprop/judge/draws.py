"""Networks in general position: the points at which formulas are compared.

The biases are chosen last, so that every pre-activation can be drawn freely: live and dead units where they
are wanted, no saturation, and products of 150 factors that neither under- nor overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from coursework.backprop.activations import relu, relu_prime, sigmoid, sigmoid_prime, tanh, tanh_prime
from coursework.backprop.judge.layout import NETWORK, Layout

Values = NDArray[np.float64]

#: Slots beyond the last layer and unit; they hold numbers that equal nothing, for what does not exist.
SPARE = 3
#: Draws in which every unit of a ReLU network lives.
LIVE = 6


def generic(a: Values) -> Values:
    """Return an h without any identity between h, h' and a that a formula could use by chance."""
    return 0.6 * a + np.sin(1.3 * a + 0.4) + 0.2


def generic_prime(a: Values) -> Values:
    """Return the derivative of `generic`."""
    return 0.6 + 1.3 * np.cos(1.3 * a + 0.4)


Function = Callable[[Values], Values]
HIDDEN: dict[str, tuple[Function, Function]] = {
    "sigmoid": (sigmoid, sigmoid_prime),
    "relu": (relu, relu_prime),
    "tanh": (tanh, tanh_prime),
    "generic": (generic, generic_prime),
}


@dataclass(frozen=True)
class Draws:
    """Several networks of one layout with everything that backpropagation computes in them.

    Attributes
    ----------
    quantities : "a", "z", "delta", "b" of shape (layers, units, draws) and "w" of shape (layers, units,
        units, draws), the first index the layer's number and the units numbered from 1.
    scalars : "t", "y", "E" and "W" (the largest |w|), each of shape (draws,).
    functions : h and h' where the numbers are not float64.
    """

    layout: Layout
    activation: str
    quantities: dict[str, Values]
    scalars: dict[str, Values]
    functions: tuple[Function, Function] | None = None

    @property
    def count(self) -> int:
        """The number of draws."""
        return len(self.scalars["t"])

    def zeros(self, *shape: int) -> Values:
        """Return zeros of the kind that the draws' numbers are."""
        return np.zeros(shape, self.scalars["t"].dtype)

    def some(self, numbers: Sequence[int]) -> Draws:
        """Return the draws with these numbers."""
        chosen = list(numbers)
        return Draws(
            self.layout,
            self.activation,
            {name: values[..., chosen] for name, values in self.quantities.items()},
            {name: values[chosen] for name, values in self.scalars.items()},
            self.functions,
        )

    def h(self, a: Values) -> Values:
        """Return the hidden units' h."""
        return (self.functions or HIDDEN[self.activation])[0](a)

    def h_prime(self, a: Values) -> Values:
        """Return the derivative of h."""
        return (self.functions or HIDDEN[self.activation])[1](a)


def draws(
    layout: Layout,
    activation: str,
    *,
    count: int = LIVE,
    seed: int = 0,
    dead: Sequence[tuple[int, int]] = (),
    biases: bool = True,
) -> Draws:
    """Draw networks.

    Parameters
    ----------
    count : draws in which every unit of a ReLU network lives.
    dead : (layer, unit) pairs; each adds one draw in which that unit is dead.
    biases : without them the pre-activations follow from the weights.
    """
    rng = np.random.default_rng([seed, layout.L, len(activation)])
    S = count + len(dead)
    L, widest = layout.L, max(layout.sizes)
    shape = (L + SPARE + 1, widest + SPARE + 1, S)
    a, z, delta, b = (rng.uniform(0.3, 2, shape) * rng.choice([-1, 1], shape) for _ in range(4))
    if activation == "relu":
        a[:L] = np.abs(a[:L])  # the output keeps its signs, which no hidden unit's may stand for
        for s, (l, j) in enumerate(dead, start=count):
            a[l, j, s] *= -1
    _, h_prime = HIDDEN[activation]
    w = rng.uniform(0.6, 1.5, (L + SPARE + 1, *shape[1:2], *shape[1:])) * rng.choice(
        [-1, 1], (L + SPARE + 1, *shape[1:2], *shape[1:])
    )
    error = rng.uniform(0.3, 2, S) * rng.choice([-1, 1], S)
    if L > 10:  # keep w h' near one, since a hundred of them are multiplied
        slope = np.abs(h_prime(a))
        w /= np.where(slope > 0.05, slope, 1)[:, None]
        w *= 0.8 if layout.links == "full" else 1
    return completed(layout, activation, {"a": a, "z": z, "delta": delta, "b": b, "w": w}, error, biases)


def completed(
    layout: Layout,
    activation: str,
    given: dict[str, Values],
    error: Values,
    biases: bool = True,
    functions: tuple[Function, Function] | None = None,
) -> Draws:
    """Return the draws in which everything follows from a, w, the input z[1] and the output's error.

    Parameters
    ----------
    given : the quantities of `Draws`; what follows from others is written over, the spare slots stay.
    biases : without them the pre-activations follow from the weights too.
    functions : h and h' where the numbers are not float64.
    """
    h, h_prime = functions or HIDDEN[activation]
    a, z, delta, b, w = (given[name] for name in ("a", "z", "delta", "b", "w"))
    L = layout.L
    linked = {l: _linked(layout, w, l) for l in range(1, L)}
    for l in range(1, L):
        above, below = slice(1, layout.units(l + 1) + 1), slice(1, layout.units(l) + 1)
        if l > 1:
            z[l, below] = h(a[l, below])
        entering = (linked[l] * z[l, below]).sum(axis=1)
        if biases:
            b[l + 1, above] = a[l + 1, above] - entering
        else:
            b[l + 1, above], a[l + 1, above] = 0, entering
    z[L, 1] = a[L, 1]
    delta[L, 1] = error
    for l in range(L - 1, 1, -1):
        above, below = slice(1, layout.units(l + 1) + 1), slice(1, layout.units(l) + 1)
        back = (linked[l] * delta[l + 1, above][:, None]).sum(axis=0)
        delta[l, below] = h_prime(a[l, below]) * back
    y = a[L, 1]
    t = y - error
    scalars = {"t": t, "y": y, "E": (y - t) ** 2 / 2, "W": np.abs(w[1:L, 1, 1]).max(axis=0)}
    return Draws(layout, activation, given, scalars, functions)


def _linked(layout: Layout, w: Values, l: int) -> Values:
    """Return the weights that lead on from layer `l`, 0 where two units are not linked."""
    weights = w[l, 1 : layout.units(l + 1) + 1, 1 : layout.units(l) + 1]
    if layout.links == "chains" and l < layout.L - 1:
        weights = weights * np.eye(layout.units(l), dtype=int)[:, :, None]
    return weights


@lru_cache(maxsize=32)
def network_draws(activation: str, seed: int = 0, biases: bool = True) -> Draws:
    """Return draws of the 3-3-3-1 network; a ReLU network's contain single dead units."""
    dead = ((3, 1), (2, 1), (3, 2), (3, 3), (2, 2), (2, 3)) if activation == "relu" else ()
    return draws(NETWORK, activation, seed=seed, dead=dead, biases=biases)
