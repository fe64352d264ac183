"""Normalized networks against mpmath, by the textbook's formulas and with hundreds of digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from coursework.gradients.activations import LEAK
from coursework.gradients.chain import Networks, run
from coursework.gradients.cures import EPSILON
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.grid import arriving
from coursework.gradients.panel import log10_gradients
from coursework.gradients.resolution import RESOLVED, difference, log10_uncertainty, with_twins
from coursework.gradients.scaled import Array

mp = mpmath.mp
Each = Callable[..., Any]


def each(function: Callable[[Any], Any]) -> Each:
    """The function of every number of an array of mpmath numbers."""
    applied: Each = np.frompyfunc(function, 1, 1)
    return applied


exactly, root = each(lambda x: mp.mpf(float(x))), each(mp.sqrt)
SLOPES: dict[str, tuple[Each, Each]] = {
    "relu": (each(lambda a: max(a, mp.zero)), each(lambda a: mp.mpf(a > 0))),
    "leaky relu": (each(lambda a: max(a, a * mp.mpf(LEAK))), each(lambda a: mp.mpf(1 if a > 0 else LEAK))),
    "tanh": (each(mp.tanh), each(lambda a: mp.sech(a) ** 2)),
    "sigmoid": (each(lambda a: 1 / (1 + mp.exp(-a))), each(lambda a: 1 / (2 + mp.exp(a) + mp.exp(-a)))),
}


def log10_of(numbers: Any) -> Array:
    logarithm = each(lambda x: float(mp.log10(abs(x))) if x != 0 else -np.inf)
    with mp.workdps(20):  # that of hundreds of digits would take longer than all the rest
        return np.asarray(logarithm(numbers), dtype=float)


def reference(networks: Networks, digits: int) -> tuple[Array, Array]:
    """log10 ||delta^(l)||, layers 2 to depth + 1, and log10 |dE/dw_11^(l)|, layers 1 to depth."""
    h, slope = SLOPES[networks.activation]
    depth, axis = networks.depth, 0 if networks.cure.normalize == "layer" else 1
    with mp.workdps(digits):
        several = networks.x.ndim == 3
        w = {l: exactly(v[..., np.newaxis, :] if several else v) for l, v in networks.w.items()}
        z, normal, s = {1: exactly(networks.x)}, {}, {}
        for l in range(1, depth + 1):
            a = z[l] * w[l] if networks.in_rows(l) else (w[l] * z[l]).sum(axis=1)
            if l < depth:
                centred = a - a.sum(axis=axis, keepdims=True) / a.shape[axis]
                variance = (centred * centred).sum(axis=axis, keepdims=True) / a.shape[axis]
                s[l + 1] = root(variance + mp.mpf(EPSILON))
                normal[l + 1] = centred / s[l + 1]
                z[l + 1] = h(normal[l + 1]) + (z[l] if networks.cure.residual else 0)
        delta = {depth + 1: (a - exactly(networks.t)) / networks.examples}
        dz: Any = 0
        for l in range(depth, 1, -1):
            up = delta[l + 1]
            back = up * w[l] if networks.in_rows(l) else (w[l] * up[:, np.newaxis]).sum(axis=0)
            dz = back + (dz if networks.cure.residual else 0)
            g, n = slope(normal[l]) * dz, normal[l]
            mean, share = (part.sum(axis=axis, keepdims=True) / n.shape[axis] for part in (g, g * n))
            delta[l] = (g - mean - n * share) / s[l]
        norms = [root((d * d).reshape(-1, networks.batch).sum(axis=0)) for d in reversed(delta.values())]
        products = [delta[l + 1][0] * z[l][0] for l in range(1, depth + 1)]
        first = [product.sum(axis=0) if several else product for product in products]
        return log10_of(np.stack(norms)), log10_of(np.stack(first))


def off(found: Array, expected: Array) -> Array:
    """The largest distance of a network's logarithms, shape (B,); equal zeros have none."""
    with np.errstate(invalid="ignore"):
        far = np.where(found == expected, 0.0, np.abs(found - expected))
    return np.asarray(far.max(axis=0))


BATCH = ChainSpec(38, "full", "relu", scale=2.0, cure="batch norm", examples=3)
LAYER = ChainSpec(60, "full", "relu", cure="layer norm", width=3)


@pytest.mark.parametrize(
    ("spec", "networks"),
    [
        (BATCH, 60),
        (replace(BATCH, depth=152), 30),
        (replace(BATCH, depth=152, law="orthogonal", scale=1.0), 6),
        (replace(BATCH, links="chains"), 30),
        (replace(BATCH, width=1, activation="leaky relu"), 30),
        (replace(BATCH, width=4, scale=1.0), 30),
        (replace(BATCH, activation="sigmoid"), 10),
        (replace(BATCH, activation="tanh"), 10),
        (replace(BATCH, cure="residual, batch norm", scale=1.0), 30),
        (LAYER, 30),
        (replace(LAYER, depth=152), 30),
        (replace(LAYER, width=2, depth=152), 30),
        (replace(LAYER, width=5, activation="leaky relu"), 30),
        (replace(LAYER, width=8), 10),
        (replace(LAYER, activation="sigmoid"), 10),
        (replace(LAYER, activation="tanh", width=4), 10),
    ],
    ids=str,
)
def test_every_layer_of_every_network_is_that_of_hundreds_of_digits(spec: ChainSpec, networks: int) -> None:
    batch = draw(spec, networks, seed=726)
    # the true parts shrink by 1e5 a layer and more beside what cancels
    norms, first = reference(batch, 60 + 5 * spec.depth)
    trace = run(batch)
    assert off(trace.log10_delta_norms, norms).max() < 1e-6
    assert off(trace.log10_gradients, first).max() < 1e-5
    assert off(arriving(batch)[0][np.newaxis], norms[:1] - norms[-1]).max() < 1e-6


@pytest.mark.parametrize(
    ("spec", "wrong_ones"),
    [(replace(BATCH, examples=4), 10), (replace(LAYER, links="chains", width=4), 3)],
    ids=str,
)
def test_what_53_bits_do_not_resolve_is_found(spec: ChainSpec, wrong_ones: int) -> None:
    batch = draw(spec, 60, seed=726)
    norms, _ = reference(batch, 60 + 5 * spec.depth)
    wrong = off(run(batch).log10_delta_norms, norms) > 0.1
    uncertain = log10_uncertainty(batch).max(axis=0) > 0.1
    assert wrong_ones < np.count_nonzero(wrong) < 30
    assert np.count_nonzero(wrong & ~uncertain) <= 1
    assert np.count_nonzero(uncertain & ~wrong) <= 4


def test_what_the_panel_shows_of_units_that_become_alike_is_right_or_left_out() -> None:
    batch = draw(replace(BATCH, depth=100, activation="leaky relu"), 8, seed=726)
    _, first = reference(batch, 560)
    everyone, loudness = with_twins(batch, 0, twins=1)
    logs = log10_gradients(everyone, loudness)
    shown = difference(logs, batch.batch) <= RESOLVED
    wrong = ~(np.abs(logs[:, : batch.batch] - first) <= 0.1)
    assert np.count_nonzero(wrong) > 100
    assert np.count_nonzero(wrong & shown) <= 2
    assert np.count_nonzero(shown) > 400
