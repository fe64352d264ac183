"""Why weights over 4 do not make a sigmoid chain explode, though the bound of 2.2 would allow it.

A factor |w| sigma'(a) of the gradient exceeds 1 only where |a| is small, and a chain one unit wide can be
steep only on a short stretch of its input: a^(L) is a monotone function of a^(2) whose values span less than
|w^(depth)|, so that the set where |da^(L)/da^(2)| >= G is at most |w^(depth)| / G long (Markov's inequality).
"""

from __future__ import annotations

import numpy as np

from coursework.gradients.chain import Networks, run
from coursework.gradients.scaled import Array


def growing_window(w: float) -> tuple[float, float]:
    """Return where one factor |w| sigma'(a) exceeds 1: (half width in a, width in the z that feeds it).

    |a| < 2 arcosh(sqrt|w| / 2), and a = w z + b, so z has a stretch of 4 arcosh(sqrt|w| / 2) / |w|, never
    more than 0.4477 (at |w| = 6.894) of the 0..1 it moves in, and shrinking beyond. Both are 0 up to |w| = 4.
    """
    if abs(w) <= 4:
        return 0.0, 0.0
    half = 2.0 * float(np.arccosh(np.sqrt(abs(w)) / 2.0))
    return half, 2.0 * half / abs(w)


def log10_steepness(networks: Networks, member: int, a: Array) -> Array:
    """Return log10 |da^(L) / da^(2)| of one sigmoid chain at many values of a^(2), in the shape of `a`.

    Parameters
    ----------
    networks : sigmoid, one unit wide. member : which network of the batch.
    a : pre-activations of layer 2, shape (points,).

    Raises
    ------
    ValueError
        for other networks.
    """
    networks.require_plain("the steepness of a chain")
    if networks.activation != "sigmoid" or max(map(networks.units, networks.w)) > 1:
        raise ValueError("the steepness is that of a sigmoid chain one unit wide: draw it with width=1")
    one = networks.select(slice(member, member + 1))
    ones = np.ones(a.size)
    w = {l: values * ones for l, values in one.w.items()}
    b = {l: values * ones for l, values in one.b.items()}
    w[1] = np.ones_like(w[1])
    if b:
        b[1] = np.zeros_like(b[1])
    # a target under every possible output, so that the error is not 0
    reach = float(np.abs(w[one.depth]).max()) + (float(np.abs(b[one.depth]).max()) if b else 0.0)
    trace = run(Networks(one.links, "sigmoid", w, a[np.newaxis], -(reach + 1.0) * ones, b))
    return np.asarray(trace.delta[2][0].log10_abs() - trace.error.log10_abs())


def steep_lengths(
    networks: Networks, member: int, levels: Array, reach: float, points: int
) -> tuple[Array, Array]:
    """Measure how long the set of a^(2) in -reach..reach is on which |da^(L)/da^(2)| is at least each level.

    Returns
    -------
    measured lengths on a grid of `points`, and the bound |w^(depth)| / level; shapes (len(levels),).
    """
    grid = reach * (2.0 * (np.arange(points) + 0.5) / points - 1.0)
    steepness = log10_steepness(networks, member, grid)
    measured = (steepness >= np.log10(levels)[:, np.newaxis]).mean(axis=1) * 2.0 * reach
    largest = float(np.abs(networks.w[networks.depth][..., member]).max())
    return measured, largest / levels
