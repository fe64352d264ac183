"""What is one thing or another: indicators [a>0], distinctions of cases, max(0, a), the largest |w|."""

from __future__ import annotations

from collections.abc import Sequence

from coursework.backprop.judge.fractions import FractionReader
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.sums import BRACKETS
from coursework.backprop.judge.tokens import Token
from coursework.backprop.judge.tree import (
    ONE,
    ZERO,
    Add,
    Apply,
    Index,
    Negative,
    Node,
    Number,
    Ref,
    add,
    multiply,
)

RELATIONS = ("<", ">", "≤", "≥")
END_OF_CASES = "end of cases"


class IndicatorReader(FractionReader):
    """Reads brackets, and what has a condition in it."""

    def __init__(self, typed: Sequence[Token], layout: Layout) -> None:
        super().__init__(typed, layout)
        self._bars = 0

    def group(self) -> Node:
        """Read a formula in brackets of any kind; one with a relation in it is 1 or 0."""
        opening = self.accept("(", "[", "{")
        if not opening:
            raise self.error(f"a bracket is expected before {self.next.text!r}")
        bars, self._bars = self._bars, 0
        node = self.expression()
        if relation := self.accept(*RELATIONS):
            node = self._indicator(node, relation, self.expression())
        elif self._words("if"):
            node = self._choice(node)
        self._bars = bars
        self.expect(BRACKETS[opening])
        return node

    def condition(self) -> Node:
        """Read the condition of an indicator, in brackets."""
        start = self.place
        node = self.group() if self.next.text in BRACKETS else None
        if node is None or not _is_indicator(node):
            self.place = start
            raise self.error("an indicator needs a condition in brackets: write 1[a_1^{(3)}>0]")
        return node

    def _indicator(self, left: Node, relation: str, right: Node) -> Node:
        """Return [left > right] as a step function of the difference."""
        if relation in ("<", "≤"):
            left, right = right, left
        difference = (
            left if _is_zero(right) else Negative(right) if _is_zero(left) else add((left, Negative(right)))
        )
        if relation in (">", "<"):
            return Apply("step", difference)
        self.note("at $a=0$, where a ReLU has no derivative, $h'(0)=0$ is taken here, as by $[a>0]$")
        turned = difference.term if isinstance(difference, Negative) else Negative(difference)
        return add((ONE, Negative(Apply("step", turned))))

    def cases(self) -> Node:
        r"""Read the rows of a distinction of cases: value & condition \\."""
        bars, self._bars = self._bars, 0
        terms: list[Node] = []
        indicators: list[Node] = []
        while not self.accept(END_OF_CASES):
            value = self.expression()
            self.accept(",", ";")
            self.expect("&")
            indicator = self._case(indicators, _is_zero(value))
            indicators.append(indicator)
            if not _is_zero(value):
                terms.append(multiply((indicator, value)))
            self.accept(",", ";", ".")
            if not self.accept("\\\\") and self.next.text != END_OF_CASES:
                raise self.error(
                    f"{self.next.text!r} does not continue the case; a row is: value & a_1^{{(3)}}>0"
                )
        self._bars = bars
        return add(terms) if terms else ZERO

    def _case(self, before: Sequence[Node], is_zero: bool) -> Node:
        """Read a condition, or "otherwise"; return its indicator."""
        self._words("if", "for", "when", "where")
        if self._words("otherwise", "else"):
            if not before or self.next.text not in (END_OF_CASES, "\\\\", ".", ","):
                raise self.error("'otherwise' comes last")
            return add((ONE, *(Negative(indicator) for indicator in before)))
        if self.next.text in ("all", "every", "any", "some"):
            raise self.error("a case is one comparison; put cases of one unit inside the product")
        left = self.expression()
        if is_zero and self.accept("="):  # where the value is 0 anyway
            self.expression()
            return ZERO
        relation = self.accept(*RELATIONS)
        if not relation:
            raise self.error("a case needs one comparison: write 1 & a_1^{(3)}>0")
        return self._indicator(left, relation, self.expression())

    def _choice(self, value: Node) -> Node:
        """Read what follows (1 if, as Python writes it: (1 if a[3][1]>0 else 0)."""
        left = self.expression()
        relation = self.accept(*RELATIONS)
        if not relation:
            raise self.error("a choice needs one comparison: write (1 if a[3][1]>0 else 0)")
        indicator = self._indicator(left, relation, self.expression())
        if not self._words("else"):
            raise self.error("a choice ends with else: write (1 if a[3][1]>0 else 0)")
        other = self.expression()
        contrary = add((ONE, Negative(indicator)))
        terms = [multiply(pair) for pair in ((indicator, value), (contrary, other)) if not _is_zero(pair[1])]
        return add(terms) if terms else ZERO

    def _words(self, *words: str) -> bool:
        start = self.place
        while self.next.kind == "word" and self.next.text in words:
            self.place += 1
        return self.place > start

    def maximum(self) -> Node:
        """Read max(0, a), and the largest |w| of all layers, W."""
        if self.next.text == "_":
            return self._largest()
        start = self.place
        opening = self.accept("(", "{", "[") or "("
        parts = [self.expression()]
        if self.next.text != ",":
            self.place = start
            raise self.error("max is read as max(0, a); the largest |w| is called W")
        self.expect(",")
        parts.append(self.expression())
        self.expect(BRACKETS[opening])
        others = [part for part in parts if not _is_zero(part)]
        if len(others) != 1:
            self.place = start
            raise self.error("max is read as max(0, a); the largest |w| is called W")
        return Apply("relu", others[0])

    def _largest(self) -> Node:
        r"""Read \max_m |w_{11}^{(m)}|."""
        start = self.place
        self.accept("_")
        braces = self.accept("{", "(")
        letter, low, high = self.range(None)
        if braces:
            self.expect(BRACKETS[braces])
        of = self.factor()
        size = Apply("abs", Ref("w", Index(letter), (Index("", 1), Index("", 1))))
        whole = (None, Index("", 1)), (None, Index("", self.layout.L - 1), Index("L", -1))
        if of != size or low not in whole[0] or high not in whole[1]:
            self.place = start
            raise self.error(r"\max is read of all weights, \max_m|w_{11}^{(m)}|; call it W")
        return Ref("W")


def _is_zero(node: Node) -> bool:
    return isinstance(node, Number) and node.value == 0


def _is_indicator(node: Node) -> bool:
    inner = node.terms[-1].term if isinstance(node, Add) and isinstance(node.terms[-1], Negative) else node
    return isinstance(inner, Apply) and inner.function == "step"
