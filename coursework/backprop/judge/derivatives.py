"""The derivative of a typed formula, for lines such as the derivative of a sum by a weight."""

from __future__ import annotations

from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import (
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
    multiply,
)

_TWO = Number(2, "2")


def derivative(node: Node, bottom: Ref) -> Node:
    """Return d(node)/d(bottom) with derivatives of single quantities left standing.

    Raises
    ------
    Unreadable : a function stands in `node` whose derivative these formulas do not know.
    """
    match node:
        case Number() | Letter():
            return ZERO
        case Ref():
            return Partial(node, bottom)
        case Negative(term=term):
            return Negative(derivative(term, bottom))
        case Add(terms=terms):
            return add([derivative(term, bottom) for term in terms])
        case Multiply(factors=factors):
            return add(
                [
                    multiply([*factors[:i], derivative(factor, bottom), *factors[i + 1 :]])
                    for i, factor in enumerate(factors)
                    if not isinstance(factor, Number)
                ]
                or [ZERO]
            )
        case Divide(top=top, bottom=Number() as number):
            return Divide(derivative(top, bottom), number)
        case Power(base=base, exponent=Number(value=n) as exponent) if n == int(n) and n >= 1:
            lower = base if n == 2 else Power(base, Number(n - 1, f"{n - 1:g}"))
            inner = derivative(base, bottom)
            return multiply([exponent, lower, inner]) if n > 1 else inner
        case Over(kind="sum", letter=letter, low=low, high=high, body=body):
            return Over("sum", letter, low, high, derivative(body, bottom))
        case Apply(function=("h" | "sigma") as function, argument=argument):
            return multiply([Apply(function + "'", argument), derivative(argument, bottom)])
        case Apply(function="exp", argument=argument):
            return multiply([node, derivative(argument, bottom)])
    raise Unreadable("this derivative is not read; carry it out, or write it of a single quantity")
