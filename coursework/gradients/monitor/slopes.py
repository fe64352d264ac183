"""Where along the layers a norm falls or grows, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coursework.gradients.monitor.fetch import Floats

if TYPE_CHECKING:
    import pandas as pd

#: A trend has so many decades a layer, and so many layers, at least.
STEEP, FEWEST = 0.05, 6
#: Over how many layers how many decades count: a short trend must be a strong one.
FAR_FALLEN, LONG, STRONG = 2.0, 10, 4.0
#: A straight line must explain this share of the variance, and each half of the layers must go the same way
#: at this share of the whole's pace: a jump between two layers is no trend.
EXPLAINED, SUSTAINED = 0.7, 0.25
#: The same for a reader.
THRESHOLD = (
    f"{STEEP} decades a layer and {FAR_FALLEN:g} in all over {LONG} layers, {STRONG:g} over {FEWEST}; "
    f"in both halves of them; a line explains {EXPLAINED:.0%}"
)


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
        """Return "gradients fall 10^3.0 per 10 layers from layer 40 down to 1 (of 50)".

        Of fewer than 10 layers the whole change is told: nothing is extrapolated.
        """
        verb = "fall" if self.per_layer > 0 else "grow"
        steps = self.last - self.first
        over = "per 10 layers" if steps >= 10 else f"over {steps} layers"
        return (
            f"{what} {verb} 10^{abs(self.per_layer) * min(steps, 10):.1f} {over} from layer {self.last} "
            f"down to {self.first} (of {self.layers})"
        )


def _fit(x: Floats, y: Floats) -> tuple[float, float]:
    """Return the slope of the best straight line and the share of the variance that it explains."""
    x, y = x - x.mean(), y - y.mean()
    slope = float(x @ y / (x @ x))
    variance = float(y @ y)
    return slope, slope * float(x @ y) / variance if variance else 0.0


def _is_trend(x: Floats, y: Floats) -> bool:
    slope, explained = _fit(x, y)
    half = (len(x) + 1) // 2
    return (
        abs(slope) >= STEEP
        and abs(slope) * (x[-1] - x[0]) >= (FAR_FALLEN if len(x) >= LONG else STRONG)
        and explained >= EXPLAINED
        and all(_fit(x[part], y[part])[0] / slope >= SUSTAINED for part in (slice(half), slice(-half, None)))
    )


def _bend(x: Floats, y: Floats) -> int:
    """Return the place of the bend of the best continuous broken line, with `FEWEST` on either side."""

    def squared_error(place: int) -> float:
        below, above = np.minimum(x - x[place], 0), np.maximum(x - x[place], 0)
        design = np.stack([np.ones_like(x), below, above], axis=1)
        solution, *_ = np.linalg.lstsq(design, y, rcond=None)
        return float(((design @ solution - y) ** 2).sum())

    return min(range(FEWEST - 1, len(x) - FEWEST + 1), key=squared_error)


def _stretches(x: Floats, y: Floats) -> Iterator[list[slice]]:
    """Yield what might be trends, the better description first: two sides of a bend, then all layers."""
    if len(x) >= 2 * FEWEST - 1:
        bend = _bend(x, y)
        sides = [slice(bend + 1), slice(bend, None)]
        whole = _fit(x, y)[0]
        if min(_fit(x[side], y[side])[0] * whole for side in sides) <= whole**2 / 2:
            yield sides
    if len(x) >= FEWEST:
        yield [slice(None)]


def steepest(rows: pd.DataFrame) -> Slope | None:
    """Return the stretch of layers along which a norm changes most, if it is a trend.

    It must be one both for norms and for root mean squares: layers whose sizes change along the network
    change one of the two by themselves.

    Parameters
    ----------
    rows : of one step, kind and sort of parameter; those that are zero or missing are passed over.
    """
    rows = rows.sort_values("index")
    log10 = rows["log10_norm"].to_numpy(dtype=np.float64)
    alive = np.flatnonzero(np.isfinite(log10))
    x, norms = (alive + 1).astype(np.float64), log10[alive]
    typical = norms - np.log10(rows["size"].clip(lower=1).to_numpy(dtype=np.float64)[alive]) / 2
    for stretches in _stretches(x, typical):
        trends = [
            (_fit(x[part], typical[part])[0], x[part]) for part in stretches
            if _is_trend(x[part], typical[part]) and _is_trend(x[part], norms[part])
        ]  # fmt: skip
        if trends:
            slope, where = max(trends, key=lambda trend: abs(trend[0]) * (trend[1][-1] - trend[1][0]))
            first, last = int(where[0]), int(where[-1])
            return Slope(first, last, len(rows), slope, tuple(rows["name"].iloc[first - 1 : last]))
    return None
