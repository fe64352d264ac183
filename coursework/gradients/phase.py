"""Where gradients vanish and where they explode: measured over a plane, with the line that theory draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coursework.gradients.finite_width import critical_sw2, living_step, log10_alive
from coursework.gradients.meanfield import MeanField, critical_sw
from coursework.gradients.scaled import Array
from coursework.gradients.unweighted import sample_norms


@dataclass(frozen=True)
class WidePhase:
    """Wide networks of one activation, weight scale against depth.

    Attributes
    ----------
    activation : its name. width : units of every layer.
    sw : the scales, sqrt(width) times the standard deviation of the weights.
    measured : median of log10 ||delta|| at each distance from the last hidden layer over that layer's,
        shape (depth, len(sw)), row d for d layers below. predicted : the same by mean-field theory.
    critical : the sw at which chi_1 = 1.
    """

    activation: str
    width: int
    sw: Array
    measured: Array
    predicted: Array
    critical: float


def wide_phase(
    activation: str, sw: Sequence[float], *, width: int, depth: int, networks: int, seed: int
) -> WidePhase:
    """Measure networks without biases at every scale `sw`, fed an input of one unit of variance an entry."""
    measured, predicted = [], []
    for i, scale in enumerate(sw):
        q_first = scale**2
        norms = sample_norms(
            activation, width, depth, scale**2, q_first=q_first, networks=networks, seed=seed + i
        )
        measured.append(np.median(norms.delta - norms.delta[-1], axis=1)[::-1])
        predicted.append(MeanField(activation, scale**2).log10_norms(q_first, depth)[::-1])
    columns = np.transpose(measured), np.transpose(predicted)
    return WidePhase(activation, width, np.array(sw, dtype=float), *columns, critical_sw(activation))


@dataclass(frozen=True)
class NarrowPhase:
    """Living ReLU networks, width against weight scale.

    Attributes
    ----------
    widths, sw : the axes.
    measured : median decades per layer towards the inputs, shape (len(sw), len(widths)); NaN where fewer
        than 30 networks live. predicted : `living_step(width, sw^2).log10(1)`, exact.
    critical : for each width the sw at which it is 0.
    """

    widths: tuple[int, ...]
    sw: Array
    measured: Array
    predicted: Array
    critical: Array


def narrow_phase(widths: Sequence[int], sw: Sequence[float], *, networks: int, seed: int) -> NarrowPhase:
    """Measure living ReLU networks, each as deep as leaves 1 in 5 alive (at least 4, at most 40 layers).

    `networks` are drawn of 8 units or more a layer, and as many more as the layers are narrower.
    """
    measured = np.full((len(sw), len(widths)), np.nan)
    predicted = np.empty_like(measured)
    for column, width in enumerate(widths):
        depth = int(np.clip(np.log10(0.2) / log10_alive(width, 1), 4, 40))
        for row, scale in enumerate(sw):
            cell = seed + row * len(widths) + column
            drawn = networks * -(-8 // width)
            norms = sample_norms("relu", width, depth, scale**2, networks=drawn, seed=cell)
            alive = np.isfinite(norms.delta[0])
            if np.count_nonzero(alive) >= 30:
                steps = (norms.delta[0, alive] - norms.delta[-1, alive]) / (depth - 1)
                measured[row, column] = np.median(steps)
            predicted[row, column] = living_step(width, scale**2).log10(1)
    critical = np.sqrt([critical_sw2(width) for width in widths])
    return NarrowPhase(tuple(widths), np.array(sw, dtype=float), measured, predicted, critical)
