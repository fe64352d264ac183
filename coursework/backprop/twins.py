"""Networks of the same kind as another but of other sizes, in which a derivation must come out right as well.

A formula may be right in one network by accident: two layers of one size hide a swapped index, links from
each unit to the one beside it hide a sum over the wrong units, a number in the place of L - 1 hides until
there are more layers.  Where the links follow a rule the twin keeps it; where they do not, it draws others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.judged import Judged, proof_points
from coursework.backprop.layers import Level
from coursework.backprop.network import DenseNetwork
from coursework.backprop.symbols import A, Symbol, W

#: Layer sizes of the network in which a formula must hold for every unit: primes, no two alike.
PRIMES = (5, 3, 7, 2)

#: The share of links that there are where they are drawn.
LINKED = 0.6


def is_full(network: DenseNetwork, l: int) -> bool:
    """Return whether every unit of layer l feeds every unit of the next."""
    return bool(np.all(network.masks.get(l, 1)))


def is_straight(network: DenseNetwork, l: int) -> bool:
    """Return whether unit j of layer l feeds unit j of the next and no other, for every j."""
    return np.array_equal(network.masks.get(l, np.ones(network.w[l].shape)), np.eye(network.sizes[l]))


def without_rule(network: DenseNetwork) -> tuple[int, ...]:
    """Return the layers l whose links to the next follow no rule: they are neither straight nor all there."""
    return tuple(l for l in network.w if not (is_full(network, l) or is_straight(network, l)))


def twin(network: DenseNetwork, bottom: Symbol, seed: int = 0) -> DenseNetwork | None:
    """Return a network of the same kind and of other sizes, which has the target `bottom` too.

    Layers that straight links join have one size, others primes that differ from the network's own and from
    each other's within four layers.  A layer of one unit keeps it: an output, a chain.  Where the target is
    in any layer, every run of straight links is one layer longer.

    Returns
    -------
    None where there is no other size: a chain, and the target in a layer by number.
    """
    sizes = [_prime(network, 1, bottom, [])]
    stands_for: list[int] = []
    for l in network.w:
        straight = is_straight(network, l)
        first = straight and not (l > 1 and is_straight(network, l - 1))
        for _ in range(2 if first and isinstance(bottom.l, Level) else 1):
            sizes.append(sizes[-1] if straight else _prime(network, l + 1, bottom, sizes))
            stands_for.append(l)
    if sizes == network.sizes:
        return None
    rng = np.random.default_rng(seed)
    masks = {}
    for m, l in enumerate(stands_for, start=1):
        if is_straight(network, l):
            masks[m] = np.eye(sizes[m])
        elif not is_full(network, l):
            masks[m] = drawn_links(sizes[m], sizes[m - 1], rng)
            if isinstance(bottom, W) and (isinstance(bottom.l, Level) or bottom.l == m):
                # the link that the target is the weight of is one of them
                j, k = (i - 1 if isinstance(i, int) else -1 for i in (bottom.j, bottom.k))
                if 0 <= j < sizes[m] and 0 <= k < sizes[m - 1]:
                    masks[m][j, k] = 1
    if not network.masks:
        masks = {}
    # rectifiers that nothing but their links could wake would all be dead somewhere in a long row
    biases = bool(network.b) or network.activation.name == "relu"
    return alike(network, sizes, masks, biases)


def _prime(network: DenseNetwork, l: int, bottom: Symbol, before: Sequence[int]) -> int:
    """Return the size of the twin's layers from layer l on, as far as straight links lead."""
    own, layers = network.sizes[l - 1], [l]
    if own == 1:
        return 1
    while layers[-1] < network.L and is_straight(network, layers[-1]):
        layers.append(layers[-1] + 1)
    size = max([2, *(unit for layer in layers for unit in _asked_for(bottom, layer))])
    while size == own or size in before[-3:] or any(size % n == 0 for n in range(2, size)):
        size += 1
    return size


def _asked_for(bottom: Symbol, l: int) -> Iterator[int]:
    """Yield the units that layer l must have so that there is the target."""
    units = {0: bottom.j} if isinstance(bottom, A) else {1: bottom.j, 0: getattr(bottom, "k", 1)}
    for above, unit in units.items():
        if isinstance(unit, int) and (isinstance(bottom.l, Level) or l == bottom.l + above):
            yield unit


def drawn_links(above: int, below: int, rng: np.random.Generator) -> Array:
    """Draw a mask, (above, below), in which every unit has a link up and a link down at least."""
    mask = (rng.random((above, below)) < LINKED).astype(float)
    n = np.arange(max(above, below))
    mask[rng.permutation(above)[n % above], rng.permutation(below)[n % below]] = 1
    return mask


def alike(
    network: DenseNetwork, sizes: Sequence[int], masks: Mapping[int, Array], biases: bool | None = None
) -> DenseNetwork:
    """Return a network of these sizes and links, all else as in `network` where nothing else is said."""
    return DenseNetwork(
        sizes,
        network.activation.name,
        loss=network.loss_record.name,
        masks=masks,
        biases=bool(network.b) if biases is None else biases,
    )


def points_anywhere(
    activation: str, loss: str, biases: bool, masked: bool, points: int, seed: int
) -> Iterator[Judged]:
    """Yield points of networks of the sizes `PRIMES`; `masked`, each has links of its own."""
    rng = np.random.default_rng([seed, points])
    for n in range(points):
        masks = {l: drawn_links(PRIMES[l], PRIMES[l - 1], rng) for l in range(1, len(PRIMES))}
        network = DenseNetwork(PRIMES, activation, loss=loss, masks=masks if masked else {}, biases=biases)
        yield from proof_points(network, 1, seed + n)
