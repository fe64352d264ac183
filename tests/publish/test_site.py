"""The index over the reports."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from coursework.publish.sections import Section
from coursework.publish.site import write_index

MANIFEST = {
    "section": "1_first",
    "title": "First <b>",
    "status": "finished",
    "finished": "2026-01-02T03:04:05+00:00",
    "seconds": 12.3,
    "records": [{"name": "accuracy <i>", "value": 0.5, "text": "0.50 & more"}],
    "thumbnail": {"file": "thumbnail.png", "alt": "a <grey> square"},
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "1_first"
    folder.mkdir()
    (folder / "index.html").write_text("report")
    (folder / "1_first.ipynb").write_text("{}")
    (folder / "a table.html").write_text("table")
    Image.new("RGB", (1280, 640), "grey").save(folder / "thumbnail.png")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    return tmp_path


def index_of(out: Path, sections: list[Section] | None = None) -> BeautifulSoup:
    path = write_index(out, sections or [])
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_a_finished_section_shows_title_records_thumbnail_and_links(out: Path) -> None:
    page = index_of(out)
    assert page.h2 is not None
    assert page.h2.get_text() == "1. First <b>"
    assert [c.get_text() for c in page.select("table tr > *")] == ["accuracy <i>", "0.50 & more"]
    assert page.select("img")[0]["alt"] == "a <grey> square"
    assert str(page.select("img")[0]["src"]).startswith("data:image/png;base64,")
    links = [str(a["href"]) for a in page.select("ul.links a")]
    assert links == [
        "1_first/index.html",
        "1_first/1_first.ipynb",
        "1_first/manifest.json",
        "1_first/a%20table.html",
    ]
    assert "Finished" in page.get_text()


def test_an_error_is_shown_beside_the_finished_report(out: Path) -> None:
    (out / "1_first" / "error.html").write_text("error")
    (out / "1_first" / "error.json").write_text(json.dumps(MANIFEST | {"status": "failed"}))
    page = index_of(out)
    assert "Last run failed" in page.get_text()
    assert "of an earlier run" in page.get_text()
    links = {a["href"] for a in page.select("a")}
    assert {"1_first/error.html", "1_first/index.html"} <= links


@pytest.mark.parametrize("damage", ["index.html", "manifest.json"])
def test_a_report_without_its_page_or_manifest_is_not_shown_as_finished(out: Path, damage: str) -> None:
    (out / "1_first" / damage).unlink()
    page = index_of(out)
    assert "Finished" not in page.get_text()


@pytest.mark.parametrize("content", ["{", "[]", '{"status": "running"}'])
def test_a_manifest_that_does_not_say_finished_is_no_report(out: Path, content: str) -> None:
    (out / "1_first" / "manifest.json").write_text(content)
    assert "Finished" not in index_of(out).get_text()


def test_a_notebook_that_was_never_run_is_listed_with_the_command(tmp_path: Path) -> None:
    notebook = tmp_path / "2_second.ipynb"
    notebook.write_text(json.dumps({"cells": [], "metadata": {"title": "Second"}}))
    page = index_of(tmp_path / "reports", [Section(notebook)])
    assert "Second" in page.get_text()
    assert "coursework run 2" in page.get_text()


def test_an_index_without_sections_says_so(tmp_path: Path) -> None:
    assert "no reports yet" in index_of(tmp_path).get_text()


def test_a_thumbnail_is_shrunk_and_one_outside_the_folder_is_not_read(out: Path) -> None:
    import base64
    import io

    encoded = str(index_of(out).select("img")[0]["src"]).split(",")[1]
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).size == (640, 320)
    outside = MANIFEST | {"thumbnail": {"file": "../secret.svg", "alt": "x"}}
    (out / "secret.svg").write_text("<svg/>")
    (out / "1_first" / "manifest.json").write_text(json.dumps(outside))
    assert index_of(out).select("img") == []
