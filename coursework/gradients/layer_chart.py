"""Bands of a batch against the layer as SVG, drawn in milliseconds: what a panel redraws at every touch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from coursework._common.svg import Svg, runs
from coursework.gradients.precision import log10_smallest

#: The quantiles that the rows of the bands are.
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

#: Layers are left out in which more than this share of the networks is not resolved in 53 bits.
UNRESOLVED = 0.1

#: The bands have corners at this many layers at most; the median, at every layer.
CORNERS = 40

_WIDTH, _HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 742, 66, 345

Place = Callable[[float, float], tuple[float, float]]


def layer_chart(bands: NDArray[Any], title: str, unresolved: NDArray[Any]) -> str:
    """Return the quantiles `LEVELS` of log10 |dE/dw_11^(l)| as a chart.

    Parameters
    ----------
    bands : shape (5, depth), column l - 1 for layer l; NaN where no network has a gradient.
    unresolved : booleans, shape (depth,): layers left out since rounding decides what they are.
    """
    depth = bands.shape[1]
    finite = bands[np.isfinite(bands)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-10.0, 0.0)
    low, high = min(low - 1, high - 10), high + 1
    svg = Svg(_WIDTH, _HEIGHT)

    def at(layer: float, log: float) -> tuple[float, float]:
        x = _LEFT + (layer - 1) / (depth - 1) * (_RIGHT - _LEFT)
        return x, _BOTTOM - (log - low) / (high - low) * (_BOTTOM - _TOP)

    svg.text(12, 20, title, 14, anchor="start")
    svg.text(12, 46, "log₁₀ |∂Eₙ/∂w₁₁⁽ˡ⁾|: median, half and nine tenths of the networks", 12, anchor="start")
    _draw_axes(svg, depth, low, high, at)
    if finite.size:
        _draw_bands(svg, bands, at)
        _mark_unresolved(svg, unresolved, at, low)
    else:
        svg.text((_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2, "exactly 0 in every layer", 16)
    return str(svg)


def _draw_axes(svg: Svg, depth: int, low: float, high: float, at: Place) -> None:
    for tick in MaxNLocator(7, integer=True).tick_values(low, high):
        if low <= tick <= high:
            svg.line(at(1, tick), at(depth, tick), "line", 1)
            number = f"{tick:.0f}".replace("-", "−")
            svg.text(_LEFT - 8, at(1, tick)[1], number, 12, colour="pale", anchor="end")
    for tick in MaxNLocator(8, integer=True).tick_values(1, depth):
        if 1 <= tick <= depth:
            svg.text(at(tick, low)[0], _BOTTOM + 16, f"{tick:.0f}", 12, colour="pale")
    middle = (_LEFT + _RIGHT) / 2
    svg.text(middle, _BOTTOM + 40, "weight layer l, from the inputs to the output", 12, colour="pale")
    floor = log10_smallest("float32")
    if low < floor < high:
        svg.line(at(1, floor), at(depth, floor), "plus", 1.5)
        _, y = at(1, floor)
        svg.text(_RIGHT, y + 10, "from here down float32 stores 0", 12, colour="plus", anchor="end")


def _draw_bands(svg: Svg, bands: NDArray[Any], at: Place) -> None:
    depth = bands.shape[1]
    corners = np.unique(np.linspace(0, depth - 1, CORNERS).round().astype(int))
    for low, high, opacity in ((0, 4, 0.2), (1, 3, 0.35)):
        for stretch in _stretches(corners, bands[low]):
            there = [at(i + 1, bands[high, i]) for i in stretch]
            back = [at(i + 1, bands[low, i]) for i in reversed(stretch)]
            svg.area(there + back, "minus", opacity)
    for stretch in _stretches(np.arange(depth), bands[2]):
        svg.curve([at(i + 1, bands[2, i]) for i in stretch], "minus", 2.5)


def _mark_unresolved(svg: Svg, marked: NDArray[Any], at: Place, low: float) -> None:
    """Draw a bar along the layers whose numbers are those of rounding."""
    for stretch in runs(i if mark else None for i, mark in enumerate(marked.tolist())):
        svg.line(at(stretch[0] + 0.5, low), at(stretch[-1] + 1.5, low), "plus", 6)
    if marked.any():
        svg.text(_LEFT, _BOTTOM + 40, "bar: left out, rounding decides", 12, colour="plus", anchor="start")


def _stretches(layers: NDArray[Any], values: NDArray[Any]) -> list[list[int]]:
    """Return the layers, counted from 0, in stretches without a gap in their values."""
    return runs(int(i) if np.isfinite(values[i]) else None for i in layers)
