"""What a run was made with."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coursework._common.files import sha256_of, sha256_of_folder
from coursework._common.kinds import INPUT_MIME, RECORD_MIME
from coursework.publish.manifest import describe, git_state, inputs, recorded, versions
from coursework.publish.pages import facts
from coursework.publish.parameters import ParameterError


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "a")
    assert git_state(tmp_path) == {"commit": git(tmp_path, "rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "a").write_text("2")
    state = git_state(tmp_path)
    assert state is not None
    assert state["dirty"] is True


def test_a_folder_inside_another_repository_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "inner").mkdir()
    assert git_state(tmp_path / "inner") is None


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None


def test_every_parameter_that_names_a_file_or_folder_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(b"a")
    (tmp_path / "weights.pth").write_bytes(b"w")
    announced: list[tuple[str, str]] = []
    paths = {"data": "pictures", "weights": "weights.pth", "none": "none", "empty": ""}
    found = inputs(paths, lambda *named: announced.append(named))
    assert announced == [("data", "pictures"), ("weights", "weights.pth")]
    assert found == [
        {"name": "data", "path": "pictures", "sha256": sha256_of_folder("pictures"), "files": 1},
        {"name": "weights", "path": "weights.pth", "sha256": sha256_of("weights.pth"), "files": 1},
    ]


def test_a_file_that_cannot_be_read_is_named_with_its_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()

    def refuse(folder: Path) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder / "private.jpg"))

    monkeypatch.setattr("coursework.publish.manifest.sha256_of_folder", refuse)
    with pytest.raises(
        ParameterError, match=r"'data'.*private\.jpg cannot be read: Permission.*-p data PATH"
    ):
        inputs({"data": str(tmp_path / "a")})


def test_a_text_too_long_for_a_files_name_names_none() -> None:
    assert inputs({"data": "a" * 5000}) == []


def test_records_are_collected_in_their_order() -> None:
    def cell(name: str) -> object:
        data = {RECORD_MIME: {"name": name, "value": 1, "text": "1"}, "text/plain": "x"}
        return new_code_cell("x", outputs=[new_output("display_data", data=data)])

    notebook = new_notebook(cells=[cell("b"), new_markdown_cell("text"), cell("a")])
    assert [record["name"] for record in recorded(notebook, RECORD_MIME)] == ["b", "a"]


def test_an_input_that_several_cells_record_is_listed_once() -> None:
    def cell(path: str) -> object:
        data = {INPUT_MIME: {"name": "weights", "path": path, "sha256": "0", "files": 1}, "text/plain": "x"}
        return new_code_cell("x", outputs=[new_output("display_data", data=data)])

    manifest = describe(
        section="1_a",
        title="A",
        status="finished",
        parameters={},
        given={},
        found_inputs=[{"name": "data", "path": "d", "sha256": "1", "files": 2}],
        notebook=new_notebook(cells=[cell("a.pth"), cell("b.pth"), cell("a.pth")]),
        cells=[],
        started="",
        finished="",
        seconds=1,
    )
    assert [entry["path"] for entry in manifest["inputs"]] == ["d", "a.pth", "b.pth"]
    assert facts(manifest)["Input weights"] == ("a.pth, 1 file(s), SHA-256 0; b.pth, 1 file(s), SHA-256 0")


def test_versions_name_python_and_what_shapes_a_report() -> None:
    assert {"python", "coursework", "numpy", "torch", "papermill"} <= versions().keys()
