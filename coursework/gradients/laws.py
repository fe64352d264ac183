"""The laws of the weights, from plain normal to the classic initializations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coursework.gradients.scaled import Array


@dataclass(frozen=True)
class Fans:
    """How many weights lead into each unit and out of each: columns (units of l+1, 1), rows (1, units of l).

    In chains both are 1, whatever the width.
    """

    into: Array
    out_of: Array


#: From (generator, scale, shape, fans) to weights of `shape` = (..., B).
Law = Callable[[np.random.Generator, float, tuple[int, ...], Fans], Array]


def _glorot(rng: np.random.Generator, scale: float, shape: tuple[int, ...], fans: Fans) -> Array:
    limit = scale * np.sqrt(6.0 / (fans.into + fans.out_of))
    return np.asarray(rng.uniform(-1.0, 1.0, shape) * _fitted(limit, shape))


def _he(rng: np.random.Generator, scale: float, shape: tuple[int, ...], fans: Fans) -> Array:
    return np.asarray(rng.normal(size=shape) * _fitted(scale * np.sqrt(2.0 / fans.into), shape))


def _fitted(factors: Array, shape: tuple[int, ...]) -> Array:
    """Return factors (rows, columns) as (rows, columns, 1), or for chains, all 1 x 1, as they are."""
    return factors[..., np.newaxis] if len(shape) == 3 else factors


def _orthogonal(rng: np.random.Generator, scale: float, shape: tuple[int, ...], fans: Fans) -> Array:
    if len(shape) == 2:
        return np.asarray(scale * rng.choice([-1.0, 1.0], size=shape))
    rows, columns, batch = shape
    tall = rng.normal(size=(batch, max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    # the signs of R's diagonal make Q uniform among all orthogonal matrices (Mezzadri 2007)
    q = q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, np.newaxis, :]
    return np.asarray(scale * (q.transpose(1, 2, 0) if rows >= columns else q.transpose(2, 1, 0)))


def _identity(rng: np.random.Generator, scale: float, shape: tuple[int, ...], fans: Fans) -> Array:
    if len(shape) == 2:
        return np.full(shape, scale)
    eye = np.eye(shape[0], shape[1])[..., np.newaxis]
    return np.asarray(scale * np.broadcast_to(eye, shape))


#: The laws by name. Scale: standard deviation, half width, value; for those that look at the number of
#: weights into and out of a unit a factor, 1 for the law as published: uniform with variance
#: 2 / (in + out) (Glorot and Bengio 2010, eq. 16), normal with variance 2 / in (He et al. 2015, eq. 10),
#: uniform among orthogonal matrices (Saxe et al. 2014), the identity matrix (Le et al. 2015).
LAWS: dict[str, Law] = {
    "normal": lambda rng, scale, shape, fans: rng.normal(0.0, scale, shape),
    "uniform": lambda rng, scale, shape, fans: rng.uniform(-scale, scale, shape),
    "constant": lambda rng, scale, shape, fans: np.full(shape, scale),
    "glorot": _glorot,
    "he": _he,
    "orthogonal": _orthogonal,
    "identity": _identity,
}

#: Laws that are unchanged when all weights into one unit change sign.
SYMMETRIC = ("normal", "uniform", "glorot", "he", "orthogonal")
