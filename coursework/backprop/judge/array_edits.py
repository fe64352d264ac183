"""The slips of numpy expressions: which edits of a tree, one or two, turn it into the derivative?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from coursework.backprop.judge.array_worlds import Case
from coursework.backprop.judge.arrays import (
    Array,
    Binary,
    Call,
    Constant,
    Item,
    Minus,
    Name,
    ShapeError,
    Summed,
    Turned,
    code,
    edited,
    latex,
    parts,
    remembered,
    value,
)
from coursework.backprop.judge.deadline import search_time
from coursework.backprop.judge.draws import Values
from coursework.backprop.judge.layout import NETWORK, Layout
from coursework.backprop.judge.slips import KINDS, Slip
from coursework.backprop.judge.tree import Index

#: Seconds of computing for the search in one layout.
LIMIT = 0.25
#: Two slips are less likely than one by the first; pairs less likely than the best by the other are no guess.
_SECOND, _MARGIN = 0.6, 0.1
_PAIRS = {"h": "h'", "h'": "h", "sigma": "sigma'", "sigma'": "sigma"}

Found = tuple[float, tuple[Slip, ...], Array]


def search_arrays(
    node: Array,
    cases: tuple[Case, ...],
    layout: Layout,
    own: Array | None,
    *,
    pairs: bool,
    best: float = 99.0,
) -> list[Found]:
    """Return (cost, slips, mended) for the ways to mend `node`, best first.

    Parameters
    ----------
    own : the array that the question asks for, which may not answer it.
    pairs : look for two slips, not for one.
    best : the cost of the best pair known; much worse ones are not looked for.
    """
    edits = _edits(layout, factors=not pairs)
    singles = [(_cost(old, new), place, old, new, tree) for place, tree, old, new in edited(node, edits)]
    singles.sort(key=lambda entry: entry[0])
    cheapest = singles[0][0]
    found: list[Found] = []
    with search_time(LIMIT):
        known = remembered(node, cases[0].world)
        for cost, place, old, new, tree in singles:
            if not pairs:
                if is_derivative(tree, cases, known) and own not in _names(tree):
                    found.append((cost, (_slip(old, new),), tree))
                continue
            if cost + cheapest + _SECOND > best + _MARGIN:
                break
            known_once = remembered(tree, cases[0].world)
            for _, twice, older, newer in edited(tree, edits, start=place):
                both = cost + _cost(older, newer) + _SECOND
                likely = both <= best + _MARGIN
                if likely and is_derivative(twice, cases, known_once) and own not in _names(twice):
                    found.append((both, (_slip(old, new), _slip(older, newer)), twice))
                    best = min(best, both)
    return sorted(found, key=lambda entry: entry[0])


def likeliest(found: list[Found]) -> list[Found]:
    """Return the three likeliest; of several places where the same slips may have been made one is enough."""
    kinds: dict[tuple[str, ...], Found] = {}
    for entry in sorted(found, key=lambda entry: entry[0]):
        kinds.setdefault(tuple(sorted(slip.kind for slip in entry[1])), entry)
    return list(kinds.values())[:3]


def is_derivative(
    node: Array, cases: tuple[Case, ...], known: Mapping[int, Values] = MappingProxyType({})
) -> bool:
    """Return whether `node` is the derivative asked for, or that by the whole array, in every case.

    Parameters
    ----------
    known : values of parts of `node` in the first case.
    """
    open_ways = {"whole", "entry", "links"}
    for number, case in enumerate(cases):
        try:
            typed = value(node, case.world) if number else value(node, case.world, known)
        except (ShapeError, ArithmeticError):  # numbers of many digits have no infinity
            return False
        open_ways = {wanted for wanted in open_ways if _agrees(typed, getattr(case, wanted), case.tolerance)}
        if not open_ways:
            return False
    return True


def _agrees(typed: Values, expected: Values, tolerance: float) -> bool:
    # a vector stands for the one row or column of a matrix
    if typed.shape != expected.shape and not (typed.ndim == 1 and typed.shape == np.squeeze(expected).shape):
        return False
    expected = expected.reshape(typed.shape)
    allowed = tolerance * np.abs(expected) + 1e-3 * tolerance * np.max(np.abs(expected))
    return bool(np.all(np.abs(typed - expected) <= allowed))


def _names(node: Array) -> set[Array]:
    found: set[Array] = {node} if isinstance(node, Name) else set()
    return found.union(*(_names(part) for _, part in parts(node)))


def _layers(layout: Layout) -> list[Index]:
    if layout is NETWORK:
        return [Index("", l) for l in range(1, layout.L + 1)]
    return [Index("l", step) for step in (-1, 0, 1, 2)] + [Index("", layout.L)]


def _edits(layout: Layout, *, factors: bool) -> Callable[[Array], Iterator[Array]]:
    """Return a function that yields what can stand in the place of a part.

    `factors` takes in each array that could be missing, not only h'(a) and the weights.
    """
    layers = _layers(layout)

    def edits(node: Array) -> Iterator[Array]:
        yield Minus(node)
        if not isinstance(node, Turned):
            yield Turned(node)
        for number in (2.0, 0.5) if not isinstance(node, Constant) else ():
            yield Binary("*", Constant(number), node)
        match node:
            case Name(name=name, layer=layer) if layer is not None:
                yield from (Name(name, other) for other in layers if other != layer)
                yield from (Name(other, layer) for other in ("a", "z", "delta", "w") if other != name)
                yield Call("h'", node)
                if name in ("a", "delta") and layer == Index("", layout.L):
                    yield Binary("-", node, Name("t"))
            case Name(name="y"):
                yield Binary("-", node, Name("t"))
            case Call(function=function, argument=argument):
                if function in _PAIRS:
                    yield Call(_PAIRS[function], argument)
                yield argument
            case Turned(argument=argument) | Minus(argument=argument) | Summed(argument=argument):
                yield argument
            case Item(argument=argument, key=key):
                yield argument
                for place, entry in enumerate(key):
                    if isinstance(entry, int):
                        for step in (-1, 1):
                            yield replace(node, key=(*key[:place], entry + step, *key[place + 1 :]))
                yield replace(node, key=key[::-1])
            case Binary(sign=sign, left=left, right=right):
                yield from (left, right)
                yield from (replace(node, sign=other) for other in ("*", "@", "outer") if other != sign)
                if sign == "-":
                    yield Binary("+", left, right)
                yield Binary(sign, right, left)
                if sign == "outer":
                    return
        for layer in layers:
            yield Binary("*", node, Call("h'", Name("a", layer)))
            if not factors:
                yield Binary("@", node, Name("w", layer))
            for name in ("delta", "z", "w") if factors else ():
                yield Binary("*", node, Name(name, layer))
                yield Binary("@", node, Name(name, layer))
                yield Binary("@", Turned(node), Name(name, layer))

    return edits


def _kind(old: Array, new: Array) -> str:
    match old, new:
        case Name(name=one), Name(name=two):
            return "layer" if one == two else "symbol"
        case _, Minus(argument=part) if part == old:
            return "sign"
        case Minus(argument=part), _ if part == new:
            return "sign"
        case _, Turned(argument=part) if part == old:
            return "transpose"
        case Turned(argument=part), _ if part == new:
            return "transpose"
        case _, Binary(left=Constant()):
            return "constant"
        case Call(), Call():
            return "derivative"
        case Binary(left=a, right=b), Binary(left=c, right=d) if (a, b) == (d, c) and a != b:
            return "order"
        case Binary(left=a, right=b), Binary(left=c, right=d) if (a, b) == (c, d):
            return "sign" if {old.sign, new.sign} <= {"+", "-"} else "matrix product"
        case Binary(), _ if new in (old.left, old.right):
            return "extra factor" if old.sign not in "+-" else "extra term"
        case _, Binary(sign="-", right=Name(name="t")):
            return "missing term"
        case _, Binary():
            return "missing factor"
        case Item(), Item():
            return "index"
    return "symbol"


def _cost(old: Array, new: Array) -> float:
    kind = _kind(old, new)
    if kind != "missing factor":
        return KINDS[kind][1]
    turned = isinstance(new, Binary) and isinstance(new.left, Turned) and not isinstance(old, Turned)
    return KINDS[kind][1] + (0.4 if turned else 0.05)  # there are many factors that could be missing


def _slip(old: Array, new: Array) -> Slip:
    return Slip(_kind(old, new), latex(old), latex(new), f"write `{code(new)}` for `{code(old)}`")
