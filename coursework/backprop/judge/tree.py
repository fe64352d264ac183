"""A typed formula as a tree.  Nodes are immutable, so that an edit shares all that it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Index:
    """A layer or a unit: a letter plus a number (l + 1), or with the letter "" a number alone."""

    letter: str = ""
    offset: int = 0

    def __str__(self) -> str:
        if not self.letter:
            return str(self.offset)
        return f"{self.letter}{self.offset:+d}" if self.offset else self.letter


@dataclass(frozen=True)
class Number:
    """A number as it was typed."""

    value: float
    text: str


@dataclass(frozen=True)
class Letter:
    """The value of an index, as in the exponent 152 - l."""

    index: Index


@dataclass(frozen=True)
class Ref:
    """A quantity of the network: `name` is a, z, delta, w, b, x, t, y, E or W (the largest |w|)."""

    name: str
    layer: Index | None = None
    units: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Apply:
    """A function of one argument; the names are those of `value.FUNCTIONS`."""

    function: str
    argument: Node


@dataclass(frozen=True)
class Add:
    """A sum of two terms or more."""

    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Negative:
    """Minus a term."""

    term: Node


@dataclass(frozen=True)
class Multiply:
    """A product of two factors or more."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Divide:
    """A fraction."""

    top: Node
    bottom: Node


@dataclass(frozen=True)
class Power:
    """A power; the exponent is free of the network's quantities."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Over:
    """A "sum" or "product" over `letter` from `low` to `high`, both included."""

    kind: str
    letter: str
    low: Index
    high: Index
    body: Node


@dataclass(frozen=True)
class Partial:
    """The derivative of one quantity by another."""

    top: Ref
    bottom: Ref


Node = Number | Letter | Ref | Apply | Add | Negative | Multiply | Divide | Power | Over | Partial

ONE, ZERO = Number(1, "1"), Number(0, "0")


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts of `node` that are formulas themselves."""
    match node:
        case Apply(argument=part) | Negative(term=part) | Over(body=part):
            return (part,)
        case Add(terms=parts) | Multiply(factors=parts):
            return parts
        case Divide(top=one, bottom=two) | Power(base=one, exponent=two):
            return (one, two)
    return ()


def with_children(node: Node, parts: Sequence[Node]) -> Node:
    """Return `node` with other parts, in the order of `children`."""
    match node:
        case Apply():
            return replace(node, argument=parts[0])
        case Negative():
            return Negative(parts[0])
        case Over():
            return replace(node, body=parts[0])
        case Add():
            return Add(tuple(parts))
        case Multiply():
            return Multiply(tuple(parts))
        case Divide():
            return Divide(parts[0], parts[1])
        case Power():
            return Power(parts[0], parts[1])
    return node


def add(terms: Sequence[Node]) -> Node:
    """Return the sum of `terms`, nested sums opened."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, Add) else (term,))]
    return flat[0] if len(flat) == 1 else Add(tuple(flat))


def multiply(factors: Sequence[Node]) -> Node:
    """Return the product of `factors`, nested products opened and factors 1 left out."""
    flat = [
        part
        for factor in factors
        for part in (factor.factors if isinstance(factor, Multiply) else (factor,))
        if part != ONE
    ]
    if not flat:
        return ONE
    return flat[0] if len(flat) == 1 else Multiply(tuple(flat))


def normal(node: Node) -> Node:
    """Return `node` with nested sums and products opened, factors 1 and terms 0 left out."""
    parts = [normal(part) for part in children(node)]
    match node:
        case Add():
            kept = [part for part in parts if part != ZERO]
            return add(kept) if kept else ZERO
        case Multiply():
            return multiply(parts)
        case Negative():
            inner = parts[0]
            return inner.term if isinstance(inner, Negative) else Negative(inner)
    return with_children(node, parts)


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and every part of it."""
    yield node
    for part in children(node):
        yield from walk(part)


def replace_at(node: Node, path: Sequence[int], new: Node) -> Node:
    """Return the tree in which the part at `path` (numbers of children, from the root) is `new`."""
    if not path:
        return new
    parts = list(children(node))
    parts[path[0]] = replace_at(parts[path[0]], path[1:], new)
    return with_children(node, parts)


def rename(node: Node, letter: str, index: Index) -> Node:
    """Return `node` with `index` in the place of the free letter `letter`."""

    def moved(old: Index) -> Index:
        return Index(index.letter, index.offset + old.offset) if old.letter == letter else old

    match node:
        case Ref(layer=layer, units=units):
            return replace(node, layer=layer and moved(layer), units=tuple(map(moved, units)))
        case Letter(index=old):
            return Letter(moved(old))
        case Partial(top=top, bottom=bottom):
            over, under = rename(top, letter, index), rename(bottom, letter, index)
            assert isinstance(over, Ref)
            assert isinstance(under, Ref)
            return Partial(over, under)
        case Over(letter=bound, low=low, high=high):
            node = replace(node, low=moved(low), high=moved(high))
            if bound == letter:
                return node
    return with_children(node, [rename(part, letter, index) for part in children(node)])


def free_letters(node: Node) -> set[str]:
    """Return the index letters that no sum or product of `node` binds."""
    match node:
        case Ref(layer=layer, units=units):
            return {index.letter for index in (*units, *([layer] if layer else ())) if index.letter}
        case Letter(index=index):
            return {index.letter} - {""}
        case Partial(top=top, bottom=bottom):
            return free_letters(top) | free_letters(bottom)
        case Over(letter=letter, low=low, high=high, body=body):
            return (free_letters(body) - {letter}) | ({low.letter, high.letter} - {""})
    return set().union(*(free_letters(part) for part in children(node)))
