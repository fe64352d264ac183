from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from coursework.gradients.meanfield import (
    MeanField,
    critical_line,
    log10_weight_norms,
    spectrum_variance,
)
from coursework.gradients.unweighted import sample_norms


def root_mean_square(log10: np.ndarray) -> np.ndarray:
    """log10 of the root mean square over networks (last axis)."""
    largest = log10.max()
    return np.asarray(largest + 0.5 * np.log10(np.mean(10.0 ** (2 * (log10 - largest)), axis=-1)))


def test_the_maps_of_a_rectified_linear_unit_are_exact() -> None:
    field = MeanField("relu", 3.0, 0.5)
    assert field.next_q(2.0) == pytest.approx(3.0 * 2.0 / 2 + 0.5, rel=1e-12)
    assert field.chi(7.0) == pytest.approx(1.5, rel=1e-12)
    assert MeanField("relu", 1.0).fixed_point() == 0.0
    assert MeanField("relu", 2.0).fixed_point() == pytest.approx(1.0)
    assert MeanField("relu", 2.5).fixed_point() == np.inf


@pytest.mark.parametrize(
    ("activation", "sw2", "sb2", "chi"),
    # chi_1 counted in networks of width 1000: .05584, .17282, .3946, 1.155, 1.859
    [
        ("sigmoid", 1.0, 0.0, 0.05572),
        ("sigmoid", 4.0, 0.0, 0.17158),
        ("sigmoid", 16.0, 0.0, 0.3989),
        ("tanh", 1.5**2, 0.05**2, 1.137),
        ("tanh", 3.0**2, 0.3**2, 1.845),
    ],
)
def test_fixed_points_have_the_slopes_found_elsewhere(
    activation: str, sw2: float, sb2: float, chi: float
) -> None:
    field = MeanField(activation, sw2, sb2)
    q = field.fixed_point()
    assert field.next_q(q) == pytest.approx(q)
    assert field.chi(q) == pytest.approx(chi, rel=1e-3)


@pytest.mark.parametrize(
    ("activation", "sw2", "sb2"),
    [("tanh", 1, 0), ("tanh", 2.25, 0.0025), ("sigmoid", 1, 0.1), ("relu", 2, 0), ("sigmoid", 100, 0)],
)
def test_wide_networks_follow_the_predicted_norms_layer_by_layer(
    activation: str, sw2: float, sb2: float
) -> None:
    layers = 12
    field = MeanField(activation, sw2, sb2)
    found = sample_norms(activation, 400, layers, sw2, sb2, networks=150, seed=3)
    deltas = root_mean_square(found.delta) - root_mean_square(found.delta[-1])
    np.testing.assert_allclose(deltas, field.log10_norms(1.0, layers), atol=0.03)
    np.testing.assert_allclose(found.q.mean(axis=1), field.trajectory(1.0, layers), rtol=0.06)
    weights = root_mean_square(found.weights)
    np.testing.assert_allclose(weights - weights[-1], log10_weight_norms(field, 1.0, layers), atol=0.04)


def test_at_criticality_the_transient_is_right_where_the_fixed_point_is_not() -> None:
    field = MeanField("tanh", 1.0)
    with pytest.raises(ValueError, match="no fixed point within"):
        field.fixed_point()
    q = field.trajectory(1.0, 13)[-2:]
    # a power law: after 12 layers the variance is still 0.05 and the slope 0.92, not 0 and 1
    assert q == pytest.approx([0.0478, 0.0434], abs=1e-3)
    assert field.chi(q[-1]) == pytest.approx(0.924, abs=1e-3)


@pytest.mark.parametrize(
    ("activation", "sw2", "limit"),
    [("tanh", 0.9, 0.0), ("tanh", 0.99, 0.0), ("relu", 1.95, 0.0), ("relu", 2.05, np.inf)],
)
def test_a_variance_that_creeps_has_its_limit_too(activation: str, sw2: float, limit: float) -> None:
    assert MeanField(activation, sw2).fixed_point() == limit


def test_a_fixed_point_near_criticality_is_found_though_the_layers_take_long() -> None:
    field = MeanField("tanh", 1.0005)
    # E tanh^2 = q - 2 q^2 + 17/3 q^3: q* is near (sw2 - 1) / 2
    q = field.fixed_point()
    assert q == pytest.approx(0.0005 / 2, rel=2e-3)
    assert field.next_q(q) == pytest.approx(q, rel=1e-12)


@pytest.mark.parametrize("q", [300.0, 500.0, 1e4, 1e6, 1e8])
def test_the_slope_of_saturated_units_is_that_of_an_adaptive_integral(q: float) -> None:
    def density(a: float) -> float:
        return float(np.exp(-a * a / (2 * q)) / np.sqrt(2 * np.pi * q))

    tanh, _ = quad(lambda a: density(a) * np.cosh(a) ** -4, -30, 30, limit=400)
    assert MeanField("tanh", 1.0).chi(q) == pytest.approx(tanh, rel=1e-9)
    sigmoid, _ = quad(lambda a: density(a) * (2 * np.cosh(a / 2)) ** -4, -60, 60, limit=400)
    assert MeanField("sigmoid", 1.0).chi(q) == pytest.approx(sigmoid, rel=1e-9)
    # E tanh^2 = 1 - E sech^2
    missing, _ = quad(lambda a: density(a) * np.cosh(a) ** -2, -30, 30, limit=400)
    assert MeanField("tanh", 1.0).next_q(q) == pytest.approx(1 - missing, rel=1e-9)


def test_norms_of_networks_deeper_than_float64_reaches_are_predicted() -> None:
    layers = 1000
    for activation, sw2, factor in (("relu", 0.5, 0.25), ("relu", 8.0, 4.0), ("tanh", 0.25, 0.25)):
        norms = MeanField(activation, sw2).log10_norms(1e-20, layers)
        assert norms[0] == pytest.approx((layers - 1) * np.log10(factor) / 2, rel=1e-9)
    for sw2 in (0.5, 8.0):
        with pytest.raises(ValueError, match="leaves the range of float64 in 1000 layers"):
            log10_weight_norms(MeanField("relu", sw2), 1.0, layers)


def test_gradients_of_weights_stay_flat_where_delta_vanishes() -> None:
    # linear units, weights of a third of Glorot's variance, as torch draws them
    field = MeanField("identity", 1 / 3)
    assert field.log10_norms(1.0, 20)[0] == pytest.approx(-19 * np.log10(3) / 2)
    np.testing.assert_allclose(log10_weight_norms(field, 1.0, 20), 0.0, atol=1e-12)


def test_weights_under_four_in_every_entry_can_explode_in_a_wide_network() -> None:
    # a chain one unit wide never does; the critical sw of wide sigmoid networks without biases is about 10.2
    slopes = [MeanField("sigmoid", sw**2) for sw in (9.0, 12.0)]
    assert [field.chi(field.fixed_point()) > 1 for field in slopes] == [False, True]


def test_depth_scales_are_those_of_the_linearized_maps() -> None:
    small = MeanField("tanh", 0.5)
    assert small.depth_scale_q() == pytest.approx(-1 / np.log(0.5), rel=1e-6)
    assert small.depth_scale_gradient() == pytest.approx(-1 / np.log(0.5), rel=1e-6)
    field = MeanField("tanh", 2.25, 0.0025)
    q = field.fixed_point()
    step = 1e-5
    rate = (field.next_q(q + step) - field.next_q(q - step)) / (2 * step)
    assert field.depth_scale_q() == pytest.approx(-1 / np.log(rate), rel=1e-5)
    with pytest.raises(ValueError, match="grows for ever"):
        MeanField("relu", 3.0).depth_scale_gradient()


def test_equal_inputs_stay_equal_and_part_at_the_rate_chi() -> None:
    field = MeanField("tanh", 2.25, 0.0025)
    q = field.fixed_point()
    assert field.next_c(1.0, q) == pytest.approx(1.0)
    apart = 1e-4
    assert (1 - field.next_c(1 - apart, q)) / apart == pytest.approx(field.chi(q), rel=1e-3)
    assert field.next_c(0.9, q) < 0.9  # chaotic phase: they part


def test_on_the_critical_line_the_slope_is_one() -> None:
    for activation, size in (("tanh", 4), ("sigmoid", 2)):
        line = critical_line(activation, np.array([0.01, 0.5, 200.0, 2000.0]))
        assert len(line) == size
        for sw2, sb2 in line:
            field = MeanField(activation, sw2, sb2)
            assert field.chi(field.fixed_point()) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(critical_line("relu", np.array([1.0])), [[2.0, 0.0]], atol=1e-12)
    assert critical_line("sigmoid", np.array([0.5])).shape == (0, 2)


@pytest.mark.parametrize("orthogonal", [False, True])
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_the_spread_of_singular_values_grows_with_depth_as_predicted(
    activation: str, orthogonal: bool
) -> None:
    depth, width = 4, 240
    rng = np.random.default_rng(0)
    jacobian, z = np.eye(width), rng.standard_normal(width)
    for _ in range(depth):
        w = rng.standard_normal((width, width)) / np.sqrt(width)
        if orthogonal:
            w = np.linalg.qr(w)[0]
        a = w @ z
        slope = np.ones(width) if activation == "identity" else (a > 0).astype(float)
        z = slope * a
        z *= np.sqrt(width) / np.linalg.norm(z)
        jacobian = slope[:, np.newaxis] * (w @ jacobian)
    squares = np.linalg.svd(jacobian, compute_uv=False) ** 2
    measured = squares.var() / squares.mean() ** 2
    predicted = spectrum_variance(activation, depth, 1.0, orthogonal)
    assert measured == pytest.approx(predicted, rel=0.12, abs=1e-9)


def test_variances_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="sw2 0"):
        MeanField("tanh", 0.0)
    with pytest.raises(ValueError, match="'step' is unknown"):
        MeanField("step", 1.0)
