"""Two statements compared at every point of some networks: do they say the same?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.formula import FormulaError, parse
from coursework.backprop.grounds import NetworkGround, Supplied
from coursework.backprop.statement import Letters, Quantity, Statement, UnboundIndex

#: What two ways to the same float may differ by, relatively, 152 layers deep.
TOLERANCE = 1e-9
#: Numbers that a longer range of an index is thinned to: two at either end, the others between.
THINNED = 7


@dataclass(frozen=True)
class Example:
    """A point at which the two sides part."""

    letters: Letters
    left: Any
    right: Any


@dataclass(frozen=True)
class Outcome:
    """What comparing found.

    Attributes
    ----------
    status : "equal", "differs", "undefined" or "undefined symbol".
    reason : why one side has no value; empty where both have.
    points, differing : points evaluated, and those at which the sides part.
    nonzero : points at which the left side is not 0, or is true.
    missed, claimed : of a condition, points at which only the left or only the right side is true.
    example : the last of those that differ.
    """

    status: str
    reason: str = ""
    points: int = 0
    differing: int = 0
    nonzero: int = 0
    missed: int = 0
    claimed: int = 0
    example: Example | None = None


def compare(
    left: str,
    right: str,
    grounds: Sequence[NetworkGround],
    forall: Mapping[str, Sequence[int | str]],
    given: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Outcome:
    """Return what comparing two sides at every point of `grounds` finds.

    Parameters
    ----------
    left, right : formulas or conditions (see `formula.parse`).
    grounds : the networks.
    forall : the range of each index, as two formulas; only those that a side contains are gone through.
    given : numbers for some quantities.
    seed : of the numbers in place of weights that do not exist.
    """
    try:
        sides = parse(left), parse(right)
        put_in = {parse(name): value for name, value in (given or {}).items()}
    except FormulaError as error:
        return Outcome("undefined", error.reason)
    ranges = {letter: bounds for letter, bounds in forall.items() if _contains(letter, left + right)}
    tally = _Tally(np.random.default_rng(seed))
    for ground in grounds:
        for letters in bindings(ground, ranges):
            try:
                tally.add(sides, ground, letters, put_in)
            except UnboundIndex as error:
                return Outcome("undefined", str(error))
    return tally.outcome()


def _contains(letter: str, text: str) -> bool:
    # the letter by itself, not within a name
    return re.search(rf"\b{letter}\b", text) is not None


def bindings(ground: NetworkGround, ranges: Mapping[str, Sequence[int | str]]) -> Iterator[Letters]:
    """Yield every choice of the indices; a range may depend on those before it, long ones are thinned."""

    def chosen(names: list[str], letters: dict[str, int]) -> Iterator[Letters]:
        if not names:
            yield letters
            return
        low, high = (parse(str(bound)).at(ground, letters) for bound in ranges[names[0]])
        for number in thinned(low, high):
            yield from chosen(names[1:], {**letters, names[0]: number})

    yield from chosen(list(ranges), {"L": ground.L})


def thinned(low: int, high: int) -> list[int]:
    """Return low to high, of a long range the ends and some between."""
    if high - low < THINNED:
        return list(range(low, high + 1))
    between = np.linspace(low + 2, high - 2, THINNED - 4).round().astype(int).tolist()
    return [low, low + 1, *between, high - 1, high]


class _Tally:
    """Counts what the two sides are, point by point."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.points = self.differing = self.nonzero = self.missed = self.claimed = 0
        self.reason = ""
        self.example: Example | None = None

    def add(
        self,
        sides: Iterable[Statement],
        ground: NetworkGround,
        letters: Letters,
        given: Mapping[Statement, float],
    ) -> None:
        values = {
            name.place(ground, letters): value for name, value in given.items() if isinstance(name, Quantity)
        }
        try:
            left, right = (side.at(Supplied(ground, values), letters) for side in sides)
        except UnboundIndex:
            raise
        except UndefinedSymbol as error:
            self.reason = str(error)
            supplied = Supplied(ground, values, self.rng)
            left, right = (side.at(supplied, letters) for side in sides)
        self.points += 1
        self.nonzero += bool(left != 0)
        if not agree(left, right):
            self.differing += 1
            self.missed += left is True and right is False
            self.claimed += left is False and right is True
            self.example = Example(letters, left, right)

    def outcome(self) -> Outcome:
        status = "differs" if self.differing else "equal"
        if self.reason and self.differing:
            status = "undefined symbol"
        return Outcome(
            status,
            self.reason,
            self.points,
            self.differing,
            self.nonzero,
            self.missed,
            self.claimed,
            self.example,
        )


def agree(left: Any, right: Any) -> bool:
    """Return whether two values are one: whole numbers and conditions exactly, floats to `TOLERANCE`."""
    if all(isinstance(value, int | Fraction) for value in (left, right)):
        return bool(left == right)
    return bool(abs(left - right) <= TOLERANCE * max(abs(left), abs(right)))
