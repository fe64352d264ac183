"""Formulas and conditions as the project's own records write them: `hp(3,1) * w(3,1,1) * d(4,1)`.

The text is read with Python's grammar into the trees of `statement`, by a list of what is allowed; nothing in
it is ever run.
"""

from __future__ import annotations

import ast
from functools import reduce

from coursework.backprop.statement import (
    GATHERED,
    Applied,
    Both,
    Constant,
    Derivative,
    Either,
    Letter,
    Not,
    Operation,
    Over,
    Quantity,
    Statement,
)

#: The quantities and how many indices each has: layer first, then units.
QUANTITIES = {
    "a": 2,
    "z": 2,
    "d": 2,
    "hp": 2,
    "w": 3,
    "x": 1,
    "units": 1,
    "S": 2,
    "path": 2,
    "t": 0,
    "E": 0,
    "err": 0,
}
#: The functions: h as the network has it, the others as named.
FUNCTIONS = ("h", "sig", "relu", "step", "exp", "Abs")

#: Characters of a formula and depth of its nesting, far beyond any record's.
LONGEST, DEEPEST = 2000, 60

_OPERATORS: dict[type[ast.operator] | type[ast.cmpop], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class FormulaError(ValueError):
    """A formula cannot be read; the message quotes the part, `reason` says what is the matter with it."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part!r}: {reason}")
        self.reason = reason


def parse(text: str) -> Statement:
    """Read a formula or a condition.

    `a(l,j)`, `z(l,j)`, `d(l,j)` (delta), `hp(l,j)` (h' of a), `w(l,j,k)`, `x(j)`, `t`, `E`, `err` (output
    minus target), `units(l)`, `S(l,j)` (sum over the active paths from a unit to the output) and `path(l,j)`
    (whether there is one); `D(y, v)` (partial derivative); `h`, `sig`, `relu`, `step`, `exp`, `Abs` of one
    argument; `Sum(body, (k, low, high))` and `Product`, `Any`, `All`, `Max` likewise; single letters as
    indices; numbers, `+ - * / **`, one comparison at a time, `and`, `or`, `not`.

    Raises
    ------
    FormulaError : anything else.
    """
    if len(text) > LONGEST:
        raise FormulaError(f"{text[:20]}...", f"{len(text)} characters; a formula has at most {LONGEST}")
    try:
        return _read(ast.parse(text.strip(), mode="eval").body, 0)
    except FormulaError:
        raise
    except SyntaxError as error:
        raise FormulaError(text, f"not a formula, {error.msg}") from None
    except ValueError as error:
        raise FormulaError(text, f"not a formula, {error}") from None
    except (RecursionError, MemoryError):
        raise FormulaError(f"{text[:20]}...", "nested too deeply") from None


def _read(node: ast.expr, depth: int) -> Statement:
    if depth > DEEPEST:
        raise FormulaError("...", "nested too deeply")
    deeper = depth + 1
    match node:
        case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
            return Constant(constant)
        case ast.Name(id=name) if QUANTITIES.get(name) == 0:
            return Quantity(name)
        case ast.Name(id=name) if len(name) == 1 and name.isalpha() and name not in QUANTITIES:
            return Letter(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Operation("-", Constant(0), _read(operand, deeper))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_read(operand, deeper))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return Operation(_OPERATORS[type(op)], _read(left, deeper), _read(right, deeper))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return Operation(_OPERATORS[type(op)], _read(left, deeper), _read(right, deeper))
        case ast.BoolOp(op=op, values=values):
            parts = [_read(value, deeper) for value in values]
            return reduce(Both if isinstance(op, ast.And) else Either, parts)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _read_call(name, args, node, deeper)
    raise FormulaError(ast.unparse(node), "not part of the language of formulas")


def _read_call(name: str, args: list[ast.expr], node: ast.expr, depth: int) -> Statement:
    match name, args:
        case "D", [top, bottom]:
            of, by = _read(top, depth), _read(bottom, depth)
            if isinstance(of, Quantity) and isinstance(by, Quantity):
                return Derivative(of, by)
        case "D", [_]:
            raise FormulaError(ast.unparse(node), "a differential by itself is not a number")
        case _, [body, ast.Tuple(elts=[ast.Name(id=letter), low, high])] if name in GATHERED:
            return Over(name, _read(body, depth), letter, _read(low, depth), _read(high, depth))
        case _, [argument] if name in FUNCTIONS:
            return Applied(name, _read(argument, depth))
        case _, _ if QUANTITIES.get(name, 0) == len(args) > 0:
            return Quantity(name, tuple(_read(arg, depth) for arg in args))
    raise FormulaError(ast.unparse(node), "not part of the language of formulas")
