"""The network as a drawing in the assignment's notation, empty or with the numbers of a point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from coursework.backprop.activations import Array
from coursework.backprop.point import ExamplePoint
from coursework.backprop.symbols import A, W, X, Z

INK, PALE, POSITIVE, NEGATIVE = "#1f2937", "#9ca3af", "#b45309", "#1d4ed8"

#: In inches: a unit's radius, from unit to unit, from layer to layer.
RADIUS, ROW, COLUMN = 0.37, 1.15, 3.4

#: A layer of more units is drawn with dots in the place of some.
MOST_UNITS = 7


class Drawing(NamedTuple):
    """A figure and the words for those who cannot see it: `show_figure(*drawing)`."""

    figure: Figure
    alt: str


@dataclass(frozen=True)
class Unit:
    """Where unit j of layer l is drawn."""

    l: int
    j: int
    x: float
    y: float


def draw_network(sizes: Sequence[int]) -> Drawing:
    """Draw a network of these sizes: what every unit and the first weight of every layer are called."""
    figure, axes = _canvas(sizes)
    for l in range(1, len(sizes)):
        for source, unit in _edges(sizes, l):
            first = source.j == unit.j == 1
            axes.plot((source.x, unit.x), (source.y, unit.y), color=INK if first else PALE, lw=1.2, zorder=1)
            if first:
                _label(axes, source, unit, f"${W(l, 1, 1).latex()}$", 0.5, size=14)
    for unit in _units(sizes):
        _draw_unit(axes, unit, sizes, *_names(unit, sizes))
    layers = "-".join(str(units) for units in sizes)
    alt = (
        f"A fully connected network of {len(sizes)} layers with {layers} units. Layer 1 holds the inputs x; "
        "every unit of a later layer shows its pre-activation a on the left and its output z on the right; "
        f"the weight from the first unit of each layer to the first of the next is marked w_11^(l), l = 1 to "
        f"{len(sizes) - 1}."
    )
    return Drawing(figure, alt)


def draw_values(point: ExamplePoint) -> Drawing:
    """Draw the network with this point's numbers: a and z in the units, w and dE/dw along the edges."""
    sizes, trace, gradients = point.network.sizes, point.trace, point.gradients
    figure, axes = _canvas(sizes)
    largest = max(float(np.abs(dw).max()) for dw in gradients.w.values())
    for l in range(1, len(sizes)):
        # labels fan out from the layer that has more units, where none can cover another
        before, after = (min(n, MOST_UNITS) for n in sizes[l - 1 : l + 1])
        place = 1 / (after + 1) if after <= before else before / (before + 1)
        for source, unit in _edges(sizes, l):
            w, dw = (layer[l][unit.j - 1, source.j - 1] for layer in (point.network.w, gradients.w))
            # in steps of a tenth, so that the last digits of a gradient do not change the drawing
            width = 0.4 + round(4 * abs(dw) / largest, 1) if largest > 0 else 0.4
            color = POSITIVE if dw > 0 else NEGATIVE if dw < 0 else PALE
            axes.plot((source.x, unit.x), (source.y, unit.y), color=color, lw=width, alpha=0.75, zorder=1)
            if min(before, after) <= 3:
                _label(axes, source, unit, f"{_short(w)} | {_short(dw)}", place, size=7.5, color=color)
    for unit in _units(sizes):
        if unit.l == 1:
            _draw_unit(axes, unit, sizes, _fixed(trace.z[1][0, unit.j - 1]), size=9)
            continue
        a, z, delta = (layer[unit.l][0, unit.j - 1] for layer in (trace.a, trace.z, gradients.delta))
        _draw_unit(axes, unit, sizes, _fixed(a), _fixed(z), size=8)
        _write(axes, unit.x, unit.y - RADIUS - 0.14, rf"$\delta=${_short(delta)}", 9, white=True)
    loss = point.network.loss(trace, point.t)[0]
    caption = (
        rf"In a unit: $a$ | $z$, below it $\delta$.  On an edge: $w$ | $\partial E_n/\partial w$; wide where "
        rf"that is large, brown where positive, blue where negative.   $E_n=${_short(loss)}"
    )
    _write(axes, COLUMN * (len(sizes) - 1) / 2, axes.get_ylim()[1] + 0.25, caption, 9.5)
    deltas = "; ".join(f"layer {l}: {_list(delta[0])}" for l, delta in sorted(gradients.delta.items()))
    steepest = {l: float(np.abs(dw).max()) for l, dw in gradients.w.items()}
    alt = (
        f"The same network at the point of this page, with {point.network.activation.name} units: "
        f"inputs {_list(point.x[0])}, output {_list(trace.y[0])}, target {_list(point.t[0])}, "
        f"loss {_short(loss)}. delta, {deltas}. Largest dE/dw of the weights leaving "
        + ", ".join(f"layer {l}: {_short(value)}" for l, value in sorted(steepest.items()))
        + "."
    )
    return Drawing(figure, alt)


def _canvas(sizes: Sequence[int]) -> tuple[Figure, Axes]:
    height = ROW * min(max(sizes), MOST_UNITS) + 0.7
    width = COLUMN * (len(sizes) - 1) + 2 * RADIUS + 0.4
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_aspect("equal")
    axes.axis("off")
    for l in range(1, len(sizes) + 1):
        role = "inputs" if l == 1 else "output" if l == len(sizes) else "hidden"
        _write(axes, COLUMN * (l - 1), 0.25 - height / 2, f"layer {l}: {role}", 10)
    return figure, axes


def _shown(units: int) -> list[int]:
    if units <= MOST_UNITS:
        return list(range(1, units + 1))
    return [*range(1, MOST_UNITS - 1), units]


def _units(sizes: Sequence[int]) -> Iterator[Unit]:
    for l, units in enumerate(sizes, start=1):
        shown = _shown(units)
        rows = min(units, MOST_UNITS)
        for place, j in enumerate(shown):
            row = place if j == place + 1 else rows - 1
            yield Unit(l, j, COLUMN * (l - 1), ROW * ((rows - 1) / 2 - row) + 0.15)


def _edges(sizes: Sequence[int], l: int) -> Iterator[tuple[Unit, Unit]]:
    units = list(_units(sizes))
    for source in (u for u in units if u.l == l):
        for unit in (u for u in units if u.l == l + 1):
            yield source, unit


def _names(unit: Unit, sizes: Sequence[int]) -> list[str]:
    if unit.l == 1:
        return [f"${X(1, unit.j).latex()}$"]
    z = "$y$" if unit.l == len(sizes) and sizes[-1] == 1 else f"${Z(unit.l, unit.j).latex()}$"
    return [f"${A(unit.l, unit.j).latex()}$", z]


def _draw_unit(axes: Axes, unit: Unit, sizes: Sequence[int], *texts: str, size: float = 13) -> None:
    axes.add_patch(Circle((unit.x, unit.y), RADIUS, fc="white", ec=INK, lw=1.3, zorder=2))
    if len(texts) == 2:
        axes.plot((unit.x, unit.x), (unit.y - RADIUS, unit.y + RADIUS), color=INK, lw=0.8, zorder=3)
    offsets = (0.0,) if len(texts) == 1 else (-RADIUS * 0.48, RADIUS * 0.48)
    for offset, text in zip(offsets, texts, strict=True):
        _write(axes, unit.x + offset, unit.y, text, size)
    if unit.j == sizes[unit.l - 1] > MOST_UNITS:
        _write(axes, unit.x, unit.y + ROW, r"$\vdots$", 16)


def _label(
    axes: Axes, source: Unit, unit: Unit, text: str, place: float, size: float, color: str = INK
) -> None:
    x = source.x + place * (unit.x - source.x)
    y = source.y + place * (unit.y - source.y)
    _write(axes, x, y, text, size, color, white=True)


def _write(
    axes: Axes, x: float, y: float, text: str, size: float, color: str = INK, *, white: bool = False
) -> None:
    box = {"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.9} if white else None
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        size=size,
        color=color,
        bbox=box,
        zorder=4,
        math_fontfamily="stix",
    )


def _short(value: float) -> str:
    return f"{value + 0.0:.2g}".replace("-", "−")


def _fixed(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-", "−")


def _list(values: Array) -> str:
    shown = [_short(value) for value in values[:MOST_UNITS]]
    return ", ".join(shown) + (", ..." if len(values) > MOST_UNITS else "")
