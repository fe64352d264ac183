"""A judge for depths at which numbers end: derivatives as a sign and a logarithm, pushed forwards.

`network.backward` goes from the output down, layer by layer.  Here a small change of one unit is followed
from that unit up, through every layer, to the output (forward mode), and nothing can underflow on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.network import DenseNetwork, Gradients
from coursework.backprop.perturbation import in_double


@dataclass(frozen=True)
class Signed:
    """Numbers kept as `sign` (-1, 0 or 1) and `ln` of their size (minus infinity for 0)."""

    sign: Array
    ln: Array

    @property
    def T(self) -> Signed:
        """Transpose both."""
        return Signed(self.sign.T, self.ln.T)

    @classmethod
    def of(cls, numbers: Array) -> Signed:
        """Take plain numbers."""
        with np.errstate(divide="ignore"):
            return cls(np.sign(numbers), np.log(np.abs(numbers)))

    def __getitem__(self, index: Any) -> Signed:
        """Index both alike."""
        return Signed(self.sign[index], self.ln[index])

    def __mul__(self, other: Signed) -> Signed:
        """Multiply elementwise: signs multiply, logarithms add."""
        return Signed(self.sign * other.sign, self.ln + other.ln)

    def sum(self, axis: int) -> Signed:
        """Add along an axis, the largest taken out of the sum first."""
        largest = np.max(self.ln, axis=axis, keepdims=True, initial=-np.inf)
        out = np.where(np.isfinite(largest), largest, 0)
        total = Signed.of((self.sign * np.exp(self.ln - out)).sum(axis=axis))
        return Signed(total.sign, total.ln + out.squeeze(axis))

    def size(self) -> Signed:
        """Take the absolute values."""
        return Signed(np.abs(self.sign), self.ln)

    def numbers(self) -> Array:
        """Return plain numbers, 0 where they are too small to be any other."""
        return np.asarray(self.sign * np.exp(self.ln))


def _sigmoid_slope(a: Array) -> Signed:
    return Signed(np.ones_like(a), -np.logaddexp(0, a) - np.logaddexp(0, -a))


SLOPES: dict[str, Callable[[Array], Signed]] = {
    "sigmoid": _sigmoid_slope,
    "relu": lambda a: Signed.of((a > 0).astype(float)),
    "tanh": lambda a: _sigmoid_slope(2 * a) * Signed.of(np.full_like(a, 4.0)),
    "softplus": lambda a: Signed(np.ones_like(a), -np.logaddexp(0, -a)),
    "identity": lambda a: Signed.of(np.ones_like(a)),
    "sin": lambda a: Signed.of(np.cos(a)),
}


@dataclass(frozen=True)
class SignedGradients:
    """`Gradients`, each array `Signed`."""

    delta: dict[int, Signed]
    w: dict[int, Signed]
    b: dict[int, Signed]


def signed_gradients(network: DenseNetwork, x: Array, t: Array) -> SignedGradients:
    """Return the gradients of a real network as signs and logarithms."""
    network = in_double(network)
    trace = network.forward(np.asarray(x, float))
    slope = SLOPES[network.activation.name]
    # rows[i, n, j] is da_j^(m) / da_i of example n; at layer m its own units join those of the layers below
    rows = Signed.of(np.empty((0, *trace.z[1].shape)))
    for m, w in network.w.items():
        if m > 1:
            rows = rows * slope(trace.a[m])
        rows = (rows[:, :, None, :] * Signed.of(w)).sum(axis=3)
        own = Signed.of(np.repeat(np.eye(len(w))[:, None, :], len(x), axis=1))
        rows = Signed(np.concatenate([rows.sign, own.sign]), np.concatenate([rows.ln, own.ln]))
    t = network.targets(np.asarray(t, float), len(x))
    dE = Signed.of(network.loss_record.delta(trace.y, t))
    by_unit = (rows * dE).sum(axis=2).T
    delta: dict[int, Signed] = {}
    for l, units in enumerate(network.sizes[1:], start=2):
        delta[l], by_unit = by_unit[:, :units], by_unit[:, units:]
    dw = {l: (delta[l + 1][:, :, None] * Signed.of(trace.z[l][:, None, :])).sum(axis=0) for l in network.w}
    for l, mask in network.masks.items():
        dw[l] *= Signed.of(mask)
    return SignedGradients(delta, dw, {l: delta[l + 1].sum(axis=0) for l in network.b})


def term_sizes(network: DenseNetwork, found: SignedGradients, x: Array) -> SignedGradients:
    """Return, for each entry of `signed_gradients`, the sum of the sizes of the terms that it is made of.

    What terms of this size cancel to is known to no more digits than they are.
    """
    network = in_double(network)
    trace = network.forward(np.asarray(x, float))
    slope = SLOPES[network.activation.name]
    above = {l: delta.size() for l, delta in found.delta.items()}
    delta = {network.L: above[network.L]}
    for l in range(2, network.L):
        back = (above[l + 1][:, :, None] * Signed.of(network.w[l]).size()).sum(axis=1)
        delta[l] = slope(trace.a[l]).size() * back
    z = {l: Signed.of(v).size() for l, v in trace.z.items()}
    dw = {l: (above[l + 1][:, :, None] * z[l][:, None, :]).sum(axis=0) for l in network.w}
    for l, mask in network.masks.items():
        dw[l] *= Signed.of(mask)
    return SignedGradients(delta, dw, {l: above[l + 1].sum(axis=0) for l in network.b})


def log_domain(network: DenseNetwork, x: Array, t: Array) -> Gradients:
    """Return `signed_gradients` as plain numbers."""
    found = signed_gradients(network, x, t)
    return Gradients(*({l: v.numbers() for l, v in part.items()} for part in (found.delta, found.w, found.b)))
