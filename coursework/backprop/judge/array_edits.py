"""The slips of numpy expressions: which edits of a tree, one or two, turn it into the derivative?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

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
    value,
)
from coursework.backprop.judge.deadline import search_time
from coursework.backprop.judge.draws import Values
from coursework.backprop.judge.layout import NETWORK, Layout
from coursework.backprop.judge.slips import KINDS, Slip
from coursework.backprop.judge.tree import Index

#: Seconds of computing for the search.
LIMIT = 0.5
_PAIRS = {"h": "h'", "h'": "h", "sigma": "sigma'", "sigma'": "sigma"}

Found = tuple[float, tuple[Slip, ...], Array]


def search_arrays(
    node: Array, cases: tuple[Case, ...], layout: Layout, own: Array | None, *, pairs: bool
) -> list[Found]:
    """Return (cost, slips, mended) for the likeliest ways to mend `node`, best first.

    Parameters
    ----------
    own : the array that the question asks for, which may not answer it.
    pairs : look for two slips, not for one.
    """
    singles = [(_cost(old, new), old, new, tree) for tree, old, new in edited(node, _edits(layout))]
    singles.sort(key=lambda entry: entry[0])
    found: list[Found] = []
    with search_time(LIMIT):
        for cost, old, new, tree in singles:
            if not pairs:
                if own not in _names(tree) and is_derivative(tree, cases):
                    found.append((cost, (_slip(old, new),), tree))
                continue
            for twice, older, newer in edited(tree, _edits(layout)):
                if own not in _names(twice) and is_derivative(twice, cases):
                    both = cost + _cost(older, newer) + 0.6
                    found.append((both, (_slip(old, new), _slip(older, newer)), twice))
    found.sort(key=lambda entry: entry[0])
    return found[:3]


def is_derivative(node: Array, cases: tuple[Case, ...]) -> bool:
    """Return whether `node` is the derivative asked for, or that by the whole array, in every case."""
    open_ways = {"whole", "entry", "links"}
    for case in cases:
        try:
            typed = value(node, case.world)
        except ShapeError:
            return False
        open_ways = {wanted for wanted in open_ways if _agrees(typed, getattr(case, wanted))}
        if not open_ways:
            return False
    return True


def _agrees(typed: Values, expected: Values) -> bool:
    # a vector stands for the one row or column of a matrix
    same = typed.shape == expected.shape or (typed.ndim == 1 and typed.shape == np.squeeze(expected).shape)
    return same and bool(
        np.allclose(typed, expected.reshape(typed.shape), rtol=1e-10, atol=1e-13 * np.abs(expected).max())
    )


def _names(node: Array) -> set[Array]:
    found: set[Array] = {node} if isinstance(node, Name) else set()
    return found.union(*(_names(part) for _, part in parts(node)))


def _layers(layout: Layout) -> list[Index]:
    if layout is NETWORK:
        return [Index("", l) for l in range(1, layout.L + 1)]
    return [Index("l", step) for step in (-1, 0, 1, 2)] + [Index("", layout.L)]


def _edits(layout: Layout) -> Callable[[Array], Iterator[Array]]:
    layers = _layers(layout)

    def edits(node: Array) -> Iterator[Array]:
        yield Minus(node)
        if not isinstance(node, Turned):
            yield Turned(node)
        for number in (2.0, 0.5):
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
            for name in ("delta", "z", "w"):
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
    turned = isinstance(new, Binary) and isinstance(new.left, Turned) and not isinstance(old, Turned)
    return KINDS[kind][1] + (0.4 if kind == "missing factor" and turned else 0.0)


def _slip(old: Array, new: Array) -> Slip:
    return Slip(_kind(old, new), latex(old), latex(new), f"write `{code(new)}` for `{code(old)}`")
