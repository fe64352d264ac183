"""Answers 2.3 and 2.4: exactly when, and why, dE/dw_jk^(l) is zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.chain import Networks, Trace
from coursework.gradients.exact import certain

Booleans = NDArray[np.bool_]

#: log10 of what float32 rounds to 0: half its smallest number, 2**-149.
_FLOAT32_ENDS = -150 * float(np.log10(2.0))

#: The conditions, in the order in which `first_conditions` looks for them.
CONDITIONS: dict[str, str] = {
    "error": "the output error is zero: a^({L}) = t",
    "source": "the weight's source is silent: z_{k}^({l}) = 0",
    "target": "the unit it leads to is inactive: a_{j}^({n}) <= 0",
    "path": "no path of active units and nonzero weights leads from unit {j} of layer {n} to the output",
    "cancellation": "the paths from unit {j} of layer {n} to the output cancel exactly",
}


def _judged(trace: Trace) -> Trace:
    trace.networks.require_plain("the list of conditions for a zero gradient")
    return certain(trace)


def live_paths(trace: Trace) -> dict[int, Booleans]:
    """Return, for layers 2..depth+1, which units reach the output over active units and nonzero weights.

    A unit's own slope does not count. Shapes (units, B).
    """
    networks = trace.networks
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
    of the others is. Whole numbers under "relu" and "identity" are judged without rounding at any depth
    (`certain`); other weights as the trace's 53 bits have them, so that there "cancellation" means down to
    the last of these bits.
    """
    trace = _judged(trace)
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
    trace = _judged(trace)
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
    text : the same in words, with the layer that cuts the path or silences the source.
    """

    zero: bool
    conditions: tuple[str, ...]
    text: str


def explain_zero(trace: Trace, l: int, j: int = 1, k: int = 1, network: int = 0) -> Explanation:
    """Say which conditions make dE/dw_jk^(l) zero in one network of the batch (counted from 0).

    Exact for whole numbers at any depth; see `zero_conditions`.
    """
    batch = trace.networks.batch
    if not 0 <= network < batch:
        raise ValueError(f"there is no network {network} in a batch of {batch}: choose 0 to {batch - 1}")
    one = _judged(trace.select(slice(network, network + 1)))
    holding = tuple(name for name, holds in _conditions(one, live_paths(one), l, j, k).items() if holds[0])
    weight = f"dE/dw_{j}{k}^({l})"
    if not holding:
        size = float(one.gradient(l, j, k)[0].log10_abs())
        text = f"{weight} is not zero: its magnitude is 10^{size:.2f}"
        if size < _FLOAT32_ENDS:
            text += "; float32 makes it 0, which is no proof of an inactive unit"
        return Explanation(False, (), text)
    names = {"L": trace.networks.depth + 1, "l": l, "n": l + 1, "j": j, "k": k}
    details = {"source": _silence(one, l, k), "path": _cut(one, l + 1, j)}
    reasons = "; ".join(CONDITIONS[name].format(**names) + details.get(name, "") for name in holding)
    return Explanation(True, holding, f"{weight} is exactly zero: {reasons}")


def _silence(one: Trace, l: int, k: int) -> str:
    """Say why unit k of layer l is silent: by itself, or since nothing reaches it from above."""
    if l == 1:
        return " (the input itself)"
    networks = one.networks
    links = _links(networks, l - 1)[k - 1]
    fed = links & ~one.z[l - 1].is_zero[:, 0]
    if fed.any() or networks.b:
        return f" (a_{k}^({l}) <= 0)"
    return f" (upstream: no active unit of layer {l - 1} leads to it over a weight that is not 0)"


def _cut(one: Trace, n: int, j: int) -> str:
    """Say where the last path from unit j of layer n to the output ends, downstream."""
    networks, reached = one.networks, np.arange(one.networks.units(n)) == j - 1
    for m in range(n, networks.depth + 1):
        reached = np.any(_links(networks, m) & reached, axis=1)
        if not reached.any():
            return f" (downstream: the weights onward in layer {m} are 0)"
        if m < networks.depth:
            reached = reached & ~networks.h.slope(one.a[m + 1]).is_zero[:, 0]
            if not reached.any():
                return f" (downstream: no unit of layer {m + 1} that it leads to is active)"
    return ""


def _links(networks: Networks, l: int) -> Booleans:
    """Return which weights of layer l of a single network are not 0, shape (units of l+1, units of l)."""
    w = networks.w[l][..., 0] != 0
    return np.diag(w) if networks.in_rows(l) else w
