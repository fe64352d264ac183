"""The activations h and their slopes h': exactly scaled, and as a plain float computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from coursework.gradients.scaled import LARGEST_ARGUMENT, Scaled

Floats = NDArray[np.floating[Any]]

#: From here on down tanh(a) = a to the last bit of a float64: a**2 / 3 < 2**-60.
_TANH_IS_LINEAR = -30
#: The activations of straight pieces that meet in 0: h(c a) = c h(a) for c > 0, and no slope is ever lost.
STRAIGHT = ("relu", "leaky relu", "identity")
#: The slope of the leaky rectified linear unit for a <= 0, PyTorch's own.
LEAK = 0.01
_SQRT_TAU = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True)
class Activation:
    """One activation.

    Attributes
    ----------
    name : the key in `ACTIVATIONS`.
    value, slope : h(a) and h'(a) of scaled numbers.
    plain_value : h(a) of floats of any precision, in that precision.
    plain_slope : h'(a) from (a, h(a)), by the formula that automatic differentiation uses.
    """

    name: str
    value: Callable[[Scaled], Scaled]
    slope: Callable[[Scaled], Scaled]
    plain_value: Callable[[Floats], Floats]
    plain_slope: Callable[[Floats, Floats], Floats]


def _sigmoid(a: Scaled) -> Scaled:
    x = a.to_float()
    return Scaled.exp(np.minimum(x, 0.0)) * (1.0 / (1.0 + np.exp(-np.abs(x))))


def _sigmoid_slope(a: Scaled) -> Scaled:
    # sigma(a) sigma(-a): z (1 - z) would be exactly 0 from a = 36.7 on
    x = np.abs(a.to_float())
    return Scaled.exp(-x) * (1.0 / (1.0 + np.exp(-x)) ** 2)


def _plain_sigmoid(a: Floats) -> Floats:
    one = a.dtype.type(1)
    with np.errstate(over="ignore"):
        return np.asarray(one / (one + np.exp(-a)))


def _tanh(a: Scaled) -> Scaled:
    bent = Scaled.of(np.tanh(a.to_float()))
    linear = a.exponent < _TANH_IS_LINEAR
    return Scaled(np.where(linear, a.mantissa, bent.mantissa), np.where(linear, a.exponent, bent.exponent))


def _tanh_slope(a: Scaled) -> Scaled:
    x = 2.0 * np.abs(a.to_float())
    return Scaled.exp(-x) * (4.0 / (1.0 + np.exp(-x)) ** 2)


def _relu(a: Scaled) -> Scaled:
    live = a.mantissa > 0
    return Scaled(np.where(live, a.mantissa, 0.0), np.where(live, a.exponent, 0))


def _leaky_relu(a: Scaled) -> Scaled:
    return a * _leaky_slope(a)


def _leaky_slope(a: Scaled) -> Scaled:
    return Scaled.of(np.where(a.mantissa > 0, 1.0, LEAK))


def _gelu(a: Scaled) -> Scaled:
    return a * _tail(log_ndtr(a.to_float()))


def _gelu_slope(a: Scaled) -> Scaled:
    x = a.to_float()
    density = _tail(-0.5 * x * x) * (1.0 / _SQRT_TAU)
    return _tail(log_ndtr(x)) + a * density


def _tail(logarithm: Floats) -> Scaled:
    # from a = -4e7 down the tails of the normal law end at e^(-2^50): smaller exponents are no whole numbers
    return Scaled.exp(np.maximum(logarithm, -LARGEST_ARGUMENT))


def _plain_gelu_slope(a: Floats, z: Floats) -> Floats:
    density = np.exp(-a * a / a.dtype.type(2)) / a.dtype.type(_SQRT_TAU)
    return np.asarray(ndtr(a) + a * density)


#: The activations by name. At a = 0 the (leaky) rectified linear unit has its left slope, as in PyTorch.
ACTIVATIONS: dict[str, Activation] = {
    record.name: record
    for record in (
        Activation("sigmoid", _sigmoid, _sigmoid_slope, _plain_sigmoid, lambda a, z: z * (1 - z)),
        Activation("tanh", _tanh, _tanh_slope, np.tanh, lambda a, z: 1 - z * z),
        Activation(
            "relu",
            _relu,
            lambda a: Scaled.of(a.mantissa > 0),
            lambda a: np.maximum(a, a.dtype.type(0)),
            lambda a, z: (a > 0).astype(a.dtype),
        ),
        Activation(
            "leaky relu",
            _leaky_relu,
            _leaky_slope,
            lambda a: np.where(a > 0, a, a * a.dtype.type(LEAK)),
            lambda a, z: np.where(a > 0, a.dtype.type(1), a.dtype.type(LEAK)),
        ),
        Activation("gelu", _gelu, _gelu_slope, lambda a: np.asarray(a * ndtr(a)), _plain_gelu_slope),
        Activation(
            "identity",
            lambda a: a,
            lambda a: Scaled.of(np.ones(a.shape)),
            lambda a: a,
            lambda a, z: np.ones_like(a),
        ),
    )
}
