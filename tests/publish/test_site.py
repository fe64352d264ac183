"""The index over the reports."""

import json
import os
import shutil
import sys
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


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "manifest.json: Invalid JSON"),
        (b"[" * 100_000, "manifest.json: Invalid JSON"),
        (b"\xff", "manifest.json: Invalid JSON"),
        (b"[]", "manifest.json: Input should be an object"),
        (b'{"status": "running"}', "manifest.json: status: Input should be 'finished'"),
        (b'{"status": "finished"}', "manifest.json: title: Field required"),
        (json.dumps(MANIFEST | {"thumbnail": 5}).encode(), "manifest.json: thumbnail:"),
        (json.dumps(MANIFEST | {"records": [{"name": "a"}]}).encode(), "manifest.json: records.0.text:"),
        (json.dumps(MANIFEST | {"title": "\udcff"}).encode(), "manifest.json: "),
    ],
    ids=["cut", "deep", "bytes", "list", "running", "bare", "thumbnail", "record", "surrogate"],
)
def test_a_manifest_that_is_not_of_a_finished_run_cannot_be_read_and_spoils_nothing_else(
    out: Path, content: bytes, why: str
) -> None:
    (out / "2_second").mkdir()
    (out / "2_second" / "index.html").touch()
    (out / "2_second" / "manifest.json").write_bytes(content)
    text = {e.h2["id"]: e.get_text() for e in index_of(out).select("section.entry") if e.h2}
    assert f"The report cannot be read: {why}" in text["2_second"]
    assert "Finished" not in text["2_second"]
    assert "Finished" in text["1_first"]


def test_an_error_that_cannot_be_read_is_named(out: Path) -> None:
    (out / "1_first" / "error.html").touch()
    (out / "1_first" / "error.json").write_text("{}")
    assert "The report cannot be read: error.json: status" in index_of(out).get_text()


def test_folders_that_are_not_named_like_a_section_are_passed_over(out: Path) -> None:
    shutil.copytree(out / "1_first", out / "1b_old")
    shutil.copytree(out / "1_first", out / "1_first copy")
    assert [heading.get("id") for heading in index_of(out).select("h2")] == ["1_first"]


def test_a_thumbnail_that_cannot_be_read_is_said_beside_its_report(out: Path) -> None:
    picture = out / "1_first" / "thumbnail.png"
    picture.write_bytes(picture.read_bytes()[:60])
    page = index_of(out)
    assert "The figure cannot be read" in page.get_text()
    assert "Finished" in page.get_text()
    assert page.select("img") == []


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
def test_a_files_name_that_is_no_text_is_linked_by_its_bytes(out: Path) -> None:
    (out / "1_first" / os.fsdecode(b"t\xff.html")).touch()
    links = {str(a["href"]): a.get_text() for a in index_of(out).select("ul.links a")}
    assert links["1_first/t%FF.html"] == "t\ufffd.html"


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
