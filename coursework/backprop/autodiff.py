"""The judge that differentiates backwards, as `network.backward` does, by somebody else's rules: torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.finding import Bounds
from coursework.backprop.network import DenseNetwork, Gradients, Layers, Trace
from coursework.backprop.perturbation import in_double


def autograd(network: DenseNetwork, x: Array, t: Array) -> Gradients:
    """Return what torch's reverse-mode differentiation finds, in float64."""
    import torch
    from torch.nn import functional

    activations: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "sigmoid": torch.sigmoid,
        "relu": torch.relu,
        "tanh": torch.tanh,
        "softplus": lambda a: functional.softplus(a, threshold=1000.0),
        "identity": lambda a: a,
        "sin": torch.sin,
    }
    losses: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
        "squared": lambda a, t: ((a - t) ** 2 / 2).sum(),
        "logistic": lambda a, t: functional.binary_cross_entropy_with_logits(a, t, reduction="sum"),
        "softmax": lambda a, t: functional.cross_entropy(a, t, reduction="sum"),
    }
    h, loss = activations[network.activation.name], losses[network.loss_record.name]
    masks = {l: torch.tensor(mask, dtype=torch.float64) for l, mask in network.masks.items()}
    w = {l: torch.tensor(network.w[l], dtype=torch.float64, requires_grad=True) for l in network.w}
    b = {l: torch.tensor(network.b[l], dtype=torch.float64, requires_grad=True) for l in network.b}
    a: dict[int, torch.Tensor] = {}
    z = torch.tensor(x, dtype=torch.float64)
    for l in w:
        a[l + 1] = functional.linear(z, w[l] * masks[l] if l in masks else w[l], b.get(l))
        # torch keeps the gradient of what is computed on the way only where asked to
        a[l + 1].retain_grad()
        z = h(a[l + 1]) if l + 1 < network.L else a[l + 1]
    loss(z, torch.tensor(t, dtype=torch.float64)).backward()

    def gradients(tensors: dict[int, torch.Tensor]) -> Layers:
        return {l: v.grad.numpy() for l, v in tensors.items() if v.grad is not None}

    return Gradients(gradients(a), gradients(w), gradients(b))


def autograd_noise(network: DenseNetwork, x: Array, t: Array) -> float:
    """Return the relative error of torch's slopes, which cancel where h or the output saturates.

    They are z (1 - z) and 1 - z^2, and p - t at the output of a cross-entropy.
    """
    network = in_double(network)
    trace = network.forward(np.asarray(x, float))
    return _slope_noise(network, trace) + _output_noise(network, trace, t)


def _output_noise(network: DenseNetwork, trace: Trace, t: Array) -> float:
    if network.loss_record.name == "squared":
        return 0.0
    dE = np.abs(network.loss_record.delta(trace.y, network.targets(np.asarray(t, float), len(trace.y))))
    # p and t are at most 1, and each is rounded
    return float(2 * np.finfo(float).eps / np.min(dE[dE > 0], initial=1.0))


def _slope_noise(network: DenseNetwork, trace: Trace) -> float:
    slopes: dict[str, Callable[[Array], Array]] = {
        "sigmoid": lambda z: z * (1 - z),
        "tanh": lambda z: 1 - z**2,
    }
    name, h_prime = network.activation.name, network.activation.h_prime
    if name not in slopes:
        return 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        lost = [np.abs(slopes[name](trace.z[l]) / h_prime(trace.a[l]) - 1) for l in range(2, network.L)]
        if name == "tanh":
            # torch's tanh may end in another last digit than numpy's, of which 1 - z^2 is made
            last = [4 * np.finfo(float).eps / h_prime(trace.a[l]) for l in range(2, network.L)]
            lost = [np.fmax(error, digit) for error, digit in zip(lost, last, strict=True)]
    return float(sum(np.max(error, initial=0.0) for error in lost))


def autograd_bounds(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    """Return what the lost digits of torch's slopes may come to, entry by entry."""
    noise = autograd_noise(network, x, t)
    return lambda kind, l, size: noise * size
