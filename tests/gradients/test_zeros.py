from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.chain import Networks, Trace, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.exact import exact_pass, largest_possible
from coursework.gradients.precision import plain_gradients
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


def whole_networks(links: str, width: int, depth: int, bias: bool, count: int, seed: int) -> Networks:
    """Small whole numbers, so that every dead unit, zero weight, zero error and cancellation occurs."""
    rng = np.random.default_rng(seed)

    def whole(*shape: int) -> np.ndarray:
        return rng.integers(-2, 4, size=(*shape, count)).astype(float)

    inner = (width,) if links == "chains" else (width, width)
    w = {layer: whole(*inner) for layer in range(1, depth)}
    w[depth] = whole(1, width)
    b = {layer: whole(width if layer < depth else 1) for layer in range(1, depth + 1)} if bias else {}
    return Networks(links, "relu", w, x=whole(width), t=whole(), b=b)


def live_path_counts(networks: Networks, a: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """How many paths of active units and nonzero weights lead from each unit to the output, in ints."""
    last = networks.depth + 1
    counts = {last: np.ones((1, networks.batch), dtype=np.int64)}
    for layer in range(networks.depth, 1, -1):
        exists = (networks.w[layer] != 0).astype(np.int64)
        onward = counts[layer + 1]
        if layer < networks.depth:
            onward = onward * (a[layer + 1] > 0)
        rows = networks.in_rows(layer)
        counts[layer] = exists * onward if rows else (exists * onward[:, np.newaxis]).sum(axis=0)
    return counts


SHAPES = [
    (links, width, depth, bias)
    for links, width in (("chains", 1), ("chains", 2), ("full", 1), ("full", 2), ("full", 3))
    for depth in (2, 3, 5, 7)
    for bias in (False, True)
]


def test_every_condition_agrees_with_whole_number_arithmetic_in_100_000_networks() -> None:
    seen = dict.fromkeys((*CONDITIONS, "nonzero"), 0)
    total = 0
    for seed, shape in enumerate(SHAPES):
        networks = whole_networks(*shape, count=2500, seed=seed)
        total += networks.batch
        trace, exact = run(networks), exact_pass(networks)
        error = exact.delta[networks.depth + 1][0]
        paths = live_path_counts(networks, exact.a)
        for l in range(1, networks.depth + 1):
            gradients = exact.gradients(l)
            for j in range(1, networks.units(l + 1) + 1):
                for k in range(1, networks.units(l) + 1):
                    if networks.in_rows(l) and j != k:
                        continue
                    found = zero_conditions(trace, l, j, k)
                    gradient = gradients[j - 1] if networks.in_rows(l) else gradients[j - 1, k - 1]
                    expected = {
                        "error": error == 0,
                        "source": exact.z[l][k - 1] == 0,
                        "target": (exact.a[l + 1][j - 1] <= 0) & (l < networks.depth),
                        "path": paths[l + 1][j - 1] == 0,
                    }
                    one_holds = np.any(list(expected.values()), axis=0)
                    expected["cancellation"] = (gradient == 0) & ~one_holds
                    assert {name: holds.tolist() for name, holds in found.items()} == {
                        name: holds.tolist() for name, holds in expected.items()
                    }
                    assert np.array_equal(np.any(list(found.values()), axis=0), gradient == 0)
                    for name, holds in found.items():
                        seen[name] += int(holds.sum())
                    seen["nonzero"] += int(np.count_nonzero(gradient))
    assert total == 100_000
    assert min(seen.values()) > 1000


@pytest.mark.parametrize("depth", [38, 152])
def test_a_difference_of_one_in_numbers_of_many_digits_is_a_living_path(depth: int) -> None:
    # [[1, 2], [2, 1]] multiplies z1 - z2 by -1 and z1 + z2 by 3: float64 loses the first after 33 layers
    w = {layer: np.array([[[1.0], [2.0]], [[2.0], [1.0]]]) for layer in range(1, depth - 1)}
    w[depth - 1] = np.array([[[1.0], [-1.0]], [[-1.0], [1.0]]])
    w[depth] = np.array([[[1.0], [1.0]]])
    trace = run(Networks("full", "relu", w, x=np.array([[1.0], [2.0]]), t=np.array([5.0])))
    assert explain_zero(trace, depth, 1, 1).conditions == ("source",)  # a = -1, since depth is even
    explanation = explain_zero(trace, depth, 1, 2)
    assert not explanation.zero
    assert explanation.text.endswith("its magnitude is 10^0.60")  # (1 - 5) * 1
    assert not explain_zero(trace, 1).zero


@pytest.mark.parametrize(("width", "depth", "low", "high"), [(4, 40, -1, 3), (2, 152, 0, 3), (3, 152, -1, 4)])
def test_conditions_of_whole_numbers_hold_beyond_53_bits(width: int, depth: int, low: int, high: int) -> None:
    rng = np.random.default_rng(1)

    def whole(*shape: int) -> np.ndarray:
        return rng.integers(low, high, size=(*shape, 60)).astype(float)

    w = {layer: whole(width, width) for layer in range(1, depth)} | {depth: whole(1, width)}
    networks = Networks("full", "relu", w, x=whole(width), t=whole())
    trace, exact = run(networks), exact_pass(networks)
    for l in (1, depth // 2, depth):
        zero = exact.gradients(l)[0, 0] == 0
        found = np.any(list(zero_conditions(trace, l).values()), axis=0)
        assert np.array_equal(found, zero)
        if l == 1:
            assert 1 - first_conditions(trace)["nonzero"][0] == pytest.approx(np.mean(zero))
            assert [explain_zero(trace, l, network=n).zero for n in range(8)] == zero[:8].tolist()
    assert largest_possible(networks) > 2**53


def test_explanations_of_single_networks_are_the_conditions_of_the_batch() -> None:
    networks = whole_networks("full", 2, 5, False, count=60, seed=5)
    trace = run(networks)
    for l, j, k in ((1, 1, 1), (3, 2, 1), (5, 1, 2)):
        conditions = zero_conditions(trace, l, j, k)
        for network in range(60):
            explanation = explain_zero(trace, l, j, k, network)
            assert explanation.conditions == tuple(n for n, holds in conditions.items() if holds[network])
            assert explanation.zero == bool(trace.gradient(l, j, k).is_zero[network])


@pytest.mark.parametrize(
    ("trace", "layer", "where"),
    [
        (chain([2.0, 3.0, 5.0], x=0.0), 1, "z_1^(1) = 0 (the input itself)"),
        (chain([2.0, -3.0, 5.0]), 3, "z_1^(3) = 0 (a_1^(3) <= 0)"),
        (chain([-2.0, 3.0, 5.0]), 3, "(upstream: no active unit of layer 2 leads to it over"),
        (chain([2.0, 3.0, -5.0, 2.0]), 1, "(downstream: no unit of layer 4 that it leads to is active)"),
        (chain([2.0, 3.0, 0.0, 2.0]), 1, "(downstream: the weights onward in layer 3 are 0)"),
    ],
)
def test_the_place_of_the_cut_is_named(trace: Trace, layer: int, where: str) -> None:
    assert where in explain_zero(trace, layer).text


def test_an_exact_zero_in_float32_is_no_proof() -> None:
    trace = run(draw(ChainSpec(depth=152), 1, seed=0))
    assert plain_gradients(trace.networks, np.float32)[0, 0] == 0
    explanation = explain_zero(trace, 1)
    assert not explanation.zero
    assert "float32 makes it 0, which is no proof of an inactive unit" in explanation.text


def test_the_shares_of_first_conditions_fill_every_layer() -> None:
    trace = run(draw(ChainSpec(depth=6, links="full", activation="relu", bias_scale=1.0), 500, seed=3))
    shares = first_conditions(trace)
    np.testing.assert_allclose(np.sum(list(shares.values()), axis=0), 1)
    counted = [np.mean(~trace.gradient(layer).is_zero) for layer in range(1, 7)]
    np.testing.assert_allclose(shares["nonzero"], counted)


def test_a_network_outside_the_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="no network 1 in a batch of 1"):
        explain_zero(chain([1.0, 1.0]), 1, network=1)
