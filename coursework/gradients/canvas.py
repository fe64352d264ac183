"""What the figures of section 2 share: the palette, an empty figure, the axis of layers, labels on lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from coursework.gradients.chain import Trace
from coursework.gradients.precision import log10_smallest
from coursework.gradients.scaled import Array
from coursework.gradients.sweep import quantiles

#: Okabe and Ito's palette, told apart by readers of every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
GREY = "#6e6e6e"
GRADIENT = r"$\log_{10}\,|\partial E_n/\partial w_{11}^{(l)}|$"
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def blank_figure(
    width: float = 8.2, height: float = 4.4, columns: int = 1, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    """Return a figure of `rows` x `columns` plain panels, in reading order."""
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel().tolist()
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, panels


def layer_axis(axes: Axes, depth: int) -> None:
    """Number the weight layers along x."""
    axes.set(xlim=(1, depth), xlabel="weight layer $l$  (1: at the inputs, right end: at the output)")


def draw_band(axes: Axes, x: NDArray[Any], logs: Array, colour: str, label: str = "") -> Array:
    """Draw median and bands (5 to 95 %, 25 to 75 %) of `logs`, shape (len(x), B), and return the median.

    Exact zeros are left out; a row without any other number leaves a gap.
    """
    low, lower, median, upper, high = quantiles(logs, LEVELS)
    axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.fill_between(x, lower, upper, color=colour, alpha=0.3, linewidth=0)
    axes.plot(x, median, color=colour, linewidth=2, label=label)
    return np.asarray(median)


def draw_gradients(axes: Axes, trace: Trace, colour: str, label: str) -> None:
    """Draw the bands of dE/dw_11 of a batch against the layer."""
    draw_band(axes, np.arange(1, trace.networks.depth + 1), trace.log10_gradients, colour, label)


def mark_floor(axes: Axes, dtype: str) -> None:
    """Shade what `dtype` stores as exactly 0, if it is in view."""
    floor = log10_smallest(dtype)
    bottom, top = axes.get_ylim()
    if bottom < floor < top:
        axes.axhspan(bottom, floor, color=VERMILION, alpha=0.07, linewidth=0)
        axes.axhline(floor, color=VERMILION, linewidth=1.2)
        text = f"{dtype} ends at $10^{{{floor:.0f}}}$: below, it stores exactly 0"
        axes.annotate(text, (0.01, floor), (0, -4), xycoords=("axes fraction", "data"), va="top",
                      textcoords="offset points", color=VERMILION, fontsize=9)  # fmt: skip
        axes.set_ylim(bottom, top)


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Return heights for labels at `places`, in the same order, at least `gap` apart and close to them.

    Labels too close are pushed apart in pairs, evenly, until none is.
    """
    order = np.argsort(places, kind="stable")
    heights = np.asarray(places, dtype=float)[order]
    for _ in range(500):
        overlap = gap - np.diff(heights)
        if np.all(overlap <= 1e-9):
            break
        push = np.maximum(overlap, 0) / 2
        heights[:-1] -= push
        heights[1:] += push
    result = np.empty(len(heights))
    result[order] = heights
    return [float(height) for height in result]
