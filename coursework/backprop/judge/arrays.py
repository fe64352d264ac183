"""Expressions on arrays, `delta4.T @ z3`: their trees, values, and how they are printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from coursework.backprop.judge.deadline import look
from coursework.backprop.judge.draws import Function, Values
from coursework.backprop.judge.tree import Index
from coursework.backprop.judge.value import FUNCTIONS

#: Largest product of the sizes of two operands: nested outer products grow without end.
MAX_SIZE = 100_000


class ShapeError(ValueError):
    """Two arrays do not fit; the message says which and how, in words behind the code of `node`."""

    def __init__(self, reason: str, node: Array | None = None) -> None:
        super().__init__(reason)
        self._reason, self._node = reason, node

    def __str__(self) -> str:  # a search meets thousands, and shows none
        return self._reason if self._node is None else code(self._node) + self._reason


@dataclass(frozen=True)
class Name:
    """An array of the network, of one layer or (t, y) of none; "dw" holds the derivatives by w."""

    name: str
    layer: Index | None = None


@dataclass(frozen=True)
class Constant:
    """A number."""

    value: float


@dataclass(frozen=True)
class Call:
    """A function of every entry."""

    function: str
    argument: Array


@dataclass(frozen=True)
class Turned:
    """A transposed array."""

    argument: Array


@dataclass(frozen=True)
class Minus:
    """Minus an array."""

    argument: Array


@dataclass(frozen=True)
class Binary:
    """Two arrays joined by `sign`: one of + - * / ** @, or "outer"."""

    sign: str
    left: Array
    right: Array


@dataclass(frozen=True)
class Summed:
    """The sum over one axis, or over all."""

    argument: Array
    axis: int | None


@dataclass(frozen=True)
class Item:
    """Entries of an array; `key` holds numbers, None for a new axis and ":" for a whole one."""

    argument: Array
    key: tuple[int | str | None, ...]


Array = Name | Constant | Call | Turned | Minus | Binary | Summed | Item

#: What an expression is evaluated with: arrays by name and layer, h and h', the letters' values.
Arrays = Mapping[tuple[str, int], Values]


@dataclass(frozen=True)
class World:
    """One network's arrays.

    Attributes
    ----------
    arrays : by name and layer; t and y have layer 0.
    letters : l and L.
    functions : those that mean the same in every network.
    number : what a typed number becomes.
    """

    arrays: Arrays
    letters: Mapping[str, int]
    h: Function
    h_prime: Function
    functions: Mapping[str, Function] = field(default_factory=lambda: FUNCTIONS)
    number: Callable[[float], Any] = float


def parts(node: Array) -> list[tuple[str, Array]]:
    """Return the parts of `node` that are arrays themselves, with their names."""
    return [
        (own.name, getattr(node, own.name))
        for own in fields(node)
        if own.name in ("argument", "left", "right")
    ]


def walk(node: Array) -> Iterator[Array]:
    """Yield `node` and every part of it."""
    yield node
    for _, part in parts(node):
        yield from walk(part)


def edited(
    node: Array, edit: Callable[[Array], Iterator[Array]], start: int = 0, number: int = 0
) -> Iterator[tuple[int, Array, Array, Array]]:
    """Yield (number, tree, old part, new part) for every edit of every part of `node`.

    The parts are numbered as `walk` yields them, `node` being `number`; those before `start` stay.
    """
    if number >= start:
        for new in edit(node):
            yield number, new, node, new
    number += 1
    for name, part in parts(node):
        size = sum(1 for _ in walk(part))
        if number + size > start:
            for place, tree, old, new in edited(part, edit, start, number):
                yield place, _with(node, name, tree), old, new
        number += size


def _with(node: Array, name: str, part: Array) -> Array:
    """Return `node` with `part` for the part called `name`."""
    if isinstance(node, Binary):
        return Binary(node.sign, part, node.right) if name == "left" else Binary(node.sign, node.left, part)
    return replace(node, argument=part)  # type: ignore[arg-type]


def remembered(node: Array, world: World) -> dict[int, Values]:
    """Return the values of `node` and all its parts that have one, by identity."""
    known: dict[int, Values] = {}
    for _, part in parts(node):
        known |= remembered(part, world)
    with suppress(ShapeError):
        known[id(node)] = value(node, world, known)
    return known


def value(node: Array, world: World, known: Mapping[int, Values] = MappingProxyType({})) -> Values:
    """Return the value of `node`; of parts whose values are `known` it is taken from there.

    Raises
    ------
    ShapeError : two arrays do not fit, or there is no such array.
    """
    look()
    if id(node) in known:
        return known[id(node)]
    match node:
        case Name(name=name, layer=layer):
            return _named(name, layer, world)
        case Constant(value=number):
            return np.asarray(world.number(number))
        case Call(function=function, argument=argument):
            own = {"h": world.h, "h'": world.h_prime}
            return (own.get(function) or world.functions[function])(value(argument, world, known))
        case Turned(argument=argument):
            return value(argument, world, known).T
        case Minus(argument=argument):
            return np.asarray(-value(argument, world, known))
        case Summed(argument=argument, axis=axis):
            return _fitting(node, lambda: np.asarray(value(argument, world, known).sum(axis=axis)))
        case Item(argument=argument, key=key):
            places: Any = tuple(slice(None) if place == ":" else place for place in key)
            return _fitting(node, lambda: np.asarray(value(argument, world, known)[places]))
        case Binary(sign=sign, left=left, right=right):
            one, two = value(left, world, known), value(right, world, known)
            if one.size * two.size > MAX_SIZE:
                raise ShapeError(" would have more entries than any array of this network", node)
            if sign == "@" and 0 in (one.ndim, two.ndim):
                raise ShapeError(" multiplies a number by @; * does that", node)
            return _fitting(node, lambda: np.asarray(_OPERATIONS[sign](one, two)), one, two)


def _named(name: str, layer: Index | None, world: World) -> Values:
    number = 0 if layer is None else world.letters.get(layer.letter, 0) + layer.offset
    try:
        return world.arrays[name, number]
    except KeyError:
        raise ShapeError(f"there is no array {name}[{number}] in this network") from None


def _fitting(node: Array, compute: Callable[[], Values], *operands: Values) -> Values:
    try:
        return compute()
    except (ValueError, IndexError):
        shapes = " and ".join(str(operand.shape) for operand in operands)
        reason = f"shapes {shapes} do not fit" if shapes else "it has no such entry or axis"
        raise ShapeError(f": {reason}", node) from None


_OPERATIONS: dict[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "@": np.matmul,
    "outer": np.outer,
}
_TIGHTNESS = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 4}


def code(node: Array, tightness: int = 0) -> str:
    """Return `node` as numpy code."""
    own = 5
    match node:
        case Name(name=name, layer=layer):
            text = name if layer is None else f"{name}[{layer}]"
        case Constant(value=number):
            text = f"{number:g}"
        case Call(function=function, argument=argument):
            text = f"{function.replace(chr(39), '_prime')}({code(argument)})"
        case Turned(argument=argument):
            text = f"{code(argument, 5)}.T"
        case Minus(argument=argument):
            text, own = f"-{code(argument, 3)}", 3
        case Summed(argument=argument, axis=axis):
            text = f"{code(argument, 5)}.sum({'' if axis is None else f'axis={axis}'})"
        case Item(argument=argument, key=key):
            text = f"{code(argument, 5)}[{', '.join(str(place) for place in key)}]"
        case Binary(sign="outer", left=left, right=right):
            text = f"np.outer({code(left)}, {code(right)})"
        case Binary(sign=sign, left=left, right=right):
            own = _TIGHTNESS[sign]
            text = f"{code(left, own)} {sign} {code(right, own + 1)}"
    return f"({text})" if own < tightness else text


def latex(node: Array, tightness: int = 0) -> str:
    """Return `node` as LaTeX, entrywise products with a circle."""
    own = 5
    match node:
        case Name(name=name, layer=layer):
            letter = {"delta": r"\delta", "t": "t_{n}", "dw": r"\partial E/\partial w"}.get(name, name)
            text = letter if layer is None else f"{letter}^{{({layer})}}"
        case Constant(value=number):
            text = f"{number:g}"
        case Call(function=function, argument=argument):
            shown = {"sigma": r"\sigma", "sigma'": r"\sigma'", "step": "[{}>0]"}.get(function, function)
            inner = latex(argument)
            text = shown.format(inner) if "{}" in shown else rf"{shown}({inner})"
        case Turned(argument=argument):
            text = rf"{{{latex(argument, 5)}}}^{{\top}}"
        case Minus(argument=argument):
            text, own = f"-{latex(argument, 2)}", 1
        case Summed(argument=argument):
            text, own = rf"\sum {latex(argument, 2)}", 2
        case Item(argument=argument, key=key):
            text = f"{{{latex(argument, 5)}}}_{{{','.join(str(place) for place in key)}}}"
        case Binary(sign="/", left=left, right=right):
            text = rf"\frac{{{latex(left)}}}{{{latex(right)}}}"
        case Binary(sign="outer", left=left, right=right):
            text, own = rf"{latex(left, 2)}\otimes {latex(right, 3)}", 2
        case Binary(sign="**", left=left, right=right):
            text = rf"{{{latex(left, 5)}}}^{{{latex(right)}}}"
        case Binary(sign=sign, left=left, right=right):
            own = _TIGHTNESS[sign]
            mark = {"*": r"\odot ", "@": r"\,"}.get(sign, sign)
            text = f"{latex(left, own)}{mark}{latex(right, own + 1)}"
    return rf"\left({text}\right)" if own < tightness else text
