"""The cures for vanishing gradients that are not laws of the weights: links, normalization, clipping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coursework.gradients.arithmetic import Arithmetic

NORMALIZATIONS = ("none", "batch", "layer")

#: What PyTorch adds to a variance before the square root.
EPSILON = 1e-5


@dataclass(frozen=True)
class Cure:
    """What is done about gradients that vanish or explode.

    Attributes
    ----------
    residual : z^(l+1) = z^(l) + h(a^(l+1)) in every hidden layer (He et al. 2015, arXiv:1512.03385).
    normalize : "none"; "batch", each pre-activation over the examples a network is fed (Ioffe and Szegedy
        2015); "layer", the pre-activations of a layer over its units (Ba et al. 2016). Before h, gain 1,
        shift 0, `EPSILON` added to the variance.
    clip : the norm of the whole gradient is cut down to this (Pascanu et al. 2013); infinite: never.
    """

    residual: bool = False
    normalize: str = "none"
    clip: float = math.inf

    def __post_init__(self) -> None:
        if self.normalize not in NORMALIZATIONS:
            raise ValueError(f"normalize {self.normalize!r} is unknown: choose {', '.join(NORMALIZATIONS)}")
        if not self.clip > 0:
            raise ValueError(f"clip is {self.clip}: the largest gradient norm must be > 0")


#: The cures by name; Glorot's, He's and orthogonal weights are laws (`ChainSpec.law`).
CURES: dict[str, Cure] = {
    "none": Cure(),
    "residual": Cure(residual=True),
    "batch norm": Cure(normalize="batch"),
    "layer norm": Cure(normalize="layer"),
    "residual, batch norm": Cure(residual=True, normalize="batch"),
    "clipping": Cure(clip=1.0),
}


@dataclass(frozen=True)
class Normalized:
    """Numbers brought to mean 0 and variance 1 along one axis, with what their gradient needs.

    The gradient comes in two parts that are never added up on the way back. `along` the numbers themselves
    it shrinks by EPSILON / s^2 in every layer, by 1e5 and more; the `rest`, perpendicular to them and to
    (1, ..., 1), passes. Often the rest is exactly zero from some layer down, as below a rectified layer with
    one active unit (layer norm) or with one active example (batch norm). The along part, all there is then,
    would long be lost in the last places of their sum.

    Attributes
    ----------
    value : (a - mean) / s, s = sqrt(variance + EPSILON). centred : a - mean. inverse : 1 / s.
    axis : the axis.
    """

    value: Any
    centred: Any
    inverse: Any
    axis: int

    def pull_back(self, parts: Parts, number: Arithmetic, invariant: bool = False) -> Parts:
        """Return dE/da from dE/dvalue, both as their parts (along, rest); None is zero.

        An axis of 2 leaves no room for a rest, an axis of 3 one dimension: there the rest is a coordinate
        (`_across`), whose digits do not cancel and whose zeros are exact. On a longer axis it is a
        difference, known to about 1e-16 of the gradient and no better.

        Parameters
        ----------
        invariant : whether the rest is known to have nothing along these numbers (`Networks.invariant`).
        """
        axis = self.axis
        squared = (self.centred * self.centred).sum(axis=axis)
        flat = number.is_zero(squared)
        unit = self.centred * _keep(number.inverse_sqrt(squared, flat), axis)
        here = [_centre(part, axis) for part in parts if part is not None]
        shares = [_keep((part * unit).sum(axis=axis), axis) for part in here]
        if self.centred.shape[axis] > 3:
            rests = [part + -(unit * share) for part, share in zip(here, shares, strict=True)]
        else:
            rests = [self._across(part, flat, number) for part in here]
        inverse = _keep(self.inverse, axis)
        shrunk = unit * total(shares[:1] if invariant else shares) * (inverse * inverse * inverse)
        return shrunk * number.lift(EPSILON), total(rests) * inverse

    def _across(self, gradient: Any, flat: Any, number: Arithmetic) -> Any:
        """Return the part of a centred gradient that is perpendicular to 2 or 3 numbers."""
        axis = self.axis
        # equal numbers have no direction: all of the gradient passes
        passing = gradient * _keep(number.lift(flat), axis)
        if self.centred.shape[axis] == 2:
            return passing
        before = (slice(None),) * axis
        perpendicular = self.centred[(*before, [1, 2, 0])] + -self.centred[(*before, [2, 0, 1])]
        length = (perpendicular * perpendicular).sum(axis=axis)
        unit = perpendicular * _keep(number.inverse_sqrt(length, number.is_zero(length)), axis)
        return passing + unit * _keep((gradient * unit).sum(axis=axis), axis)


#: A gradient as the sum of two numbers: along and rest, see `Normalized`; None is zero.
Parts = Sequence[Any]


def total(parts: Parts) -> Any:
    """Return the sum of the parts that are there, None if there are none."""
    there = [part for part in parts if part is not None]
    return there[0] + there[1] if len(there) == 2 else next(iter(there), None)


def _keep(numbers: Any, axis: int) -> Any:
    return numbers[(slice(None),) * axis + (None,)]


def _centre(numbers: Any, axis: int) -> Any:
    mean = numbers.sum(axis=axis) * (1.0 / numbers.shape[axis])
    return numbers + -_keep(mean, axis)


def normalized(a: Any, axis: int, number: Arithmetic) -> Normalized:
    """Normalize `a` along `axis` (0: over units, 1: over examples)."""
    centred = _centre(a, axis)
    variance = (centred * centred).sum(axis=axis) * (1.0 / a.shape[axis]) + number.lift(EPSILON)
    inverse = number.inverse_sqrt(variance, False)
    return Normalized(centred * _keep(inverse, axis), centred, inverse, axis)
