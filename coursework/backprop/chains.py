"""The networks of section 2: very deep, one or two units wide, with one linear output unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from coursework.backprop.network import DenseNetwork


def chain(weights: int = 152, activation: str = "sigmoid", **more: Any) -> DenseNetwork:
    """Return `weights` weights in a row: one unit a layer, `weights` + 1 layers."""
    return DenseNetwork([1] * (weights + 1), activation, **more)


def bipartite(weights: int = 152, activation: str = "sigmoid", **more: Any) -> DenseNetwork:
    """Return two units a layer, both feeding both of the next, and one output unit."""
    return DenseNetwork([2] * weights + [1], activation, **more)


def two_chains(weights: int = 152, activation: str = "sigmoid", **more: Any) -> DenseNetwork:
    """Return the assignment's two chains, which meet only in the output unit.

    Unit j of a layer feeds unit j of the next alone, for j = 1, 2; in the last layer both feed the one
    output.  `more` is what `DenseNetwork` takes by name: loss, biases, seed, dtype.
    """
    straight = {l: np.eye(2) for l in range(1, weights)}
    return DenseNetwork([2] * weights + [1], activation, masks=straight, **more)
