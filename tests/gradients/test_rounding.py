"""How far 53 bits carry: what the notebook says of numbers that do not underflow but do round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.scaled import Array


def logs_of_neighbours(spec: ChainSpec, networks: int) -> tuple[Array, Array]:
    """log10 of the gradients at the inputs, and at inputs that differ in their last place only."""
    batch = draw(spec, networks, 3)
    beside = replace(batch, x=np.nextafter(batch.x, np.inf))
    return run(batch).log10_gradients, run(beside).log10_gradients


@pytest.mark.parametrize(
    "spec",
    [
        ChainSpec(152, scale=1.0),
        ChainSpec(152, activation="relu", scale=np.sqrt(2), alive=True),
        ChainSpec(152, "full", "tanh", scale=0.7 / np.sqrt(16), width=16),
    ],
    ids=["sigmoid chains", "living ReLU chains", "ordered tanh"],
)
def test_where_differences_shrink_the_logarithms_stand_to_the_last_places(spec: ChainSpec) -> None:
    here, beside = logs_of_neighbours(spec, 20)
    np.testing.assert_allclose(here, beside, atol=1e-9)


def test_in_chaotic_networks_a_single_gradient_is_rounding_and_only_its_law_is_not() -> None:
    here, beside = logs_of_neighbours(ChainSpec(152, "full", "tanh", scale=3 / np.sqrt(32), width=32), 60)
    moved = np.abs(here - beside).max(axis=0)
    assert np.mean(moved > 0.1) > 0.8
    np.testing.assert_allclose(np.median(here, axis=1), np.median(beside, axis=1), atol=1.5)
    assert np.median(here[0]) > np.median(here[-1]) + 10
