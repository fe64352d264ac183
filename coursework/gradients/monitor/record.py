"""What a monitor has seen, kept as columns of numbers, and the tidy table made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.monitor.labels import label_block

if TYPE_CHECKING:
    import pandas as pd

Column = NDArray[Any]

#: The order of kinds within a step.
KINDS = ("dW", "delta", "activation")

#: Columns that say what a row is about.
IDENTITY = ("step", "index", "kind", "name", "module", "size", "axes", "dtype", "computed")

#: Columns that are measured; NaN (a count: -1) where a row has no such thing.
MEASURED = {
    "norm": np.float64,
    "log10_norm": np.float64,
    "nonfinite": np.int64,
    "zeros": np.float64,
    "weight_norm": np.float64,
    "update_norm": np.float64,
    "update_ratio": np.float64,
    "mean": np.float64,
    "std": np.float64,
    "units": np.int64,
    "dead_units": np.int64,
}


@dataclass(frozen=True)
class Entry:
    """What one row is about: a parameter (kind "dW") or a module's output ("delta", "activation").

    Attributes
    ----------
    index : position among rows of its kind, from 1 at the inputs, in the order in which modules run.
    name, module : of the parameter and of the module that owns it; both the module's for outputs.
    size : number of entries. dtype : name of their type.
    axes : of a parameter: 1 for biases and scales, 2 for matrices, 4 for weights of convolutions; else -1.
    missing : why there is nothing to measure, "frozen", "unused" or "uncalled"; else "".
    computed : name of the type that the gradient was computed in, where it is not `dtype` (autocast).
    """

    index: int
    name: str
    module: str
    size: int
    dtype: str
    missing: str = ""
    axes: int = -1
    computed: str = ""


@dataclass
class Block:
    """Rows of one kind at one step: the entries, and the measured columns by name."""

    kind: str
    entries: Sequence[Entry]
    columns: dict[str, Column]


@dataclass
class Step:
    """One optimizer step: its number, its blocks, and the factor that a loss scaler left in `delta`."""

    number: int
    blocks: list[Block] = field(default_factory=list)
    scale: float = 1.0

    def columns(self, quantiles: Sequence[float]) -> dict[str, Column]:
        """Return the step's rows as columns, labels included, ordered by kind and index."""
        parts = [_block_columns(self, block, quantiles) for block in self.latest()]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}

    def latest(self) -> Iterator[Block]:
        """Yield one block a kind; where several optimizers reported, a later row replaces an earlier one."""
        for kind in KINDS:
            blocks = [block for block in self.blocks if block.kind == kind]
            if len(blocks) == 1:
                yield blocks[0]
            elif blocks:
                yield _merged(kind, blocks)


def _merged(kind: str, blocks: list[Block]) -> Block:
    last = {entry.name: (b, i) for b, block in enumerate(blocks) for i, entry in enumerate(block.entries)}
    places = sorted(last.values(), key=lambda place: blocks[place[0]].entries[place[1]].index)
    names = dict.fromkeys(name for block in blocks for name in block.columns)
    columns = {}
    for name in names:
        each = [block.columns.get(name, _nothing(name, len(block.entries))) for block in blocks]
        columns[name] = np.array([each[b][i] for b, i in places])
    return Block(kind, [blocks[b].entries[i] for b, i in places], columns)


def _nothing(name: str, rows: int) -> Column:
    kind = MEASURED.get(name, np.float64)
    return np.full(rows, -1, dtype=kind) if kind is np.int64 else np.full(rows, np.nan)


def quantile_column(share: float) -> str:
    """Return the column of a quantile of the entries' sizes: 0.5 -> "q0.5"."""
    return f"q{share:g}"


def _block_columns(step: Step, block: Block, quantiles: Sequence[float]) -> dict[str, Column]:
    entries, rows = block.entries, len(block.entries)
    columns: dict[str, Column] = {
        "step": np.full(rows, step.number),
        "index": np.array([entry.index for entry in entries]),
        "kind": np.full(rows, block.kind, dtype=object),
        "name": np.array([entry.name for entry in entries], dtype=object),
        "module": np.array([entry.module for entry in entries], dtype=object),
        "size": np.array([entry.size for entry in entries]),
        "axes": np.array([entry.axes for entry in entries]),
        "dtype": np.array([entry.dtype for entry in entries], dtype=object),
        "computed": np.array([entry.computed or entry.dtype for entry in entries], dtype=object),
    }
    for name in (*MEASURED, *map(quantile_column, quantiles)):
        columns[name] = block.columns.get(name, _nothing(name, rows))
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["update_ratio"] = columns["update_norm"] / columns["weight_norm"]
    columns["label"] = label_block(block, step.scale)
    return columns


class Record:
    """The steps seen so far.

    Parameters
    ----------
    quantiles : shares whose quantiles were measured.
    """

    def __init__(self, quantiles: Sequence[float] = ()) -> None:
        self.steps: list[Step] = []
        self.quantiles = tuple(quantiles)

    def frame(self, steps: Sequence[Step]) -> pd.DataFrame:
        """Return steps as one tidy table."""
        import pandas as pd

        parts = [columns for step in steps if (columns := step.columns(self.quantiles))]
        names = (*IDENTITY, *MEASURED, *map(quantile_column, self.quantiles), "label")
        if not parts:
            return pd.DataFrame({name: [] for name in names})
        return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in names})

    def matrix(self, kind: str) -> tuple[list[int], list[str], NDArray[np.float64]]:
        """Return steps, names and log10 norms (steps, names) of one kind; NaN where there is none."""
        found = [(step.number, block) for step in self.steps for block in step.latest() if block.kind == kind]
        position = {entry.name: entry.index for _, block in found for entry in block.entries}
        names = sorted(position, key=lambda name: position[name])
        place = {name: i for i, name in enumerate(names)}
        values = np.full((len(found), len(names)), np.nan)
        for row, (_, block) in zip(values, found, strict=True):
            row[[place[entry.name] for entry in block.entries]] = block.columns["log10_norm"]
        return [number for number, _ in found], names, values
