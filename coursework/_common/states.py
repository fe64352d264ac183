"""Precomputed states of something that moves: figures in a page, and sliders that choose one of them.

The figures are plain HTML. Where a page may run `SCRIPT`, which the report's exporter adds and allows by
its hash, sliders show one of them at a time; where not, all of them are there, one after another.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from coursework._common.svg import picture

#: What turns the figures of a page into sliders and one figure.
SCRIPT = Path(__file__).with_name("states.js").read_text(encoding="utf-8")

#: The source expression by which a content security policy allows that script, inline.
SCRIPT_SOURCE = "'sha256-" + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii") + "'"


@dataclass(frozen=True)
class State:
    """One state.

    Attributes
    ----------
    drawing : SVG. alt : what a reader who cannot see it needs to know, numbers included.
    lines : what stands below it; formulas between dollar signs.
    """

    drawing: str
    alt: str
    lines: tuple[str, ...] = ()

    def html(self) -> str:
        """Return drawing and lines as HTML."""
        below = "".join(f"<div>{html.escape(line, quote=False)}</div>" for line in self.lines)
        return f"{picture(self.drawing, self.alt)}<figcaption>{below}</figcaption>"

    @staticmethod
    def refusal(error: Exception) -> str:
        """Return as HTML why there is no state."""
        return f'<p role="alert">{html.escape(str(error))}</p>'


def states_html(
    title: str,
    axes: Mapping[str, Sequence[str]],
    states: Mapping[tuple[str, ...], State],
    start: tuple[str, ...],
) -> str:
    """Return the states as figures, each under the values that it belongs to.

    Parameters
    ----------
    title : what moves. axes : by name, the values that a slider goes through, as they are shown.
    states : one for every combination of values, in the axes' order. start : the one shown first.

    Raises
    ------
    ValueError : a combination has no state, or `start` is none.
    """
    combinations = list(product(*axes.values()))
    missing = [values for values in (*combinations, start) if values not in states]
    if missing:
        raise ValueError(f"there is no state for {missing[0]}; give one for each of {len(combinations)}")
    figures = "".join(
        f'<figure data-state="{_place(axes, values)}"><div><b>{_heading(axes, values)}</b></div>'
        f"{states[values].html()}</figure>"
        for values in combinations
    )
    axis_list = html.escape(json.dumps([[name, list(values)] for name, values in axes.items()]))
    return (
        f'<section class="states" aria-label="{html.escape(title)}" data-axes="{axis_list}" '
        f'data-start="{_place(axes, start)}">{figures}</section>'
    )


def _place(axes: Mapping[str, Sequence[str]], values: Sequence[str]) -> str:
    return " ".join(str(list(axis).index(value)) for axis, value in zip(axes.values(), values, strict=True))


def _heading(axes: Mapping[str, Sequence[str]], values: Sequence[str]) -> str:
    named = (f"{name}: {value}" for name, value in zip(axes, values, strict=True))
    return html.escape(", ".join(named), quote=False)
