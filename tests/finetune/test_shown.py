"""The notebook's tables."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from IPython.display import HTML

from coursework.finetune import shown
from coursework.finetune.bases import Base
from coursework.finetune.head import Head
from coursework.finetune.lab import Phase
from coursework.finetune.published import PUBLISHED
from coursework.finetune.scoring import Predictions, mcnemar
from coursework.finetune.shown import (
    epoch_table,
    record_weights,
    record_weights_files,
    rows_to_show,
    transfer_table,
)
from coursework.finetune.training import Epoch, History, Schedule
from coursework.publish.export import export_notebook

HOSTILE = "<img src=x onerror=alert(1)>.pth"


class Cells(HTMLParser):
    """The texts of a table's rows, and the names of all elements."""

    def __init__(self, html: HTML) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.rows: list[list[str]] = []
        self.captions: list[str] = []
        self.inside = ""
        self.feed(str(html.data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.inside = tag
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("td", "th", "code"):
            self.rows[-1][-1] += data
        elif self.inside == "caption":
            self.captions.append(data)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [1]),
        (5, [1, 2, 3, 4, 5]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        (9, [1, 2, 3, 4, 5, 9]),
        (10, [1, 2, 3, 4, 5, 10]),
        (60, [1, 2, 3, 4, 5, 10, 20, 40, 60]),
    ],
)
def test_a_long_table_shows_the_first_epochs_then_fewer_and_the_last(count: int, expected: list[int]) -> None:
    assert rows_to_show(count) == expected


def test_an_epoch_table_has_the_assignments_five_columns() -> None:
    cells = Cells(epoch_table(PUBLISHED["A"]))
    assert cells.rows[0] == [
        "epoch",
        "train loss",
        "train accuracy",
        "validation loss",
        "validation accuracy",
    ]
    assert cells.rows[1] == ["1", "1.1317", "0.4062", "1.2732", "0.3125"]
    assert cells.rows[5] == ["5", "0.9829", "0.5000", "1.3897", "0.2708"]
    assert len(cells.rows) == 6
    assert cells.captions == ["published A: Inception fixed, 32 pictures an epoch (1 step an epoch)"]


def test_several_phases_stand_one_under_another_and_long_ones_are_shortened() -> None:
    long = History("base frozen", 19, tuple(Epoch(n, n / 8, 0.5, 1.0, 0.25) for n in range(1, 61)))
    cells = Cells(epoch_table(long, PUBLISHED["C"]))
    assert cells.captions[0] == "base frozen (19 steps an epoch)"
    assert cells.captions[1].endswith("(7 steps an epoch)")
    assert [row[0] for row in cells.rows[1:10]] == ["1", "2", "3", "4", "5", "10", "20", "40", "60"]
    assert cells.rows[9][1] == "7.5000"


def test_a_phases_name_is_text_and_never_markup() -> None:
    cells = Cells(epoch_table(replace(PUBLISHED["A"], phase=f"base {HOSTILE} & more")))
    assert "img" not in cells.elements
    assert "".join(cells.captions).startswith(f"base {HOSTILE} & more")


def phase_of(base: Base, weights: str, right: list[bool], stage: str = "") -> Phase:
    scores = np.array([[1.0, 0.0] if one else [0.0, 1.0] for one in right])
    paths = [Path(f"{i}.jpg") for i in range(len(right))]
    return Phase(
        base=base,
        weights=weights,
        size=32,
        backbone=base.build("none"),
        head=Head(8, 2),
        stage=stage,
        flip=bool(stage),
        schedule=Schedule(1),
        history=History("", 1),
        predictions=Predictions(paths, np.zeros(len(right), np.int64), ("a", "b"), scores),
    )


def test_a_transfer_table_compares_a_trained_base_with_itself_frozen(tiny: Base) -> None:
    first = phase_of(tiny, "bundled", [True] * 4 + [False] * 6)
    other = phase_of(tiny, "none", [True] * 2 + [False] * 8)
    second = phase_of(tiny, "bundled", [True] * 9 + [False], stage="last")
    cells = Cells(transfer_table([first, second, other]))
    assert len(cells.rows) == 4
    assert cells.rows[3][6] == ""
    assert all(len(row) == 7 for row in cells.rows)
    # Wilson's interval for 4 of 10
    assert cells.rows[1] == ["tiny", "bundled", "head only", "4 of 10", "0.400", "0.168 to 0.687", ""]
    assert cells.rows[2][:5] == ["tiny", "bundled", "head and base from last", "9 of 10", "0.900"]
    # five pictures differ, all for the better: 2 / 2^5
    assert mcnemar(first.predictions, second.predictions).p_value == pytest.approx(2 / 32)
    assert cells.rows[2][6] == "0.062"


def test_a_weights_files_name_is_shown_without_its_folders_and_as_text(tiny: Base) -> None:
    cells = Cells(transfer_table([phase_of(tiny, f"/home/somebody/{HOSTILE}", [True, False])]))
    assert cells.rows[1][1] == HOSTILE
    assert "img" not in cells.elements


def test_dollar_signs_in_a_weights_files_name_are_no_mathematics(tiny: Base) -> None:
    table = transfer_table([phase_of(tiny, "/home/somebody/my$5 and $6.pth", [True, False])])
    assert Cells(table).rows[1][1] == "my$5 and $6.pth"
    output = nbformat.v4.new_output("execute_result", {"text/html": str(table.data)}, execution_count=1)
    cell = nbformat.v4.new_code_cell("transfer_table(phases)", outputs=[output])
    page = export_notebook(nbformat.v4.new_notebook(cells=[cell]), title="3")
    assert "my$5 and $6.pth" in page


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    kept: list[tuple[Any, ...]] = []
    monkeypatch.setattr(shown, "record", lambda *what: kept.append(what))
    monkeypatch.setattr(shown, "record_input", lambda *what: kept.append(what))
    return kept


def test_the_weights_are_recorded_with_a_hash_of_their_values(
    tiny: Base, records: list[tuple[Any, ...]]
) -> None:
    phase = phase_of(tiny, "bundled", [True])
    record_weights(phase)
    digest = phase.backbone.sha256()[:16]
    assert records == [("base", "tiny, bundled", f"tiny, bundled (random here), 32 pixels, SHA-256 {digest}")]


def test_a_files_weights_are_recorded_by_the_files_name(tiny: Base, records: list[tuple[Any, ...]]) -> None:
    record_weights(phase_of(tiny, "/home/somebody/mine.pth", [True]))
    ((name, value, text),) = records
    assert (name, value) == ("base", "tiny, mine.pth")
    assert "tiny, mine.pth (a file), 32 pixels" in text


def test_every_weights_file_is_recorded_once(
    tiny: Base, tmp_path: Path, records: list[tuple[Any, ...]]
) -> None:
    one, other = tmp_path / "one.pth", tmp_path / "other.pth"
    first = replace(
        tiny,
        weights=dict(tiny.weights)
        | {"bundled": replace(tiny.weights["bundled"], file=lambda: one)}
        | {"imagenet": replace(tiny.weights["imagenet"], file=lambda: other)},
    )
    record_weights(phase_of(first, "bundled", [True]))
    assert [entry[0] for entry in records] == ["base", "weights"]
    assert records[1] == ("weights", one)
    records.clear()
    names = ("bundled", "none", "bundled", "imagenet", "/home/somebody/mine.pth")
    record_weights_files([phase_of(first, name, [True]) for name in names])
    assert records == [("weights", one), ("weights", other)]
