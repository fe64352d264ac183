"""The judges that move a number and look at the loss: the complex step and central differences.

The pre-activation a_j^(l+1) is a sum to which the bias b_j^(l) is added, so moving that bias *is* moving
a_j^(l+1): they find delta in networks without biases too.
"""

from __future__ import annotations

import math

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.finding import Bounds, largest
from coursework.backprop.network import DenseNetwork, Gradients
from coursework.backprop.perturbation import as_gradients, move

#: The complex step: a power of two (so that dividing by it is exact), far below any truncation error, and
#: large enough for gradients of 1e-250, whose product with it must not underflow.
STEP = 2.0**-100

#: The step of central differences: about the cube root of float64's precision.
DIFFERENCE = 6e-6


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


def complex_step_bounds(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    # the imaginary part carries the gradient times the step, which ends where float64 does
    smallest = float(np.finfo(np.float64).smallest_normal) / STEP
    return lambda kind, l, size: smallest


def difference_bounds(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    # the truncation error grows with the square of the step, so twice the step shows three times of it
    double = central_differences(network, x, t, 2 * DIFFERENCE)
    noise = 2 * difference_noise(network, x, t)
    moved = move(network, x, t, [2 * DIFFERENCE, -2 * DIFFERENCE])
    bent = {"delta": moved.bent_a, "w": moved.bent_w, "b": frozenset(l - 1 for l in moved.bent_a)}
    kinked = network.activation.name == "relu"

    def bound(kind: str, l: int, size: Array) -> float:
        if kinked and l in bent[kind]:
            return math.inf
        return noise + largest(getattr(double, kind)[l] - getattr(true, kind)[l])

    return bound
