"""Gradients of Gaussian networks of any width, sampled exactly without drawing their weights.

A weight matrix W of N(0, s^2) entries enters one input's gradient through two vectors only: a = W z forward
and W^T delta backward. Given z, the entries of a are N(0, s^2 |z|^2). Given a as well, W is
a z^T / |z|^2 + G (1 - z z^T / |z|^2) with a fresh Gaussian G, so that

    W^T delta = z (a . delta) / |z|^2 + s |delta| (g - z (z . g) / |z|^2),   g ~ N(0, 1).

That is the law of the true network, dependence of backward on forward pass included (no mean-field "gradient
independence"), for n numbers a layer in place of n^2: thousands of networks of width 256 in a second.
The conditioning is Bolthausen's (2014, Commun. Math. Phys. 325).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.activations import ACTIVATIONS

Array = NDArray[np.float64]
Exponents = NDArray[np.int64]

#: Pre-activations whose size leaves 2**-400..2**400 are stored as multiples of a power of two instead.
_RANGE = 400
#: The size, a power of two, that they are given then: tanh and gelu are linear there to the last place.
_SMALL, _LARGE = -100, 100


@dataclass(frozen=True)
class Norms:
    """Layer by layer, of each of B networks with D hidden layers of n units.

    Attributes
    ----------
    delta : log10 ||delta^(l)||, row i for the (i+1)-th hidden layer, shape (D, B); -inf where exactly zero.
        delta is the derivative by the pre-activations of u . z^(D), u a random direction of length 1.
    z : log10 ||z^(l)|| of the hidden layers, shape (D, B).
    q : mean squared pre-activation, shape (D, B); 0 or infinite where it is out of float64's range.
    """

    delta: Array
    z: Array
    q: Array

    @property
    def weights(self) -> Array:
        """log10 ||dE/dW|| between hidden layers i + 1 and i + 2, shape (D - 1, B): ||delta|| ||z||."""
        return self.delta[1:] + self.z[:-1]


def sample_norms(
    activation: str,
    width: int,
    depth: int,
    sw2: float,
    sb2: float = 0.0,
    *,
    q_first: float = 1.0,
    networks: int = 1000,
    seed: int = 0,
) -> Norms:
    """Draw networks and return their norms.

    Parameters
    ----------
    activation : a name in `ACTIVATIONS`.
    width, depth : units of each hidden layer, number of hidden layers.
    sw2, sb2 : width times the variance of a weight; the variance of a bias.
    q_first : variance of the first hidden layer's pre-activations, sw2 |x|^2 / n + sb2.

    Raises
    ------
    ValueError
        for an unknown activation, sizes under 1, or if all activations of a layer underflow though its
        pre-activations do not, as those of saturated sigmoid units.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation {activation!r} is unknown: choose one of {', '.join(ACTIVATIONS)}")
    if min(width, depth, networks) < 1 or not (sw2 > 0 and sb2 >= 0 and q_first > 0):
        sizes = f"width {width}, depth {depth}, networks {networks}, sw2 {sw2}, sb2 {sb2}, q_first {q_first}"
        raise ValueError(f"{sizes}: all must be positive (sb2 at least 0)")
    rng = np.random.default_rng(seed)
    h = ACTIVATIONS[activation]
    shape = (width, networks)
    s, sb = np.sqrt(sw2 / width), np.sqrt(sb2)
    fields: list[Array] = []
    linear: list[Array] = []
    z: list[Array] = []
    # row l of fields, linear and z stands for the numbers in it times 2**twos[l], one power for each network
    twos = [np.zeros(networks, dtype=np.int64)]
    reach = np.full(networks, np.sqrt(q_first - sb2) if q_first > sb2 else 0.0)
    for _ in range(depth):
        twos.append(twos[-1] + _excess(np.hypot(reach, np.ldexp(sb, -twos[-1])), activation))
        linear.append(np.ldexp(reach, twos[-2] - twos[-1]) * rng.standard_normal(shape))
        bias = np.ldexp(sb, -twos[-1])
        fields.append(linear[-1] + bias * rng.standard_normal(shape) if sb else linear[-1])
        z.append(np.asarray(h.plain_value(fields[-1]), dtype=np.float64))
        reach = s * _length(z[-1])
    twos = twos[1:]
    lengths = np.stack([_length(row) for row in z])
    if not np.all(np.isfinite(lengths)) or (activation != "relu" and not np.all(lengths > 1e-150)):
        raise ValueError(f"{depth} layers of {activation!r} at sw2 {sw2} leave the range of float64")

    u = rng.standard_normal(shape)
    delta = h.plain_slope(fields[-1], z[-1]) * u / _length(u)
    logs = np.empty((depth, networks))
    total = np.zeros(networks)
    for l in range(depth - 1, -1, -1):
        # delta is kept near 1 and its size in `total`
        size = _length(delta)
        delta = delta / np.where(size > 0, size, 1.0)
        with np.errstate(divide="ignore"):
            total = total + np.log10(size)
        logs[l] = total
        if l:
            ahead = np.ldexp(linear[l], twos[l] - twos[l - 1])
            back = _conditioned(z[l - 1], lengths[l - 1], ahead, delta, s, rng)
            delta = h.plain_slope(fields[l - 1], z[l - 1]) * back
    powers = np.stack(twos)
    q = np.stack([(a * a).mean(axis=0) for a in fields])
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        return Norms(logs, np.log10(lengths) + powers * np.log10(2.0), np.ldexp(q, 2 * powers))


def _excess(size: Array, activation: str) -> Exponents:
    """Return which power of two to take out of pre-activations of this size, 0 for most.

    Under 2**-400 every activation but the sigmoid is a multiple of a (on either side of 0), and over 2**400
    those that are not bounded are.
    """
    exponent = np.frexp(size)[1].astype(np.int64)
    small = (exponent < -_RANGE) & (activation != "sigmoid")
    large = (exponent > _RANGE) & (activation not in ("sigmoid", "tanh"))
    return np.where(small, exponent - _SMALL, np.where(large, exponent - _LARGE, 0))


def _length(vectors: Array) -> Array:
    # the largest entry is taken out first: squares underflow at half the range
    largest = np.abs(vectors).max(axis=0)
    safe = np.where(largest > 0, largest, 1.0)
    return np.asarray(largest * np.sqrt(((vectors / safe) ** 2).sum(axis=0)))


def _conditioned(
    z: Array, length: Array, a: Array, delta: Array, s: float, rng: np.random.Generator
) -> Array:
    """Return W^T delta given W z = a, for unit vectors delta (or zeros)."""
    direction = z / np.where(length > 0, length, 1.0)
    g = rng.standard_normal(z.shape)
    g -= direction * (direction * g).sum(axis=0)
    size = np.sqrt((delta * delta).sum(axis=0))
    along = (a * delta).sum(axis=0) / np.where(length > 0, length, 1.0)
    return np.asarray(direction * along + s * size * g)
