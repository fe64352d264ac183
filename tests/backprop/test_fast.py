import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.chains import chain, two_chains
from coursework.backprop.fast import fast
from coursework.backprop.in_place import InPlace
from coursework.backprop.losses import LOSSES
from coursework.backprop.network import DenseNetwork, NetworkError
from coursework.backprop.one_wide import OneWide, Row
from coursework.backprop.operations import FOR_MANY, MANY, OPERATIONS


def batch(network, examples=1, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(examples, network.sizes[0])).astype(network.dtype)
    return x, network.loss_record.draw(rng, (examples, network.sizes[-1])).astype(network.dtype)


def assert_same(network, x, t, passes):
    """The same numbers as the network's own lines, to the rounding of each layer's largest."""
    trace, fast_trace = network.forward(x), passes.forward(x)
    ours, theirs = network.backward(trace, t), passes.backward(fast_trace, t)
    tolerance = 2e-13 if network.dtype == np.float64 else 2e-5
    pairs = [(trace.a, fast_trace.a), (trace.z, fast_trace.z)]
    pairs += [(getattr(ours, kind), getattr(theirs, kind)) for kind in ("delta", "w", "b")]
    for readable, quick in pairs:
        assert sorted(readable) == sorted(quick)
        for l in readable:
            assert quick[l].dtype == network.dtype
            scale = np.abs(readable[l]).max(initial=0)
            np.testing.assert_allclose(quick[l], readable[l], rtol=tolerance, atol=tolerance * scale)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=6),
    examples=st.integers(1, 4),
    name=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    biases=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_fast_passes_compute_what_the_readable_lines_compute(
    sizes, examples, name, loss, biases, dtype, seed
):
    rng = np.random.default_rng(seed)
    masks = {l: rng.integers(0, 2, (sizes[l], sizes[l - 1])) for l in range(1, len(sizes)) if seed % 2}
    network = DenseNetwork(sizes, name, loss=loss, biases=biases, masks=masks, dtype=dtype, seed=seed)
    passes = fast(network, examples)
    for again in range(2):
        assert_same(network, *batch(network, examples, seed=again), passes)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_chain_goes_through_plain_floats(name):
    network = chain(152, name, seed=2)
    passes = fast(network)
    assert isinstance(passes, OneWide)
    assert_same(network, *batch(network), passes)


def test_other_chains_go_through_arrays():
    biased, single = chain(9, biases=True), chain(9, dtype=np.float32)
    for network, examples in [(chain(9), 3), (biased, 1), (single, 1), (two_chains(9), 1)]:
        assert isinstance(fast(network, examples), InPlace)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_filling_arrays_gives_the_activation_and_its_slope_however_saturated(name, dtype):
    a = np.array([-900.0, -100.0, -40.0, -1.0, 0.0, 1e-3, 1.0, 40.0, 100.0, 900.0], dtype)
    record = ACTIVATIONS[name]
    for operations in [OPERATIONS[name], *([FOR_MANY[name]] if name in FOR_MANY else [])]:
        z, spare = np.empty_like(a), np.empty_like(a)
        operations.h(a, z, spare)
        np.testing.assert_allclose(z, record.h(a), rtol=4 * np.finfo(dtype).eps, atol=1e-37)
        operations.h_prime(a, z, spare)
        # what is below float32's smallest normal number has lost its digits
        np.testing.assert_allclose(spare, record.h_prime(a), rtol=150 * np.finfo(dtype).eps, atol=1e-37)


@pytest.mark.parametrize("name", ["sigmoid", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_layers_take_the_way_for_many(name, dtype):
    network = DenseNetwork([30, 70, 50, 4], name, dtype=dtype)
    assert MANY < 40 * (70 + 50)
    passes = fast(network, 40)
    assert passes.operations is FOR_MANY.get(name, OPERATIONS[name])
    assert_same(network, *batch(network, 40), passes)


def test_weights_changed_in_place_are_seen():
    for network in (DenseNetwork([2, 3, 1]), chain(5)):
        passes = fast(network)
        x, t = batch(network)
        passes.backward(passes.forward(x), t)
        network.parameters[...] *= -2
        assert_same(network, x, t, passes)


def test_no_array_is_new_on_the_second_pass():
    network = DenseNetwork([3, 4, 2], biases=True)
    passes = fast(network, 5)
    x, t = batch(network, 5)
    trace = passes.forward(x)
    gradients = passes.backward(trace, t)
    held = [*trace.a.values(), *gradients.delta.values(), *gradients.w.values(), *gradients.b.values()]
    again = passes.forward(x)
    gradients = passes.backward(again, t)
    now = [*again.a.values(), *gradients.delta.values(), *gradients.w.values(), *gradients.b.values()]
    assert all(old is new for old, new in zip(held, now, strict=True))


def test_a_saturated_chain_does_not_overflow():
    network = chain(3)
    network.parameters[...] = [-2000.0, 1.0, 1.0]
    assert_same(network, np.ones((1, 1)), np.zeros((1, 1)), fast(network))
    softplus = DenseNetwork.from_weights({1: np.array([[2000.0]]), 2: np.ones((1, 1))}, activation="softplus")
    assert fast(softplus).forward(np.ones((1, 1))).y.item() == 2000


def test_a_row_reads_as_layers():
    row = Row(np.array([1.0, 2.0]), 3)
    assert dict(row) == {3: np.array([[1.0]]), 4: np.array([[2.0]])}
    assert len(row) == 2
    assert 5 not in row
    with pytest.raises(KeyError):
        row[2]


@pytest.mark.parametrize("passes", [fast(chain(4)), fast(DenseNetwork([1, 2, 1]), 1)])
def test_what_does_not_fit_is_refused(passes):
    with pytest.raises(NetworkError, match=r"x has shape \(1, 2\)"):
        passes.forward(np.ones((1, 2)))
    with pytest.raises(NetworkError, match=r"x holds nan in example 0, unit 0"):
        passes.forward(np.full((1, 1), np.nan))
    trace = passes.forward(np.ones((1, 1)))
    with pytest.raises(NetworkError, match=r"2 targets t for 1 examples"):
        passes.backward(trace, np.ones((2, 1)))
    with pytest.raises(NetworkError, match="another object's"):
        passes.backward(chain(4).forward(np.ones((1, 1))), np.ones((1, 1)))


def test_a_batch_of_another_size_is_refused():
    with pytest.raises(NetworkError, match="3 examples x; these arrays were laid out for 2"):
        fast(DenseNetwork([1, 2, 1]), 2).forward(np.ones((3, 1)))
    with pytest.raises(NetworkError, match="0 examples of float64"):
        fast(DenseNetwork([1, 2, 1]), 0)
    with pytest.raises(NetworkError, match="1 examples of complex128"):
        fast(DenseNetwork.from_weights({1: np.array([[1j]])}))


def test_what_does_not_fit_a_chain_is_not_taken_for_one():
    with pytest.raises(NetworkError, match="not a chain of single float64 units"):
        OneWide(DenseNetwork([1, 2, 1]))
