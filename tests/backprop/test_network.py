import numpy as np
import pytest

from coursework.backprop.network import DenseNetwork, NetworkError


@pytest.fixture
def by_hand():
    """A 2-2-1 network with identity units, small enough for a pencil."""
    w = {1: np.array([[1.0, 2.0], [3.0, 4.0]]), 2: np.array([[5.0, 6.0]])}
    return DenseNetwork.from_weights(w, activation="identity")


def test_forward_by_hand(by_hand):
    trace = by_hand.forward(np.array([[1.0, -1.0]]))
    assert trace.z[1].tolist() == [[1, -1]]
    assert trace.a[2].tolist() == [[-1, -1]]
    assert trace.a[3].tolist() == trace.y.tolist() == [[-11]]


def test_backward_by_hand(by_hand):
    trace = by_hand.forward(np.array([[1.0, -1.0]]))
    gradients = by_hand.backward(trace, np.array([[-13.0]]))
    assert by_hand.loss(trace, np.array([[-13.0]])).tolist() == [2]
    assert gradients.delta[3].tolist() == [[2]]
    assert gradients.delta[2].tolist() == [[10, 12]]
    assert gradients.w[2].tolist() == [[-2, -2]]
    assert gradients.w[1].tolist() == [[10, -10], [12, -12]]
    assert gradients.b == {}


def test_relu_stops_the_error_at_a_dead_unit():
    w = {1: np.array([[1.0], [-1.0]]), 2: np.array([[1.0, 1.0]])}
    network = DenseNetwork.from_weights(w, activation="relu")
    gradients = network.backward(network.forward(np.array([[2.0]])), np.array([[0.0]]))
    assert gradients.delta[2].tolist() == [[2, 0]]
    assert gradients.w[1].tolist() == [[4], [0]]


def test_the_gradients_of_a_batch_are_the_sum_over_its_examples():
    network = DenseNetwork([2, 5, 3], "tanh", biases=True, seed=3)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(7, 2)), rng.normal(size=(7, 3))
    whole = network.backward(network.forward(x), t)
    single = [network.backward(network.forward(x[n : n + 1]), t[n : n + 1]) for n in range(7)]
    for l in network.w:
        np.testing.assert_allclose(whole.w[l], sum(g.w[l] for g in single), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(whole.b[l], sum(g.b[l] for g in single), rtol=1e-12, atol=1e-14)
        deltas = np.concatenate([g.delta[l + 1] for g in single])
        np.testing.assert_allclose(whole.delta[l + 1], deltas, rtol=1e-12)


def test_an_empty_batch_has_gradients_of_zero():
    network = DenseNetwork([2, 3, 1])
    gradients = network.backward(network.forward(np.empty((0, 2))), np.empty((0, 1)))
    assert gradients.delta[2].shape == (0, 3)
    assert not gradients.w[1].any()


def test_biases_are_added_and_have_the_deltas_for_gradients():
    network = DenseNetwork([2, 3, 1], "sigmoid", biases=True, seed=1)
    trace = network.forward(np.zeros((1, 2)))
    np.testing.assert_array_equal(trace.a[2][0], network.b[1])
    gradients = network.backward(trace, np.zeros((1, 1)))
    np.testing.assert_array_equal(gradients.b[1], gradients.delta[2][0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_asked_for_is_the_precision_all_through(dtype):
    network = DenseNetwork([2, 3, 1], dtype=dtype, biases=True)
    trace = network.forward(np.ones((1, 2)))
    gradients = network.backward(trace, np.zeros((1, 1)))
    arrays = [*trace.a.values(), *trace.z.values(), *gradients.delta.values(), *gradients.w.values()]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


def test_complex_inputs_pass_through():
    network = DenseNetwork([2, 3, 1], seed=2)
    x = np.array([[0.5, -0.25]])
    step = 2.0**-332
    moved = network.forward(x + np.array([[1j * step, 0]])).y.imag / step
    right, left = (network.forward(x + np.array([[move, 0]])).y for move in (1e-6, -1e-6))
    numeric = (right - left) / 2e-6
    np.testing.assert_allclose(moved, numeric, rtol=1e-7)


def test_the_seed_decides_the_weights():
    first, again, other = (DenseNetwork([3, 3, 1], seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.w[1], again.w[1])
    assert not np.array_equal(first.w[1], other.w[1])


def test_weights_lead_from_a_layer_to_the_next():
    network = DenseNetwork([2, 5, 3])
    assert {l: w.shape for l, w in network.w.items()} == {1: (5, 2), 2: (3, 5)}
    assert network.L == 3
    assert network.sizes == [2, 5, 3]


@pytest.mark.parametrize("sizes", [[], [3], [3, 0, 1]])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(NetworkError, match=r"sizes=.*two layers or more"):
        DenseNetwork(sizes)


@pytest.mark.parametrize("x", [np.ones(3), np.ones((1, 2)), np.ones((1, 1, 3))])
def test_an_input_of_the_wrong_shape_is_refused(x):
    with pytest.raises(NetworkError, match=r"x has shape .*needs \(examples, 3\)"):
        DenseNetwork([3, 2, 1]).forward(x)


def test_targets_must_match_the_examples():
    network = DenseNetwork([3, 2, 1])
    trace = network.forward(np.ones((2, 3)))
    with pytest.raises(NetworkError, match="3 targets t for 2 examples"):
        network.backward(trace, np.ones((3, 1)))
    with pytest.raises(NetworkError, match="t has shape"):
        network.loss(trace, np.ones((2, 2)))


@pytest.mark.parametrize(
    ("w", "b"),
    [
        ({}, None),
        ({1: np.ones((2, 3)), 2: np.ones((1, 3))}, None),
        ({2: np.ones((2, 3))}, None),
        ({1: np.ones(3)}, None),
        ({1: np.ones((2, 3))}, {1: np.ones(3)}),
    ],
)
def test_weights_that_do_not_join_up_are_refused(w, b):
    with pytest.raises(NetworkError, match="do not join up"):
        DenseNetwork.from_weights(w, b)
