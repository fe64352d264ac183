"""The cures for vanishing gradients that are not laws of the weights: links, normalization, clipping."""

from __future__ import annotations

import math
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

    Attributes
    ----------
    value : (a - mean) / s, s = sqrt(variance + EPSILON). centred : a - mean. inverse : 1 / s.
    axis : the axis.
    """

    value: Any
    centred: Any
    inverse: Any
    axis: int

    def pull_back(self, gradient: Any, number: Arithmetic) -> Any:
        """Return dE/da from dE/dvalue.

        The part of the centred gradient along `centred` shrinks by EPSILON / s^2 and the rest passes; kept
        apart so that the first, all there is when the axis is 2 long, is not lost to rounding.

        Along a longer axis the rest is a difference, known to about 1e-16 of the gradient and no better.
        Where it is nearly zero in truth, layer upon layer, the true part shrinks by EPSILON / s^2 a layer and
        the rounding error does not: such a gradient ends as rounding error, or as 0 without being it.
        `log10_uncertainty` finds most of these networks.
        """
        axis, centred = self.axis, self.centred
        gradient = _centre(gradient, axis)
        length = (centred * centred).sum(axis=axis)
        reciprocal = number.inverse_sqrt(length, number.is_zero(length))
        share = (gradient * centred).sum(axis=axis) * reciprocal
        unit = centred * _keep(reciprocal, axis)
        along = unit * _keep(share, axis)
        shrunk = along * _keep(self.inverse * self.inverse, axis) * number.lift(EPSILON)
        if centred.shape[axis] > 2:
            shrunk = shrunk + gradient + -along
        return shrunk * _keep(self.inverse, axis)


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
