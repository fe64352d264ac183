"""Judges of a gradient that share nothing with the equations of `network.backward`, and their certificate.

The pre-activation a_j^(l+1) is a sum to which the bias b_j^(l) is added, so moving that bias *is* moving
a_j^(l+1): complex step and central differences find delta by it, in networks without biases too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.certificate import RESOLVES, Certificate, Finding, Kink, WrongGradient
from coursework.backprop.log_domain import SignedGradients, log_domain, signed_gradients
from coursework.backprop.network import DenseNetwork, Gradients, Layers, NetworkError
from coursework.backprop.perturbation import as_gradients, in_double, move

#: The complex step: a power of two (so that dividing by it is exact), far below any truncation error, and
#: large enough for gradients of 1e-250, whose product with it must not underflow.
STEP = 2.0**-100

#: The step of central differences: about the cube root of float64's precision.
DIFFERENCE = 6e-6

#: The relative error that a judge without truncation is held to.
EXACT = 1e-12

#: How many times the effect of one rounding error in every weight two right computations may part by.
ROUNDINGS = 8

#: A ReLU nearer to 0 than this share of its terms counts as standing at its kink.
NEAR = 1e-4


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
    """Return Im E(w + i s) / s for every weight: no subtraction, no truncation."""
    moved = move(network, x, t, [1j * STEP])
    by_a, by_w = ({l: E[0].imag / STEP for l, E in by.items()} for by in (moved.by_a, moved.by_w))
    return as_gradients(network, by_a, by_w)


def central_differences(network: DenseNetwork, x: Array, t: Array, step: float = DIFFERENCE) -> Gradients:
    """Return (E(w + s) - E(w - s)) / 2s for every weight; good to about `difference_noise`."""
    moved = move(network, x, t, [step, -step])
    by_a, by_w = ({l: (E[0] - E[1]) / (2 * step) for l, E in by.items()} for by in (moved.by_a, moved.by_w))
    return as_gradients(network, by_a, by_w)


def difference_noise(network: DenseNetwork, x: Array, t: Array, step: float = DIFFERENCE) -> float:
    """Return the absolute error that rounding alone gives central differences: eps E / s."""
    loss = network.loss(network.forward(x), t).sum()
    return float(np.finfo(np.float64).eps * (1 + loss) / step)


def autograd_noise(network: DenseNetwork, x: Array, t: Array) -> float:
    """Return the relative error of torch's slopes z (1 - z) and 1 - z^2, which cancel where h saturates."""
    slopes: dict[str, Callable[[Array], Array]] = {
        "sigmoid": lambda z: z * (1 - z),
        "tanh": lambda z: 1 - z**2,
    }
    name, h_prime = network.activation.name, network.activation.h_prime
    if name not in slopes:
        return 0.0
    network = in_double(network)
    trace = network.forward(np.asarray(x, float))
    with np.errstate(invalid="ignore", divide="ignore"):
        lost = [np.abs(slopes[name](trace.z[l]) / h_prime(trace.a[l]) - 1) for l in range(2, network.L)]
    return float(sum(np.max(error, initial=0.0) for error in lost))


def rounding(network: DenseNetwork, x: Array, t: Array) -> Gradients:
    """Return how far the gradients move when every weight moves in its last digit.

    Where layers magnify such a change, two right computations part by as much.
    """
    rng = np.random.default_rng(0)
    nudged = in_double(network)
    nudged.parameters *= 1 + np.finfo(float).eps * rng.choice([-1, 1], nudged.parameters.shape)
    here, there = complex_step(network, x, t), complex_step(nudged, x, t)
    delta, w, b = (
        {l: np.abs(ours[l] - theirs[l]) for l in ours}
        for ours, theirs in ((here.delta, there.delta), (here.w, there.w), (here.b, there.b))
    )
    return Gradients(delta, w, b)


def relative_error(found: Array | float, true: Array | float) -> float:
    """Return max |found - true| / max |true|; two that are all zero agree, NaN agrees with nothing."""
    found, true = np.asarray(found), np.asarray(true)
    if found.shape != true.shape:
        raise WrongGradient(f"a gradient of shape {found.shape} cannot be compared with one of {true.shape}")
    difference = largest(found - true)
    if difference == 0:
        return 0.0
    scale = largest(true)
    return difference / scale if scale > 0 and difference == difference else float("inf")


#: kind ("delta", "w" or "b") and layer -> the absolute error that a judge's array may have.
Bounds = Callable[[str, int], float]


def _exact(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    return lambda kind, l: 0.0


def _autograd_bounds(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    noise = autograd_noise(network, x, t)
    return lambda kind, l: noise * largest(getattr(true, kind)[l])


def _complex_step_bounds(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    # the imaginary part carries the gradient times the step, which ends where float64 does
    smallest = float(np.finfo(np.float64).smallest_normal) / STEP
    return lambda kind, l: smallest


def _difference_bounds(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    # the truncation error grows with the square of the step, so twice the step shows three times of it
    double = central_differences(network, x, t, 2 * DIFFERENCE)
    noise = 2 * difference_noise(network, x, t)
    moved = move(network, x, t, [2 * DIFFERENCE, -2 * DIFFERENCE])
    bent = {"delta": moved.bent_a, "w": moved.bent_w, "b": frozenset(l - 1 for l in moved.bent_a)}
    kinked = network.activation.name == "relu"

    def bound(kind: str, l: int) -> float:
        if kinked and l in bent[kind]:
            return math.inf
        return noise + largest(getattr(double, kind)[l] - getattr(true, kind)[l])

    return bound


@dataclass(frozen=True)
class Judge:
    """One judge.

    Attributes
    ----------
    gradients : how it finds them.
    tolerance : the relative error that it is good to.
    noise : the absolute error, the same for all arrays, that rounding adds to that.
    bounds : the absolute error of each of the arrays found, `noise` included.
    """

    gradients: Callable[[DenseNetwork, Array, Array], Gradients]
    tolerance: float
    noise: Callable[[DenseNetwork, Array, Array], float] = lambda network, x, t: 0.0
    bounds: Callable[[DenseNetwork, Array, Array, Gradients], Bounds] = _exact


JUDGES: dict[str, Judge] = {
    "torch autograd": Judge(autograd, EXACT, bounds=_autograd_bounds),
    "complex step": Judge(complex_step, EXACT, bounds=_complex_step_bounds),
    "log domain": Judge(log_domain, 1e-10),
    "central differences": Judge(central_differences, 1e-6, difference_noise, _difference_bounds),
}


def verify(network: DenseNetwork, x: Array, t: Array, gradients: Gradients | None = None) -> Certificate:
    """Return the certificate of `certify`, if it passed.

    Raises
    ------
    WrongGradient : naming the judge, the layer and the error, if a gradient is wrong.
    NotCertified : nothing was found wrong, but there are arrays that too few judges could confirm.
    """
    return certify(network, x, t, gradients).require()


def certify(network: DenseNetwork, x: Array, t: Array, gradients: Gradients | None = None) -> Certificate:
    """Hold `gradients` (by default `network.backward`'s) against every judge, array by array.

    Each array is measured by its own largest entry, so that a small gradient is held to as many digits as a
    large one, and a judge that cannot resolve an array says so.

    Raises
    ------
    NetworkError : the network is complex, or x and t do not fit it.
    TooLarge : it has too many weights for moving each of them.
    """
    if network.dtype.kind == "c":
        raise NetworkError("the weights are complex; the judges move real ones, take the real part")
    for l, w in network.w.items():
        if not np.isfinite(w).all():
            raise NetworkError(f"w[{l}] holds {w[~np.isfinite(w)][0]}; only finite weights have gradients")
    if len(x) == 0:
        return Certificate(())
    # rounded as the network sees them, or single precision would be judged at another point
    x, t = network.inputs(x), network.targets(t, len(x))
    # what overflows is found not to be finite, and nobody can confirm it
    with np.errstate(over="ignore", invalid="ignore"):
        if gradients is None:
            gradients = network.backward(network.forward(x), t)
        size, shaken = signed_gradients(network, x, t), rounding(network, x, t)
        findings: list[Finding] = []
        for name, judge in JUDGES.items():
            true = judge.gradients(network, x, t)
            bound = judge.bounds(network, x, t, true)
            findings += _findings(name, gradients, true, bound, size, shaken, network.dtype)
        return Certificate(tuple(findings), kinks(network, x))


def _findings(
    name: str,
    gradients: Gradients,
    true: Gradients,
    bound: Bounds,
    size: SignedGradients,
    shaken: Gradients,
    dtype: np.dtype[Any],
) -> Iterator[Finding]:
    number = np.finfo(np.result_type(dtype, np.float32))
    # what 1e-12 is to float64, 5e-4 is to float32
    precision = float(number.eps / np.finfo(np.float64).eps)
    tolerance = max(JUDGES[name].tolerance, EXACT * precision)
    for kind in ("delta", "w", "b"):
        ours, theirs = getattr(gradients, kind), getattr(true, kind)
        if sorted(ours) != sorted(theirs):
            raise WrongGradient(f"{kind} has the layers {sorted(ours)}; {name} has {sorted(theirs)}")
        for l in theirs:
            magnitude = float(np.max(getattr(size, kind)[l].ln))
            too_small = -math.inf < magnitude < math.log(number.smallest_normal / RESOLVES)
            noise = bound(kind, l) + ROUNDINGS * precision * largest(getattr(shaken, kind)[l])
            allowed = tolerance + _share(noise, largest(theirs[l]))
            error = relative_error(ours[l], theirs[l])
            yield Finding(name, f"{kind}[{l}]", error, math.inf if too_small else allowed)


def kinks(network: DenseNetwork, x: Array) -> tuple[Kink, ...]:
    """Return the ReLUs whose pre-activation is nearer to 0 than `NEAR` of the terms that it sums."""
    if network.activation.name != "relu":
        return ()
    trace = network.forward(x)
    found = []
    for l in range(2, network.L):
        a, terms = trace.a[l], np.abs(trace.z[l - 1]) @ np.abs(network.w[l - 1].T)
        found += [
            Kink(l, int(j) + 1, int(n), float(a[n, j]))
            for n, j in np.argwhere(np.abs(a) <= NEAR * np.maximum(1, terms))
        ]
    return tuple(found)


def largest(array: Array) -> float:
    """Return max |array|, NaN if there is one in it."""
    return float(np.max(np.abs(array), initial=0.0))


def _share(noise: float, scale: float) -> float:
    if not math.isfinite(scale):
        return math.inf
    return noise / scale if scale > 0 else math.inf if noise > 0 else 0.0
