import numpy as np
import pytest

from coursework.backprop.chains import two_chains
from coursework.backprop.network import DenseNetwork
from coursework.backprop.perturbation import TooLarge, links, move


def by_hand(network, x, t, l, j, k, by):
    """The losses after one weight is moved in a copy of the network."""
    w = {l: v.copy() for l, v in network.w.items()}
    w[l][j, k] += by
    moved = DenseNetwork.from_weights(
        w, network.b, network.activation.name, loss=network.loss_record.name, masks=network.masks
    )
    return moved.loss(moved.forward(x), t)


@pytest.mark.parametrize("loss", ["squared", "softmax"])
@pytest.mark.parametrize("biases", [False, True])
def test_every_row_is_the_network_with_one_weight_moved(loss, biases):
    masks = {2: [[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1]]}
    network = DenseNetwork([2, 3, 4, 2], "tanh", loss=loss, biases=biases, masks=masks, seed=1)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(5, 2)), network.loss_record.draw(rng, (5, 2))
    moved = move(network, x, t, [0.1, -0.3])
    for l in network.w:
        j, k = links(network, l)
        assert moved.by_w[l].shape == (2, len(j), 5)
        for s, by in enumerate([0.1, -0.3]):
            for n in range(len(j)):
                expected = by_hand(network, x, t, l, j[n], k[n], by)
                np.testing.assert_allclose(moved.by_w[l][s, n], expected, rtol=1e-13)


def test_moving_a_pre_activation_is_moving_its_bias():
    network = DenseNetwork([2, 3, 2], "sigmoid", biases=True, seed=2)
    x, t = np.array([[0.3, -0.7]]), np.array([[0.1, 0.2]])
    moved = move(network, x, t, [0.25])
    for l in (1, 2):
        for j in range(network.sizes[l]):
            other = DenseNetwork.from_weights(network.w, network.b)
            other.b[l][j] += 0.25
            expected = other.loss(other.forward(x), t)
            np.testing.assert_allclose(moved.by_a[l + 1][0, j], expected, rtol=1e-14)


def test_the_network_itself_is_left_alone():
    network = DenseNetwork([2, 3, 1])
    before = network.parameters.copy()
    move(network, np.ones((1, 2)), np.ones((1, 1)), [1.0])
    np.testing.assert_array_equal(network.parameters, before)


def test_only_links_that_there_are_are_moved():
    moved = move(two_chains(3), np.ones((1, 2)), np.ones((1, 1)), [1e-3])
    assert [moved.by_w[l].shape[1] for l in (1, 2, 3)] == [2, 2, 2]


def test_units_that_cross_the_kink_are_noticed():
    # a_1^(2) = 0.001 and a_2^(2) = 2: only a move by more than 0.001 crosses
    network = DenseNetwork.from_weights(
        {1: np.array([[0.001], [2.0]]), 2: np.ones((1, 2))}, activation="relu"
    )
    x, t = np.ones((1, 1)), np.zeros((1, 1))
    small, large = move(network, x, t, [1e-4, -1e-4]), move(network, x, t, [1e-2, -1e-2])
    assert small.bent_a == small.bent_w == frozenset()
    assert large.bent_a == {2}
    assert large.bent_w == {1}


def test_too_many_rows_are_refused_before_they_are_made():
    with pytest.raises(TooLarge, match="more than 30000000 numbers; judge fewer examples"):
        move(DenseNetwork([784, 512, 10]), np.ones((1, 784)), np.ones((1, 10)), [1.0])
