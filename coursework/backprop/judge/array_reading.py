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
#: What to type for a sign that numpy does not have, or that is not needed.
_INSTEAD = {
    "'": "write h_prime(a[3]) for h'(a), and @ for einsum", "^": "a power is **, a transposed array .T",
    '"': "write @ for einsum", "′": "write h_prime(a[3])", "·": "write * or @", "×": "write * or @",
    "δ": "write delta", "σ": "write sigma",
}  # fmt: skip
_SURELY = re.compile(
    r"@|\.T\b|\bnp\.|\bnumpy\.|\.dot\(|\.sum\(|\bouter\(|\bNone\b|_prime\(|\*\*|\b(?:delta|[azwW])\d+\b(?!\s*[_^(])"
    r"|^\s*(?:grad|gradient|result|answer)\s*=(?!=)"
)
#: What numpy alone has, and a[3][1], which is a single quantity.
_CODE, _SINGLE = re.compile(r"@|\.T\b|\bnp\.|\bnumpy\."), re.compile(r"\b(?:delta|[azwW])\[[^\]]*\]\[")
_WHOLE = re.compile(r"\b(?:delta|[azwW])\[[^\],]*\](?!\s*[\[_^])")


def is_numpy(text: str) -> bool:
    """Return whether `text` is code on whole arrays, not a formula of single quantities."""
    text = text[:MAX_CHARACTERS]
    if "\\" in text or ("^" in text and "@" not in text):
        return False
    if _SINGLE.search(text) and not _CODE.search(text):
        return False
    return bool(_SURELY.search(text) or _WHOLE.search(text))


class ArrayReader:
    """Reads one numpy expression by recursive descent; nothing of it is run."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise Unreadable(f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read")
        self._tokens: list[str] = []
        self._starts: list[int] = []
        self._place = self._depth = 0
        place, text = 0, text.rstrip().rstrip(";")
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                strange = text[place:].lstrip()[:1]
                self._starts.append(text.index(strange, place))
                self._place = len(self._tokens)
                known = _INSTEAD.get(strange, "type names of arrays, numbers, brackets and + - * / @ **")
                raise self._error(f"{strange!r} is not part of an expression on arrays; {known}")
            self._tokens.append(match[match.lastindex or 0])
            self._starts.append(match.start(match.lastindex or 0))
            place = match.end()
        if len(self._tokens) > MAX_TOKENS:
            raise Unreadable(f"more than {MAX_TOKENS} symbols; type the one expression")

    def read(self) -> tuple[Array, ...]:
        """Return the sides of the equation or assignment, or the one expression."""
        sides: list[Array] = []
        for place, (before, token) in enumerate(pairwise(self._tokens)):
            if token == "=" and before in _OPERATORS:
                self._place = place
                raise self._error(f"{before}= changes what stood there before; type the derivative alone")
        if self._next in _RESULTS and self._tokens[1:2] == ["="]:
            self._place = 2
        while True:
            sides.append(self._sum())
            if not self._accept("="):
                break
            self._accept("=")
        if self._next:
            raise self._error(f"{self._next!r} does not continue the expression")
        return tuple(sides)

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _error(self, reason: str, back: int = 0) -> Unreadable:
        """Return an `Unreadable` that says where the reading stopped, `back` symbols before this place."""
        if self._place - back < len(self._starts):
            reason += f" (at character {self._starts[self._place - back] + 1})"
        return Unreadable(reason)

    def _accept(self, *texts: str) -> str:
        if self._next and self._next in texts:
            self._place += 1
            return self._tokens[self._place - 1]
        return ""

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._error(f"{text!r} is expected before {self._next or 'the end'!r}")

    def _sum(self) -> Array:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"the expression is nested deeper than {MAX_DEPTH} levels")
        node = self._product()
        while sign := self._accept("+", "-"):
            node = Binary(sign, node, self._product())
        if self._accept(">"):
            if not self._accept("0"):
                raise self._error("a comparison is read as a > 0")
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
            raise self._error(f"an exponent is a whole number up to 12, not {exponent!r}")
        self._place += 1
        if self._next == "**":
            raise self._error("a power of a power needs parentheses: (z3**2)**2")
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
                raise self._error(f"{token[:12]}… has too many digits; at most 9 are read", 1)
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
                raise self._error("maximum is read as np.maximum(0, a)")
            return Call("relu", parts[parts[0] == Constant(0.0)])
        if token == "sum":
            return self._sum_of(None)
        if token in ("t", "y"):
            return Name(token)
        match = _ARRAY.fullmatch(token)
        if match is None:
            raise self._error(
                f"{token or 'the end'!r} is no array of this network; it has a, z, w, delta of a layer "
                "(z3 or z[3]), x, t and y",
                back=1,
            )
        name, digits = _CALLED.get(match[1], match[1]), match[2]
        if name[0] in "dg" and name[-1] in "wWa" and name != "delta":
            name = "delta" if name[-1] == "a" else "dw"
        if name == "x":
            return Name("z", Index("", 1))
        if digits:
            return Name(name, Index("", int(digits[:4])))
        if not self._accept("["):
            raise self._error(f"{token} stands without its layer; write {token}[3]")
        layer = self._layer()
        self._expect("]")
        return Name(name, layer)

    def _layer(self) -> Index:
        token = self._next
        self._place += 1
        if token not in ("l", "L") and not (token.isdigit() and len(token) < 5):
            raise self._error(f"{token!r} is no layer: a number, l or L, plus or minus a number", 1)
        letter, offset = (token, 0) if token in ("l", "L") else ("", int(token))
        while sign := self._accept("+", "-"):
            step = self._next
            if not step.isdigit() or len(step) > 4:
                raise self._error(f"{step!r} is no number of layers")
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
            raise self._error(f"a function takes {count} argument{'s' * (count > 1)} here, not {len(found)}")
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
                raise self._error("a sum runs along axis 0 or 1")
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
                    raise self._error(f".{self._next} is not read here; .T, .sum and .dot are")
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
                raise self._error(f"{token or 'the end'!r} is no index: a number, : or None", 1)
            if not self._accept(","):
                break
        self._expect("]")
        return tuple(key[:4])
