from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.meanfield import critical_sw
from coursework.gradients.phase import narrow_phase, wide_phase


def test_the_critical_scales_of_the_activations() -> None:
    assert critical_sw("tanh") == pytest.approx(1.0, abs=1e-6)
    assert critical_sw("relu") == pytest.approx(np.sqrt(2))
    assert critical_sw("identity") == pytest.approx(1.0)
    assert critical_sw("sigmoid") == pytest.approx(10.15, abs=0.01)


def test_wide_networks_vanish_on_one_side_of_the_line_and_explode_on_the_other() -> None:
    phase = wide_phase("tanh", [0.7, 1.5], width=100, depth=20, networks=40, seed=0)
    assert phase.measured.shape == phase.predicted.shape == (20, 2)
    np.testing.assert_array_equal(phase.measured[0], 0.0)
    assert phase.measured[-1, 0] < -2
    assert phase.measured[-1, 1] > 0.2
    np.testing.assert_allclose(phase.measured, phase.predicted, atol=0.25)
    assert phase.sw[0] < phase.critical < phase.sw[1]


def test_narrow_living_networks_change_by_the_exact_amount_a_layer() -> None:
    phase = narrow_phase([1, 4, 64], [1.0, 2.5], networks=400, seed=1)
    # the median of so few narrow layers is a little over their mean
    np.testing.assert_allclose(phase.measured, phase.predicted, atol=0.08)
    assert phase.predicted[0, 0] == pytest.approx(-0.6352 / np.log(10), abs=1e-4)
    assert phase.critical[0] == pytest.approx(np.sqrt(2 * np.exp(np.euler_gamma)))
    assert phase.critical[-1] == pytest.approx(np.sqrt(2), rel=0.03)


def test_where_too_few_live_nothing_is_claimed() -> None:
    assert np.isnan(narrow_phase([1], [1.0], networks=20, seed=0).measured).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("activation", "ends"), [("tanh", (0.5, 4.0)), ("relu", (0.7, 2.8)), ("sigmoid", (1, 40))]
)
def test_planes_deeper_than_float64_reaches_are_measured(activation: str, ends: tuple[float, float]) -> None:
    plane = wide_phase(activation, ends, width=32, depth=1200, networks=3, seed=726)
    assert np.all(np.isfinite(plane.measured))
    assert np.all(np.isfinite(plane.predicted))
    low, high = plane.measured[-1]
    assert low < -300
    assert high > 40
