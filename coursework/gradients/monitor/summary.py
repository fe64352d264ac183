"""The last step as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coursework.gradients.monitor.diagnosis import Finding

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the bar, and rows that are printed at most of each kind.
_BAR, _ROWS = 24, 40


def summarize(frame: pd.DataFrame, findings: Sequence[Finding]) -> str:
    """Return name, log10 norm, a bar and the label of every row of the last step, and what is wrong."""
    if frame.empty:
        return "nothing recorded: no optimizer has made a step, and record() was not called"
    step = frame["step"].max()
    last = frame[(frame["step"] == step) & (frame["kind"] != "activation")]
    lines = [f"step {step}, {frame['step'].nunique()} steps recorded"]
    for kind, rows in last.groupby("kind", sort=False):
        finite = rows["log10_norm"][np.isfinite(rows["log10_norm"])]
        low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
        lines.append(f"{kind}: log10 norm from {low:.1f} to {high:.1f}")
        chosen = _spaced(len(rows))
        width = max(len(str(name)) for name in rows["name"])
        for place in chosen:
            lines.append(_line(rows.iloc[place], width, low, high))
        if len(chosen) < len(rows):
            lines.append(f"  ({len(chosen)} of {len(rows)} shown)")
    lines += [f"- {finding}" for finding in findings] or ["nothing conspicuous"]
    return "\n".join(lines)


def _spaced(rows: int) -> list[int]:
    """Return the places of at most `_ROWS` rows, evenly spaced, first and last included."""
    return sorted(set(np.linspace(0, rows - 1, min(rows, _ROWS)).round().astype(int).tolist()))


def _line(row: Any, width: int, low: float, high: float) -> str:
    value = row["log10_norm"]
    share = (value - low) / (high - low) if np.isfinite(value) and high > low else float(np.isfinite(value))
    bar = "█" * round(share * (_BAR - 1) + 1) if np.isfinite(value) else ""
    number = f"{value:8.2f}" if np.isfinite(value) else f"{'0' if value == -np.inf else '-':>8}"
    return f"  {row['name']:<{width}} {number}  {bar:<{_BAR}} {row['label']}"
