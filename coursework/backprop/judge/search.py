"""The slip is searched: which formulas one edit away from the typed one, or two, are the derivative?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from coursework.backprop.judge.audit import compare_everywhere
from coursework.backprop.judge.deadline import OutOfTime, search_time
from coursework.backprop.judge.edits import Edit
from coursework.backprop.judge.identity import Comparison, Wanted, compare
from coursework.backprop.judge.questions import Asked
from coursework.backprop.judge.slips import Slip
from coursework.backprop.judge.stacks import Neighbours, Stack
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import Apply, Index, Node, free_letters, normal, rename, replace_at, walk

#: Two slips are less likely than one by this much.
_SECOND = 0.6
#: Pairs that cost so much more than the best one found are not looked for.
_MARGIN = 0.1
#: A single slip that costs more is so odd that two plain ones may be likelier.
PLAIN = 1.7
#: Most ways to mend a formula that are audited where one differs in rare networks only.
_AUDITED = 25
#: Slips whose mending moves other parts, so that the second edit is looked for everywhere.
_STRUCTURAL = frozenset(
    (
        "missing sum",
        "extra sum",
        "sum of products",
        "sum or product",
        "bound",
        "scope",
        "parenthesis",
        "power",
        "unbound",
    )
)


@dataclass(frozen=True)
class Guess:
    """A way to mend a formula: what is wrong with it, and the formula mended."""

    slips: tuple[Slip, ...]
    mended: Node
    cost: float


def search(
    node: Node,
    asked: Asked,
    activation: str,
    *,
    pairs: bool = True,
    most: int = 3,
    rare: Comparison | None = None,
) -> list[Guess]:
    """Return the likeliest ways to turn `node` into the derivative, best first; none, if two edits do not.

    Parameters
    ----------
    activation : of the network in which both are compared.
    pairs : whether two slips are looked for where one is unlikely.
    rare : the comparison of `node`, where it differs in networks of tiny or large numbers only.
    """
    with np.errstate(all="ignore"):
        sigma = any(isinstance(part, Apply) and part.function.startswith("sigma") for part in walk(node))
        neighbours = Neighbours(asked, activation, sigma=sigma, differing=rare)
        found: list[tuple[float, tuple[Edit, ...], Node]] = []
        guesses: list[Guess] = []
        with search_time():
            stack = neighbours.of(node)
            found += [*_unbound(node, neighbours, asked), *_hits(node, stack, neighbours.wanted, ())]
            guesses = _verified(found, asked, activation, most, audited=rare is not None)
            if pairs and (not guesses or guesses[0].cost > PLAIN):
                for hit in _pairs(node, stack, neighbours):
                    found.append(hit)
        return _verified(found, asked, activation, most, audited=rare is not None) if found else guesses


def _hits(
    node: Node, stack: Stack, wanted: Wanted, before: tuple[Edit, ...]
) -> Iterator[tuple[float, tuple[Edit, ...], Node]]:
    equal = wanted.equal(stack.values).all(axis=1)
    for number in np.flatnonzero(equal):
        path, edit = stack.edit(int(number))
        edits = (*before, edit)
        cost = sum(one.cost for one in edits) + _SECOND * (len(edits) - 1)
        yield cost, edits, replace_at(node, path, edit.new)


def _unbound(
    node: Node, neighbours: Neighbours, asked: Asked
) -> Iterator[tuple[float, tuple[Edit, ...], Node]]:
    """Yield what becomes of `node` when an index that nothing binds is made a number."""
    for letter in sorted(free_letters(node) - set(neighbours.scope.letters)):
        for unit in range(1, max(asked.layout.sizes) + 1):
            new = rename(node, letter, Index("", unit))
            if compare(new, asked, thorough=False).equal:
                edit = Edit(node, new, ("unbound",), -0.1)
                yield edit.cost, (edit,), new


def _pairs(
    node: Node, stack: Stack, neighbours: Neighbours
) -> Iterator[tuple[float, tuple[Edit, ...], Node]]:
    first = [stack.edit(number) for number in range(len(stack.values))]
    first.sort(key=lambda entry: entry[1].cost)
    best, tiny = 99.0, len(list(walk(node))) < 3
    for path, edit in first:
        if edit.cost > best - _SECOND + _MARGIN:
            return
        changed = replace_at(node, path, edit.new)
        everywhere = tiny or edit.kinds[0] in _STRUCTURAL
        try:
            further = neighbours.after(changed, path, everywhere=everywhere)
        except OutOfTime:
            raise
        except Unreadable:
            continue
        if further is not None:
            for hit in _hits(changed, further, neighbours.wanted, (edit,)):
                best = min(best, hit[0])
                yield hit


def _verified(
    found: list[tuple[float, tuple[Edit, ...], Node]],
    asked: Asked,
    activation: str,
    most: int,
    *,
    audited: bool,
) -> list[Guess]:
    guesses: list[Guess] = []
    seen: set[tuple[str, ...]] = set()
    found = sorted(found, key=lambda entry: entry[0])[: _AUDITED if audited else None]
    for cost, edits, mended in found:
        slips = tuple(slip for edit in edits for slip in edit.slips)
        kinds = tuple(sorted(slip.kind for slip in slips))
        # of several places where the same slip may have been made the likeliest is enough
        if kinds in seen or any(part in asked.own for part in walk(mended)):
            continue
        try:
            right = compare(mended, asked, activation=activation, thorough=False).equal
            if right and audited:
                right = compare_everywhere(mended, asked).equal
        except OutOfTime:
            break
        except Unreadable:
            continue
        if right:
            seen.add(kinds)
            guesses.append(Guess(slips, normal(mended), cost))
            if len(guesses) == most:
                break
    return guesses
