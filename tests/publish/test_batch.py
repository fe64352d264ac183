"""Which sections run beside each other, and with how many threads."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from coursework.publish import batch
from coursework.publish.run import Outcome
from coursework.publish.sections import Section, find_sections


@pytest.fixture
def sections(tmp_path: Path) -> list[Section]:
    """Five sections, of which 2 and 4 keep all cores busy."""
    for number in range(1, 6):
        metadata = {"coursework": {"parallel": number in (2, 4)}}
        content = {"cells": [], "metadata": metadata, "nbformat": 4}
        (tmp_path / f"{number}_x.ipynb").write_text(json.dumps(content))
    return find_sections(tmp_path)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None]]:
    """The sections run and their threads; those of more than one core's groups wait for one another."""
    began: list[tuple[str, int | None]] = []
    both = threading.Barrier(2, timeout=30)

    def run_section(section: Section, *_: Any, threads: int | None, **__: Any) -> Outcome:
        began.append((section.stem, threads))
        if section.stem in ("1_x", "3_x"):
            both.wait()  # passes only while the other one runs
        return Outcome(section.stem, "finished", 0.0)

    monkeypatch.setattr(batch, "run_section", run_section)
    monkeypatch.setattr(batch.os, "cpu_count", lambda: 2)
    return began


def test_by_default_one_core_sections_share_the_cores_and_the_others_follow_with_all_of_them(
    sections: list[Section], runs: list[tuple[str, int | None]], tmp_path: Path
) -> None:
    outcomes = batch.run_sections(sections, {}, tmp_path / "reports")
    assert [outcome.section for outcome in outcomes] == ["1_x", "2_x", "3_x", "4_x", "5_x"]
    assert set(runs[:3]) == {("1_x", 1), ("3_x", 1), ("5_x", 1)}
    assert runs[3:] == [("2_x", None), ("4_x", None)]


def test_with_a_number_of_jobs_all_take_their_turn(
    sections: list[Section], runs: list[tuple[str, int | None]], tmp_path: Path
) -> None:
    batch.run_sections(sections, {}, tmp_path / "reports", jobs=2)
    assert sorted(runs) == [(f"{number}_x", 1) for number in range(1, 6)]


def test_a_section_alone_has_all_cores(
    sections: list[Section], runs: list[tuple[str, int | None]], tmp_path: Path
) -> None:
    batch.run_sections([sections[4]], {}, tmp_path / "reports")
    assert runs == [("5_x", None)]
