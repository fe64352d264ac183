"""What infinitely wide random networks do: fixed points, slopes, depth scales, the critical line.

Throughout, the weights into a layer of `n` units are independent with mean 0 and variance sw2 / n, the biases
have variance sb2, and z ~ N(0, 1). Expectations are sums over an even grid of z: for analytic h the error
falls geometrically with its step, and the grid, symmetric without a point at 0, is exact for rectified linear
units. Gauss-Hermite nodes are too far apart for the narrow slope of saturated units, and beyond q = 400 the
even grid is too: from there on the points lie evenly in arsinh(sqrt(q) z), dense around a = 0.

Sources: Poole et al. 2016 (arXiv:1606.05340, section 2: forward), Schoenholz et al. 2017 (arXiv:1611.01232,
section 3: depth scales, section 5: gradients). All of it assumes width -> infinity at fixed depth. It says
nothing of the spread between networks (`coursework.gradients.finite_width`), and needs depth / width << 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from coursework.gradients.activations import ACTIVATIONS, Activation

Array = NDArray[np.float64]

#: Fixed points are iterated for so long, and then looked for on a grid of q.
_STEPS = 4000
#: The variance from which the bend of an activation is narrow beside the even grid of z.
_WIDE = 400.0
#: sqrt(q) z and its square stay floats for q between the inverse of this and this.
_LARGEST = 1e300


@cache
def _gauss(points: int = 2000) -> tuple[Array, Array]:
    """Return points z and their probabilities under N(0, 1)."""
    z = (np.arange(points) + 0.5) * 20 / points - 10
    p = np.exp(-z * z / 2)
    return z, p / p.sum()


def _pre_activations(q: float, points: int = 2000) -> tuple[Array, Array]:
    """Return points a of N(0, q) and their probabilities."""
    root = float(np.sqrt(q))
    if q <= _WIDE:
        z, p = _gauss(points)
        return root * z, p
    end = np.arcsinh(10 * root)
    t = (np.arange(points) + 0.5) * 2 * end / points - end
    a = np.sinh(t)
    p = np.exp(-((a / root) ** 2) / 2) * np.cosh(t)
    return a, p / p.sum()


@dataclass(frozen=True)
class MeanField:
    """The maps of one activation and one pair of variances.

    Attributes
    ----------
    activation : a name in `ACTIVATIONS`.
    sw2 : variance of a weight times the number of units it comes from.
    sb2 : variance of a bias.
    """

    activation: str
    sw2: float
    sb2: float = 0.0

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation {self.activation!r} is unknown: choose one of {known}")
        if not (0 < self.sw2 < np.inf and 0 <= self.sb2 < np.inf):
            raise ValueError(f"sw2 {self.sw2} must be > 0 and sb2 {self.sb2} >= 0, both finite")

    @property
    def _h(self) -> Activation:
        return ACTIVATIONS[self.activation]

    def next_q(self, q: float) -> float:
        """Return q^(l+1) = sw2 E[h(sqrt(q) z)^2] + sb2, the variance of the next pre-activations.

        From q = 1e300 on, where float64 ends, the one of q = 1e300.
        """
        a, p = _pre_activations(min(q, _LARGEST))
        with np.errstate(over="ignore"):
            return float(self.sw2 * p @ self._h.plain_value(a) ** 2 + self.sb2)

    def chi(self, q: float) -> float:
        """Return sw2 E[h'(sqrt(q) z)^2]: the factor of the mean squared delta from a layer to the one before.

        `chi(fixed_point())` is the chi_1 of Schoenholz et al.: under 1 gradients vanish (ordered
        phase), over 1 they explode (chaotic phase). Outside 1e-300..1e300 the slope is that of the end.
        """
        a, p = _pre_activations(min(max(q, 1 / _LARGEST), _LARGEST))
        return float(self.sw2 * p @ self._h.plain_slope(a, self._h.plain_value(a)) ** 2)

    def trajectory(self, q_first: float, layers: int) -> Array:
        """Return q of `layers` layers from `q_first` on: the transient, which near criticality never ends."""
        q = [q_first]
        while len(q) < layers:
            q.append(self.next_q(q[-1]))
        return np.array(q)

    def fixed_point(self) -> float:
        """Return q*, the variance that the layers tend to from q = 1 (0 and infinity included).

        Raises
        ------
        ValueError
            if the variance neither settles within 4000 layers nor has a fixed point, 0 or infinity ahead
            that it leaves no doubt about, as on the critical line of tanh.
        """
        q = 1.0
        for _ in range(_STEPS):
            after = self.next_q(q)
            if abs(after - q) <= 1e-13 * max(after, 1e-300):
                return after
            if not 1e-200 < after < 1e200:
                return 0.0 if after < 1 else np.inf
            q = after
        return self._limit_from(q)

    def _limit_from(self, q: float) -> float:
        """Return where a slow variance tends to: the first q ahead that the map keeps, or 0 or infinity."""

        def growth(log10_q: float) -> float:
            return float(np.log(self.next_q(10.0**log10_q) / 10.0**log10_q))

        start = float(np.log10(q))
        way = np.sign(growth(start))
        before = start
        for ahead in start + way * np.linspace(0.05, 12, 240):
            if way * growth(ahead) < -1e-12:
                return float(10.0 ** brentq(growth, before, ahead, xtol=1e-14, rtol=1e-14))
            before = ahead
        if way * growth(before) > 1e-9:
            return 0.0 if way < 0 else np.inf
        raise ValueError(
            f"q of {self.activation!r} with sw2 {self.sw2:g}, sb2 {self.sb2:g} has no fixed point within "
            f"{_STEPS} layers: use trajectory()"
        )

    def log10_norms(self, q_first: float, layers: int) -> Array:
        """Return log10 of the root mean squared delta^(l) over that of the last of `layers` hidden layers.

        The sum of log10(chi(q^(m))) / 2 over the hidden layers m from l to the last but one, with the
        transient q, so that it holds at criticality too. Entry i belongs to the (i+1)-th hidden layer.
        Backward weights are taken as independent of the forward pass, which is exact for infinite width.
        """
        q = self.trajectory(q_first, layers)
        steps = [0.5 * np.log10(self.chi(q_l)) for q_l in q[:-1]]
        return np.append(np.cumsum(steps[::-1])[::-1], 0.0)

    def depth_scale_q(self) -> float:
        """Return xi_q = -1 / ln(dq^(l+1)/dq^(l) at q*): layers in which q - q* falls by e."""
        q = max(self._finite_fixed_point(), 1e-12)
        a, p = _pre_activations(q)
        value = self._h.plain_value(a)
        rate = self.sw2 * p @ (value * self._h.plain_slope(a, value) * a) / q
        return _scale(float(rate))

    def depth_scale_gradient(self) -> float:
        """Return xi = 1 / |ln chi_1|: layers in which the mean squared gradient changes by e.

        In the ordered phase it is also the scale at which two inputs grow alike.
        """
        return abs(_scale(self.chi(self._finite_fixed_point())))

    def _finite_fixed_point(self) -> float:
        q = self.fixed_point()
        if not np.isfinite(q):
            raise ValueError(
                f"q of {self.activation!r} with sw2 {self.sw2:g} grows for ever: it has no scale"
            )
        return q

    def next_c(self, c: float, q: float) -> float:
        """Return the correlation of two inputs' pre-activations one layer on, both of variance q."""
        z, p = _gauss(400)
        first = self._h.plain_value(np.sqrt(q) * z)
        mixed = c * z[:, np.newaxis] + np.sqrt(max(0.0, 1 - c * c)) * z
        second = self._h.plain_value(np.sqrt(q) * mixed) @ p
        return float((self.sw2 * p @ (first * second) + self.sb2) / self.next_q(q))


def _scale(rate: float) -> float:
    return np.inf if abs(rate) == 1 else -1 / float(np.log(abs(rate)))


def critical_line(activation: str, q: Array) -> Array:
    """Return the (sw2, sb2) at which chi_1 = 1, one for each fixed point q* in `q` that has one.

    With q* as the parameter no equation need be solved: sw2 = 1 / E[h'(sqrt(q*) z)^2] and
    sb2 = q* - sw2 E[h(sqrt(q*) z)^2], where that is not negative. Schoenholz et al. 2017, figure 1.

    Returns
    -------
    shape (up to len(q), 2).
    """
    points = []
    for q_star in np.asarray(q, dtype=np.float64):
        unit = MeanField(activation, 1.0)
        sw2 = 1 / unit.chi(float(q_star))
        sb2 = q_star - sw2 * unit.next_q(float(q_star))
        if sb2 >= -1e-12 * q_star:
            points.append((sw2, max(0.0, float(sb2))))
    return np.array(points).reshape(-1, 2)


def critical_sw(activation: str) -> float:
    """Return the standard deviation sw without biases at which chi_1 = 1: 1 for tanh, sqrt(2) for ReLU.

    About 10.15 for the sigmoid: wide networks of it do explode, unlike chains one unit wide. The point of
    `critical_line` with sb2 = 0, by bisection for q*; at q* -> 0 where the line ends there.

    Raises
    ------
    ValueError
        if the line has no such point for q* under 10,000.
    """
    unit = MeanField(activation, 1.0)

    def sw2(q: float) -> float:
        return 1 / unit.chi(q)

    def bias(q: float) -> float:
        return 1 - sw2(q) * unit.next_q(q) / q

    low, high = 1e-8, 1e4
    if bias(low) >= -1e-7:
        return float(np.sqrt(sw2(low)))
    if bias(high) < 0:
        raise ValueError(f"chi_1 of {activation!r} without biases is not 1 for any q* up to {high:g}")
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if bias(middle) < 0 else (low, middle)
    return float(np.sqrt(sw2(low)))


def log10_weight_norms(field: MeanField, q_first: float, layers: int) -> Array:
    """Return log10 of the root mean squared dE/dW^(l) over that of the last, l = 2..layers.

    dE/dW^(l) = delta^(l+1) z^(l)^T, so its mean square is that of delta^(l+1) times that of z^(l), which is
    (q^(l+1) - sb2) / sw2. Glorot and Bengio 2010 (section 4.2.1): for equal widths and units in
    their linear range the two changes cancel, so that dE/dW stays flat while delta vanishes.

    Parameters
    ----------
    layers : hidden layers; entry i belongs to the weights between hidden layers i + 1 and i + 2.

    Raises
    ------
    ValueError : q leaves the range of float64 on the way.
    """
    q = field.trajectory(q_first, layers)
    if not np.all((q > 1 / _LARGEST) & (q < _LARGEST)):
        raise ValueError(f"q of {field} leaves the range of float64 in {layers} layers: ask for fewer")
    deltas = field.log10_norms(q_first, layers)[1:]
    activity = 0.5 * np.log10((q[1:] - field.sb2) / field.sw2)
    both = deltas + activity
    return np.asarray(both - both[-1])


def spectrum_variance(activation: str, depth: int, q: float, orthogonal: bool = False) -> float:
    """Return var(s^2) / mean(s^2)^2 of the singular values s of the input-output Jacobian of `depth` layers.

    depth (mu_2 / mu_1^2 - 1 - s_1), mu_k = E[h'(sqrt(q) z)^(2k)], s_1 = -1 for Gaussian and 0 for orthogonal
    weights (Pennington, Schoenholz and Ganguli 2017, arXiv:1711.04735, section 2). 0 is dynamical isometry:
    only orthogonal weights with linear units have it (Saxe, McClelland and Ganguli 2014, arXiv:1312.6120).

    Parameters
    ----------
    q : variance of the pre-activations, the same in every layer (q = q*).
    """
    h = ACTIVATIONS[activation]
    a, p = _pre_activations(q)
    slope2 = h.plain_slope(a, h.plain_value(a)) ** 2
    mu1, mu2 = p @ slope2, p @ slope2**2
    return float(depth * (mu2 / mu1**2 - 1 + (0 if orthogonal else 1)))
