"""Files that are either whole or not there."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework._common.files import (
    OUTPUT_VARIABLE,
    PROJECT_ROOT,
    atomic_path,
    home_folder,
    output_dir,
    resolve_input,
    sha256_of,
    sha256_of_folder,
    write_atomic,
)


def test_an_atomic_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_atomic(target, "é")
    write_atomic(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = write_atomic(tmp_path / "a.txt", "old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_an_atomic_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    assert write_atomic(tmp_path / "a", "").stat().st_mode == (tmp_path / "plain").stat().st_mode


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=20)
def test_a_files_hash_is_the_hash_of_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("hash") / "a"
    path.write_bytes(content)
    assert sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_a_folders_hash_changes_with_every_name_and_byte(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x").write_text("1")
    first = sha256_of_folder(tmp_path)
    assert first == sha256_of_folder(tmp_path)
    (tmp_path / "b" / "x").write_text("2")
    second = sha256_of_folder(tmp_path)
    (tmp_path / "b" / "x").rename(tmp_path / "b" / "y")
    assert len({first, second, sha256_of_folder(tmp_path)}) == 3


def test_an_input_is_looked_for_here_then_below_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_input("coursework") == PROJECT_ROOT / "coursework"
    (tmp_path / "coursework").mkdir()
    assert resolve_input("coursework") == tmp_path / "coursework"
    assert resolve_input(tmp_path / "x") == tmp_path / "x"
    assert resolve_input("nowhere") == tmp_path / "nowhere"
    for name in ("a" * 5000, "~nobody-of-this-name"):
        assert resolve_input(name) == tmp_path / name


def test_a_user_without_a_name_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert home_folder() == Path("/home/ann")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # what it returns where it finds none
    assert home_folder() is None


def test_the_output_folder_is_the_runs_or_one_beside_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(OUTPUT_VARIABLE, raising=False)
    assert output_dir("1_a").resolve() == tmp_path / "output" / "1_a"
    monkeypatch.setenv(OUTPUT_VARIABLE, str(tmp_path / "staging"))
    assert output_dir("1_a") == tmp_path / "staging"
    assert (tmp_path / "staging").is_dir()
