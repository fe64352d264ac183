"""The network as a drawing in the assignment's notation, empty or with the numbers of a point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coursework._common.svg import Svg, subscript, superscript, text_width
from coursework.backprop.drawing_words import MOST_UNITS, is_labelled, short, values_in_words
from coursework.backprop.layout import checked_sizes
from coursework.backprop.point import ExamplePoint

#: In pixels: a unit's radius, from unit to unit, from layer to layer, around it all.
RADIUS, ROW, COLUMN, MARGIN = 31, 100, 316, 44


class Drawing(NamedTuple):
    """A drawing (SVG) and the words for those who cannot see it: `show_figure(*drawing)`."""

    svg: str
    alt: str


@dataclass(frozen=True)
class Unit:
    """Where unit j of layer l is drawn."""

    l: int
    j: int
    x: float
    y: float


@dataclass(frozen=True)
class Label:
    """What stands on an edge, with its middle at (x, y)."""

    x: float
    y: float
    text: str
    size: float
    colour: str


def draw_network(sizes: Sequence[int]) -> Drawing:
    """Draw a network of these sizes: what every unit and the first weight of every layer are called.

    Raises
    ------
    NetworkError : there is no network of these sizes.
    """
    sizes = checked_sizes(sizes)
    svg = _canvas(sizes)
    labels = []
    for l in range(1, len(sizes)):
        for source, unit in _edges(sizes, l):
            first = source.j == unit.j == 1
            svg.line((source.x, source.y), (unit.x, unit.y), "ink" if first else "pale", 1.8 if first else 1)
            if first:
                x, y = (source.x + unit.x) / 2, (source.y + unit.y) / 2
                labels.append(Label(x, y, _name("w", l, 1, 1), 17, "ink"))
    _draw_units(svg, sizes, {unit: _names(unit, sizes) for unit in _units(sizes)}, 17)
    _write(svg, labels)
    layers = "-".join(str(units) for units in sizes)
    alt = (
        f"A fully connected network of {len(sizes)} layers with {layers} units. Layer 1 holds the inputs x; "
        "every unit of a later layer shows its pre-activation a on the left and its output z on the right; "
        f"the weight from the first unit of each layer to the first of the next is marked w_11^(l), l = 1 to "
        f"{len(sizes) - 1}."
    )
    return Drawing(str(svg), alt)


def draw_values(point: ExamplePoint) -> Drawing:
    """Draw the network with this point's numbers: a and z in the units, w and dE/dw along the edges."""
    network, trace, gradients = point.network, point.trace, point.gradients
    sizes = network.sizes
    svg = _canvas(sizes)
    labels = []
    largest = max(float(np.abs(dw).max()) for dw in gradients.w.values())
    for l in range(1, len(sizes)):
        for source, unit in _edges(sizes, l):
            if l in network.masks and not network.masks[l][unit.j - 1, source.j - 1]:
                continue
            w, dw = (float(layer[l][unit.j - 1, source.j - 1]) for layer in (network.w, gradients.w))
            colour = "plus" if dw > 0 else "minus" if dw < 0 else "pale"
            width = 1 + (5 * abs(dw) / largest if largest > 0 else 0)
            svg.line((source.x, source.y), (unit.x, unit.y), colour, width)
            if is_labelled(sizes, l):
                labels.append(_edge_label(sizes, source, unit, f"{short(w)} | {short(dw)}", colour))
    shown: dict[Unit, list[str]] = {}
    for unit in _units(sizes):
        l, row = unit.l, unit.j - 1
        if l == 1:
            shown[unit] = [_fixed(trace.z[1][0, row])]
            continue
        shown[unit] = [_fixed(layer[l][0, row]) for layer in (trace.a, trace.z)]
        delta = f"δ = {short(gradients.delta[l][0, row])}"
        labels.append(Label(unit.x, unit.y + RADIUS + 12, delta, 11, "ink"))
    _draw_units(svg, sizes, shown, 12)
    _write(svg, labels)
    loss = float(network.loss(trace, point.t)[0])
    svg.text(
        svg.width / 2,
        svg.height - 16,
        f"in a unit: a | z, below it δ; on an edge: w | ∂Eₙ/∂w, wide where that is large, "
        f"orange where positive, blue where negative; Eₙ = {short(loss)}",
        11.5,
        colour="pale",
    )
    return Drawing(str(svg), values_in_words(point, loss))


def _canvas(sizes: Sequence[int]) -> Svg:
    width = COLUMN * (len(sizes) - 1) + 2 * (RADIUS + MARGIN)
    svg = Svg(max(width, 960), ROW * min(max(sizes), MOST_UNITS) + 2 * MARGIN)
    for unit in _units(sizes):
        if unit.j == 1:
            role = "inputs" if unit.l == 1 else "output" if unit.l == len(sizes) else "hidden"
            svg.text(unit.x, 18, f"layer {unit.l}: {role}", 14, colour="pale")
    return svg


def _units(sizes: Sequence[int]) -> Iterator[Unit]:
    most = min(max(sizes), MOST_UNITS)
    for l, units in enumerate(sizes, start=1):
        rows = min(units, MOST_UNITS)
        # of a larger layer the last place but one is left to the dots
        shown = range(1, units + 1) if units == rows else [*range(1, MOST_UNITS - 1), units]
        for j in shown:
            row = min(j, rows) - 1
            x = MARGIN + RADIUS + COLUMN * (l - 1)
            yield Unit(l, j, x, MARGIN + ROW * ((most - rows) / 2 + row + 0.42))


def _edges(sizes: Sequence[int], l: int) -> Iterator[tuple[Unit, Unit]]:
    units = list(_units(sizes))
    for source in (u for u in units if u.l == l):
        for unit in (u for u in units if u.l == l + 1):
            yield source, unit


def _edge_label(sizes: Sequence[int], source: Unit, unit: Unit, text: str, colour: str) -> Label:
    # labels fan out from the layer that has more units, where none can cover another
    before, after = (min(n, MOST_UNITS) for n in sizes[source.l - 1 : source.l + 1])
    place = 1 / (after + 1) if after <= before else before / (before + 1)
    x = source.x + place * (unit.x - source.x)
    return Label(x, source.y + place * (unit.y - source.y), text, 10.5, colour)


def _names(unit: Unit, sizes: Sequence[int]) -> list[str]:
    if unit.l == 1:
        return [f"x{subscript(unit.j)}"]
    last = unit.l == len(sizes) and sizes[-1] == 1
    return [_name("a", unit.l, unit.j), "y" if last else _name("z", unit.l, unit.j)]


def _name(letter: str, l: int, *indices: int) -> str:
    # two indices of more than a digit need a comma between them
    separator = "," if max(indices) > 9 else ""
    return letter + separator.join(map(subscript, indices)) + superscript(f"({l})")


def _draw_units(svg: Svg, sizes: Sequence[int], texts: dict[Unit, list[str]], size: float) -> None:
    for unit, shown in texts.items():
        svg.circle(unit.x, unit.y, RADIUS)
        if len(shown) == 1:
            svg.text(unit.x, unit.y, shown[0], size)
        else:
            svg.line((unit.x, unit.y - RADIUS), (unit.x, unit.y + RADIUS), "ink", 1)
            for side, text in zip((-1, 1), shown, strict=True):
                fitting = min(size, 0.9 * RADIUS / text_width(text, 1))
                svg.text(unit.x + side * RADIUS * 0.48, unit.y, text, fitting)
        if unit.j == sizes[unit.l - 1] > MOST_UNITS:
            svg.text(unit.x, unit.y - ROW, "⋮", 24)


def _write(svg: Svg, labels: Sequence[Label]) -> None:
    """Write the labels of edges and units over everything else."""
    for label in labels:
        svg.text(label.x, label.y, label.text, label.size, colour=label.colour, boxed=True)


def _fixed(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-", "−")
