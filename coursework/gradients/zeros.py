"""Answers 2.3 and 2.4: exactly when, and why, dE/dw_jk^(l) is zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.chain import Trace

Booleans = NDArray[np.bool_]

#: The conditions, in the order in which `first_conditions` looks for them.
CONDITIONS: dict[str, str] = {
    "error": "the output error is zero: a^({L}) = t",
    "source": "the weight's source is silent: z_{k}^({l}) = 0",
    "target": "the unit it leads to is inactive: a_{j}^({n}) <= 0",
    "path": "no path of active units and nonzero weights leads from unit {j} of layer {n} to the output",
    "cancellation": "the paths from unit {j} of layer {n} to the output cancel exactly",
}


def live_paths(trace: Trace) -> dict[int, Booleans]:
    """Return, for layers 2..depth+1, which units reach the output over active units and nonzero weights.

    A unit's own slope does not count. Shapes (units, B).
    """
    networks = trace.networks
    networks.require_plain("the list of conditions for a zero gradient")
    last = networks.depth + 1
    reaches: dict[int, Booleans] = {last: np.ones((1, networks.batch), dtype=bool)}
    open_below = reaches[last]
    for l in range(last - 1, 1, -1):
        w = networks.w[l] != 0
        reaches[l] = w & open_below if networks.in_rows(l) else np.any(w & open_below[:, np.newaxis], axis=0)
        open_below = reaches[l] & ~networks.h.slope(trace.a[l]).is_zero
    return reaches


def zero_conditions(trace: Trace, l: int, j: int = 1, k: int = 1) -> dict[str, Booleans]:
    """Return for every network which of the `CONDITIONS` make dE/dw_jk^(l) zero; arrays of shape (B,).

    The gradient is zero exactly where at least one of them holds. "cancellation" is set only where none
    of the others is.
    """
    return _conditions(trace, live_paths(trace), l, j, k)


def _conditions(trace: Trace, reaches: dict[int, Booleans], l: int, j: int, k: int) -> dict[str, Booleans]:
    gradient, networks = trace.gradient(l, j, k), trace.networks
    no = np.zeros(networks.batch, dtype=bool)
    into_output = l == networks.depth
    structural = {
        "error": trace.error.is_zero,
        "source": trace.z[l][k - 1].is_zero,
        "target": no if into_output else networks.h.slope(trace.a[l + 1][j - 1]).is_zero,
        "path": ~reaches[l + 1][j - 1],
    }
    return structural | {"cancellation": gradient.is_zero & ~np.any(list(structural.values()), axis=0)}


def first_conditions(trace: Trace) -> dict[str, NDArray[np.float64]]:
    """Return the share of networks whose dE/dw_11^(l) is zero by each condition first, and "nonzero".

    Returns
    -------
    arrays of shape (depth,); over all keys they sum to 1 for every layer.
    """
    depth, reaches = trace.networks.depth, live_paths(trace)
    shares = {name: np.zeros(depth) for name in (*CONDITIONS, "nonzero")}
    for l in range(1, depth + 1):
        conditions = _conditions(trace, reaches, l, 1, 1)
        undecided = np.ones(trace.networks.batch, dtype=bool)
        for name, holds in conditions.items():
            shares[name][l - 1] = np.mean(undecided & holds)
            undecided &= ~holds
        shares["nonzero"][l - 1] = np.mean(undecided)
    return shares


@dataclass(frozen=True)
class Explanation:
    """Whether dE/dw_jk^(l) of one network is zero, and the conditions that make it so.

    Attributes
    ----------
    zero : the gradient is exactly zero. conditions : keys of `CONDITIONS`, none if it is not.
    text : the same in words.
    """

    zero: bool
    conditions: tuple[str, ...]
    text: str


def explain_zero(trace: Trace, l: int, j: int = 1, k: int = 1, network: int = 0) -> Explanation:
    """Say which conditions make dE/dw_jk^(l) zero in one network of the batch (counted from 0)."""
    batch = trace.networks.batch
    if not 0 <= network < batch:
        raise ValueError(f"there is no network {network} in a batch of {batch}: choose 0 to {batch - 1}")
    holding = tuple(name for name, holds in zero_conditions(trace, l, j, k).items() if holds[network])
    weight = f"dE/dw_{j}{k}^({l})"
    if not holding:
        size = trace.gradient(l, j, k)[network].log10_abs()
        return Explanation(False, (), f"{weight} is not zero: its magnitude is 10^{float(size):.2f}")
    names = {"L": trace.networks.depth + 1, "l": l, "n": l + 1, "j": j, "k": k}
    reasons = "; ".join(CONDITIONS[name].format(**names) for name in holding)
    return Explanation(True, holding, f"{weight} is exactly zero: {reasons}")
