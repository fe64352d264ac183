from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest

from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.finite_width import (
    born_dead_bounds,
    critical_sw2,
    fourth_moment_ratio,
    hanin_nica,
    he_mean_square,
    living_step,
    log10_alive,
    reciprocal_widths,
    width_to_survive,
)
from coursework.gradients.unweighted import sample_norms


def living_logs(width: int, layers: int, networks: int, seed: int, sw2: float = 2.0) -> np.ndarray:
    """ln ||delta^(1)|| / ||delta^(last)|| of the networks that live."""
    norms = sample_norms("relu", width, layers, sw2, networks=networks, seed=seed)
    first, last = norms.delta[[0, -1]][:, np.isfinite(norms.delta[0])] * np.log(10)
    return np.asarray(first - last)


@pytest.mark.parametrize(
    ("width", "mean", "variance"),
    # of ln ||z||^2, counted with matrices: -.583 4.953, -.808 4.262, -.796 3.572, -.397 1.243
    [(1, -0.5772, 4.9348), (2, -0.8083, 4.2652), (3, -0.7960, 3.5744), (8, -0.3988, 1.2470)],
)
def test_the_digamma_mixture_has_the_moments_found_elsewhere(
    width: int, mean: float, variance: float
) -> None:
    step = living_step(width)
    assert 2 * step.mean == pytest.approx(mean, abs=1e-4)
    assert 4 * step.variance == pytest.approx(variance, abs=1e-4)


@pytest.mark.parametrize(("width", "layers"), [(1, 5), (2, 8), (4, 20), (16, 30)])
def test_living_networks_follow_the_digamma_mixture(width: int, layers: int) -> None:
    logs = living_logs(width, layers, networks=24_000 // width, seed=width)
    step, steps = living_step(width), layers - 1
    error = math.sqrt(step.variance * steps / logs.size)
    assert abs(logs.mean() - step.mean * steps) < 4.5 * error
    assert logs.var() == pytest.approx(step.variance * steps, rel=0.25 if width < 4 else 0.08)


def test_the_assignments_living_networks_are_where_the_mixture_says() -> None:
    # 152 layers, 1 network in 10^19: drawn from the law given that it lives, and run with its weights
    trace = run(draw(ChainSpec(152, "full", "relu", law="he", alive=True), 400, seed=3))
    logs = (trace.log10_delta_norms[0] - trace.log10_delta_norms[-2]) * np.log(10)
    step = living_step(2)
    spread = math.sqrt(150 * step.variance)
    assert abs(logs.mean() - 150 * step.mean) < 4.5 * spread / math.sqrt(logs.size)
    assert logs.std() == pytest.approx(spread, rel=0.15)
    assert step.log10(150) == pytest.approx(-26.3, abs=0.1)


def test_the_typical_network_of_he_vanishes_and_the_critical_one_does_not() -> None:
    assert critical_sw2(1) == pytest.approx(2 * math.exp(np.euler_gamma))
    assert critical_sw2(1000) == pytest.approx(2.0, rel=0.01)
    logs = living_logs(4, 30, networks=8000, seed=1, sw2=critical_sw2(4))
    assert abs(logs.mean()) < 4.5 * logs.std() / math.sqrt(logs.size)


def test_the_mean_square_is_what_he_says_dead_networks_included() -> None:
    layers, networks = 4, 20_000
    norms = sample_norms("relu", 6, layers, 1.7, networks=networks, seed=2)
    # the first layer has mean square q_first / 2 a unit
    squares = 10.0 ** (2 * norms.z[-1]) / (6 / 2)
    error = squares.std() / math.sqrt(networks)
    assert np.mean(squares == 0) > 0.04
    assert abs(squares.mean() - he_mean_square(1.7, layers - 1)) < 5 * error


def test_the_spread_depends_on_the_sum_of_reciprocal_widths_alone() -> None:
    assert reciprocal_widths([2, 4, 4]) == 1.0
    # 5 layers of 60 and 10 of 120: the same beta, the same spread
    few, many = living_logs(60, 6, 3000, 3), living_logs(120, 11, 3000, 4)
    for logs, widths in ((few, [60] * 5), (many, [120] * 10)):
        law = hanin_nica(widths)
        assert logs.var() == pytest.approx(law.variance, rel=0.15)
        assert logs.mean() == pytest.approx(law.mean, abs=0.04)
    assert kstest((many - many.mean()) / many.std(), "norm").statistic < 0.04


def test_the_digamma_mixture_becomes_the_law_of_hanin_and_nica_as_layers_widen() -> None:
    exact = [4 * living_step(width).variance * width / 5 for width in (8, 50, 400)]
    assert exact == pytest.approx([2.0, 1.08, 1.01], abs=0.01)


def test_the_fourth_moment_is_the_product_and_below_its_bound() -> None:
    widths = [40] * 3
    squares = np.exp(2 * living_logs(40, 4, 20_000, 5))
    assert np.mean(squares**2) / np.mean(squares) ** 2 == pytest.approx(fourth_moment_ratio(widths), rel=0.05)
    assert fourth_moment_ratio(widths) < math.exp(5 * reciprocal_widths(widths))


@pytest.mark.parametrize(("width", "layers"), [(1, 4), (2, 9), (3, 12)])
def test_one_in_so_many_networks_lives(width: int, layers: int) -> None:
    networks = 20_000
    alive = np.isfinite(sample_norms("relu", width, layers, 2.0, networks=networks, seed=6).z[-1]).mean()
    p = 10 ** log10_alive(width, layers)
    assert abs(alive - p) < 5 * math.sqrt(p * (1 - p) / networks)


def test_how_wide_the_assignments_network_must_be() -> None:
    assert log10_alive(1, 152) == pytest.approx(math.log10(1.75e-46), abs=2e-3)
    assert width_to_survive(152, 0.5) == pytest.approx(7.78, abs=0.01)
    assert 10 ** log10_alive(8, 152) > 0.5 > 10 ** log10_alive(7, 152)


def born_dead_share(width: int, layers: int, networks: int, seed: int) -> float:
    # without biases each half line is one ray: the network is constant iff both x = 1 and x = -1 die
    rng = np.random.default_rng(seed)
    z = np.maximum(rng.standard_normal((width, 1, networks)) * np.array([1.0, -1.0])[:, np.newaxis], 0)
    for _ in range(layers - 1):
        w = rng.standard_normal((width, width, 1, networks))
        z = np.maximum((w * z[np.newaxis]).sum(axis=1), 0)
    return float(np.mean(np.all(z == 0, axis=(0, 1))))


@pytest.mark.parametrize(("width", "layers"), [(1, 2), (1, 5), (2, 2), (2, 5), (3, 8)])
def test_born_dead_networks_are_as_many_as_the_bounds_allow(width: int, layers: int) -> None:
    networks = 20_000
    low, high = born_dead_bounds(width, layers)
    error = 4.5 * math.sqrt(low * (1 - low) / networks)
    share = born_dead_share(width, layers, networks, seed=7)
    assert low - error <= share <= high + error
    if width == 1:
        assert low == pytest.approx(1 - 2.0 ** (1 - layers))
        assert abs(share - low) <= error


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="width is 0"):
        living_step(0)
    with pytest.raises(ValueError, match="at least one hidden layer"):
        reciprocal_widths([])
    with pytest.raises(ValueError, match="at least 2 hidden layers"):
        born_dead_bounds(2, 1)
    with pytest.raises(ValueError, match="probability 1"):
        width_to_survive(152, 1.0)
