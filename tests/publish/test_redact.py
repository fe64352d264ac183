"""Paths of this machine."""

import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from coursework._common.files import PROJECT_ROOT
from coursework.publish.redact import redact_notebook, redact_text


def test_the_projects_folder_is_taken_out() -> None:
    assert redact_text(f"{PROJECT_ROOT}/data/sport3") == "data/sport3"


def test_pythons_folder_and_a_cells_file_get_short_names() -> None:
    assert str(PROJECT_ROOT) not in redact_text(f"{sys.prefix}/lib/x.py")
    assert redact_text("/tmp/ipykernel_12/345.py:3: UserWarning") == "<cell>:3: UserWarning"


def test_only_whole_names_of_folders_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    text = "/home/ann/x /home/anna/x y/home/ann"
    assert redact_text(text) == "~/x /home/anna/x y/home/ann"


def test_without_a_home_the_other_folders_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coursework.publish.redact.home_folder", lambda: None)
    assert redact_text(f"{PROJECT_ROOT}/data ~ /home/ann") == "data ~ /home/ann"


def test_every_text_of_a_notebook_is_redacted() -> None:
    path = f"{PROJECT_ROOT}/x"
    outputs = [
        new_output("stream", name="stdout", text=path),
        new_output("display_data", data={"text/html": path, "image/png": "AAAA"}),
        new_output("error", ename="E", evalue=path, traceback=[path]),
    ]
    notebook = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    redact_notebook(notebook)
    assert str(PROJECT_ROOT) not in str(notebook)
