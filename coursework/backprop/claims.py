"""Every equation and condition of a published solution to 1.1 to 2.4, as records that are checked.

The records are in claims.yaml: what was published, whether it holds, what is right, which error it was, and
what the published line can be taken to say, each reading with what a check of it finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from coursework.backprop.comparison import Outcome, compare
from coursework.backprop.families import draw
from coursework.backprop.grounds import NetworkGround
from coursework.backprop.records import read_records


class WrongRecord(AssertionError):
    """A record says what is not so."""


@dataclass(frozen=True)
class Reading:
    """One thing that a published line can be taken to say.

    Attributes
    ----------
    name : which reading it is.
    status : "equal", "differs", "undefined" (not a formula, or an index is bound nowhere) or "undefined
        symbol" (it names what does not exist, and differs with a random number in its place).
    of, says : its two sides.
    given : numbers that are put in for some quantities.
    sufficient : of a condition: it is never true where it should not be, it only misses cases.
    """

    name: str
    status: str
    of: str
    says: str
    given: Mapping[str, float]
    sufficient: bool


@dataclass(frozen=True)
class Claim:
    """A line of the published solution, or a general result beside it.

    Attributes
    ----------
    id, question : which line, of the answer to which question.
    published : as printed: formulas in LaTeX, or its content in words as Markdown; empty for a general
        result.
    corrected : LaTeX of what is right, one formula or several.
    verdict : "correct", "typo", "wrong index", "wrong bound", "missing factor", "incomplete", "wrong" or
        "general".
    remark : which error it was, in words, or what is to be said of a line that holds; may be empty.
    family, activation, forall : for which networks and indices it is claimed (see `families.draw`).
    right : left side to right side, equal at every point.
    readings : of the published line, as printed first.
    """

    id: str
    question: str
    published: tuple[str, ...]
    corrected: tuple[str, ...]
    verdict: str
    remark: str
    family: str
    activation: str
    forall: Mapping[str, Sequence[int | str]]
    right: Mapping[str, str]
    readings: tuple[Reading, ...]

    @property
    def holds(self) -> bool:
        """Whether the line is right as it was published."""
        return self.verdict in ("correct", "general")

    @property
    def in_words(self) -> bool:
        """Whether `published` is Markdown, with its formulas between dollars."""
        return any("$" in part or "\\" not in part for part in self.published)

    def outcomes(self, grounds: Sequence[NetworkGround], seed: int = 0) -> list[Outcome]:
        """Return what is found for each reading on these networks."""
        return [
            compare(reading.of, reading.says, grounds, self.forall, reading.given, seed)
            for reading in self.readings
        ]


def _claim(record: dict[str, Any]) -> Claim:
    first = next(iter(record["right"]))
    defaults = {"of": first, "given": {}, "sufficient": False}
    readings = tuple(Reading(**{**defaults, **reading}) for reading in record.get("readings", ()))
    given = {"published": [], "remark": "", "forall": {}, **record}
    published, corrected = (_parts(given[side]) for side in ("published", "corrected"))
    return Claim(**{**given, "published": published, "corrected": corrected, "readings": readings})


def _parts(text: str | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@cache
def claims() -> dict[str, Claim]:
    """Return the 46 records under their names, in the order of the questions."""
    return {record["id"]: _claim(record) for record in read_records("claims")}


@dataclass(frozen=True)
class Checked:
    """What checking a record found: at how many points, and the outcome of each reading."""

    points: int
    outcomes: tuple[Outcome, ...]


def check_claim(claim: Claim, seed: int = 0, grounds: Sequence[NetworkGround] | None = None) -> Checked:
    """Check a record.

    Parameters
    ----------
    claim : the record.
    seed : of the networks that are drawn.
    grounds : other networks than those of its family.

    Raises
    ------
    WrongRecord : what it calls right is not, a reading is not what it is said to be, or nothing was
        evaluated.
    """
    networks = draw(claim.family, claim.activation, seed) if grounds is None else grounds
    points = 0
    for left, right in claim.right.items():
        outcome = compare(left, right, networks, claim.forall)
        points += outcome.points
        if outcome.status != "equal" or outcome.reason:
            raise WrongRecord(f"{claim.id}: {left} = {right} {_found(outcome)}")
        if not outcome.nonzero:
            raise WrongRecord(f"{claim.id}: {left} was 0 at all {outcome.points} points, which shows nothing")
    outcomes = tuple(claim.outcomes(networks, seed))
    for reading, outcome in zip(claim.readings, outcomes, strict=True):
        points += outcome.points
        if outcome.status != reading.status:
            raise WrongRecord(
                f"{claim.id}, {reading.name}: called {reading.status!r}, but it {_found(outcome)}"
            )
        if outcome.status in ("equal", "differs") and not outcome.nonzero:
            raise WrongRecord(f"{claim.id}, {reading.name}: no point at which {reading.of} was not 0")
        if reading.sufficient and outcome.claimed:
            raise WrongRecord(f"{claim.id}, {reading.name}: called sufficient, but it {_found(outcome)}")
    return Checked(points, outcomes)


def _found(outcome: Outcome) -> str:
    parts = f"{outcome.status} at {outcome.differing} of {outcome.points} points"
    example = outcome.example
    where = f"; {dict(example.letters)}: {example.left} and {example.right}" if example else ""
    return f"is found {parts}{where} {outcome.reason}".rstrip()
