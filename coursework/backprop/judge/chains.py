"""Deep networks drawn for a purpose: close to the bound, or with every cause of a zero gradient."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from coursework.backprop.judge.draws import SPARE, Draws, Values, completed
from coursework.backprop.judge.layout import Layout

#: Draws of `zero_draws`; in about half of them a gradient is zero.
ZERO_DRAWS = 600


@lru_cache(maxsize=4)
def bound_draws(layout: Layout) -> tuple[Draws, int]:
    """Return sigmoid chains, and how many of them, the first, reach the largest gradient possible.

    There every unit stands at a = 0, where sigma' = 1/4, and every weight has the size W.
    """
    rng = np.random.default_rng(4)
    tight, loose = 8, 8
    shape = (layout.L + SPARE + 1, max(layout.sizes) + SPARE + 1, tight + loose)
    a = rng.normal(size=shape)
    a[2 : layout.L, :, :tight] = 0
    sizes = rng.uniform(0.5, 6, tight + loose)
    w = rng.choice([-1.0, 1.0], (*shape[:2], *shape[1:])) * sizes
    w[..., tight:] *= rng.uniform(0.2, 1, w[..., tight:].shape)
    return _filled(layout, "sigmoid", a, w, rng.normal(size=shape), rng.normal(size=shape[-1])), tight


@lru_cache(maxsize=4)
def zero_draws(layout: Layout) -> Draws:
    """Return ReLU networks of small integers, in which a zero is exactly zero: dead units, zero weights,
    exact targets, an input of zero."""
    rng = np.random.default_rng(5)
    S = ZERO_DRAWS
    shape = (layout.L + SPARE + 1, max(layout.sizes) + SPARE + 1, S)
    live = np.exp2(rng.integers(-9, 7, shape))  # of any size, powers of two so that sums stay exact
    a = np.where(rng.random(shape) < 0.004, -rng.integers(0, 2, shape), live)
    a[layout.L] = rng.choice([-2.0, -1.0, 1.0, 2.0], shape[1:])
    w = np.where(rng.random((*shape[:2], *shape[1:])) < 0.002, 0, 1) * rng.choice(
        [-1.0, 1.0], (*shape[:2], *shape[1:])
    )
    near = (1, 2, 3, 77, 78, 149, 150, 151, 152)  # where the compared l look, zeros are common
    for l in near:
        w[l] *= rng.random(w[l].shape) > 0.06
        if l > 1:
            a[l] = np.where(rng.random(a[l].shape) < 0.1, -rng.integers(0, 2, a[l].shape), a[l])
    x = np.where(rng.random(shape) < 0.1, 0, rng.choice([-1.0, 1.0, 2.0], shape))
    error = np.where(rng.random(S) < 0.1, 0, rng.choice([-1.0, 1.0], S))
    if layout.links == "full":
        w[:, 2, 1] *= rng.random(w[:, 2, 1].shape) < 0.2  # paths stay few, and their sums exact
        w[:, 1, 2] *= rng.random(w[:, 1, 2].shape) < 0.2
        w[layout.L - 1, 1, 2] = rng.choice([-1.0, 1.0], S)
    return _filled(layout, "relu", a, w, x, error)


def _filled(layout: Layout, activation: str, a: Values, w: Values, x: Values, error: Values) -> Draws:
    """Return draws with these pre-activations, weights, inputs and output errors; biases make up for a."""
    z, delta, b = a.copy(), a.copy(), a.copy()
    z[1] = x[1]
    return completed(layout, activation, {"a": a, "z": z, "delta": delta, "b": b, "w": w}, error)
