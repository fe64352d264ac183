"""`check`: what somebody typed, judged, and shown as Markdown or as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from coursework.backprop.judge.array_answer import judge_arrays
from coursework.backprop.judge.array_reading import is_numpy
from coursework.backprop.judge.array_worlds import LAYOUTS, cases
from coursework.backprop.judge.conditions import judge_proposition
from coursework.backprop.judge.deadline import LIMIT, limited, search_time
from coursework.backprop.judge.diagnosis import Finding, judge
from coursework.backprop.judge.identity import compare
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.proposition_reading import is_proposition
from coursework.backprop.judge.questions import Question, question
from coursework.backprop.judge.reading import Reading, readings
from coursework.backprop.judge.search import PLAIN, Guess
from coursework.backprop.judge.slips import Slip
from coursework.backprop.judge.tokens import Unreadable

#: How much is told of a slip: what is wrong, where it is, how to mend it.
LEVELS = ("what", "where", "mend")


#: What HTML, Markdown or mathematics could be made of.
_MARKUP = frozenset("<>&\"'\\`*_$[]{}()#|~!")


class UnknownLevel(ValueError):
    """There is no such level of help; the message lists those there are."""


@dataclass(frozen=True)
class Answer:
    """A typed answer, judged.

    Attributes
    ----------
    question : its id.
    typed : the text.
    status : "right", "wrong" or "unreadable".
    summary : the verdict in a sentence, formulas between dollar signs.
    understood : what was read, as LaTeX; empty where nothing could be.
    slips : the likeliest slips, one or two.
    others : the next likely explanations.
    notes : the reading taken and other remarks.
    level : how much is shown of the slips.
    """

    question: str
    typed: str
    status: str
    summary: str
    understood: str = ""
    slips: tuple[Slip, ...] = ()
    others: tuple[tuple[Slip, ...], ...] = ()
    notes: tuple[str, ...] = ()
    level: str = "mend"
    compared: int = field(default=0, repr=False)

    @property
    def right(self) -> bool:
        """Whether the question is answered."""
        return self.status == "right"

    @property
    def lines(self) -> list[str]:
        """The verdict, line by line, formulas between dollar signs."""
        lines = [self.summary, *_told(self.slips, self.level)]
        if self.level == "mend":
            for other in self.others[:1]:
                advice = "; ".join(dict.fromkeys(slip.advice for slip in other))
                lines.append(f"Or else: {advice}.")
        return [*lines, *(_sentence(note) for note in self.notes)]

    def as_dict(self) -> dict[str, Any]:
        """Return what `coursework check --json` prints: the first of the guesses is the slips."""
        return {
            "question": self.question,
            "typed": self.typed,
            "status": self.status,
            "understood": self.understood,
            "lines": self.lines,
            "slips": [_as_dict(slip, self.level) for slip in self.slips],
            "guesses": [
                [_as_dict(slip, self.level) for slip in slips]
                for slips in (self.slips, *self.others)
                if slips
            ],
            "compared": self.compared,
        }

    def __str__(self) -> str:
        lines = [f"understood: {self.understood}"] if self.understood else []
        return "\n".join([*lines, *(line.replace("$", "") for line in self.lines)])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        mark = {"right": "✓", "wrong": "✗", "unreadable": "?"}[self.status]
        head = f"**{self.question} {mark}** "
        shown = f"${self.understood}$" if self.understood else f"<code>{_escaped(self.typed)}</code>"
        items = "\n".join(f"- {line if self.understood else _escaped(line)}" for line in self.lines)
        return f"{head}{shown}\n\n{items}"


def check(question_id: str, typed: str, *, level: str = "mend") -> Answer:
    r"""Judge a typed formula.

    Parameters
    ----------
    question_id : "1.1" to "1.6" and "2.1" to "2.4".
    typed : LaTeX (`\delta_1^{(4)}z_2^{(3)}`), plain text (`delta[4][1]*z[3][2]`, `δ_1^(4) z_2^(3)`) or a
        numpy expression on whole arrays (`delta4.T @ z3`).
    level : how much is told of a slip: "what" is wrong, also "where", also how to "mend" it.

    Raises
    ------
    UnknownQuestion, UnknownLevel : the message lists those there are.
    """
    if level not in LEVELS:
        raise UnknownLevel(f"level {level!r} is not one of {', '.join(LEVELS)}")
    asked = question(question_id)
    _prepared(asked, is_numpy(typed))
    try:
        with limited(LIMIT):
            if is_proposition(asked, typed):
                return _of_proposition(asked, typed, level)
            if is_numpy(typed):
                return _of_arrays(asked, typed, level)
            return _judged(asked, typed, level)
    except Unreadable as error:
        return Answer(asked.id, typed[:4000], "unreadable", f"Cannot be read: {error}.", level=level)


def _of_arrays(asked: Question, typed: str, level: str) -> Answer:
    found = judge_arrays(typed, asked)
    status = "right" if found.right else "wrong"
    return Answer(
        asked.id,
        typed,
        status,
        found.summary,
        found.understood,
        found.slips,
        found.others,
        found.notes,
        level,
        found.compared,
    )


def _of_proposition(asked: Question, typed: str, level: str) -> Answer:
    found = judge_proposition(typed, asked)
    status = "right" if found.right else "wrong"
    notes = found.notes if level == "mend" else ()
    return Answer(
        asked.id,
        typed,
        status,
        found.summary,
        found.understood,
        notes=notes,
        level=level,
        compared=found.compared,
    )


def verdict(question_id: str, typed: str) -> str:
    """Return "right", "wrong" or "unreadable", without a search for the slip: about a millisecond.

    Raises
    ------
    UnknownQuestion : the message lists those there are.
    """
    asked = question(question_id)
    _prepared(asked, is_numpy(typed))
    try:
        with limited(LIMIT):
            if is_proposition(asked, typed):
                return "right" if judge_proposition(typed, asked).right else "wrong"
            if is_numpy(typed):
                return "right" if judge_arrays(typed, asked, explain=False).right else "wrong"
            return "right" if _accepted(asked, readings(typed, asked.layout))[0] else "wrong"
    except Unreadable:
        return "unreadable"


@lru_cache(maxsize=32)
def _prepared(asked: Question, arrays: bool) -> None:
    """Draw the networks for a question before the clock starts; they are kept."""
    compare(asked.asked.target, asked.asked, thorough=False)
    for layout in LAYOUTS if arrays else ():
        cases(asked, layout)


def _accepted(asked: Question, found: list[Reading]) -> tuple[bool, list[Reading]]:
    """Return whether the text is right, and which of its readings are.

    Where the brackets do not balance, every reading must be right.
    """
    right = [reading for reading in found if judge(reading, asked, effort=0).right]
    balanced = not found[0].bracket
    return bool(right) and (balanced or len(right) == len(found)), right


def _judged(asked: Question, typed: str, level: str) -> Answer:
    found = readings(typed, asked.layout)
    accepted, right = _accepted(asked, found)
    if accepted:
        finding = judge(right[0], asked, effort=0)
        with search_time():
            finding = judge(right[0], asked)
        return _answer(asked, typed, level, right[0], finding)
    if right:
        ways = f"{len(found)} ways to balance the brackets were tried; only this one is the derivative"
        if len(right) > 1:
            ways = f"{len(right)} of {len(found)} ways to balance the brackets are the derivative"
        slip = Slip("parenthesis", "", "", f"the brackets do not balance: {right[0].bracket}")
        finding = Finding(
            False,
            "The brackets do not balance.",
            (Guess((slip,), right[0].sides[-1], 0.0),),
            (*right[0].notes, ways),
            judge(right[0], asked, effort=0).comparison,
        )
        return _answer(asked, typed, level, right[0], finding)
    return _likeliest(asked, typed, level, found[:6])


def _likeliest(asked: Question, typed: str, level: str, found: list[Reading]) -> Answer:
    """Return the judgement of the reading whose slips are the likeliest."""
    best = (100.0, found[0], judge(found[0], asked, effort=0))
    with search_time():
        for effort in (1, 2):
            # where a product's reach is unclear, two slips are sought in the shorter one first
            for reading in found[:: 1 if effort == 1 else -1]:
                if best[0] > PLAIN and not (effort == 2 and reading.bracket):
                    finding = judge(reading, asked, effort=effort)
                    cost = finding.guesses[0].cost if finding.guesses else 99.0
                    if cost < best[0]:
                        best = (cost, reading, finding)
    _, reading, finding = best
    if reading.bracket:
        slip = Slip("parenthesis", "", "", f"the brackets do not balance: {reading.bracket}")
        guesses = tuple(Guess((slip, *g.slips), g.mended, g.cost) for g in finding.guesses)
        finding = replace(finding, guesses=guesses or (Guess((slip,), reading.sides[-1], 99.0),))
    return _answer(asked, typed, level, reading, finding)


def _answer(asked: Question, typed: str, level: str, reading: Reading, finding: Finding) -> Answer:
    guesses = finding.guesses
    return Answer(
        asked.id,
        typed,
        "right" if finding.right else "wrong",
        finding.summary,
        "=".join(latex(side) for side in reading.sides),
        guesses[0].slips if guesses else (),
        tuple(guess.slips for guess in guesses[1:]),
        (f"the brackets do not balance; {reading.bracket}", *finding.notes)
        if finding.right and reading.bracket
        else finding.notes,
        level,
        finding.comparison.compared,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _told(slips: Sequence[Slip], level: str) -> list[str]:
    """Return a line for each slip; slips of one part share theirs."""
    whats: dict[str, list[str]] = {}
    for slip in slips:
        where = {"what": "", "where": f"look at ${slip.found}$" if slip.found else "", "mend": slip.advice}
        whats.setdefault(where[level], []).append(slip.what)
    return [
        _sentence(", and ".join(dict.fromkeys(what)) + (f": {where}" if where else ""))
        for where, what in whats.items()
    ]


def _as_dict(slip: Slip, level: str) -> dict[str, str]:
    told = {"kind": slip.kind, "what": slip.what}
    if level != "what":
        told["where"] = slip.found
    if level == "mend":
        told["mend"] = slip.advice
    return told


def _escaped(text: str) -> str:
    """Return `text` so that neither HTML nor Markdown nor mathematics is made of it."""
    shown = text if len(text) <= 300 else text[:300] + "…"
    return "".join(f"&#{ord(c)};" if c in _MARKUP else " " if c == "\n" else c for c in shown)
