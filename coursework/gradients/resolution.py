"""How far the digits of a trace are those of its networks: the same networks, changed in their last bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coursework.gradients.arithmetic import scaled_numbers
from coursework.gradients.chain import Networks, propagate, trace_of
from coursework.gradients.scaled import Array

#: A logarithm that is uncertain by no more than this counts as known.
RESOLVED = 0.1


def log10_uncertainty(networks: Networks, seed: int = 0) -> Array:
    """Return by how much log10 ||delta^(l)|| changes when every weight and input moves by its last bit.

    An estimate, the larger of two draws: what changes by about 1e-10 is a number of these networks; what
    changes by a decade, or is zero in one run and not in the other, is not resolved in 53 bits. The error
    that is sent back is rounded differently as well, since it can cancel whatever the weights' last bits are.

    Returns
    -------
    shape (depth, B), row l-2 for layer l; 0 where both are exactly zero, infinite where one is.
    """
    # by chance one twin may come out as wrong as the network itself
    everyone, loudness = with_twins(networks, seed, twins=2)
    found = trace_of(propagate(everyone, scaled_numbers(networks.h), loudness)).log10_delta_norms
    return difference(found - np.log10(loudness), networks.batch)


def with_twins(networks: Networks, seed: int, twins: int) -> tuple[Networks, Array]:
    """Return the networks, so many times followed by twins that differ in the last bits, and their loudness.

    The twins' errors are to be multiplied by it, between 1 and 2, when they are sent back (`propagate`).
    """
    rng = np.random.default_rng(seed)

    def beside(values: Array) -> Array:
        copies = np.tile(values, twins)
        moved = np.nextafter(copies, rng.choice([-np.inf, np.inf], size=copies.shape))
        return np.concatenate([values, np.where(copies == 0, 0.0, moved)], axis=-1)

    w = {l: beside(values) for l, values in networks.w.items()}
    b = {l: np.tile(values, 1 + twins) for l, values in networks.b.items()}
    all_of_them = replace(networks, w=w, b=b, x=beside(networks.x), t=np.tile(networks.t, 1 + twins))
    loudness = rng.uniform(1, 2, (1 + twins) * networks.batch)
    loudness[: networks.batch] = 1.0
    return all_of_them, loudness


def difference(logs: Array, networks: int) -> Array:
    """Return how far the logarithms of the first `networks` of `with_twins` are from those of their twins.

    Parameters
    ----------
    logs : shape (..., B), of all of them.
    """
    here, *twins = np.split(logs, logs.shape[-1] // networks, axis=-1)
    with np.errstate(invalid="ignore"):
        far = [np.where(here == beside, 0.0, np.abs(here - beside)) for beside in twins]
    return np.asarray(np.max(far, axis=0))
