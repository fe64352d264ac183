"""Very deep narrow networks, whole batches of them, with gradients that cannot underflow.

The assignment's network has layers 1 (two inputs) to 153 (one linear output) and 152 weight layers.
`links="chains"` connects unit k of a layer to unit k of the next one only; `links="full"` is the
"bipartite" variant. The last weight layer joins all units to the one output in both.
Batches run along the last axis of every array.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from coursework.gradients.activations import ACTIVATIONS, Activation
from coursework.gradients.scaled import Array, Scaled

LINKS = ("chains", "full")


@dataclass(frozen=True)
class Networks:
    """A batch of B networks of one shape.

    Attributes
    ----------
    links : "chains" or "full".
    activation : a name in `ACTIVATIONS`, for layers 2 to `depth`; the output is linear.
    w : w[l] for l = 1..depth. Full: shape (units of l+1, units of l, B), `w[l][j-1, k-1]` leads from unit
        k to unit j. Chains: shape (units, B), the weights that exist; w[depth] has shape (1, units, B).
    x : inputs z^(1), shape (units, B).
    t : targets, shape (B,).
    b : b[l], shape (units of l+1, B), added to a^(l+1); empty without biases.
    """

    links: str
    activation: str
    w: dict[int, Array]
    x: Array
    t: Array
    b: dict[int, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.links not in LINKS:
            raise ValueError(f"links {self.links!r} is unknown: choose one of {', '.join(LINKS)}")
        if self.activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation {self.activation!r} is unknown: choose one of {known}")
        width, batch = self.x.shape
        inner = (width, batch) if self.links == "chains" else (width, width, batch)
        for l, w in self.w.items():
            expected = (1, width, batch) if l == self.depth else inner
            if w.shape != expected:
                raise ValueError(f"w[{l}] has shape {w.shape}: {self.links!r} links need {expected}")

    @property
    def depth(self) -> int:
        """Number of weight layers; the output is layer depth + 1."""
        return len(self.w)

    @property
    def batch(self) -> int:
        """Number of networks B."""
        return int(self.t.size)

    @property
    def h(self) -> Activation:
        """The activation of the hidden layers."""
        return ACTIVATIONS[self.activation]

    def weight(self, l: int, j: int = 1, k: int = 1) -> Array:
        """Return w_jk^(l) of every network, shape (B,).

        Raises
        ------
        ValueError
            if the network has no such weight.
        """
        w = self.w.get(l)
        if w is None:
            raise ValueError(f"there is no weight layer {l}: they are numbered 1 to {self.depth}")
        rows, columns = w.shape[0], w.shape[-2]
        if not (1 <= j <= rows and 1 <= k <= columns) or (w.ndim == 2 and j != k):
            raise ValueError(f"w_{j}{k}^({l}) does not exist in this network with {self.links!r} links")
        return np.asarray(w[j - 1] if w.ndim == 2 else w[j - 1, k - 1])


@dataclass(frozen=True)
class Trace:
    """What one forward and backward pass of `networks` left behind, layers numbered as in the assignment.

    Attributes
    ----------
    networks : the batch that was run.
    a, delta : pre-activations and dE/da, layers 2..depth+1; z : activations, layers 1..depth.
        Each has shape (units, B).
    """

    networks: Networks
    a: dict[int, Scaled]
    z: dict[int, Scaled]
    delta: dict[int, Scaled]

    @property
    def error(self) -> Scaled:
        """e = a^(depth+1) - t, shape (B,)."""
        return self.delta[self.networks.depth + 1][0]

    def gradient(self, l: int, j: int = 1, k: int = 1) -> Scaled:
        """Return dE/dw_jk^(l) = delta_j^(l+1) z_k^(l) of every network, shape (B,)."""
        self.networks.weight(l, j, k)
        return self.delta[l + 1][j - 1] * self.z[l][k - 1]

    @cached_property
    def log10_gradients(self) -> Array:
        """log10 |dE/dw_11^(l)|, shape (depth, B), row l-1 for layer l; -inf where exactly zero."""
        return np.stack([self.gradient(l).log10_abs() for l in range(1, self.networks.depth + 1)])


def onward(w: Array, z: Scaled) -> Scaled:
    """Return sum_k w_jk z_k for every unit j of the next layer; chains have one k = j."""
    return z * w if w.ndim == 2 else (z[np.newaxis] * w).sum(axis=1)


def backward(w: Array, delta: Scaled) -> Scaled:
    """Return sum_j w_jk delta_j for every unit k of the layer before."""
    return delta * w if w.ndim == 2 else (delta[:, np.newaxis] * w).sum(axis=0)


def pre_activation(networks: Networks, l: int, z: Scaled) -> Scaled:
    """Return a^(l+1) from z^(l)."""
    a = onward(networks.w[l], z)
    return a + Scaled.of(networks.b[l]) if networks.b else a


def run(networks: Networks) -> Trace:
    """Run every network forward and backward, E = (a^(L) - t)^2 / 2, without rounding anything to zero."""
    h, w, last = networks.h, networks.w, networks.depth + 1
    a: dict[int, Scaled] = {}
    z = {1: Scaled.of(networks.x)}
    for l in range(1, last):
        a[l + 1] = pre_activation(networks, l, z[l])
        if l + 1 < last:
            z[l + 1] = h.value(a[l + 1])
    delta = {last: a[last] + Scaled.of(-networks.t)}
    for l in range(last - 1, 1, -1):
        delta[l] = h.slope(a[l]) * backward(w[l], delta[l + 1])
    return Trace(networks, a, z, delta)
