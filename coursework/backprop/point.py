"""A point: one network, one example; where formulas get their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from coursework.backprop.activations import Array, sigmoid
from coursework.backprop.expression import Expression, UndefinedSymbol
from coursework.backprop.network import DenseNetwork, Gradients, NetworkError, Trace
from coursework.backprop.oracles import STEP
from coursework.backprop.symbols import LOSS, A, B, Symbol, W, Y, Z

#: How many points are drawn before a network is given up as one that is dead almost everywhere.
DRAWS = 200


class ExamplePoint:
    """One example (x, t) in a network.

    Parameters
    ----------
    network : the network.
    x : the inputs, (units of layer 1,).
    t : the targets, (units of layer L,).
    """

    def __init__(self, network: DenseNetwork, x: Array, t: Array) -> None:
        self.network = network
        self.x = np.atleast_2d(x)
        self.t = np.atleast_2d(t)

    def arrays(self) -> dict[str, Any]:
        """Return everything under the names that `Expression.code` uses, for trying its lines."""
        return {
            "np": np,
            "L": self.network.L,
            "x": self.x[0],
            "t": self.t[0],
            "y": self.value("y", self.network.L),
            "w": self.network.w,
            "b": self.network.b,
            "links": {l: self.value("links", l) for l in self.network.w},
            "a": {l: a[0] for l, a in self.trace.a.items()},
            "z": {l: z[0] for l, z in self.trace.z.items()},
            "delta": {l: delta[0] for l, delta in self.gradients.delta.items()},
            "h": self.network.activation.h,
            "h_prime": self.network.activation.h_prime,
            "sigmoid": sigmoid,
            "partial": self._partial_of,
        }

    def _partial_of(self, top: tuple[Any, ...], bottom: tuple[Any, ...]) -> float:
        """Return `partial` of the symbols called so in code, their units counted from 0."""
        return self.partial(*(_symbol(*name) for name in (top, bottom)))

    @cached_property
    def trace(self) -> Trace:
        """The forward pass."""
        return self.network.forward(self.x)

    @cached_property
    def gradients(self) -> Gradients:
        """The backward pass."""
        return self.network.backward(self.trace, self.t)

    def value(self, letter: str, layer: int) -> Array:
        """Return the numbers under a letter of the assignment (see `expression.Point`).

        Raises
        ------
        LookupError : there is no such layer, or h' is asked of the linear output.
        """
        if letter == "E":
            return self.network.loss(self.trace, self.t)
        if letter in ("x", "t"):
            return np.asarray((self.x if letter == "x" else self.t)[0])
        if letter == "y":
            return np.asarray(self.network.loss_record.y(self.trace.y)[0])
        if letter == "w":
            return self.network.w[layer]
        if letter == "b":
            return self.network.b[layer]
        if letter == "links":
            return self.network.masks.get(layer, np.ones_like(self.network.w[layer]))
        if letter == "h_prime":
            hidden = {l: a for l, a in self.trace.a.items() if l < self.network.L}
            return np.asarray(self.network.activation.h_prime(hidden[layer][0]))
        if letter == "h_prime(z)":
            return np.asarray(self.network.activation.h_prime(self.trace.z[layer][0]))
        layers = {"a": self.trace.a, "z": self.trace.z, "delta": self.gradients.delta}[letter]
        return np.asarray(layers[layer][0])

    def partial(self, top: Expression, bottom: Expression) -> float:
        """Return d top / d bottom by the complex step, `bottom` a weight, a bias or a pre-activation."""
        bottom.evaluate(self)
        top.evaluate(self)
        if not isinstance(bottom, A | B | W):
            raise UndefinedSymbol(f"${bottom.latex()}$ is neither a weight, a bias nor a pre-activation")
        start = int(bottom.l) - isinstance(bottom, A)
        end = int(top.l) if isinstance(top, A | Z) else self.network.L
        moved = ExamplePoint(self.network, self.x, self.t)
        moved.trace = self._moved(bottom, start, end)
        return float(np.imag(top.evaluate(moved)) / STEP)

    def _moved(self, bottom: Symbol, start: int, end: int) -> Trace:
        """Return the trace with `bottom` moved, up to layer `end`; it acts on the layers above `start`."""
        network, a, z = self.network, dict(self.trace.a), dict(self.trace.z)
        for l in range(start, end):
            w = network.w[l].astype(complex)
            b = network.b.get(l, np.zeros(len(w))).astype(complex)
            if l == start and isinstance(bottom, W):
                w[_row(bottom.j), _row(bottom.k)] += 1j * STEP
            elif l == start:
                # the bias is added to the pre-activation, so moving the one is moving the other
                b[_row(bottom.j)] += 1j * STEP
            a[l + 1] = z[l] @ w.T + b
            z[l + 1] = network.activation.h(a[l + 1]) if l + 1 < network.L else a[l + 1]
        return Trace(a, z)


def _symbol(letter: str, l: int = 0, j: int = 0, k: int = 0) -> Symbol:
    match letter:
        case "E":
            return LOSS
        case "w":
            return W(l, j + 1, k + 1)
    return {"a": A, "b": B, "y": Y, "z": Z}[letter](l, j + 1)


def _row(index: int | str) -> int:
    if isinstance(index, str):
        raise UndefinedSymbol(f"the index ${index}$ is not bound by a sum")
    return index - 1


def random_point(
    sizes: Sequence[int],
    activation: str = "sigmoid",
    *,
    loss: str = "squared",
    masks: Mapping[int, Array] | None = None,
    biases: bool = False,
    seed: int | np.random.Generator = 0,
) -> ExamplePoint:
    """Draw a network, an input and a target that fits the loss, in general position.

    Points where a sum cancels almost to nothing are drawn again: a ReLU on its kink has no derivative
    there, and the digits that cancelling loses say nothing about a formula.

    Raises
    ------
    NetworkError : sizes are impossible, or `DRAWS` draws met no such point.
    """
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        network = DenseNetwork(sizes, activation, loss=loss, masks=masks, biases=biases, seed=rng)
        x, t = rng.normal(size=sizes[0]), network.loss_record.draw(rng, (1, sizes[-1]))
        point = ExamplePoint(network, x, t)
        if in_general_position(point):
            return point
    raise NetworkError(
        f"of {DRAWS} points drawn for sizes={list(sizes)} with {activation!r} none kept "
        "every layer away from 0; take wider layers, fewer layers or biases"
    )


def assignment_point(seed: int = 0) -> ExamplePoint:
    """Draw a point in the assignment's own network: 3-3-3-1, logistic hidden units, no biases."""
    return random_point([3, 3, 3, 1], "sigmoid", seed=seed)


def in_general_position(point: ExamplePoint) -> bool:
    """Return whether every sum, forwards and backwards, is more than a small share of its terms."""
    network, a, z, delta = point.network, point.trace.a, point.trace.z, point.gradients.delta
    share = 0.1 / sum(network.sizes)
    y = network.loss_record.y(a[network.L])
    sums = [(y - point.t, np.abs(y) + np.abs(point.t))]
    for l, w in network.w.items():
        sums.append((a[l + 1], np.abs(z[l]) @ np.abs(w.T) + np.abs(network.b.get(l, 0))))
        if l > 1:
            back = np.abs(delta[l + 1]) @ np.abs(w)
            # where nothing at all comes back there is nothing to cancel either
            sums.append((np.where(back > 0, delta[l + 1] @ w, 1), back))
    return all(
        bool(np.all(np.abs(total) > share * terms)) and bool(np.all(total != 0)) for total, terms in sums
    )
