from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from coursework.gradients.chain import LINKS, Networks, Trace, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.zeros import CONDITIONS, explain_zero, first_conditions, zero_conditions


def chain(w11: list[float], x: float = 1.0, t: float = 0.5) -> Trace:
    """One ReLU network of two chains whose lower row is silent."""
    w = {layer: np.array([[value], [0.0]]) for layer, value in enumerate(w11[:-1], start=1)}
    w[len(w11)] = np.array([[[w11[-1]], [0.0]]])
    return run(Networks("chains", "relu", w, x=np.array([[x], [0.0]]), t=np.array([t])))


def test_a_living_chain_has_nothing_to_explain() -> None:
    explanation = explain_zero(chain([2.0, 3.0, 5.0]), 1)
    assert not explanation.zero
    assert explanation.conditions == ()
    assert "10^2.65" in explanation.text  # e w2 w3 x = 29.5 * 15


@pytest.mark.parametrize(
    ("trace", "layer", "conditions"),
    [
        (chain([2.0, 3.0, 5.0], t=30.0), 2, ("error",)),
        (chain([2.0, 3.0, 5.0], x=0.0), 1, ("source", "target", "path")),
        (chain([2.0, -3.0, 5.0]), 3, ("source",)),
        (chain([2.0, -3.0, 5.0]), 2, ("target",)),
        (chain([2.0, -3.0, 5.0]), 1, ("path",)),
        (chain([2.0, 3.0, 0.0]), 1, ("path",)),
        (chain([-2.0, 3.0, 5.0]), 1, ("target", "path")),
    ],
)
def test_each_condition_is_named(trace: Trace, layer: int, conditions: tuple[str, ...]) -> None:
    explanation = explain_zero(trace, layer)
    assert explanation.zero
    assert explanation.conditions == conditions
    assert explanation.text.startswith(f"dE/dw_11^({layer}) is exactly zero: ")


def test_two_paths_that_cancel_are_named() -> None:
    full = np.array([[[1.0], [1.0]], [[1.0], [1.0]]])
    w = {1: full, 2: full, 3: np.array([[[1.0], [-1.0]]])}
    trace = run(Networks("full", "relu", w, x=np.ones((2, 1)), t=np.array([3.0])))
    assert explain_zero(trace, 1).conditions == ("cancellation",)
    assert explain_zero(trace, 2).conditions == ()


def integer_networks(links: str, bias: bool, count: int, seed: int) -> Networks:
    """Small whole numbers, so that every dead unit, zero weight, zero error and cancellation occurs."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(2, 7))

    def whole(*shape: int) -> np.ndarray:
        return rng.integers(-2, 4, size=(*shape, count)).astype(float)

    w = {layer: whole(2) if links == "chains" else whole(2, 2) for layer in range(1, depth)}
    w[depth] = whole(1, 2)
    b = {layer: whole(2 if layer < depth else 1) for layer in range(1, depth + 1)} if bias else {}
    return Networks(links, "relu", w, x=whole(2), t=whole(), b=b)


@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize("bias", [False, True])
def test_the_conditions_hold_exactly_where_whole_number_arithmetic_says_zero(
    links: str, bias: bool, exact_gradients: Callable[..., dict]
) -> None:
    seen = dict.fromkeys((*CONDITIONS, "none"), 0)
    for seed in range(6):
        trace = run(integer_networks(links, bias, 60, seed))
        weights: list[tuple[int, int, int]] = []
        exact = []
        for member in range(60):
            one = exact_gradients(trace.networks, member, int, lambda a: max(a, 0), lambda a: int(a > 0))
            weights = list(one)
            exact.append([one[weight] == 0 for weight in weights])
        for column, (layer, j, k) in enumerate(weights):
            conditions = zero_conditions(trace, layer, j, k)
            predicted = np.any(list(conditions.values()), axis=0)
            assert predicted.tolist() == [row[column] for row in exact]
            for name, holds in conditions.items():
                seen[name] += int(holds.sum())
            seen["none"] += int((~predicted).sum())
    expected = set(seen) - ({"cancellation"} if links == "chains" else set())
    assert {name for name, count in seen.items() if count} == expected


def test_the_shares_of_first_conditions_fill_every_layer() -> None:
    trace = run(draw(ChainSpec(depth=6, links="full", activation="relu", bias_scale=1.0), 500, seed=3))
    shares = first_conditions(trace)
    np.testing.assert_allclose(np.sum(list(shares.values()), axis=0), 1)
    counted = [np.mean(~trace.gradient(layer).is_zero) for layer in range(1, 7)]
    np.testing.assert_allclose(shares["nonzero"], counted)


def test_a_network_outside_the_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="no network 1 in a batch of 1"):
        explain_zero(chain([1.0, 1.0]), 1, network=1)
