"""The activations once more, filling arrays that are there already: what `in_place` is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from coursework.backprop.activations import Array


@dataclass(frozen=True)
class Operations:
    """An activation that fills given arrays.

    Attributes
    ----------
    h : (a, z, spare): fills z with h(a); may leave something in `spare` for the way back.
    h_prime : (a, z, spare): fills `spare` with h'(a).
    """

    h: Callable[[Array, Array, Array], object]
    h_prime: Callable[[Array, Array, Array], object]


def _sigmoid_prime(a: Array, z: Array, spare: Array) -> None:
    expit(np.negative(a, out=spare), out=spare)
    spare *= z


def _sigmoid_keeping_e(a: Array, z: Array, spare: Array) -> None:
    with np.errstate(over="ignore"):
        e = np.exp(np.negative(a, out=spare), out=spare)
    np.reciprocal(np.add(e, 1, out=z), out=z)


def _sigmoid_prime_from_e(a: Array, z: Array, spare: Array) -> None:
    # e z is sigma(-a); where e has overflowed z is 0 and their product is not a number, but should be 1
    with np.errstate(invalid="ignore"):
        spare *= z
    np.fmin(spare, 1, out=spare)
    spare *= z


def _tanh_prime(a: Array, z: Array, spare: Array) -> None:
    # 1 / cosh^2, which is 1 - tanh^2 without its cancellation
    with np.errstate(over="ignore"):
        np.square(np.cosh(a, out=spare), out=spare)
    np.reciprocal(spare, out=spare)


OPERATIONS: dict[str, Operations] = {
    "sigmoid": Operations(lambda a, z, spare: expit(a, out=z), _sigmoid_prime),
    "relu": Operations(
        lambda a, z, spare: np.maximum(a, 0, out=z),
        lambda a, z, spare: np.greater(a, 0, out=spare),
    ),
    "tanh": Operations(lambda a, z, spare: np.tanh(a, out=z), _tanh_prime),
    "softplus": Operations(
        lambda a, z, spare: np.logaddexp(a, 0, out=z), lambda a, z, spare: expit(a, out=spare)
    ),
    "identity": Operations(lambda a, z, spare: np.copyto(z, a), lambda a, z, spare: spare.fill(1)),
    "sin": Operations(lambda a, z, spare: np.sin(a, out=z), lambda a, z, spare: np.cos(a, out=spare)),
}

#: From so many hidden outputs on, computing costs more than calling numpy.
MANY = 2000

#: One exponential for h and h' in place of two, for three more calls.
FOR_MANY = {"sigmoid": Operations(_sigmoid_keeping_e, _sigmoid_prime_from_e)}


def operations(name: str, elements: int) -> Operations:
    """Return the operations for so many hidden outputs."""
    return FOR_MANY.get(name, OPERATIONS[name]) if elements >= MANY else OPERATIONS[name]
