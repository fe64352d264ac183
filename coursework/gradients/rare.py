"""How improbable a living gradient is, measured where no plain count would ever see one.

A rectified linear network of 152 layers has a nonzero gradient once in 10^46 (two chains) or in 10^19 (two
wide). Multilevel splitting (Kahn and Harris 1951; Cérou and Guyader 2007) measures it all the same: many
networks grow layer by layer; those in which no gradient can reach the weight any more are replaced by copies
of the others; the product of the shares that lived on is an unbiased estimate of the probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from coursework.gradients.ensembles import ChainSpec, draw_layer
from coursework.gradients.laws import SYMMETRIC
from coursework.gradients.scaled import Array

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class RareShare:
    """P(dE/dw_11^(l) != 0), measured by splitting.

    Attributes
    ----------
    log10_probability, low, high : log10 of the mean over independent runs and of its 95 % interval (Student's
        t over the runs); `low` is -inf where the interval reaches 0.
    survival : share that lived on at each layer 2..depth, mean over the runs, shape (depth - 1,).
    runs : log10 of every run's estimate, shape (runs,); they are independent.
    """

    log10_probability: float
    low: float
    high: float
    survival: Array
    runs: Array


def living_probability(
    spec: ChainSpec, l: int = 1, particles: int = 4000, runs: int = 20, seed: int = 0
) -> RareShare:
    """Measure the probability that dE/dw_11^(l) is not zero in random networks of a family.

    Parameters
    ----------
    spec : rectified linear units under a law symmetric about 0, any links and widths, with or without biases.
    l : the weight's layer.
    particles : networks that are grown at a time. The relative error of one run is about
        sqrt(sum over layers of (1 - p) / (p particles)), p a layer's survival.
    runs : independent repetitions, at least 2, from whose spread the interval comes.
    seed : the same seed gives the same estimate.

    Raises
    ------
    ValueError
        for another activation, law or cure, or if no particle survives a layer.
    """
    if spec.activation != "relu" or spec.law not in SYMMETRIC:
        raise ValueError(f"splitting is for activation 'relu' and law {', '.join(SYMMETRIC)}")
    if spec.cure != "none" or spec.alive or spec.examples != 1:
        raise ValueError("splitting is for cure 'none', alive=False and 1 example")
    if not 1 <= l <= spec.depth:
        raise ValueError(f"there is no weight layer {l}: they are numbered 1 to {spec.depth}")
    if particles < 2 or runs < 2:
        raise ValueError(f"particles is {particles} and runs is {runs}: both must be at least 2")
    survival = np.array(
        [_grow(spec, l, particles, rng) for rng in map(np.random.default_rng, _seeds(seed, runs))]
    )
    estimates = np.log10(survival).sum(axis=1)
    largest = estimates.max()
    relative = 10.0 ** (estimates - largest)
    mean, error = relative.mean(), relative.std(ddof=1) / np.sqrt(runs)
    reach = float(stdtrit(runs - 1, 0.975)) * error
    with np.errstate(divide="ignore"):
        middle, low, high = largest + np.log10([mean, max(mean - reach, 0.0), mean + reach])
    return RareShare(float(middle), float(low), float(high), survival.mean(axis=0), estimates)


def _seeds(seed: int, runs: int) -> list[np.random.SeedSequence]:
    return np.random.SeedSequence(seed).spawn(runs)


def _grow(spec: ChainSpec, l: int, particles: int, rng: np.random.Generator) -> Array:
    """Grow one population; return the share that lived on at each of the layers 2..depth."""
    z = rng.normal(size=(spec.widths[0], particles))
    usable = np.ones(z.shape, dtype=bool)
    sources = _sources(spec, l)
    shares = np.ones(spec.depth - 1)
    for m in range(2, spec.depth + 1):
        w, b = draw_layer(spec, m - 1, particles, rng)
        a = (w * z if w.ndim == 2 else (w * z).sum(axis=1)) + b
        active = a > 0
        if m <= l:
            usable = active & sources[m]
        elif m == l + 1:
            usable = active & _first(len(a))
        else:
            usable = active & (spec.mask(m - 1).astype(int) @ usable.astype(int) > 0)
        alive = np.flatnonzero(usable.any(axis=0))
        if m < l and spec.bias_scale != 0:
            alive = np.arange(particles)
        if alive.size == 0:
            raise ValueError(f"none of {particles} particles survived layer {m}: use more particles")
        shares[m - 2] = alive.size / particles
        chosen = alive[rng.integers(0, alive.size, particles)]
        z, usable = np.where(active, a, 0.0)[:, chosen], usable[:, chosen]
        if spec.bias_scale == 0:
            # signs depend on the direction of z only; its length would leave the floats
            z /= z.max(axis=0)
    return shares


def _first(units: int) -> Booleans:
    return np.asarray(np.arange(units)[:, np.newaxis] == 0)


def _sources(spec: ChainSpec, l: int) -> dict[int, Booleans]:
    """Return for layers 2..l which units a signal to unit 1 of layer l can come through, shape (units, 1).

    Without biases one of them must be active in every layer; biases can wake what was silent.
    """
    if l == 1:
        return {}
    sources = {l: _first(spec.widths[l - 1])}
    for m in range(l - 1, 1, -1):
        sources[m] = spec.mask(m).T.astype(int) @ sources[m + 1].astype(int) > 0
    return sources
