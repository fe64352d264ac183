from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.losses import LOSSES
from coursework.backprop.network import DenseNetwork
from coursework.backprop.oracles import (
    JUDGES,
    WrongGradient,
    autograd,
    central_differences,
    certify,
    complex_step,
    difference_noise,
    relative_error,
    verify,
)
from coursework.backprop.point import random_point


def batch(network, examples=3, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(examples, network.sizes[0])), rng.normal(size=(examples, network.sizes[-1]))


@pytest.mark.parametrize("judge", [autograd, complex_step, central_differences])
def test_every_judge_finds_the_derivative_worked_out_by_hand(judge):
    # E = (w2 w1 x - t)^2 / 2 at w1 = 2, w2 = 3, x = 1, t = 4
    network = DenseNetwork.from_weights({1: np.array([[2.0]]), 2: np.array([[3.0]])}, activation="identity")
    found = judge(network, np.array([[1.0]]), np.array([[4.0]]))
    values = [found.delta[3][0, 0], found.delta[2][0, 0], found.w[2][0, 0], found.w[1][0, 0]]
    assert values == pytest.approx([2, 6, 4, 6], rel=1e-9)


@given(
    sizes=st.lists(st.sampled_from([1, 2, 3, 5]), min_size=2, max_size=5),
    name=st.sampled_from(sorted(set(ACTIVATIONS) - {"relu"})),
    loss=st.sampled_from(sorted(LOSSES)),
    biases=st.booleans(),
    masked=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=40, derandomize=True)
def test_backward_satisfies_every_judge(sizes, name, loss, biases, masked, dtype, seed):
    rng = np.random.default_rng(seed)
    masks = {l: rng.integers(0, 2, (sizes[l], sizes[l - 1])) for l in range(1, len(sizes)) if masked}
    network = DenseNetwork(sizes, name, loss=loss, biases=biases, masks=masks, dtype=dtype, seed=seed)
    x = rng.normal(size=(3, sizes[0]))
    certificate = certify(network, x, network.loss_record.draw(rng, (3, sizes[-1])))
    assert {f.judge for f in certificate} == set(JUDGES)
    assert len(certificate) == 4 * (len(sizes) - 1) * (3 if biases else 2)
    assert not certificate.wrong
    # what cancels to nothing, as softmax of one unit does, nobody can confirm to a relative error
    assert certificate.passed or (loss == "softmax" and sizes[-1] == 1)


@pytest.mark.parametrize("seed", range(5))
def test_backward_satisfies_every_judge_with_relu(seed):
    point = random_point([2, 5, 3, 1], "relu", biases=True, seed=seed)
    certificate = verify(point.network, point.x, point.t)
    assert certificate.passed
    assert not certificate.wrong


def test_single_precision_is_held_to_single_precision():
    network = DenseNetwork([2, 5, 1], dtype=np.float32)
    assert verify(network, *batch(network))


@pytest.mark.parametrize("kind", ["delta", "w", "b"])
def test_an_error_in_the_eleventh_digit_is_found_and_named(kind):
    network = DenseNetwork([2, 5, 3, 1], biases=True)
    x, t = batch(network)
    gradients = network.backward(network.forward(x), t)
    wrong = {l: v * (1 + 1e-11) if l == 2 else v for l, v in getattr(gradients, kind).items()}
    # relative to the terms, which may cancel a little
    with pytest.raises(WrongGradient, match=rf"{kind}\[2\] is (1\.0e-11|\d\.\de-12) off torch autograd"):
        verify(network, x, t, replace(gradients, **{kind: wrong}))


def test_a_wrong_small_gradient_is_not_hidden_by_large_ones():
    network = DenseNetwork([2] * 12 + [1], "sigmoid", seed=0)
    x, t = batch(network)
    gradients = network.backward(network.forward(x), t)
    assert np.abs(gradients.w[1]).max() < 1e-4 * np.abs(gradients.w[12]).max()
    with pytest.raises(WrongGradient, match=r"w\[1\] is \d\.\de-01 off"):
        verify(network, x, t, replace(gradients, w={**gradients.w, 1: np.zeros_like(gradients.w[1])}))


def test_a_layer_that_is_missing_is_found():
    network = DenseNetwork([2, 3, 1])
    x, t = batch(network)
    gradients = network.backward(network.forward(x), t)
    with pytest.raises(WrongGradient, match=r"w has the layers \[1\]; torch autograd has \[1, 2\]"):
        verify(network, x, t, replace(gradients, w={1: gradients.w[1]}))


def test_the_noise_of_central_differences_covers_their_rounding():
    network = DenseNetwork([2, 5, 1], seed=4)
    x, t = batch(network)
    error = np.abs(central_differences(network, x, t).w[2] - complex_step(network, x, t).w[2]).max()
    assert error <= difference_noise(network, x, t) + 1e-9


def test_relative_error_by_hand():
    assert relative_error(np.array([1.0, 2.2]), np.array([1.0, 2.0])) == pytest.approx(0.1)
    assert relative_error(0.0, 0.0) == 0
    assert relative_error(1e-300, 0.0) == float("inf")
    assert relative_error(float("nan"), 1.0) == float("inf")
    with pytest.raises(WrongGradient, match=r"shape \(2,\) cannot be compared with one of \(3,\)"):
        relative_error(np.ones(2), np.ones(3))
