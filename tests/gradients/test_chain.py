from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from coursework.gradients.activations import ACTIVATIONS, LEAK
from coursework.gradients.chain import LINKS, Networks, Trace, run
from coursework.gradients.cures import EPSILON, Cure
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.precision import death_layers

MP_ACTIVATIONS = {
    "sigmoid": (lambda a: 1 / (1 + mp.exp(-a)), lambda a: 1 / (2 + mp.exp(a) + mp.exp(-a))),
    "tanh": (mp.tanh, lambda a: mp.sech(a) ** 2),
    "relu": (lambda a: max(a, mpf(0)), lambda a: mpf(a > 0)),
    "leaky relu": (lambda a: a if a > 0 else a * mpf(LEAK), lambda a: mpf(1) if a > 0 else mpf(LEAK)),
    "gelu": (lambda a: a * mp.ncdf(a), lambda a: mp.ncdf(a) + a * mp.npdf(a)),
    "identity": (lambda a: a, lambda a: mpf(1)),
}
TORCH_ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky relu": torch.nn.functional.leaky_relu,
    "gelu": torch.nn.functional.gelu,
    "identity": lambda a: a,
}


def autograd(networks: Networks) -> dict[int, np.ndarray]:
    """dE/dw^(l) of every network by torch, float64, in the shape of w[l]; before clipping."""
    cure, many = networks.cure, networks.x.ndim == 3
    weights, z = {}, torch.tensor(networks.x)
    for layer, array in networks.w.items():
        weights[layer] = torch.tensor(array, requires_grad=True)
        w = weights[layer].unsqueeze(-2) if many else weights[layer]
        a = w * z if networks.in_rows(layer) else (w * z).sum(dim=1)
        if networks.b:
            b = torch.tensor(networks.b[layer])
            a = a + (b.unsqueeze(-2) if many else b)
        if layer == networks.depth:
            break
        if cure.normalize != "none":
            axis = 1 if cure.normalize == "batch" else 0
            variance = a.var(dim=axis, keepdim=True, unbiased=False)
            a = (a - a.mean(dim=axis, keepdim=True)) / torch.sqrt(variance + EPSILON)
        h = TORCH_ACTIVATIONS[networks.activation](a)
        z = z + h if cure.residual else h
    (0.5 * (a[0] - torch.tensor(networks.t)) ** 2).sum().div(networks.examples).backward()
    return {layer: w.grad.numpy() for layer, w in weights.items()}


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


# torch's own gelu is exactly 0 from a = -8.3 on down; it is compared with less precision below
@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"gelu"}))
@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize("bias_scale", [0.0, 0.3])
def test_gradients_equal_autograd_at_moderate_depth(activation: str, links: str, bias_scale: float) -> None:
    spec = ChainSpec(depth=9, links=links, activation=activation, scale=1.2, bias_scale=bias_scale)
    networks = draw(spec, 2000, seed=1)
    gradients = autograd(networks)
    expected = np.stack([g.reshape(-1, 2000)[0] for g in gradients.values()])
    trace = run(networks)
    measured = np.stack([trace.gradient(layer).to_float() for layer in range(1, 10)])
    live = expected != 0
    assert np.array_equal(live, measured != 0)
    relative = np.abs(measured[live] / expected[live] - 1)
    # autograd's own 1 - z^2 loses digits in saturation, and so does e where a^(L) is near t
    assert np.quantile(relative, 0.99) < 1e-11
    assert relative.max() < 1e-4
    assert live.any()


MASK = ((1, 1, 0), (0, 1, 1), (1, 0, 1))
SPECS = {
    "width by layer": {"links": "full", "width": (3, 5, 2, 4, 1, 2), "law": "he"},
    "mask": {"links": MASK, "width": 3, "law": "glorot"},
    "mask, residual": {"links": MASK, "width": 3, "law": "identity", "scale": 0.5, "cure": "residual"},
    "residual": {"cure": "residual"},
    "residual, full, orthogonal": {"links": "full", "width": 4, "law": "orthogonal", "cure": "residual"},
    "layer norm": {"links": "full", "width": 4, "cure": "layer norm"},
    "layer norm of two": {"links": "full", "width": 2, "cure": "layer norm"},
    "batch norm": {"cure": "batch norm", "examples": 5},
    "residual, batch norm": {"links": "full", "width": 3, "cure": "residual, batch norm", "examples": 5},
    "examples": {"links": MASK, "width": 3, "examples": 4},
}


@pytest.mark.parametrize("settings", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_every_gradient_of_every_kind_of_network_equals_autograd(settings: dict, activation: str) -> None:
    networks = draw(ChainSpec(**{"depth": 6, "activation": activation, "bias_scale": 0.5} | settings), 50, 1)
    trace = run(networks)
    exact = autograd(networks)
    largest = np.max([np.abs(g).max(axis=tuple(range(g.ndim - 1))) for g in exact.values()], axis=0)
    for layer, expected in exact.items():
        if networks.links == "mask":
            expected = expected * networks.mask[layer][..., np.newaxis]
        measured = trace.gradients(layer).to_float()
        assert np.all(np.abs(measured - expected) <= 1e-9 * largest)
        norms = np.sqrt((measured**2).sum(axis=tuple(range(expected.ndim - 1))))
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(trace.log10_weight_norms[layer - 1], np.log10(norms), rtol=1e-10)


def test_clipping_cuts_the_whole_gradient_to_the_norm_and_leaves_shorter_ones() -> None:
    spec = ChainSpec(depth=5, links="full", activation="tanh", scale=1.5, bias_scale=0.5)
    free = run(draw(spec, 300, seed=3))
    deltas = [(free.delta[layer + 1].to_float() ** 2).sum(axis=0) for layer in range(1, 6)]
    total = np.sqrt((10 ** (2 * free.log10_weight_norms)).sum(axis=0) + np.sum(deltas, axis=0))
    clip = float(np.median(total))
    clipped = run(draw(replace(spec, cure=Cure(clip=clip)), 300, seed=3))
    expected = free.log10_gradients + np.log10(np.minimum(1, clip / total))
    np.testing.assert_allclose(clipped.log10_gradients, expected, rtol=1e-12)


def test_layer_normalization_of_two_units_kills_the_gradient_and_batch_normalization_does_not() -> None:
    # two centred units are (d, -d), and divided by their own size a sign: slope 0 but for EPSILON
    two = {"depth": 60, "links": "full", "activation": "tanh"}
    by_layer = run(draw(ChainSpec(**two, cure="layer norm"), 200, seed=4)).log10_gradients
    by_batch = run(draw(ChainSpec(**two, cure="batch norm", examples=16), 200, seed=4)).log10_gradients
    assert np.median(by_layer[0]) < -150
    assert np.median(by_batch[0]) > -15


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


@pytest.mark.parametrize(("activation", "links"), [("sigmoid", "full"), ("relu", "chains")])
def test_logarithms_at_depth_10_000_equal_fifty_digits_and_floats_are_long_dead(
    activation: str, links: str, exact_gradients: Callable[..., dict]
) -> None:
    depth = 10_000
    spec = ChainSpec(depth, links, activation, scale=0.9, alive=activation == "relu")
    trace = run(draw(spec, 1, seed=3))
    with mp.workdps(50):
        exact = exact_gradients(trace.networks, 0, lambda x: mpf(float(x)), *MP_ACTIVATIONS[activation])
        layers = [*range(1, depth, 97), depth]
        logs = [float(mp.log10(abs(exact[l, 1, 1]))) for l in layers]
        signs = [int(mp.sign(exact[l, 1, 1])) for l in layers]
    assert min(logs) < -1000
    measured = trace.log10_gradients[np.array(layers) - 1, 0]
    np.testing.assert_allclose(measured, logs, rtol=1e-10, atol=1e-10)
    assert [int(trace.gradient(l).sign[0]) for l in layers] == signs
    # how many layers from the output each format lasts
    lasts = {dtype: depth - int(death_layers(trace, dtype)[0]) for dtype in (np.float32, np.float64)}
    if activation == "sigmoid":
        assert 30 < lasts[np.float32] < 120
        assert 250 < lasts[np.float64] < 800
    else:
        # all layers of a living chain have gradients of one size: they die together
        assert lasts[np.float32] == lasts[np.float64] == 0


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
