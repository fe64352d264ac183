"""Where along the layers a norm falls or grows, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coursework.gradients.monitor.norms import Floats

if TYPE_CHECKING:
    import pandas as pd

#: A slope counts from so many decades a layer, and so many over all its layers, on.
STEEP, FAR_FALLEN = 0.05, 2.0


@dataclass(frozen=True)
class Slope:
    """A stretch of layers along which a norm changes steadily.

    Attributes
    ----------
    first, last : layers, counted from 1 at the inputs. layers : how many there are in all.
    per_layer : decades for each layer towards the output; positive where gradients vanish towards the inputs.
    names : of what lies in the stretch.
    """

    first: int
    last: int
    layers: int
    per_layer: float
    names: tuple[str, ...]

    def in_words(self, what: str) -> str:
        """Return "gradients fall 10^3 per 10 layers from layer 40 down to 1"."""
        verb = "fall" if self.per_layer > 0 else "grow"
        return (
            f"{what} {verb} 10^{abs(self.per_layer) * 10:.1f} per 10 layers from layer {self.last} down to "
            f"{self.first} (of {self.layers})"
        )


def _hinge(x: Floats, y: Floats, knot: float) -> tuple[float, float, float]:
    """Return the slopes below and above a knot of the best continuous broken line, and its squared error."""
    design = np.stack([np.ones_like(x), np.minimum(x - knot, 0), np.maximum(x - knot, 0)], axis=1)
    solution, *_ = np.linalg.lstsq(design, y, rcond=None)
    return float(solution[1]), float(solution[2]), float(((design @ solution - y) ** 2).sum())


def steepest(rows: pd.DataFrame) -> Slope | None:
    """Return the steepest stretch of a broken line through log10 of the root mean squares, if it counts.

    Parameters
    ----------
    rows : of one step, kind and sort of parameter; those that are zero or missing are passed over.
    """
    rows = rows.sort_values("index")
    typical = (rows["log10_norm"] - np.log10(rows["size"].clip(lower=1)) / 2).to_numpy(dtype=float)
    layer = np.arange(1, len(rows) + 1)
    alive = np.flatnonzero(np.isfinite(typical))
    if alive.size < 4:
        return None
    x, y = layer[alive].astype(float), typical[alive]
    knots = x[1:-1]
    knot = min(knots, key=lambda k: _hinge(x, y, k)[2])
    below, above, _ = _hinge(x, y, knot)
    straight = float(np.polyfit(x, y, 1)[0])
    stretches = [(below, x[0], knot), (above, knot, x[-1])]
    if min(below * straight, above * straight) > straight**2 / 2:
        stretches = [(straight, x[0], x[-1])]  # hardly bent: one stretch
    counting = [
        (slope, first, last) for slope, first, last in stretches
        if abs(slope) >= STEEP and abs(slope) * (last - first) >= FAR_FALLEN
    ]  # fmt: skip
    if not counting:
        return None
    slope, first, last = max(counting, key=lambda stretch: abs(stretch[0]) * (stretch[2] - stretch[1]))
    names = rows["name"].to_numpy()[int(first) - 1 : int(last)]
    return Slope(int(first), int(last), len(rows), slope, tuple(names))
