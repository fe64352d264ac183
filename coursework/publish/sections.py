"""The sections of the workbook: the numbered notebooks of a folder, and what each declares."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from coursework._common.files import PROJECT_ROOT
from coursework.publish.parameters import (
    Parameter,
    ParameterError,
    UnknownName,
    Value,
    fill_in,
    read_parameters,
    unknown_name,
)

#: A section's name: that of its notebook without the suffix, and of its report's folder.
NUMBERED = re.compile(r"\d+_\w+")

#: The workbook's own notebooks.
NOTEBOOKS = PROJECT_ROOT / "notebooks"


@dataclass(frozen=True)
class Section:
    """One notebook `N_name.ipynb`."""

    path: Path

    @property
    def stem(self) -> str:
        """The file's name without its suffix, which is the report's folder too."""
        return self.path.stem

    @property
    def number(self) -> int:
        """The number that the name starts with."""
        return int(self.stem.split("_")[0])

    @cached_property
    def _notebook(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The notebook's cells, each with type, source (one string) and tags, and its metadata."""
        try:
            notebook = json.loads(self.path.read_text(encoding="utf-8"))
            cells = [
                {
                    "cell_type": cell["cell_type"],
                    "source": "".join(cell["source"]),
                    "tags": list(cell.get("metadata", {}).get("tags", [])),
                }
                for cell in notebook["cells"]
            ]
            return cells, dict(notebook.get("metadata", {}))
        except KeyError as error:
            reason = f"it, or a cell of it, has no {error}"
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            reason = str(error)
        raise ParameterError(f"{self.path.name} is not a notebook that can be read: {reason}")

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The notebook's cells, each with `cell_type`, `source` (one string) and `tags`."""
        return self._notebook[0]

    @cached_property
    def title(self) -> str:
        """The title in the notebook's metadata, else its first heading, else the stem."""
        named = self._notebook[1].get("title")
        if isinstance(named, str) and named.strip():
            return named.strip()
        for cell in self.cells:
            if cell["cell_type"] == "markdown":
                heading = re.search(r"^#[ \t]+(.+)$", cell["source"], re.MULTILINE)
                if heading:
                    return heading[1].strip()
        return self.stem

    @property
    def parallel(self) -> bool:
        """Whether the notebook keeps every core busy by itself; its metadata say so (coursework.parallel)."""
        own = self._notebook[1].get("coursework")
        return isinstance(own, dict) and own.get("parallel") is True

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the cell tagged `parameters` declares; nothing where there is no such cell."""
        tagged = [c for c in self.cells if "parameters" in c["tags"]]
        if len(tagged) > 1:
            raise ParameterError(f"{self.path.name} has {len(tagged)} cells tagged 'parameters'; keep one")
        try:
            return read_parameters(tagged[0]["source"]) if tagged else ()
        except ParameterError as error:
            raise ParameterError(f"{self.path.name}: {error}") from None

    def values(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Return the value of every parameter: the given one or the default.

        Raises
        ------
        ParameterError
            A given name or value is not one that the notebook declares.
        """
        try:
            return fill_in(self.parameters, given, self.path.parent)
        except UnknownName:
            raise
        except ParameterError as error:
            raise self._refusal(error) from None

    def parse(self, parameter: Parameter, text: str) -> Value:
        """Return the value that `text`, as typed on a command line, stands for.

        Raises
        ------
        ParameterError
            It is not of the parameter's type.
        """
        try:
            return _as_seen_by(self, parameter, parameter.parse(text))
        except ParameterError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: ParameterError) -> ParameterError:
        names = ", ".join(parameter.name for parameter in self.parameters)
        return ParameterError(f"{error}. Parameters of {self.stem}: {names}")

    @property
    def code_cells(self) -> int:
        """How many cells a run executes (a cell of white space is not executed)."""
        return sum(cell["cell_type"] == "code" and bool(cell["source"].strip()) for cell in self.cells)


def find_sections(folder: Path = NOTEBOOKS) -> list[Section]:
    """Return the numbered notebooks of `folder` in the order of their numbers."""
    sections = [Section(path) for path in folder.glob("*.ipynb") if NUMBERED.fullmatch(path.stem)]
    return sorted(sections, key=lambda section: (section.number, section.stem))


def select(sections: Sequence[Section], names: Iterable[str]) -> list[Section]:
    """Return the sections named by number ("1"), by stem or by file; all of them for no name.

    Raises
    ------
    ParameterError
        A name belongs to no section.
    """
    wanted = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        found = [section for section in sections if stem in (str(section.number), section.stem)]
        if not found:
            raise unknown_name("section", name, [section.stem for section in sections])
        wanted += found
    return [section for section in sections if section in wanted] if wanted else list(sections)


def assign(sections: Sequence[Section], given: Iterable[tuple[str, str]]) -> dict[str, dict[str, Value]]:
    """Hand parameters typed on the command line to the sections that have them.

    Parameters
    ----------
    sections : the sections that will run.
    given : pairs of a name and the text of its value. The name alone ("seed") means every section
        that declares it; "3.seed" or "3_fine_tuning.seed" means that one.

    Returns
    -------
    The given values by section (its stem) and parameter; defaults are not filled in.

    Raises
    ------
    ParameterError
        No selected section has the parameter, or the text is not of its type.
    """
    values: dict[str, dict[str, Value]] = {section.stem: {} for section in sections}
    for qualified, text in given:
        section_name, _, name = qualified.rpartition(".")
        candidates = select(sections, [section_name]) if section_name else sections
        takers = [(s, p) for s in candidates for p in s.parameters if p.name == name]
        if not takers:
            valid = sorted({parameter.name for section in candidates for parameter in section.parameters})
            raise unknown_name("parameter", name, valid)
        for section, parameter in takers:
            values[section.stem][name] = section.parse(parameter, text)
    return values


def _as_seen_by(section: Section, parameter: Parameter, value: Value) -> Value:
    """Return `value`, made absolute if it is a path from here that the notebook would look for elsewhere."""
    if not isinstance(value, str) or not value.strip() or Path(value).is_absolute():
        return value
    spelt_as_path = any(os.sep in str(text) for text in (value, parameter.default))
    here = Path(value).absolute()
    # a word such as "data" may be a value that a folder here happens to share; "weights.pth" is a file
    # os.path's test, since a Path's own fails on a text that is too long for a file's name
    if not os.path.exists(here) or not (spelt_as_path or (here.suffix and here.is_file())):
        return value
    beside = section.path.absolute().parent / value
    there = beside if beside.exists() else PROJECT_ROOT / value
    return value if there.resolve() == here.resolve() else str(here)
