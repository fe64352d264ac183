from __future__ import annotations

import math

import pytest
import torch

from coursework.gradients.mlp import build_mlp, check_decades, decades_per_layer, watch_training
from coursework.gradients.theory import Disagreement


def test_the_network_has_as_many_weight_matrices_as_asked_for() -> None:
    model = build_mlp("relu", layers=5, width=7)
    shapes = [tuple(p.shape) for name, p in model.named_parameters() if name.endswith("weight")]
    assert shapes == [(7, 2), (7, 7), (7, 7), (7, 7), (1, 7)]


def test_sigmoid_layers_fade_as_mean_field_theory_says_and_relu_layers_less() -> None:
    # torch draws weights with variance 1 / (3 width): a factor of 1/3 * 1/16 and of 1/3 * 1/2 on squares
    sigmoid = decades_per_layer(watch_training("sigmoid", layers=30, steps=1, seed=0))
    relu = decades_per_layer(watch_training("relu", layers=30, steps=1, seed=0))
    assert sigmoid == pytest.approx(0.5 * math.log10(1 / 48), abs=0.08)
    assert relu == pytest.approx(0.5 * math.log10(1 / 6), abs=0.08)


def test_layers_that_float32_has_lost_are_left_out() -> None:
    monitor = watch_training("sigmoid", layers=60, steps=1, seed=0)
    assert monitor.frame()["label"].iloc[0] == "underflowed"
    assert decades_per_layer(monitor) == pytest.approx(-0.88, abs=0.08)


def test_training_is_repeatable_and_leaves_torchs_global_state_alone() -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first, again = (watch_training("tanh", layers=3, steps=2, seed=5) for _ in range(2))
    assert first.table()[1] == again.table()[1]
    assert (first.table()[2] == again.table()[2]).all()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_a_slope_outside_its_range_is_found_out() -> None:
    monitor = watch_training("relu", layers=6, steps=1, seed=0)
    assert -0.6 < check_decades(monitor, -0.6, 0.1) < 0
    with pytest.raises(Disagreement, match="expected -2 to -1"):
        check_decades(monitor, -2, -1)


def test_networks_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(ValueError, match="'step' is unknown"):
        build_mlp("step", 5)
    with pytest.raises(ValueError, match="layers is 2"):
        build_mlp("relu", 2)
    with pytest.raises(ValueError, match="steps is 0"):
        watch_training("relu", 3, 0, seed=0)
