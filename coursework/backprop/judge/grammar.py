"""The grammar of formulas: a recursive descent over the tokens, no deeper than `MAX_DEPTH`."""

from __future__ import annotations

from coursework.backprop.judge.dots import Run, with_runs
from coursework.backprop.judge.dotted import DottedReader
from coursework.backprop.judge.fractions import PARTIAL_SIGNS
from coursework.backprop.judge.quantities import MAX_DEPTH, QUANTITIES
from coursework.backprop.judge.sums import BRACKETS
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import (
    ONE,
    Add,
    Apply,
    Divide,
    Index,
    Letter,
    Negative,
    Node,
    Number,
    Power,
    add,
    multiply,
    walk,
)

#: Typed name: function.
FUNCTIONS = {
    "h": "h", "f": "h", "g": "h", "phi": "h", "varphi": "h", "sigma": "sigma", "sigmoid": "sigma",
    "exp": "exp", "ln": "ln", "log": "ln", "tanh": "tanh", "relu": "relu", "ReLU": "relu", "step": "step",
    "theta": "step", "Theta": "step", "heaviside": "step", "Heaviside": "step", "H": "step",
    "sgn": "sign", "sign": "sign", "sqrt": "sqrt", "abs": "abs",
    "h_prime": "h'", "hprime": "h'", "sigma_prime": "sigma'", "sigmoid_prime": "sigma'",
    "relu_prime": "step",
}  # fmt: skip
_PRIMED = {"h": "h'", "sigma": "sigma'", "relu": "step", "tanh": "tanh'"}
_OVER = {"sum": "sum", "Sum": "sum", "prod": "product", "Product": "product", "product": "product"}
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_LETTERS = frozenset("ijklmnpqrsL")
#: Letters of which words are made that stand for products.
_SIDE_BY_SIDE = frozenset("azwxtyEWhfgd")
#: Words that no factor starts with.
_BETWEEN = (
    "or", "and", "not", "exists", "iff", "if", "in", "for", "to", "when", "where", "otherwise", "else",
)  # fmt: skip


class Grammar(DottedReader):
    """Reads one formula, or several joined by equality signs."""

    def equation(self) -> list[Node]:
        """Read everything; return the sides of the equation, of which "..." is none."""
        if not self.tokens:
            raise Unreadable("there is no formula; type one, say \\delta_1^{(4)}z_2^{(3)}")
        sides: list[Node] = []
        while True:
            if not self.accept("…"):
                sides.append(self.expression())
            if not self.accept("="):
                break
        self.accept(".", ",")
        if self.place < len(self.tokens):
            raise self.error(f"{self.next.text!r} does not continue the formula")
        if not sides:
            raise Unreadable("nothing stands beside the equality sign")
        return sides

    def expression(self) -> Node:
        """Read terms joined by + and -, and dots between terms that are alike."""
        self.deeper()
        terms = [self.signed(self.accept("+", "-"))]
        runs: list[tuple[int, Run]] = []
        while sign := self.accept("+", "-"):
            if self.next.text == "…":
                runs.append(self.dotted_sum(terms, sign))
            else:
                terms.append(self.signed(sign))
        self._depth -= 1
        return add(with_runs(terms, runs))

    def signed(self, sign: str) -> Node:
        """Read a term, in front of which `sign` was read already."""
        minus = sign == "-"
        while sign := self.accept("+", "-"):
            minus ^= sign == "-"
        term = self.term()
        return Negative(term) if minus else term

    def term(self) -> Node:
        """Read factors side by side or joined by * and /, and dots between factors that are alike."""
        factors = [self.factor()]
        fractions = 0
        runs: list[tuple[int, Run]] = []
        while True:
            if self.accept("*"):
                minus = self.accept("-")
                factors.append(Negative(self.factor()) if minus else self.factor())
            elif self.accept("/"):
                fractions += 1
                if fractions > MAX_DEPTH:
                    raise self.error(f"more than {MAX_DEPTH} divisions in a row; write one fraction")
                factors, runs = [Divide(multiply(with_runs(factors, runs)), self.factor())], []
            elif self.next.text == "…" and self.ahead(1).kind in ("word", "command", "sign"):
                runs.append(self.dotted_product(factors))
            elif self.starts_a_factor():
                if self.next.kind == "number" and self.ahead(-1).kind == "number":
                    raise self.error("two numbers stand side by side; write the * between them")
                factors.append(self.factor())
            else:
                return multiply(with_runs(factors, runs))

    def starts_a_factor(self) -> bool:
        """Whether what is to be read next can be a factor."""
        token = self.next
        if token.kind in ("number", "command"):
            return True
        if token.kind == "word":
            return token.text not in _BETWEEN
        return token.text in ("(", "[", "{") or (token.text == "|" and not self._bars)

    def factor(self) -> Node:
        """Read one factor with its powers."""
        self.deeper()
        base = self.primary()
        if base == ONE and self.accept("_"):  # the indicator 1_{a>0}
            base = self.condition()
        if self.next.text == "'":
            raise self.error("a prime follows the name of its function: h'(a_1^{(3)})")
        if self.accept("^"):
            base = Power(base, self._exponent())
            if self.next.text == "^":
                raise self.error("a power of a power needs parentheses: write (z_1^{(3)})^2")
        self._depth -= 1
        return base

    def _exponent(self) -> Node:
        exponent = self.group() if self.next.text in BRACKETS else self._exponent_alone()
        for part in walk(exponent):
            small = isinstance(part, Number) and abs(part.value) <= 153
            if not small and not isinstance(part, Letter | Add | Negative | Divide):
                raise self.error("an exponent is a small number, or an index such as 152-l")
        largest = max(12, self.layout.L)
        if isinstance(exponent, Number) and abs(exponent.value) > largest:
            raise self.error(f"the exponent {exponent.text} is too large; {largest} is the largest")
        return exponent

    def _exponent_alone(self) -> Node:
        minus = self.accept("-")
        token = self.next
        if token.kind == "number":
            self.place += 1
            exponent: Node = Number(float(token.text), token.text)
        elif token.kind == "word" and token.text[0] in _LETTERS:
            exponent = Letter(Index(self.split_word()))
        else:
            raise self.error(f"an exponent is expected before {token.text!r}")
        return Negative(exponent) if minus else exponent

    def primary(self) -> Node:
        """Read one factor without its powers."""
        token = self.next
        if token.kind == "number":
            self.place += 1
            return Number(float(token.text), token.text)
        if token.kind == "sign":
            if token.text in BRACKETS:
                return self.group()
            if self.accept("|"):
                self._bars += 1
                inside = self.expression()
                self.expect("|")
                self._bars -= 1
                return Apply("abs", inside)
        if token.kind in ("word", "command"):
            return self._named()
        raise self.error(f"a quantity or a number is expected before {token.text!r}")

    def _named(self) -> Node:
        name = self.next.text
        if self.next.kind == "word" and not self.known(name):
            letters = set(name)
            name = name[0]
            if len(self.next.text) > 3 or not letters <= _SIDE_BY_SIDE:
                raise self.error(
                    f"{self.next.text!r} is no quantity of this network; it has a, z, delta, w, b, x, t, y, "
                    "E, the functions h, h', sigma, exp, max, sums and products"
                )
            self.split_word()
        else:
            self.place += 1
        if name in PARTIAL_SIGNS:
            return self.inline_partial()
        if name in QUANTITIES:
            return self.quantity(QUANTITIES[name])
        if name in _FRACTIONS:
            return self.fraction()
        if name in _OVER:
            return self.over(_OVER[name])
        if name in ("I", "Ind"):
            self.accept("_")
            return self.condition()
        if name == "cases":
            return self.cases()
        if name == "e":
            if not self.accept("^"):
                raise self.error("e stands without an exponent; for the error write a_1^{(4)}-t_n")
            return Apply("exp", self.group() if self.next.text in BRACKETS else self.factor())
        if name == "max":
            return self.maximum()
        if name in FUNCTIONS:
            return self._application(FUNCTIONS[name])
        if name in _LETTERS:
            return Letter(Index(name))
        self.place -= 1
        raise self.error(
            f"\\{name} is not part of these formulas; write a, z, w, delta, h, h' and \\sigma, "
            "\\sum, \\prod, \\frac, \\partial"
        )

    def known(self, name: str) -> bool:
        """Return whether the word `name` means something."""
        known = (QUANTITIES, _FRACTIONS, _OVER, FUNCTIONS, _LETTERS, PARTIAL_SIGNS, ("e", "max", "I", "Ind"))
        return any(name in table for table in known)

    def _application(self, function: str) -> Node:
        power: Node | None = None
        while True:
            if self.accept("'"):
                function = self._primed(function)
            elif self.next.text == "^":
                self.place += 1
                if self.accept("'"):
                    function = self._primed(function)
                elif self.next.text == "{" and self.ahead(1).text == "'":
                    self.place += 2
                    self.expect("}")
                    function = self._primed(function)
                else:
                    power = self._exponent()
            else:
                break
        if self.next.text in BRACKETS:
            argument = self.group()
        elif self.starts_a_factor():
            argument = self.factor()
            self.note("a function without parentheses is applied to the one quantity after it")
        else:
            raise self.error(f"{function} stands without its argument; write {function}(a_1^{{(3)}})")
        applied = Apply(function, argument)
        return Power(applied, power) if power is not None else applied

    def _primed(self, function: str) -> str:
        if function not in _PRIMED:
            raise self.error(f"the derivative of {function} is not part of these formulas")
        return _PRIMED[function]
