"""A numpy expression judged: evaluated on whole arrays, its shapes reported."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coursework.backprop.judge.array_edits import Found, is_derivative, likeliest, search_arrays
from coursework.backprop.judge.array_reading import ArrayReader
from coursework.backprop.judge.array_worlds import EXAMPLES, LAYOUTS, Case, cases, exact_cases
from coursework.backprop.judge.arrays import (
    Array,
    Binary,
    Call,
    Constant,
    Name,
    ShapeError,
    code,
    latex,
    parts,
    value,
    walk,
)
from coursework.backprop.judge.latex import latex as formula
from coursework.backprop.judge.questions import Question
from coursework.backprop.judge.slips import Slip
from coursework.backprop.judge.tokens import Unreadable

_THRESHOLDS = ("step", "relu", "abs")
#: Most decades of all the numbers in an expression together.
_MOST_DECADES = 50.0


@dataclass(frozen=True)
class ArrayFinding:
    """The judgement of a numpy expression, in the words of `answer.Answer`."""

    right: bool
    summary: str
    understood: str
    slips: tuple[Slip, ...]
    others: tuple[tuple[Slip, ...], ...]
    notes: tuple[str, ...]
    compared: int


def judge_arrays(text: str, question: Question, *, explain: bool = True) -> ArrayFinding:
    """Judge the numpy expression `text`; with `explain` look for the slip if it is wrong.

    Raises
    ------
    Unreadable : it is none.
    """
    sides = ArrayReader(text).read()
    with np.errstate(all="ignore"):
        return _accepted(sides, question) or _refused(sides[-1], question, explain)


def _accepted(sides: tuple[Array, ...], question: Question) -> ArrayFinding | None:
    """Return the judgement of sides of which the last is the derivative in some layout, else None."""
    node = sides[-1]
    name, shown = formula(question.target), "=".join(latex(side) for side in sides)
    for layout in LAYOUTS:
        known = cases(question, layout)
        if is_derivative(node, known):
            if not is_derivative(node, exact_cases(question, layout)):
                summary = f"This is nearly ${name}$, but not where numbers are tiny or large."
                return ArrayFinding(False, summary, shown, (), (), (), sum(case.whole.size for case in known))
            _refuse_what_hides(node)
            notes = (_shapes(node, known[0], layout),)
            compared = sum(case.whole.size for case in known)
            other = next((side for side in sides if not is_derivative(side, known)), None)
            if other is not None:
                summary = f"The right side is ${name}$, but `{code(other)}` on the left is not."
                return ArrayFinding(False, summary, shown, (), (), notes, compared)
            if _contains(node, _own(question)):
                summary = f"This says ${name}$ under another name; express it by other arrays."
                return ArrayFinding(False, summary, shown, (), (), notes, compared)
            return ArrayFinding(True, _right(node, known[0], name), shown, (), (), notes, compared)
    return None


def _refused(node: Array, question: Question, explain: bool) -> ArrayFinding:
    found: list[tuple[str, Found]] = []
    likely = sorted(LAYOUTS, key=lambda layout: not _has_value(node, cases(question, layout)[0]))
    for pairs in (False, True) if explain else ():
        for layout in likely:
            best = min((entry[0] for _, entry in found), default=99.0)
            more = search_arrays(
                node, cases(question, layout), question.layout, _own(question), pairs=pairs, best=best
            )
            found += [(layout, entry) for entry in more]
        if found:
            break
    guesses = likeliest([entry for _, entry in found])
    layout = next((layout for layout, entry in found if entry in guesses[:1]), likely[0])
    known = cases(question, layout)
    return ArrayFinding(
        False,
        f"This is not ${formula(question.target)}$.",
        latex(node),
        guesses[0][1] if guesses else (),
        tuple(slips for _, slips, _ in guesses[1:]),
        (_shapes(node, known[0], layout),),
        sum(case.whole.size for case in known),
    )


def _has_value(node: Array, case: Case) -> bool:
    try:
        value(node, case.world)
    except ShapeError:
        return False
    return True


def _refuse_what_hides(node: Array) -> None:
    """Raise `Unreadable` if `node` has what could make it equal in all networks drawn and not in others."""
    if _decades(node) > _MOST_DECADES:
        raise Unreadable("its numbers are too large or too small together to be compared")
    for part in walk(node):
        if isinstance(part, Call) and part.function in _THRESHOLDS:
            sums = [
                inner for inner in walk(part.argument) if isinstance(inner, Binary) and inner.sign in "+-"
            ]
            sides = [side for inner in sums for side in (inner.left, inner.right)]
            if any(isinstance(side, Constant) and side.value for side in sides):
                raise Unreadable("a comparison with another number than 0 stands in it: write a3 > 0")


def _decades(node: Array) -> float:
    match node:
        case Constant(value=number):
            return abs(math.log10(abs(number))) if number else 0.0
        case Binary(sign="**", left=left, right=Constant(value=exponent)):
            return abs(exponent) * _decades(left)
    return sum(_decades(part) for _, part in parts(node))


def _own(question: Question) -> Array:
    """Return the array that the question asks for."""
    return Name("delta" if question.bottom.name == "a" else "dw", question.bottom.layer)


def _right(node: Array, case: Case, name: str) -> str:
    if value(node, case.world).size == case.entry.size and case.whole.size != case.entry.size:
        return f"Right: this is ${name}$."
    return f"Right: this array holds ${name}$ and the derivatives beside it."


def _contains(node: Array, name: Array | None) -> bool:
    return node == name or any(_contains(part, name) for _, part in parts(node))


def _shapes(node: Array, case: Case, layout: str) -> str:
    """Return the shapes of the operands and of the result, or where they do not fit."""
    words = f"shapes, with {LAYOUTS[layout]}"
    operands = [part for _, part in parts(node)] if isinstance(node, Binary) else []
    try:
        told = [f"`{code(part)}` is {_shape(part, case)}" for part in (*operands, node)]
    except ShapeError as error:
        return f"{words}: `{error}`".replace(f"({EXAMPLES},", "(n,").replace(f" {EXAMPLES})", " n)")
    return f"{words}: {', '.join(told)}"


def _shape(node: Array, case: Case) -> str:
    sizes = ["n" if size == EXAMPLES else str(size) for size in value(node, case.world).shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})" if sizes else "a number"
