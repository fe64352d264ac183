"""The typed parameters that a notebook declares, and values for them, checked before a kernel starts.

A notebook declares its parameters in one cell tagged `parameters`, a line each:

    epochs: int = 5  # passes over the training pictures

The cell is read as text and never run: the value must be a literal. A comment may go on in the lines
below; behind a bar it states what the value must satisfy (see `conditions`). A text whose comment speaks
of a file or a folder names one that the notebook reads; its hash goes into the manifest.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, FiniteFloat, TypeAdapter, ValidationError

from coursework.publish.conditions import Condition, ConditionError

_Whole = Annotated[int, Field(strict=True)]
_Decimal = Annotated[FiniteFloat, Field(strict=True)]
_Truth = Annotated[bool, Field(strict=True)]
_Text = Annotated[str, Field(strict=True)]

_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "int": TypeAdapter(_Whole),
    "float": TypeAdapter(_Decimal),
    "bool": TypeAdapter(_Truth),
    "str": TypeAdapter(_Text),
    "list[int]": TypeAdapter(list[_Whole]),
    "list[float]": TypeAdapter(list[_Decimal]),
    "list[str]": TypeAdapter(list[_Text]),
}

_TRUTH_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

Value = int | float | bool | str | list[int] | list[float] | list[str]


class ParameterError(ValueError):
    """A parameter that does not exist, a value that it cannot have, or a declaration that cannot be read."""


class UnknownName(ParameterError):
    """A name that is not among those that are declared; the message lists them."""


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: `name: type = default  # help | condition`."""

    name: str
    type: str
    default: Value
    help: str
    condition: Condition | None = None

    def __str__(self) -> str:
        notes = " | ".join(filter(None, [self.help, self.condition.text if self.condition else ""]))
        return f"{self.name}: {self.type} = {self.default!r}" + (f"  ({notes})" if notes else "")

    @property
    def names_input(self) -> bool:
        """Whether the value is the path of a file or a folder, which the comment says."""
        return self.type == "str" and re.search(r"\b(file|folder)\b", self.help) is not None

    def check(self, value: object) -> Value:
        """Return `value` as this parameter's type.

        NumPy scalars and arrays are turned into Python values; a whole number is accepted as a float.

        Raises
        ------
        ParameterError
            The value is of another type, not finite, or a text that UTF-8 cannot hold.
        """
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, tuple):
            value = list(value)
        try:
            checked: Value = _ADAPTERS[self.type].validate_python(value)
        except ValidationError as error:
            raise self._refusal(value, error) from None
        for text in checked if isinstance(checked, list) else [checked]:
            if isinstance(text, str) and any("\ud800" <= letter <= "\udfff" for letter in text):
                raise ParameterError(
                    f"parameter {self.name!r} is a text; {text!r} has bytes that are not UTF-8: "
                    "rename the file or type the value in UTF-8"
                )
        return checked

    def parse(self, text: str) -> Value:
        """Return the value that `text`, as typed on a command line, stands for.

        A list is typed with commas (`1,2,3`) or as JSON (`[1, 2, 3]`); truth is `true`, `yes` or `on`.

        Raises
        ------
        ParameterError
            The text does not stand for a value of this parameter's type.
        """
        try:
            if self.type == "str":
                return self.check(text)
            if self.type == "bool":
                return self.check(_TRUTH_WORDS.get(text.strip().lower(), text))
            if self.type.startswith("list") and text.lstrip().startswith("["):
                return self.check(_ADAPTERS[self.type].validate_json(text))
            if self.type.startswith("list"):
                words = [word.strip() for word in text.split(",")] if text.strip() else []
                return self.check([_literal(word, self.type[5:-1]) for word in words])
            return self.check(_literal(text.strip(), self.type))
        except ValidationError as error:
            raise self._refusal(text, error) from None

    def _refusal(self, value: object, error: ValidationError) -> ParameterError:
        reason = error.errors()[0]["msg"]
        return ParameterError(f"parameter {self.name!r} is of type {self.type}; {value!r} is not: {reason}")


def _literal(word: str, wanted: str) -> object:
    """Return the number that `word` spells, or `word` itself for the type check to refuse."""
    try:
        if wanted == "int":
            return int(word)
        if wanted == "float":
            return float(word)
    except ValueError:
        pass
    return word


def read_parameters(source: str) -> tuple[Parameter, ...]:
    """Return the parameters that the text of a parameters cell declares.

    Raises
    ------
    ParameterError
        A line is something else than `name: type = literal  # comment`; the message names the line.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError(f"parameters cell, line {error.lineno}: {error.msg}") from None
    comments = _comments(source)
    parameters: dict[str, Parameter] = {}
    for statement in statements:
        where = f"parameters cell, line {statement.lineno}"
        if not (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.value is not None
        ):
            raise ParameterError(f"{where}: expected `name: type = literal`, got `{ast.unparse(statement)}`")
        name, kind = statement.target.id, ast.unparse(statement.annotation)
        if kind not in _ADAPTERS:
            raise ParameterError(f"{where}: type {kind!r} of {name!r} is not one of {', '.join(_ADAPTERS)}")
        if name in parameters:
            raise ParameterError(f"{where}: {name!r} is declared twice")
        try:
            default = ast.literal_eval(statement.value)
        except ValueError:
            raise ParameterError(
                f"{where}: the default of {name!r} must be a literal, not `{ast.unparse(statement.value)}`; "
                "compute derived values in another cell"
            ) from None
        comment = comments.get(statement.end_lineno or statement.lineno, "")
        help_text, *written = re.split(r"(?:^|\s)\|(?:\s|$)", comment, maxsplit=1)
        declared = Parameter(name, kind, default, help_text.rstrip())
        try:
            condition = Condition.read(name, written[0]) if written else None
            parameters[name] = replace(declared, default=declared.check(default), condition=condition)
        except (ParameterError, ConditionError) as error:
            raise ParameterError(f"{where}: {error}") from None
    for parameter in parameters.values():
        unknown = parameter.condition.names - set(parameters) if parameter.condition else set()
        if unknown:
            raise ParameterError(
                f"parameters cell: the condition of {parameter.name!r} speaks of {min(unknown)!r}, "
                "which is no parameter"
            )
    return tuple(parameters.values())


def _comments(source: str) -> dict[int, str]:
    """Return the comment of each line that has code, with the lines of nothing but comment right below it."""
    comments: dict[int, str] = {}
    lines = source.splitlines()
    owner = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        number, text = token.start[0], token.string.lstrip("# ").rstrip()
        if not lines[number - 1].lstrip().startswith("#"):
            owner = last = number
            comments[owner] = text
        elif owner and number == last + 1:
            last = number
            comments[owner] += f" {text}"
    return comments


def fill_in(
    parameters: Sequence[Parameter], given: Mapping[str, object], folder: Path | None = None
) -> dict[str, Value]:
    """Return every parameter's value: the given one, checked, or the default.

    Parameters
    ----------
    folder : where the notebook lies, from which the paths of files and folders are looked for.

    Raises
    ------
    ParameterError
        A name is not among `parameters`, or a value is of the wrong type or against a parameter's condition.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise unknown_name("parameter", name, list(known))
    values = {
        name: parameter.check(given[name]) if name in given else parameter.default
        for name, parameter in known.items()
    }
    for parameter in parameters:
        _hold_against(parameter, values, folder or Path())
    return values


def _hold_against(parameter: Parameter, values: Mapping[str, Value], folder: Path) -> None:
    """Raise a ParameterError where the condition of `parameter` does not hold for all `values`."""
    condition = parameter.condition
    try:
        if condition is None or condition.holds(values, folder):
            return
    except ConditionError as error:
        raise ParameterError(f"parameter {parameter.name!r}: {error}") from None
    others = [f"{name} = {values[name]!r}" for name in sorted(condition.names - {parameter.name})]
    value = values[parameter.name]
    raise ParameterError(
        f"parameter {parameter.name!r}{f' ({parameter.help})' if parameter.help else ''} is of type "
        f"{parameter.type} and cannot be {value!r}"
        + (f" with {', '.join(others)}" if others else "")
        + (_suggestion(value, condition.texts) if isinstance(value, str) else "")
        + f": it must satisfy {condition.text}"
    )


def unknown_name(what: str, name: str, valid: Sequence[str]) -> UnknownName:
    """Return the error for a `name` that is not among `valid`, with the nearest one as a suggestion."""
    suggestion = _suggestion(name, valid)
    stop = "?" if suggestion else "."
    return UnknownName(f"unknown {what} {name!r}{suggestion}{stop} Valid names: {', '.join(valid) or 'none'}")


def _suggestion(name: str, valid: Sequence[str]) -> str:
    spellings = {each.casefold(): each for each in valid}
    near = difflib.get_close_matches(name.casefold(), spellings, n=1)
    # the very name may be valid elsewhere, such as with another value of another parameter
    return f", did you mean {spellings[near[0]]!r}" if near and name not in valid else ""
