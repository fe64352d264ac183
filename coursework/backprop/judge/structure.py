"""The edits that move sums, products, bounds and parentheses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from coursework.backprop.judge.edits import Edit
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.pool import has_units_of
from coursework.backprop.judge.tree import (
    Add,
    Apply,
    Index,
    Multiply,
    Negative,
    Node,
    Over,
    Partial,
    Ref,
    add,
    children,
    free_letters,
    multiply,
    rename,
    replace_at,
)

Path = tuple[int, ...]


def structural(node: Node, layout: Layout, bound: Sequence[str]) -> Iterator[Edit]:
    """Yield the edits of `node` as a whole; `bound` are the letters bound around it."""
    match node:
        case Add():
            yield from _grouped(node)
        case Multiply():
            yield from _ungrouped(node)
            yield from _scopes(node)
            yield from _merged_sums(node)
        case Over():
            yield from _bounds(node, layout)
            yield from _single_terms(node, layout, bound)
            yield from _released(node)
            yield from _nested_sums(node)
            other = "product" if node.kind == "sum" else "sum"
            yield Edit(node, replace(node, kind=other), ("sum or product",))
    if isinstance(node, Multiply | Ref | Apply | Over):
        yield from _missing_sums(node, layout, bound)


def _grouped(node: Add) -> Iterator[Edit]:
    """a - t z for (a - t) z: factors at either end of a sum are taken out of it."""
    first, last = node.terms[0], node.terms[-1]
    minus = isinstance(last, Negative)
    inner = last.term if isinstance(last, Negative) else last
    if isinstance(inner, Multiply):
        for cut in range(1, len(inner.factors)):
            kept = multiply(inner.factors[:cut])
            terms = [*node.terms[:-1], Negative(kept) if minus else kept]
            yield Edit(node, multiply([add(terms), *inner.factors[cut:]]), ("parenthesis",))
    if isinstance(first, Multiply):
        for cut in range(1, len(first.factors)):
            terms = [multiply(first.factors[cut:]), *node.terms[1:]]
            yield Edit(node, multiply([*first.factors[:cut], add(terms)]), ("parenthesis",))


def _ungrouped(node: Multiply) -> Iterator[Edit]:
    """(a - t) z for a - t z: factors beside a sum are drawn into one of its ends."""
    for place, factor in enumerate(node.factors):
        if isinstance(factor, Add):
            before, after = node.factors[:place], node.factors[place + 1 :]
            for cut in range(1, len(after) + 1):
                inside = [*factor.terms[:-1], multiply([factor.terms[-1], *after[:cut]])]
                yield Edit(node, multiply([*before, add(inside), *after[cut:]]), ("parenthesis",))
            for cut in range(len(before)):
                inside = [multiply([*before[cut:], factor.terms[0]]), *factor.terms[1:]]
                yield Edit(node, multiply([*before[:cut], add(inside), *after]), ("parenthesis",))


def _scopes(node: Multiply) -> Iterator[Edit]:
    for place, factor in enumerate(node.factors):
        if isinstance(factor, Over):
            for other, moved in enumerate(node.factors):
                if other != place:
                    inside = replace(factor, body=multiply([factor.body, moved]))
                    rest = [inside if i == place else f for i, f in enumerate(node.factors) if i != other]
                    yield Edit(node, multiply(rest), ("scope",))


def _released(node: Over) -> Iterator[Edit]:
    if isinstance(node.body, Multiply):
        for place, factor in enumerate(node.body.factors):
            if node.letter not in free_letters(factor):
                rest = [f for i, f in enumerate(node.body.factors) if i != place]
                yield Edit(node, multiply([factor, replace(node, body=multiply(rest))]), ("scope",))


def _merged_sums(node: Multiply) -> Iterator[Edit]:
    places = [i for i, factor in enumerate(node.factors) if isinstance(factor, Over)]
    for one, two in combinations(places, 2):
        first, second = node.factors[one], node.factors[two]
        assert isinstance(first, Over)
        assert isinstance(second, Over)
        body = multiply([first.body, rename(second.body, second.letter, Index(first.letter))])
        factors = [f for i, f in enumerate(node.factors) if i not in (one, two)]
        yield Edit(node, multiply([*factors, replace(first, body=body)]), ("sum of products",))


def _nested_sums(node: Over) -> Iterator[Edit]:
    """A sum inside a sum, typed side by side, for one sum of products."""
    factors = node.body.factors if isinstance(node.body, Multiply) else (node.body,)
    for place, inner in enumerate(factors):
        if isinstance(inner, Over) and inner.kind == node.kind == "sum":
            moved = rename(inner.body, inner.letter, Index(node.letter))
            body = [moved if i == place else factor for i, factor in enumerate(factors)]
            yield Edit(node, replace(node, body=multiply(body)), ("sum of products",))


def _bounds(node: Over, layout: Layout) -> Iterator[Edit]:
    for step in (-2, -1, 1, 2):
        extra = 0.2 * (abs(step) - 1)
        low = Index(node.low.letter, node.low.offset + step)
        high = Index(node.high.letter, node.high.offset + step)
        yield Edit(node, replace(node, low=low), ("bound",), extra)
        yield Edit(node, replace(node, high=high), ("bound",), extra)
    for start in (Index("", 1), Index("l", 1)):
        yield Edit(node, replace(node, low=start), ("bound",))
    for end in (*(Index("", units) for units in sorted(set(layout.sizes))), Index("", layout.L - 1)):
        yield Edit(node, replace(node, high=end), ("bound",))


def _single_terms(node: Over, layout: Layout, bound: Sequence[str]) -> Iterator[Edit]:
    numbers = [Index("", unit) for unit in range(1, max(layout.sizes) + 1)]
    letters = [Index(letter) for letter in bound if letter not in (node.letter, "L")]
    for index in (*numbers, *letters, Index("l", 1), Index("", layout.L - 1)):
        yield Edit(node, rename(node.body, node.letter, index), ("extra sum",))


def _missing_sums(node: Node, layout: Layout, bound: Sequence[str]) -> Iterator[Edit]:
    slots = list(_slots(node, layout))
    for letter in sorted(free_letters(node) - {*bound, "l", "L"}):
        units = {count for _, _, index, count in slots if index == Index(letter)} - {0}
        for count in sorted(units):
            yield Edit(node, Over("sum", letter, Index("", 1), Index("", count), node), ("missing sum",))
            for unit in range(1, count + 1):
                yield Edit(node, rename(node, letter, Index("", unit)), ("unbound",), 0.1 * (unit - 1))
        if not units:  # it counts layers
            over = Over("product", letter, Index("l", 1), Index("", layout.L - 1), node)
            yield Edit(node, over, ("missing sum",))
            for index in (Index("l"), Index("l", 1)):
                yield Edit(node, rename(node, letter, index), ("unbound",), 0.1)
    letter = next(letter for letter in "kjimpqrs" if letter not in bound)
    numbered = [slot for slot in slots if not slot[2].letter and slot[3] > 1]
    for size in (1, 2):
        for chosen in combinations(numbered, size):
            if len({(slot[2], slot[3]) for slot in chosen}) == 1:
                summed = node
                for path, place, _, _ in chosen:
                    summed = _with_unit(summed, path, place, Index(letter))
                over = Over("sum", letter, Index("", 1), Index("", chosen[0][3]), summed)
                yield Edit(node, over, ("missing sum",), 0.3 * (2 - size))


def _slots(node: Node, layout: Layout, path: Path = ()) -> Iterator[tuple[Path, int, Index, int]]:
    """Yield path, place, value and number of units of every unit index; of a derivative none."""
    if isinstance(node, Ref):
        for place, unit in enumerate(node.units):
            yield path, place, unit, has_units_of(layout, node, place)
    if not isinstance(node, Partial):
        for number, part in enumerate(children(node)):
            yield from _slots(part, layout, (*path, number))


def _with_unit(node: Node, path: Path, place: int, index: Index) -> Node:
    part = node
    for step in path:
        part = children(part)[step]
    assert isinstance(part, Ref)
    units = tuple(index if i == place else unit for i, unit in enumerate(part.units))
    return replace_at(node, path, replace(part, units=units))
