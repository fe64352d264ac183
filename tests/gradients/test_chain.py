from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from coursework.gradients.activations import ACTIVATIONS
from coursework.gradients.chain import LINKS, Networks, Trace, run
from coursework.gradients.ensembles import ChainSpec, draw

MP_ACTIVATIONS = {
    "sigmoid": (lambda a: 1 / (1 + mp.exp(-a)), lambda a: 1 / (2 + mp.exp(a) + mp.exp(-a))),
    "tanh": (mp.tanh, lambda a: mp.sech(a) ** 2),
    "relu": (lambda a: max(a, mpf(0)), lambda a: mpf(a > 0)),
    "identity": (lambda a: a, lambda a: mpf(1)),
}
TORCH_ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "identity": lambda a: a,
}


def autograd_w11(networks: Networks) -> np.ndarray:
    """dE/dw_11^(l) of every network by torch, float64, shape (depth, B)."""
    weights = {}
    z = torch.tensor(networks.x)
    for layer, array in networks.w.items():
        weights[layer] = w = torch.tensor(array, requires_grad=True)
        a = w * z if w.ndim == 2 else (w * z).sum(dim=1)
        if networks.b:
            a = a + torch.tensor(networks.b[layer])
        z = TORCH_ACTIVATIONS[networks.activation](a) if layer < networks.depth else a
    (0.5 * (z[0] - torch.tensor(networks.t)) ** 2).sum().backward()
    picks = [w.grad[0] if w.ndim == 2 else w.grad[0, 0] for w in weights.values()]
    return torch.stack(picks).numpy()


def hand_made() -> Trace:
    """One ReLU network, depth 3, two chains: x = (1, 2), w_11 = 2, 3, 5, w_22 = 1, -1, 7, t = 20."""
    w = {1: np.array([[2.0], [1.0]]), 2: np.array([[3.0], [-1.0]]), 3: np.array([[[5.0], [7.0]]])}
    return run(Networks("chains", "relu", w, x=np.array([[1.0], [2.0]]), t=np.array([20.0])))


def test_a_network_worked_by_hand() -> None:
    trace = hand_made()
    # z: 1 -> 2 -> 6 -> 30 above; the lower row is -2 in layer 3 and adds nothing, e = 30 - 20
    assert trace.error.to_float().tolist() == [10.0]
    assert trace.gradient(3).to_float().tolist() == [10 * 6]
    assert trace.gradient(2).to_float().tolist() == [10 * 5 * 2]
    assert trace.gradient(1).to_float().tolist() == [10 * 5 * 3 * 1]
    assert trace.gradient(3, 1, 2).is_zero.tolist() == [True]
    assert trace.log10_gradients[:, 0] == pytest.approx(np.log10([150, 100, 60]))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize("bias_scale", [0.0, 0.3])
def test_gradients_equal_autograd_at_moderate_depth(activation: str, links: str, bias_scale: float) -> None:
    spec = ChainSpec(depth=9, links=links, activation=activation, scale=1.2, bias_scale=bias_scale)
    networks = draw(spec, 2000, seed=1)
    expected = autograd_w11(networks)
    trace = run(networks)
    measured = np.stack([trace.gradient(layer).to_float() for layer in range(1, 10)])
    live = expected != 0
    assert np.array_equal(live, measured != 0)
    relative = np.abs(measured[live] / expected[live] - 1)
    # autograd's own 1 - z^2 loses digits in saturation, and so does e where a^(L) is near t
    assert np.quantile(relative, 0.99) < 1e-11
    assert relative.max() < 1e-4
    assert live.any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("links", LINKS)
def test_gradients_equal_fifty_digits_where_floats_are_dead(
    activation: str, links: str, exact_gradients: Callable[..., dict]
) -> None:
    alive = activation == "relu"
    spec = ChainSpec(depth=400, links=links, activation=activation, scale=0.3, alive=alive)
    trace = run(draw(spec, 1, seed=2))
    with mp.workdps(50):
        expected = exact_gradients(trace.networks, 0, lambda x: mpf(float(x)), *MP_ACTIVATIONS[activation])
        logs = [expected[layer, 1, 1] for layer in range(1, 401)]
        logs = [float(mp.log10(abs(g))) if g else -math.inf for g in logs]
        signs = [float(mp.sign(expected[layer, 1, 1])) for layer in range(1, 401)]
    assert min(logs) < -50
    np.testing.assert_allclose(trace.log10_gradients[:, 0], logs, rtol=1e-10, atol=1e-12)
    assert [float(trace.gradient(layer).sign[0]) for layer in range(1, 401)] == signs


@given(st.integers(2, 40), st.sampled_from(LINKS), st.integers(0, 10**6), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_weights_times_gradients_sum_to_e_times_the_output_in_every_layer(
    depth: int, links: str, seed: int, width: int
) -> None:
    # Euler: a bias-free ReLU network is homogeneous of degree 1 in the weights of each layer
    spec = ChainSpec(depth=depth, links=links, activation="relu", width=width, alive=True)
    trace = run(draw(spec, 3, seed))
    output = (trace.error * trace.a[depth + 1][0]).to_float()
    for layer in range(1, depth + 1):
        total = np.zeros(3)
        scale = np.zeros(3)
        for j in range(1, (1 if layer == depth else width) + 1):
            for k in range(1, width + 1):
                if links == "full" or j == k or layer == depth:
                    term = (trace.gradient(layer, j, k) * trace.networks.weight(layer, j, k)).to_float()
                    total, scale = total + term, scale + np.abs(term)
        np.testing.assert_array_less(np.abs(total - output), 1e-11 * scale + 1e-300)


def test_two_chains_of_very_different_size_do_not_disturb_each_other() -> None:
    trace = run(draw(ChainSpec(depth=600, activation="identity"), 1, seed=0))
    w = {layer: array.copy() for layer, array in trace.networks.w.items()}
    for layer in range(1, 600):
        w[layer][1] *= 1e-12
    networks = Networks("chains", "identity", w, trace.networks.x, trace.networks.t)
    tiny = run(networks)
    assert tiny.gradient(300, 2, 2).log10_abs()[0] < -7000
    assert not tiny.gradient(1, 2, 2).is_zero[0]


def test_a_weight_that_does_not_exist_is_refused() -> None:
    trace = hand_made()
    with pytest.raises(ValueError, match=r"w_12\^\(2\) does not exist"):
        trace.gradient(2, 1, 2)
    with pytest.raises(ValueError, match=r"w_21\^\(3\) does not exist"):
        trace.gradient(3, 2, 1)
    with pytest.raises(ValueError, match="numbered 1 to 3"):
        trace.gradient(4)


def test_networks_of_the_wrong_shape_or_kind_are_refused() -> None:
    good = hand_made().networks
    with pytest.raises(ValueError, match=r"w\[2\] has shape"):
        Networks("chains", "relu", good.w | {2: np.ones((3, 1))}, good.x, good.t)
    with pytest.raises(ValueError, match="'ring' is unknown"):
        Networks("ring", "relu", good.w, good.x, good.t)
    with pytest.raises(ValueError, match="'step' is unknown: choose one of sigmoid"):
        Networks("chains", "step", good.w, good.x, good.t)


def test_a_missing_number_among_the_inputs_is_refused() -> None:
    good = hand_made().networks
    with pytest.raises(ValueError, match="NaN or infinite"):
        run(Networks("chains", "relu", good.w, np.array([[math.nan], [1.0]]), good.t))
