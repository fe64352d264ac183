"""The grammar of formulas: a recursive descent over the tokens, no deeper than `MAX_DEPTH`."""

from __future__ import annotations

from collections.abc import Sequence

from coursework.backprop.judge.derivatives import derivative
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.quantities import MAX_DEPTH, QUANTITIES, QuantityReader
from coursework.backprop.judge.tokens import Token, Unreadable
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
    Over,
    Partial,
    Power,
    Ref,
    add,
    free_letters,
    multiply,
    walk,
)

#: Typed name: function.
FUNCTIONS = {
    "h": "h", "f": "h", "g": "h", "phi": "h", "varphi": "h", "sigma": "sigma", "sigmoid": "sigma",
    "exp": "exp", "ln": "ln", "log": "ln", "tanh": "tanh", "relu": "relu", "ReLU": "relu", "step": "step",
    "theta": "step", "Theta": "step", "heaviside": "step", "sqrt": "sqrt", "abs": "abs",
    "h_prime": "h'", "hprime": "h'", "sigma_prime": "sigma'", "sigmoid_prime": "sigma'",
    "relu_prime": "step",
}  # fmt: skip
_PRIMED = {"h": "h'", "sigma": "sigma'", "relu": "step", "tanh": "tanh'"}
_OVER = {"sum": "sum", "Sum": "sum", "prod": "product", "Product": "product", "product": "product"}
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_PARTIAL = ("partial", "d")
_OPENING = {"(": ")", "[": "]", "{": "}"}
_LETTERS = frozenset("ijklmnpqrsL")
_RELATIONS = ("<", ">", "≤", "≥")


class Grammar(QuantityReader):
    """Reads one formula, or several joined by equality signs.

    Attributes
    ----------
    faults : slips of notation that leave the meaning plain (a partial sign left out).
    open_products : the products that reach to the end of their term because no parenthesis says otherwise.
    """

    def __init__(self, typed: Sequence[Token], layout: Layout) -> None:
        super().__init__(typed, layout)
        self.faults: list[str] = []
        self.open_products: list[Over] = []
        self._bars = 0

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
        """Read terms joined by + and -."""
        self._deeper()
        terms = [self._signed(self.accept("+", "-"))]
        while sign := self.accept("+", "-"):
            terms.append(self._signed(sign))
        self._depth -= 1
        return add(terms)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(f"the formula is nested deeper than {MAX_DEPTH} levels; open some parentheses")

    def _signed(self, sign: str) -> Node:
        minus = sign == "-"
        while sign := self.accept("+", "-"):
            minus ^= sign == "-"
        term = self.term()
        return Negative(term) if minus else term

    def term(self) -> Node:
        """Read factors side by side or joined by * and /."""
        factors = [self.factor()]
        fractions = 0
        while True:
            if self.accept("*"):
                minus = self.accept("-")
                factors.append(Negative(self.factor()) if minus else self.factor())
            elif self.accept("/"):
                fractions += 1
                if fractions > MAX_DEPTH:
                    raise self.error(f"more than {MAX_DEPTH} divisions in a row; write one fraction")
                factors = [Divide(multiply(factors), self.factor())]
            elif self._starts_a_factor():
                if self.next.kind == "number" and self.ahead(-1).kind == "number":
                    raise self.error("two numbers stand side by side; write the * between them")
                factors.append(self.factor())
            else:
                return multiply(factors)

    def _starts_a_factor(self) -> bool:
        token = self.next
        if token.kind in ("number", "command"):
            return True
        if token.kind == "word":
            return token.text not in ("or", "and", "not", "exists", "iff", "if", "in", "for", "to")
        return token.text in ("(", "[", "{") or (token.text == "|" and not self._bars)

    def factor(self) -> Node:
        """Read one factor with its powers."""
        self._deeper()
        base = self._primary()
        if base == ONE and self.accept("_"):  # the indicator 1_{a>0}
            base = self._group()
        if self.accept("^"):
            base = Power(base, self._exponent())
            if self.next.text == "^":
                raise self.error("a power of a power needs parentheses: write (z_1^{(3)})^2")
        self._depth -= 1
        return base

    def _exponent(self) -> Node:
        exponent = self._group() if self.next.text in _OPENING else self._exponent_alone()
        for part in walk(exponent):
            small = isinstance(part, Number) and abs(part.value) <= 153
            if not small and not isinstance(part, Letter | Add | Negative | Divide):
                raise self.error("an exponent is a small number, or an index such as 152-l")
        if isinstance(exponent, Number) and abs(exponent.value) > 12:
            raise self.error(f"the exponent {exponent.text} is too large; 12 is the largest")
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

    def _group(self) -> Node:
        """Read a formula in brackets of any kind; one with a relation in it is 1 or 0."""
        opening = self.accept("(", "[", "{")
        if not opening:
            raise self.error(f"a bracket is expected before {self.next.text!r}")
        bars, self._bars = self._bars, 0
        node = self.expression()
        if relation := self.accept(*_RELATIONS):
            node = _indicator(node, relation, self.expression())
        self._bars = bars
        self.expect(_OPENING[opening])
        return node

    def _primary(self) -> Node:
        token = self.next
        if token.kind == "number":
            self.place += 1
            return Number(float(token.text), token.text)
        if token.kind == "sign":
            if token.text in _OPENING:
                return self._group()
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
        if self.next.kind == "word" and not self._known(name):
            name = name[0]
            if not self._known(name) or len(self.next.text) > 3:
                raise self.error(
                    f"{self.next.text!r} is no quantity of this network; it has a, z, delta, w, b, x, t, y, "
                    "E, the functions h, h', sigma, exp, max, sums and products"
                )
            self.split_word()
        else:
            self.place += 1
        if name in _PARTIAL:
            return self._inline_partial()
        if name in QUANTITIES:
            return self.quantity(QUANTITIES[name])
        if name in _FRACTIONS:
            return self._fraction()
        if name in _OVER:
            return self._over(_OVER[name])
        if name in ("mathbb", "mathds", "mathbbm", "I", "Ind"):
            return self._indicator_sign()
        if name == "e":
            if not self.accept("^"):
                raise self.error("e stands without an exponent; for the error write a_1^{(4)}-t_n")
            return Apply("exp", self._group() if self.next.text in _OPENING else self.factor())
        if name == "max":
            return self._maximum()
        if name in FUNCTIONS:
            return self._application(FUNCTIONS[name])
        if name in _LETTERS:
            return Letter(Index(name))
        raise self.error(f"\\{name} is not part of these formulas")

    @staticmethod
    def _known(name: str) -> bool:
        known = (QUANTITIES, _FRACTIONS, _OVER, FUNCTIONS, _LETTERS, _PARTIAL, ("e", "max", "I", "Ind"))
        return any(name in table for table in known)

    def _indicator_sign(self) -> Node:
        r"""Read what follows \mathbb in \mathbb{1}[a>0], and I(a>0)."""
        if self.ahead(-1).kind == "command":
            braces = self.accept("{")
            if self.next.text not in ("1", "I"):
                raise self.error("only the indicator 1[a>0] is written in blackboard letters")
            self.place += 1
            if braces:
                self.expect("}")
        self.accept("_")
        return self._group()

    def _maximum(self) -> Node:
        """Read max(0, a)."""
        opening = self.accept("(", "{", "[") or "("
        parts = [self.expression()]
        self.expect(",")
        parts.append(self.expression())
        self.expect(_OPENING[opening])
        zeros = [part for part in parts if isinstance(part, Number) and part.value == 0]
        if len(zeros) != 1:
            raise self.error("max is read as max(0, a)")
        return Apply("relu", next(part for part in parts if part is not zeros[0]))

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
        if self.next.text in _OPENING:
            argument = self._group()
        elif self._starts_a_factor():
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

    def _fraction(self) -> Node:
        self._deeper()
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
            if token.kind == "number" and len(token.text) > 1:  # \frac12 is one half
                self.split_word()
                return False, Number(float(token.text[0]), token.text[0])
            return False, self._primary()
        partial = self.next.text in _PARTIAL
        if partial:
            self.place += 1
        elif self.next.kind == "word" and self.next.text[:1] == "d" and not self._known(self.next.text):
            self.split_word()
            partial = True
        node = None if self.next.text == "}" else self.expression()
        self.expect("}")
        return partial, node

    def _inline_partial(self) -> Node:
        """Read ∂E/∂w after its first sign; brackets around either part are skipped."""
        top: Node | None = None if self.next.text == "/" else self.factor()
        self.expect("/")
        brackets = self.accept("(")
        signed = self.next.text in _PARTIAL or (
            self.next.kind == "word" and self.next.text[0] == "d" and not self._known(self.next.text)
        )
        if signed:
            self.split_word(len(self.next.text) if self.next.text in _PARTIAL else 1)
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

    def _over(self, kind: str) -> Node:
        letter, low, high = "", None, None
        inside: Node | None = None
        parenthesised = False
        while mark := self.accept("_", "^"):
            if mark == "^":
                braces = self.accept("{", "(")
                high = self.index()
                if braces:
                    self.expect(_OPENING[braces])
            else:
                braces = self.accept("{", "(")
                letter, low, high = self._range(high)
                if braces:
                    self.expect(_OPENING[braces])
        if not letter and self.next.text in ("(", "["):
            if self.ahead(1).kind == "word" and self.ahead(2).text in ("=", "∈"):
                closing = _OPENING[self.accept("(", "[")]
                letter, low, high = self._range(high)
                if self.accept(","):
                    inside, parenthesised = self.expression(), True
                self.expect(closing)
            else:
                start = self.place
                self.accept("(", "[")
                inside = self.expression()
                if self.accept(","):
                    letter, low, high = self._range(high)
                    self.expect(")")
                    parenthesised = True
                else:
                    self.place, inside = start, None
        if inside is None:
            end = self._end_of_group()
            inside = self.term()
            parenthesised = self.place == end
        return self._bounded(kind, letter, low, high, inside, parenthesised)

    def _end_of_group(self) -> int:
        """Return the place behind the bracket that closes the one to be read next, -1 without one."""
        depth = 0
        if self.next.kind == "sign" and self.next.text in _OPENING:
            for place in range(self.place, len(self.tokens)):
                token = self.tokens[place]
                if token.kind == "sign":
                    depth += (token.text in _OPENING) - (token.text in _OPENING.values())
                if depth == 0:
                    return place + 1
        return -1

    def _range(self, high: Index | None) -> tuple[str, Index | None, Index | None]:
        """Read k, k=1, k=1..3 or k in 1..3."""
        if self.next.kind != "word":
            raise self.error(f"the letter of a sum is expected before {self.next.text!r}")
        letter, low = self.split_word(), None
        if self.accept("=", "∈"):
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
                self.expect(_OPENING[braces])
        return letter, low, high

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


def _indicator(left: Node, relation: str, right: Node) -> Node:
    """Return [left > right] as a step function of the difference."""
    if relation in ("<", "≤"):
        left, right = right, left
    if right == Number(0.0, "0"):
        difference: Node = left
    else:
        difference = Negative(right) if left == Number(0.0, "0") else add((left, Negative(right)))
    if relation in (">", "<"):
        return Apply("step", difference)
    turned = difference.term if isinstance(difference, Negative) else Negative(difference)
    return add((ONE, Negative(Apply("step", turned))))
