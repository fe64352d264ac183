from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.rare import living_probability


def log10_of_factors(*factors: tuple[float, int]) -> float:
    return float(sum(power * np.log10(share) for share, power in factors))


# one fair coin for each unit that must be active, 1 - 2^-n for each layer of which some unit must be
EXACT = {
    "one chain": ({"width": 1}, 1, log10_of_factors((0.5, 151))),
    "two chains, as unlikely": ({}, 77, log10_of_factors((0.5, 151))),
    "two chains with biases": ({"bias_scale": 1.0}, 77, log10_of_factors((0.5, 76))),
    "two wide": ({"links": "full"}, 1, log10_of_factors((0.5, 1), (0.75, 150))),
    "two wide, uniform, middle": (
        {"links": "full", "law": "uniform"},
        77,
        log10_of_factors((0.5, 2), (0.75, 149)),
    ),
    "two wide with biases": (
        {"links": "full", "bias_scale": 0.5},
        77,
        log10_of_factors((0.5, 2), (0.75, 74)),
    ),
    "four wide": ({"links": "full", "width": 4}, 152, log10_of_factors((0.5, 1), (1 - 2**-4, 150))),
}


@pytest.mark.parametrize(("settings", "l", "exact"), EXACT.values(), ids=EXACT)
def test_splitting_finds_the_probability_that_152_layers_make_unobservable(
    settings: dict, l: int, exact: float
) -> None:
    found = living_probability(ChainSpec(activation="relu", **settings), l, particles=1500, runs=8, seed=1)
    # 8 runs of 1500: a relative standard error under 12 %; four of them are 0.2 decades
    assert found.log10_probability == pytest.approx(exact, abs=0.2)
    assert found.low < found.log10_probability < found.high < found.low + 0.8
    assert found.survival.shape == (151,)
    assert np.isfinite(found.runs).all()


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    spec = ChainSpec(depth=12, links="full", activation="relu")
    exact = log10_of_factors((0.5, 1), (0.75, 10))
    inside = [f.low <= exact <= f.high for f in (living_probability(spec, 1, 200, 8, s) for s in range(60))]
    # of 60 intervals of 95 %, fewer than 50 hit with probability 3e-4
    assert sum(inside) >= 50


@pytest.mark.parametrize("bias_scale", [0.0, 1.0])
@pytest.mark.parametrize("l", [1, 3, 5])
def test_splitting_agrees_with_plain_counting_for_masks(bias_scale: float, l: int) -> None:
    links = ((1, 1, 0), (0, 1, 1), (0, 0, 1))
    spec = ChainSpec(5, links, "relu", "he", bias_scale=bias_scale, width=3)
    counted = np.isfinite(run(draw(spec, 20_000, seed=2)).log10_gradients[l - 1]).mean()
    found = 10 ** living_probability(spec, l, particles=4000, runs=10, seed=3).log10_probability
    assert found == pytest.approx(counted, abs=0.015)


def test_what_splitting_cannot_do_is_refused() -> None:
    relu = ChainSpec(activation="relu")
    with pytest.raises(ValueError, match="activation 'relu'"):
        living_probability(ChainSpec())
    with pytest.raises(ValueError, match="no weight layer 153"):
        living_probability(relu, 153)
    with pytest.raises(ValueError, match="runs is 1"):
        living_probability(relu, runs=1)
    with pytest.raises(ValueError, match="none of 2 particles survived"):
        living_probability(relu, particles=2)
