"""From text to tokens: LaTeX, plain text and Unicode mathematics come out alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coursework.backprop.judge.characters import spelled

#: Longer texts are refused unread: the longest answer anyone needs has some 300 characters.
MAX_CHARACTERS = 4000
MAX_TOKENS = 1500


class Unreadable(ValueError):
    """A text that is not a formula; the message names the place and the remedy."""


@dataclass(frozen=True)
class Token:
    """One token, typed from character `start` up to `end`.

    Its `kind` is "number", "word", "command" (a LaTeX command), "sign", or one of those that
    `typesetting` takes out: "prose" (what stands in a text box), "environment", "break" and "space".
    """

    kind: str
    text: str
    start: int
    end: int


_SAME = {
    "cdot": "*", "times": "*", "ast": "*", "odot": "*", "circ": "*", "div": "/", "le": "≤", "leq": "≤",
    "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥", "lt": "<", "gt": ">", "ne": "≠", "neq": "≠",
    "equiv": "=", "lbrace": "(", "rbrace": ")", "lbrack": "[", "rbrack": "]", "lvert": "|", "rvert": "|",
    "vert": "|", "mid": "|", "lVert": "|", "rVert": "|", "Vert": "|", "ldots": "…", "dots": "…",
    "cdots": "…", "dotsc": "…", "dotsb": "…", "dotsm": "…", "prime": "'", "lor": "∨", "vee": "∨",
    "land": "∧", "wedge": "∧", "exists": "∃", "in": "∈", "forall": "∀", "neg": "¬", "lnot": "¬",
    "iff": "⇔", "Leftrightarrow": "⇔", "Longleftrightarrow": "⇔", "colon": ":", "{": "(", "}": ")",
    "|": "|",
}  # fmt: skip
_TOKEN = re.compile(
    r"(?P<break>\\\\(?:\[[\d.]+[a-z]{2}\])?|\n)"
    r"|(?P<space>\s+|\\[,;:!/()\[\]\s]|~|\$|\\(?:label|tag)\{[^{}\n]*\})"
    r"|(?P<number>\d+\.\d+|\.\d+|\d+)"
    r"|\\(?:text(?:rm|it|bf|normal|sf)?|mbox|hbox)\s*\{(?P<prose>[^{}\\$]*)\}"
    r"|\\(?P<environment>(?:begin|end)\s*\{[A-Za-z]+\*?\})"
    r"|\\(?P<command>[A-Za-z]+|[{}|])"
    r"|(?P<word>[A-Za-z]+(?:_prime)?)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|\.\.\.?|:=|[-+*/^_=()\[\]{}|<>,.';&≤≥≠…∨∧∃∈∀¬⇔:])",
    re.ASCII,
)
_SIGNS = {"**": "^", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "..": "…", "...": "…", ":=": "="}


def split(text: str) -> list[Token]:
    """Return what `text` is made of; raise `Unreadable` for a character that no formula has."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(
            f"the formula has {len(text)} characters; at most {MAX_CHARACTERS} are read: type the one formula"
        )
    text, places = spelled(text)
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unreadable(
                f"{text[place]!r} (at character {places[place] + 1}) is not part of a formula; "
                "type letters, numbers, brackets and the signs + - * / ^ _ ="
            )
        kind, start, end = match.lastgroup or "", places[place], places[match.end() - 1] + 1
        token = match[kind]
        place = match.end()
        if kind == "space":
            continue
        if kind == "command" and token in _SAME:
            kind, token = "sign", _SAME[token]
        if kind == "number" and len(token) > 9:
            raise Unreadable(f"{token[:20]}… has too many digits; at most 9 characters make a number")
        found.append(Token(kind, _SIGNS.get(token, token), start, end))
        if len(found) > MAX_TOKENS:
            raise Unreadable(f"more than {MAX_TOKENS} symbols; type the one formula")
    return found
