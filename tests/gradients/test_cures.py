from __future__ import annotations

import math

import numpy as np
import pytest

from coursework.gradients.activations import ACTIVATIONS
from coursework.gradients.arithmetic import plain_numbers, scaled_numbers
from coursework.gradients.cures import CURES, EPSILON, Cure, normalized
from coursework.gradients.scaled import Scaled


@pytest.mark.parametrize("d", [1e-3, 1.0, 1e9])
def test_two_numbers_normalized_are_a_sign_whose_slope_is_not_lost(d: float) -> None:
    number = scaled_numbers(ACTIVATIONS["tanh"])
    two = normalized(Scaled.of(np.array([[d + 5.0], [5.0 - d]])), 0, number)
    half = (d + 5.0 - (5.0 - d)) / 2
    variance = half**2 + EPSILON
    assert two.value.to_float()[:, 0] == pytest.approx(np.array([half, -half]) / math.sqrt(variance))
    slope = EPSILON / variance**1.5
    pulled = two.pull_back(Scaled.of(np.array([[1.0], [0.0]])), number).to_float()[:, 0]
    assert pulled == pytest.approx(np.array([slope, -slope]) / 2, rel=1e-9)


def test_equal_numbers_normalize_to_zero_and_pass_their_gradient_centred() -> None:
    number = plain_numbers(ACTIVATIONS["tanh"], np.float64)
    same = normalized(np.full((3, 1), 7.0), 0, number)
    assert same.value.tolist() == [[0.0], [0.0], [0.0]]
    pulled = same.pull_back(np.array([[3.0], [0.0], [0.0]]), number)[:, 0]
    assert pulled == pytest.approx(np.array([2.0, -1.0, -1.0]) / math.sqrt(EPSILON))


def test_cures_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="'weight' is unknown: choose none, batch, layer"):
        Cure(normalize="weight")
    with pytest.raises(ValueError, match="clip is 0"):
        Cure(clip=0.0)
    assert CURES["none"] == Cure()
