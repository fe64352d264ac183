"""What a notebook shows and what its report remembers: figures with words for them, and records."""

from __future__ import annotations

import io
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure

#: The MIME type under which a value is stored in the notebook, for the report's index to find.
RECORD_MIME = "application/vnd.coursework.record+json"


def record(name: str, value: float | int | str | bool, text: str | None = None) -> None:
    """Show `name: text` and store `value` in the executed notebook under `name`.

    Parameters
    ----------
    name : what the value is, as the index page shall print it ("largest relative error").
    value : a number, a string or a truth value; NumPy scalars are converted.
    text : how to print it; by default `value` itself, floats with four significant digits.
    """
    if hasattr(value, "item"):
        value = value.item()
    if text is None:
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
    display(
        {"text/plain": f"{name}: {text}", RECORD_MIME: {"name": name, "value": value, "text": text}},
        raw=True,
    )


def show_figure(figure: Figure, alt: str, *, vector: bool = False, thumbnail: bool = False) -> None:
    """Display `figure` with a text alternative and close it.

    Parameters
    ----------
    figure : a Matplotlib figure.
    alt : what a reader who cannot see it needs to know, numbers included.
    vector : SVG (for drawings) in place of PNG (for plots with many points).
    thumbnail : the report's index page shows this figure beside the section's title.
    """
    mime = "image/svg+xml" if vector else "image/png"
    buffer = io.BytesIO()
    # a fixed hash salt and no date: the same figure gives the same bytes
    from matplotlib import pyplot, rc_context

    with rc_context({"svg.hashsalt": "coursework", "svg.fonttype": "path"}):
        if vector:
            figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        else:
            figure.savefig(buffer, format="png", bbox_inches="tight", dpi=144, metadata={"Software": None})
    pyplot.close(figure)
    data: Any
    if vector:
        data = buffer.getvalue().decode("utf-8")
    else:
        import base64

        data = base64.b64encode(buffer.getvalue()).decode("ascii")
    display(
        {mime: data, "text/plain": f"[figure: {alt}]"},
        metadata={mime: {"alt": alt, "thumbnail": thumbnail}},
        raw=True,
    )
