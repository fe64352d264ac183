"""Sums and products as people write them: with bounds or without, in front of a term or around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.quantities import MAX_DEPTH, QuantityReader
from coursework.backprop.judge.tokens import Token
from coursework.backprop.judge.tree import Index, Node, Over, Partial, Ref, free_letters, walk

#: Brackets of every kind.
BRACKETS = {"(": ")", "[": "]", "{": "}"}
_BELOW, _ABOVE = ("<", "≤"), (">", "≥")


class SumReader(QuantityReader, ABC):
    """Reads sums and products; what they contain is read by the whole grammar.

    Attributes
    ----------
    open_products : the products that reach to the end of their term because no parenthesis says otherwise.
    """

    def __init__(self, typed: Sequence[Token], layout: Layout) -> None:
        super().__init__(typed, layout)
        self.open_products: list[Over] = []

    @abstractmethod
    def expression(self) -> Node:
        """Read terms joined by + and -."""

    @abstractmethod
    def term(self) -> Node:
        """Read factors side by side or joined by * and /."""

    def deeper(self) -> None:
        """Count one level of nesting more."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(f"the formula is nested deeper than {MAX_DEPTH} levels; open some parentheses")

    def over(self, kind: str) -> Node:
        """Read what follows the sign of a sum or product."""
        letter, low, high = "", None, None
        inside: Node | None = None
        parenthesised = False
        while mark := self.accept("_", "^"):
            if high if mark == "^" else letter:
                raise self.error(f"the {kind} has two of these bounds; write \\sum_{{k=1}}^{{3}}")
            if mark == "^":
                braces = self.accept("{", "(")
                high = self.index()
                if braces:
                    self.expect(BRACKETS[braces])
            else:
                braces = self.accept("{", "(")
                letter, low, high = self.range(high)
                if braces:
                    self.expect(BRACKETS[braces])
        if not letter and self.next.text in ("(", "["):
            if self.ahead(1).kind == "word" and self.ahead(2).text in ("=", "∈"):
                closing = BRACKETS[self.accept("(", "[")]
                letter, low, high = self.range(high)
                if self.accept(","):
                    inside, parenthesised = self.expression(), True
                self.expect(closing)
            elif self._has_range_at_end():
                self.accept("(", "[")
                inside, parenthesised = self.expression(), True
                if self.next.text == "for":  # as Python writes it
                    self.place += 1
                else:
                    self.expect(",")
                letter, low, high = self.range(high)
                self.expect(")")
        if inside is None:
            end = self._end_of_group()
            inside = self.term()
            parenthesised = self.place == end
        return self._bounded(kind, letter, low, high, inside, parenthesised)

    def _end_of_group(self) -> int:
        """Return the place behind the bracket that closes the one to be read next, -1 without one."""
        depth = 0
        if self.next.kind == "sign" and self.next.text in BRACKETS:
            for place in range(self.place, len(self.tokens)):
                token = self.tokens[place]
                if token.kind == "sign":
                    depth += (token.text in BRACKETS) - (token.text in BRACKETS.values())
                if depth == 0:
                    return place + 1
        return -1

    def _has_range_at_end(self) -> bool:
        """Whether the group to be read next is sum(..., k=1..3) or sum(... for k in 1..3)."""
        depth = 0
        for token in self.tokens[self.place : self._end_of_group()]:
            if token.kind == "sign":
                depth += (token.text in BRACKETS) - (token.text in BRACKETS.values())
                if token.text == "," and depth == 1:
                    return True
            elif token.text == "for" and depth == 1:
                return True
        return False

    def range(self, high: Index | None) -> tuple[str, Index | None, Index | None]:
        """Read k, k=1, k=1..3, k in 1..3, k in range(1, 4) or 1<=k<=3."""
        if self.next.kind == "number" or self.ahead(1).text in (*_BELOW, *_ABOVE, "+", "-"):
            return self._between()
        if self.next.kind != "word":
            raise self.error(f"the letter of a sum is expected before {self.next.text!r}")
        letter, low = self.split_word(), None
        stands_in = self.next.text == "in" and self.next.kind == "word"
        self.place += stands_in
        if stands_in and self.next.text == "range":
            return letter, *self._python_range()
        if stands_in or self.accept("=", "∈"):
            braces = self.accept("{", "(", "[")
            low = self.index()
            if self.accept(","):
                self.accept("…")
                self.accept(",")
                high = self.index()
                while self.accept(","):
                    high = self.index()
            elif self.accept("…", ":"):
                high = self.index()
            if braces:
                self.expect(BRACKETS[braces])
        return letter, low, high

    def _between(self) -> tuple[str, Index, Index]:
        """Read l+1<=m<=152 or l<m<153."""
        start = self.place
        low, below = self.index(), self.accept(*_BELOW)
        letter = self.split_word() if below and self.next.kind == "word" else ""
        above = self.accept(*_BELOW) if letter else ""
        if not above:
            self.place = start
            raise self.error("a range has two bounds; write them as m=l+1 below and 152 above, or l+1..152")
        high = self.index()
        return letter, low if below == "≤" else _moved(low, 1), high if above == "≤" else _moved(high, -1)

    def _python_range(self) -> tuple[Index, Index]:
        """Read range(1, 4), which ends before 4, or range(4), which starts at 0."""
        self.place += 1
        self.expect("(")
        low, high = Index("", 0), self.index()
        if self.accept(","):
            low, high = high, self.index()
        self.expect(")")
        return low, _moved(high, -1)

    def _bounded(
        self, kind: str, letter: str, low: Index | None, high: Index | None, body: Node, parenthesised: bool
    ) -> Node:
        """Return the sum or product, its bounds completed where they go without saying."""
        if not letter:
            free = sorted(free_letters(body) - {"l", "L"})
            if len(free) != 1:
                raise self.error(f"the {kind} does not name its index; write \\sum_{{k=1}}^{{3}}")
            letter = free[0]
        low = low or Index("", 1)
        if high is None:
            units = self._units_along(body, letter)
            if not units:
                raise self.error(f"the {kind} over {letter} has no upper bound; write ^{{3}} after it")
            high = Index("", units)
            number = f"{units} units" if units > 1 else "one unit"
            self.note(f"the index {letter} is taken to run over the {number} of its layer")
        over = Over(kind, letter, low, high, body)
        if kind == "product" and not parenthesised:
            self.open_products.append(over)
        return over

    def _units_along(self, body: Node, letter: str) -> int:
        """Return how many units the widest layer has in which `letter` counts them, else 0."""
        sizes = set()
        for part in walk(body):
            refs = (part.top, part.bottom) if isinstance(part, Partial) else (part,)
            for ref in refs:
                if isinstance(ref, Ref) and ref.layer:
                    for place, unit in enumerate(ref.units):
                        above = 1 if ref.name == "w" and place == 0 else 0
                        if unit.letter == letter:
                            number = 2 if ref.layer.letter else ref.layer.offset + above
                            sizes.add(self.layout.units(number))
        sizes.discard(0)
        return max(sizes, default=0)


def _moved(index: Index, by: int) -> Index:
    return Index(index.letter, index.offset + by)
