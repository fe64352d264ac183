"""One word for the state of a gradient, with the thresholds behind it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coursework.gradients.monitor.record import Block, Entry

Floats = NDArray[np.float64]

#: Decades below (above) the layer at the output from which a gradient counts as vanishing (exploding).
#: A convention: at one learning rate such a layer needs 10^5 steps for what the last one does in a step.
FAR = 5.0

#: log10 of the smallest number above 0 that each type can hold, subnormals included.
SMALLEST = {
    "float64": np.log10(5e-324),
    "float32": np.log10(1.401298464e-45),
    "bfloat16": np.log10(9.183549616e-41),
    "float16": np.log10(5.960464478e-8),
    "complex128": np.log10(5e-324),
    "complex64": np.log10(1.401298464e-45),
}
#: How many layers above a zero the fall of the gradient is read from.
_WINDOW = 8

#: Every label and what it means.
LABELS = {
    "ok": "within five decades of the layer at the output",
    "vanishing": "more than five decades under the layer at the output",
    "exploding": "more than five decades over the layer at the output",
    "underflowed": "exactly zero from some layer down to here, and the fall of the layers above it leads "
    "under the smallest number of the type it was computed in: the gradient was lost, not absent",
    "dead": "exactly zero from some layer down to here although what lies above that one is far from the "
    "smallest number",
    "nan": "an entry is not finite",
    "frozen": "the parameter asks for no gradient",
    "unused": "no gradient arrived: the loss does not depend on it, or nothing was trained yet",
    "uncalled": "the module around it computes with its parameters without calling it: what it would return "
    "is not to be seen",
}


def _floor(entry: Entry, scale: float, stored: bool) -> float:
    """Return log10 of the smallest gradient that could have been held where it was computed, and `stored`."""
    computed = SMALLEST.get(entry.computed or entry.dtype, -np.inf) - np.log10(scale)
    return float(max(computed, SMALLEST.get(entry.dtype, -np.inf)) if stored else computed)


def _series(entry: Entry) -> str:
    return series_of(entry.name) if entry.name != entry.module else ""


def series_of(name: str) -> str:
    """Name what a parameter is compared with: "weight" for all weights, "w" for w1, w2 and so on."""
    return name.rpartition(".")[2].rstrip("0123456789")


def label_block(block: Block, scale: float = 1.0) -> NDArray[Any]:
    """Return the label of every row of a block; activations, which are no gradients, have "".

    Parameters
    ----------
    scale : what the loss was multiplied with (a loss scaler's factor): it shifts the smallest number that
        could be held while gradients were computed.
    """
    rows = len(block.entries)
    if block.kind == "activation":
        return np.full(rows, "", dtype=object)
    log10, nonfinite = block.columns["log10_norm"], block.columns["nonfinite"]
    labels = np.full(rows, "ok", dtype=object)
    series: dict[str, list[int]] = defaultdict(list)
    for row, entry in enumerate(block.entries):
        if entry.missing:
            labels[row] = entry.missing
        elif nonfinite[row] > 0:
            labels[row] = "nan"
        else:
            series[_series(entry)].append(row)
    for places in series.values():
        sizes = np.array([block.entries[row].size for row in places])
        floors = np.array([_floor(block.entries[row], scale, stored=block.kind == "dW") for row in places])
        index = np.array([block.entries[row].index for row in places])
        typical = log10[places] - np.log10(np.maximum(sizes, 1)) / 2
        labels[places] = _label_series(index, typical, floors)
    return labels


def _label_series(index: NDArray[Any], typical: Floats, floors: Floats) -> NDArray[Any]:
    """Label layers by the log10 of their root mean square entry, the last one being at the output."""
    labels = np.full(len(typical), "ok", dtype=object)
    alive = np.flatnonzero(typical > -np.inf)
    if alive.size == 0:
        labels[:] = "dead"
        return labels
    reference = typical[alive[-1]]
    labels[typical < reference - FAR] = "vanishing"
    labels[typical > reference + FAR] = "exploding"
    for top in range(len(typical) - 1, -1, -1):
        if typical[top] == -np.inf and (top + 1 == len(typical) or typical[top + 1] > -np.inf):
            # what is zero below was zero when it came from here
            run = slice(int(alive[alive < top].max(initial=-1)) + 1, top + 1)
            above = alive[alive > top][:_WINDOW]
            lost = above.size > 0 and _expected(index, typical, above, top) <= floors[top] + 1
            labels[run] = "underflowed" if lost else "dead"
    return labels


def _expected(index: NDArray[Any], typical: Floats, above: NDArray[np.intp], row: int) -> float:
    """Continue the fall of the living layers `above` down to `row`; a rise is not continued."""
    nearest, farthest = above[0], above[-1]
    fall = 0.0
    if farthest > nearest:
        fall = max(0.0, (typical[farthest] - typical[nearest]) / (index[farthest] - index[nearest]))
    return float(typical[nearest] - fall * (index[nearest] - index[row]))
