"""Which notebooks are sections, and which section gets a parameter."""

import json
from pathlib import Path

import pytest

from coursework.publish.parameters import ParameterError
from coursework.publish.sections import Section, assign, find_sections, select


def write(path: Path, *sources: str, **metadata: object) -> Section:
    """Write a notebook: a first text cell, then parameters cells."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": [sources[0]]}]
    for source in sources[1:]:
        tagged = {"tags": ["parameters"]}
        cells.append({"cell_type": "code", "metadata": tagged, "source": source.splitlines(True)})
    path.write_text(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}), encoding="utf-8")
    return Section(path)


@pytest.fixture
def sections(tmp_path: Path) -> list[Section]:
    write(tmp_path / "10_last.ipynb", "# Last", "seed: int = 0\ndata: str = 'data/x'")
    write(tmp_path / "1_first.ipynb", "# First", "seed: int = 0\nn: int = 3  # how many")
    write(tmp_path / "notes.ipynb", "# Notes")
    return find_sections(tmp_path)


def test_numbered_notebooks_are_sections_in_the_order_of_their_numbers(sections: list[Section]) -> None:
    assert [section.stem for section in sections] == ["1_first", "10_last"]


@pytest.mark.parametrize("name", ["1", "1_first", "1_first.ipynb", "notebooks/1_first.ipynb"])
def test_a_section_is_named_by_number_stem_or_file(sections: list[Section], name: str) -> None:
    assert [section.stem for section in select(sections, [name])] == ["1_first"]


def test_no_name_selects_every_section_and_names_keep_the_order(sections: list[Section]) -> None:
    assert select(sections, []) == sections
    assert select(sections, ["10", "1", "10"]) == sections


def test_an_unknown_section_is_refused_with_a_suggestion(sections: list[Section]) -> None:
    with pytest.raises(ParameterError, match="did you mean '1_first'"):
        select(sections, ["1_frist"])


def test_a_title_is_the_metadatas_then_the_headings_then_the_files(tmp_path: Path) -> None:
    assert write(tmp_path / "1_a.ipynb", "# Heading", title="Named").title == "Named"
    assert write(tmp_path / "2_b.ipynb", "text\n\n# Heading").title == "Heading"
    assert write(tmp_path / "3_c.ipynb", "text").title == "3_c"


def test_a_parameter_goes_to_every_section_that_has_it(sections: list[Section]) -> None:
    assert assign(sections, [("seed", "5")]) == {"1_first": {"seed": 5}, "10_last": {"seed": 5}}
    assert assign(sections, [("n", "4")]) == {"1_first": {"n": 4}, "10_last": {}}


def test_a_parameter_with_a_section_goes_to_that_section(sections: list[Section]) -> None:
    assert assign(sections, [("10.seed", "5")]) == {"1_first": {}, "10_last": {"seed": 5}}
    with pytest.raises(ParameterError, match="unknown parameter 'n'"):
        assign(sections, [("10.n", "5")])


def test_a_value_of_the_wrong_type_names_type_and_valid_names(sections: list[Section]) -> None:
    with pytest.raises(ParameterError, match=r"'n' is of type int.*Parameters of 1_first: seed, n"):
        assign(sections, [("n", "many")])


def test_a_path_from_the_working_folder_reaches_the_notebook_whole(
    sections: list[Section], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "pictures").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    assert assign(sections, [("data", "pictures")])["10_last"]["data"] == str(elsewhere / "pictures")
    for name in ("missing", "a" * 5000):
        assert assign(sections, [("data", name)])["10_last"]["data"] == name


def test_two_parameters_cells_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="2 cells tagged"):
        _ = write(tmp_path / "1_a.ipynb", "# A", "n: int = 1", "m: int = 2").parameters
    with pytest.raises(ParameterError, match=r"1_b\.ipynb: parameters cell, line 1"):
        _ = write(tmp_path / "1_b.ipynb", "# B", "n = 1").parameters


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[" * 100_000,
        "[]",
        "{}",
        '{"cells": [{"source": "no type"}]}',
        '{"cells": [{"cell_type": "code", "source": "", "metadata": []}]}',
        '{"cells": [], "metadata": null}',
    ],
    ids=["cut", "deep", "a list", "empty", "a cell without type", "a cell's metadata", "metadata"],
)
def test_a_file_that_is_no_notebook_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "2_c.ipynb").write_text(content, encoding="utf-8")
    section = Section(tmp_path / "2_c.ipynb")
    for read in (lambda: section.title, lambda: section.parameters, lambda: section.code_cells):
        with pytest.raises(ParameterError, match=r"2_c\.ipynb is not a notebook that can be read"):
            read()


def test_the_workbook_reads_the_files_of_two_parameters() -> None:
    named = {(s.number, p.name) for s in find_sections() for p in s.parameters if p.names_input}
    assert named == {(3, "data_dir"), (3, "weights")}


@pytest.mark.parametrize(
    ("own", "parallel"),
    [({"parallel": True}, True), ({"parallel": False}, False), ({}, False), ("parallel", False)],
)
def test_a_notebook_says_in_its_metadata_that_it_keeps_every_core_busy(
    tmp_path: Path, own: object, parallel: bool
) -> None:
    assert write(tmp_path / "1_a.ipynb", "# A", coursework=own).parallel is parallel
    assert not write(tmp_path / "2_b.ipynb", "# B").parallel
