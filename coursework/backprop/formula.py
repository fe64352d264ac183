"""Formulas as the project's own records write them: `hp(3,1) * w(3,1,1) * d(4,1)`.

The text is read with Python's grammar into `expression` trees, by a list of what is allowed; nothing in
it is ever run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from coursework.backprop.expression import Expression, Number, Sum
from coursework.backprop.symbols import LOSS, A, Delta, HPrime, Index, Partial, Symbol, T, W, X, Z


class FormulaError(ValueError):
    """A formula cannot be read; the message quotes the part."""


_SYMBOLS: dict[str, Callable[[int, Index], Symbol]] = {"a": A, "z": Z, "d": Delta, "hp": HPrime}
_OPERATORS: dict[type[ast.operator], Callable[[Expression, Expression], Expression]] = {
    ast.Mult: operator.mul,
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
}


def parse(text: str) -> Expression:
    """Read a formula.

    `a(l,j)`, `z(l,j)`, `d(l,j)` (delta), `hp(l,j)` (h' of a), `w(l,j,k)`, `x(j)`, `t`, `E`, numbers,
    `D(y, v)` (partial derivative), `Sum(k, n, ...)` (k from 1 to n), and `*`, `-`, `/`.

    Raises
    ------
    FormulaError : anything else.
    """
    try:
        return _read(ast.parse(text, mode="eval").body)
    except SyntaxError:
        raise FormulaError(f"{text!r} is not a formula") from None


def _read(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
            return Number(constant)
        case ast.Name(id="E"):
            return LOSS
        case ast.Name(id="t"):
            return T(0, 1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_read(left), _read(right))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _read_call(name, args, node)
    raise FormulaError(f"{ast.unparse(node)!r} is not part of the language of formulas")


def _read_call(name: str, args: list[ast.expr], node: ast.expr) -> Expression:
    match name, args:
        case (("a" | "z" | "d" | "hp"), [ast.Constant(value=int() as l), j]):
            return _SYMBOLS[name](l, _index(j))
        case "w", [ast.Constant(value=int() as l), j, k]:
            return W(l, _index(j), _index(k))
        case "x", [j]:
            return X(1, _index(j))
        case "D", [top, bottom]:
            numerator, denominator = _read(top), _read(bottom)
            if isinstance(numerator, Symbol) and isinstance(denominator, Symbol):
                return Partial(numerator, denominator)
        case "Sum", [ast.Name(id=letter), ast.Constant(value=int() as last), body]:
            return Sum(letter, last, _read(body))
    raise FormulaError(f"{ast.unparse(node)!r} is not part of the language of formulas")


def _index(node: ast.expr) -> Index:
    match node:
        case ast.Constant(value=int() as unit):
            return unit
        case ast.Name(id=letter):
            return letter
    raise FormulaError(f"{ast.unparse(node)!r} is not an index: a number or the letter of a sum")
