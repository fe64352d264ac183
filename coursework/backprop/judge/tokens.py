"""From text to tokens: LaTeX, plain text and Unicode mathematics come out alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Longer texts are refused unread: the longest answer anyone needs has some 300 characters.
MAX_CHARACTERS = 4000
MAX_TOKENS = 1500


class Unreadable(ValueError):
    """A text that is not a formula; the message names the place and the remedy."""


@dataclass(frozen=True)
class Token:
    """One token: `kind` is "number", "word", "command" (a LaTeX command) or "sign"."""

    kind: str
    text: str
    start: int


#: Commands that only set type.
_SILENT = frozenset((
    "left", "right", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr", "big", "Big",
    "bigg", "Bigg", "bigm", "displaystyle", "textstyle", "limits", "nolimits", "quad", "qquad", "space",
    "thinspace", "mathrm", "mathit", "mathbf", "boldsymbol", "bm", "mathsf", "operatorname", "text",
    "rm", "bf", "it", "nonumber",
))  # fmt: skip
_SAME = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥",
    "geq": "≥", "geqslant": "≥", "lt": "<", "gt": ">", "ne": "≠", "neq": "≠", "equiv": "=", "lbrace": "(",
    "rbrace": ")", "lbrack": "[", "rbrack": "]", "lvert": "|", "rvert": "|", "vert": "|", "mid": "|",
    "ldots": "…", "dots": "…", "cdots": "…", "prime": "'", "lor": "∨", "vee": "∨", "land": "∧", "wedge": "∧",
    "exists": "∃", "in": "∈", "forall": "∀", "neg": "¬", "lnot": "¬", "iff": "⇔", "{": "(", "}": ")",
    "|": "|",
}  # fmt: skip
_UNICODE = {
    "·": "*", "⋅": "*", "×": "*", "∗": "*", "÷": "/", "−": "-", "–": "-", "′": "'", "’": "'", "ʹ": "'",
    "≡": "=", "⟨": "(", "⟩": ")", "δ": " delta ", "Δ": " delta ", "σ": " sigma ", "ς": " sigma ",
    "Σ": " sum ", "∑": " sum ", "Π": " prod ", "∏": " prod ", "∂": " partial ", "φ": " phi ", "ϕ": " phi ",
    "½": "(1/2)", "𝟙": "1", "√": " sqrt ", "\u00a0": " ", "…": "…",
}  # fmt: skip
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ᵢⱼₖₗₘₙ", "0123456789+-()ijklmn", strict=True))
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁱʲᵏˡᵐⁿᴸ", "0123456789+-()ijklmnL", strict=True))
_TRANSLATION = str.maketrans(_UNICODE)

_TOKEN = re.compile(
    r"(?P<space>\s+|\\[,;:!\s]|~|&|\$|\\\\)"
    r"|(?P<number>\d+\.\d+|\.\d+|\d+)"
    r"|\\(?P<command>[A-Za-z]+|[{}|])"
    r"|(?P<word>[A-Za-z]+(?:_prime)?)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|\.\.\.?|:=|[-+*/^_=()\[\]{}|<>,.';≤≥≠…∨∧∃∈∀¬⇔:])",
    re.ASCII,
)
_SIGNS = {"**": "^", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "..": "…", "...": "…", ":=": "="}


def _plain_scripts(text: str) -> str:
    for table, mark in ((_SUBSCRIPTS, "_"), (_SUPERSCRIPTS, "^")):
        run = "".join(map(re.escape, table))
        text = re.sub(
            f"[{run}]+",
            lambda match, table=table, mark=mark: (  # type: ignore[misc]
                mark + "{" + "".join(table[c] for c in match[0]) + "}"
            ),
            text,
        )
    return text


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text`; raise `Unreadable` for a character that no formula has."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(
            f"the formula has {len(text)} characters; at most {MAX_CHARACTERS} are read: type the one formula"
        )
    if not text.isascii():
        text = _plain_scripts(text.translate(_TRANSLATION))
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unreadable(
                f"{text[place]!r} (at character {place + 1}) is not part of a formula; "
                "type letters, numbers, brackets and the signs + - * / ^ _ ="
            )
        kind, token, start = match.lastgroup or "", match[match.lastgroup or 0], place
        place = match.end()
        if kind == "space" or (kind == "command" and token in _SILENT):
            continue
        if kind == "command" and token in _SAME:
            kind, token = "sign", _SAME[token]
        if kind == "number" and len(token) > 9:
            raise Unreadable(f"{token[:20]}… has too many digits; at most 9 characters make a number")
        found.append(Token(kind, _SIGNS.get(token, token), start))
        if len(found) > MAX_TOKENS:
            raise Unreadable(f"more than {MAX_TOKENS} symbols; type the one formula")
    return found
