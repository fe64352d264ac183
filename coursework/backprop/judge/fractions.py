"""Fractions, and derivatives, which are written like fractions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from coursework.backprop.judge.derivatives import derivative
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.sums import SumReader
from coursework.backprop.judge.tokens import Token
from coursework.backprop.judge.tree import Divide, Node, Number, Partial, Ref

#: Words for the sign of a derivative.
PARTIAL_SIGNS = ("partial", "d")


class FractionReader(SumReader):
    """Reads fractions and derivatives.

    Attributes
    ----------
    faults : where partial signs were left out, "numerator" or "denominator".
    """

    def __init__(self, typed: Sequence[Token], layout: Layout) -> None:
        super().__init__(typed, layout)
        self.faults: list[str] = []

    @abstractmethod
    def factor(self) -> Node:
        """Read one factor with its powers."""

    @abstractmethod
    def primary(self) -> Node:
        """Read one factor without its powers."""

    @abstractmethod
    def known(self, name: str) -> bool:
        """Return whether the word `name` means something."""

    def fraction(self) -> Node:
        r"""Read the two arguments of \frac."""
        self.deeper()
        top_partial, top = self._fraction_part()
        bottom_partial, bottom = self._fraction_part()
        self._depth -= 1
        if not top_partial and not bottom_partial:
            if top is None or bottom is None:
                raise self.error("a part of the fraction is empty")
            return Divide(top, bottom)
        return self._partial(top, bottom, top_partial, bottom_partial)

    def _fraction_part(self) -> tuple[bool, Node | None]:
        """Read one argument of \\frac: whether it starts with a partial sign, and the rest."""
        braces = self.accept("{")
        if not braces:
            token = self.next
            if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():  # \frac12 is one half
                self.split_word()
                return False, Number(float(token.text[0]), token.text[0])
            return False, self.primary()
        partial = self.next.text in PARTIAL_SIGNS
        if partial:
            self.place += 1
        elif self.next.kind == "word" and self.next.text[:1] == "d" and not self.known(self.next.text):
            self.split_word()
            partial = True
        node = None if self.next.text == "}" else self.expression()
        self.expect("}")
        return partial, node

    def inline_partial(self) -> Node:
        """Read ∂E/∂w after its first sign; brackets around either part are skipped."""
        if self.next.text in ("_", "^"):
            raise self.error(r"d is the sign of a derivative; delta is written \delta_1^{(3)}")
        top: Node | None = None if self.next.text == "/" else self.factor()
        self.expect("/")
        brackets = self.accept("(")
        signed = self.next.text in PARTIAL_SIGNS or (
            self.next.kind == "word" and self.next.text[0] == "d" and not self.known(self.next.text)
        )
        if signed:
            self.split_word(len(self.next.text) if self.next.text in PARTIAL_SIGNS else 1)
        bottom = self.factor()
        if brackets:
            self.expect(")")
        return self._partial(top, bottom, True, signed)

    def _partial(self, top: Node | None, bottom: Node | None, over: bool, under: bool) -> Node:
        if not isinstance(bottom, Ref):
            raise self.error("a derivative is taken by one quantity: write \\partial w_{11}^{(2)} below")
        if not over or not under:
            self.faults.append("denominator" if over else "numerator")
        if top is None:
            top = self.term()
        return Partial(top, bottom) if isinstance(top, Ref) else derivative(top, bottom)
