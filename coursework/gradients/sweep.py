"""Many batches: how the gradient changes with depth and with the size of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binomtest

from coursework.gradients.chain import Trace, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.scaled import Array
from coursework.gradients.theory import Disagreement, log10_probability_nonzero
from coursework.gradients.zeros import first_conditions

#: A measured share this improbable under the closed form is a disagreement, not chance.
_IMPROBABLE = 1e-7


@dataclass(frozen=True)
class Share:
    """How many of the networks of one depth have dE/dw_11^(1) != 0.

    Attributes
    ----------
    depth : weight layers. nonzero, networks : the count and out of how many.
    low, high : Wilson's 95 % interval of the share. exact : the closed form's probability.
    """

    depth: int
    nonzero: int
    networks: int
    low: float
    high: float
    exact: float


def nonzero_shares(spec: ChainSpec, depths: Sequence[int], networks: int, seed: int) -> list[Share]:
    """Count at each depth the networks whose first layer has a gradient.

    Raises
    ------
    ValueError
        if there are no depths.
    Disagreement
        if a count has a probability under 1e-7 by the closed form (exact binomial test).
    """
    if not depths:
        raise ValueError("depths is empty: name at least one number of weight layers")
    if not isinstance(spec.width, int):
        raise ValueError(f"width {spec.width} varies: the closed form is for layers of one width")
    shares = []
    for depth in depths:
        trace = run(draw(replace(spec, depth=depth), networks, seed + depth))
        count = int(np.count_nonzero(~trace.gradient(1).is_zero))
        log10_p = log10_probability_nonzero(depth, 1, spec.links_name, spec.width, spec.bias_scale != 0)
        test = binomtest(count, networks, 10.0**log10_p)
        if test.pvalue < _IMPROBABLE:
            raise Disagreement(
                f"depth {depth}: {count} of {networks} gradients are not zero, "
                f"but the closed form gives each the probability 10^{log10_p:.3f}"
            )
        interval = binomtest(count, networks).proportion_ci(method="wilson")
        shares.append(Share(depth, count, networks, interval.low, interval.high, 10.0**log10_p))
    return shares


def decay_per_layer(trace: Trace) -> Array:
    """Return log10 |(dE/dw_11^(1) / dE/dw_11^(depth))| / (depth - 1) of every network: decades a layer."""
    logs = trace.log10_gradients
    return np.asarray((logs[0] - logs[-1]) / (trace.networks.depth - 1))


def decay_against_scale(spec: ChainSpec, scales: Sequence[float], networks: int, seed: int) -> Array:
    """Return the 5 %, 50 % and 95 % quantiles of the decades per layer for every weight scale.

    Returns
    -------
    shape (len(scales), 3).

    Raises
    ------
    ValueError
        if there are no scales.
    """
    if not scales:
        raise ValueError("scales is empty: name at least one size of the weights")
    rows = [decay_per_layer(run(draw(replace(spec, scale=scale), networks, seed))) for scale in scales]
    return np.quantile(rows, [0.05, 0.5, 0.95], axis=1).T


def knife_edge(depth: int, offsets: Sequence[float]) -> Trace:
    """Run the sigmoid chain that does explode: w = 8 and b = -4 everywhere, x = 1/2 + offset.

    With offset 0 every pre-activation is exactly 0, so that every factor w h'(a) is 8/4 = 2. That
    point is a repelling fixed point of a -> 8 sigma(a) - 4. The output error is 1 for offset 0.
    """
    spec = ChainSpec(depth=depth, law="constant", scale=8.0, bias_scale=-4.0)
    x = np.tile(0.5 + np.asarray(offsets), (2, 1))
    return run(replace(draw(spec, len(offsets), seed=0), x=x, t=np.full(len(offsets), 3.0)))


def zero_causes(
    links: str, depth: int, networks: int, seed: int
) -> dict[str, tuple[dict[str, Array], Array]]:
    """Tell, layer by layer, why dE/dw_11^(l) is zero in random ReLU networks without and with biases.

    Returns
    -------
    "no biases" and "biases" -> what `first_conditions` returns, and P(not zero) by the closed form,
    shape (depth,).
    """
    found = {}
    for label, bias_scale in (("no biases", 0.0), ("biases", 1.0)):
        spec = ChainSpec(depth, links, "relu", bias_scale=bias_scale)
        layers = range(1, depth + 1)
        exact = [10 ** log10_probability_nonzero(depth, l, links, bias=bias_scale > 0) for l in layers]
        found[label] = (first_conditions(run(draw(spec, networks, seed))), np.array(exact))
    return found


def quantiles(logs: Array, levels: Sequence[float]) -> Array:
    """Return quantiles along the last axis, exact zeros (-inf) and NaN left out.

    Parameters
    ----------
    logs : shape (rows, B).

    Returns
    -------
    shape (len(levels), rows); NaN for a row without any number.
    """
    table = np.full((len(levels), len(logs)), np.nan)
    whole = np.isfinite(logs).all(axis=1)
    # one call for all of them: a call costs more than its numbers
    table[:, whole] = np.quantile(logs[whole], levels, axis=1)
    for row in np.flatnonzero(~whole):
        numbers = logs[row]
        finite = numbers[np.isfinite(numbers)]
        if finite.size:
            table[:, row] = np.quantile(finite, levels)
    return table


def quantiles_by_layer(trace: Trace, levels: Sequence[float]) -> Array:
    """Return `quantiles` over the batch of log10 |dE/dw_11^(l)|, shape (len(levels), depth)."""
    return quantiles(trace.log10_gradients, levels)
