"""The quantities of a network as people write them: w_{11}^{(3)}, delta[4][1], z^{(l)}_1, t_n."""

from __future__ import annotations

from collections.abc import Sequence

from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.tokens import Token, Unreadable
from coursework.backprop.judge.tree import Index, Node, Number, Power, Ref

#: Deeper nesting than any formula of the assignment has; the parser recurses no further.
MAX_DEPTH = 40

#: Typed name: quantity.
QUANTITIES = {
    "a": "a", "z": "z", "w": "w", "omega": "w", "b": "b", "delta": "delta", "x": "x", "t": "t", "tn": "t",
    "y": "y", "yn": "y", "E": "E", "En": "E", "W": "W",
}  # fmt: skip
#: How many indices of units each has; the others have neither layer nor unit.
UNITS = {"a": 1, "z": 1, "delta": 1, "b": 1, "x": 1, "w": 2}
_EXAMPLE = {"w": "w_{11}^{(2)}", "delta": r"\delta_1^{(3)}", "x": "x_1"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_END = Token("end", "the end", -1, -1)


def _example(name: str) -> str:
    return _EXAMPLE.get(name, f"{name}_1^{{(3)}}")


class QuantityReader:
    """Walks along the tokens and reads indices and quantities.

    Attributes
    ----------
    notes : what had to be assumed in order to read the text.
    """

    def __init__(self, typed: Sequence[Token], layout: Layout) -> None:
        self.tokens = list(typed)
        self.place = 0
        self.layout = layout
        self.notes: list[str] = []
        self._depth = 0

    @property
    def next(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.place] if self.place < len(self.tokens) else _END

    def ahead(self, by: int) -> Token:
        """Return the token `by` places further on."""
        place = self.place + by
        return self.tokens[place] if place < len(self.tokens) else _END

    def accept(self, *texts: str) -> str:
        """Read the next token if it is one of the signs `texts`; return it, else an empty string."""
        token = self.next
        if token.kind == "sign" and token.text in texts:
            self.place += 1
            return token.text
        return ""

    def expect(self, text: str) -> None:
        """Read the sign `text`."""
        if not self.accept(text):
            raise self.error(f"{text!r} is expected before {self.next.text!r}")

    def error(self, reason: str) -> Unreadable:
        """Return an `Unreadable` that says where the reading stopped."""
        token = self.next
        if token is _END:
            return Unreadable(reason if "the end" in reason else f"{reason} (at the end)")
        return Unreadable(f"{reason} (at character {token.start + 1})")

    def note(self, text: str) -> None:
        """Remember an assumption."""
        if text not in self.notes:
            self.notes.append(text)

    def split_word(self, letters: int = 1) -> str:
        """Read the first `letters` letters of the next word; the rest stays to be read."""
        token = self.next
        head, rest = token.text[:letters], token.text[letters:]
        if rest:
            self.tokens[self.place] = Token(token.kind, rest, token.start + letters, token.end)
        else:
            self.place += 1
        return head

    def index(self) -> Index:
        """Read an index: 3, k, l+1, 152, L-1."""
        token = self.next
        if token.kind == "number":
            self.place += 1
            index = Index("", self._integer(token.text))
        elif token.text == "N" and self.ahead(1).text == "_":
            index = self._number_of_units()
        elif token.kind == "word":
            index = Index(self.split_word())
        else:
            raise self.error(f"an index (a number or a letter) is expected before {token.text!r}")
        while self.next.text in ("+", "-") and self.ahead(1).kind in ("number", "word"):
            sign = 1 if self.accept("+", "-") == "+" else -1
            other = self.next
            if other.kind == "number":
                self.place += 1
                index = Index(index.letter, index.offset + sign * self._integer(other.text))
            elif sign == 1 and not index.letter:
                index = Index(self.split_word(), index.offset)
            else:
                raise self.error("an index is a letter plus or minus a number, say l+1")
        return index

    def _number_of_units(self) -> Index:
        """Read N_3, the number of units of layer 3."""
        start = self.place
        self.place += 2
        braces = self.accept("{")
        layer = self.index()
        if braces:
            self.expect("}")
        if layer.letter or not self.layout.units(layer.offset):
            self.place = start
            raise self.error(f"N_{layer} is no number of units known here; write the number itself")
        return Index("", self.layout.units(layer.offset))

    def _integer(self, text: str) -> int:
        if not text.isdigit() or len(text) > 4:
            raise self.error(f"{text} is not the number of a layer or a unit")
        return int(text)

    def quantity(self, name: str) -> Node:
        """Read the indices after the name of a quantity, and a power that may follow."""
        layer: Index | None = None
        units: tuple[Index, ...] = ()
        wanted = UNITS.get(name, 0)
        power: Node | None = None
        if wanted and self.next.kind == "number" and self.touching():
            units = self._digits(name, wanted)
        while power is None:
            if not units and self.accept("_"):
                units = self._subscript(name, wanted)
            elif self.next.text == "^" and not wanted:
                if self.ahead(1).text == "(" or (self.ahead(1).text, self.ahead(2).text) == ("{", "("):
                    raise self.error(f"{name} has no layer; a power is written without parentheses, ^2")
                break
            elif self.next.text == "^":
                index, certain = self._superscript()
                if index is None:
                    break
                if name == "x" and certain and index == Index("n"):
                    continue  # the n-th example
                if wanted and layer is None and (certain or name != "x"):
                    layer = index
                    if not certain:
                        self.note(f"the superscript {index} of {name}, without parentheses, is read as layer")
                elif certain:
                    raise self.error(f"{name} has one layer at most; write a power with a number, say ^2")
                elif index.letter or not 0 <= index.offset <= 12:
                    raise self.error(f"an exponent is a number up to 12, not {index}")
                else:
                    power = Number(index.offset, str(index))
            elif wanted and layer is None and not units and self.next.text == "[":
                layer, units = self._brackets(name, wanted)
            elif units and layer is None and self.next.text == "(" and (index := self._called()):
                layer = index
            else:
                break
        if name in ("E", "y"):
            self._arguments_of_the_loss()
        ref = self._completed(name, layer, units)
        return Power(ref, power) if power is not None else ref

    def touching(self) -> bool:
        """Whether nothing stands between the token read last and the next."""
        return self.place > 0 and self.next.start == self.ahead(-1).end

    def _digits(self, name: str, wanted: int) -> tuple[Index, ...]:
        """Read units typed at the name itself: delta1^(3), w11^(2)."""
        typed = self.next.text
        if len(typed) != wanted or self.ahead(1).text in ("_", "["):
            raise self.error(f"{name}{typed} does not tell layer from unit; write {_example(name)}")
        self.place += 1
        return tuple(Index("", self._integer(digit)) for digit in typed)

    def _called(self) -> Index | None:
        """Read the layer of delta_1(4)."""
        start = self.place
        if self.touching() and self.ahead(1).kind in ("number", "word"):
            self.place += 1
            index = self.index()
            if self.accept(")"):
                return index
            self.place = start
        return None

    def _subscript(self, name: str, wanted: int) -> tuple[Index, ...]:
        opening = self.accept("{", "(", "[")
        found: list[Index] = []
        while True:
            token = self.next
            if token.kind == "number":
                digits = list(token.text) if wanted == 2 and len(token.text) == 2 else [token.text]
                self.place += 1
                found += [Index("", self._integer(digit)) for digit in digits]
            elif token.kind == "word" and (opening or len(found) < max(wanted, 1)):
                found.append(Index(self.split_word()))
            elif token.text in ("(", "["):
                raise self.error(f"the layer goes above, in parentheses: write {_example(name)}")
            else:
                raise self.error(f"an index is expected before {token.text!r}")
            if opening:
                if self.next.text in ("+", "-") and found:
                    self.place += 1
                    sign = 1 if self.ahead(-1).text == "+" else -1
                    last, step = found.pop(), self.index()
                    found.append(Index(last.letter, last.offset + sign * step.offset))
                if self.accept(_CLOSING[opening]):
                    break
                self.accept(",", ";")
            elif len(found) >= max(wanted, 1) or self._apart():
                break
        return self._without_example(name, wanted, found)

    def _without_example(self, name: str, wanted: int, found: list[Index]) -> tuple[Index, ...]:
        """Return the indices of units: x_{n1} names the n-th example, and t_n, y_1 and E_n have none."""
        example = Index("n")
        if not wanted:
            if name == "W" or any(index not in (example, Index("", 1)) for index in found):
                self.place -= 1
                shown = {"W": "W, the largest |w|", "t": "t_n", "E": "E_n"}.get(name, name)
                raise self.error(f"there is one {name}; write {shown}")
            return ()
        if name == "x" and len(found) == 2 and example in found:
            found.remove(example)
        return tuple(found)

    def _apart(self) -> bool:
        """Whether the next token is no further index: w_k1 has two, w_k z_1 one."""
        return self.next.kind not in ("number", "word") or not self.touching()

    def _superscript(self) -> tuple[Index | None, bool]:
        """Read ^(3), ^{(3)}, ^[3], ^{3} or ^3; say whether it is certainly a layer."""
        start = self.place
        self.expect("^")
        braces = self.accept("{")
        opening = self.accept("(", "[")
        if self.next.kind not in ("number", "word"):
            self.place = start
            return None, False
        index = self.index() if braces or opening else self._single()
        if opening:
            self.expect(_CLOSING[opening])
        if braces:
            self.expect("}")
        return index, bool(opening)

    def _single(self) -> Index:
        token = self.next
        if token.kind == "word":
            return Index(self.split_word())
        self.place += 1
        return Index("", self._integer(token.text))

    def _brackets(self, name: str, wanted: int) -> tuple[Index, tuple[Index, ...]]:
        """Read [layer][unit], [layer][unit, unit] and [layer][unit][unit]; of x also [unit]."""
        found: list[Index] = []
        while self.accept("["):
            found.append(self.index())
            while self.accept(","):
                found.append(self.index())
            self.expect("]")
        if name == "x" and len(found) == 1:
            return Index("", 1), (found[0],)
        return found[0], tuple(found[1 : 1 + wanted + 1])

    def _arguments_of_the_loss(self) -> None:
        """Skip (w), (x_n, w) after E_n and y."""
        if self.next.text != "(":
            return
        ahead = 1
        while self.ahead(ahead).text in ("w", "x", "_", "n", ",", ";", "{", "}", "x_n", "omega"):
            ahead += 1
        if ahead > 1 and self.ahead(ahead).text == ")":
            self.place += ahead + 1

    def _completed(self, name: str, layer: Index | None, units: tuple[Index, ...]) -> Ref:
        """Return the quantity with what goes without saying; refuse what cannot be guessed."""
        wanted, example = UNITS.get(name, 0), _example(name)
        if not wanted:
            return Ref(name)
        if name == "x":
            if layer not in (None, Index("", 1)):
                raise self.error("x is layer 1; write x_1, or z_1^{(2)} for another layer")
            layer = Index("", 1)
        if layer is None:
            raise self.error(f"{name} stands without its layer; write {example}")
        if not units:
            alone = not layer.letter and self.layout.units(layer.offset) == 1
            unit = 1 if alone else self.layout.row
            if not unit or (name == "w" and not self.layout.row):
                raise self.error(f"{name} stands without its unit; write {example}")
            units = (Index("", unit),) * wanted
            shown = "".join(map(str, units))
            self.note(f"{name} of layer {layer} without a unit is read as {name}_{shown}")
        if len(units) != wanted:
            number = "two indices (to, from)" if wanted == 2 else "one index"
            raise self.error(f"{name} takes {number}; write {example}")
        return Ref(name, layer, units)
