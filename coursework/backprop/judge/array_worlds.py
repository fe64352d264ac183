"""Networks whose arrays numpy expressions are evaluated with, in the three ways people lay examples out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from coursework.backprop.activations import sigmoid, sigmoid_prime
from coursework.backprop.judge import exact
from coursework.backprop.judge.arrays import World
from coursework.backprop.judge.draws import LIVE, Draws, Function, Values
from coursework.backprop.judge.layout import NETWORK
from coursework.backprop.judge.questions import Question
from coursework.backprop.judge.value import FUNCTIONS
from coursework.backprop.judge.wide import spread

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
    tolerance : largest relative difference of equal numbers.
    """

    world: World
    whole: Values
    entry: Values
    links: Values
    tolerance: float


@dataclass(frozen=True)
class Kind:
    """The numbers of a case: h and h', the other functions, what a typed number becomes, the tolerance."""

    h: Function
    h_prime: Function
    functions: Mapping[str, Function]
    number: Callable[[float], Any]
    tolerance: float


FLOATS = Kind(sigmoid, sigmoid_prime, FUNCTIONS, float, 1e-10)
#: Layers at which deep networks' expressions are evaluated with many digits.
_FEW = (1, 77, 149)


@lru_cache(maxsize=64)
def cases(question: Question, layout: str) -> tuple[Case, ...]:
    """Return networks for `question` with the examples laid out in one of `LAYOUTS`."""
    if question.layout is not NETWORK:
        return tuple(_deep_cases(question, layout))

    def drawn(rng: np.random.Generator, *shape: int) -> Values:
        return rng.normal(size=shape)

    return tuple(_batch_case(question, layout, seed, drawn, FLOATS) for seed in range(3))


@lru_cache(maxsize=64)
def exact_cases(question: Question, layout: str) -> tuple[Case, ...]:
    """Return networks of tiny and large numbers of many digits."""
    activation = "sigmoid" if question.layout is NETWORK else question.activation
    kind = Kind(*exact.hidden(activation), exact.FUNCTIONS, exact.typed_number, exact.TOLERANCE)
    if question.layout is not NETWORK:
        drawn_exactly = exact.exact_draws(question.layout, question.activation)
        some = [n % drawn_exactly.count for n in range(1 if layout == "vector" else EXAMPLES)]
        arrays = _deep_arrays(drawn_exactly, some)
        points = [point for point in question.asked.points if point["l"] in _FEW]
        return tuple(_case(question, layout, arrays, point, kind) for point in points)

    def drawn(rng: np.random.Generator, *shape: int) -> Values:
        return exact.number(spread(rng, shape, 1e-3, 5))

    return tuple(_batch_case(question, layout, seed, drawn, kind) for seed in range(2))


def _batch_case(
    question: Question,
    layout: str,
    seed: int,
    drawn: Callable[..., Values],
    kind: Kind,
) -> Case:
    """Return a batch in the small network, computed forward and backward."""
    rng, sizes = np.random.default_rng(seed), question.layout.sizes
    L, examples = len(sizes), 1 if layout == "vector" else EXAMPLES
    x, t = drawn(rng, examples, sizes[0]), drawn(rng, examples, 1)
    arrays: dict[tuple[str, int], Values] = {("z", 1): x, ("t", 0): t}
    for l in range(1, L):
        w, b = drawn(rng, sizes[l], sizes[l - 1]), drawn(rng, sizes[l])
        a = arrays["z", l] @ w.T + b
        z = kind.h(a) if l + 1 < L else a
        arrays |= {("w", l): w, ("b", l + 1): b, ("a", l + 1): a, ("z", l + 1): z}
    arrays["y", 0] = arrays["a", L]
    arrays["delta", L] = arrays["y", 0] - t
    for l in range(L - 1, 1, -1):
        arrays["delta", l] = kind.h_prime(arrays["a", l]) * (arrays["delta", l + 1] @ arrays["w", l])
    return _case(question, layout, arrays, {"L": L}, kind)


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
        kind = replace(FLOATS, h=drawn.h, h_prime=drawn.h_prime)
        for point in asked.points:
            yield _case(question, layout, arrays, point, kind)


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
            arrays["w", l] = w * np.eye(len(w), dtype=int) if layout.links == "chains" and l < L - 1 else w
        if 1 < l < L:
            arrays["delta", l] = drawn.h_prime(arrays["a", l]) * (arrays["delta", l + 1] @ arrays["w", l])
    return arrays


def _case(
    question: Question,
    layout: str,
    rows: dict[tuple[str, int], Values],
    letters: Mapping[str, int],
    kind: Kind,
) -> Case:
    """Return the case of arrays with an example a row."""
    bottom = question.bottom
    assert bottom.layer is not None
    l = letters.get(bottom.layer.letter, 0) + bottom.layer.offset
    arrays = {key: value if key[0] in ("w", "b") else _laid(value, layout) for key, value in rows.items()}
    for number in [l] if letters.keys() - {"L"} else range(1, question.layout.L):
        arrays["dw", number] = rows["delta", number + 1].T @ rows["z", number]
    places = tuple(unit.offset - 1 for unit in bottom.units)
    links = None
    if bottom.name == "w":
        whole = arrays["dw", l]
        entry = whole[places]
        if question.layout.links == "chains" and len(whole) > 1:
            links = np.diag(whole)
    else:
        whole = arrays["delta", l]
        entry = whole[:, places[0]] if layout == "rows" else whole[places[0]]
    known = World(arrays, letters, kind.h, kind.h_prime, kind.functions, kind.number)
    return Case(known, whole, np.asarray(entry), whole if links is None else links, kind.tolerance)


def _laid(rows: Values, layout: str) -> Values:
    return np.asarray({"rows": rows, "columns": rows.T, "vector": rows[0]}[layout])
