r"""Products and sums written out with dots: w^{(l+1)} \cdots w^{(152)}."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.tree import (
    Index,
    Letter,
    Node,
    Number,
    Over,
    Partial,
    Ref,
    children,
    multiply,
    rename,
    walk,
    with_children,
)

_LETTERS = "mkijpqr"


@dataclass(frozen=True)
class Run:
    """What dots stand for: a product or sum of which `size` neighbouring factors are one turn."""

    over: Over
    size: int


def run(kind: str, first: Sequence[Node], last: Sequence[Node], layout: Layout) -> Run | None:
    """Return what leads from the factors `first` to as many others, None where they are not alike."""
    used = {part.letter for node in (*first, *last) for part in walk(node) if isinstance(part, Over)}
    used |= {index.letter for node in (*first, *last) for index in _indices(node)}
    letter = next((letter for letter in _LETTERS if letter not in used), "")
    alike = _Alike(letter)
    turn = [alike.node(one, other) for one, other in zip(first, last, strict=True)]
    if not letter or alike.low is None or alike.high is None or None in turn:
        return None
    low, high = sorted((alike.low, alike.high), key=lambda index: _height(index, layout))
    body = [node for node in turn if node is not None]
    return Run(Over(kind, letter, low, high, multiply(body) if kind == "product" else body[0]), len(first))


def joined(parts: Sequence[Node], at: int, found: Run) -> list[Node]:
    """Return `parts`, of which number `at` is what dots stand for, with the turns beside it taken in."""
    before, over, after = list(parts[:at]), found.over, list(parts[at + 1 :])
    while True:
        for low, high, outside in ((-1, 0, over.low), (0, 1, over.high)):
            turn = _turn(over, replace(outside, offset=outside.offset + low + high), found.size)
            for side, some in ((before, slice(-found.size, None)), (after, slice(0, found.size))):
                if side[some] == turn:
                    del side[some]
                    over = replace(
                        over,
                        low=replace(over.low, offset=over.low.offset + low),
                        high=replace(over.high, offset=over.high.offset + high),
                    )
                    break
            else:
                continue
            break
        else:
            return [*before, over, *after]


def with_runs(parts: list[Node], runs: Sequence[tuple[int, Run]]) -> list[Node]:
    """Return `parts` with the turns beside each of `runs`, given with its place, taken in."""
    for at, found in reversed(runs):
        parts = joined(parts, at, found)
    return parts


def _turn(over: Over, index: Index, size: int) -> list[Node]:
    body = rename(over.body, over.letter, index)
    return list(children(body)) if size > 1 else [body]


def _height(index: Index, layout: Layout) -> int:
    letters = {"": 0, "L": layout.L, "l": layout.L - 4}
    return letters.get(index.letter, 1) + index.offset


def _indices(node: Node) -> list[Index]:
    refs = [
        ref
        for part in walk(node)
        for ref in ((part.top, part.bottom) if isinstance(part, Partial) else (part,))
    ]
    found = [part.index for part in walk(node) if isinstance(part, Letter)]
    for ref in refs:
        if isinstance(ref, Ref):
            found += [*ref.units, *([ref.layer] if ref.layer else [])]
    return found


class _Alike:
    """Compares two formulas; where their indices differ, `letter` runs from `low` to `high`."""

    def __init__(self, letter: str) -> None:
        self.low: Index | None = None
        self.high: Index | None = None
        self._letter = letter

    def node(self, one: Node, other: Node) -> Node | None:
        """Return the formula that is `one` at the first turn and `other` at the last."""
        match one, other:
            case Ref(), Ref() if one.name == other.name and len(one.units) == len(other.units):
                units = [self._index(a, b) for a, b in zip(one.units, other.units, strict=True)]
                layer = self._index(one.layer, other.layer) if one.layer and other.layer else one.layer
                if (one.layer is not None and layer is None) or None in units:
                    return None
                return Ref(one.name, layer, tuple(unit for unit in units if unit))
            case Letter(index=a), Letter(index=b):
                index = self._index(a, b)
                return Letter(index) if index else None
            case Number(), Number():
                return one if one.value == other.value else None
            case Partial(), Partial():
                top, bottom = self.node(one.top, other.top), self.node(one.bottom, other.bottom)
                return Partial(top, bottom) if isinstance(top, Ref) and isinstance(bottom, Ref) else None
        inner, others = children(one), children(other)
        blank = [Number(0, "0")] * len(inner)
        if len(inner) != len(others) or with_children(one, blank) != with_children(other, blank):
            return None
        parts = [self.node(a, b) for a, b in zip(inner, others, strict=True)]
        return None if None in parts else with_children(one, [part for part in parts if part is not None])

    def _index(self, one: Index, other: Index) -> Index | None:
        if one == other:
            return one
        if self.low is None or self.high is None:
            self.low, self.high = one, other
        steps = one.offset - self.low.offset, other.offset - self.high.offset
        if (one.letter, other.letter) != (self.low.letter, self.high.letter) or steps[0] != steps[1]:
            return None
        return Index(self._letter, steps[0])
