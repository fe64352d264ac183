"""Arrays of numbers `mantissa * 2**exponent` whose exponent is an integer of its own: nothing underflows.

No number is too small or too large for them, but a mantissa has the 53 bits of a float64: products lose a
last place, and a sum whose terms cancel loses as many places as cancel. Products alone, as in chains, stay
right to 1e-10 at any depth; fully connected networks do as long as they forget small changes, which
contracting ones do. In the chaotic phase, where a change of the last place grows from layer to layer, the
digits are used up sooner or later: what comes out then is the gradient of another network near by, sign
included. Its size is typical, its digits are not those of this network; `log10_uncertainty` estimates where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: A summand this many powers of two below the largest one is far below the last place of the sum.
_NEGLIGIBLE = -2200
#: The exponent given to zeros while the largest one is looked for.
_NO_EXPONENT = np.int64(-(2**60))
#: The largest argument of `Scaled.exp`: beyond it the exponent would not be a whole number any more.
LARGEST_ARGUMENT = 2.0**50


@dataclass(frozen=True)
class Scaled:
    """An array of real numbers `mantissa * 2**exponent`.

    Every element has its own exponent, so that two chains in one layer may differ by any power of ten.
    A zero mantissa means a number that is exactly zero. Products never become zero; a sum does so only
    where its terms cancel to the last bit of a float64.

    Attributes
    ----------
    mantissa : array of 0 or of numbers with 0.5 <= |m| < 1.
    exponent : int64 array of the same shape, 0 where the mantissa is 0.
    """

    mantissa: Array
    exponent: NDArray[np.int64]

    #: NumPy leaves `array * scaled` to `Scaled.__rmul__`.
    __array_ufunc__ = None

    @classmethod
    def of(cls, values: ArrayLike) -> Scaled:
        """Return `values` (finite floats, any shape) without rounding them."""
        values = np.asarray(values, dtype=np.float64)
        if not np.all(np.isfinite(values)):
            raise ValueError("a scaled number must be finite: an input, weight or bias is NaN or infinite")
        return cls._normalized(values, np.int64(0))

    @classmethod
    def of_whole(cls, values: NDArray[Any]) -> Scaled:
        """Return whole numbers of any size (an array of ints), rounded to 53 bits."""
        twos = np.vectorize(lambda n: int(n).bit_length(), otypes=[np.int64])(values)
        mantissa = np.vectorize(lambda n, e: int(n) / (1 << int(e)), otypes=[np.float64])(values, twos)
        return cls._normalized(mantissa, twos)

    @classmethod
    def exp(cls, x: ArrayLike) -> Scaled:
        """Return e**x, also where a float would be 0 or infinite.

        Raises
        ------
        ValueError
            if |x| exceeds 2**50.
        """
        x = np.asarray(x, dtype=np.float64)
        if not np.all(np.abs(x) <= LARGEST_ARGUMENT):
            worst = float(np.max(np.abs(x)))
            raise ValueError(f"exp of {worst:g} is beyond 2**50: use smaller weights or biases")
        twos = np.floor(x / np.log(2.0))
        return cls._normalized(np.exp(x - twos * np.log(2.0)), twos.astype(np.int64))

    @classmethod
    def _normalized(cls, mantissa: Array, exponent: NDArray[np.int64] | np.int64) -> Scaled:
        mantissa, shift = np.frexp(mantissa)
        return cls(mantissa, np.where(mantissa == 0, np.int64(0), exponent + shift))

    def __mul__(self, other: Scaled | ArrayLike) -> Scaled:
        factor = other if isinstance(other, Scaled) else Scaled.of(other)
        return self._normalized(self.mantissa * factor.mantissa, self.exponent + factor.exponent)

    __rmul__ = __mul__

    def __add__(self, other: Scaled) -> Scaled:
        mine = np.where(self.mantissa == 0, _NO_EXPONENT, self.exponent)
        theirs = np.where(other.mantissa == 0, _NO_EXPONENT, other.exponent)
        largest = np.maximum(mine, theirs)
        return self._normalized(
            _aligned(self.mantissa, mine - largest) + _aligned(other.mantissa, theirs - largest), largest
        )

    def inverse_sqrt(self, mask: ArrayLike = False) -> Scaled:
        """Return 1 / sqrt(x) of positive numbers, and 0 where `mask` holds."""
        half = self.exponent >> 1
        mantissa = np.where(mask, 1.0, np.ldexp(self.mantissa, (self.exponent - 2 * half).astype(np.int32)))
        return self._normalized(np.where(mask, 0.0, 1.0 / np.sqrt(mantissa)), -half)

    def __neg__(self) -> Scaled:
        return Scaled(-self.mantissa, self.exponent)

    def __getitem__(self, index: Any) -> Scaled:
        return Scaled(np.asarray(self.mantissa[index]), np.asarray(self.exponent[index]))

    def sum(self, axis: int) -> Scaled:
        """Return the sum along `axis`, aligned to the largest exponent (relative error as in float64)."""
        exponent = np.where(self.mantissa == 0, _NO_EXPONENT, self.exponent)
        largest = exponent.max(axis=axis, keepdims=True)
        aligned = _aligned(self.mantissa, exponent - largest)
        return self._normalized(aligned.sum(axis=axis), largest.squeeze(axis))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.mantissa.shape

    @property
    def sign(self) -> Array:
        """-1, 0 or 1 for every number."""
        return np.sign(self.mantissa)

    @property
    def is_zero(self) -> NDArray[np.bool_]:
        """True where the number is exactly zero."""
        return np.asarray(self.mantissa == 0)

    def log10_abs(self) -> Array:
        """Return log10 |x|; -inf where x is exactly zero and nowhere else."""
        with np.errstate(divide="ignore"):
            logarithm: Array = np.log10(np.abs(self.mantissa)) + self.exponent * np.log10(2.0)
        return logarithm

    def to_float(self) -> Array:
        """Return float64 numbers: 0 or infinite where the number is out of their range."""
        with np.errstate(over="ignore", under="ignore"):
            value: Array = np.ldexp(self.mantissa, np.clip(self.exponent, -2200, 2200).astype(np.int32))
        return value


def _aligned(mantissa: Array, shift: NDArray[np.int64]) -> Array:
    return np.asarray(np.ldexp(mantissa, np.maximum(shift, _NEGLIGIBLE).astype(np.int32)))
