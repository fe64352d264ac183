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
    along, rest = two.pull_back((Scaled.of(np.array([[1.0], [0.0]])), None), number)
    pulled = along.to_float()[:, 0]
    assert np.all(rest.is_zero)
    assert pulled == pytest.approx(np.array([slope, -slope]) / 2, rel=1e-9)


def test_equal_numbers_normalize_to_zero_and_pass_their_gradient_centred() -> None:
    number = plain_numbers(ACTIVATIONS["tanh"], np.float64)
    same = normalized(np.full((3, 1), 7.0), 0, number)
    assert same.value.tolist() == [[0.0], [0.0], [0.0]]
    along, rest = same.pull_back((np.array([[3.0], [0.0], [0.0]]), None), number)
    pulled = (along + rest)[:, 0]
    assert pulled == pytest.approx(np.array([2.0, -1.0, -1.0]) / math.sqrt(EPSILON))


@pytest.mark.parametrize("length", [3, 4])
def test_the_parts_add_up_to_the_derivative_and_the_rest_is_perpendicular(length: int) -> None:
    rng = np.random.default_rng(length)
    a, g, more = rng.normal(size=(3, length, 2))
    number = plain_numbers(ACTIVATIONS["tanh"], np.float64)
    along, rest = normalized(a, 0, number).pull_back((g, more), number)

    def loss(a: np.ndarray) -> np.ndarray:
        centred = a - a.mean(axis=0)
        return (centred / np.sqrt((centred**2).mean(axis=0) + EPSILON) * (g + more)).sum(axis=0)

    for place in range(length):
        step = 1e-6 * np.eye(length)[:, [place]]
        slope = (loss(a + step) - loss(a - step)) / 2e-6
        np.testing.assert_allclose((along + rest)[place], slope, atol=1e-8)
    np.testing.assert_allclose([(rest * a).sum(axis=0), rest.sum(axis=0)], 0.0, atol=1e-12)
    np.testing.assert_allclose(along.sum(axis=0), 0.0, atol=1e-12)


def test_a_single_active_example_of_three_leaves_exactly_nothing_of_the_rest() -> None:
    number = plain_numbers(ACTIVATIONS["relu"], np.float64)
    alone = normalized(np.array([[0.0], [0.0], [0.7]]), 0, number)
    # upstream only the third example is active, so nothing but its gradient is sent back
    along, rest = alone.pull_back((np.array([[0.0], [0.0], [0.3]]), None), number)
    assert np.all(rest == 0)
    assert np.all(along != 0)


def test_cures_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="'weight' is unknown: choose none, batch, layer"):
        Cure(normalize="weight")
    with pytest.raises(ValueError, match="clip is 0"):
        Cure(clip=0.0)
    assert CURES["none"] == Cure()
