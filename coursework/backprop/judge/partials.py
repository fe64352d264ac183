"""The derivative of one quantity of a network by another, by the chain rule from layer to layer."""

from __future__ import annotations

import numpy as np

from coursework.backprop.judge.deadline import look
from coursework.backprop.judge.draws import Draws, Values
from coursework.backprop.judge.tokens import Unreadable

Place = tuple[int, ...]


def partial(draws: Draws, top: str, at: Place, bottom: str, by: Place) -> Values:
    """Return d top / d bottom at every draw, (draws,).

    Parameters
    ----------
    top, bottom : names of quantities, "x" included.
    at, by : their layer and units; empty for t, y and E.

    Raises
    ------
    Unreadable : one of them is no quantity that the chain rule leads through (delta, say).
    """
    look()
    none = draws.zeros(draws.count)
    if (top, at) == (bottom, by):
        return none + 1
    error = draws.scalars["y"] - draws.scalars["t"]
    if bottom == "t":
        return -error if top == "E" else none
    if top in ("w", "b", "t"):
        return none
    L, output = draws.layout.L, (draws.layout.L, 1)
    if bottom == "y":
        bottom, by = "a", output
    if top in ("E", "y"):
        along = partial(draws, "a", output, bottom, by)
        return error * along if top == "E" else along
    if top not in ("a", "z", "x") or bottom not in ("a", "z", "x", "w", "b"):
        raise Unreadable(f"a derivative of {top} by {bottom} is not read; use the derivatives of E, a and z")
    if top in ("z", "x"):
        l, j = at
        if l == 1:
            return none + (bottom in ("z", "x") and at == by)
        if bottom == "z" and by[0] == l:
            return none + (at == by)
        along = partial(draws, "a", at, bottom, by)
        return along if l == L else draws.h_prime(draws.quantities["a"][l, j]) * along
    return _along(draws, at, *_started(draws, bottom, by))


def _started(draws: Draws, bottom: str, by: Place) -> tuple[int, Values]:
    """Return a layer l and d a^(l) / d bottom, of shape (units, draws), where bottom first acts on it."""
    quantities, layout = draws.quantities, draws.layout
    l = by[0]
    first = l if bottom in ("a", "b") else l + 1
    slope = draws.zeros(layout.units(first), draws.count)
    if not len(slope):
        return first, slope
    if bottom in ("a", "b"):
        slope[by[1] - 1] = 1
    elif bottom == "w":
        slope[by[1] - 1] = quantities["z"][l, by[2]]
    else:
        for j in range(1, layout.units(first) + 1):
            if layout.has("w", l, (j, by[1])):
                slope[j - 1] = quantities["w"][l, j, by[1]]
    return first, slope


def _along(draws: Draws, at: Place, l: int, slope: Values) -> Values:
    layout, quantities = draws.layout, draws.quantities
    if at[0] < l or not len(slope):
        return draws.zeros(draws.count)
    while l < at[0]:
        inside = slice(1, layout.units(l) + 1)
        weights = quantities["w"][l, 1 : layout.units(l + 1) + 1, inside]
        if layout.links == "chains" and l < layout.L - 1:
            weights = weights * np.eye(layout.units(l), dtype=int)[:, :, None]
        slope = np.einsum("jks,ks->js", weights, draws.h_prime(quantities["a"][l, inside]) * slope)
        l += 1
    return np.asarray(slope[at[1] - 1])
