"""Propositions: a bound of the gradient (2.2), and when it is zero (2.3, 2.4).

A bound is an inequality, |dE/dw| <= ..., with W for the largest |w|.  A condition is made of comparisons with
"or", "and", "not" and "exists m in l+1..152: ...", in words or as LaTeX.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coursework.backprop.judge.chains import bound_draws, zero_draws
from coursework.backprop.judge.identity import compare
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.propositions import (
    Proposition,
    Truth,
    formulas,
    holds,
    read_bound,
    read_condition,
    shown,
)
from coursework.backprop.judge.questions import Point, Question
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import Apply, Node, Ref, free_letters, walk
from coursework.backprop.judge.value import Evaluator, Scope


@dataclass(frozen=True)
class Judgement:
    """Whether a proposition answers the question, in words."""

    right: bool
    summary: str
    understood: str
    notes: tuple[str, ...]
    compared: int


def judge_proposition(text: str, question: Question) -> Judgement:
    """Judge a bound or a condition.

    Raises
    ------
    Unreadable : the text is neither.
    """
    with np.errstate(all="ignore"):
        return _judge_bound(text, question) if question.id == "2.2" else _judge_condition(text, question)


def _judge_condition(text: str, question: Question) -> Judgement:
    proposition, read = read_condition(text, question)
    typed = list(formulas(proposition))
    if any(part in question.own_names for formula in typed for part in walk(formula)):
        raise Unreadable("the condition names the gradient itself; say when it is zero by other quantities")
    if any(_is_gradient(formula, question) for formula in typed):
        raise Unreadable("this says that the gradient is zero where it is zero; say when its factors are")
    draws = zero_draws(question.layout)
    name = latex(question.target)
    false_alarms = missed = compared = 0
    causes: dict[str, int] = {}
    for point in question.asked.points:
        evaluator, scope = Evaluator(draws), Scope(point)
        truth = np.broadcast_to(holds(proposition, evaluator, scope), (draws.count,))
        if evaluator.missing:
            missing = latex(evaluator.missing[0])
            return _wrong(question, proposition, (f"${missing}$ does not exist, or an index is not bound",))
        zero = Evaluator(draws).value(question.target, scope) == 0
        compared += zero.size
        false_alarms += int((truth & ~zero).sum())
        missed += int((~truth & zero).sum())
        for cause, at_work in _causes(question, point).items():
            causes[cause] = causes.get(cause, 0) + int((~truth & zero & at_work).sum())
    if not false_alarms and not missed:
        summary = f"Right: exactly then ${name}$ is zero."
        return Judgement(True, summary, shown(proposition), read, compared)
    notes = [*read]
    if false_alarms:
        notes.append(f"it holds in {false_alarms} of {compared} cases in which the gradient is not zero")
    if missed:
        notes.append(f"it misses {missed} of {compared} cases in which the gradient is zero")
        likely = max(causes, key=lambda cause: causes[cause])
        if causes[likely]:
            notes.append(f"among the missed ones: {likely}")
    return _wrong(question, proposition, tuple(notes), compared)


def _is_gradient(formula: Node, question: Question) -> bool:
    if free_letters(formula) - {"l", "L"}:
        return False
    inner = formula.argument if isinstance(formula, Apply) and formula.function == "abs" else formula
    return compare(inner, question.asked, thorough=False).equal


def _wrong(
    question: Question, proposition: Proposition, notes: tuple[str, ...], compared: int = 0
) -> Judgement:
    summary = f"This does not say when ${latex(question.target)}$ is zero."
    return Judgement(False, summary, shown(proposition), notes, compared)


def _causes(question: Question, point: Point) -> dict[str, Truth]:
    """Return where each cause of a zero gradient is at work."""
    draws, l, L = zero_draws(question.layout), point["l"], question.layout.L
    a, w, z = (draws.quantities[name] for name in ("a", "w", "z"))
    following = list(range(l + 1, L))
    wide = question.layout.links == "full"
    causes = {
        "the output is the target, $a_{1}^{(153)}=t_{n}$": draws.scalars["y"] == draws.scalars["t"],
        "the unit before the weight gives nothing, $z_{1}^{(l)}=0$": z[l, 1] == 0,
    }
    if wide:
        causes["the unit behind the weight is dead, $a_{1}^{(l+1)}\\le 0$"] = a[l + 1, 1] <= 0
        causes["no path of live units and nonzero weights leads on"] = np.ones(draws.count, bool)
    else:
        causes["a later unit is dead, $a_{1}^{(m)}\\le 0$ for an $m>l$"] = (a[following, 1] <= 0).any(axis=0)
        causes["a later weight is zero, $w_{11}^{(m)}=0$"] = (w[following, 1, 1] == 0).any(axis=0)
    return causes


def _judge_bound(text: str, question: Question) -> Judgement:
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
    broken, compared, loosest = 0, 0, 0.0
    for point in question.asked.points:
        evaluator, scope = Evaluator(draws), Scope(point)
        bound = np.broadcast_to(evaluator.value(right, scope), (draws.count,))
        if evaluator.missing:
            note = f"${latex(evaluator.missing[0])}$ does not exist, or an index is not bound"
            return Judgement(False, "This is no bound.", typed, (note,), compared)
        size = np.abs(Evaluator(draws).value(question.target, scope))
        compared += size.size
        broken += int((~(bound >= size * (1 - 1e-9))).sum())
        loosest = max(loosest, float((bound / size)[:tight].max()))
    if broken:
        note = f"it is broken in {broken} of {compared} networks"
        return Judgement(False, f"This does not bound $|{name}|$.", typed, (note,), compared)
    if not loosest <= 10:
        note = "where every $a=0$ and $|w|=W$ it is far larger than the gradient: use $\\sigma'\\le 1/4$"
        return Judgement(False, "True, but it says too little.", typed, (note,), compared)
    summary = f"Right: $|{name}|$ is never larger, and hardly smaller where every $a=0$ and $|w|=W$."
    return Judgement(True, summary, typed, (), compared)
