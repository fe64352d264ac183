"""How far the digits of a trace are those of its networks: the same networks, changed in their last bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.chain import Networks, run
from coursework.gradients.scaled import Array


def log10_uncertainty(networks: Networks, seed: int = 0) -> Array:
    """Return by how much log10 ||delta^(l)|| changes when every weight and input moves by its last bit.

    An estimate, since it is one draw: what changes by about 1e-10 is a number of these networks; what changes
    by a decade, or is zero in one run and not in the other, is not resolved in 53 bits.
    A small change is no proof: of 20 wrong networks in a batch of 60 (rectified, batch norm over 3 examples,
    38 layers) it finds 14; in the others rounding gives the same wrong answer twice, 4 times a zero.

    Returns
    -------
    shape (depth, B), row l-2 for layer l; 0 where both are exactly zero, infinite where one is.
    """
    rng = np.random.default_rng(seed)
    moved = {l: _moved(w, rng) for l, w in networks.w.items()}
    near = run(replace(networks, w=moved, x=_moved(networks.x, rng))).log10_delta_norms
    here = run(networks).log10_delta_norms
    both_zero: NDArray[np.bool_] = np.isneginf(here) & np.isneginf(near)
    with np.errstate(invalid="ignore"):
        return np.where(both_zero, 0.0, np.abs(here - near))


def _moved(values: Array, rng: np.random.Generator) -> Array:
    towards = rng.choice([-np.inf, np.inf], size=values.shape)
    return np.where(values == 0, 0.0, np.nextafter(values, towards))
