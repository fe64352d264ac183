"""The classification table as a file; tests/browser/test_table.py opens it."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from coursework.finetune.images import ImageError, visible
from coursework.finetune.scoring import Predictions
from coursework.finetune.table import classification_table, round_rows

CLASSES = ("ape", "cat", "dog")
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


def predictions(paths: list[Path], name: str = "model", seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = np.arange(len(paths)) % 3
    return Predictions(paths, labels, CLASSES, rng.dirichlet([0.4] * 3, len(paths)), name)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Six pictures of different shapes, one of them with a hostile name."""
    names = ["a.png", "b.jpg", HOSTILE, "d'\"&.png", "e.jpg", "f.jpg"]
    for i, name in enumerate(names):
        Image.new("RGB", (300 - 40 * i, 100 + 40 * i), (40 * i, 90, 120)).save(tmp_path / name)
    return [tmp_path / name for name in names]


class Elements(HTMLParser):
    """All start tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_there_is_one_row_and_one_embedded_picture_for_every_path(paths: list[Path], tmp_path: Path) -> None:
    page = classification_table(predictions(paths), tmp_path / "out" / "table.html").read_text("utf-8")
    images = Elements(page).all("img")
    assert len(images) == 6
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in images)
    assert [int(image["width"] or 0) for image in images][:2] == [96, 96]
    assert page.count("<tr data-cells=") == 6


def test_the_same_predictions_give_the_same_bytes(paths: list[Path], tmp_path: Path) -> None:
    one = classification_table(predictions(paths), tmp_path / "one.html").read_bytes()
    assert classification_table(predictions(paths), tmp_path / "two.html").read_bytes() == one


def test_no_name_becomes_an_element_or_an_attribute(paths: list[Path], tmp_path: Path) -> None:
    page = classification_table(
        Predictions(
            paths, np.zeros(6, int), ("<b>x</b>", '" onclick="y', "z"), np.eye(3)[[0, 1, 2] * 2], "<i>me</i>"
        ),
        tmp_path / "table.html",
        title="</title><script>alert(2)</script>",
        comparison=Predictions(
            paths, np.zeros(6, int), ("<b>x</b>", '" onclick="y', "z"), np.eye(3)[[0] * 6], "</th>"
        ),
    ).read_text("utf-8")
    elements = Elements(page)
    assert len(elements.all("script")) == 1
    assert not {tag for tag, _ in elements.found} & {"b", "i"}
    assert not [attributes for _, attributes in elements.found if {"onerror", "onclick"} & set(attributes)]
    assert "&lt;img src=x onerror=alert(1)&gt;.jpg" in page
    assert "d&#39;&#34;&amp;.png" in page


def test_no_address_but_embedded_data_stands_in_the_page(paths: list[Path], tmp_path: Path) -> None:
    page = classification_table(predictions(paths), tmp_path / "table.html").read_text("utf-8")
    for _, attributes in Elements(page).found:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "data:").startswith(("data:", "#"))
    assert "//" not in re.sub(r'data:image/jpeg;base64,[^"]+|<script>.*?</script>', "", page, flags=re.DOTALL)


def test_the_policy_allows_nothing_but_what_is_embedded(paths: list[Path], tmp_path: Path) -> None:
    page = classification_table(predictions(paths), tmp_path / "table.html").read_text("utf-8")
    (policy,) = [m["content"] or "" for m in Elements(page).all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy


def test_the_accuracy_stands_there_with_its_interval(paths: list[Path], tmp_path: Path) -> None:
    right = Predictions(paths, np.array([0, 1, 2, 0, 1, 2]), CLASSES, np.eye(3)[[0, 1, 2, 0, 1, 1]])
    page = classification_table(right, tmp_path / "table.html").read_text("utf-8")
    text = " ".join(re.sub(r"<[^>]+>", "", page).split())
    # Wilson's interval of 5 of 6
    assert "Accuracy 0.833 (5 of 6 right; 95&nbsp;% interval 0.436 to 0.970)." in text
    assert "Cross-entropy inf." in text


def test_a_comparison_shows_both_and_the_test_between_them(paths: list[Path], tmp_path: Path) -> None:
    labels = np.zeros(6, int)
    frozen = Predictions(paths, labels, CLASSES, np.eye(3)[[1, 1, 1, 1, 1, 0]], "frozen")
    unfrozen = Predictions(paths, labels, CLASSES, np.eye(3)[[0] * 6], "unfrozen")
    page = classification_table(frozen, tmp_path / "t.html", comparison=unfrozen).read_text("utf-8")
    assert page.count('scope="colgroup"') == 2
    assert "p = 0.0625" in page  # 2 / 2^5
    assert page.count('data-cells="a-0-1 b-0-0 change-0-1"') == 5
    assert page.count('data-cells="a-0-0 b-0-0 change-1-1"') == 1


def test_a_comparison_with_other_classes_is_refused(paths: list[Path], tmp_path: Path) -> None:
    other = Predictions(paths, np.zeros(6, int), ("cat", "ape", "dog"), np.eye(3)[[0] * 6], "other")
    with pytest.raises(ValueError, match="same classes in the same order"):
        classification_table(predictions(paths), tmp_path / "t.html", comparison=other)


def test_thumbnails_have_the_size_asked_for(paths: list[Path], tmp_path: Path) -> None:
    page = classification_table(predictions(paths), tmp_path / "t.html", thumbnails=32).read_text("utf-8")
    sizes = [(int(i["width"] or 0), int(i["height"] or 0)) for i in Elements(page).all("img")]
    assert {max(size) for size in sizes} == {32}
    with pytest.raises(ValueError, match="thumbnails=8"):
        classification_table(predictions(paths), tmp_path / "t.html", thumbnails=8)


def test_a_picture_that_vanished_is_named_and_no_file_is_left(paths: list[Path], tmp_path: Path) -> None:
    paths[4].unlink()
    with pytest.raises(ImageError, match=r"e.jpg: no such file"):
        classification_table(predictions(paths), tmp_path / "out" / "t.html")
    assert not (tmp_path / "out" / "t.html").exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain ünïcode 球.jpg", "plain ünïcode 球.jpg"),
        ("two\nlines\t.jpg", "two\\nlines\\t.jpg"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        (b"latin\xe9.jpg".decode("utf-8", "surrogateescape"), "latin\\udce9.jpg"),
        ("\0", "\\x00"),
    ],
)
def test_characters_that_do_not_show_are_escaped(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_a_row_is_rounded_so_that_it_adds_up() -> None:
    # one by one these would read 333 three times, and 1 + 1 + 999
    rounded = round_rows(np.array([[1 / 3, 1 / 3, 1 / 3], [0.0006, 0.0006, 0.9988]]))
    assert rounded.tolist() == [[334, 333, 333], [1, 0, 999]]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12).filter(lambda row: sum(row) > 1e-3))
def test_rounded_rows_add_up_and_stay_within_a_thousandth(row: list[float]) -> None:
    scores = np.array([row]) / sum(row)
    rounded = round_rows(scores)
    assert rounded.sum() == 1000
    assert np.abs(rounded / 1000 - scores).max() < 1e-3 + 1e-12
