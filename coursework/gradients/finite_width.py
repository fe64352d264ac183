"""What networks of finite width add to mean-field theory: spread, and narrow ReLU networks exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import comb, polygamma, psi

_LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class LogNormal:
    """A sum of independent steps in ln |gradient|: after many, normally distributed.

    Attributes
    ----------
    mean, variance : of one layer's step, in natural logarithms of a norm.
    """

    mean: float
    variance: float

    def log10(self, layers: float, deviations: float = 0.0) -> float:
        """Return log10 of the factor of `layers` layers, `deviations` standard deviations off the median."""
        spread = deviations * np.sqrt(self.variance * layers)
        return float((self.mean * layers + spread) / _LN10)


def _check_width(width: int) -> None:
    if width < 1:
        raise ValueError(f"width is {width}: a layer has at least 1 unit")


def living_step(width: int, sw2: float = 2.0) -> LogNormal:
    """Return the exact law of one layer's step in ln ||z|| of a living ReLU network.

    Assumptions: Gaussian weights of variance sw2 / width, no biases, equal widths, and at least one active
    unit in the layer. Given k active units, ||z^(l+1)||^2 / ||z^(l)||^2 is sw2 / width times chi-squared with
    k degrees of freedom, and k has probability C(width, k) / (2^width - 1). So d ln ||z||^2 is a mixture with
    means psi(k/2) + ln 2 + ln(sw2 / width) and variances psi_1(k/2). The steps are independent: a living
    network is log-normal at any depth. The gradients run over the same matrices the other way, with the same
    law. Own derivation, from rotation invariance. The values returned are for ln ||z||, half of ln ||z||^2.
    """
    _check_width(width)
    k = np.arange(1, width + 1)
    p = comb(width, k) / (2.0**width - 1)
    means = psi(k / 2) + np.log(2 * sw2 / width)
    mean = float(p @ means)
    variance = float(p @ (polygamma(1, k / 2) + means**2) - mean**2)
    return LogNormal(mean / 2, variance / 4)


def critical_sw2(width: int) -> float:
    """Return the sw2 at which the *typical* living ReLU network of this width neither vanishes nor explodes.

    The zero of `living_step(width, sw2).mean`. It is over He's 2, to which it falls with the width: He et
    al. 2015 keep the *mean* square constant, which few giant networks carry.
    """
    return float(np.exp(-2 * living_step(width, 1.0).mean))


def he_mean_square(sw2: float, layers: int) -> float:
    """Return E ||z||^2 after `layers` ReLU layers over before: (sw2 / 2)^layers, for every width.

    He et al. 2015 (arXiv:1502.01852, section 2.2), dead networks included, symmetric weights, no biases.
    """
    return float((sw2 / 2) ** layers)


def reciprocal_widths(widths: Sequence[int]) -> float:
    """Return beta = sum of 1 / n_l over the hidden layers: the only thing the spread depends on.

    Hanin 2018 (arXiv:1801.03744).
    """
    if not widths or min(widths) < 1:
        raise ValueError(f"widths are {list(widths)}: name at least one hidden layer of at least 1 unit")
    return float(sum(1 / n for n in widths))


def fourth_moment_ratio(widths: Sequence[int]) -> float:
    """Return E||Jv||^4 / (E||Jv||^2)^2 = prod(1 + 5 / n_l) of a ReLU network with He's weights, exactly.

    J is the Jacobian from the input to the last hidden layer, v fixed; Gaussian weights, no biases. At most
    exp(5 beta) (Hanin 2018, arXiv:1801.03744; the constant 5 by hand: for Gaussian weights a layer gives
    E(sum B g^2)^2 / (n/2)^2 = 1 + 5/n). Once beta > 1 the tail is so heavy that samples fall short of it.
    """
    reciprocal_widths(widths)
    return float(np.prod([1 + 5 / n for n in widths]))


def hanin_nica(widths: Sequence[int]) -> LogNormal:
    """Return the law of ln ||Jv|| of the *whole* ReLU network at sw2 = 2: N(-5 beta / 4, 5 beta / 4).

    Hanin and Nica 2018 (arXiv:1812.05994): ln ||Jv||^2 is normal with variance 5 beta and mean
    minus half of it, up to terms of order sum of 1 / n_l^2. The variance is 8 % too small at width 50 and
    half of the truth at width 8, where `living_step` is exact.
    """
    beta = reciprocal_widths(widths)
    return LogNormal(-5 * beta / 4, 5 * beta / 4)


def log10_alive(width: int, layers: int) -> float:
    """Return log10 P(one input's signal survives `layers` ReLU layers) = layers log10(1 - 2^-width).

    Any continuous symmetric law of weights and biases: given the layer before, each unit is active with
    probability 1/2, independently of the others. (With biases a later layer may wake again; this counts
    networks with no silent layer at all.) Own proof; the lower bound of Rister and Rubin 2020
    (arXiv:2007.06192) rests on the same fact.
    """
    _check_width(width)
    return float(layers * np.log1p(-(0.5**width)) / _LN10)


def width_to_survive(layers: int, probability: float) -> float:
    """Return the width at which `log10_alive` reaches `probability`: -log2(1 - probability^(1/layers))."""
    if not 0 < probability < 1 or layers < 1:
        raise ValueError(f"probability {probability} must lie between 0 and 1, layers {layers} be >= 1")
    return float(-np.log2(-np.expm1(np.log(probability) / layers)))


def born_dead_bounds(width: int, layers: int) -> tuple[float, float]:
    """Return bounds of P(a ReLU network of one input is constant on the whole real line), "born dead".

    Lu, Shin, Su and Karniadakis 2019 (arXiv:1903.06733): with K = layers + 1, a_1 = 1 - 2^-n
    and a_2 = 1 - 2^(1-n) - (n - 1) 4^-n, at most 1 - a_1^(K-1) and at least 1 - a_1^(K-2) + (1 - 2^(1-n))
    (1 - 2^-n) / (1 + (n - 1) 2^-n) (a_2^(K-2) - a_1^(K-2)).
    Assumptions: symmetric weights, no biases, `layers` hidden layers of `width` units. Width 1: the network
    is dead unless the `layers - 1` later weights are positive, 1 - 2^(1-layers) exactly, the lower bound.
    """
    _check_width(width)
    if layers < 2:
        raise ValueError(f"layers is {layers}: the bounds are for at least 2 hidden layers")
    n, k = width, layers + 1
    a1 = 1 - 0.5**n
    a2 = 1 - 2.0 ** (1 - n) - (n - 1) * 4.0**-n
    factor = (1 - 2.0 ** (1 - n)) * (1 - 0.5**n) / (1 + (n - 1) * 0.5**n)
    low = 1 - a1 ** (k - 2) + factor * (a2 ** (k - 2) - a1 ** (k - 2))
    return low, 1 - a1 ** (k - 1)
