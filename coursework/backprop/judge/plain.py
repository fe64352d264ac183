"""What no formula for a gradient contains, and what could hide from any number of draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import (
    ONE,
    ZERO,
    Add,
    Apply,
    Divide,
    Letter,
    Multiply,
    Negative,
    Node,
    Number,
    Over,
    Partial,
    Power,
    Ref,
    add,
    children,
    walk,
)

#: Functions with a threshold at 0.
_THRESHOLDS = ("step", "relu", "abs")
#: Functions that come so close to 0 or 1 that no number of digits tells.
_FADING = ("exp", "sigma", "sigma'", "tanh", "tanh'", "h", "h'")
#: Largest power of a power.
_LARGEST_POWER = 24
#: Most decades between numbers in a formula, together; the digits of `exact` are for these.
_MOST_DECADES = 50.0
#: The same in an inequality of a condition: what is compared there spans 15 decades.
_MOST_DECADES_COMPARED = 6.0


def refuse_what_hides(node: Node) -> None:
    """Raise `Unreadable` if `node` contains what could make it equal at all draws and not everywhere."""
    for part in _outside_exponents(node):
        if isinstance(part, Letter):
            raise Unreadable(
                f"the index {part.index} stands as a number; it numbers layers or units, and belongs into "
                "indices, bounds and exponents"
            )
        if isinstance(part, Apply) and part.function in _THRESHOLDS and has_constant_term(part.argument):
            raise Unreadable("a comparison with another number than 0 stands in it: write [a_1^{(2)}>0]")
        fading = isinstance(part, Apply) and part.function in _FADING
        if fading and any(has_constant_term(p) or not _has_quantity(p) for p in children(part)):
            raise Unreadable("a function of a number stands in it; apply it to quantities only")
    if sum(_decades(part) for part in walk(node)) > _MOST_DECADES or _power(node) > _LARGEST_POWER:
        raise Unreadable("its numbers are too large or too small beside each other to be compared")


def refuse_thresholds(comparisons: Sequence[tuple[Node, str, Node]]) -> None:
    """Raise `Unreadable` if one of (left, relation, right) says more than where a product of quantities is 0.

    A number that quantities are compared with could lie beyond all sizes drawn.
    """
    for left, relation, right in comparisons:
        difference = add((left, Negative(right)))
        refuse_what_hides(difference)
        equality = relation in ("=", "≠")
        for part in _outside_exponents(difference):
            for term in part.terms if isinstance(part, Add) else ():
                plain = _is_zero(term) or (equality and term in (ONE, Negative(ONE)))
                if not plain and not _has_quantity(term):
                    raise Unreadable(
                        "another number than 0 stands in the condition; compare quantities with 0"
                    )
        if not equality and sum(_decades(part) for part in walk(difference)) > _MOST_DECADES_COMPARED:
            raise Unreadable("a number in the condition is too large or too small beside the others")


def has_constant_term(node: Node) -> bool:
    """Return whether a sum anywhere in `node` has a term without a quantity of the network."""
    return any(
        isinstance(part, Add) and not all(_has_quantity(term) or _is_zero(term) for term in part.terms)
        for part in walk(node)
    )


def _is_zero(node: Node) -> bool:
    return _is_zero(node.term) if isinstance(node, Negative) else node == ZERO


def _has_quantity(node: Node) -> bool:
    return any(isinstance(part, Ref | Partial) for part in walk(node))


def _outside_exponents(node: Node) -> list[Node]:
    parts = children(node)[:1] if isinstance(node, Power) else children(node)
    return [node, *(inner for part in parts for inner in _outside_exponents(part))]


def _decades(node: Node) -> float:
    """Return by how much the numbers before the terms of a sum differ, or that before an argument from 1."""
    match node:
        case Add(terms=terms):
            exponents = [_exponent(term) for term in terms]
            return max(exponents) - min(exponents)
        case Apply(argument=argument):
            return abs(_exponent(argument))
    return 0.0


def _power(node: Node) -> float:
    """Return the largest product of exponents that stand inside of each other, those of W aside."""
    inner = max((_power(part) for part in children(node)), default=1.0)
    if not isinstance(node, Power) or node.base == Ref("W"):
        return inner
    return inner * max(abs(_number(node.exponent)), 1.0)


def _number(node: Node) -> float:
    """Return the number that an exponent is, 0 for one with letters."""
    match node:
        case Number(value=value):
            return value
        case Negative(term=term):
            return -_number(term)
    return 0.0


def _exponent(node: Node) -> float:
    """Return the decimal logarithm of the number before the quantities of a product."""
    match node:
        case Number(value=value):
            return math.log10(abs(value)) if value and math.isfinite(value) else 0.0
        case Multiply(factors=factors):
            return sum(_exponent(factor) for factor in factors)
        case Divide(top=top, bottom=bottom):
            return _exponent(top) - _exponent(bottom)
        case Negative(term=part):
            return _exponent(part)
        case Power(base=base, exponent=exponent):
            return _number(exponent) * _exponent(base)
        case Over(kind="product", low=low, high=high, body=body):
            span = high.offset - low.offset if high.letter == low.letter else 152
            return max(span + 1, 0) * _exponent(body)
    return 0.0
