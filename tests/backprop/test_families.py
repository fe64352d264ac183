import numpy as np
import pytest

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.families import AT_DEPTH, DEEP, FAMILIES, draw
from coursework.backprop.whole import WholeGround


def test_small_networks_have_two_inputs_or_more_with_biases_and_without():
    grounds = draw("small", "any", 7)
    assert len(grounds) == 6 * len(ACTIVATIONS)
    assert {tuple(g.sizes) for g in grounds} == {(n, 3, 3, 1) for n in (2, 3, 5)}
    assert {bool(g.point.network.b) for g in grounds} == {True, False}


def test_rectifiers_are_met_on_and_off():
    slopes = {g.quantity(("hp", 2, j)) for g in draw("small", "relu", 7) for j in (1, 2, 3)}
    assert slopes == {0, 1}


@pytest.mark.parametrize("family", ["chains", "bipartite"])
def test_deep_networks_reach_the_assignments_depth_alive(family):
    for activation in AT_DEPTH:
        deepest = draw(family, activation, 7)[-1]
        assert deepest.L == DEEP + 1
        assert deepest.derivative(("E",), ("w", 1, 1, 1)) != 0


def test_two_chains_have_no_links_across():
    for ground in draw("whole chains", "relu", 7):
        if ground.sizes[0] == 2:
            for l in range(1, ground.L - 1):
                assert ground.quantity(("w", l, 1, 2)) == ground.quantity(("w", l, 2, 1)) == 0


def test_active_chains_are_on_everywhere():
    for ground in draw("active chains", "relu", 7):
        assert all(ground.quantity(("hp", l, 1)) == 1 for l in range(2, ground.L))


def test_whole_families_have_zero_gradients_and_others_at_every_depth():
    for family in (name for name in FAMILIES if name.startswith("whole")):
        by_depth = {}
        for ground in draw(family, "relu", 7):
            assert isinstance(ground, WholeGround)
            zero = ground.derivative(("E",), ("w", 1, 1, 1)) == 0
            by_depth.setdefault(ground.L, set()).add(zero)
        assert set(by_depth) == {3, 4, 5, 7, DEEP + 1}
        assert all(zeros == {True, False} for depth, zeros in by_depth.items() if depth < 10)


def test_without_biases_there_are_none():
    assert all(not np.any(layer) for g in draw("whole chains without biases", "relu", 7) for layer in g.b)


def test_a_seed_draws_the_same_networks_again_and_another_others():
    first, again, other = (FAMILIES["small"](np.random.default_rng(seed), "tanh") for seed in (1, 1, 2))
    values = [[g.quantity(("w", 1, 1, 1)) for g in grounds] for grounds in (first, again, other)]
    assert values[0] == values[1] != values[2]
