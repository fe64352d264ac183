"""What plain floating point makes of the same networks, and where it gives up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from coursework.gradients.arithmetic import plain_numbers
from coursework.gradients.chain import Networks, Pass, Trace, propagate

Floats = NDArray[np.floating[Any]]


def plain_gradients(networks: Networks, dtype: DTypeLike) -> Floats:
    """Return dE/dw_11^(l) computed throughout in `dtype`, as automatic differentiation would.

    Returns
    -------
    array of `dtype`, shape (depth, B), row l-1 for layer l, before clipping; 0 where it underflowed, and
    infinite or NaN where it overflowed.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        done: Pass[Floats] = propagate(networks, plain_numbers(networks.h, dtype))
        return np.stack([done.gradient(l) for l in range(1, networks.depth + 1)])


def lost(trace: Trace, dtype: DTypeLike) -> NDArray[np.bool_]:
    """Return where `dtype` says dE/dw_11^(l) = 0 although it is not zero; shape (depth, B)."""
    return np.asarray((plain_gradients(trace.networks, dtype) == 0) & np.isfinite(trace.log10_gradients))


def death_layers(trace: Trace, dtype: DTypeLike) -> NDArray[np.int64]:
    """Return, for every network, the last layer l whose gradient `dtype` loses; 0 if it loses none."""
    mask = lost(trace, dtype)
    numbers = np.arange(1, trace.networks.depth + 1)[:, np.newaxis]
    return np.asarray(np.where(mask, numbers, 0).max(axis=0), dtype=np.int64)


def log10_smallest(dtype: DTypeLike) -> float:
    """Return log10 of the smallest positive (subnormal) number of a float format."""
    return float(np.log10(float(np.finfo(np.dtype(dtype)).smallest_subnormal)))


def underflow_depth(factor: float, dtype: DTypeLike) -> int:
    """Return after how many layers a product of equal factors becomes exactly 0 in `dtype`.

    Parameters
    ----------
    factor : 0 < factor < 1, the change of the gradient from one layer to the one before.
    """
    if not 0 < factor < 1:
        raise ValueError(f"factor is {factor}: only a factor between 0 and 1 underflows")
    step = np.asarray(factor, dtype=dtype)
    product, layers = np.ones_like(step), 0
    with np.errstate(under="ignore"):
        while product > 0:
            product = product * step
            layers += 1
    return layers
