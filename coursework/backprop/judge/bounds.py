"""Bounds of the gradient (2.2): |dE/dw| <= ..., with W for the largest |w|."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coursework.backprop.judge.chains import bound_draws
from coursework.backprop.judge.draws import Draws, Values
from coursework.backprop.judge.exact import TOLERANCE, ExactEvaluator, converted
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.plain import refuse_what_hides
from coursework.backprop.judge.proposition_reading import read_bound
from coursework.backprop.judge.questions import Question
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import Apply, Ref, walk
from coursework.backprop.judge.value import Evaluator, Scope


@dataclass(frozen=True)
class Judgement:
    """Whether a proposition answers the question, in words."""

    right: bool
    summary: str
    understood: str
    notes: tuple[str, ...]
    compared: int


def judge_bound(text: str, question: Question) -> Judgement:
    """Judge a bound.

    Raises
    ------
    Unreadable : it is none, or says of the gradient only that it is not larger than itself.
    """
    left, right = read_bound(text, question.layout)
    name = latex(question.target)
    typed = rf"{latex(left)}\le {latex(right)}"
    if left != Apply("abs", question.target):
        raise Unreadable(
            "a bound starts with the gradient's size: |\\partial E/\\partial w_{11}^{(l)}| \\le ..."
        )
    if any(
        part in question.own_names or (isinstance(part, Ref) and part.name == "delta") for part in walk(right)
    ):
        raise Unreadable("the bound names the gradient itself, or a delta; use W, the output and z")
    draws, tight = bound_draws(question.layout)
    broken, compared, loosest, itself = 0, 0, 0.0, True
    for l in range(question.layout.L - 1, 0, -1):
        point = {"L": question.layout.L, "l": l}
        evaluator, scope = Evaluator(draws), Scope(point)
        bound = np.broadcast_to(evaluator.value(right, scope), (draws.count,))
        if evaluator.missing:
            note = f"${latex(evaluator.missing[0])}$ does not exist, or an index is not bound"
            return Judgement(False, "This is no bound.", typed, (note,), compared)
        size = _size(draws, l)
        compared += size.size
        broken += int((~(bound >= size * (1 - 1e-9))).sum())
        itself &= bool(np.all(np.abs(bound - size) <= 1e-9 * size))
        loosest = max(loosest, float((bound / size)[:tight].max()))
    if broken:
        note = f"it is broken in {broken} of {compared} networks"
        return Judgement(False, f"This does not bound $|{name}|$.", typed, (note,), compared)
    if itself:
        raise Unreadable(
            "the bound is the gradient itself; say how large it can be, with W for the largest |w|"
        )
    if not loosest <= 10:
        note = "where every $a=0$ and $|w|=W$ it is far larger than the gradient: use $\\sigma'\\le 1/4$"
        return Judgement(False, "True, but it says too little.", typed, (note,), compared)
    refuse_what_hides(right)
    exact = converted(draws.some([0, 1]))
    for l in (1, 77, question.layout.L - 1):
        bound = ExactEvaluator(exact).value(right, Scope({"L": question.layout.L, "l": l}))
        size = _size(exact, l)
        if not np.all(bound >= size * (1 - TOLERANCE)):
            note = "it is broken by a hair where every $a=0$ and $|w|=W$"
            return Judgement(False, f"This does not bound $|{name}|$.", typed, (note,), compared)
    summary = f"Right: $|{name}|$ is never larger, and hardly smaller where every $a=0$ and $|w|=W$."
    return Judgement(True, summary, typed, (), compared)


def _size(draws: Draws, l: int) -> Values:
    """Return the size of the derivative by w_11^(l)."""
    return np.asarray(np.abs(draws.quantities["delta"][l + 1, 1] * draws.quantities["z"][l, 1]))
