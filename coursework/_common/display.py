"""What a notebook shows and what its report remembers: figures with words for them, and records."""

from __future__ import annotations

import base64
import io
import math
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.display import display

from coursework._common.files import PROJECT_ROOT, home_folder, resolve_input, sha256_of, sha256_of_folder
from coursework._common.kinds import INPUT_MIME, RECORD_MIME

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def record(name: str, value: float | int | str | bool, text: str | None = None) -> None:
    """Show `name: text` and store `value` in the executed notebook under `name`.

    Parameters
    ----------
    name : what the value is, as the index page shall print it ("largest relative error").
    value : a number, a string or a truth value; NumPy scalars are converted, and
        what is not finite is stored as text.
    text : how to print it; by default `value` itself, floats with four significant digits.
    """
    if hasattr(value, "item"):
        value = value.item()
    stored = value
    if isinstance(value, float) and not math.isfinite(value):
        stored = str(value)  # JSON has no such numbers
    if text is None:
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
    display(
        {"text/plain": f"{name}: {text}", RECORD_MIME: {"name": name, "value": stored, "text": text}},
        raw=True,
    )


def record_input(name: str, path: Path | str) -> None:
    """Show the SHA-256 of a file or folder that the notebook reads and store it for the manifest.

    Only for what no parameter names: the manifest lists the files that parameters name by itself.

    Parameters
    ----------
    name : what it is ("weights").
    path : where it is; relative to the working folder or the project.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    """
    place = resolve_input(path)
    files = sum(p.is_file() for p in place.rglob("*")) if place.is_dir() else 1
    digest = sha256_of_folder(place) if place.is_dir() else sha256_of(place)
    entry = {"name": name, "path": _named(place), "sha256": digest, "files": files}
    display(
        {"text/plain": f"{name}: {Path(path).name}, SHA-256 {digest[:16]}…", INPUT_MIME: entry},
        raw=True,
    )


def _named(place: Path) -> str:
    """Return the name of a file that is the same on every machine where it is an installed one or ours."""
    for folder, short in (
        (Path(sysconfig.get_path("purelib")), ""),
        (PROJECT_ROOT, ""),
        (home_folder(), "~/"),
    ):
        if folder and place.is_relative_to(folder):
            return short + place.relative_to(folder).as_posix()
    return str(place)


def show_figure(figure: Figure | str, alt: str, *, vector: bool = False, thumbnail: bool = False) -> None:
    """Display `figure` with a text alternative and close it.

    Parameters
    ----------
    figure : a Matplotlib figure, or the text of an SVG drawing.
    alt : what a reader who cannot see it needs to know, numbers included.
    vector : SVG (for drawings) in place of PNG (for plots with many points).
    thumbnail : the report's index page shows this figure beside the section's title.
    """
    vector = vector or isinstance(figure, str)
    mime = "image/svg+xml" if vector else "image/png"
    data = figure if isinstance(figure, str) else _data(figure, vector)
    display(
        {mime: data, "text/plain": f"[figure: {alt}]"},
        metadata={mime: {"alt": alt, "thumbnail": thumbnail}},
        raw=True,
    )


def _data(figure: Figure, vector: bool) -> str:
    """Return a figure as the text of an SVG, or as a PNG in base64, and close it."""
    from matplotlib import pyplot, rc_context

    buffer = io.BytesIO()
    # a fixed hash salt and no date: the same figure gives the same bytes
    with rc_context({"svg.hashsalt": "coursework", "svg.fonttype": "path"}):
        if vector:
            figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        else:
            figure.savefig(buffer, format="png", bbox_inches="tight", dpi=144, metadata={"Software": None})
    pyplot.close(figure)
    data = buffer.getvalue()
    return data.decode("utf-8") if vector else base64.b64encode(data).decode("ascii")
