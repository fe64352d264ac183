"""Deep networks drawn for a purpose: close to the bound, or with every cause of a zero gradient."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from coursework.backprop.judge.draws import SPARE, Draws, Values, completed
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.wide import spread

#: Draws of `zero_draws`; in about half of them a gradient is zero.
ZERO_DRAWS = 600


@lru_cache(maxsize=4)
def bound_draws(layout: Layout) -> tuple[Draws, int]:
    """Return sigmoid chains, and how many of them, the first, reach the largest gradient possible.

    There every unit stands at a = 0, where sigma' = 1/4, and every weight has the size W.
    """
    rng = np.random.default_rng(4)
    tight, loose = 8, 24
    shape = (layout.L + SPARE + 1, max(layout.sizes) + SPARE + 1, tight + loose)
    a = spread(rng, shape, 1e-3, 4)
    a[2 : layout.L, :, :tight] = 0
    largest = np.exp2(np.arange(tight + loose) % tight - 1)  # powers of two: products stay exact
    w = rng.choice([-1.0, 1.0], (*shape[:2], *shape[1:])) * largest
    w[..., tight:] *= rng.uniform(0.2, 1, w[..., tight:].shape)
    x, error = spread(rng, shape, 1e-2, 1e2), spread(rng, shape[-1:], 1e-2, 1e2)
    return _filled(layout, "sigmoid", a, w, x, error), tight


@lru_cache(maxsize=4)
def zero_draws(layout: Layout) -> Draws:
    """Return ReLU networks of small integers, in which a zero is exactly zero: dead units, zero weights,
    exact targets, an input of zero."""
    rng = np.random.default_rng(5)
    S = ZERO_DRAWS
    shape = (layout.L + SPARE + 1, max(layout.sizes) + SPARE + 1, S)
    a = np.where(rng.random(shape) < 0.004, _dead(rng, shape), _sizes(rng, shape))
    a[layout.L] = rng.choice([-2.0, -1.0, 1.0, 2.0], shape[1:])
    links = (*shape[:2], *shape[1:])
    w = rng.choice([-1.0, 1.0], links) * np.where(rng.random(links) < 0.002, 0, 1)
    near = (1, 2, 3, 77, 78, 149, 150, 151, 152)  # where the compared l look, zeros and odd sizes are common
    for l in near:
        w[l] *= np.where(
            rng.random(w[l].shape) < 0.06,
            0,
            np.where(rng.random(w[l].shape) < 0.3, _sizes(rng, w[l].shape), 1),
        )
        if l > 1:
            a[l] = np.where(rng.random(a[l].shape) < 0.1, _dead(rng, a[l].shape), a[l])
    x = np.where(rng.random(shape) < 0.1, 0, rng.choice([-1.0, 1.0], shape) * _sizes(rng, shape))
    error = np.where(rng.random(S) < 0.1, 0, rng.choice([-1.0, 1.0], S) * _sizes(rng, (S,)))
    if layout.links == "full":
        w[:, 2, 1] *= rng.random(w[:, 2, 1].shape) < 0.2  # paths stay few, and their sums exact
        w[:, 1, 2] *= rng.random(w[:, 1, 2].shape) < 0.2
        w[layout.L - 1, 1, 2] = rng.choice([-1.0, 1.0], S)
    return _filled(layout, "relu", a, w, x, error)


def _sizes(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Draw powers of two, 1e-12 to 1e3: with them products, and many sums, are exact."""
    return np.exp2(rng.integers(-40, 10, shape))


def _dead(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Draw pre-activations of dead units, a third of them 0 itself."""
    return np.where(rng.random(shape) < 1 / 3, 0, -_sizes(rng, shape))


@lru_cache(maxsize=4)
def every_layer_draws(layout: Layout) -> Draws:
    """Return ReLU networks in each of which one cause of a zero gradient is at work, at each layer in turn.

    A unit is dead, both are, or all weights that lead on from it are zero; in the first draw nothing is, in
    the second the output is the target.
    """
    rng = np.random.default_rng(6)
    places = [(m, cause) for m in range(1, layout.L) for cause in ("dead", "both dead", "cut off")]
    shape = (layout.L + SPARE + 1, max(layout.sizes) + SPARE + 1, 2 + len(places))
    a, x, error = _sizes(rng, shape), rng.choice([-1.0, 1.0], shape), rng.choice([-1.0, 1.0], shape[-1])
    w = rng.choice([-1.0, 1.0], (*shape[:2], *shape[1:]))
    if layout.links == "full":
        w[: layout.L - 1, 1, 2] = 0  # paths stay few
    error[1] = 0
    for s, (m, cause) in enumerate(places, start=2):
        if cause == "cut off":
            w[m, :, 1, s] = 0
        elif m == 1:
            x[1, 1, s] = 0
        else:
            a[m, 1 if cause == "dead" else slice(None), s] = 0
    return _filled(layout, "relu", a, w, x, error)


def _filled(layout: Layout, activation: str, a: Values, w: Values, x: Values, error: Values) -> Draws:
    """Return draws with these pre-activations, weights, inputs and output errors; biases make up for a."""
    z, delta, b = a.copy(), a.copy(), a.copy()
    z[1] = x[1]
    return completed(layout, activation, {"a": a, "z": z, "delta": delta, "b": b, "w": w}, error)
