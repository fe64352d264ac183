"""The published solution on the page: each line beside the right one, and the numbers at which they part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from IPython.display import Markdown

from coursework.backprop.claims import Claim, WrongRecord, check_claim, claims
from coursework.backprop.comparison import Outcome
from coursework.backprop.expression import number
from coursework.backprop.families import DEEP, draw
from coursework.backprop.grounds import FloatGround, NetworkGround
from coursework.backprop.page import markdown_table
from coursework.backprop.point import assignment_point

#: What a record says of itself without a verdict on a published line.
GENERAL = "general"


def claims_table(question: str, seed: int = 0) -> Markdown:
    """Return the published lines on a question beside the right ones, checked anew.

    Parameters
    ----------
    question : "1.1" to "2.4".
    seed : of the networks on which the records are checked, and of the one that the numbers are from.

    Raises
    ------
    WrongRecord : a line that we call right is wrong on some network, or one that we call wrong is right.
    ValueError : there is no such question.
    """
    own = [claim for claim in claims().values() if claim.question == question]
    if not own:
        known = ", ".join(sorted({claim.question for claim in claims().values()}))
        raise ValueError(f"question={question!r} has no records; there are {known}")
    found = [check_claim(claim, seed).outcomes for claim in own]
    parts = [
        markdown_table(("line", "published", "right"), [_line(claim) for claim in own]).data,
        *(f"- **{claim.id}:** {claim.remark}" for claim in own if claim.remark),
    ]
    parting = [
        row for claim, outcomes in zip(own, found, strict=True) for row in _parting(claim, outcomes, seed)
    ]
    if parting:
        head = ("line", "read", "published", "right", "checked")
        parts += ["", markdown_table(head, parting).data]
    return Markdown("\n\n".join((parts[0], "\n".join(parts[1:]))))


def _line(claim: Claim) -> tuple[str, str, str]:
    # formulas of their own, so that the line may break between them
    right = " ".join(map(_formula, claim.corrected))
    if claim.verdict == GENERAL:
        return f"**{claim.id}** in general", "not published", right
    published = claim.published if claim.in_words else map(_formula, claim.published)
    return f"**{claim.id}** {claim.verdict}", " ".join(published), right


def _formula(latex: str) -> str:
    return rf"${{\displaystyle {latex}}}$"


def _parting(claim: Claim, outcomes: Sequence[Outcome], seed: int) -> Iterator[tuple[str, ...]]:
    here = outcomes if claim.family.startswith("whole") else claim.outcomes([page_ground(claim, seed)], seed)
    for reading, outcome, shown in zip(claim.readings, outcomes, here, strict=True):
        if outcome.status != "equal":
            yield claim.id, reading.name, *_sides(shown), _checked(outcome)


def page_ground(claim: Claim, seed: int) -> NetworkGround:
    """Return the network that the page takes its numbers from: the assignment's own, small or deep."""
    if claim.family == "small":
        return FloatGround(assignment_point(seed))
    # the last one drawn is the deepest
    return draw(claim.family, "sigmoid" if claim.activation == "any" else claim.activation, seed)[-1]


def _sides(outcome: Outcome) -> tuple[str, str]:
    if outcome.status == "undefined":
        return f"no number: {outcome.reason}", ""
    example = outcome.example
    if example is None:
        return "the same here", "the same here"
    # the layers of the assignment's networks need not be said
    known = ("L",) if example.letters["L"] in (4, DEEP + 1) else ()
    named = [f"{letter}={value}" for letter, value in example.letters.items() if letter not in known]
    where = f" $({', '.join(named)})$" if named else ""
    if isinstance(example.left, bool):
        return _truth(example.right), _truth(example.left) + where
    printed = f"no number: {outcome.reason}" if outcome.reason else f"${number(example.right)}$"
    return printed, f"${number(example.left)}$" + where


def _truth(condition: bool) -> str:
    return "yes" if condition else "no"


def _checked(outcome: Outcome) -> str:
    if outcome.status == "undefined":
        return ""
    if outcome.missed or outcome.claimed:
        false = "never a false one" if not outcome.claimed else f"{outcome.claimed} false ones"
        return f"{outcome.points} cases: misses {outcome.missed} of {outcome.nonzero}, {false}"
    put_in = ", with random numbers for what does not exist" if outcome.reason else ""
    return f"parts at {outcome.differing} of {outcome.points} points{put_in}"


def verdicts_table() -> Markdown:
    """Return how many lines of the published solution have which verdict, by question."""
    published = [claim for claim in claims().values() if claim.verdict != GENERAL]
    if not published:
        raise WrongRecord("there are no published lines")
    verdicts = [verdict for verdict, _ in Counter(claim.verdict for claim in published).most_common()]
    rows = []
    for question in sorted({claim.question for claim in published}):
        count = Counter(claim.verdict for claim in published if claim.question == question)
        rows.append((question, *(str(count[verdict] or "") for verdict in verdicts)))
    total = Counter(claim.verdict for claim in published)
    rows.append(("all", *(str(total[verdict]) for verdict in verdicts)))
    return markdown_table(("question", *verdicts), rows)
