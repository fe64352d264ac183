"""The ways in which a text can be read: brackets that do not balance are closed in every place possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from coursework.backprop.judge.deadline import OutOfTime, look
from coursework.backprop.judge.grammar import Grammar
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.tokens import Token, Unreadable
from coursework.backprop.judge.tree import (
    Multiply,
    Node,
    Over,
    children,
    free_letters,
    multiply,
    normal,
    with_children,
)
from coursework.backprop.judge.typesetting import tokens

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {closing: opening for opening, closing in _PAIRS.items()}
#: Most ways to close the brackets that are tried.
MAX_READINGS = 80


@dataclass(frozen=True)
class Reading:
    """One way to read a text.

    Attributes
    ----------
    sides : of the equation, or the one formula.
    notes : what was assumed.
    faults : partial signs left out, "numerator" or "denominator".
    bracket : where a bracket was put in or taken out, in words; empty where they balance.
    """

    sides: tuple[Node, ...]
    notes: tuple[str, ...]
    faults: tuple[str, ...]
    bracket: str = ""


def readings(text: str, layout: Layout) -> list[Reading]:
    """Return the ways to read `text`, the plainest first.

    Raises
    ------
    Unreadable : there is none.
    """
    typed = tokens(text)
    wrong = _unbalanced(typed)
    if not wrong:
        return _read(typed, layout, "")
    if len(wrong) > 2 or (len(wrong) == 2 and len(typed) > 200):
        raise Unreadable(f"{len(wrong)} brackets have no partner; at most two are looked for")
    found: list[Reading] = []
    for mended, words in islice(_balanced(typed, wrong, layout), MAX_READINGS):
        look()
        try:
            possible = _read(mended, layout, words)
        except OutOfTime:
            raise
        except Unreadable:
            continue
        found += [r for r in possible if all(r.sides != other.sides for other in found)]
    if not found:
        bracket = typed[wrong[0]]
        raise Unreadable(f"the bracket {bracket.text!r} at character {bracket.start + 1} has no partner")
    return found


def _read(typed: Sequence[Token], layout: Layout, bracket: str) -> list[Reading]:
    grammar = Grammar(typed, layout)
    typed_sides = [normal(side) for side in grammar.equation()]
    products = [normal(product) for product in grammar.open_products]
    sides = tuple(_apart(side, products) for side in typed_sides)
    notes, faults = tuple(grammar.notes), tuple(grammar.faults)
    found = [Reading(sides, notes, faults, bracket)]
    short = tuple(_shortened(side, products) for side in typed_sides)
    if short != sides:
        note = "the product is taken to end where its index occurs for the last time"
        found.append(Reading(short, (*notes, note), faults, bracket))
    return found


def _apart(node: Node, products: Sequence[Node]) -> Node:
    """Return `node` with each of `products` ended before a product in which its letter does not occur."""
    parts = [_apart(part, products) for part in children(node)]
    if isinstance(node, Over) and node in products and isinstance(node.body, Multiply):
        factors = node.body.factors
        for place, factor in enumerate(factors[1:], start=1):
            another = isinstance(factor, Over) and factor.kind == "product"
            if another and node.letter not in free_letters(factor):
                rest = _apart(multiply(factors[place:]), products)
                return multiply([replace(node, body=multiply(factors[:place])), rest])
    return normal(with_children(node, parts))


def _shortened(node: Node, products: Sequence[Node]) -> Node:
    """Return `node` with each of `products` ended before the factors in which its letter does not occur."""
    node = with_children(node, [_shortened(part, products) for part in children(node)])
    if isinstance(node, Over) and node in products and isinstance(node.body, Multiply):
        factors = node.body.factors
        last = max((i for i, f in enumerate(factors) if node.letter in free_letters(f)), default=-1)
        if 0 <= last < len(factors) - 1:
            inside = multiply(factors[: last + 1])
            return multiply([Over("product", node.letter, node.low, node.high, inside), *factors[last + 1 :]])
    return normal(node)


def _unbalanced(typed: Sequence[Token]) -> list[int]:
    """Return the places of the brackets without a partner."""
    stack: list[int] = []
    wrong: list[int] = []
    for place, token in enumerate(typed):
        if token.kind != "sign":
            continue
        if token.text in _PAIRS:
            stack.append(place)
        elif token.text in _CLOSING:
            if stack and typed[stack[-1]].text == _CLOSING[token.text]:
                stack.pop()
            elif len(stack) > 1 and typed[stack[-2]].text == _CLOSING[token.text]:
                wrong.append(stack.pop())  # the inner one was never closed
                stack.pop()
            else:
                wrong.append(place)
    return sorted(wrong + stack)


def _balanced(
    typed: Sequence[Token], wrong: Sequence[int], layout: Layout
) -> Iterator[tuple[list[Token], str]]:
    """Yield `typed` with a partner for the first of the brackets `wrong`, then for the next."""
    reach = _reach(typed, layout)
    for mended, words in _partnered(list(typed), wrong[0], reach):
        remaining = _unbalanced(mended)
        if not remaining:
            yield mended, words
        elif len(remaining) < len(wrong):
            for further, more in _balanced(mended, remaining, layout):
                yield further, f"{words}, and {more}"


def _reach(typed: Sequence[Token], layout: Layout) -> int:
    """Return the last place where another bracket could change what stopped the reading."""
    grammar = Grammar(typed, layout)
    try:
        grammar.equation()
    except Unreadable:
        return grammar.place + 4  # the grammar looks a few tokens ahead
    return len(typed)


def _partnered(typed: list[Token], place: int, reach: int) -> Iterator[tuple[list[Token], str]]:
    """Yield `typed` with a partner for the bracket at `place` up to `reach`, or without the bracket."""
    bracket = typed[place]
    if bracket.text in _PAIRS:
        partner = _PAIRS[bracket.text]
        for end in range(place + 2, min(len(typed), reach) + 1):
            before = typed[end - 1]
            token = Token("sign", partner, before.end, before.end)
            shown = _shown(typed[place:end])
            yield [*typed[:end], token, *typed[end:]], f"`{partner}` is put in after `{shown}`"
    else:
        partner = _CLOSING[bracket.text]
        if place <= reach:
            yield [*typed[:place], *typed[place + 1 :]], f"`{bracket.text}` is left out"
        for start in range(min(place, reach + 1)):
            token = Token("sign", partner, typed[start].start, typed[start].start)
            shown = _shown(typed[start:place])
            yield [*typed[:start], token, *typed[start:]], f"`{partner}` is put in before `{shown}`"


def _shown(typed: Sequence[Token]) -> str:
    def joined(some: Sequence[Token]) -> str:
        return "".join("\\" + token.text if token.kind == "command" else token.text for token in some)

    return joined(typed) if len(typed) <= 16 else f"{joined(typed[:7])}…{joined(typed[-7:])}"
