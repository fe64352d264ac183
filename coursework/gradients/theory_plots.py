"""Theory drawn over measurement, one panel a prediction."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure

from coursework.gradients.canvas import BLUE, GREEN, ORANGE, PURPLE, blank_figure
from coursework.gradients.comparisons import Comparison

_COLUMNS = 3
_INK = "#1a1a1a"


def plot_comparisons(comparisons: Sequence[Comparison]) -> Figure:
    """Draw measured bands and points in colour and the predictions in black, dotted beyond their regime."""
    rows = -(-len(comparisons) // _COLUMNS)
    figure, panels = blank_figure(3.1 * _COLUMNS, 3.0 * rows, _COLUMNS, rows)
    for axes, comparison in zip(panels, comparisons, strict=False):
        for series, colour in zip(comparison.series, (BLUE, ORANGE, GREEN, PURPLE), strict=False):
            if series.band:
                axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.22, linewidth=0)
                axes.plot(series.x, series.middle, color=colour, linewidth=2, label=series.label)
            else:
                reach = [series.middle - series.low, series.high - series.middle]
                axes.errorbar(series.x, series.middle, reach, fmt="o", color=colour, markersize=4,
                              markerfacecolor="white", label=series.label)  # fmt: skip
            for law in series.theory:
                style = "-" if series.holds else ":"
                axes.plot(series.x, law, color=_INK, linewidth=1.1, linestyle=style, zorder=3)
        if comparison.log_y:
            axes.set_yscale("log")
        axes.set_title(f"{comparison.title}\n{comparison.source}", fontsize=9)
        stops = textwrap.fill(f"fails for: {comparison.stops}", 40)
        axes.set_xlabel(f"{comparison.x_label}\n{stops}", fontsize=8.5)
        axes.set_ylabel(comparison.y_label, fontsize=8.5)
        axes.tick_params(labelsize=8)
        axes.legend(frameon=False, fontsize=7.5)
    for axes in panels[len(comparisons) :]:
        axes.set_visible(False)
    return figure
