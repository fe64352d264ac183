"""What the loss becomes when one weight or one pre-activation is moved: all of them in one pass.

Every moved copy of the network is a row of a batch that grows on its way up.  From the link or the unit that
is moved in it, a row goes through the same layers as all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from coursework.backprop.activations import Array
from coursework.backprop.network import DenseNetwork, Gradients, Layers, NetworkError

#: Numbers that the rows of one pass may hold: 30 million complex ones take 500 MB.
ROOM = 30_000_000


class TooLarge(NetworkError):
    """Moving every weight of this network by itself would take more memory than there may be."""


@dataclass(frozen=True)
class Moved:
    """Losses with one number moved, everything else as it is.

    Attributes
    ----------
    by_a : by_a[l], (shifts, units of l, examples): E_n with a_j^(l) moved.
    by_w : by_w[l], (shifts, links of l, examples): E_n with w_jk^(l) moved, in the order of `links`.
    bent_a, bent_w : the layers in which a move took some unit's pre-activation across 0.
    """

    by_a: Layers
    by_w: Layers
    bent_a: frozenset[int]
    bent_w: frozenset[int]


def links(network: DenseNetwork, l: int) -> tuple[Array, Array]:
    """Return the units j and k that the weights w_jk^(l) lead to and come from."""
    j, k = np.nonzero(network.masks.get(l, np.ones(network.w[l].shape)))
    return j, k


def in_double(network: DenseNetwork, number: DTypeLike = np.float64) -> DenseNetwork:
    """Return a copy of the network with the same numbers in double precision, real or complex."""
    w = {l: v.astype(number) for l, v in network.w.items()}
    b = {l: v.astype(number) for l, v in network.b.items()}
    return DenseNetwork.from_weights(
        w, b, network.activation.name, loss=network.loss_record.name, masks=network.masks
    )


def move(network: DenseNetwork, x: Array, t: Array, shifts: Sequence[complex]) -> Moved:
    """Return the losses with every weight and every pre-activation moved by each of the `shifts`.

    Raises
    ------
    TooLarge : the network has too many weights for that.
    """
    network = in_double(network, np.array(shifts).dtype)
    z, t = network.inputs(np.asarray(x, float)), network.targets(np.asarray(t, float), len(x))
    w, b, h = network.w, network.b, network.activation.h
    blocks = {l: (len(shifts), len(w[l]) + len(links(network, l)[0])) for l in w}
    count = sum(shifts * moves for shifts, moves in blocks.values()) * len(z)
    if count * max(network.sizes) > ROOM:
        raise TooLarge(
            f"{count} moved copies of layers of up to {max(network.sizes)} units: more than {ROOM} numbers; "
            "judge fewer examples, or a smaller network of the same kind"
        )
    rows = np.empty((0, *z.shape), network.dtype)
    bent = np.empty(0, bool)
    a = z
    for l in w:
        if l > 1:
            z, rows = h(a), h(rows)
        a, rows = z @ w[l].T + b.get(l, 0), rows @ w[l].T + b.get(l, 0)
        rows = np.concatenate([rows, *(_moved_here(network, l, z, a, by) for by in shifts)])
        bent = np.concatenate([bent, np.zeros(len(rows) - len(bent), bool)])
        if l + 1 < network.L:
            bent |= ((np.real(rows) > 0) != (np.real(a) > 0)).any(axis=(1, 2))
    E = network.loss_record.E(rows.reshape(-1, rows.shape[-1]), np.tile(t, (len(rows), 1)))
    E = E.reshape(len(rows), len(t))
    by_a, by_w, bent_a, bent_w = {}, {}, set(), set()
    for l, block in blocks.items():
        size, units = block[0] * block[1], len(w[l])
        here, E = E[:size].reshape(*block, len(t)), E[size:]
        bends, bent = bent[:size].reshape(block), bent[size:]
        by_a[l + 1], by_w[l] = here[:, :units], here[:, units:]
        bent_a |= {l + 1} if bends[:, :units].any() else set()
        bent_w |= {l} if bends[:, units:].any() else set()
    return Moved(by_a, by_w, frozenset(bent_a), frozenset(bent_w))


def _moved_here(network: DenseNetwork, l: int, z: Array, a: Array, by: complex) -> Array:
    """Return copies of a^(l+1), (units of l + 1 and links of l, examples, units of l + 1)."""
    j, k = links(network, l)
    units, n = range(a.shape[1]), range(len(j))
    of_units = np.repeat(a[None], len(units), axis=0)
    of_units[units, :, units] += by
    moved_w = network.w[l][j]
    moved_w[n, k] += by
    of_links = np.repeat(a[None], len(j), axis=0)
    of_links[n, :, j] = (z @ moved_w.T + (network.b[l][j] if network.b else 0)).T
    return np.concatenate([of_units, of_links])


def as_gradients(network: DenseNetwork, by_a: Layers, by_w: Layers) -> Gradients:
    """Return what was found for every unit and link, (units or links, examples), as gradients."""
    delta = {l: found.T for l, found in by_a.items()}
    dw = {l: np.zeros(network.w[l].shape) for l in by_w}
    for l, found in by_w.items():
        dw[l][links(network, l)] = found.sum(axis=1)
    return Gradients(delta, dw, {l: delta[l + 1].sum(axis=0) for l in network.b})
