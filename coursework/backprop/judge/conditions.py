"""Conditions: when the gradient is zero (2.3, 2.4).

A condition is made of comparisons with "or", "and", "not" and "exists m in l+1..152: ...", in words or as
LaTeX.  Beside it, bounds of the gradient (2.2) are judged, in `bounds`.
"""

from __future__ import annotations

import numpy as np

from coursework.backprop.judge.bounds import Judgement, judge_bound
from coursework.backprop.judge.chains import every_layer_draws, zero_draws
from coursework.backprop.judge.draws import Draws, Values
from coursework.backprop.judge.identity import compare
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.plain import refuse_thresholds
from coursework.backprop.judge.proposition_reading import read_condition
from coursework.backprop.judge.propositions import (
    Comparison,
    Joined,
    Not,
    Proposition,
    Quantified,
    Truth,
    formulas,
    holds,
    shown,
)
from coursework.backprop.judge.questions import Point, Question
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import Apply, Node, free_letters, walk
from coursework.backprop.judge.value import Evaluator, Scope


def judge_proposition(text: str, question: Question) -> Judgement:
    """Judge a bound or a condition.

    Raises
    ------
    Unreadable : the text is neither.
    """
    with np.errstate(all="ignore"):
        return judge_bound(text, question) if question.id == "2.2" else _judge_condition(text, question)


def _judge_condition(text: str, question: Question) -> Judgement:
    proposition, read = read_condition(text, question)
    typed = list(formulas(proposition))
    if any(part in question.own_names for formula in typed for part in walk(formula)):
        raise Unreadable("the condition names the gradient itself; say when it is zero by other quantities")
    if any(_is_gradient(formula, question) for formula in typed):
        raise Unreadable("this says that the gradient is zero where it is zero; say when its factors are")
    draws = zero_draws(question.layout)
    name = latex(question.target)
    alone = [True for _ in _comparisons(proposition)]
    false_alarms = missed = compared = 0
    causes: dict[str, int] = {}
    for point in question.asked.points:
        evaluator, scope = Evaluator(draws), Scope(point)
        truth = np.broadcast_to(holds(proposition, evaluator, scope), (draws.count,))
        if evaluator.missing:
            missing = latex(evaluator.missing[0])
            return _wrong(question, proposition, (f"${missing}$ does not exist, or an index is not bound",))
        zero = _gradient(draws, point) == 0
        for place, comparison in enumerate(_comparisons(proposition)):
            told = holds(comparison, evaluator, scope)
            alone[place] &= bool((told == zero).all() or (told == ~zero).all())
        compared += zero.size
        false_alarms += int((truth & ~zero).sum())
        missed += int((~truth & zero).sum())
        for cause, at_work in _causes(question, point).items():
            causes[cause] = causes.get(cause, 0) + int((~truth & zero & at_work).sum())
    if not false_alarms and not missed:
        if any(alone):
            raise Unreadable("this says that the gradient is zero where it is zero; say when its factors are")
        refuse_thresholds([(c.left, c.relation, c.right) for c in _comparisons(proposition, inner=True)])
        layer = _fails_at(proposition, question)
        if layer:
            note = f"it holds at the layers usually tried, and not for $l={layer}$"
            return _wrong(question, proposition, (note,), compared)
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


def _comparisons(proposition: Proposition, *, inner: bool = False) -> list[Comparison]:
    """Return the comparisons, those inside of quantifiers where `inner` asks for them."""
    match proposition:
        case Comparison():
            return [proposition]
        case Joined(parts=parts):
            return [found for part in parts for found in _comparisons(part, inner=inner)]
        case Not(part=part):
            return _comparisons(part, inner=inner)
        case Quantified(part=part):
            return _comparisons(part, inner=inner) if inner else []


def _fails_at(proposition: Proposition, question: Question) -> int:
    """Return a layer at which the condition does not hold exactly where the gradient is zero, or 0."""
    draws, L = every_layer_draws(question.layout), question.layout.L
    for l in range(max(point["l"] for point in question.asked.points), 0, -1):
        point = {"L": L, "l": l}
        truth = holds(proposition, Evaluator(draws), Scope(point))
        if (truth != (_gradient(draws, point) == 0)).any():
            return l
    return 0


def _gradient(draws: Draws, point: Point) -> Values:
    """Return the derivative by w_11^(l)."""
    l = point["l"]
    return np.asarray(draws.quantities["delta"][l + 1, 1] * draws.quantities["z"][l, 1])


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
