"""Propositions: a bound of the gradient (2.2), and when it is zero (2.3, 2.4).

A bound is an inequality, |dE/dw| <= ..., with W for the largest |w|.  A condition is made of comparisons with
"or", "and", "not" and "exists m in l+1..152: ...", in words or as LaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coursework.backprop.judge.chains import bound_draws, zero_draws
from coursework.backprop.judge.grammar import Grammar
from coursework.backprop.judge.identity import compare
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.questions import Point, Question
from coursework.backprop.judge.tokens import MAX_CHARACTERS, Unreadable, tokens
from coursework.backprop.judge.tree import Apply, Node, Over, Ref, free_letters, walk
from coursework.backprop.judge.value import Evaluator, Scope

Truth = NDArray[np.bool_]
_RELATIONS: dict[str, tuple[str, Callable[..., Truth]]] = {
    "=": ("=", np.equal), "≠": (r"\ne ", np.not_equal), "<": ("<", np.less), ">": (">", np.greater),
    "≤": (r"\le ", np.less_equal), "≥": (r"\ge ", np.greater_equal),
}  # fmt: skip
_BOUND = re.compile(r"<=|≤|\\leq?\b|\\leqslant")
_CONDITION = re.compile(r"\\lor|\\vee|\\exists|[∨∃≤≥≠]|\bor\b|\bexists\b|<=|>=|!=|\\leq?\b|=\s*0\s*$")


@dataclass(frozen=True)
class Proposition:
    """A proposition as LaTeX, and its truth at every draw of an evaluator and a scope."""

    latex: str
    holds: Callable[[Evaluator, Scope], Truth]
    formulas: tuple[Node, ...]


@dataclass(frozen=True)
class Judgement:
    """Whether a proposition answers the question, in words."""

    right: bool
    summary: str
    understood: str
    notes: tuple[str, ...]
    compared: int


def is_proposition(question: Question, text: str) -> bool:
    """Return whether `text` answers `question` with a proposition and not with a formula."""
    pattern = {"2.2": _BOUND, "2.3": _CONDITION, "2.4": _CONDITION}.get(question.id)
    return pattern is not None and bool(pattern.search(text[:MAX_CHARACTERS]))


def judge_proposition(text: str, question: Question) -> Judgement:
    """Judge a bound or a condition.

    Raises
    ------
    Unreadable : the text is neither.
    """
    with np.errstate(all="ignore"):
        return _judge_bound(text, question) if question.id == "2.2" else _judge_condition(text, question)


class _Reader(Grammar):
    """Reads propositions; what stands between the relations are formulas."""

    def whole(self) -> Proposition:
        found = self.either()
        self.accept(".")
        if self.place < len(self.tokens):
            raise self.error(f"{self.next.text!r} does not continue the condition")
        return found

    def either(self) -> Proposition:
        self.deeper()
        parts = [self.both()]
        while self.accept("∨") or self._word("or"):
            parts.append(self.both())
        self._depth -= 1
        return _joined(parts, r"\ \lor\ ", np.logical_or)

    def both(self) -> Proposition:
        parts = [self.one()]
        while self.accept("∧") or self._word("and"):
            parts.append(self.one())
        return _joined(parts, r"\ \land\ ", np.logical_and)

    def one(self) -> Proposition:
        if self.accept("¬") or self._word("not"):
            self.deeper()
            inner = self.one()
            self._depth -= 1
            return Proposition(rf"\lnot({inner.latex})", lambda e, s: ~inner.holds(e, s), inner.formulas)
        if self.accept("∃") or self._word("exists"):
            return self._exists()
        start, depth = self.place, self._depth
        if self.accept("("):
            try:
                inner = self.either()
                self.expect(")")
                if self.next.text not in (*_RELATIONS, "*", "/", "+", "-", "^"):
                    return Proposition(rf"({inner.latex})", inner.holds, inner.formulas)
            except Unreadable:
                pass
            self.place, self._depth = start, depth
        return self._comparison()

    def _comparison(self) -> Proposition:
        left = self.expression()
        relation = self.accept(*_RELATIONS)
        if not relation:
            raise self.error(f"a relation (=, <, <=, ...) is expected before {self.next.text!r}")
        right = self.expression()
        sign, compare = _RELATIONS[relation]

        def holds(evaluator: Evaluator, scope: Scope) -> Truth:
            return np.asarray(compare(evaluator.value(left, scope), evaluator.value(right, scope)))

        return Proposition(f"{latex(left)}{sign}{latex(right)}", holds, (left, right))

    def _exists(self) -> Proposition:
        letter, low, high = self.range(None)
        if low is None or high is None:
            raise self.error("say where the index runs: exists m in l+1..152: ...")
        self.accept(":") or self.accept(",")
        inner = self.either()
        over = Over("sum", letter, low, high, Apply("abs", inner.formulas[0]))

        def holds(evaluator: Evaluator, scope: Scope) -> Truth:
            inside = scope.inside(over)
            if inside.shape[0] <= 0:
                return np.zeros(evaluator.draws.count, bool)
            found = inner.holds(evaluator, inside)
            return np.asarray(found.any(axis=0) if found.ndim > len(scope.ranges) + 1 else found)

        shown = rf"\exists {letter}\in\{{{low},\dots,{high}\}}:\ {inner.latex}"
        return Proposition(shown, holds, inner.formulas)

    def _word(self, word: str) -> bool:
        if self.next.text == word and self.next.kind in ("word", "command"):
            self.place += 1
            return True
        return False


def _joined(parts: list[Proposition], sign: str, join: Callable[..., Truth]) -> Proposition:
    if len(parts) == 1:
        return parts[0]

    def holds(evaluator: Evaluator, scope: Scope) -> Truth:
        truth = parts[0].holds(evaluator, scope)
        for part in parts[1:]:
            truth = join(truth, part.holds(evaluator, scope))
        return truth

    formulas = tuple(formula for part in parts for formula in part.formulas)
    return Proposition(sign.join(part.latex for part in parts), holds, formulas)


def _judge_condition(text: str, question: Question) -> Judgement:
    typed = text.split(":", 1)[1] if re.match(r"^[^:]*iff\s*:", text) else text
    proposition = _Reader(tokens(typed), question.layout).whole()
    if any(part in question.own_names for formula in proposition.formulas for part in walk(formula)):
        raise Unreadable("the condition names the gradient itself; say when it is zero by other quantities")
    if any(_is_gradient(formula, question) for formula in proposition.formulas):
        raise Unreadable("this says that the gradient is zero where it is zero; say when its factors are")
    draws = zero_draws(question.layout)
    name = latex(question.target)
    false_alarms = missed = compared = 0
    causes: dict[str, int] = {}
    for point in question.asked.points:
        evaluator, scope = Evaluator(draws), Scope(point)
        truth = np.broadcast_to(proposition.holds(evaluator, scope), (draws.count,))
        if evaluator.missing:
            shown = latex(evaluator.missing[0])
            return _wrong(question, proposition, (f"${shown}$ does not exist, or an index is not bound",))
        zero = Evaluator(draws).value(question.target, scope) == 0
        compared += zero.size
        false_alarms += int((truth & ~zero).sum())
        missed += int((~truth & zero).sum())
        for cause, holds in _causes(question, point).items():
            causes[cause] = causes.get(cause, 0) + int((~truth & zero & holds).sum())
    if not false_alarms and not missed:
        summary = f"Right: exactly then ${name}$ is zero."
        return Judgement(True, summary, proposition.latex, (), compared)
    notes = []
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
    return Judgement(False, summary, proposition.latex, notes, compared)


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
    reader = _Reader(tokens(text), question.layout)
    left = reader.expression()
    reader.expect("≤")
    right = reader.expression()
    if reader.place < len(reader.tokens):
        raise reader.error(f"{reader.next.text!r} does not continue the bound")
    name = latex(question.target)
    shown = rf"{latex(left)}\le {latex(right)}"
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
            return Judgement(False, "This is no bound.", shown, (note,), compared)
        size = np.abs(Evaluator(draws).value(question.target, scope))
        compared += size.size
        broken += int((~(bound >= size * (1 - 1e-9))).sum())
        loosest = max(loosest, float((bound / size)[:tight].max()))
    if broken:
        note = f"it is broken in {broken} of {compared} networks"
        return Judgement(False, f"This does not bound $|{name}|$.", shown, (note,), compared)
    if not loosest <= 10:
        note = "where every $a=0$ and $|w|=W$ it is far larger than the gradient: use $\\sigma'\\le 1/4$"
        return Judgement(False, "True, but it says too little.", shown, (note,), compared)
    summary = f"Right: $|{name}|$ is never larger, and hardly smaller where every $a=0$ and $|w|=W$."
    return Judgement(True, summary, shown, (), compared)
