import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.losses import LOSSES
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


@pytest.mark.parametrize(
    "sizes", [[], [3], [3, 0, 1], [3.0, 1], ["3", "1"], 3, None, [[3, 1]], [2, float("nan")]]
)
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(NetworkError, match=r"sizes=.*two layers or more"):
        DenseNetwork(sizes)


@pytest.mark.parametrize("dtype", [int, bool, complex, np.float16, "float", None, "much"])
def test_networks_are_made_of_float32_or_float64(dtype):
    if dtype == "float":
        assert DenseNetwork([2, 1], dtype=dtype).dtype == np.float64
        return
    with pytest.raises(NetworkError, match=r"dtype=.*take float32 or float64"):
        DenseNetwork([2, 1], dtype=dtype)


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
        ({1: np.ones((0, 3))}, None),
        ({1: np.ones((2, 3))}, {1: np.ones(3)}),
    ],
)
def test_weights_that_do_not_join_up_are_refused(w, b):
    with pytest.raises(NetworkError, match="do not join up"):
        DenseNetwork.from_weights(w, b)


@pytest.mark.parametrize(
    ("w", "message"),
    [
        (np.array([[1.0, np.nan]]), r"w\[1\] holds nan; give finite numbers"),
        (np.array([[-np.inf, 0.0]]), r"w\[1\] holds -inf; give finite numbers"),
        (np.array([["a", "b"]]), r"w\[1\] is of <U1; give numbers of float32 or float64"),
        (np.ones((1, 2), np.float16), r"w\[1\] is of float16"),
        (np.array([[None, 1]]), r"w\[1\] is of object"),
    ],
)
def test_weights_that_are_not_finite_numbers_are_refused(w, message):
    with pytest.raises(NetworkError, match=message):
        DenseNetwork.from_weights({1: w})
    with pytest.raises(NetworkError, match=message.replace("w", "b", 1)):
        DenseNetwork.from_weights({1: np.ones((len(w[0]), 1))}, {1: w[0]})


@pytest.mark.parametrize("x", [np.array([["a", "b"]]), np.array([[None, 1]]), [[{}, 1]]])
def test_an_input_that_is_no_number_is_refused(x):
    with pytest.raises(NetworkError, match=r"x is of .*; give numbers, \(examples, 2\) of them"):
        DenseNetwork([2, 1]).forward(x)


def test_what_single_precision_cannot_hold_is_refused():
    with pytest.raises(NetworkError, match=r"x holds 1e\+300, more than float32 can; scale it down"):
        DenseNetwork([2, 1], dtype=np.float32).forward(np.array([[1.0, 1e300]]))


def test_the_trace_of_another_network_is_refused():
    trace = DenseNetwork([2, 3, 1]).forward(np.ones((4, 2)))
    other = DenseNetwork([3, 3, 1])
    for use in (other.backward, other.loss):
        with pytest.raises(NetworkError, match=r"sizes \[2, 3, 1\]; this one has \[3, 3, 1\]"):
            use(trace, np.zeros((4, 1)))


def test_a_link_that_is_masked_has_no_weight_and_no_gradient():
    w = {1: np.array([[1.0, 2.0], [3.0, 4.0]]), 2: np.array([[5.0, 6.0]])}
    masks = {1: [[1, 0], [1, 1]]}
    network = DenseNetwork.from_weights(w, activation="identity", masks=masks)
    assert network.w[1].tolist() == [[1, 0], [3, 4]]
    assert w[1].tolist() == [[1, 2], [3, 4]]
    gradients = network.backward(network.forward(np.array([[1.0, -1.0]])), np.zeros((1, 1)))
    # y = 5 * 1 + 6 * (3 - 4) = -1
    assert gradients.w[1].tolist() == [[-5, 0], [-6, 6]]


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({1: np.ones((2, 2))}, r"masks\[1\] has shape \(2, 2\), w\[1\] has \(3, 2\)"),
        ({3: np.ones((1, 3))}, r"masks\[3\] has shape \(1, 3\), there are w\[1\] to w\[2\]"),
        ({2: np.full((1, 3), 0.5)}, r"masks\[2\] holds other numbers than 0 \(no link\) and 1"),
        ({2: np.full((1, 3), np.nan)}, r"masks\[2\] holds other numbers"),
    ],
)
def test_masks_that_do_not_fit_are_refused(masks, message):
    with pytest.raises(NetworkError, match=message):
        DenseNetwork([2, 3, 1], masks=masks)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    name=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_masked_network_is_the_full_one_with_zeros_for_weights(sizes, name, loss, dtype, seed):
    rng = np.random.default_rng(seed)
    masks = {l: rng.integers(0, 2, (sizes[l], sizes[l - 1])) for l in range(1, len(sizes))}
    masked = DenseNetwork(sizes, name, loss=loss, masks=masks, dtype=dtype, seed=seed)
    full = DenseNetwork.from_weights(masked.w, activation=name, loss=loss)
    x = rng.normal(size=(3, sizes[0]))
    t = masked.loss_record.draw(rng, (3, sizes[-1]))
    ours, theirs = masked.backward(masked.forward(x), t), full.backward(full.forward(x), t)
    for l, mask in masks.items():
        np.testing.assert_array_equal(ours.delta[l + 1], theirs.delta[l + 1])
        np.testing.assert_array_equal(ours.w[l], theirs.w[l] * mask)
        assert ours.w[l].dtype == dtype


def test_weights_and_biases_are_views_of_the_parameters():
    network = DenseNetwork([2, 3, 1], biases=True)
    assert network.parameters.shape == (3 * 2 + 3 + 3 + 1,)
    network.parameters[...] = np.arange(13)
    assert network.w[2].tolist() == [[6, 7, 8]]
    assert network.b[1].tolist() == [9, 10, 11]
    network.b[2][0] = -1
    assert network.parameters[-1] == -1
    with pytest.raises(TypeError, match="does not support item assignment"):
        network.w[1] = np.ones((3, 2))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_its_place(bad):
    network = DenseNetwork([2, 3, 1])
    x = np.ones((4, 2))
    trace = network.forward(x)
    x[2, 1] = bad
    with pytest.raises(NetworkError, match=rf"x holds {bad} in example 2, unit 1 .*leave out or mend"):
        network.forward(x)
    with pytest.raises(NetworkError, match=rf"t holds {bad} in example 0, unit 0"):
        network.backward(trace, np.full((4, 1), bad))


def test_huge_inputs_are_finite_too():
    network = DenseNetwork([2, 3, 1])
    trace = network.forward(np.array([[1e300, -1e300]]))
    assert np.isfinite(trace.y).all()
    assert not network.backward(trace, np.zeros((1, 1))).w[1].any()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softplus"])
def test_saturated_units_have_small_or_no_gradients_and_no_warnings(name):
    w = {1: np.array([[1.0], [-1.0]]), 2: np.ones((1, 2))}
    network = DenseNetwork.from_weights(w, activation=name)
    gradients = network.backward(network.forward(np.array([[500.0]])), np.zeros((1, 1)))
    assert np.isfinite(gradients.w[1]).all()
    assert abs(gradients.w[1][1, 0]) < 1e-200


def test_whole_weights_become_floats_and_stay_exact():
    w = {1: np.array([[2, -3]]), 2: np.array([[1000]])}
    network = DenseNetwork.from_weights(w, activation="relu")
    trace = network.forward(np.array([[5, 1]]))
    gradients = network.backward(trace, np.array([[1]]))
    assert trace.y.tolist() == [[7000]]
    assert gradients.w[1].tolist() == [[5 * 6999 * 1000, 6999 * 1000]]
    assert network.dtype == gradients.w[1].dtype == np.float64
    # whole weights once made whole numbers of the inputs, too
    assert network.forward(np.array([[0.5, 0.25]])).y.tolist() == [[250]]


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_weight_that_is_not_a_number_is_seen_in_the_output_and_every_gradient(name):
    network = DenseNetwork([2, 3, 1], name)
    network.w[1][0, 0] = np.nan
    trace = network.forward(np.ones((1, 2)))
    assert np.isnan(trace.y).all()
    gradients = network.backward(trace, np.ones((1, 1)))
    assert all(np.isnan(array).any() for part in (gradients.delta, gradients.w) for array in part.values())
