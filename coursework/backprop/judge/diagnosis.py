"""One reading of an answer judged: right, or wrong and why."""

from __future__ import annotations

from dataclasses import dataclass

from coursework.backprop.judge.audit import compare_everywhere
from coursework.backprop.judge.identity import Comparison, NoPoint, compare
from coursework.backprop.judge.ingredients import lacking
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.layout import NETWORK
from coursework.backprop.judge.questions import Asked, Question
from coursework.backprop.judge.reading import Reading
from coursework.backprop.judge.search import PLAIN, Guess, search
from coursework.backprop.judge.slips import Slip
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import (
    ZERO,
    Apply,
    Index,
    Node,
    Over,
    Partial,
    Ref,
    free_letters,
    rename,
    walk,
)

#: What a formula looks like that is meant for a network with these hidden units.
_SIGNS_OF = {"sigmoid": ("sigma", "sigma'", "exp"), "relu": ("step", "relu"), "tanh": ("tanh", "tanh'")}
#: The cost of what is no mended formula but only says what is missing.
_FAR = 9.0
_CALLED = {"sigmoid": "sigmoid", "relu": "ReLU", "tanh": "tanh"}


@dataclass(frozen=True)
class Finding:
    """What was found of one reading.

    Attributes
    ----------
    right : whether it answers the question.
    summary : the verdict in a sentence.
    guesses : ways to mend it, the likeliest first.
    notes : further remarks.
    comparison : with the derivative.
    """

    right: bool
    summary: str
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]
    comparison: Comparison


def judge(reading: Reading, question: Question, *, effort: int = 2) -> Finding:
    """Judge one reading.

    Parameters
    ----------
    effort : 0 gives the verdict only, 1 looks for a single slip, 2 for two.

    Raises
    ------
    Unreadable : a sum of it cannot be evaluated, or the left side of the equation is zero everywhere.
    """
    asked, sides, is_answer = _sides(reading, question)
    comparisons = [_compared(side, asked, effort) for side in sides]
    wrong = next((i for i, c in enumerate(comparisons) if not c.equal), None)
    name = latex(asked.target)
    if wrong is None:
        return _right(reading, question, asked, sides, comparisons[-1], is_answer, effort)
    node, comparison = sides[wrong], comparisons[wrong]
    if question.layout.L == 4 and compare_everywhere(node, asked, biases=False, thorough=False).equal:
        note = "Right for the network of the figure, which has no biases; with biases it would not be."
        if is_answer and not reading.faults and not _circular(sides, question):
            return Finding(True, f"Right: this is ${name}$.", (), (*reading.notes, note), comparison)
    guesses = _partial_signs(reading, _guesses(node, asked, effort, comparison if comparison.rare else None))
    notes = [*reading.notes, *_missing(comparison), *(_where(comparison, asked) if effort else ())]
    return Finding(False, f"This is not ${name}$.", guesses, tuple(notes), comparison)


def _compared(side: Node, asked: Asked, effort: int) -> Comparison:
    """Compare at the points, then at the further ones, where only units that do not exist excuse `side`."""
    comparison = compare_everywhere(side, asked, thorough=effort > 0)
    if comparison.equal:
        for point in asked.further:
            further = compare(side, asked, points=(point,), thorough=False)
            if further.fails_at and not further.missing:
                return further
    return comparison


def _sides(reading: Reading, question: Question) -> tuple[Asked, tuple[Node, ...], bool]:
    """Return what the sides of the equation are compared with, the sides, and whether they are an answer."""
    asked, sides = question.asked, reading.sides
    if len(sides) == 1:
        return asked, sides, True
    left = sides[0]
    if left in question.own_names:
        return asked, sides[1:], True
    if compare(left, asked, thorough=False).equal:
        return asked, sides, True
    for letter in sorted(free_letters(left) - {"l", "L"}):
        bound = {part.letter for side in sides[1:] for part in walk(side) if isinstance(part, Over)}
        if letter in bound:  # free on the left, summed over on the right: not the same index
            left = rename(left, letter, Index(next(s for s in "jikmpqrs" if s not in bound)))
    other = asked.by(left)
    try:
        compare(ZERO, other, thorough=False)
    except NoPoint:
        raise Unreadable(f"the left side, ${latex(left)}$, is zero everywhere; leave it out") from None
    return other, sides[1:], False


def _circular(sides: tuple[Node, ...], question: Question) -> bool:
    return any(part in question.own_names for part in walk(sides[-1]))


def _right(
    reading: Reading,
    question: Question,
    asked: Asked,
    sides: tuple[Node, ...],
    comparison: Comparison,
    is_answer: bool,
    effort: int,
) -> Finding:
    name, notes = latex(asked.target), list(reading.notes)
    if reading.faults:
        guesses = _partial_signs(reading, ())
        return Finding(False, "The notation is wrong, the meaning right.", guesses, tuple(notes), comparison)
    if not is_answer:
        wanted = latex(question.target)
        summary = f"This line is true, but it is not yet the answer: the question asks for ${wanted}$."
        return Finding(False, summary, (), tuple(notes), comparison)
    if _circular(sides, question):
        summary = f"This says ${name}$ under another name; express it by other quantities."
        return Finding(False, summary, (), tuple(notes), comparison)
    if effort:
        notes += _further(sides[-1], question, asked)
    return Finding(True, f"Right: this is ${name}$.", (), tuple(notes), comparison)


def _further(node: Node, question: Question, asked: Asked) -> list[str]:
    """Return for what else a right answer holds, or does not."""
    notes = []
    if any(isinstance(part, Partial) for part in walk(node)):
        notes.append("Derivatives are left in it; carry them out too.")
    if asked.activation == "sigmoid":
        if compare(node, asked, activation="generic", thorough=False).equal:
            notes.append("It holds for every activation $h$.")
        else:
            notes.append(r"It holds for the sigmoid, which the question has; for another $h$ write $h'$.")
    further = compare(node, asked, points=asked.further).fails_at if asked.further else ()
    if further:
        layers = [str(point["l"]) for point in further]
        notes.append(
            f"For $l={','.join(layers)}$ fewer units follow; there "
            r"$\delta_{1}^{(l+1)}\,z_{1}^{(l)}$ holds still."
        )
    return notes


def _guesses(node: Node, asked: Asked, effort: int, rare: Comparison | None) -> tuple[Guess, ...]:
    """Return ways to mend a formula: as it stands, and as one for a network with other hidden units."""
    if not effort or not any(isinstance(part, Ref | Partial) for part in walk(node)):
        return ()
    if rare and not rare.drawn and asked.layout is not NETWORK:
        return ()  # float64 does not tell neighbours apart there
    if rare:
        return tuple(search(node, asked, asked.activation, pairs=False, rare=rare))
    used = {part.function for part in walk(node) if isinstance(part, Apply)}
    others = [
        other for other, signs in _SIGNS_OF.items() if other != asked.activation and used.intersection(signs)
    ]
    for other in others:
        if compare(node, asked, activation=other, thorough=False).equal:
            return (Guess((_for_another(asked, other),), node, 0.0),)
    guesses = search(node, asked, asked.activation, pairs=False)
    for other in others:
        for best in search(node, asked, other, pairs=False, most=1):
            guesses.append(Guess((_for_another(asked, other), *best.slips), best.mended, best.cost + 0.5))
    guesses.sort(key=lambda guess: guess.cost)
    if effort > 1 and (not guesses or guesses[0].cost > PLAIN):
        guesses += search(node, asked, asked.activation)
        guesses.sort(key=lambda guess: guess.cost)
    if effort > 1 and not guesses and asked.own:
        absent = lacking(node, asked)
        guesses = [Guess(absent, node, _FAR)] if absent else []
    return tuple(guesses[:3])


def _for_another(asked: Asked, other: str) -> Slip:
    meant, given = _CALLED[asked.activation], _CALLED[other]
    derivative = {"sigmoid": r"\sigma(a)(1-\sigma(a))", "relu": "[a>0]", "tanh": r"1-\tanh^{2}a"}
    advice = (
        f"you answered for a {given} network; the question has {meant} units, so write "
        f"${derivative[asked.activation]}$, or $h'(a)$, for the derivative"
    )
    return Slip("activation", derivative[other], derivative[asked.activation], advice)


def _partial_signs(reading: Reading, guesses: tuple[Guess, ...]) -> tuple[Guess, ...]:
    """Return `guesses` with the partial signs that were left out in front."""
    if not reading.faults:
        return guesses
    slips = tuple(
        Slip("partial sign", r"\partial", r"\partial", rf"write the $\partial$ in the {fault} too")
        for fault in dict.fromkeys(reading.faults)
    )
    if not guesses:
        return (Guess(slips, reading.sides[-1], 0.5),)
    return tuple(Guess((*slips, *g.slips), g.mended, g.cost + 0.5) for g in guesses)


def _missing(comparison: Comparison) -> list[str]:
    return [
        f"${latex(ref)}$ does not exist in this network."
        if ref.layer and not any(index.letter for index in (ref.layer, *ref.units))
        else f"An index of ${latex(ref)}$ is bound nowhere, or leads to a unit that does not exist."
        if ref.layer
        else f"The index ${ref.name}$ is bound nowhere."
        for ref in comparison.missing[:3]
    ]


def _where(comparison: Comparison, asked: Asked) -> list[str]:
    if comparison.rare:
        return [
            "It agrees in ordinary networks, but not in every one: not with tiny or large numbers, or not at "
            "every layer."
        ]
    if "l" not in asked.points[0] or len(comparison.fails_at) == len(asked.points):
        return []
    layers = ", ".join(str(l) for l in sorted(point["l"] for point in comparison.fails_at))
    return [f"It fails at $l={layers}$ and holds at the other layers tried."]
