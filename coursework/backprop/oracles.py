"""Three judges of a gradient that share nothing with the equations of `network.backward`.

The pre-activation a_j^(l+1) is a sum to which the bias b_j^(l) is added, so moving that bias *is* moving
a_j^(l+1): complex step and central differences find delta by it, in networks without biases too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.network import DenseNetwork, Gradients, Layers

#: The complex step: a power of two (so that dividing by it is exact), far below any truncation error.
STEP = 2.0**-332


class WrongGradient(AssertionError):
    """A gradient differs from what a judge found."""


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


def complex_step(network: DenseNetwork, x: Array, t: Array) -> Gradients:
    """Return Im E(w + i s) / s for every weight: one forward pass each, no subtraction, no truncation."""
    return _one_by_one(network, x, t, lambda loss: loss(1j * STEP).imag / STEP, complex)


def central_differences(network: DenseNetwork, x: Array, t: Array, step: float = 6e-6) -> Gradients:
    """Return (E(w + s) - E(w - s)) / 2s for every weight; good to about `difference_noise`."""
    return _one_by_one(network, x, t, lambda loss: (loss(step) - loss(-step)) / (2 * step), float)


def difference_noise(network: DenseNetwork, x: Array, t: Array, step: float = 6e-6) -> float:
    """Return the absolute error that rounding alone gives central differences: eps E / s."""
    loss = network.loss(network.forward(x), t).sum()
    return float(np.finfo(np.float64).eps * (1 + loss) / step)


def _one_by_one(
    network: DenseNetwork,
    x: Array,
    t: Array,
    derivative: Callable[[Callable[[complex], Array]], Array],
    number: type,
) -> Gradients:
    # own copies in double precision, and biases of zero where there are none
    w: Layers = {l: network.w[l].astype(number) for l in network.w}
    b: Layers = {l: network.b.get(l, np.zeros(len(w[l]))).astype(number) for l in w}
    moved = DenseNetwork.from_weights(
        w, b, network.activation.name, loss=network.loss_record.name, masks=network.masks
    )
    w, b = moved.w, moved.b
    x, t = np.asarray(x, dtype=np.float64), np.asarray(t, dtype=np.float64)

    def wrt(array: Array, index: tuple[int, ...]) -> Array:
        def loss(by: complex) -> Array:
            before = array[index]
            array[index] = before + by
            try:
                return moved.loss(moved.forward(x), t)
            finally:
                array[index] = before

        return derivative(loss)

    delta = {l + 1: np.stack([wrt(b[l], (j,)) for j in range(len(b[l]))], axis=1) for l in b}
    dw = {l: np.zeros(w[l].shape) for l in w}
    for l in w:
        for i in zip(*np.nonzero(network.masks.get(l, np.ones(w[l].shape))), strict=True):
            dw[l][i] = wrt(w[l], i).sum()
    return Gradients(delta, dw, {l: delta[l + 1].sum(axis=0) for l in network.b})


def relative_error(found: Array | float, true: Array | float) -> float:
    """Return max |found - true| / max |true|; two that are all zero agree, NaN agrees with nothing."""
    found, true = np.asarray(found), np.asarray(true)
    if found.shape != true.shape:
        raise WrongGradient(f"a gradient of shape {found.shape} cannot be compared with one of {true.shape}")
    difference = float(np.max(np.abs(found - true), initial=0.0))
    if difference == 0:
        return 0.0
    scale = float(np.max(np.abs(true), initial=0.0))
    return difference / scale if scale > 0 and difference == difference else float("inf")


@dataclass(frozen=True)
class Judge:
    """One judge: how it finds the gradients, and how far it can be trusted."""

    gradients: Callable[[DenseNetwork, Array, Array], Gradients]
    tolerance: float
    noise: Callable[[DenseNetwork, Array, Array], float] = lambda network, x, t: 0.0


JUDGES: dict[str, Judge] = {
    "torch autograd": Judge(autograd, 1e-12),
    "complex step": Judge(complex_step, 1e-12),
    "central differences": Judge(central_differences, 1e-6, difference_noise),
}


@dataclass(frozen=True)
class Finding:
    """What one judge says of one array: `what` is "delta[3]", `error` relative to its largest entry."""

    judge: str
    what: str
    error: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether the error is within what the judge can resolve."""
        return self.error <= self.allowed


def verify(network: DenseNetwork, x: Array, t: Array, gradients: Gradients | None = None) -> list[Finding]:
    """Hold `gradients` (by default `network.backward`'s) against every judge, layer by layer.

    Each layer is measured by its own largest entry, so that a small gradient is held to as many digits
    as a large one.

    Raises
    ------
    WrongGradient : naming the judge, the layer and the error, if a gradient is wrong.
    """
    if gradients is None:
        gradients = network.backward(network.forward(x), t)
    # what 1e-12 is to float64, 5e-4 is to float32
    precision = float(np.finfo(network.dtype).eps / np.finfo(np.float64).eps)
    findings = []
    for name, judge in JUDGES.items():
        true, noise = judge.gradients(network, x, t), judge.noise(network, x, t)
        for kind in ("delta", "w", "b"):
            ours, theirs = getattr(gradients, kind), getattr(true, kind)
            if ours.keys() != theirs.keys():
                raise WrongGradient(f"{kind} has the layers {sorted(ours)}; {name} has {sorted(theirs)}")
            for l in theirs:
                scale = float(np.max(np.abs(theirs[l]), initial=0.0))
                allowed = max(judge.tolerance, JUDGES["torch autograd"].tolerance * precision) + (
                    noise / scale if scale > 0 else 0.0
                )
                findings.append(Finding(name, f"{kind}[{l}]", relative_error(ours[l], theirs[l]), allowed))
    wrong = [finding for finding in findings if not finding.passed]
    if wrong:
        raise WrongGradient(
            "; ".join(f"{f.what} is {f.error:.1e} off {f.judge} (allowed {f.allowed:.0e})" for f in wrong)
        )
    return findings
