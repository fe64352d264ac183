"""The activations h, one record each: the formula, its derivative, and how both are printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

#: float32, float64, complex64 or complex128; the functions below return what they are given.
Array = NDArray[Any]


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)) without overflow."""
    if not np.iscomplexobj(a):
        return np.asarray(expit(a))
    # exp taken of negative real parts only
    right = np.real(a) >= 0
    e = np.exp(np.where(right, -a, a))
    return np.asarray(np.where(right, 1, e) / (1 + e))


def sigmoid_prime(a: Array) -> Array:
    """Return sigma(a) sigma(-a); 1 - sigma(a) would round to zero from a = 37 upwards."""
    return sigmoid(a) * sigmoid(-a)


def relu(a: Array) -> Array:
    """Return a where it is positive, 0 where it is not, and NaN where it is NaN."""
    return np.where(np.real(a) <= 0, np.zeros_like(a), a)


def relu_prime(a: Array) -> Array:
    """Return 1 where a is positive, else 0; the kink a = 0 counts as flat, as in PyTorch."""
    return np.where(np.real(a) > 0, np.ones_like(a), np.zeros_like(a))


def tanh_prime(a: Array) -> Array:
    """Return 4 sigma(2a) sigma(-2a), which is 1 - tanh(a)^2 without its cancellation."""
    return 4 * sigmoid_prime(2 * a)


def softplus(a: Array) -> Array:
    """Return ln(1 + exp(a)) with exp taken of negative numbers only."""
    e = np.exp(np.where(np.real(a) > 0, -a, a))
    return relu(a) + log1p(e)


def log1p(e: Array) -> Array:
    """Return ln(1 + e); numpy's complex log1p computes log|1 + e|, which loses a small e."""
    if not np.iscomplexobj(e):
        return np.asarray(np.log1p(e))
    p, q = e.real, e.imag
    return np.asarray(np.log1p(p * (2 + p) + q * q) / 2 + 1j * np.arctan2(q, 1 + p))


def identity(a: Array) -> Array:
    """Return a."""
    return a


def cos(a: Array) -> Array:
    """Return cos(a)."""
    return np.asarray(np.cos(a))


def sin(a: Array) -> Array:
    """Return sin(a)."""
    return np.asarray(np.sin(a))


def tanh(a: Array) -> Array:
    """Return tanh(a)."""
    return np.asarray(np.tanh(a))


@dataclass(frozen=True)
class Activation:
    """One activation.

    Attributes
    ----------
    name : the key in the table.
    h, h_prime : the function and its derivative, elementwise, real or complex (complex arguments are
        decided by their real part: what the complex step needs).
    latex : h(a), to be printed.
    prime_latex : h'(a), to be printed, with the fields `%(a)s` (the argument) and `%(z)s` (h of it).
    """

    name: str
    h: Callable[[Array], Array]
    h_prime: Callable[[Array], Array]
    latex: str
    prime_latex: str

    def prime_at(self, a: str, z: str) -> str:
        """Return the LaTeX of h' at the argument printed `a`, where h is printed `z`."""
        return self.prime_latex % {"a": a, "z": z}


ACTIVATIONS: dict[str, Activation] = {
    record.name: record
    for record in (
        Activation(
            "sigmoid", sigmoid, sigmoid_prime, r"\sigma(a)=\frac{1}{1+e^{-a}}", r"%(z)s\bigl(1-%(z)s\bigr)"
        ),
        Activation("relu", relu, relu_prime, r"\max(0,a)", r"\bigl[%(a)s>0\bigr]"),
        Activation("tanh", tanh, tanh_prime, r"\tanh a", r"\bigl(1-(%(z)s)^{2}\bigr)"),
        Activation("softplus", softplus, sigmoid, r"\ln(1+e^{a})", r"\sigma\bigl(%(a)s\bigr)"),
        Activation("identity", identity, np.ones_like, r"a", r"1"),
        Activation("sin", sin, cos, r"\sin a", r"\cos\bigl(%(a)s\bigr)"),
    )
}


class UnknownActivation(ValueError):
    """An activation was asked for that is not in the table."""


def activation(name: str) -> Activation:
    """Return the record called `name`; `UnknownActivation` lists the names there are."""
    try:
        return ACTIVATIONS[name]
    except KeyError:
        raise UnknownActivation(
            f"activation {name!r} is not in the table; take one of {', '.join(ACTIVATIONS)}"
        ) from None
