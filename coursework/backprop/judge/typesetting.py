r"""What only sets type is taken out: fonts, text boxes, delimiters' sizes, alignment, environments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coursework.backprop.judge.grammar import FUNCTIONS
from coursework.backprop.judge.indicators import END_OF_CASES
from coursework.backprop.judge.quantities import QUANTITIES
from coursework.backprop.judge.tokens import MAX_TOKENS, Token, Unreadable, split

_SILENT = frozenset((
    "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr", "big", "Big", "bigg", "Bigg", "bigm",
    "Bigm", "middle", "displaystyle", "textstyle", "limits", "nolimits", "quad", "qquad", "space",
    "thinspace", "enspace", "rm", "bf", "it", "nonumber", "notag",
))  # fmt: skip
_FONTS = frozenset((
    "mathrm", "mathit", "mathbf", "mathsf", "mathnormal", "boldsymbol", "bm", "pmb", "operatorname",
))  # fmt: skip
_BLACKBOARD = ("mathbb", "mathds", "mathbbm")
_BOLD = ("mathbf", "boldsymbol", "bm")
_HATS = ("hat", "widehat", "bar", "tilde")
#: Environments that only arrange lines; "cases" means something.
_ENVIRONMENTS = (
    "equation", "align", "aligned", "alignat", "gather", "gathered", "split", "multline", "math",
    "displaymath", "eqnarray", "flalign",
)  # fmt: skip
_CASES = ("cases", "dcases", "rcases")
#: Words that mean something in a text box, beside the names of quantities and functions.
_CONNECTIVES = frozenset((
    "if", "for", "when", "where", "otherwise", "else", "or", "and", "not", "iff", "some", "all", "any",
    "every", "exists", "in", "only", "max", "with", "such", "that", "there",
))  # fmt: skip
_CONTINUES = ("=", "+", "-", "*", "/", "≤", "≥", "<", ">", "≠", "∨", "∧", "⇔", ")", "]", "}", "^", "_", "…")


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` that have a meaning; raise `Unreadable` where one has none."""
    found = split(text)
    for step in _STEPS:
        found = step(found)
    return found


def _unreadable(reason: str, token: Token) -> Unreadable:
    return Unreadable(f"{reason} (at character {token.start + 1})")


def _without_boxes(typed: Sequence[Token]) -> list[Token]:
    """Open text boxes whose words mean something; refuse prose."""
    found: list[Token] = []
    for token in typed:
        if token.kind != "prose":
            found.append(token)
            continue
        for part in split(token.text):
            known = part.text in _CONNECTIVES or part.text in QUANTITIES or part.text in FUNCTIONS
            if part.kind == "word" and not known and len(part.text) > 1:
                raise _unreadable(f"{token.text.strip()[:40]!r} is prose; type the formula alone", token)
            found.append(Token(part.kind, part.text, token.start, token.end))
    if len(found) > MAX_TOKENS:
        raise Unreadable(f"more than {MAX_TOKENS} symbols; type the one formula")
    return found


def _closing(typed: Sequence[Token], opening: int) -> int:
    """Return the place of the brace that closes the one at `opening`, or -1."""
    depth = 0
    for place in range(opening, len(typed)):
        depth += (typed[place].text == "{") - (typed[place].text == "}")
        if not depth:
            return place
    return -1


def _without_fonts(typed: Sequence[Token]) -> list[Token]:
    r"""Take \mathrm{sgn} for sgn, \hat{y} for y, and \mathbb{1} and \mathbf{1} for the indicator."""
    found: list[Token] = []
    place = 0
    while place < len(typed):
        token = typed[place]
        place += 1
        if token.kind != "command" or token.text not in (*_FONTS, *_BLACKBOARD, *_HATS):
            if not (token.kind == "command" and token.text in _SILENT):
                found.append(token)
            continue
        inner, after = _argument(typed, place)
        if token.text in _HATS:
            if [part.text for part in inner] not in (["y"], ["yn"]):
                reason = f"\\{token.text} stands over no output; only \\hat{{y}} is read, as y"
                raise _unreadable(reason, token)
        elif [part.text for part in inner] in (["1"], ["I"]) and token.text in (*_BLACKBOARD, *_BOLD):
            inner = [Token("word", "Ind", token.start, inner[-1].end)]
        elif token.text in _BLACKBOARD:
            reason = "only the indicator 1[a>0] is written in blackboard letters"
            raise _unreadable(reason, token)
        if len(inner) == 1 or (inner and inner[0].text == "(" and inner[-1].text == ")"):
            found += inner
            place = after
    return found


def _argument(typed: Sequence[Token], place: int) -> tuple[list[Token], int]:
    """Return the tokens of the argument at `place` without its braces, and the place behind it."""
    if place < len(typed) and typed[place].text == "{":
        end = _closing(typed, place)
        return (list(typed[place + 1 : end]), end + 1) if end > 0 else ([], place)
    return list(typed[place : place + 1]), place + 1


def _without_sizes(typed: Sequence[Token]) -> list[Token]:
    r"""Drop \left and \right, and the empty delimiter of \left. and \right."""
    found: list[Token] = []
    for place, token in enumerate(typed):
        before = typed[place - 1] if place else token
        sized = before.kind == "command" and before.text in ("left", "right")
        if token.kind == "command" and token.text in ("left", "right"):
            continue
        if sized and token.text == ".":
            continue
        if token.text == "|" and place + 1 < len(typed) and typed[place + 1].text == "_":
            reason = "a derivative at a place is written with its argument, h'(a_1^{(3)}), without a bar"
            raise _unreadable(reason, token)
        found.append(token)
    return found


def _without_lines(typed: Sequence[Token]) -> list[Token]:
    """Drop environments, alignment and the ends of lines, except in distinctions of cases."""
    found: list[Token] = []
    depth = place = 0
    while place < len(typed):
        token = typed[place]
        place += 1
        if token.kind == "environment":
            begins, name = token.text.startswith("begin"), token.text[token.text.index("{") + 1 : -1]
            if name == "array" and begins and found and found[-1].text == "(":  # \left\{\begin{array}{ll}
                found.pop()
                place = _argument(typed, place)[1]
            if name in _CASES or (name == "array" and (begins or depth)):
                depth += 1 if begins else -1
                sign = ("command", "cases") if begins else ("sign", END_OF_CASES)
                found.append(Token(*sign, token.start, token.end))
            elif name.rstrip("*") not in _ENVIRONMENTS:
                raise _unreadable(f"\\begin{{{name}}} is not read; type the formula alone", token)
        elif token.kind == "break":
            if depth > 0 and token.text != "\n":
                found.append(Token("sign", "\\\\", token.start, token.end))
            elif depth <= 0 and _starts_another(found, typed[place:]):
                raise _unreadable("two equations are typed; type one, or join them by =", typed[place])
        elif token.text != "&" or depth > 0:
            found.append(token)
    return found


def _starts_another(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """Whether a line that starts here is an equation of its own."""
    visible = [token for token in after if token.text != "&" and token.kind not in ("break", "environment")]
    if not visible or visible[0].text in _CONTINUES:
        return False
    end = next((place for place, token in enumerate(after) if token.kind == "break"), len(after))
    return _equates(before) and _equates(after[:end])


def _equates(typed: Sequence[Token]) -> bool:
    depth = 0
    for token in typed:
        if token.kind == "sign":
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
            if token.text == "=" and depth <= 0:
                return True
    return False


def _with_dots(typed: Sequence[Token]) -> list[Token]:
    r"""Take \cdot\cdot\cdot for dots, and drop the signs of multiplication beside dots."""
    found: list[Token] = []
    for token in typed:
        if token.text == "*" and found and found[-1].text == "…":
            continue
        if token.text == "…" and found and found[-1].text == "*":
            found.pop()
        found.append(token)
        if [part.text for part in found[-3:]] == ["*"] * 3:
            found[-3:] = [Token("sign", "…", found[-3].start, token.end)]
    return found


def _without_braces(typed: Sequence[Token]) -> list[Token]:
    r"""Take {\delta}_1 for \delta_1 and {h}' for h'."""
    found: list[Token] = []
    scripts: list[bool] = []
    place, after_argument = 0, False
    while place < len(typed):
        token, following = typed[place], typed[place : place + 4]
        before = found[-1].text if found else ""
        alone = [part.text for part in following[0:3:2]] == ["{", "}"]
        alone = alone and following[1].kind in ("word", "command")
        marked = len(following) == 4 and following[3].text in ("_", "^", "'")
        if alone and marked and before not in ("_", "^") and "frac" not in before and not after_argument:
            found.append(following[1])
            place += 3
            continue
        if token.text == "{":
            scripts.append(before in ("_", "^"))
        after_argument = token.text == "}" and bool(scripts) and not scripts.pop()
        found.append(token)
        place += 1
    return found


_STEPS: tuple[Callable[[Sequence[Token]], list[Token]], ...] = (
    _without_boxes, _without_fonts, _without_sizes, _without_lines, _with_dots, _without_braces,
)  # fmt: skip
