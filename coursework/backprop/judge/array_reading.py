"""The grammar of numpy expressions: names of arrays, @ and *, .T, indices, a few functions."""

from __future__ import annotations

import re
from itertools import pairwise

from coursework.backprop.judge.arrays import (
    Array,
    Binary,
    Call,
    Constant,
    Item,
    Minus,
    Name,
    Summed,
    Turned,
)
from coursework.backprop.judge.quantities import MAX_DEPTH
from coursework.backprop.judge.tokens import MAX_CHARACTERS, Unreadable
from coursework.backprop.judge.tree import Index

#: Operators nest to the left, so that this bounds the depth of a tree.
MAX_TOKENS = 300

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*|\.\d+)|([A-Za-z_]\w*)|(\*\*|[-+*/@()\[\],.:>=]))", re.ASCII)
_ARRAY = re.compile(r"(delta|d[EL]?_?d?[wW]|grad_[wW]|d[EL]?_?d?a|a|z|w|W|b|x|d)_?(\d*)")
_CALLED = {"d": "delta", "W": "w"}
#: What a result may be called that names no array.
_RESULTS = ("grad", "gradient", "result", "answer")
_OPERATORS = ("+", "-", "*", "/", "@", "**")
_FUNCTIONS = {
    "h": "h", "h_prime": "h'", "sigmoid": "sigma", "sigma": "sigma", "sigmoid_prime": "sigma'",
    "sigma_prime": "sigma'", "tanh": "tanh", "exp": "exp", "relu": "relu", "relu_prime": "step",
    "step": "step", "abs": "abs",
}  # fmt: skip
#: Words before a dot that say where an array is kept.
_KEEPERS = ("np", "numpy", "trace", "network", "net", "gradients", "self")
_SURELY = re.compile(
    r"@|\.T\b|\bnp\.|\bnumpy\.|\.dot\(|\.sum\(|\bouter\(|\bNone\b|_prime\(|\*\*|\b(?:delta|[azwW])\d+\b(?!\s*[_^(])"
)
_WHOLE = re.compile(r"\b(?:delta|[azwW])\[[^\],]*\](?!\s*[\[_^])")


def is_numpy(text: str) -> bool:
    """Return whether `text` is code on whole arrays, not a formula of single quantities."""
    text = text[:MAX_CHARACTERS]
    return "\\" not in text and bool(_SURELY.search(text) or _WHOLE.search(text)) and "^" not in text


class ArrayReader:
    """Reads one numpy expression by recursive descent; nothing of it is run."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise Unreadable(f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read")
        self._tokens: list[str] = []
        place, text = 0, text.rstrip().rstrip(";")
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise Unreadable(f"{text[place : place + 10]!r} is not part of an expression on arrays")
            self._tokens.append(match[match.lastindex or 0])
            place = match.end()
        if len(self._tokens) > MAX_TOKENS:
            raise Unreadable(f"more than {MAX_TOKENS} symbols; type the one expression")
        self._place = 0
        self._depth = 0

    def read(self) -> tuple[Array, ...]:
        """Return the sides of the equation or assignment, or the one expression."""
        sides: list[Array] = []
        for before, token in pairwise(self._tokens):
            if token == "=" and before in _OPERATORS:
                raise Unreadable(
                    f"{before}= changes what stood there before; type the derivative alone, or dw2 = ..."
                )
        if self._next in _RESULTS and self._tokens[1:2] == ["="]:
            self._place = 2
        while True:
            sides.append(self._sum())
            if not self._accept("="):
                break
            self._accept("=")
        if self._next:
            raise Unreadable(f"{self._next!r} does not continue the expression")
        return tuple(sides)

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _accept(self, *texts: str) -> str:
        if self._next and self._next in texts:
            self._place += 1
            return self._tokens[self._place - 1]
        return ""

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise Unreadable(f"{text!r} is expected before {self._next or 'the end'!r}")

    def _sum(self) -> Array:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable(f"the expression is nested deeper than {MAX_DEPTH} levels")
        node = self._product()
        while sign := self._accept("+", "-"):
            node = Binary(sign, node, self._product())
        if self._accept(">"):
            if not self._accept("0"):
                raise Unreadable("a comparison is read as a > 0")
            node = Call("step", node)
        self._depth -= 1
        return node

    def _product(self) -> Array:
        node = self._signed()
        while sign := self._accept("*", "/", "@"):
            node = Binary(sign, node, self._signed())
        return node

    def _signed(self) -> Array:
        minus = False
        while sign := self._accept("+", "-"):
            minus ^= sign == "-"
        node = self._power()
        return Minus(node) if minus else node

    def _power(self) -> Array:
        base = self._postfix(self._atom())
        if not self._accept("**"):
            return base
        minus, exponent = self._accept("-"), self._next
        if not exponent.isdigit() or int(exponent) > 12:
            raise Unreadable(f"an exponent is a whole number up to 12, not {exponent!r}")
        self._place += 1
        if self._next == "**":
            raise Unreadable("a power of a power needs parentheses")
        return Binary("**", base, Constant(-float(exponent) if minus else float(exponent)))

    def _atom(self) -> Array:
        if self._accept("("):
            node = self._sum()
            self._expect(")")
            return node
        token = self._next
        self._place += 1
        if token[:1].isdigit() or (token[:1] == "." and token != "."):
            if len(token) > 9:
                raise Unreadable(f"{token[:12]}… has too many digits")
            return Constant(float(token))
        while token in _KEEPERS and self._accept("."):
            token = "d" * (token == "gradients" and self._next == "w") + self._next
            self._place += 1
        return self._named(token)

    def _named(self, token: str) -> Array:
        if token in _FUNCTIONS and self._next == "(":
            return Call(_FUNCTIONS[token], self._arguments(1)[0])
        if token in ("outer", "dot", "matmul", "multiply"):
            one, two = self._arguments(2)
            return Binary({"outer": "outer", "multiply": "*"}.get(token, "@"), one, two)
        if token == "maximum":
            parts = self._arguments(2)
            if Constant(0.0) not in parts:
                raise Unreadable("maximum is read as np.maximum(0, a)")
            return Call("relu", parts[parts[0] == Constant(0.0)])
        if token == "sum":
            return self._sum_of(None)
        if token in ("t", "y"):
            return Name(token)
        match = _ARRAY.fullmatch(token)
        if match is None:
            raise Unreadable(
                f"{token or 'the end'!r} is no array of this network; it has a, z, w, delta of a layer "
                "(z3 or z[3]), x, t and y"
            )
        name, digits = _CALLED.get(match[1], match[1]), match[2]
        if name[0] in "dg" and name[-1] in "wWa" and name != "delta":
            name = "delta" if name[-1] == "a" else "dw"
        if name == "x":
            return Name("z", Index("", 1))
        if digits:
            return Name(name, Index("", int(digits[:4])))
        if not self._accept("["):
            raise Unreadable(f"{token} stands without its layer; write {token}[3]")
        layer = self._layer()
        self._expect("]")
        return Name(name, layer)

    def _layer(self) -> Index:
        token = self._next
        self._place += 1
        if token not in ("l", "L") and not (token.isdigit() and len(token) < 5):
            raise Unreadable(f"{token!r} is no layer: a number, l or L, plus or minus a number")
        letter, offset = (token, 0) if token in ("l", "L") else ("", int(token))
        while sign := self._accept("+", "-"):
            step = self._next
            if not step.isdigit() or len(step) > 4:
                raise Unreadable(f"{step!r} is no number of layers")
            self._place += 1
            offset += int(step) if sign == "+" else -int(step)
        return Index(letter, offset)

    def _arguments(self, count: int) -> list[Array]:
        self._expect("(")
        found = [self._sum()]
        while self._accept(","):
            found.append(self._sum())
        self._expect(")")
        if len(found) != count:
            raise Unreadable(f"a function takes {count} argument{'s' * (count > 1)} here, not {len(found)}")
        return found

    def _sum_of(self, array: Array | None) -> Array:
        """Read the arguments of sum, a method of `array` or a function."""
        self._expect("(")
        node = array if array is not None else self._sum()
        axis: int | None = None
        self._accept(",")
        if self._accept("axis"):
            self._expect("=")
        if self._next != ")":
            minus = self._accept("-")
            if self._next not in ("0", "1"):
                raise Unreadable("a sum runs along axis 0 or 1")
            axis = int(self._next) * (-1 if minus else 1)
            self._place += 1
        self._expect(")")
        return Summed(node, axis)

    def _postfix(self, node: Array) -> Array:
        while True:
            if self._accept("."):
                if self._accept("T"):
                    node = Turned(node)
                elif self._accept("sum"):
                    node = self._sum_of(node)
                elif self._accept("dot"):
                    node = Binary("@", node, self._arguments(1)[0])
                else:
                    raise Unreadable(f".{self._next} is not part of these expressions; .T, .sum and .dot are")
            elif self._accept("["):
                node = Item(node, self._key())
            else:
                return node

    def _key(self) -> tuple[int | str | None, ...]:
        key: list[int | str | None] = []
        while True:
            minus = self._accept("-")
            token = self._next
            self._place += 1
            if token == ":" and not minus:
                key.append(":")
            elif token == "None" and not minus:
                key.append(None)
            elif token.isdigit() and len(token) < 5:
                key.append(int(token) * (-1 if minus else 1))
            else:
                raise Unreadable(f"{token or 'the end'!r} is no index: a number, : or None")
            if not self._accept(","):
                break
        self._expect("]")
        return tuple(key[:4])
