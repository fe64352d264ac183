"""The law of gradients in random sigmoid chains one unit wide: log-normal, far below the bound of 2.2."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from coursework.gradients.finite_width import LogNormal

Array = NDArray[np.float64]

_DEGREE = 80
#: Places of ln|w| / scale in the standard deviation's units: both tails end far under rounding.
_LOGS = np.linspace(-32.0, 2.5, 190)


def log_weight(scale: float) -> LogNormal:
    """Return mean and variance of ln|w| for w ~ N(0, scale^2): ln scale - (gamma + ln 2)/2 and pi^2/8.

    One factor of a living ReLU chain, whose gradients are products of such weights and nothing else.
    """
    return LogNormal(float(np.log(scale) - (np.euler_gamma + np.log(2)) / 2), float(np.pi**2 / 8))


def log10_bound_per_layer(largest: float) -> float:
    """Return log10(W / 4): the published bound's decades per layer for weights of at most W in magnitude.

    sigma' <= 1/4. No law of the weights is assumed, and nothing follows from it once W > 4.
    """
    return float(np.log10(largest / 4))


def fixed_point_factor(w: float) -> tuple[float, float]:
    """Return (a*, factor) of a sigmoid chain without biases whose weights all are `w` > -5.8.

    a* = w sigma(a*), and each layer multiplies the gradient by w sigma'(a*) = a* (1 - sigma(a*)): 0.2247 for
    w = 1, and at most W0(1/e) = 0.27846 for any positive w. Weights below about -5.87 have a cycle of two in
    place of the fixed point.
    """
    if not -5.8 < w < np.inf or w == 0:
        raise ValueError(f"w is {w}: the fixed point attracts for w > -5.8, and w = 0 has no gradient")
    low, high = min(w, 0.0), max(w, 0.0)
    for _ in range(200):
        a = (low + high) / 2
        if a - w / (1 + np.exp(-a)) > 0:
            high = a
        else:
            low = a
    return float(a), float(a * (1 - 1 / (1 + np.exp(-a))))


def _log_slope(a: Array) -> Array:
    return np.asarray(-np.abs(a) - 2 * np.log1p(np.exp(-np.abs(a))))


@lru_cache
def sigmoid_step(scale: float) -> LogNormal:
    """Return one layer's step of ln |dE/dw^(l)| in a chain of weights N(0, scale^2), no biases.

    By the central limit theorem for Markov chains ln |dE/dw^(1)| of a deep chain is normal: mean and variance
    grow by these a layer. The state is z; a step adds ln|w| + ln sigma'(w z) and goes to sigma(w z). The mean
    is that of the stationary law, the variance (correlations included) that of the martingale part, from
    Poisson's equation g - K g = E[step] - mean, solved on 81 Chebyshev points. No simulation is involved.

    Assumptions: many layers (the ends are not counted), independent weights, scale between 0.01 and 30.
    For scale = 1: mean -2.0852 and variance 1.1125; slowest near 3 (-1.45): it vanishes at every scale.

    Raises
    ------
    ValueError
        for a scale out of that range: the points do not resolve the step of the sigmoid.
    """
    if not 0.01 <= scale <= 30:
        raise ValueError(f"scale is {scale}: the quadrature is for standard deviations from 0.01 to 30")
    # w = +-scale e^t, whose density over t is smooth: the trapezoidal rule converges geometrically
    density = np.exp(_LOGS - np.exp(2 * _LOGS) / 2)
    p = np.concatenate([density, density])
    p = p / p.sum()
    w = scale * np.concatenate([np.exp(_LOGS), -np.exp(_LOGS)])
    points = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    z = (points + 1) / 2
    a = z[:, np.newaxis] * w
    after = 1 / (1 + np.exp(-np.clip(a, -700, 700)))
    to_values = np.linalg.inv(chebvander(points, _DEGREE))
    # interpolation from the points to where each step leads: shape (points, steps, points)
    onward = chebvander(2 * after - 1, _DEGREE) @ to_values
    expected = np.einsum("s,psq->pq", p, onward)
    step = np.log(np.abs(w)) + _log_slope(a)
    drift = step @ p
    stationary = np.linalg.matrix_power(expected, 64)[0]
    mean = float(stationary @ drift)
    # I - K has the constants as its kernel; one more row fixes g
    system = np.vstack([np.eye(_DEGREE + 1) - expected, stationary])
    g = np.linalg.lstsq(system, np.append(drift - mean, 0.0), rcond=None)[0]
    martingale = step + onward @ g - g[:, np.newaxis] - mean
    return LogNormal(mean, float(stationary @ (martingale**2 @ p)))
