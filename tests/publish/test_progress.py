"""What a person sees while sections run."""

import io
from pathlib import Path

from coursework.publish.progress import Progress
from coursework.publish.run import Outcome
from coursework.publish.sections import Section, find_sections

TINY = Path(__file__).parent / "notebooks"
INPUT = {"event": "input", "name": "data", "path": "my/pictures"}
STARTED = {"event": "started", "cells": 3}
CELL = {"event": "cell", "id": "the-wait", "heading": "Hangs"}
DONE = {"event": "cell done"}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def follow_one_cell(stream: io.StringIO) -> str:
    section: Section = find_sections(TINY)[3]
    with Progress([section], stream) as progress:
        follow = progress.follow(section)
        for event in (INPUT, STARTED, CELL, DONE):
            follow(event)
        progress.tick()
        progress.ended(Outcome(section.stem, "failed", 2.0))
    return stream.getvalue()


def test_lines_without_a_terminal_name_section_input_count_cell_and_end() -> None:
    assert follow_one_cell(io.StringIO()).splitlines() == [
        "4_hangs: reading data: my/pictures",
        "4_hangs: cell 1/3, Hangs (the-wait)",
        "4_hangs: failed after 2.0 s",
    ]


def test_a_bar_on_a_terminal_names_the_cell_under_way_and_counts() -> None:
    shown = follow_one_cell(Terminal())
    assert "4: reading data: my/pictures" in shown
    assert "4: Hangs (the-wait)" in shown
    assert "0/3" in shown
    assert "1/3" in shown
    assert "cell/s" in shown
