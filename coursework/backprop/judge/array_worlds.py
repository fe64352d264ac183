"""Networks whose arrays numpy expressions are evaluated with, in the three ways people lay examples out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coursework.backprop.judge.arrays import World
from coursework.backprop.judge.draws import LIVE, Draws, Values
from coursework.backprop.judge.layout import NETWORK
from coursework.backprop.judge.questions import Question
from coursework.backprop.network import DenseNetwork, Layers

#: Examples of a batch: as no layer has so many units, no transposed array fits by chance.
EXAMPLES = 5
#: How arrays are laid out, and in words.
LAYOUTS = {
    "rows": "one example a row",
    "vector": "one example, its units a vector",
    "columns": "one example a column",
}


@dataclass(frozen=True)
class Case:
    """One network with the derivative asked for.

    Attributes
    ----------
    whole : the derivative by the whole array that the question's quantity belongs to.
    entry : the derivative asked for alone: one number, or one an example.
    links : the derivatives by the weights that there are: of two chains a vector, else `whole`.
    """

    world: World
    whole: Values
    entry: Values
    links: Values


@lru_cache(maxsize=64)
def cases(question: Question, layout: str) -> tuple[Case, ...]:
    """Return networks for `question` with the examples laid out in one of `LAYOUTS`."""
    if question.layout is NETWORK:
        return tuple(_batch_case(question, layout, seed) for seed in range(3))
    return tuple(_deep_cases(question, layout))


def _batch_case(question: Question, layout: str, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    network = DenseNetwork(question.layout.sizes, "sigmoid", biases=True, seed=rng)
    examples = 1 if layout == "vector" else EXAMPLES
    x, t = rng.normal(size=(examples, network.sizes[0])), rng.normal(size=(examples, 1))
    trace = network.forward(x)
    gradients = network.backward(trace, t)
    arrays = {(name, 0): value for name, value in (("t", t), ("y", trace.y))}
    arrays |= {("w", l): w for l, w in network.w.items()}
    arrays |= {("b", l + 1): b for l, b in network.b.items()}
    for name, layers in (("a", trace.a), ("z", trace.z), ("delta", gradients.delta)):
        arrays |= {(name, l): value for l, value in layers.items()}
    world = World(arrays, {"L": network.L}, network.activation.h, network.activation.h_prime)
    return _case(world, question, layout, gradients.w)


def _deep_cases(question: Question, layout: str) -> Iterator[Case]:
    """Yield the draws of section 2's networks, both rows of units, several examples a network."""
    asked = question.asked
    drawn = asked.draws()
    living, rest = list(range(LIVE)), list(range(LIVE, drawn.count))
    examples = 1 if layout == "vector" else EXAMPLES
    chosen = living + rest if layout != "vector" else living[:2] + rest
    for first in range(0, len(chosen), examples):
        some = [chosen[(first + n) % len(chosen)] for n in range(examples)]
        arrays = _deep_arrays(drawn, some)
        for point in asked.points:
            world = World(arrays, point, drawn.h, drawn.h_prime)
            l = point["l"]
            yield _case(world, question, layout, {l: arrays["delta", l + 1].T @ arrays["z", l]})


def _deep_arrays(drawn: Draws, some: Sequence[int]) -> dict[tuple[str, int], Values]:
    """Return the arrays of a batch: the weights of the first of the draws `some`, each one's own a.

    A weight that two chains do not have is 0; the derivative by it is delta z nonetheless.
    """
    q, layout, L = drawn.quantities, drawn.layout, drawn.layout.L
    error = drawn.scalars["y"][some] - drawn.scalars["t"][some]
    arrays = {(name, 0): drawn.scalars[name][some].reshape(-1, 1) for name in ("t", "y")}
    arrays["delta", L] = error.reshape(-1, 1)
    for l in range(L, 0, -1):
        units = slice(1, layout.units(l) + 1)
        arrays["z", l] = q["z"][l, units][:, some].T
        if l > 1:
            arrays["a", l] = q["a"][l, units][:, some].T
        if l < L:
            w = q["w"][l, 1 : layout.units(l + 1) + 1, units, some[0]]
            arrays["w", l] = w * np.eye(len(w)) if layout.links == "chains" and l < L - 1 else w
        if 1 < l < L:
            arrays["delta", l] = drawn.h_prime(arrays["a", l]) * (arrays["delta", l + 1] @ arrays["w", l])
    return arrays


def _case(world: World, question: Question, layout: str, dw: Layers) -> Case:
    bottom = question.bottom
    assert bottom.layer is not None
    l = world.letters.get(bottom.layer.letter, 0) + bottom.layer.offset
    arrays = {
        key: value if key[0] in ("w", "b") else _laid(value, layout) for key, value in world.arrays.items()
    }
    arrays |= {("dw", number): value for number, value in dw.items()}
    places = tuple(unit.offset - 1 for unit in bottom.units)
    links = None
    if bottom.name == "w":
        whole, entry = dw[l], dw[l][places]
        if question.layout.links == "chains" and len(whole) > 1:
            links = np.diag(whole)
    else:
        whole = arrays["delta", l]
        entry = whole[:, places[0]] if layout == "rows" else whole[places[0]]
    known = World(arrays, world.letters, world.h, world.h_prime)
    return Case(known, whole, np.asarray(entry), whole if links is None else links)


def _laid(rows: Values, layout: str) -> Values:
    return np.asarray({"rows": rows, "columns": rows.T, "vector": rows[0]}[layout])
