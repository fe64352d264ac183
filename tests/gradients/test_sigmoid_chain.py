from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest

from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.sigmoid_chain import (
    fixed_point_factor,
    log10_bound_per_layer,
    log_weight,
    sigmoid_step,
)


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0, 12.0])
def test_random_sigmoid_chains_are_log_normal_with_the_computed_mean_and_variance(scale: float) -> None:
    trace = run(draw(ChainSpec(depth=140, scale=scale), 2500, seed=8))
    # away from both ends, where the chain is stationary
    logs = (trace.log10_gradients[19] - trace.log10_gradients[119]) * np.log(10)
    step = sigmoid_step(scale)
    error = math.sqrt(step.variance * 100 / logs.size)
    assert abs(logs.mean() - 100 * step.mean) < 4.5 * error
    # the two ends add what one z varies by, about one step's variance
    assert logs.var() == pytest.approx(101 * step.variance, rel=0.14)
    assert kstest((logs - logs.mean()) / logs.std(), "norm").statistic < 0.05


def test_small_weights_leave_the_slope_at_a_quarter() -> None:
    step = sigmoid_step(0.01)
    assert step.mean == pytest.approx(log_weight(0.01).mean - math.log(4), abs=1e-4)
    assert step.variance == pytest.approx(math.pi**2 / 8, abs=1e-4)


def test_the_chain_vanishes_at_every_scale_and_slowest_near_three() -> None:
    means = {scale: sigmoid_step(scale).mean for scale in (1.0, 2.0, 3.0, 4.0, 8.0, 30.0)}
    assert max(means.values()) < 0
    assert max(means, key=lambda scale: means[scale]) == 3.0
    assert means[3.0] == pytest.approx(-1.45, abs=1e-3)


def test_the_bound_says_nothing_from_weights_of_four_on() -> None:
    assert log10_bound_per_layer(1.0) == pytest.approx(-0.60206)
    assert log10_bound_per_layer(4.0) == 0.0
    # and far over the truth before: W = 4 times the standard deviation of 1
    assert sigmoid_step(1.0).log10(1) < -0.9


def test_equal_weights_decay_by_the_factor_of_the_fixed_point() -> None:
    a, factor = fixed_point_factor(1.0)
    assert (a, factor) == pytest.approx((0.65905, 0.2247), abs=1e-4)
    # W0(1/e) is the largest, where a = 1 + W0(1/e)
    best = 1.2784645
    w = best * (1 + math.exp(-best))
    assert fixed_point_factor(w)[1] == pytest.approx(0.2784645, abs=1e-6)
    assert max(fixed_point_factor(w)[1] for w in np.geomspace(0.01, 100, 50)) <= 0.2784646
    assert abs(fixed_point_factor(-5.0)[1]) < 1
    with pytest.raises(ValueError, match=r"attracts for w > -5\.8"):
        fixed_point_factor(-6.0)


def test_scales_beyond_the_quadrature_are_refused() -> None:
    with pytest.raises(ValueError, match="scale is 100"):
        sigmoid_step(100.0)


def test_a_living_relu_chain_is_a_product_of_weights() -> None:
    spec = ChainSpec(depth=60, activation="relu", scale=1.3, alive=True)
    trace = run(draw(spec, 4000, seed=9))
    logs = trace.log10_gradients[0] * np.log(10)
    step = log_weight(1.3)
    # 59 weights, and the input, whose law is log_weight(1)
    spread = math.sqrt(60 * step.variance)
    error = trace.error.log10_abs() * np.log(10)
    off = logs - error - 59 * step.mean - log_weight(1.0).mean
    assert abs(off.mean()) < 4.5 * spread / math.sqrt(off.size)
    assert off.var() == pytest.approx(spread**2, rel=0.1)
