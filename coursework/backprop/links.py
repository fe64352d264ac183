"""Which units a unit leads to, and which targets there are: the links of a network as formulas see them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coursework.backprop.layers import Layer, Level
from coursework.backprop.network import DenseNetwork
from coursework.backprop.series import Among, Reached, Units
from coursework.backprop.sums import Bound
from coursework.backprop.symbols import A, Index, Symbol, W


def links_from(network: DenseNetwork, l: Layer, j: Index) -> int | Bound:
    """Return the units of layer l + 1 that unit j of layer l leads to, as what a sum runs over."""
    if isinstance(l, Level):
        return Reached(l, j) if network.masks else Units(l + 1)
    units: int = network.sizes[l]
    if l not in network.masks:
        return units
    if isinstance(j, str):
        return Reached(l, j)
    members = tuple(int(k) + 1 for k in np.flatnonzero(network.masks[l][:, j - 1]))
    return units if len(members) == units else Among(members)


def only_unit(bound: int | Bound) -> int | None:
    """Return the one unit that a sum runs over, or None where it is not known to be one."""
    if isinstance(bound, Among):
        return bound.members[0] if len(bound.members) == 1 else None
    return 1 if bound == 1 else None


def single_path(network: DenseNetwork, l: int, j: int) -> list[int] | None:
    """Return the units that a signal from unit j of layer l passes, one a layer up to L; None if it forks."""
    path = [j]
    for layer in range(l, network.L):
        unit = only_unit(links_from(network, layer, path[-1]))
        if unit is None:
            return None
        path.append(unit)
    return path


def is_output(network: DenseNetwork, l: Layer) -> bool:
    """Return whether `l` is the output layer, by number or as L."""
    return l in (network.L, Level("L"))


def places(network: DenseNetwork, bottom: Symbol) -> Iterator[dict[str, int]]:
    """Yield what the letters of `bottom`, a weight, a bias or a pre-activation, can stand for.

    A pre-activation of a layer l without a number is a hidden unit's: the output has a formula of its own.
    """
    for l, units in enumerate(network.sizes, start=1):
        if isinstance(bottom, A):
            hidden = isinstance(bottom.l, Level) and not is_output(network, bottom.l)
            if l == 1 or (hidden and l == network.L):
                continue
            candidates = ((j, 0) for j in range(1, units + 1))
        elif l == network.L:
            continue
        elif isinstance(bottom, W):
            there = np.argwhere(network.masks.get(l, np.ones_like(network.w[l], dtype=float)))
            candidates = ((int(j) + 1, int(k) + 1) for j, k in there)
        else:
            candidates = ((j, 0) for j in range(1, len(network.b.get(l, ())) + 1))
        for j, k in candidates:
            letters = _fitted(bottom, network.L, l, j, k)
            if letters is not None:
                yield letters


def _fitted(bottom: Symbol, L: int, l: int, j: int, k: int) -> dict[str, int] | None:
    """Return what makes the indices of `bottom` l, j and k, if anything does."""
    letters = {"L": L}
    pairs: list[tuple[Index, int]] = [(bottom.j, j)]
    pairs += [(bottom.k, k)] if isinstance(bottom, W) else []
    pairs += [(bottom.l.letter, l - bottom.l.offset)] if isinstance(bottom.l, Level) else [(bottom.l, l)]
    for index, number in pairs:
        if isinstance(index, str):
            if letters.setdefault(index, number) != number:
                return None
        elif index != number:
            return None
    return letters
