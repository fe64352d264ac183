"""What a parameter's value must satisfy, written in its declaration and checked before a kernel starts.

The condition stands behind a bar at the end of the comment:

    dropout: float = 0.5  # share of units silenced | 0 <= dropout < 1
    sizes: list[int] = [3, 1]  # units of each layer | len(sizes) >= 2 and each >= 1
    data_dir: str = "data"  # folder of pictures | is_folder(data_dir)

It is written as Python and read as a syntax tree, and never run as Python. It may speak of any parameter of
the cell; `each` stands for every entry of the list that it belongs to.
"""

from __future__ import annotations

import ast
import operator
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework._common.files import resolve_input

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda value, among: value in among,
    ast.NotIn: lambda value, among: value not in among,
}

_FUNCTIONS: dict[str, Callable[[Any, Path], Any]] = {
    "len": lambda value, folder: len(value),
    # a blank names nothing, not the folder that it would be joined to
    "is_file": lambda path, folder: path.strip() != "" and os.path.isfile(resolve_input(path, folder)),
    "is_folder": lambda path, folder: path.strip() != "" and os.path.isdir(resolve_input(path, folder)),
}

_EACH = "each"


class ConditionError(ValueError):
    """A condition that cannot be read, or that makes no sense for the values it speaks of."""


@dataclass(frozen=True)
class Condition:
    """A condition on the parameter `name`, as the text that was written and its syntax tree."""

    name: str
    text: str
    tree: ast.expr

    @classmethod
    def read(cls, name: str, text: str) -> Condition:
        """Return the condition that `text` spells for the parameter `name`.

        Raises
        ------
        ConditionError
            It is no Python expression, or one of more than comparisons, `and`, `or`, `not`, literals, the
            names of parameters, and `len`, `is_file` and `is_folder`.
        """
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ConditionError(f"the condition {text.strip()!r} cannot be read: {error}") from None
        _refuse_more(tree)
        return cls(name, text.strip(), tree)

    @property
    def names(self) -> set[str]:
        """The parameters that it speaks of."""
        return {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)} - {_EACH, *_FUNCTIONS}

    @property
    def texts(self) -> list[str]:
        """The texts that it holds: names that a value may have."""
        constants = [node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant)]
        return [value for value in constants if isinstance(value, str)]

    def holds(self, values: Mapping[str, Any], folder: Path) -> bool:
        """Return whether the parameters' `values` satisfy it; paths are looked for as from `folder`.

        Raises
        ------
        ConditionError
            It compares what cannot be compared, such as a text with a number.
        """
        try:
            return bool(self._value(self.tree, values, folder))
        except TypeError as error:
            raise ConditionError(f"the condition {self.text!r} makes no sense: {error}") from None

    def _value(self, node: ast.AST, values: Mapping[str, Any], folder: Path) -> Any:
        def of(part: ast.AST) -> Any:
            return self._value(part, values, folder)

        match node:
            case ast.BoolOp(op=ast.And()):
                return all(of(part) for part in node.values)
            case ast.BoolOp():
                return any(of(part) for part in node.values)
            case ast.UnaryOp(op=ast.Not()):
                return not of(node.operand)
            case ast.UnaryOp():
                return -of(node.operand)
            case ast.Compare() if _EACH not in values and _speaks_of_each(node):
                entries = values[self.name]
                return all(self._value(node, {**values, _EACH: entry}, folder) for entry in entries)
            case ast.Compare():
                parts = [of(part) for part in (node.left, *node.comparators)]
                return all(
                    _COMPARISONS[type(how)](left, right)
                    for left, how, right in zip(parts, node.ops, parts[1:], strict=False)
                )
            case ast.Call(func=ast.Name(id=function)):
                return _FUNCTIONS[function](of(node.args[0]), folder)
            case ast.Name():
                return values[node.id]
            case ast.Tuple():
                return tuple(of(part) for part in node.elts)
            case ast.Constant():
                return node.value
        raise AssertionError(f"{ast.dump(node)} was let in")


def _refuse_more(tree: ast.expr) -> None:
    """Raise a ConditionError where `tree` holds what `Condition` does not know."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=function), args=[_], keywords=[]) if function in _FUNCTIONS:
                continue
            case ast.Name() if node.id not in _FUNCTIONS or id(node) in called:
                continue
            case ast.Constant() if isinstance(node.value, str | int | float):
                continue
            case ast.UnaryOp(op=ast.Not() | ast.USub()) | ast.Compare() | ast.BoolOp() | ast.Tuple():
                continue
            case ast.cmpop() if type(node) in _COMPARISONS:
                continue
            case ast.boolop() | ast.Not() | ast.USub() | ast.Load():
                continue
        what = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
        raise ConditionError(
            f"the condition {ast.unparse(tree)!r} holds {what!r}; it may hold comparisons, and, or, not, "
            f"numbers, texts, tuples, names of parameters, {_EACH}, and {', '.join(_FUNCTIONS)} of one thing"
        )


def _speaks_of_each(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == _EACH for part in ast.walk(node))
