"""What modules returned, or received as delta, in a step: taken call by call, turned into rows at its end.

While the network runs, as little as possible is computed and nothing is waited for: small tensors are kept
and measured together afterwards, in float64; of large ones only sums remain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coursework.gradients.monitor.fetch import Floats
from coursework.gradients.monitor.norms import (
    chunks_of,
    count_nonfinite,
    entries_of,
    norm_and_log10,
    plain_norms,
    segment_norms,
    type_name,
)
from coursework.gradients.monitor.reader import SMALL
from coursework.gradients.monitor.record import Block, Entry

Column = NDArray[Any]

#: Outputs whose variance is under this share of their mean square are measured around their mean.
_CANCELS = 1e-2


def unit_axis(dimensions: int) -> int:
    """Return the axis of the units: 1 for pictures and rows of examples, the last of sequences."""
    return {1: 0, 3: 2}.get(dimensions, 1)


class Calls:
    """What is common to outputs and deltas.

    Parameters
    ----------
    names : of the modules, in the model's order; everywhere else a module is its place among them.
    """

    kind: str

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._sizes: list[int] = []
        self._groups: tuple[Any, list[list[int]]] = (None, [])
        self._entries: list[Entry] = []
        self.clear()

    def clear(self) -> None:
        """Forget the calls so far."""
        self.small: list[tuple[int, Tensor]] = []
        self.large: list[tuple[Any, ...]] = []
        self.sizes = [0] * len(self.names)
        self.types: list[torch.dtype | None] = [None] * len(self.names)

    def add(self, place: int, tensor: Tensor) -> None:
        """Take one call's tensor."""
        tensor = tensor.detach()
        size = tensor.numel()
        self.sizes[place], self.types[place] = size, tensor.dtype
        if size <= SMALL and tensor.layout is torch.strided:
            # whoever comes next may overwrite it
            self.small.append((place, tensor.clone()))
        else:
            self.large.append((place, *self._reduced(place, tensor)))

    def _reduced(self, place: int, tensor: Tensor) -> tuple[Any, ...]:
        raise NotImplementedError

    def _columns(self) -> dict[str, Column]:
        raise NotImplementedError

    def _alike(self) -> Iterator[tuple[list[int], tuple[Tensor, ...]]]:
        """Yield the small tensors by shape, type and device: places and tensors."""
        places, tensors = [place for place, _ in self.small], [tensor for _, tensor in self.small]
        kinds = [(tensor.shape, tensor.dtype, tensor.device) for tensor in tensors]
        if kinds != self._groups[0]:
            groups: dict[Any, list[int]] = defaultdict(list)
            for call, kind in enumerate(kinds):
                groups[kind].append(call)
            self._groups = kinds, list(groups.values())
        for calls in self._groups[1]:
            yield [places[call] for call in calls], tuple(tensors[call] for call in calls)

    def collect(self) -> Block:
        """Return the step's rows and start anew."""
        block = Block(self.kind, self._described(), self._columns())
        self.clear()
        return block

    def _described(self) -> list[Entry]:
        if self.sizes != self._sizes:
            self._sizes = self.sizes
            self._entries = [
                Entry(index, name, name, size, type_name(dtype) if dtype else "", "" if size else "unused")
                for index, (name, size, dtype) in enumerate(
                    zip(self.names, self.sizes, self.types, strict=True), start=1
                )
            ]
        return self._entries


class Deltas(Calls):
    """Gradients of modules' outputs. Of a module that is called several times, norms add in quadrature."""

    kind = "delta"

    def clear(self) -> None:
        super().clear()
        self._nonfinite: dict[int, int] = defaultdict(int)

    def _reduced(self, place: int, tensor: Tensor) -> tuple[Any, ...]:
        if not tensor.is_cpu:
            return (torch.linalg.vector_norm(plain_norms(chunks_of(entries_of(tensor)))),)
        norm = norm_and_log10(tensor)[0]
        if np.isnan(norm):
            self._nonfinite[place] += count_nonfinite(tensor)
        return (norm,)

    def _columns(self) -> dict[str, Column]:
        norm = np.full(len(self.names), np.nan)
        for places, tensors in self._alike():
            entries = entries_of(torch.stack(tensors))
            numbers = entries.to("cpu", torch.float64).numpy().ravel()
            starts = np.arange(len(places)) * (numbers.size // len(places))
            norms, _ = segment_norms(numbers, starts, rescale=entries.dtype == torch.float64)
            _add_in_quadrature(norm, places, norms)
            for i in np.flatnonzero(np.isnan(norms)).tolist():
                self._nonfinite[places[i]] += count_nonfinite(tensors[i])
        _add_in_quadrature(norm, [place for place, _ in self.large], _floats([n for _, n in self.large]))
        present = np.array(self.sizes) > 0
        nonfinite = np.where(present, 0, -1)
        # on an accelerator nobody has counted them: one at least
        nonfinite[present & ~np.isfinite(norm)] = 1
        for place, count in self._nonfinite.items():
            nonfinite[place] = count
        norm[np.isinf(norm)] = np.nan
        with np.errstate(divide="ignore"):
            return {"norm": norm, "log10_norm": np.log10(norm), "nonfinite": nonfinite}


def _add_in_quadrature(norm: Floats, places: list[int], more: Floats) -> None:
    """Add norms to those at their places, where NaN stands for nothing yet."""
    for place, value in zip(places, more.tolist(), strict=True):
        norm[place] = value if np.isnan(norm[place]) else np.hypot(norm[place], value)


class Activations(Calls):
    """Outputs of modules. Of a module that is called several times, all calls are one sample."""

    kind = "activation"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self._centres: list[float | None] = [None] * len(names)

    def _reduced(self, place: int, tensor: Tensor) -> tuple[Any, ...]:
        """Return size, centre, sum and largest entry of each unit, and norms of pieces around the centre."""
        if tensor.layout is not torch.strided:
            tensor = tensor.to_dense()
        tensor = tensor.abs() if tensor.is_complex() else tensor
        tensor = tensor.float() if tensor.itemsize < 4 else tensor
        rest = [axis for axis in range(tensor.dim()) if axis != unit_axis(tensor.dim())]
        sums = tensor.sum(rest) if rest else tensor
        largest = tensor.amax(rest) if rest else tensor
        known = self._centres[place]
        centre = sums.sum() / tensor.numel() if known is None else known
        norms = plain_norms(chunks_of(tensor if known == 0 else tensor - centre))
        return tensor.numel(), centre, sums, largest, norms

    def _columns(self) -> dict[str, Column]:
        rows = len(self.names)
        calls = [*self._of_small(), *self._of_large()]
        if not calls:
            nothing, none = np.full(rows, np.nan), np.full(rows, -1)
            return {"mean": nothing, "std": nothing, "units": none, "dead_units": none}
        place, n, means, squares, units, dead = map(np.concatenate, zip(*calls, strict=True))
        total = np.bincount(place, n, rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(place, n * means, rows) / total
            spread = squares + (means - mean[place]) ** 2
            variance = np.bincount(place, n * spread, rows) / total
            near = variance < _CANCELS * (variance + mean**2)
        centres = np.where(near, mean, 0.0).tolist()
        for i in np.unique(place).tolist():
            self._centres[i] = centres[i]
        dead_units, all_units = _counted(dead, units, place, rows)
        return {"mean": mean, "std": np.sqrt(variance), "units": all_units, "dead_units": dead_units}

    def _of_small(self) -> list[tuple[Any, ...]]:
        """Return of the small tensors places, sizes, means, variances, units, and which units are dead."""
        calls = []
        for places, tensors in self._alike():
            stacked = torch.stack(tensors)
            stacked = (stacked.abs() if stacked.is_complex() else stacked).to("cpu", torch.float64)
            numbers = stacked.flatten(1).numpy()
            shape = tensors[0].shape
            units = np.moveaxis(stacked.numpy(), 1 + unit_axis(len(shape)), 1) if shape else numbers
            dead = (units == 0).reshape(len(places), units.shape[1], -1).all(axis=2)
            with np.errstate(invalid="ignore", over="ignore"):
                moments = numbers.mean(axis=1), numbers.var(axis=1)
            sizes, counts = (np.full(len(places), count) for count in (numbers.shape[1], units.shape[1]))
            calls.append((places, sizes, *moments, counts, dead.ravel()))
        return calls

    def _of_large(self) -> list[tuple[Any, ...]]:
        """Return the same of the large ones."""
        if not self.large:
            return []
        places, sizes, centres, sums, largest, norms = zip(*self.large, strict=True)
        n, centre = np.array(sizes, dtype=float), _floats(centres)
        units = np.array([one.numel() for one in sums])
        flat_sums, flat_largest = _row(sums), _row(largest)
        means = np.add.reduceat(flat_sums, _starts(units)) / n
        pieces = np.array([one.numel() for one in norms])
        squares = np.add.reduceat(_row(norms) ** 2, _starts(pieces))
        variances = np.maximum(squares / n - (means - centre) ** 2, 0.0)
        # nothing above zero and a sum of zero: every entry is zero
        return [(places, n, means, variances, units, (flat_sums == 0) & (flat_largest == 0))]


def _starts(lengths: Column) -> Column:
    """Return where each of several consecutive pieces begins."""
    return np.cumsum(lengths) - lengths


def _row(tensors: Sequence[Tensor]) -> Floats:
    """Return the entries of many tensors as one row of numbers, with one synchronization."""
    row: Floats = torch.cat([tensor.flatten() for tensor in tensors]).to("cpu", torch.float64).numpy()
    return row


def _floats(values: Sequence[Any]) -> Floats:
    """Return numbers, those that wait on an accelerator with one synchronization."""
    waiting = [value for value in values if isinstance(value, Tensor)]
    arrived = iter(_row(waiting).tolist() if waiting else ())
    return np.array([next(arrived) if isinstance(value, Tensor) else value for value in values], dtype=float)


def _counted(mask: Column, lengths: Column, place: Column, rows: int) -> tuple[Column, Column]:
    """Return how many units were dead in every call, and how many there are; -1 without a call.

    If calls had different numbers of units, those like the last one count.

    Parameters
    ----------
    mask : whether each unit was dead, call by call; `lengths` : units of each call; `place` : its module.
    """
    dead, units = np.full(rows, -1), np.full(rows, -1)
    starts = _starts(lengths)
    dead[place], units[place] = np.add.reduceat(mask, starts, dtype=int), lengths
    repeated = np.flatnonzero(np.bincount(place) > 1).tolist()
    for at in repeated:
        calls = np.flatnonzero(place == at)
        masks = [mask[starts[call] :][: lengths[call]] for call in calls]
        alike = [one for one in masks if len(one) == len(masks[-1])]
        dead[at], units[at] = np.count_nonzero(np.logical_and.reduce(alike)), len(masks[-1])
    return dead, units


#: By kind.
KINDS: dict[str, Callable[[Sequence[str]], Calls]] = {"delta": Deltas, "activation": Activations}
