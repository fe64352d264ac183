"""Deep networks of tiny and large numbers, for every layer l at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from coursework.backprop.judge.draws import HIDDEN, LIVE, SPARE, Draws, Values, completed
from coursework.backprop.judge.layout import Layout


def spread(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Values:
    """Draw numbers of both signs, evenly over all sizes from `low` to `high`.

    Along the last axis each entry meets every size: the logarithms are drawn one from each of equal parts.
    """
    S = shape[-1]
    parts = rng.permuted(np.broadcast_to(np.arange(S), shape), axis=-1) + rng.random(shape)
    sizes = np.exp(np.log(low) + np.log(high / low) * parts / S)
    return np.asarray(sizes * rng.choice([-1.0, 1.0], shape))


@lru_cache(maxsize=4)
def wide_draws(layout: Layout, activation: str) -> Draws:
    """Return networks whose numbers go from 1e-3 to 1e2; pre-activations of a saturating h end at 12.

    In a ReLU network every unit lives in the first draws; in each further draw one unit of one layer is dead,
    every layer's in turn.
    """
    rng = np.random.default_rng([7, layout.L, len(activation)])
    L, relu = layout.L, activation == "relu"
    rows = () if not relu else (1, 2) if layout.links == "full" else (1,)
    dead = [(l, j) for l in range(2, L) for j in rows]
    S = LIVE + len(dead)
    shape = (L + SPARE + 1, max(layout.sizes) + SPARE + 1, S)
    z, delta, b = (spread(rng, shape, 1e-3, 1e2) for _ in range(3))
    a = spread(rng, shape, 1e-3, 1e2 if relu else 12)
    a[L] = spread(rng, shape[1:], 1e-3, 1e2)
    w = spread(rng, (*shape[:2], *shape[1:]), 1e-1, 1e1)
    if relu:
        a[:L] = np.abs(a[:L])
        for s, (l, j) in enumerate(dead, start=LIVE):
            a[l, j, s] *= -1
    else:  # keep w h' near one, since a hundred of them are multiplied
        w /= np.abs(HIDDEN[activation][1](a))[:, None]
    given = {"a": a, "z": z, "delta": delta, "b": b, "w": w}
    return completed(layout, activation, given, spread(rng, (S,), 1e-3, 1e2))
