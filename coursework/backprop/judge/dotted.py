"""Reads dots between terms or factors."""

from __future__ import annotations

from abc import abstractmethod

from coursework.backprop.judge.dots import Run, run
from coursework.backprop.judge.indicators import IndicatorReader
from coursework.backprop.judge.tree import Node

#: How many factors one turn of dots may have.
_TURN = 4
_LATER = r"write it out, or with \sum or \prod: \prod_{m=l+1}^{152} w_{11}^{(m)}"


class DottedReader(IndicatorReader):
    """Reads sums and products written out with dots."""

    @abstractmethod
    def signed(self, sign: str) -> Node:
        """Read a term, in front of which `sign` was read already."""

    @abstractmethod
    def starts_a_factor(self) -> bool:
        """Whether what is to be read next can be a factor."""

    def dotted_sum(self, terms: list[Node], sign: str) -> tuple[int, Run]:
        """Read the dots after the last of `terms` and the term behind them; return what they stand for."""
        start = self.place
        self.place += 1
        last = self.signed("+") if self.accept(sign) == "+" else None
        found = last and run("sum", terms[-1:], [last], self.layout)
        if not found:
            self.place = start
            raise self.error(f"the dots stand between terms that are not alike but for one number; {_LATER}")
        return self._taken("sum", terms, found)

    def _taken(self, kind: str, parts: list[Node], found: Run) -> tuple[int, Run]:
        """Put what dots stand for in the place of the first turn."""
        over, sign = found.over, {"sum": r"\sum", "product": r"\prod"}[kind]
        del parts[-found.size :]
        parts.append(over)
        self.note(f"the dots are read as ${sign}_{{{over.letter}={over.low}}}^{{{over.high}}}$")
        return len(parts) - 1, found

    def dotted_product(self, factors: list[Node]) -> tuple[int, Run]:
        """Read the dots after the last of `factors` and as many factors as make one turn."""
        start = self.place
        self.place += 1
        last: list[Node] = []
        while len(last) < min(len(factors), _TURN) and self.starts_a_factor():
            last.append(self.factor())
            self.accept("*")
            if found := run("product", factors[-len(last) :], last, self.layout):
                return self._taken("product", factors, found)
        self.place = start
        raise self.error(f"the dots stand between factors that are not alike but for one number; {_LATER}")
