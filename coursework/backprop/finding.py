"""What one judge found of one array, and what may be concluded from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array

#: A judge that must allow more than this relative error cannot tell right from wrong.
RESOLVES = 1e-3

#: kind ("delta", "w" or "b"), layer, sizes of the entries' terms -> the absolute error of a judge's entries.
Bounds = Callable[[str, int, Array], Array | float]


class WrongGradient(AssertionError):
    """A gradient differs from what a judge found."""


@dataclass(frozen=True)
class Finding:
    """What one judge says of one array.

    Attributes
    ----------
    judge, what : who, and of what: "delta[3]".
    errors : of each entry, relative to the sum of the sizes of the terms that it is added up from, so that
        no entry hides behind a larger one; infinite where something is not a number.
    allowances : what the judge's own error may come to, entry by entry; infinite where it cannot tell.
    too_small : where the network's type of number has too few digits left for any judge to tell.
    """

    judge: str
    what: str
    errors: Array | float
    allowances: Array | float
    too_small: Array | bool = False

    @property
    def resolves(self) -> Array:
        """Where the judge can tell."""
        return np.asarray(self.allowances) <= RESOLVES

    @property
    def confirms(self) -> Array:
        """Where the judge can tell, and says right."""
        return np.asarray(self.resolves & (np.asarray(self.errors) <= self.allowances))

    @property
    def refutes(self) -> Array:
        """Where the judge can tell, and says wrong."""
        return np.asarray(self.resolves & ~self.confirms)

    @property
    def resolved(self) -> bool:
        """Whether the judge can tell of every entry."""
        return bool(self.resolves.all())

    @property
    def passed(self) -> bool:
        """Whether the judge confirms every entry."""
        return bool(self.confirms.all())

    @property
    def verdict(self) -> str:
        """What the judge says: "right", "wrong" (of some entry) or "cannot resolve" (some entry)."""
        return "wrong" if self.refutes.any() else "right" if self.passed else "cannot resolve"

    @property
    def error(self) -> float:
        """The largest error of an entry, of those that count."""
        return float(np.asarray(self.errors)[self._counts].max())

    @property
    def allowed(self) -> float:
        """What is allowed: where something is wrong the least of it there, else the most of any entry."""
        counted = np.asarray(self.allowances)[self._counts]
        return float(counted.min() if self.refutes.any() else counted.max())

    @property
    def _counts(self) -> Array:
        return self.refutes if self.refutes.any() else np.full(np.shape(self.errors), True)


@dataclass(frozen=True)
class Kink:
    """A ReLU so near to 0 that differences are taken across its kink."""

    layer: int
    unit: int
    example: int
    a: float

    def __str__(self) -> str:
        """Say where, units numbered from 1, examples counted from 0."""
        return f"a_{self.unit}^({self.layer}) of example {self.example} is {self.a:.1e}"


def relative_error(found: Array | float, true: Array | float) -> float:
    """Return max |found - true| / max |true|; two that are all zero agree, NaN agrees with nothing."""
    found, true = np.asarray(found), np.asarray(true)
    if found.shape != true.shape:
        raise WrongGradient(f"a gradient of shape {found.shape} cannot be compared with one of {true.shape}")
    difference = largest(found - true)
    if difference == 0:
        return 0.0
    scale = largest(true)
    return difference / scale if scale > 0 and difference == difference else float("inf")


def largest(array: Array) -> float:
    """Return max |array|, NaN if there is one in it."""
    return float(np.max(np.abs(array), initial=0.0))
