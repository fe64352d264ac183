"""What modules returned, or received as delta, in a step: taken call by call, turned into rows at its end.

While the network runs, as little as possible is computed and, on an accelerator, nothing is waited for: small
tensors are kept and measured together afterwards, in float64; of large ones only sums remain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coursework.gradients.monitor.fetch import Floats, Reading, on_host, together
from coursework.gradients.monitor.norms import (
    CHUNK,
    SAFE,
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


class Calls:
    """What is common to outputs and deltas.

    Parameters
    ----------
    names : of the modules, in the model's order; everywhere else a module is its place among them.
    """

    kind: str

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._groups: tuple[Any, list[list[int]]] = (None, [])
        self._known: Any = None
        self._entries: list[Entry] = []
        self.clear()

    def clear(self) -> None:
        """Forget the calls so far."""
        self.small: list[tuple[int, Tensor]] = []
        self.large: list[tuple[Any, ...]] = []
        self.sizes = [0] * len(self.names)
        self.types: list[torch.dtype | None] = [None] * len(self.names)

    def taken(self) -> tuple[int, int]:
        """Return how many small and large tensors have been taken since the last `clear`."""
        return len(self.small), len(self.large)

    def forget(self, taken: tuple[int, int]) -> None:
        """Forget the first calls, as many as `taken` said at the time."""
        del self.small[: taken[0]], self.large[: taken[1]]
        left = {place for place, *_ in (*self.small, *self.large)}
        self.sizes = [size if place in left else 0 for place, size in enumerate(self.sizes)]

    def add(self, place: int, tensor: Tensor) -> None:
        """Take one call's tensor."""
        size = tensor.numel()
        if not size:
            return
        tensor = tensor.detach()
        self.sizes[place], self.types[place] = size, tensor.dtype
        if size <= SMALL and tensor.layout is torch.strided:
            # whoever comes next may overwrite it
            self.small.append((place, tensor.clone()))
        else:
            self.large.append((place, *self._reduced(place, tensor)))

    def _reduced(self, place: int, tensor: Tensor) -> tuple[Any, ...]:
        raise NotImplementedError

    def _columns(self) -> Reading[dict[str, Column]]:
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
        return together([self.collecting()])[0]

    def collecting(self, missing: Sequence[str] = (), order: Sequence[int] = ()) -> Reading[Block]:
        """Return the same, to be waited for with other readings.

        Parameters
        ----------
        missing : for each module, how to call it if nothing came from it; by default "unused".
        order : of the rows, as places; by default that of the names.
        """
        entries = self._described(missing, order)
        columns = yield from self._columns()
        self.clear()
        if order:
            columns = {name: column[np.array(order)] for name, column in columns.items()}
        return Block(self.kind, entries, columns)

    def _described(self, missing: Sequence[str], order: Sequence[int]) -> list[Entry]:
        known = self.sizes, self.types, missing, order
        if known != self._known:
            self._known = known
            self._entries = []
            for index, place in enumerate(order or range(len(self.names)), start=1):
                name, size, dtype = self.names[place], self.sizes[place], self.types[place]
                absent = "" if size else missing[place] if missing else "unused"
                self._entries.append(
                    Entry(index, name, name, size, type_name(dtype) if dtype else "", absent)
                )
        return self._entries


class Deltas(Calls):
    """Gradients of modules' outputs. Of a module that is called several times, norms add in quadrature."""

    kind = "delta"

    def _reduced(self, place: int, tensor: Tensor) -> tuple[Any, ...]:
        """Return the norm, on an accelerator as a tensor, and how many entries are not finite."""
        if not on_host(tensor):
            return (torch.linalg.vector_norm(plain_norms(chunks_of(entries_of(tensor)))), 0)
        low, high = SAFE[torch.float32]
        if tensor.dtype == torch.float32 and tensor.numel() <= CHUNK and tensor.is_contiguous():
            flat = tensor.view(-1)
            square = torch.dot(flat, flat).item()
            if low**2 < square / tensor.numel() < high**2:
                return (square**0.5, 0)
        norm = norm_and_log10(tensor)[0]
        return norm, count_nonfinite(tensor) if np.isnan(norm) else 0

    def _columns(self) -> Reading[dict[str, Column]]:
        alike = list(self._alike())
        with torch.no_grad():
            stacked = [entries_of(torch.stack(tensors)) for _, tensors in alike]
        waiting = [norm for _, norm, _ in self.large if isinstance(norm, Tensor)]
        rows = yield [*stacked, *waiting]
        norm = np.full(len(self.names), np.nan)
        counts: dict[int, int] = defaultdict(int)
        for (places, tensors), entries, numbers in zip(alike, stacked, rows, strict=False):
            starts = np.arange(len(places)) * (numbers.size // len(places))
            norms, _ = segment_norms(numbers, starts, rescale=entries.dtype == torch.float64)
            _add_in_quadrature(norm, places, norms)
            for i in np.flatnonzero(np.isnan(norms)).tolist():
                counts[places[i]] += count_nonfinite(tensors[i])
        arrived = iter(rows[len(stacked) :])
        for place, value, nonfinite in self.large:
            number = float(next(arrived)[0]) if isinstance(value, Tensor) else value
            _add_in_quadrature(norm, [place], np.array([number]))
            counts[place] += nonfinite
        present = np.array(self.sizes) > 0
        nonfinite = np.where(present, 0, -1)
        # on an accelerator nobody has counted them: one at least
        nonfinite[present & ~np.isfinite(norm)] = 1
        for place, count in counts.items():
            nonfinite[place] = max(count, nonfinite[place])
        norm[np.isinf(norm)] = np.nan
        with np.errstate(divide="ignore"):
            return {"norm": norm, "log10_norm": np.log10(norm), "nonfinite": nonfinite}


def _add_in_quadrature(norm: Floats, places: list[int], more: Floats) -> None:
    """Add norms to those at their places, where NaN stands for nothing yet."""
    for place, value in zip(places, more.tolist(), strict=True):
        norm[place] = value if np.isnan(norm[place]) else np.hypot(norm[place], value)
