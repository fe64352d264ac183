"""The kinds of number a network can be run with: scaled, floats of one format, whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from coursework.gradients.activations import Activation
from coursework.gradients.scaled import Scaled


@dataclass(frozen=True)
class Arithmetic:
    """What a network needs of its numbers besides `+`, `*`, unary `-`, `sum(axis)`, `shape` and indexing.

    Attributes
    ----------
    lift : from floats to these numbers.
    value : h(a). slope : h'(a) from (a, h(a)).
    is_zero : which numbers are exactly zero.
    inverse_sqrt : 1 / sqrt(x) from (x, mask); 0 where the mask holds.
    settle : called once a layer with (numbers, twos), where numbers of a narrow range go to about 2^twos.
    """

    lift: Callable[[Any], Any]
    value: Callable[[Any], Any]
    slope: Callable[[Any, Any], Any]
    is_zero: Callable[[Any], Any]
    inverse_sqrt: Callable[[Any, Any], Any]
    settle: Callable[[Any, int], Any] = lambda x, _: x


def scaled_numbers(h: Activation) -> Arithmetic:
    """Return the numbers that never underflow."""
    return Arithmetic(
        Scaled.of, h.value, lambda a, _: h.slope(a), lambda x: x.is_zero, lambda x, mask: x.inverse_sqrt(mask)
    )


def plain_numbers(h: Activation, dtype: DTypeLike) -> Arithmetic:
    """Return floats of one format, with the slopes that automatic differentiation uses."""

    def inverse_sqrt(x: Any, mask: Any) -> Any:
        one = x.dtype.type(1)
        return np.where(mask, x.dtype.type(0), one / np.sqrt(np.where(mask, one, x)))

    def lift(values: Any) -> Any:
        return np.asarray(values).astype(dtype)

    return Arithmetic(lift, h.plain_value, h.plain_slope, lambda x: x == 0, inverse_sqrt)
