"""A numpy expression judged: evaluated on whole arrays, its shapes reported."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from coursework.backprop.judge.array_edits import Found, is_derivative, search_arrays
from coursework.backprop.judge.array_reading import ArrayReader
from coursework.backprop.judge.array_worlds import EXAMPLES, LAYOUTS, Case, cases
from coursework.backprop.judge.arrays import Array, Binary, Name, ShapeError, code, latex, parts, value
from coursework.backprop.judge.latex import latex as formula
from coursework.backprop.judge.questions import Question
from coursework.backprop.judge.slips import Slip


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
    node = ArrayReader(text).read()
    name, shown = formula(question.target), latex(node)
    own = Name("delta", question.bottom.layer) if question.bottom.name == "a" else None
    with np.errstate(all="ignore"):
        for layout in LAYOUTS:
            known = cases(question, layout)
            if is_derivative(node, known):
                notes = (_shapes(node, known[0], layout),)
                compared = sum(case.whole.size for case in known)
                if own is not None and _contains(node, own):
                    summary = f"This says ${name}$ under another name; express it by other arrays."
                    return ArrayFinding(False, summary, shown, (), (), notes, compared)
                return ArrayFinding(True, _right(node, known[0], name), shown, (), (), notes, compared)
        best: tuple[str, list[Found]] | None = None
        for pairs, layout in product((False, True), LAYOUTS):
            if explain and (best is None or not best[1]):
                found = search_arrays(node, cases(question, layout), question.layout, own, pairs=pairs)
                if best is None or found:
                    best = (layout, found)
    layout, found = best or ("rows", [])
    known = cases(question, layout)
    return ArrayFinding(
        False,
        f"This is not ${name}$.",
        shown,
        found[0][1] if found else (),
        tuple(slips for _, slips, _ in found[1:]),
        (_shapes(node, known[0], layout),),
        sum(case.whole.size for case in known),
    )


def _right(node: Array, case: Case, name: str) -> str:
    if value(node, case.world).size == case.entry.size and case.whole.size != case.entry.size:
        return f"Right: this is ${name}$."
    return f"Right: this array holds ${name}$ and the derivatives beside it."


def _contains(node: Array, name: Array) -> bool:
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
