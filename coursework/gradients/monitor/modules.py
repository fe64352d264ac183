"""Rows for modules in place of parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.monitor.record import Block, Entry, Step

Column = NDArray[Any]


def step_by_module(step: Step) -> Step:
    """Return the step with the parameters of each module taken together, as if they were one.

    Norms add in quadrature, counts add, shares of zeros are weighted by size. Quantiles have no such rule
    and are left out. Rows of deltas and activations, which belong to modules anyway, stay.
    """
    blocks = [_merged(block) if block.kind == "dW" else block for block in step.latest()]
    return Step(step.number, blocks, step.scale)


def _merged(block: Block) -> Block:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, entry in enumerate(block.entries):
        rows[entry.module].append(row)
    entries = [
        _module_entry(index, module, [block.entries[row] for row in places])
        for index, (module, places) in enumerate(rows.items(), start=1)
    ]
    combine: dict[str, Callable[[Column, Column], float]] = {
        "log10_norm": lambda column, _: _log10_of_sum(column),
        "norm": lambda column, _: _quadrature(column),
        "weight_norm": lambda column, _: _quadrature(column),
        "update_norm": lambda column, _: _quadrature(column),
        "nonfinite": lambda column, _: int(column[column >= 0].sum()) if (column >= 0).any() else -1,
        "zeros": lambda column, sizes: _weighted(column, sizes),
    }
    sizes = np.array([entry.size for entry in block.entries])
    columns = {
        name: np.array([how(block.columns[name][places], sizes[places]) for places in rows.values()])
        for name, how in combine.items() if name in block.columns
    }  # fmt: skip
    return Block("dW", entries, columns)


def _module_entry(index: int, module: str, entries: list[Entry]) -> Entry:
    present = [entry for entry in entries if not entry.missing]
    counted = present or entries
    missing = "" if present else entries[0].missing
    size, axes = sum(entry.size for entry in counted), max(entry.axes for entry in counted)
    first = counted[0]
    return Entry(index, module, module, size, first.dtype, missing, axes, first.computed)


def _quadrature(column: Column) -> float:
    present = column[~np.isnan(column)]
    return float(np.hypot.reduce(present)) if present.size else np.nan


def _log10_of_sum(column: Column) -> float:
    present = column[~np.isnan(column)]
    if present.size == 0:
        return np.nan
    largest = present.max()
    if largest == -np.inf:
        return -np.inf
    return float(largest + np.log10((10.0 ** (2 * (present - largest))).sum()) / 2)


def _weighted(column: Column, sizes: Column) -> float:
    present = ~np.isnan(column)
    return float(np.average(column[present], weights=sizes[present])) if present.any() else np.nan
