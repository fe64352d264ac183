"""The classification table: one HTML file that shows every picture with its class scores.

The file needs no network and no JavaScript; a small script adds sorting and filtering. Its content
security policy allows that script and the style sheet by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from coursework._common.files import write_atomic
from coursework.finetune.images import read_picture, visible
from coursework.finetune.scoring import (
    McNemar,
    Predictions,
    Proportion,
    accuracy,
    confusion_matrix,
    cross_entropy,
    mcnemar,
)

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Score:
    """One class score of one picture: its value, and the three decimals that are shown."""

    value: float
    shown: str


@dataclass(frozen=True)
class Verdict:
    """What one classifier said of one picture."""

    predicted: int
    right: bool
    scores: list[Score]


@dataclass(frozen=True)
class Row:
    """One picture of the table; `cells` names the cells of the small tables that count it."""

    thumbnail: str
    width: int
    height: int
    name: str
    label: int
    verdicts: list[Verdict]
    cells: str


@dataclass(frozen=True)
class Group:
    """The summary of one classifier; `key` begins the names of its confusion matrix' cells."""

    key: str
    name: str
    accuracy: Proportion
    cross_entropy: float
    confusion: list[list[int]]


def classification_table(
    predictions: Predictions,
    path: Path | str,
    *,
    title: str = "Classification table",
    thumbnails: int = 96,
    comparison: Predictions | None = None,
) -> Path:
    """Write one self-contained HTML file with a row for every picture and return its path.

    Parameters
    ----------
    predictions : what a classifier said; its `name` heads its columns if there is a comparison.
    path : the file to write (replaced in one step if it exists).
    thumbnails : longer side of the thumbnails, in pixels, at least 16.
    comparison : what another classifier said of the same pictures, shown beside it together with
        McNemar's exact test.

    Raises
    ------
    ImageError
        if a picture cannot be read.
    ValueError
        if `thumbnails` is too small or `comparison` is on other pictures or classes.
    """
    if thumbnails < 16:
        raise ValueError(f"thumbnails={thumbnails}: give at least 16 pixels.")
    shown = [predictions] if comparison is None else [predictions, comparison]
    difference = None
    if comparison is not None:
        if comparison.classes != predictions.classes:
            raise ValueError(
                f"{comparison.name!r} has the classes {comparison.classes}, {predictions.name!r} has "
                f"{predictions.classes}: score both with the same classes in the same order."
            )
        difference = mcnemar(predictions, comparison)
    return write_atomic(
        path,
        _page(
            title,
            [str(name) for name in predictions.classes],
            [_group(key, one) for key, one in zip("ab", shown, strict=False)],
            _rows(shown, thumbnails),
            difference,
        ),
    )


def _page(
    title: str, classes: list[str], groups: list[Group], rows: list[Row], difference: McNemar | None
) -> str:
    """Return the HTML of the whole page."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    style = (TEMPLATES / "table.css").read_text("utf-8")
    script = (TEMPLATES / "table.js").read_text("utf-8")
    return environment.get_template("table.html.jinja").render(
        title=title,
        classes=classes,
        groups=groups,
        rows=rows,
        difference=difference,
        # our own files, not a user's text
        style=Markup(style),
        script=Markup(script),
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
    )


def _csp_hash(text: str) -> str:
    """Return the source expression by which a content security policy allows an inline `text`."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _group(key: str, predictions: Predictions) -> Group:
    matrix: list[list[int]] = confusion_matrix(predictions).tolist()
    return Group(key, predictions.name, accuracy(predictions), cross_entropy(predictions), matrix)


def _rows(shown: list[Predictions], thumbnails: int) -> list[Row]:
    """Return the table's rows in the order of the predictions."""
    first = shown[0]
    scores = [_scores(predictions.scores) for predictions in shown]
    rows = []
    for i, path in enumerate(first.paths):
        label = int(first.labels[i])
        verdicts = [
            Verdict(int(predictions.predicted[i]), bool(predictions.right[i]), scores[g][i])
            for g, predictions in enumerate(shown)
        ]
        cells = [f"{key}-{label}-{v.predicted}" for key, v in zip("ab", verdicts, strict=False)]
        if len(verdicts) == 2:
            cells.append(f"change-{int(verdicts[0].right)}-{int(verdicts[1].right)}")
        source, (width, height) = _thumbnail(path, thumbnails)
        rows.append(Row(source, width, height, path.name, label, verdicts, " ".join(cells)))
    return rows


def _scores(scores: NDArray[np.float64]) -> list[list[Score]]:
    """Return the scores of each picture with the decimals to show."""
    return [
        [Score(float(value), f"{units / 1000:.3f}") for value, units in zip(row, thousandths, strict=True)]
        for row, thousandths in zip(scores, round_rows(scores), strict=True)
    ]


def round_rows(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round each row, shape (n, c), to thousandths that add up to 1000 (largest remainders first).

    Rounded one by one, three equal scores would read 0.333 + 0.333 + 0.333.
    """
    thousandths = scores / scores.sum(axis=1, keepdims=True) * 1000
    units: NDArray[np.int64] = np.floor(thousandths).astype(np.int64)
    missing = 1000 - units.sum(axis=1)
    order = np.argsort(units - thousandths, axis=1, kind="stable")
    for row, (columns, count) in enumerate(zip(order, missing, strict=True)):
        units[row, columns[:count]] += 1
    return units


def _thumbnail(path: Path, side: int) -> tuple[str, tuple[int, int]]:
    """Return a small JPEG of the picture as a data URI, with its width and height."""
    picture = read_picture(path, at_least=side)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), picture.size
