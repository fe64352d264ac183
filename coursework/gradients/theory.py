"""What the formulas say about the chains: the closed form, the bound, the probability of a zero."""

from __future__ import annotations

import numpy as np

from coursework.gradients.chain import LINKS, Networks, Trace
from coursework.gradients.scaled import Array


class Disagreement(AssertionError):
    """Measurement and formula differ by more than rounding explains."""


def _require_chains(networks: Networks) -> None:
    networks.require_plain("this formula")
    if networks.links != "chains":
        raise ValueError(f"this formula is for links 'chains', not {networks.links!r}, whose paths branch")


def closed_form(trace: Trace) -> Array:
    """Answer 2.1: log10 |e z^(l) prod_{m=l+1}^{depth} w^(m) h'(a^(m))| for w_11^(l), every l at once.

    Only the pre-activations and the output error are taken from `trace`; the product is a sum of
    logarithms from the output down, so no backward pass is involved.

    Returns
    -------
    shape (depth, B), row l-1 for layer l.

    Raises
    ------
    ValueError
        for fully connected networks.
    """
    networks = trace.networks
    _require_chains(networks)
    depth, h = networks.depth, networks.h
    product = trace.error.log10_abs()
    rows = []
    for l in range(depth, 0, -1):
        rows.append(product + trace.z[l][0].log10_abs())
        if l > 1:
            with np.errstate(divide="ignore"):
                product = product + np.log10(np.abs(networks.weight(l))) + h.slope(trace.a[l][0]).log10_abs()
    return np.stack(rows[::-1])


def sigmoid_bound(trace: Trace) -> Array:
    """Answer 2.2: log10 of |e| z^(l) (W/4)^(depth-l), W = max |w_11^(m)| over m = 2..depth.

    sigma' is at most 1/4, so no gradient lies above; shape (depth, B).
    """
    networks = trace.networks
    _require_chains(networks)
    if networks.activation != "sigmoid":
        raise ValueError(f"the bound rests on sigma' <= 1/4 and says nothing about {networks.activation!r}")
    depth = networks.depth
    largest = np.max([np.abs(networks.weight(m)) for m in range(2, depth + 1)], axis=0)
    with np.errstate(divide="ignore"):
        log_factor = np.log10(largest / 4.0)
    rows = []
    for l in range(1, depth + 1):
        power = log_factor * (depth - l) if l < depth else np.zeros_like(log_factor)
        rows.append(trace.error.log10_abs() + trace.z[l][0].log10_abs() + power)
    return np.stack(rows)


def log10_probability_nonzero(depth: int, l: int, links: str, width: int = 2, bias: bool = False) -> float:
    """Return log10 P(dE/dw_11^(l) != 0) of a ReLU network under a continuous symmetric weight law.

    Given a layer before it that is not all zero, each unit is active with probability 1/2, whatever the
    law. Without biases the signal must survive every layer; random symmetric biases revive it, so only
    the layers from l on count.

    Parameters
    ----------
    depth : weight layers. l : the weight's layer, 1..depth.
    links : "chains" or "full". width : units per layer (no matter for chains).
    bias : whether there are biases, of a continuous symmetric law.

    Raises
    ------
    ValueError
        if the network has no weight layer l, or for unknown links.
    """
    if not 1 <= l <= depth or depth < 2:
        raise ValueError(f"there is no weight layer {l} in a network of depth {depth} (at least 2)")
    if links not in LINKS:
        raise ValueError(f"links {links!r} is unknown: choose one of {', '.join(LINKS)}")
    # hidden layers are 2..depth; unit 1 of these layers must be active, since w_11^(l) joins them
    named = {l, l + 1} & set(range(2, depth + 1))
    counted = set(range(l if bias else 2, depth + 1)) & set(range(2, depth + 1))
    if links == "chains":
        return -len(counted | named) * float(np.log10(2.0))
    some_active = float(np.log10(1.0 - 0.5**width))
    return -len(named) * float(np.log10(2.0)) + len(counted - named) * some_active


def check_closed_form(trace: Trace, tolerance: float = 1e-9) -> float:
    """Return the largest |difference| of log10 between `closed_form` and the backward pass.

    Raises
    ------
    Disagreement
        if it exceeds `tolerance`, or if the two do not have their exact zeros in the same places.
    """
    measured, formula = trace.log10_gradients, closed_form(trace)
    finite = np.isfinite(measured)
    if not np.array_equal(finite, np.isfinite(formula)):
        raise Disagreement("closed form and backward pass have their exact zeros in different places")
    worst = float(np.max(np.abs(measured[finite] - formula[finite]), initial=0.0))
    if worst > tolerance:
        raise Disagreement(f"closed form and backward pass differ by {worst:.3g} (allowed {tolerance:g})")
    return worst


def check_bound(trace: Trace, tolerance: float = 1e-9) -> float:
    """Return the median over networks of log10(bound / gradient) at layer 1.

    Raises
    ------
    Disagreement
        if any gradient lies above the bound by more than `tolerance` in log10.
    """
    slack = sigmoid_bound(trace) - trace.log10_gradients
    if np.min(slack) < -tolerance:
        raise Disagreement(f"a gradient lies {-np.min(slack):.3g} (log10) above the bound of answer 2.2")
    return float(np.median(slack[0]))
