"""The networks on which a record is checked, by the name of their family.

Sizes differ, biases come and go, rectifiers are met alive and dead, and inputs are at least two where one
would make accidental equalities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise, product

import numpy as np

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.chains import bipartite, chain, two_chains
from coursework.backprop.grounds import FloatGround, NetworkGround
from coursework.backprop.network import DenseNetwork
from coursework.backprop.point import ExamplePoint, random_point
from coursework.backprop.whole import WholeGround

#: Weight layers of the assignment's deep network.
DEEP = 152
#: What its units are, and what is checked at that depth.
AT_DEPTH = ("sigmoid", "relu")
#: Networks of whole numbers for each depth and kind: short ones, and those as deep as the assignment's.
MANY, FEW = 40, 4

Draw = Callable[[np.random.Generator, str], Iterator[NetworkGround]]


def _small(rng: np.random.Generator, activation: str) -> Iterator[NetworkGround]:
    for inputs, biases in product((2, 3, 5), (False, True)):
        yield FloatGround(random_point([inputs, 3, 3, 1], activation, biases=biases, seed=rng))


def _deep(build: Callable[..., DenseNetwork], rng: np.random.Generator, activation: str) -> NetworkGround:
    network = build(DEEP, activation, seed=rng)
    if activation == "relu":
        # with weights of either sign a rectifier chain of this depth is dead: one chance in 2^151
        network = DenseNetwork.from_weights(
            {l: np.abs(w) for l, w in network.w.items()}, None, activation, masks=network.masks
        )
    return _example(network, rng, alive=activation == "relu")


def _example(network: DenseNetwork, rng: np.random.Generator, *, alive: bool = False) -> NetworkGround:
    x, t = rng.normal(size=network.sizes[0]), rng.normal(size=1)
    return FloatGround(ExamplePoint(network, np.abs(x) if alive else x, t))


def _chains(rng: np.random.Generator, activation: str) -> Iterator[NetworkGround]:
    # rectifiers are dead so often that more of them are drawn
    times = 4 if activation == "relu" else 1
    for build, weights, biases in product((chain, two_chains), (2, 3, 5, 11), (False, True)):
        for _ in range(times):
            yield _example(build(weights, activation, biases=biases, seed=rng), rng)
    if activation in AT_DEPTH:
        yield _deep(two_chains, rng, activation)


def _active_chains(rng: np.random.Generator, activation: str) -> Iterator[NetworkGround]:
    for build, weights in product((chain, two_chains), (2, 3, 5, 11, DEEP)):
        network = build(weights, activation, seed=rng)
        w = {l: np.abs(layer) for l, layer in network.w.items()}
        positive = DenseNetwork.from_weights(w, None, activation, masks=network.masks)
        yield _example(positive, rng, alive=True)


def _bipartite(rng: np.random.Generator, activation: str) -> Iterator[NetworkGround]:
    times = 6 if activation == "relu" else 1
    for weights, biases, _ in product((3, 4, 6), (False, True), range(times)):
        yield _example(bipartite(weights, activation, biases=biases, seed=rng), rng)
    if activation in AT_DEPTH:
        yield _deep(bipartite, rng, activation)


def _whole(rng: np.random.Generator, links: str, weights: int, biases: bool) -> WholeGround:
    """Draw a rectifier network of small whole numbers, its target now and then its output."""
    width = 1 if links == "chain" else 2
    sizes = [width] * weights + [1]
    # at depth nearly every weight has to be positive, or nothing would be alive
    rare = 0.3 if weights < 10 else 0.5 / (weights * width)
    w, b = [], []
    for l, (below, above) in enumerate(pairwise(sizes), start=1):
        positive = rng.integers(1, 3, (above, below))
        layer = np.where(rng.random((above, below)) < rare, rng.integers(-2, 1, (above, below)), positive)
        if links == "two chains" and l < weights:
            layer = layer * np.eye(2, dtype=layer.dtype)
        w.append(layer.tolist())
        b.append((rng.integers(-2, 3, above) if biases else np.zeros(above, int)).tolist())
    x = np.where(rng.random(width) < 0.2, rng.integers(-2, 1, width), rng.integers(1, 3, width)).tolist()
    free = WholeGround(w, b, x, int(rng.integers(-2, 3)))
    return free if rng.random() > 0.1 else WholeGround(w, b, x, free.a[-1][0])


def _whole_family(links: tuple[str, ...], biases: tuple[bool, ...]) -> Draw:
    def draw(rng: np.random.Generator, activation: str) -> Iterator[NetworkGround]:
        for kind, weights, with_biases in product(links, (2, 3, 4, 6, DEEP), biases):
            for _ in range(MANY if weights < DEEP else FEW):
                yield _whole(rng, kind, weights, with_biases)

    return draw


FAMILIES: dict[str, Draw] = {
    "small": _small,
    "chains": _chains,
    "active chains": _active_chains,
    "bipartite": _bipartite,
    "whole chains": _whole_family(("chain", "two chains"), (False, True)),
    "whole chains without biases": _whole_family(("chain", "two chains"), (False,)),
    "whole bipartite": _whole_family(("bipartite",), (False, True)),
}


@lru_cache(maxsize=32)
def draw(family: str, activation: str, seed: int) -> tuple[NetworkGround, ...]:
    """Return networks of a family.

    Parameters
    ----------
    family : a key of `FAMILIES`.
    activation : the name of h, or "any" for every one in the table.
    seed : of all that is drawn.
    """
    names = ACTIVATIONS if activation == "any" else (activation,)
    rng = np.random.default_rng([seed, list(FAMILIES).index(family)])
    return tuple(ground for name in names for ground in FAMILIES[family](rng, name))
