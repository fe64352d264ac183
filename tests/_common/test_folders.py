"""A folder put in the place of another in one step."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from coursework._common import folders
from coursework._common.folders import aside, flush_folder, recover_folder, replace_folder

# Puts a new folder of ten equal files in the place of the old one, again and again.
REPLACER = """
import itertools, pathlib, sys
from coursework._common.folders import recover_folder, replace_folder
root = pathlib.Path(sys.argv[1])
recover_folder(root / "report")
print("ready", flush=True)
for count in itertools.count():
    new = root / f"new-{count}"
    new.mkdir()
    for part in range(10):
        (new / str(part)).write_text(str(count))
    replace_folder(new, root / "report")
"""


def make(folder: Path, content: str) -> Path:
    folder.mkdir()
    (folder / "a").write_text(content)
    return folder


@pytest.mark.parametrize("exchange", [True, False], ids=["where the system can exchange", "where it cannot"])
def test_the_new_folder_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(folders, "_exchange", lambda one, other: False)
    replace_folder(make(tmp_path / "new", "1"), tmp_path / "report")
    replace_folder(make(tmp_path / "new", "2"), tmp_path / "report")
    assert (tmp_path / "report" / "a").read_text() == "2"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_replacement_cut_off_between_its_renames_is_undone(tmp_path: Path) -> None:
    final = tmp_path / "report"
    make(aside(final), "old")
    recover_folder(final)
    assert (final / "a").read_text() == "old"


def test_an_old_folder_left_over_after_both_renames_is_removed(tmp_path: Path) -> None:
    final = make(tmp_path / "report", "new")
    make(aside(final), "old")
    recover_folder(final)
    assert (final / "a").read_text() == "new"
    assert not aside(final).exists()


def test_flushing_reads_every_file(tmp_path: Path) -> None:
    make(tmp_path / "inner", "x")
    flush_folder(tmp_path)
    assert (tmp_path / "inner" / "a").read_text() == "x"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two folders in one step")
def test_a_kill_at_any_moment_leaves_a_whole_folder(tmp_path: Path) -> None:
    for trial in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", REPLACER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.01 + 0.0037 * trial)
        process.kill()
        process.wait()
        process.stdout.close()
        if (tmp_path / "report").exists() or trial:
            parts = [(tmp_path / "report" / str(part)).read_text() for part in range(10)]
            assert len(set(parts)) == 1
        for leftover in tmp_path.glob("new-*"):
            for path in leftover.iterdir():
                path.unlink()
            leftover.rmdir()
