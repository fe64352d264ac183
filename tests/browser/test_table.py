"""The classification table in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from coursework.finetune.scoring import Predictions
from coursework.finetune.table import classification_table

CLASSES = ("ape", "cat", "dog")
HOSTILE = "<img src=x onerror=alert(1)>.jpg"
NAMES = [
    "img_10.jpg",
    "img_9.jpg",
    HOSTILE,
    "a\nb.jpg",
    "bad\udce9.jpg",
    "tall.png",
    "wide.png",
    "z&amp;.jpg",
]
LABELS = [0, 1, 2, 0, 1, 2, 0, 1]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Predictions:
    """Predictions for pictures whose names and shapes are awkward."""
    folder = tmp_path_factory.mktemp("pictures")
    for i, name in enumerate(NAMES):
        size = {"tall.png": (50, 400), "wide.png": (400, 50)}.get(name, (299, 299))
        picture = Image.new("RGB", size, (30 * i, 120, 200 - 20 * i))
        ImageDraw.Draw(picture).ellipse((10, 10, 45, 45), "orange")
        with (folder / name).open("wb") as file:
            picture.save(file, "PNG" if name.endswith("png") else "JPEG")
    scores = np.random.default_rng(1).dirichlet([0.5] * 3, len(NAMES))
    return Predictions([folder / name for name in NAMES], np.array(LABELS), CLASSES, scores, "frozen")


@pytest.fixture(scope="module")
def unfrozen(frozen: Predictions) -> Predictions:
    """Better predictions for the same pictures."""
    scores = frozen.scores / 2 + np.eye(3)[LABELS] / 2
    return Predictions(frozen.paths, frozen.labels, CLASSES, scores, "unfrozen")


@pytest.fixture(scope="module")
def table(frozen: Predictions, unfrozen: Predictions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file: eight pictures, two classifiers."""
    path = tmp_path_factory.mktemp("report") / "table.html"
    return classification_table(frozen, path, title="Test", comparison=unfrozen)


@pytest.fixture
def opened(page: Page, table: Path) -> Page:
    """The table in a browser with JavaScript."""
    page.goto(table.as_uri())
    return page


@pytest.fixture
def unscripted(browser: Browser, table: Path) -> Iterator[Page]:
    """The table in a browser without JavaScript."""
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(table.as_uri())
    yield page
    context.close()


def column(page: Page, number: int) -> list[str]:
    """The texts of one column, as they stand on the page from top to bottom."""
    cells = page.locator(f"#pictures tbody tr:not([hidden]) > :nth-child({number + 1})")
    return [text.strip() for text in cells.all_inner_texts()]


def test_every_image_loads(opened: Page) -> None:
    widths = opened.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(widths) == len(NAMES)
    assert min(widths) > 0


def test_the_scores_of_every_row_add_up_to_one(opened: Page, frozen: Predictions) -> None:
    for start, scores in ((5, frozen.scores), (10, frozen.scores / 2 + np.eye(3)[LABELS] / 2)):
        shown = np.array([[float(text) for text in column(opened, start + k)] for k in range(3)]).T
        np.testing.assert_allclose(shown.sum(axis=1), 1, atol=1e-9)
        np.testing.assert_allclose(shown, scores, atol=1e-3)


def test_nothing_is_requested_but_the_file_and_nothing_is_complained_of(
    opened: Page, table: Path, requested: list[str], complaints: list[str]
) -> None:
    opened.locator("#pictures thead button").first.click()
    assert requested == [table.as_uri()]
    assert complaints == []


def test_a_hostile_file_name_is_text(opened: Page) -> None:
    names = column(opened, 1)
    assert names[2] == HOSTILE
    assert names[3:5] == ["a\\nb.jpg", "bad\\udce9.jpg"]
    assert names[7] == "z&amp;.jpg"
    assert opened.locator("img").count() == len(NAMES)


def test_a_header_sorts_and_sorts_back_and_says_so(opened: Page, frozen: Predictions) -> None:
    header = opened.locator("th[data-column='6']").first
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    order = np.argsort(frozen.scores[:, 1], kind="stable")
    assert column(opened, 2) == [CLASSES[LABELS[i]] for i in order]
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert column(opened, 2) == [CLASSES[LABELS[i]] for i in order[::-1]]
    opened.locator("th[data-column='1'] button").click()
    assert header.get_attribute("aria-sort") is None


def test_file_names_sort_by_their_numbers_and_with_the_keyboard_too(opened: Page) -> None:
    opened.locator("th[data-column='1'] button").focus()
    opened.keyboard.press("Enter")
    names = column(opened, 1)
    assert names.index("img_9.jpg") < names.index("img_10.jpg")


def test_a_count_of_the_confusion_matrix_shows_only_its_pictures(opened: Page, frozen: Predictions) -> None:
    true, predicted = int(frozen.labels[0]), int(frozen.predicted[0])
    same = (frozen.labels == true) & (frozen.predicted == predicted)
    button = opened.locator(f"[data-cell='a-{true}-{predicted}'] button")
    assert button.inner_text() == str(same.sum())
    button.click()
    assert column(opened, 2) == [CLASSES[true]] * int(same.sum())
    assert button.get_attribute("aria-pressed") == "true"
    assert f"{same.sum()} of 8 pictures" in opened.locator("#status").inner_text()
    opened.locator("#controls button").click()
    assert len(column(opened, 2)) == len(NAMES)
    assert button.get_attribute("aria-pressed") == "false"


def test_what_changed_shows_the_pictures_that_only_one_got_right(
    opened: Page, frozen: Predictions, unfrozen: Predictions
) -> None:
    gained = ~frozen.right & unfrozen.right
    assert gained.any()
    opened.locator("[data-cell='change-0-1'] button").click()
    assert column(opened, 4) == ["wrong"] * int(gained.sum())
    assert column(opened, 9) == ["right"] * int(gained.sum())


def test_without_javascript_the_table_is_whole_and_offers_no_dead_button(unscripted: Page) -> None:
    assert unscripted.locator("#pictures tbody tr").count() == len(NAMES)
    assert unscripted.locator("button").count() == 0
    assert column(unscripted, 1)[2] == HOSTILE
    assert unscripted.locator("#pictures tbody tr").last.is_visible()


def test_verdicts_are_told_by_words_and_marks(opened: Page, frozen: Predictions) -> None:
    assert column(opened, 4) == ["right" if right else "wrong" for right in frozen.right]
    boxes = opened.locator("#pictures .verdict svg").evaluate_all(
        "all => all.map(one => one.getBBox().width)"
    )
    assert len(boxes) == 2 * len(NAMES)
    assert min(boxes) > 0


CONTRAST = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
  };
  return Array.from(document.querySelectorAll("h1, h2, p, caption, th, td, button, data"))
    .map(e => [light(getComputedStyle(e).color), light(ground(e))])
    .map(([a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_themes(opened: Page, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    opened.locator("[data-cell='change-0-1'] button").click()
    ratios = opened.evaluate(CONTRAST)
    assert len(ratios) > 100
    assert min(ratios) >= 4.5  # WCAG 2.2, AA


def test_a_narrow_screen_scrolls_the_table_and_not_the_page(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 640})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
