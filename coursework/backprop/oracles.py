"""Judges of a gradient that share nothing with the equations of `network.backward`, and their certificate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.autodiff import autograd, autograd_bounds
from coursework.backprop.certificate import Certificate
from coursework.backprop.differences import (
    STEP,
    central_differences,
    complex_step,
    complex_step_bounds,
    difference_bounds,
    difference_noise,
)
from coursework.backprop.finding import RESOLVES, Bounds, Finding, Kink, WrongGradient, relative_error
from coursework.backprop.log_domain import SignedGradients, log_domain, signed_gradients, term_sizes
from coursework.backprop.network import DenseNetwork, Gradients, NetworkError
from coursework.backprop.perturbation import in_double

__all__ = [
    "JUDGES",
    "STEP",
    "Judge",
    "WrongGradient",
    "autograd",
    "central_differences",
    "certify",
    "complex_step",
    "difference_noise",
    "kinks",
    "log_domain",
    "relative_error",
    "rounding",
    "verify",
]

#: The relative error that a judge without truncation is held to.
EXACT = 1e-12

#: How many times the effect of one rounding error in every weight two right computations may part by.
ROUNDINGS = 8

#: How many moves the effect of rounding is averaged over: by one alone, some entry moves hardly at all.
NUDGES = 8

#: A ReLU nearer to 0 than this share of its terms counts as standing at its kink.
NEAR = 1e-4


def rounding(network: DenseNetwork, x: Array, t: Array) -> Gradients:
    """Return how far the gradients move when every weight moves in its last digit: the mean of `NUDGES`.

    Where layers magnify such a change, two right computations part by as much.
    """
    here = complex_step(network, x, t)
    rng = np.random.default_rng(0)
    squares = []
    for _ in range(NUDGES):
        nudged = in_double(network)
        nudged.parameters *= 1 + np.finfo(float).eps * rng.choice([-1, 1], nudged.parameters.shape)
        squares.append(_squares(here, complex_step(nudged, x, t)))
    delta, w, b = (
        {l: np.sqrt(np.mean([square[part][l] for square in squares], axis=0)) for l in squares[0][part]}
        for part in range(3)
    )
    return Gradients(delta, w, b)


def _squares(here: Gradients, there: Gradients) -> list[dict[int, Array]]:
    pairs = ((here.delta, there.delta), (here.w, there.w), (here.b, there.b))
    return [{l: (ours[l] - theirs[l]) ** 2 for l in ours} for ours, theirs in pairs]


def _exact(network: DenseNetwork, x: Array, t: Array, true: Gradients) -> Bounds:
    return lambda kind, l, size: 0.0


@dataclass(frozen=True)
class Judge:
    """One judge.

    Attributes
    ----------
    gradients : how it finds them.
    tolerance : the relative error that it is good to.
    noise : the absolute error, the same for all arrays, that rounding adds to that.
    bounds : the absolute error of the entries of each of the arrays found, `noise` included.
    """

    gradients: Callable[[DenseNetwork, Array, Array], Gradients]
    tolerance: float
    noise: Callable[[DenseNetwork, Array, Array], float] = lambda network, x, t: 0.0
    bounds: Callable[[DenseNetwork, Array, Array, Gradients], Bounds] = _exact


JUDGES: dict[str, Judge] = {
    "torch autograd": Judge(autograd, EXACT, bounds=autograd_bounds),
    "complex step": Judge(complex_step, EXACT, bounds=complex_step_bounds),
    "log domain": Judge(log_domain, 1e-10),
    "central differences": Judge(central_differences, 1e-6, difference_noise, difference_bounds),
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

    Each entry is measured by the terms that it is itself added up from, so that a small derivative is held to
    as many digits as a large one beside it; a judge that cannot resolve an entry says so.  A network of
    float32 is held to the digits that float32 has; where a deep one runs out of them, its copy in float64,
    `in_double(network)`, has the same numbers and can be certified.

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
    # rounded as the network sees them, or single precision would be judged at another point
    x = network.inputs(x)
    t = network.targets(t, len(x))
    if len(x) == 0:
        return Certificate(())
    # what overflows is found not to be finite, and nobody can confirm it
    with np.errstate(over="ignore", invalid="ignore"):
        if gradients is None:
            gradients = network.backward(network.forward(x), t)
        size = term_sizes(network, signed_gradients(network, x, t), x)
        shaken = rounding(network, x, t)
        findings: list[Finding] = []
        for name, judge in JUDGES.items():
            true = judge.gradients(network, x, t)
            bound = judge.bounds(network, x, t, true)
            findings += _findings(name, gradients, true, bound, size, shaken, network.dtype)
        return Certificate(tuple(findings), kinks(network, x), str(network.dtype))


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
            terms = getattr(size, kind)[l]
            least = math.log(number.smallest_normal / RESOLVES)
            allowed = _allowed(
                theirs[l],
                terms.numbers(),
                bound(kind, l, terms.numbers()),
                ROUNDINGS * precision * getattr(shaken, kind)[l],
            )
            too_small = (terms.ln > -math.inf) & (terms.ln < least)
            errors = _errors(ours[l], theirs[l], terms.numbers())
            allowances = np.where(too_small, math.inf, tolerance + allowed)
            yield Finding(name, f"{kind}[{l}]", errors, allowances, too_small)


def _allowed(true: Array, size: Array, bound: Array | float, noise: Array) -> Array:
    """Return what a judge's error and rounding may come to, relative to `size`."""
    bound = np.broadcast_to(bound, size.shape)
    # where there is no term at all, a judge who sees nothing move says 0, and to the last digit
    nothing = (size == 0) & (true == 0) & (noise == 0) & np.isfinite(bound)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(nothing, 0.0, (bound + noise) / size)
    # without a number to measure by, and where 0 is divided by 0
    return np.where(np.isfinite(size) & ~np.isnan(share), share, math.inf)


def _errors(found: Array, true: Array, size: Array) -> Array:
    """Return |found - true| / size; two that are equal agree, NaN agrees with nothing."""
    if found.shape != true.shape:
        raise WrongGradient(f"a gradient of shape {found.shape} cannot be compared with one of {true.shape}")
    difference = np.abs(found - true)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(difference == 0, 0.0, difference / size)
    return np.where(np.isnan(errors), math.inf, errors)


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
