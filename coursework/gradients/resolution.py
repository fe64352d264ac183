"""How far the digits of a trace are those of its networks: the same networks, changed in their last bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coursework.gradients.arithmetic import scaled_numbers
from coursework.gradients.chain import Networks, propagate, trace_of
from coursework.gradients.scaled import Array

#: By chance one twin may come out as wrong as the network itself.
_TWINS = 2


def log10_uncertainty(networks: Networks, seed: int = 0) -> Array:
    """Return by how much log10 ||delta^(l)|| changes when every weight and input moves by its last bit.

    An estimate, the larger of two draws: what changes by about 1e-10 is a number of these networks; what
    changes by a decade, or is zero in one run and not in the other, is not resolved in 53 bits. The error
    that is sent back is rounded differently as well, since it can cancel whatever the weights' last bits are.

    Returns
    -------
    shape (depth, B), row l-2 for layer l; 0 where both are exactly zero, infinite where one is.
    """
    everyone, loudness = with_twins(networks, seed)
    found = trace_of(propagate(everyone, scaled_numbers(networks.h), loudness)).log10_delta_norms
    return difference(found - np.log10(loudness))


def with_twins(networks: Networks, seed: int) -> tuple[Networks, Array]:
    """Return the networks, twice followed by twins that differ in the last bits, and a loudness for each.

    The twins' errors are to be multiplied by theirs, between 1 and 2, when they are sent back (`propagate`).
    """
    rng = np.random.default_rng(seed)

    def beside(values: Array) -> Array:
        towards = rng.choice([-np.inf, np.inf], size=(*values.shape[:-1], _TWINS * values.shape[-1]))
        twins = np.nextafter(np.tile(values, _TWINS), towards)
        return np.concatenate([values, np.where(np.tile(values, _TWINS) == 0, 0.0, twins)], axis=-1)

    w = {l: beside(values) for l, values in networks.w.items()}
    b = {l: np.tile(values, 1 + _TWINS) for l, values in networks.b.items()}
    all_of_them = replace(networks, w=w, b=b, x=beside(networks.x), t=np.tile(networks.t, 1 + _TWINS))
    loudness = rng.uniform(1, 2, (1 + _TWINS) * networks.batch)
    loudness[: networks.batch] = 1.0
    return all_of_them, loudness


def difference(logs: Array) -> Array:
    """Return how far logarithms, those of all the networks of `with_twins`, are from those of their twins."""
    here, *twins = np.split(logs, 1 + _TWINS, axis=-1)
    with np.errstate(invalid="ignore"):
        far = [np.where(here == beside, 0.0, np.abs(here - beside)) for beside in twins]
    return np.asarray(np.max(far, axis=0))
