"""Section 3 as `coursework run` makes it, on a user's own folder, opened in a real Chromium."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from coursework.finetune.scenes import jpeg
from coursework.finetune.sports import CLASSES, picture

HOSTILE = "<img src=x onerror=alert(1)>.jpg"

#: Put before all else: every Python of the run refuses to open a connection or to look a name up.
FORBID = """
import socket

def refuse(*arguments, **options):
    raise OSError("the network is forbidden")

connect = socket.socket.connect
socket.socket.connect = lambda self, to: connect(self, to) if self.family == socket.AF_UNIX else refuse()
socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of section 3 for a small folder, one name in it hostile, made with the network forbidden."""
    place = tmp_path_factory.mktemp("section3")
    for split, count in (("train", 5), ("validation", 3)):
        for sport in CLASSES:
            folder = place / "pictures" / split / sport
            folder.mkdir(parents=True)
            for number in range(1, count + 1):
                name = HOSTILE if (split, number) == ("validation", 1) else f"{number}.jpg"
                (folder / name).write_bytes(jpeg(picture(sport, split, number, seed=5, size=120), 90))
    (place / "forbid").mkdir()
    (place / "forbid" / "sitecustomize.py").write_text(FORBID)
    given = {
        "data_dir": str(place / "pictures"),
        "base": "efficientnet_lite0",
        "size": "64",
        "head_epochs": "12",
        "base_epochs": "1",
        "compare": "false",
    }
    options = [text for name, value in given.items() for text in ("-p", name, value)]
    command = [sys.executable, "-m", "coursework", "run", "3", *options, "--out", str(place / "reports")]
    environment = os.environ | {
        "PYTHONPATH": str(place / "forbid"),
        "COURSEWORK_CACHE": str(place / "cache"),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "reports" / "3_fine_tuning"


def test_the_table_shows_every_validation_picture_and_scores_that_add_up(
    report: Path, page: Page, requested: list[str], complaints: list[str]
) -> None:
    page.goto((report / "classification_table.html").as_uri())
    rows = page.locator("#pictures tbody tr")
    assert rows.count() == 9
    widths = page.eval_on_selector_all("#pictures img", "all => all.map(one => one.naturalWidth)")
    assert len(widths) == 9
    assert min(widths) > 0
    for row in range(9):
        values = rows.nth(row).locator("data").evaluate_all("all => all.map(one => Number(one.value))")
        # three scores of the trained base, three of the frozen one
        assert len(values) == 6
        assert sum(values[:3]) == pytest.approx(1, abs=1e-6)
        assert sum(values[3:]) == pytest.approx(1, abs=1e-6)
    assert page.get_by_text(HOSTILE).count() >= 3
    assert page.locator("img[src='x']").count() == 0
    assert complaints == []
    assert requested == [(report / "classification_table.html").as_uri()]


def test_the_report_stands_by_itself_and_has_the_epochs_of_both_phases(
    report: Path, page: Page, requested: list[str], complaints: list[str]
) -> None:
    page.goto((report / "index.html").as_uri())
    captions = page.locator("caption").all_inner_texts()
    assert any(caption.startswith("base frozen (1 step an epoch)") for caption in captions)
    assert any(caption.startswith("base trained from blocks_5") for caption in captions)
    assert sum(caption.startswith("published") for caption in captions) == 3
    assert page.locator("math").count() > 3
    assert complaints == []
    assert requested == [(report / "index.html").as_uri()]


def test_the_manifest_names_pictures_and_weights(report: Path) -> None:
    manifest = json.loads((report / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "finished"
    assert manifest["parameters"]["head_epochs"] == 12
    assert [entry["files"] for entry in manifest["inputs"] if entry["name"] == "data_dir"] == [24]
    assert any(entry["name"] == "base" and "SHA-256" in entry["text"] for entry in manifest["records"])
