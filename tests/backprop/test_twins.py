import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.chains import chain, two_chains
from coursework.backprop.derivation import derive
from coursework.backprop.judged import proof_points
from coursework.backprop.layers import Level
from coursework.backprop.line_proof import prove_derivation
from coursework.backprop.links import places
from coursework.backprop.network import DenseNetwork
from coursework.backprop.symbols import LOSS, A, B, Partial, W
from coursework.backprop.twins import (
    PRIMES,
    drawn_links,
    is_full,
    is_straight,
    points_anywhere,
    twin,
    without_rule,
)
from tests.backprop.masks import MASKS

l = Level("l")
MASKED = DenseNetwork([5, 3, 7, 2], masks=MASKS)


@pytest.mark.parametrize(
    ("network", "bottom", "sizes"),
    [
        (DenseNetwork([3, 3, 3, 1]), W(1, 1, 1), [2, 5, 7, 1]),
        (DenseNetwork([3, 3, 3, 1]), W(1, 3, 2), [2, 3 + 2, 7, 1]),
        (DenseNetwork([9] * 6), A(2, 9), [2, 11, 3, 5, 2, 7]),
        (two_chains(4), W(2, 1, 1), [3, 3, 3, 3, 1]),
        (two_chains(4), W(l, 1, 1), [3, 3, 3, 3, 3, 1]),
        (two_chains(4), A(5, 1), [3, 3, 3, 3, 1]),
        (chain(3), W(l, 1, 1), [1, 1, 1, 1, 1]),
        (MASKED, A(3, 4), [2, 5, 7 + 4, 3]),
        (DenseNetwork([2, 5, 5, 1], masks={2: np.eye(5)}), A(3, 5), [3, 7, 7, 1]),
    ],
)
def test_the_sizes_of_the_twin(network, bottom, sizes):
    assert twin(network, bottom).sizes == sizes


def test_a_chain_has_no_other_size_for_a_layer_by_number():
    assert twin(chain(6), W(3, 1, 1)) is None


def test_what_is_straight_what_is_full_and_what_follows_no_rule():
    rows = two_chains(3)
    assert [is_straight(rows, m) for m in rows.w] == [True, True, False]
    assert [is_full(rows, m) for m in rows.w] == [False, False, True]
    assert is_straight(chain(2), 1)
    assert is_full(chain(2), 1)
    swapped = DenseNetwork([2, 2, 2], masks={1: np.eye(2)[::-1], 2: np.ones((2, 2))})
    assert without_rule(swapped) == (1,)
    assert without_rule(MASKED) == (1, 2)
    assert without_rule(rows) == without_rule(chain(2)) == ()


def test_a_twin_keeps_rules_and_draws_other_links_where_there_is_none():
    rows = twin(two_chains(4), W(l, 1, 1))
    assert [is_straight(rows, m) for m in rows.w] == [True] * 4 + [False]
    assert without_rule(rows) == ()
    assert without_rule(twin(MASKED, A(2, 1))) == (1, 2)
    assert is_full(twin(MASKED, A(2, 1)), 3)
    drawn = [twin(MASKED, A(2, 1), seed).masks[2] for seed in range(2)]
    assert not np.array_equal(*drawn)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_twin_has_what_its_network_has(activation):
    network = DenseNetwork([3, 3, 2], activation, loss="softmax", biases=True)
    other = twin(network, A(2, 1))
    assert (other.activation, other.loss_record, bool(other.b)) == (
        network.activation,
        network.loss_record,
        True,
    )
    # rows of rectifiers need biases, or the first that is dead silences all above
    assert bool(twin(two_chains(4, activation), W(l, 1, 1)).b) is (activation == "relu")


@given(above=st.integers(1, 8), below=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_drawn_links_lead_to_every_unit_and_from_every_unit(above, below, seed):
    mask = drawn_links(above, below, np.random.default_rng(seed))
    assert mask.shape == (above, below)
    assert set(np.unique(mask)) <= {0.0, 1.0}
    assert mask.any(axis=0).all()
    assert mask.any(axis=1).all()


def test_each_point_anywhere_has_links_of_its_own():
    points = list(points_anywhere("tanh", "squared", False, True, 3, 0))
    masks = [judged.point.network.masks for judged in points]
    assert all(tuple(judged.point.network.sizes) == PRIMES for judged in points)
    assert not any(np.array_equal(masks[0][2], mask[2]) for mask in masks[1:])
    unmasked = next(points_anywhere("tanh", "squared", False, False, 1, 0))
    assert unmasked.point.network.masks == {}


@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25, derandomize=True)
def test_every_twin_has_the_target_other_sizes_and_a_right_derivation(data, seed):
    """Full, straight and drawn links in any order; targets by number, by letter, and both."""
    rng = np.random.default_rng(seed)
    sizes, masks = [data.draw(st.integers(1, 4))], {}
    for m in range(1, data.draw(st.integers(2, 4))):
        kind = data.draw(st.sampled_from(["full", "straight", "drawn"]))
        sizes.append(sizes[-1] if kind == "straight" else data.draw(st.integers(1, 4)))
        if kind != "full":
            masks[m] = np.eye(sizes[-1]) if kind == "straight" else drawn_links(sizes[-1], sizes[-2], rng)
    network = DenseNetwork(sizes, data.draw(st.sampled_from(["tanh", "relu"])), masks=masks, biases=True)
    there = data.draw(st.sampled_from(list(places(network, W(l, "j", "k")))))
    m, j, k = there["l"], there["j"], there["k"]
    bottom = data.draw(
        st.sampled_from(
            [W(m, j, k), W(l, j, k), W(l, "j", "k"), W(m, "j", k), A(m + 1, j), B(l, j), B(m, "j")]
        )
    )
    other = twin(network, bottom, seed % 100)
    if other is None:
        assert set(sizes) == {1}
        return
    assert other.sizes != sizes
    assert all(size == 1 or all(size % n for n in range(2, size)) for size in other.sizes)
    assert list(places(other, bottom))
    for line in prove_derivation(derive(other, Partial(LOSS, bottom)), proof_points(other, 1, seed % 100)):
        assert line.compared > 0
        assert line.error <= 1e-12
