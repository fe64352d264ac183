"""A fully connected network, forwards and backwards, each line an equation of the assignment.

Layers are numbered from 1, the inputs, to L, the output; `a[l]`, `z[l]`, `delta[l]` have the layer's
number and `w[l]` leads from layer l to layer l + 1.  The output units are linear; what the loss makes of
them is said in `losses`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from coursework.backprop.activations import Activation, Array, activation
from coursework.backprop.layout import (
    Layers,
    NetworkError,
    checked_batch,
    checked_masks,
    checked_number,
    checked_sizes,
    checked_weights,
    views,
)
from coursework.backprop.losses import Loss, loss

__all__ = ["DenseNetwork", "Gradients", "Layers", "NetworkError", "Trace"]


@dataclass(frozen=True)
class Trace:
    """What a forward pass computed, kept for the way back.

    Attributes
    ----------
    a : pre-activations of the layers 2 to L, each (examples, units).
    z : outputs of the layers 1 to L, each (examples, units); z[1] is the input, z[L] is a[L].
    """

    a: Layers
    z: Layers

    @property
    def y(self) -> Array:
        """The network's output, (examples, units of L)."""
        return self.z[max(self.z)]


@dataclass(frozen=True)
class Gradients:
    """The derivatives of the loss.

    Attributes
    ----------
    delta : dE_n/da^(l) of the layers 2 to L, each (examples, units): one row for each example n.
    w : sum over n of dE_n/dw^(l), each shaped like the weights: the examples of a batch are *added*.
    b : the same for the biases, empty where the network has none.
    """

    delta: Layers
    w: Layers
    b: Layers


class DenseNetwork:
    """A network in which the units of a layer feed the units of the next, all of them or as masked.

    Parameters
    ----------
    sizes : units of the layers 1 to L, at least two layers.
    activation : name of the hidden units' h (see `activations.ACTIVATIONS`).
    loss : name of E_n (see `losses.LOSSES`): "squared", "logistic" or "softmax".
    masks : masks[l], shaped like w[l], has a 1 for every link that there is and a 0 for every one that there
        is not; layers that are left out are fully connected.
    biases : whether layers 2 to L have them; the assignment's network has none.
    seed : of the initial weights, or a NumPy generator; drawn from N(0, 1 / links into the unit).
    dtype : float32 or float64.

    Attributes
    ----------
    parameters : every weight and bias in one row, (number of them,); w and b are views of it.
    w : w[l] of shape (units of l + 1, units of l), for l = 1 to L - 1; to be changed in place.
    b : b[l] of shape (units of l + 1,), likewise; empty where there are none.
    masks : as given, in the weights' type; the weight of a link that is not there is 0, and so is its
        gradient.
    activation, loss_record : the records behind the names.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "sigmoid",
        *,
        loss: str = "squared",
        masks: Layers | None = None,
        biases: bool = False,
        seed: int | np.random.Generator = 0,
        dtype: DTypeLike = np.float64,
    ) -> None:
        sizes, number = checked_sizes(sizes), checked_number(dtype)
        rng = np.random.default_rng(seed)
        shapes = {l: (above, below) for l, (below, above) in enumerate(pairwise(sizes), start=1)}
        links = checked_masks(masks or {}, shapes)
        w: dict[int, Array] = {}
        b: dict[int, Array] = {}
        for l, shape in shapes.items():
            into = np.maximum(links[l].sum(axis=1, keepdims=True), 1) if l in links else shape[1]
            w[l] = (rng.normal(size=shape) * into**-0.5).astype(number)
            if biases:
                b[l] = rng.normal(0, shape[1] ** -0.5, shape[0]).astype(number)
        self._take(w, b, activation, loss, links)

    @classmethod
    def from_weights(
        cls,
        w: Layers,
        b: Layers | None = None,
        activation: str = "sigmoid",
        *,
        loss: str = "squared",
        masks: Layers | None = None,
    ) -> DenseNetwork:
        """Return the network with copies of these weights and biases, which may be complex.

        Raises
        ------
        NetworkError : they do not join up, or something in them is not a finite number.
        """
        network = cls.__new__(cls)
        w, b = checked_weights("w", w), checked_weights("b", b or {})
        layers = list(range(1, len(w) + 1))
        if (
            not w
            or sorted(w) != layers
            or any(w[l].ndim != 2 or not w[l].size for l in layers)
            or any(w[l].shape[0] != w[l + 1].shape[1] for l in layers[:-1])
            or (b and {l: b[l].shape for l in b} != {l: w[l].shape[:1] for l in layers})
        ):
            raise NetworkError(
                f"weights of shapes { {l: w[l].shape for l in w} } and biases of shapes "
                f"{ {l: b[l].shape for l in b} } do not join up: w[l] is (units of l+1, units of l), "
                "b[l] is (units of l+1,), numbered from 1"
            )
        network._take(w, b, activation, loss, checked_masks(masks or {}, {l: w[l].shape for l in w}))
        return network

    def _take(self, w: Layers, b: Layers, activation_name: str, loss_name: str, links: Layers) -> None:
        layers = range(1, len(w) + 1)
        self.sizes = [w[1].shape[1], *(w[l].shape[0] for l in layers)]
        self.parameters: Array = np.concatenate([v[l].ravel() for v in (w, b) for l in layers if l in v])
        self.w, rest = views(self.parameters, {l: w[l].shape for l in layers})
        self.b, _ = views(rest, {l: b[l].shape for l in layers if l in b})
        self.masks = {l: mask.astype(self.dtype) for l, mask in links.items()}
        for l, mask in links.items():
            self.w[l][mask == 0] = 0
        self.activation: Activation = activation(activation_name)
        self.loss_record: Loss = loss(loss_name)

    @property
    def L(self) -> int:
        """The number of layers, which is also the output layer's number."""
        return len(self.sizes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self.parameters.dtype

    def forward(self, x: Array) -> Trace:
        """Return the trace of the inputs `x`, (examples, units of layer 1)."""
        a: dict[int, Array] = {}
        z: dict[int, Array] = {1: self.inputs(x)}
        h = self.activation.h
        for l in range(1, self.L):
            a[l + 1] = z[l] @ self.w[l].T + self.b.get(l, 0)
            z[l + 1] = h(a[l + 1]) if l + 1 < self.L else a[l + 1]
        return Trace(a, z)

    def backward(self, trace: Trace, t: Array) -> Gradients:
        """Return the gradients at `trace` for the targets `t`, (examples, units of layer L)."""
        a, z = self.layers(trace)
        w, L = self.w, self.L
        h_prime = self.activation.h_prime
        delta: dict[int, Array] = {L: self.loss_record.delta(a[L], self.targets(t, len(trace.y)))}
        for l in range(L - 1, 1, -1):
            delta[l] = h_prime(a[l]) * (delta[l + 1] @ w[l])
        dw = {l: delta[l + 1].T @ z[l] for l in w}
        for l, mask in self.masks.items():
            dw[l] *= mask
        return Gradients(delta, dw, b={l: delta[l + 1].sum(axis=0) for l in self.b})

    def loss(self, trace: Trace, t: Array) -> Array:
        """Return E_n of every example, (examples,)."""
        self.layers(trace)
        return self.loss_record.E(trace.y, self.targets(t, len(trace.y)))

    def layers(self, trace: Trace) -> tuple[Layers, Layers]:
        """Return a and z of `trace`; NetworkError if it is the trace of a network of other sizes."""
        sizes = [z.shape[1] for z in trace.z.values()]
        if sizes != self.sizes:
            raise NetworkError(f"the trace is of a network of sizes {sizes}; this one has {self.sizes}")
        return trace.a, trace.z

    def inputs(self, x: Array) -> Array:
        """Return `x` in the network's type; NetworkError says what is wrong with it and what would fit."""
        return checked_batch("x", x, self.sizes[0], self.dtype)

    def targets(self, t: Array, examples: int) -> Array:
        """Return `t` in the network's type; NetworkError says what is wrong with it and what would fit."""
        t = checked_batch("t", t, self.sizes[-1], self.dtype)
        if len(t) != examples:
            raise NetworkError(f"{len(t)} targets t for {examples} examples; give one row of each")
        if refusal := self.loss_record.refusal(t):
            raise NetworkError(refusal)
        return t
