"""Propositions as people write them: in words or in LaTeX, "for some m in l+1..152" before or behind."""

from __future__ import annotations

from dataclasses import replace

from coursework.backprop.judge.grammar import Grammar
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.propositions import (
    RELATIONS,
    Comparison,
    Joined,
    Not,
    Proposition,
    Quantified,
    formulas,
)
from coursework.backprop.judge.questions import Question
from coursework.backprop.judge.tokens import Token, Unreadable
from coursework.backprop.judge.tree import ZERO, Index, Node, free_letters
from coursework.backprop.judge.typesetting import tokens

_AFTERWARDS = {"some": "∃", "any": "∃", "one": "∃", "all": "∀", "every": "∀"}
_ONLY_IN_PROPOSITIONS = ("∨", "∧", "∃", "∀", "⇔", "or", "and", "exists", "iff")
_BRACKETS = {"(": 1, "[": 1, "{": 1, "cases": 1, ")": -1, "]": -1, "}": -1, "end of cases": -1}


def is_proposition(question: Question, text: str) -> bool:
    """Return whether `text` answers `question` with a proposition and not with a formula."""
    if question.id not in ("2.2", "2.3", "2.4"):
        return False
    try:
        typed = tokens(text)
    except Unreadable:
        return False
    while len(typed) > 1 and typed[0].text == "(" and _partner(typed) == len(typed) - 1:
        typed = typed[1:-1]
    depth = bars = 0
    for token in typed:
        depth += _BRACKETS.get(token.text, 0) if token.kind in ("sign", "command") else 0
        if question.id != "2.2" and token.text in _ONLY_IN_PROPOSITIONS:
            return True
        bars ^= token.text == "|"
        if not depth and not bars and token.text in ("<", ">", "≤", "≥", "≠"):
            return True
    ending = [token.text for token in typed if token.text != "."][-2:]
    return question.id != "2.2" and ending == ["=", "0"]


def _partner(typed: list[Token]) -> int:
    depth = 0
    for place, token in enumerate(typed):
        depth += _BRACKETS.get(token.text, 0) if token.kind == "sign" else 0
        if not depth:
            return place
    return -1


def read_bound(text: str, layout: Layout) -> tuple[Node, Node]:
    """Return the smaller and the larger side of a bound.

    Raises
    ------
    Unreadable : it is none.
    """
    reader = _Reader(tokens(text), layout)
    left = reader.expression()
    relation = reader.accept("≥") or reader.accept("≤")
    if not relation:
        raise reader.error(f"a bound is written with \\le, which is expected before {reader.next.text!r}")
    right = reader.expression()
    reader.accept(".")
    if reader.place < len(reader.tokens):
        raise reader.error(f"{reader.next.text!r} does not continue the bound")
    return (left, right) if relation == "≤" else (right, left)


def read_condition(text: str, question: Question) -> tuple[Proposition, tuple[str, ...]]:
    """Return the condition under which the gradient is zero, and what was assumed about it.

    "The gradient is 0 iff ..." is read as what follows; "is not 0 iff ..." as the contrary.

    Raises
    ------
    Unreadable : it is none.
    """
    found, equivalent, notes = read_proposition(text, question.layout)
    gradient = [Comparison(question.target, relation, ZERO) for relation in ("=", "≠")]
    if equivalent is not None:
        sides = (found, equivalent)
        if sides[0] not in gradient:
            sides = sides[::-1]
        if sides[0] not in gradient:
            raise Unreadable("beside 'iff' stands the gradient: \\frac{\\partial E_n}{...}=0 \\iff ...")
        found = sides[1] if sides[0] == gradient[0] else Not(sides[1])
    return found, notes


def read_proposition(text: str, layout: Layout) -> tuple[Proposition, Proposition | None, tuple[str, ...]]:
    """Return a proposition, the one behind "iff" where there is one, and what was assumed.

    Raises
    ------
    Unreadable : it is none.
    """
    reader = _Reader(tokens(text), layout)
    found = reader.whole()
    return found, reader.equivalent, tuple(reader.notes)


class _Reader(Grammar):
    """Reads propositions; what stands between the relations are formulas.

    Attributes
    ----------
    equivalent : what stands behind "iff", if there is one.
    """

    equivalent: Proposition | None = None

    def whole(self) -> Proposition:
        found = self.either()
        if self.accept("⇔") or self._word("iff"):
            self.accept(":")
            self.equivalent = self.either()
        self.accept(".")
        if self.place < len(self.tokens):
            raise self.error(f"{self.next.text!r} does not continue the condition")
        return found

    def either(self) -> Proposition:
        self.deeper()
        parts = [self.both()]
        while self.accept("∨") or self._word("or"):
            parts.append(self.both())
        found = _joined("∨", parts)
        if self._word("for") or self._word("with"):
            found = self._afterwards(found)
        self._depth -= 1
        return found

    def both(self) -> Proposition:
        parts = [self.one()]
        while self.accept("∧") or self._word("and"):
            parts.append(self.one())
        return _joined("∧", parts)

    def one(self) -> Proposition:
        if self.accept("¬") or self._word("not"):
            self.deeper()
            inner = self.one()
            self._depth -= 1
            return Not(inner)
        for sign, words in (("∃", ("exists",)), ("∀", ("forall",))):
            if self.accept(sign) or self._word(*words):
                return self._quantified(sign)
        start, depth = self.place, self._depth
        if self.accept("("):
            try:
                inner = self.either()
                self.expect(")")
                if self.next.text not in (*RELATIONS, "*", "/", "+", "-", "^"):
                    return inner
            except Unreadable:
                pass
            self.place, self._depth = start, depth
        return self._comparison()

    def _comparison(self) -> Proposition:
        """Read a = b, or several at once: a = b = 0."""
        left = self.expression()
        if self.next.text not in RELATIONS:
            raise self.error(f"a relation (=, <, <=, ...) is expected before {self.next.text!r}")
        parts: list[Proposition] = []
        while relation := self.accept(*RELATIONS):
            right = self.expression()
            parts.append(Comparison(left, relation, right))
            left = right
        return _joined("∧", parts)

    def _quantified(self, sign: str) -> Proposition:
        bounds = self._range()
        self.accept(":") or self.accept(",") or self._word("with")
        return self._over(sign, *bounds, self.either())

    def _afterwards(self, found: Proposition) -> Proposition:
        """Read "for some m in l+1..152" behind what it is said of."""
        word = self.next.text
        if word not in _AFTERWARDS:
            raise self.error("say for which index: for some m in l+1..152")
        self.place += 1
        return self._over(_AFTERWARDS[word], *self._range(), found)

    def _range(self) -> tuple[str, Index, Index]:
        last = Index("", self.layout.L - 1)
        if self.next.kind == "word" and self.ahead(1).text in (">", "≥"):
            letter, relation = self.split_word(), self.accept(">", "≥")
            low = self.index()
            self.note(f"the index {letter} is taken to run to {last}, the last layer of hidden units")
            return letter, replace(low, offset=low.offset + (relation == ">")), last
        letter, start, end = self.range(None)
        if start is None or end is None:
            raise self.error("say where the index runs: exists m in l+1..152: ...")
        return letter, start, end

    def _over(self, sign: str, letter: str, low: Index, high: Index, part: Proposition) -> Proposition:
        """Return the quantified proposition; what does not contain its letter stays outside."""
        inside = [part]
        outside: list[Proposition] = []
        if isinstance(part, Joined) and part.sign == {"∃": "∨", "∀": "∧"}[sign]:
            inside = [p for p in part.parts if letter in _letters(p)]
            outside = [p for p in part.parts if letter not in _letters(p)]
        if not inside:
            raise self.error(f"the index {letter} does not occur in the condition")
        joined = {"∃": "∨", "∀": "∧"}[sign]
        found = Quantified(sign, letter, low, high, _joined(joined, inside))
        if outside:
            self.note(f"what does not contain {letter} is taken to stand outside of its range")
        return _joined(joined, [*outside, found])

    def _word(self, *words: str) -> bool:
        if self.next.text in words and self.next.kind in ("word", "command"):
            self.place += 1
            return True
        return False


def _letters(proposition: Proposition) -> set[str]:
    return set().union(*(free_letters(formula) for formula in formulas(proposition)))


def _joined(sign: str, parts: list[Proposition]) -> Proposition:
    return parts[0] if len(parts) == 1 else Joined(sign, tuple(parts))
