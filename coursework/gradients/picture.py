"""The two networks of section 2, drawn in the assignment's notation."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from coursework.gradients.chain import LINKS

_INK, _QUIET, _MARKED = "#1a1a1a", "#8a8a8a", "#0072b2"
_RADIUS = 0.3
#: Horizontal places of the drawn layers; the gap stands for the layers left out.
_PLACES = (0.0, 1.6, 3.2, 5.6, 7.2, 8.8)
_ROWS = {1: 1.0, 2: 0.0}


def draw_networks(depth: int = 152) -> Figure:
    """Draw both networks one above the other, the weights w_11^(l) marked.

    Parameters
    ----------
    depth : weight layers; the labels name this many.
    """
    figure = Figure(figsize=(8.6, 5.2), layout="constrained")
    panels = figure.subplots(2, 1)
    titles = ("Two chains (2.1 to 2.3)", "Bipartite: both units feed both (2.4)")
    for axes, links, title in zip(panels, LINKS, titles, strict=True):
        _draw(axes, links, depth)
        axes.set_title(title, loc="left", fontsize=11, color=_INK)
    return figure


def _layers(depth: int) -> list[int]:
    """Return the numbers of the layers that are drawn: at most three on the left, two, and the output."""
    return sorted({1, 2, 3, depth - 1, depth, depth + 1} & set(range(1, depth + 2)))


def _draw(axes: Axes, links: str, depth: int) -> None:
    layers = _layers(depth)
    places = dict(zip(layers, _PLACES, strict=False))
    for left, right in pairwise(layers):
        adjacent = right == left + 1
        for j in (1,) if right == depth + 1 else (1, 2):
            for k in (1, 2):
                if links == "full" or j == k or right == depth + 1:
                    _draw_link(axes, places, left, right, j, k, adjacent, depth)
        if not adjacent:
            middle = (places[left] + places[right]) / 2
            for row in _ROWS.values():
                axes.text(middle, row, r"$\cdots$", ha="center", va="center", fontsize=16, color=_QUIET)
    for layer in layers:
        for unit in (1,) if layer == depth + 1 else (1, 2):
            _draw_unit(axes, places[layer], layer, unit, depth)
        axes.text(places[layer], -0.85, f"layer {layer}", ha="center", fontsize=8.5, color=_QUIET)
    axes.set(xlim=(-0.6, max(places.values()) + 0.6), ylim=(-1.0, 1.65), aspect="equal")
    axes.set_axis_off()


def _height(layer: int, unit: int, depth: int) -> float:
    return 0.5 if layer == depth + 1 else _ROWS[unit]


def _draw_link(
    axes: Axes, places: dict[int, float], left: int, right: int, j: int, k: int, adjacent: bool, depth: int
) -> None:
    x0, y0, x1, y1 = places[left], _height(left, k, depth), places[right], _height(right, j, depth)
    marked = j == k == 1
    colour, width = (_MARKED, 1.8) if marked and adjacent else (_QUIET, 1.0)
    if adjacent:
        axes.plot([x0, x1], [y0, y1], color=colour, linewidth=width, zorder=1)
    elif j == k:
        for start, end in ((0.0, 0.32), (0.68, 1.0)):
            axes.plot([x0 + start * (x1 - x0), x0 + end * (x1 - x0)], [y0, y0], color=_QUIET, zorder=1)
    if marked and adjacent:
        lift = 0.2 if right <= depth else 0.3
        _label(axes, (x0 + x1) / 2, (y0 + y1) / 2 + lift, f"$w_{{11}}^{{({left})}}$", _MARKED)
    elif right == depth + 1:
        _label(axes, (x0 + x1) / 2, 0.02, f"$w_{{12}}^{{({left})}}$", _INK)


def _label(axes: Axes, x: float, y: float, text: str, colour: str) -> None:
    axes.text(x + 0.05, y, text, ha="center", fontsize=11, color=colour)


def _draw_unit(axes: Axes, x: float, layer: int, unit: int, depth: int) -> None:
    y = _height(layer, unit, depth)
    axes.add_patch(Circle((x, y), _RADIUS, facecolor="white", edgecolor=_INK, linewidth=1.2, zorder=2))
    if layer == 1:
        label = f"$x_{unit}$"
    elif layer == depth + 1:
        label = "$a_1$"
    else:
        label = f"$z_{unit}$"
    axes.text(x, y, label, ha="center", va="center", fontsize=11, color=_INK, zorder=3)
