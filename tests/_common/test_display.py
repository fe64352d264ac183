"""What a notebook shows and what its report remembers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from coursework._common import display as module
from coursework._common.display import record, record_input, show_figure
from coursework._common.files import PROJECT_ROOT, sha256_of
from coursework._common.kinds import INPUT_MIME, RECORD_MIME


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The bundles and their metadata that were displayed."""
    bundles: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def display(data: dict[str, Any], metadata: dict[str, Any] | None = None, *, raw: bool) -> None:
        assert raw
        bundles.append((data, metadata or {}))

    monkeypatch.setattr(module, "display", display)
    return bundles


def figure() -> Figure:
    drawn = Figure(figsize=(2, 1))
    drawn.subplots().plot([0, 1])
    return drawn


@pytest.mark.parametrize(
    ("value", "text", "printed"),
    [(1.23456e-13, None, "1.235e-13"), (3, None, "3"), (np.float64(0.5), "50 %", "50 %"), ("a", None, "a")],
)
def test_a_record_is_shown_and_stored(shown: list, value: Any, text: str | None, printed: str) -> None:
    record("name", value, text)
    ((data, _),) = shown
    assert data["text/plain"] == f"name: {printed}"
    assert data[RECORD_MIME]["text"] == printed
    assert not isinstance(data[RECORD_MIME]["value"], np.generic)


def test_a_value_that_json_does_not_know_is_stored_as_text(shown: list) -> None:
    record("loss", float("nan"))
    assert shown[0][0][RECORD_MIME] == {"name": "loss", "value": "nan", "text": "nan"}


def test_the_text_of_a_drawing_is_shown_as_it_is(shown: list) -> None:
    show_figure("<svg/>", alt="nothing")
    ((data, metadata),) = shown
    assert data == {"image/svg+xml": "<svg/>", "text/plain": "[figure: nothing]"}
    assert metadata == {"image/svg+xml": {"alt": "nothing", "thumbnail": False}}


def test_an_input_is_stored_with_its_hash_and_its_place_in_the_project(shown: list) -> None:
    record_input("licence", PROJECT_ROOT / "LICENSE")
    ((data, _),) = shown
    digest = sha256_of(PROJECT_ROOT / "LICENSE")
    assert data[INPUT_MIME] == {"name": "licence", "path": "LICENSE", "sha256": digest, "files": 1}


def test_an_installed_or_a_users_file_is_named_without_the_machines_folders(
    shown: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, home, elsewhere = (tmp_path / name for name in ("site-packages", "home", "elsewhere"))
    monkeypatch.setattr(module.sysconfig, "get_path", {"purelib": str(installed)}.__getitem__)
    monkeypatch.setenv("HOME", str(home))
    for folder in (installed, home, elsewhere):
        folder.mkdir()
        (folder / "a.pth").write_bytes(b"a")
        record_input("weights", folder / "a.pth")
    names = [data[INPUT_MIME]["path"] for data, _ in shown]
    assert names == ["a.pth", "~/a.pth", str(elsewhere / "a.pth")]
    monkeypatch.setattr(module, "home_folder", lambda: None)
    record_input("weights", home / "a.pth")
    assert shown[-1][0][INPUT_MIME]["path"] == str(home / "a.pth")


def test_an_input_that_is_not_there_is_an_error(shown: list, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        record_input("weights", tmp_path / "missing")
    assert shown == []


@pytest.mark.parametrize(("vector", "kind"), [(False, "image/png"), (True, "image/svg+xml")])
def test_a_figure_is_shown_with_its_words_and_the_same_bytes_each_time(
    shown: list, vector: bool, kind: str
) -> None:
    for _ in range(2):
        show_figure(figure(), alt="a rising line", vector=vector, thumbnail=True)
    (first, metadata), (second, _) = shown
    assert first == second
    assert metadata[kind] == {"alt": "a rising line", "thumbnail": True}
    assert first["text/plain"] == "[figure: a rising line]"
