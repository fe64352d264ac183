"""Every prediction beside its measurement, each with the place where it stops to hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from coursework.gradients.finite_width import (
    born_dead_bounds,
    hanin_nica,
    he_mean_square,
    living_step,
    log10_alive,
)
from coursework.gradients.meanfield import MeanField, log10_weight_norms, spectrum_variance
from coursework.gradients.scaled import Array
from coursework.gradients.sweep import quantiles
from coursework.gradients.unweighted import Norms, sample_norms

_LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Series:
    """One measured curve with its theory.

    Attributes
    ----------
    label : its name in the figure. x : shape (N,).
    low, middle, high : measured, shape (N,): quantiles (5, 50, 95 %) of networks where `band` is true, an
        estimate with its 95 % interval otherwise.
    theory : the prediction at the same x; one row, or two that bound it, shape (1 or 2, N).
    holds : whether the prediction claims to hold here; the figure shows some beyond their regime as well.
    """

    label: str
    x: Array
    low: Array
    middle: Array
    high: Array
    theory: Array
    band: bool = True
    holds: bool = True


@dataclass(frozen=True)
class Comparison:
    """A panel: title with source, names of the axes, the curves, and where the prediction stops to hold."""

    title: str
    source: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    stops: str
    log_y: bool = False


def _banded(label: str, x: NDArray[Any], logs: Array, theory: Array, holds: bool = True) -> Series:
    low, middle, high = quantiles(logs, _LEVELS)
    return Series(label, np.asarray(x, float), low, middle, high, np.atleast_2d(theory), holds=holds)


def mean_field(networks: int, seed: int) -> Comparison:
    """delta of tanh networks against the layer, wide and narrow."""
    depth, field = 40, MeanField("tanh", 2.25, 0.0025)
    predicted = field.log10_norms(1.0, depth)
    series = []
    for width in (256, 4):
        norms = sample_norms("tanh", width, depth, field.sw2, field.sb2, networks=networks, seed=seed)
        logs = norms.delta - np.median(norms.delta[-1])
        series.append(_banded(f"{width} wide", np.arange(1, depth + 1), logs, predicted, width > 4))
    return Comparison(
        r"Mean field, tanh, $\sigma_w = 1.5$", "Schoenholz et al. 2017", "hidden layer",
        r"$\log_{10}\,\Vert\delta^{(l)}\Vert$", tuple(series),
        "narrow layers: 4 wide, the gradients vanish",
    )  # fmt: skip


def delta_against_weights(networks: int, seed: int) -> Comparison:
    """delta and dE/dW with a third of Glorot's variance, as torch draws linear layers."""
    width, depth = 200, 30
    field = MeanField("tanh", 1 / 3)
    norms = sample_norms("tanh", width, depth, field.sw2, q_first=0.1, networks=networks, seed=seed)
    layers = np.arange(1, depth + 1)
    series = (
        _banded(r"$\delta$", layers, _from_last(norms.delta), field.log10_norms(0.1, depth)),
        _banded(r"$dW$", layers[:-1], _from_last(norms.weights), log10_weight_norms(field, 0.1, depth)),
    )
    return Comparison(
        r"$\delta$ vanishes, $dW$ does not", "Glorot and Bengio 2010", "hidden layer",
        r"$\log_{10}$ norm, last layer = 0", series, "units that leave their linear range",
    )  # fmt: skip


def _from_last(logs: Array) -> Array:
    return np.asarray(logs - np.median(logs[-1]))


def _living(width: int, depth: int, networks: int, seed: int) -> Norms:
    norms = sample_norms("relu", width, depth, 2.0, networks=networks, seed=seed)
    alive = np.isfinite(norms.delta[0])
    return Norms(norms.delta[:, alive], norms.z[:, alive], norms.q[:, alive])


def living_relu(networks: int, seed: int) -> Comparison:
    """Mean of the logarithm of the gradient norm of living ReLU networks with He's weights, by width."""
    steps, widths = 5, (1, 2, 3, 4, 6, 8, 12, 16, 32)
    # of the narrowest 1 in 64 lives
    rows = [_living(n, steps + 1, networks * (64 if n == 1 else 8), seed + n).delta for n in widths]
    changes = [row[0] - row[-1] for row in rows]
    mean = np.array([change.mean() for change in changes])
    error = np.array([1.96 * change.std() / np.sqrt(change.size) for change in changes])
    x = np.array(widths, dtype=float)
    exact = np.array([[living_step(n).log10(steps) for n in widths]])
    wide = np.array([[hanin_nica([n] * steps).log10(1) for n in widths]])
    series = (
        Series("mixture", x, mean - error, mean, mean + error, exact, band=False),
        Series("wide limit", x, mean - error, mean, mean + error, wide, band=False, holds=False),
    )
    return Comparison(
        f"Living ReLU, He, {steps} layers", "digamma mixture; Hanin and Nica 2018", "units a layer",
        r"mean $\log_{10}$ change of $\Vert\delta\Vert$", series,
        "the wide limit (dotted) under 8 units; the mixture is exact",
    )  # fmt: skip


def spread(networks: int, seed: int) -> Comparison:
    """Variance of ln ||delta|| against the sum of reciprocal widths."""
    series = []
    for width in (100, 25, 6):
        depths = [max(2, round(beta * width)) for beta in (0.1, 0.2, 0.4, 0.7, 1.0)]
        norms = _living(width, max(depths) + 1, networks, seed + width)
        logs = np.log(10) * (norms.delta[-1 - np.array(depths)] - norms.delta[-1])
        variance = logs.var(axis=1)
        error = 1.96 * np.sqrt(2 / logs.shape[1]) * variance
        beta = np.array(depths) / width
        law = [[hanin_nica([width] * d).variance for d in depths]]
        series.append(Series(f"{width} wide", beta, variance - error, variance, variance + error,
                             np.array(law), band=False, holds=width >= 50))  # fmt: skip
    return Comparison(
        "Spread between networks, ReLU", "Hanin 2018", r"$\beta = \sum_l 1/n_l$",
        r"variance of $\ln\Vert\delta\Vert$", tuple(series), "under 50 units, which spread more",
    )  # fmt: skip


def mean_square(networks: int, seed: int) -> Comparison:
    """Mean square and median of ||z|| under He's weights, 8 units wide, dead networks included."""
    width, depth = 8, 12
    norms = sample_norms("relu", width, depth, 2.0, networks=20 * networks, seed=seed)
    squares = 10.0 ** (2 * norms.z) / (width / 2)
    mean = squares.mean(axis=1)
    error = 1.96 * squares.std(axis=1) / np.sqrt(squares.shape[1])
    x = np.arange(1.0, depth + 1)
    start = np.median(squares[0])
    typical = start * np.exp(2 * living_step(width).mean * (x - 1))
    median = np.median(squares, axis=1)
    he = np.array([[he_mean_square(2.0, layers) for layers in range(depth)]])
    series = (
        Series("mean square", x, mean - error, mean, mean + error, he, band=False),
        Series("median", x, median, median, median, typical[np.newaxis], band=False, holds=False),
    )
    return Comparison(
        "He keeps the mean, not the median", "He et al. 2015", "hidden layer",
        r"$\Vert z\Vert^2 / 4$", series, "no width; but ever fewer networks carry the mean", log_y=True,
    )  # fmt: skip


def alive(networks: int, seed: int) -> Comparison:
    """Share of ReLU networks through which one input's signal passes, against the depth."""
    depths = np.array([1, 2, 4, 8, 16, 32])
    series = []
    for width in (1, 2, 4, 8):
        norms = sample_norms("relu", width, int(depths[-1]), 2.0, networks=8 * networks, seed=seed + width)
        counts = np.isfinite(norms.z[depths - 1]).sum(axis=1)
        law = np.array([[10 ** log10_alive(width, int(d)) for d in depths]])
        series.append(_share(f"{width} wide", depths, counts, 8 * networks, law))
    return Comparison(
        "Alive at one input", r"$(1 - 2^{-n})^L$, any symmetric law", "hidden layers", "share of networks",
        tuple(series), "lopsided laws of the weights",
    )  # fmt: skip


def _share(label: str, x: NDArray[Any], counts: Array, networks: int, theory: Array) -> Series:
    intervals = [binomtest(int(c), networks).proportion_ci(method="wilson") for c in counts]
    low, high = np.array([(i.low, i.high) for i in intervals]).T
    return Series(label, np.asarray(x, float), low, np.asarray(counts) / networks, high, theory, band=False)


def born_dead(networks: int, seed: int) -> Comparison:
    """Share of ReLU networks of one input that are constant on the whole line, against the depth."""
    depth = 12
    series = []
    for width in (1, 2, 3):
        rng = np.random.default_rng(seed + width)
        # without biases each half line is one ray: dead if both x = 1 and x = -1 die
        z = np.maximum(rng.standard_normal((width, 1, networks)) * np.array([1.0, -1.0])[:, np.newaxis], 0)
        dead = []
        for _ in range(2, depth + 1):
            w = rng.standard_normal((width, width, 1, networks))
            z = np.maximum((w * z[np.newaxis]).sum(axis=1), 0)
            dead.append(int(np.count_nonzero(np.all(z == 0, axis=(0, 1)))))
        x = np.arange(2, depth + 1)
        bounds = np.transpose([born_dead_bounds(width, int(layers)) for layers in x])
        series.append(_share(f"{width} wide", x, np.array(dead), networks, bounds))
    return Comparison(
        "Born dead on the whole line", "Lu et al. 2019, both bounds", "hidden layers", "share of networks",
        tuple(series), "networks with biases",
    )  # fmt: skip


def isometry(networks: int, seed: int) -> Comparison:
    """Relative variance of the squared singular values of the Jacobian, against the depth."""
    width, depth = 128, 8
    rng = np.random.default_rng(seed)
    x = np.arange(1, depth + 1)
    series = []
    for activation, orthogonal in (("identity", False), ("identity", True), ("relu", True)):
        jacobian, z = np.eye(width), rng.standard_normal(width)
        measured = []
        for _ in range(depth):
            w = rng.standard_normal((width, width)) / np.sqrt(width)
            w = np.linalg.qr(w)[0] if orthogonal else w
            a = w @ z
            slope = (a > 0).astype(float) if activation == "relu" else np.ones(width)
            z = slope * a
            jacobian = slope[:, np.newaxis] * (w @ jacobian)
            squares = np.linalg.svd(jacobian, compute_uv=False) ** 2
            measured.append(squares.var() / squares.mean() ** 2)
        law = np.array([[spectrum_variance(activation, int(d), 1.0, orthogonal) for d in x]])
        values = np.array(measured)
        kind = "orthogonal" if orthogonal else "Gaussian"
        name = "linear" if activation == "identity" else "ReLU"
        series.append(Series(f"{kind}, {name}", x.astype(float), values, values, values, law, band=False))
    return Comparison(
        "Singular values of the Jacobian", "Saxe 2014, Pennington 2017", "layers",
        r"var$(s^2)$ / mean$(s^2)^2$", tuple(series), "depths that near the width (128)",
    )  # fmt: skip


#: Every comparison, in the order of the figure.
COMPARISONS: tuple[Callable[[int, int], Comparison], ...] = (
    mean_field, delta_against_weights, isometry, spread, living_relu, mean_square, alive, born_dead,
)  # fmt: skip


def compare_all(networks: int, seed: int) -> list[Comparison]:
    """Measure everything; `networks` is the number for the wide ones, narrow ones are drawn more often."""
    return [measure(networks, seed) for measure in COMPARISONS]
