"""Drawings as SVG text, in milliseconds, readable on light and on dark pages.

A drawing brings its own paper: a picture in a page cannot know the page's colours, only what the
reader's system prefers.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")

#: Colours by name, for light and for dark paper; hues from Okabe and Ito (2008), told apart by all eyes.
PALETTE = {
    "paper": ("#ffffff", "#15181c"),
    "ink": ("#1f2937", "#e3e7ec"),
    "pale": ("#6b7280", "#9da7b3"),
    "line": ("#d0d7de", "#3a424b"),
    "plus": ("#a63d00", "#ff9e5e"),
    "minus": ("#0061a8", "#66b7f5"),
    "good": ("#00704f", "#3fc79a"),
}

_RULES = "".join(f".s-{name}{{stroke:var(--{name})}}.f-{name}{{fill:var(--{name})}}" for name in PALETTE) + (
    "text{font-family:'DejaVu Sans','Segoe UI','Helvetica Neue',Arial,sans-serif}"
)


def _variables(column: int) -> str:
    return "svg{" + "".join(f"--{name}:{shades[column]};" for name, shades in PALETTE.items()) + "}"


_STYLE = f"{_variables(0)}@media (prefers-color-scheme:dark){{{_variables(1)}}}{_RULES}"

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789()-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻")
_SMALL = {chr(code) for table in (_SUBSCRIPTS, _SUPERSCRIPTS) for code in table.values()}


def subscript(number: int | str) -> str:
    """Return digits as subscripts."""
    return str(number).translate(_SUBSCRIPTS)


def superscript(text: int | str) -> str:
    """Return digits and parentheses as superscripts."""
    return str(text).translate(_SUPERSCRIPTS)


def text_width(text: str, size: float) -> float:
    """Return about how wide `text` is drawn at a font size; small digits and brackets are narrower."""
    small = sum(character in _SMALL for character in text)
    return size * (0.6 * (len(text) - small) + 0.4 * small)


class Svg:
    """A drawing under construction; `str()` of it is the document.

    Parameters
    ----------
    width, height : in pixels; x grows to the right, y downwards. Coordinates are written to a tenth of a
        pixel, so that the last digits of a computation leave a drawing as it is.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> None:
        """Draw a straight line; `colour` is a name in `PALETTE`."""
        (x1, y1), (x2, y2) = start, end
        self._parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="s-{colour}" '
            f'stroke-width="{width:.1f}"/>'
        )

    def circle(self, x: float, y: float, radius: float) -> None:
        """Draw a circle filled with paper."""
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="f-paper s-ink" stroke-width="1.5"/>'
        )

    def curve(self, points: Iterable[tuple[float, float]], colour: str, width: float) -> None:
        """Draw straight lines from point to point."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" class="s-{colour}" stroke-width="{width:.1f}" fill="none"/>'
        )

    def area(self, points: Iterable[tuple[float, float]], colour: str, opacity: float) -> None:
        """Fill what the points go round."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polygon points="{path}" class="f-{colour}" opacity="{opacity:g}"/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        colour: str = "ink",
        anchor: str = "middle",
        boxed: bool = False,
    ) -> None:
        """Write `text` with its middle at height y; `boxed`, on a piece of paper over what is below."""
        if boxed:
            width, height = text_width(text, size) + 4, 1.25 * size
            self._parts.append(
                f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}" class="f-paper" opacity="0.88"/>'
            )
        self._parts.append(
            f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" font-size="{size:.3g}" text-anchor="{anchor}" '
            f'class="f-{colour}">{html.escape(text)}</text>'
        )

    def __str__(self) -> str:
        size = f'width="{self.width:.0f}" height="{self.height:.0f}"'
        box = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box}><style>{_STYLE}</style>'
            f'<rect width="100%" height="100%" class="f-paper"/>{"".join(self._parts)}</svg>'
        )


def picture(svg: str, alt: str) -> str:
    """Return an `<img>` that holds the drawing and its text alternative."""
    encoded = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f'<img src="data:image/svg+xml;base64,{encoded}" alt="{html.escape(alt)}">'


def runs(items: Iterable[Item | None]) -> list[list[Item]]:
    """Return the stretches between gaps (None), none of them empty."""
    found: list[list[Item]] = [[]]
    for item in items:
        if item is None:
            found.append([])
        else:
            found[-1].append(item)
    return [stretch for stretch in found if stretch]
