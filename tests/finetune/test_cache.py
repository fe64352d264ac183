"""The cache is where the user wants it, and nobody is stopped by one that cannot be written to."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from safetensors import SafetensorError

from coursework._common.files import PROJECT_ROOT
from coursework.finetune import cache
from coursework.finetune.cache import cache_folder, keep


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEWORK_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("COURSEWORK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "coursework"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "coursework"
    monkeypatch.setattr(cache, "home_folder", lambda: None)
    assert cache_folder() == PROJECT_ROOT / "cache"


def test_what_is_kept_replaces_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "numbers"
    for text in ("one", "two"):
        keep(file, "numbers", lambda path, text=text: path.write_text(text))
        assert file.read_text() == text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), r"\(No space left on device\)"),
        (SafetensorError("I/O error"), r"\(SafetensorError: I/O error\)"),
        (RuntimeError("PytorchStreamWriter failed"), r"\(RuntimeError: PytorchStreamWriter failed\)"),
    ],
)
def test_a_full_disk_is_a_warning_and_the_old_file_stays(
    error: Exception, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "numbers"
    file.write_text("old")

    def write(path: Path) -> NoReturn:
        raise error

    with pytest.warns(UserWarning, match=rf"numbers cannot be kept in .* {reason} .* COURSEWORK_CACHE"):
        keep(file, "numbers", write)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
