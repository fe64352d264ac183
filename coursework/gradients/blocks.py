"""Arrays in which each network of the batch has one exponent: nearly as fast as floats, and nearly as far.

`Scaled` numbers carry an exponent each, which costs ten times the arithmetic itself. Here all numbers of an
array that belong to one network share one; `settle` brings them back to the middle of float64's range. What
underflows in spite of it is more than 1e200 times smaller than the largest number of its array: `strayed`
finds the networks in which some number is on the way there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from coursework.gradients.activations import STRAIGHT, Activation
from coursework.gradients.arithmetic import Arithmetic
from coursework.gradients.chain import Pass
from coursework.gradients.scaled import Array

#: Numbers are left as they are while the largest is no more than so many powers of two off.
_CALM = 200
#: Above these a product of z and delta cannot underflow; normalized z are near 1.
_SAFE, _SAFE_NORMALIZED = (2.0**-450, 2.0**-450), (2.0**-100, 2.0**-850)
#: A sum this many decades smaller than its terms is known to about a hundredth of itself.
_CANCELLED = 13.5
#: As far as two exponents are told apart: a summand this much smaller is none.
_NEGLIGIBLE = -2200

#: h'(a), from (a, h(a)), right to the last places for every a.
_SLOPES: dict[str, Callable[[Any, Any], Any]] = {
    "sigmoid": lambda a, z: np.asarray(expit(a) * expit(-a)),
    "tanh": lambda a, z: np.asarray(4 * expit(2 * a) * expit(-2 * a)),
}


@dataclass(frozen=True)
class Blocks:
    """Real numbers `values * 2**exponent`.

    Attributes
    ----------
    values : shape (..., B). exponent : shape (B,), or None for 0 in all networks.
    """

    values: Array
    exponent: NDArray[np.int64] | None = None

    #: NumPy leaves `array * blocks` to `Blocks`.
    __array_ufunc__ = None

    def __mul__(self, other: Blocks | float) -> Blocks:
        if not isinstance(other, Blocks):
            return Blocks(self.values * other, self.exponent)
        if self.exponent is None or other.exponent is None:
            exponent = other.exponent if self.exponent is None else self.exponent
        else:
            exponent = self.exponent + other.exponent
        return Blocks(self.values * other.values, exponent)

    def __add__(self, other: Blocks) -> Blocks:
        if self.exponent is None and other.exponent is None:
            return Blocks(self.values + other.values)
        mine, theirs = (np.int64(0) if part.exponent is None else part.exponent for part in (self, other))
        # networks whose numbers are all 0 have no say in the exponent
        nothing = (_empty(self.values), _empty(other.values))
        common = np.where(nothing[0], theirs, np.where(nothing[1], mine, np.maximum(mine, theirs)))
        return Blocks(_shifted(self.values, mine - common) + _shifted(other.values, theirs - common), common)

    def __neg__(self) -> Blocks:
        return Blocks(-self.values, self.exponent)

    def __abs__(self) -> Blocks:
        return Blocks(np.abs(self.values), self.exponent)

    def __getitem__(self, index: Any) -> Blocks:
        return Blocks(self.values[index], self.exponent)

    def sum(self, axis: int) -> Blocks:
        """Return the sum along `axis`, which is not the last one."""
        return Blocks(self.values.sum(axis=axis), self.exponent)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.values.shape

    def settle(self, twos: int) -> Blocks:
        """Return the same numbers, the largest of each network near 2^twos where one was far from it."""
        size = np.abs(self.values)
        largest = size.max(axis=tuple(range(size.ndim - 1)))
        calm = (largest == 0) | ((largest > 2.0 ** (twos - _CALM)) & (largest < 2.0 ** (twos + _CALM)))
        if calm.all():
            return self
        shift = np.frexp(largest)[1].astype(np.int64) - twos
        exponent = shift if self.exponent is None else self.exponent + shift
        return Blocks(_shifted(self.values, -shift), exponent)

    def inverse_sqrt(self, mask: Any) -> Blocks:
        """Return 1 / sqrt(x), and 0 where `mask` holds."""
        values, half = self.values, None
        if self.exponent is not None:
            values, half = np.ldexp(values, self.exponent & 1), -(self.exponent >> 1)
        return Blocks(np.where(mask, 0.0, 1.0 / np.sqrt(np.where(mask, 1.0, values))), half)

    def log10_abs(self) -> Array:
        """Return log10 |x|; -inf where x is zero."""
        logs = np.log10(np.abs(self.values))
        return logs if self.exponent is None else np.asarray(logs + self.exponent * np.log10(2.0))

    def to_float(self) -> Array:
        """Return float64 numbers, 0 or infinite where out of their range."""
        return self.values if self.exponent is None else _shifted(self.values, self.exponent)


def _empty(values: Array) -> NDArray[np.bool_]:
    return np.asarray(~values.any(axis=tuple(range(values.ndim - 1))))


def _shifted(values: Array, exponent: NDArray[np.int64]) -> Array:
    return np.asarray(np.ldexp(values, np.clip(exponent, _NEGLIGIBLE, -_NEGLIGIBLE).astype(np.int32)))


def block_numbers(h: Activation) -> Arithmetic:
    """Return the numbers that share an exponent within a network."""

    def lift(values: Any) -> Blocks:
        return Blocks(np.asarray(values, dtype=np.float64))

    def value(a: Blocks) -> Blocks:
        if straight:  # c h(a) = h(c a)
            return replace(lift(h.plain_value(a.values)), exponent=a.exponent)
        return lift(h.plain_value(a.to_float()))

    def slope(a: Blocks, z: Blocks) -> Blocks:
        if straight:
            return lift(h.plain_slope(a.values, z.values))
        return lift(_SLOPES.get(h.name, h.plain_slope)(a.to_float(), z.to_float()))

    straight = h.name in STRAIGHT
    return Arithmetic(
        lift,
        value,
        slope,
        lambda x: x.values == 0,
        lambda x, mask: x.inverse_sqrt(mask),
        lambda x, twos: x.settle(twos),
    )


def strayed(done: Pass[Blocks]) -> NDArray[np.bool_]:
    """Return the networks in which a number may have underflowed or is not finite; shape (B,).

    A zero is a fact where h has straight pieces, since it had to come from somewhere small; a curved h is
    hardly ever 0, nor is its slope. (The rest of a normalized gradient is: `Normalized`.)
    """
    found = np.zeros(done.networks.batch, dtype=bool)
    # a delta is the sum of its parts, of which one may well be nothing beside the other
    sent = [pair[0] for pair in done.parts.values()] or list(done.delta.values())
    rests = [pair[1] for pair in done.parts.values() if pair[1] is not None]
    for layers, safe in zip(
        (done.z.values(), (*sent, *rests)), _SAFE_NORMALIZED if done.parts else _SAFE, strict=True
    ):
        for numbers in layers:
            size = np.abs(numbers.values)
            found |= _anywhere(~(size < np.inf) | ((size < safe) & (size > 0)))
    if done.networks.activation not in STRAIGHT:
        for numbers in (*list(done.z.values())[1:], *sent):
            found |= _anywhere(numbers.values == 0)
    return found


def cancelled(done: Pass[Blocks]) -> NDArray[np.bool_]:
    """Return where rounding decides dE/dw_11^(l) = sum_n delta_n z_n of N normalized examples.

    Leaky and curved units under batch normalization become alike over the examples, to far more than 53 bits
    deep down; the rest of delta, perpendicular to a, is so to each z then, as nearly. Rectified units become
    alike exactly, since they are off, and their zeros are facts.

    Returns
    -------
    shape (depth, B), row l - 1 for layer l.
    """
    networks = done.networks
    found = np.zeros((networks.depth, networks.batch), dtype=bool)
    if networks.activation == "relu" or networks.cure.normalize != "batch":
        return found
    for l in range(1, networks.depth):
        sizes = [abs(part[0] * done.z[l][0]).sum(axis=0).log10_abs() for part in done.sent(l)]
        found[l - 1] = np.max(sizes, axis=0) - done.gradient(l).log10_abs() > _CANCELLED
    return found


def _anywhere(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(where.any(axis=tuple(range(where.ndim - 1))))
