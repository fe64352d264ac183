"""The numbers of a drawing in words, for those who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.point import ExamplePoint

#: Weights are written on their edges where one of the two layers has no more units.
FEW_UNITS = 3

#: A layer of more units is drawn with dots in the place of some.
MOST_UNITS = 7


def values_in_words(point: ExamplePoint, loss: float) -> str:
    """Return what `drawing.draw_values` writes on the drawing."""
    deltas = "; ".join(f"layer {l}: {_list(delta[0])}" for l, delta in sorted(point.gradients.delta.items()))
    steepest = {l: float(np.abs(dw).max()) for l, dw in point.gradients.w.items()}
    return (
        f"The network with the numbers of one point, with {point.network.activation.name} units: "
        f"inputs {_list(point.x[0])}, output {_list(point.trace.y[0])}, target {_list(point.t[0])}, "
        f"loss {short(loss)}. delta, {deltas}. Largest dE/dw of the weights leaving "
        + ", ".join(f"layer {l}: {short(value)}" for l, value in sorted(steepest.items()))
        + f". In detail: {'; '.join([*_units_in_words(point), *_edges_in_words(point)])}."
    )


def _units_in_words(point: ExamplePoint) -> Iterator[str]:
    for l, a in sorted(point.trace.a.items()):
        yield f"layer {l}, a: {_list(a[0])}, z: {_list(point.trace.z[l][0])}"


def _edges_in_words(point: ExamplePoint) -> Iterator[str]:
    """Yield the weights that are written on their edges, by the unit that they lead to."""
    network, dw = point.network, point.gradients.w
    for l, w in network.w.items():
        if is_labelled(network.sizes, l):
            for j in range(min(len(w), MOST_UNITS)):
                there = network.masks.get(l, np.ones(w.shape))[j] > 0
                yield (
                    f"into unit {j + 1} of layer {l + 1}, w: {_list(w[j][there])}, "
                    f"dE/dw: {_list(dw[l][j][there])}"
                )


def is_labelled(sizes: Sequence[int], l: int) -> bool:
    """Return whether the weights that leave layer l are written on their edges."""
    return min(sizes[l - 1], sizes[l]) <= FEW_UNITS


def short(value: float) -> str:
    """Return a number as it is drawn."""
    return f"{value + 0.0:.2g}".replace("-", "−")


def _list(values: Array) -> str:
    shown = [short(value) for value in values[:MOST_UNITS]]
    return ", ".join(shown) + (", ..." if len(values) > MOST_UNITS else "")
