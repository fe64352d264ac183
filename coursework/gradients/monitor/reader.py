"""Norms of the same parameters' gradients step after step, for the price of reading them once.

- Gradients of at most `SMALL` entries are copied side by side, which costs no more than their norms would,
  and squared in float64.
- Larger ones are never copied: they go through one `torch._foreach_norm`, in chunks that keep four digits
  and more of float32 sums.
- On the CPU, those whose norm left the range in which squares are safe are measured again, lifted by a power
  of two through a small buffer; at the next step those that were too small are lifted at once. Accelerators
  square in float64.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coursework.gradients.monitor.fetch import Floats, Reading, on_host, together
from coursework.gradients.monitor.norms import (
    CHUNK,
    LIFT,
    SAFE,
    chunks_of,
    count_nonfinite,
    entries_of,
    lifted_norms,
    norm_and_log10,
    norm_out_of_range,
    plain_norms,
    segment_norms,
    sum_type,
)

#: Up to so many entries a gradient is copied side by side with the others of its kind.
SMALL = 1024


@dataclass(frozen=True)
class Norms:
    """Norms of several gradients, in their order.

    Attributes
    ----------
    norm : Euclidean norms; NaN where there is no gradient or it is not finite, inf where float64 ends.
    log10 : their decimal logarithms; -inf exactly where every entry is zero.
    nonfinite : number of entries that are not finite; -1 where there is no gradient.
    """

    norm: Floats
    log10: Floats
    nonfinite: NDArray[np.int64]


class _Changed(RuntimeError):
    """Gradients are not of the types and sizes that were planned for."""


class NormReader:
    """Read the norms of the same parameters' gradients step after step.

    Attributes
    ----------
    groups : what is read together; made anew when other parameters have gradients, or of another kind.
    """

    def __init__(self) -> None:
        self._present: list[bool] | None = None
        self.groups: list[_Group] = []

    def read(self, gradients: Sequence[Tensor | None]) -> Norms:
        """Return the norms; one synchronization for every device among them."""
        return together([self.reading(gradients)])[0]

    def reading(self, gradients: Sequence[Tensor | None]) -> Reading[Norms]:
        """Return the same, to be waited for with other readings.

        An accelerator is asked once more only at a step at which an entry is not finite, to count those, or
        where float64 gradients leave the range of their squares.
        """
        present = [gradient is not None for gradient in gradients]
        if present != self._present:
            self._present, self.groups = present, _grouped(gradients)
        try:
            parts = [group.parts(gradients) for group in self.groups]
        except (RuntimeError, TypeError):  # another shape, layout or type than at the last step
            self.groups = _grouped(gradients)
            parts = [group.parts(gradients) for group in self.groups]
        rows = yield [tensor for part in parts for tensor in part]
        norm, log10 = np.full(len(present), np.nan), np.full(len(present), np.nan)
        for group, part in zip(self.groups, parts, strict=True):
            group.finish(rows[: len(part)], norm, log10)
            rows = rows[len(part) :]
        return Norms(norm, log10, _counted(gradients, norm))


def _counted(gradients: Sequence[Tensor | None], norm: Floats) -> NDArray[np.int64]:
    counts = np.zeros(len(gradients), dtype=np.int64)
    for place in np.flatnonzero(np.isnan(norm)).tolist():
        gradient = gradients[place]
        counts[place] = -1 if gradient is None else count_nonfinite(gradient)
    return counts


def _grouped(gradients: Sequence[Tensor | None]) -> list[_Group]:
    """Return one group for every type and device."""
    places: dict[Any, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, gradient in enumerate(gradients):
        if gradient is not None:
            small, large = places[gradient.device, gradient.dtype]
            few = gradient.layout is torch.strided and 0 < gradient.numel() <= SMALL
            (small if few else large).append(place)
    return [_Group(gradients, small, large) for small, large in places.values()]


class _Group:
    """Gradients of one type on one device: places of the small ones and of the others."""

    def __init__(self, gradients: Sequence[Any], small: list[int], large: list[int]) -> None:
        shapes: dict[Any, list[int]] = defaultdict(list)
        for place in small:
            shapes[gradients[place].shape].append(place)
        self._alike = [_picker(places) for places in shapes.values()]
        self._places = [place for places in shapes.values() for place in places] + large
        self._dtype = gradients[self._places[0]].dtype
        self._wide = self._dtype in (torch.float64, torch.complex128)
        lengths = [gradients[place].numel() * (1 + self._dtype.is_complex) for place in self._places]
        self._small = np.cumsum([0, *lengths[: len(small)]])
        self._pick = _picker(large) if large else None
        self._kinds = [_kind(gradients[place]) for place in large]
        self._whole = all(
            _is_plain(gradients[place]) and gradients[place].numel() <= CHUNK for place in large
        )
        self._roots = np.sqrt(np.maximum(1, lengths[len(small) :]))
        self._entries: Sequence[Tensor] = ()
        self._lengths = np.ones(len(large), dtype=np.int64)
        self._starts = self._all_starts()
        #: Which of the large ones were under the safe range at the last step.
        self._low = np.zeros(len(large), dtype=bool)

    def _all_starts(self) -> NDArray[np.int64]:
        """Return where the numbers of each gradient begin: entries of small ones, then norms of chunks."""
        large: NDArray[np.int64] = self._small[-1] + np.cumsum(self._lengths) - self._lengths
        return np.concatenate([self._small[:-1], large])

    @torch.no_grad()
    def parts(self, gradients: Sequence[Any]) -> list[Tensor]:
        """Return what is needed as numbers: the small ones' entries, and norms of the large ones' chunks."""
        parts, count = [], 0
        for pick in self._alike:
            stacked = torch.stack(pick(gradients))
            if stacked.dtype != self._dtype:
                raise _Changed
            parts.append(entries_of(stacked))
            count += parts[-1].numel()
        if count != self._small[-1]:
            raise _Changed
        return parts + self._norms(self._pick(gradients)) if self._pick else parts

    def _norms(self, large: tuple[Tensor, ...]) -> list[Tensor]:
        if [_kind(gradient) for gradient in large] != self._kinds:
            raise _Changed
        self._entries = chunks = large
        if not self._whole:
            self._entries = [one if _is_plain(one) else entries_of(one) for one in large]
            pieces = [chunks_of(one) for one in self._entries]
            chunks = tuple(chunk for piece in pieces for chunk in piece)
            self._lengths = np.array([len(piece) for piece in pieces])
            self._starts = self._all_starts()
        if not self._low.any():
            return [plain_norms(chunks)]
        low = np.repeat(self._low, self._lengths)
        ordinary, lifted = ([chunks[i] for i in np.flatnonzero(which).tolist()] for which in (~low, low))
        return [*([plain_norms(ordinary)] if ordinary else []), lifted_norms(lifted)]

    @torch.no_grad()
    def finish(self, rows: list[Floats], norm: Floats, log10: Floats) -> None:
        """Write the norms and their logarithms to the gradients' places, `rows` being the parts' numbers."""
        flat = np.concatenate(rows) if len(rows) > 1 else rows[0]
        if self._low.any():
            # what was lifted comes last: back to its place
            order = np.argsort(np.repeat(self._low, self._lengths), kind="stable") + self._small[-1]
            flat[order] = flat[self._small[-1] :].copy()
        found, logs = segment_norms(flat, self._starts, rescale=self._wide)
        if self._pick:
            large = slice(len(self._small) - 1, None)
            found[large], logs[large] = self._settled(found[large], logs[large])
        norm[self._places], log10[self._places] = found, logs

    def _settled(self, norm: Floats, log10: Floats) -> tuple[Floats, Floats]:
        """Return norms and logarithms without the lift, what was out of the safe range measured again."""
        first = self._entries[0]
        sums, host = sum_type(first), on_host(first)
        low, high = SAFE[sums]
        typical = norm / self._roots
        # what is lifted may be as small as it likes, and what is squared in a wider type is right anyway
        safe = (typical < high) & (self._low | (typical > low))
        safe |= not host and sums == torch.float32
        was_low = self._low.any()
        if was_low or not safe.all():
            lifts = np.where(self._low, LIFT[sums], 1.0)
            norm, log10 = norm / lifts, log10 - np.log10(lifts)
            for i in np.flatnonzero(~safe).tolist():
                one = self._entries[i]
                again = norm_and_log10(one) if self._low[i] else norm_out_of_range(one, bool(norm[i] < 1))
                norm[i], log10[i] = again
            self._low = (norm / self._roots < low) & (host and first.dtype == sums)
            self._low[[not _is_short(one) for one in self._entries]] = False
        self._entries = ()
        return norm, log10


def _kind(gradient: Tensor) -> tuple[torch.dtype, int, torch.layout]:
    return gradient.dtype, gradient.numel(), gradient.layout


def _is_plain(gradient: Tensor) -> bool:
    return gradient.layout is torch.strided and not gradient.is_complex()


def _is_short(entries: Tensor) -> bool:
    """Say whether no chunk of these entries is longer than `CHUNK`."""
    return all(chunk.numel() <= CHUNK for chunk in chunks_of(entries))


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what picks the items at some places out of a sequence, quickly."""
    return itemgetter(*places) if len(places) > 1 else lambda items: (items[places[0]],)
