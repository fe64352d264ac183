from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from coursework.gradients.activations import ACTIVATIONS
from coursework.gradients.scaled import Scaled


@given(st.floats(-2000, 2000))
@settings(deadline=None, max_examples=50)
def test_the_sigmoid_and_its_slope_hold_in_saturation(x: float) -> None:
    sigmoid = ACTIVATIONS["sigmoid"]
    a = Scaled.of(np.array(x))
    with mp.workdps(1000):
        z = 1 / (1 + mp.exp(-mpf(x)))
        value, slope = float(mp.log10(z)), float(mp.log10(z * (1 - z)))
    assert float(sigmoid.value(a).log10_abs()) == pytest.approx(value, rel=1e-13, abs=1e-15)
    assert float(sigmoid.slope(a).log10_abs()) == pytest.approx(slope, rel=1e-13)


def test_the_slope_of_the_sigmoid_is_a_quarter_at_most() -> None:
    a = np.linspace(-50, 50, 1001)
    slopes = ACTIVATIONS["sigmoid"].slope(Scaled.of(a)).to_float()
    assert slopes.max() == slopes[500] == 0.25


def test_tanh_keeps_numbers_far_under_the_smallest_float() -> None:
    tiny = Scaled.exp(np.array(-5000.0))
    assert ACTIVATIONS["tanh"].value(tiny).log10_abs() == tiny.log10_abs()
    assert ACTIVATIONS["tanh"].slope(tiny).to_float() == 1


def test_the_rectified_linear_unit_has_slope_zero_at_zero() -> None:
    a = Scaled.of(np.array([-2.0, 0.0, 3.0]))
    assert ACTIVATIONS["relu"].value(a).to_float().tolist() == [0, 0, 3]
    assert ACTIVATIONS["relu"].slope(a).to_float().tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plain_and_scaled_formulas_are_the_same_function(name: str, dtype: type) -> None:
    activation = ACTIVATIONS[name]
    a = np.linspace(-6, 6, 49).astype(dtype)
    z = activation.plain_value(a)
    slope = activation.plain_slope(a, z)
    assert z.dtype == slope.dtype == dtype
    tolerance = 1e-12 if dtype is np.float64 else 1e-5
    np.testing.assert_allclose(z, activation.value(Scaled.of(a)).to_float(), rtol=tolerance)
    np.testing.assert_allclose(slope, activation.slope(Scaled.of(a)).to_float(), rtol=0, atol=tolerance)
