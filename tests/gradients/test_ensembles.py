from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.chain import LINKS, run
from coursework.gradients.ensembles import ChainSpec, draw


def test_the_assignments_network_has_153_layers_and_two_weights_into_its_output() -> None:
    networks = draw(ChainSpec(), 5, seed=0)
    assert networks.depth == 152
    assert networks.w[1].shape == networks.w[151].shape == (2, 5)
    assert networks.w[152].shape == (1, 2, 5)
    assert sorted(run(networks).a) == list(range(2, 154))


def test_the_bipartite_network_joins_every_unit_to_both() -> None:
    networks = draw(ChainSpec(links="full"), 5, seed=0)
    assert networks.w[7].shape == (2, 2, 5)
    assert networks.weight(7, 2, 1).shape == (5,)


def test_the_same_seed_draws_the_same_networks_and_another_others() -> None:
    first, again, other = (draw(ChainSpec(depth=4), 3, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.w[2], again.w[2])
    assert not np.array_equal(first.w[2], other.w[2])


def test_the_laws_have_the_scale_they_were_given() -> None:
    normal = draw(ChainSpec(depth=3, law="normal", scale=2.0), 20_000, seed=1).w[2]
    assert normal.std() == pytest.approx(2.0, rel=0.03)
    uniform = draw(ChainSpec(depth=3, law="uniform", scale=2.0), 20_000, seed=1).w[2]
    assert uniform.min() > -2
    assert uniform.max() < 2
    assert np.abs(uniform).mean() == pytest.approx(1.0, rel=0.03)
    constant = draw(ChainSpec(depth=3, law="constant", scale=-2.0, bias_scale=0.5), 4, seed=1)
    assert np.all(constant.w[2] == -2)
    assert np.all(constant.b[2] == 0.5)


@pytest.mark.parametrize("links", LINKS)
def test_living_networks_are_alive_at_any_depth(links: str) -> None:
    trace = run(draw(ChainSpec(depth=700, links=links, activation="relu", alive=True), 20, seed=3))
    for layer in range(2, 701):
        active = trace.a[layer].sign > 0
        assert np.all(active) if links == "chains" else np.all(active.any(axis=0))


def test_living_networks_follow_the_law_that_rejection_gives() -> None:
    spec = ChainSpec(depth=4, links="full", activation="relu")
    everyone = run(draw(spec, 60_000, seed=4))
    survived = np.all([np.any(everyone.a[layer].sign > 0, axis=0) for layer in (2, 3, 4)], axis=0)
    revived = run(draw(ChainSpec(depth=4, links="full", activation="relu", alive=True), 30_000, seed=5))
    assert survived.mean() == pytest.approx(0.75**3, abs=0.01)
    for layer in range(1, 5):
        rejected, turned = everyone.log10_gradients[layer - 1, survived], revived.log10_gradients[layer - 1]
        # standard error of either share is under 0.003, of either median under 0.01
        assert np.isfinite(turned).mean() == pytest.approx(np.isfinite(rejected).mean(), abs=0.02)
        medians = [float(np.median(x[np.isfinite(x)])) for x in (rejected, turned)]
        assert medians[0] == pytest.approx(medians[1], abs=0.05)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"depth": 1}, "depth is 1"),
        ({"width": 0}, "width is 0"),
        ({"law": "cauchy"}, "'cauchy' is unknown: choose one of normal"),
        ({"scale": 0.0}, "scale 0.0 must be > 0"),
        ({"scale": float("nan")}, "must be finite"),
        ({"bias_scale": -1.0}, "bias_scale -1.0 >= 0"),
        ({"width": (2, 3)}, "width has 2 numbers"),
        ({"depth": 3, "width": (2, 3, 2)}, "need layers of one width"),
        ({"links": ((1, 0, 1), (1, 1, 1))}, "the mask has shape"),
        ({"links": ((1, 1), (0, 1)), "law": "orthogonal"}, "a mask breaks orthogonality"),
        ({"links": "ring"}, "'ring' is unknown"),
        ({"cure": "prayer"}, "'prayer' is unknown: choose one of none"),
        ({"examples": 0}, "examples is 0"),
        ({"alive": True}, "activation 'relu'"),
        ({"alive": True, "activation": "relu", "cure": "residual"}, "cure 'none'"),
        ({"alive": True, "activation": "relu", "bias_scale": 1.0}, "bias_scale 0"),
    ],
)
def test_impossible_families_are_refused(settings: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ChainSpec(**settings)


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="networks is 0"):
        draw(ChainSpec(), 0, seed=0)
