"""Euclidean norms of gradients that neither underflow nor overflow, for the price of reading them once.

The square of an entry under 1e-23 is 0 in float32, so the usual norm of such a gradient is exactly 0 although
the gradient is not. Three habits avoid it without a second pass over healthy gradients:

- gradients of at most `SMALL` entries are gathered, like norms would be, and squared in float64;
- larger ones are multiplied with themselves by `torch.dot` (on an accelerator: go through one
  `torch._foreach_norm`), in chunks that keep four digits and more of float32 sums;
- those whose norm leaves the range in which squares are safe are multiplied by a power of two, which is
  exact, chunk by chunk through a buffer of `CHUNK` entries, and measured again; at the next step those that
  were too small are multiplied at once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

#: Up to so many entries a gradient is gathered with the others of its kind.
SMALL = 1024
#: Longest piece that is summed in the precision of the gradient.
CHUNK = 2**16

#: By type of sum: root mean squares between these are right, with all squares far inside the type's range.
_SAFE = {torch.float32: (1e-16, 1e16), torch.float64: (1e-145, 1e145)}
#: By type of sum: the power of two that brings what is below the range (or, divided by, above it) inside.
_LIFT = {torch.float32: 2.0**96, torch.float64: 2.0**600}


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


def entries_of(gradient: Tensor) -> Tensor:
    """Return a gradient's real entries: the stored ones of a sparse tensor, both parts of complex ones."""
    gradient = gradient.detach()
    if gradient.layout is not torch.strided:
        gradient = gradient.coalesce().values()
    return torch.view_as_real(gradient.resolve_conj()) if gradient.is_complex() else gradient


def type_name(dtype: torch.dtype) -> str:
    """Return the name of a type as numpy would write it."""
    return str(dtype).removeprefix("torch.")


def _sum_type(entries: Tensor) -> torch.dtype:
    return torch.float64 if entries.dtype == torch.float64 else torch.float32


def chunks_of(entries: Tensor) -> tuple[Tensor, ...]:
    """Return flat views of at most `CHUNK` entries; one view of all where memory has gaps."""
    if entries.is_contiguous():
        flat = entries.view(-1)
        if entries.numel() <= CHUNK:
            return (flat,)
    elif torch._prims_common.is_non_overlapping_and_dense_or_false(entries):
        flat = entries.as_strided((entries.numel(),), (1,))
    else:
        return (entries,)
    pieces: tuple[Tensor, ...] = flat.split(CHUNK)
    return pieces


def _can_be_dotted(chunks: Sequence[Tensor]) -> bool:
    first = chunks[0]
    return first.is_cpu and first.dtype == _sum_type(first) and all(chunk.dim() == 1 for chunk in chunks)


def _dotted(chunks: Iterable[Tensor]) -> Tensor:
    """Return the norms of flat chunks on the CPU, of which only one at a time needs to be there."""
    return torch.stack([torch.dot(chunk, chunk) for chunk in chunks]).sqrt_()


def plain_norms(chunks: Sequence[Tensor]) -> Tensor:
    """Return the norms of chunks of one type and device, on that device, without waiting for them."""
    wide = _sum_type(chunks[0])
    if _can_be_dotted(chunks):
        return _dotted(chunks)
    if chunks[0].is_cuda:
        wide = torch.float64  # sums in registers: no copy, and no second look
    return torch.stack(torch._foreach_norm(list(chunks), 2, dtype=wide))


def _lifted(entries: Tensor, low: bool) -> tuple[float, float]:
    """Return the norm and its log10 of entries under (`low`) or over the safe range."""
    lift = _LIFT[_sum_type(entries)]
    if entries.dtype == torch.float16:
        lift = 1.0  # squares of its entries lie well inside float32
    elif not low:
        lift = 1.0 / lift
    squares = 0.0
    buffer = torch.empty(0, dtype=entries.dtype, device=entries.device)
    for chunk in chunks_of(entries):
        buffer = torch.mul(chunk, lift, out=buffer.resize_(chunk.shape))
        squares += float(torch.linalg.vector_norm(buffer, dtype=_sum_type(entries))) ** 2
    if not math.isfinite(squares):
        return math.nan, math.nan
    if squares == 0:
        return 0.0, -math.inf
    root = math.sqrt(squares)
    return root / lift, math.log10(root) - math.log10(lift)


def norm_and_log10(tensor: Tensor) -> tuple[float, float]:
    """Return a tensor's Euclidean norm and its log10; (0, -inf) exactly where every entry is zero.

    NaN for both if an entry is not finite.
    """
    entries = entries_of(tensor)
    if entries.numel() == 0:
        return 0.0, -math.inf
    norm = float(torch.linalg.vector_norm(plain_norms(chunks_of(entries)).double()))
    low, high = _SAFE[_sum_type(entries)]
    if low < norm / math.sqrt(entries.numel()) < high:
        return norm, math.log10(norm)
    return _lifted(entries, low=norm < 1)


def log10_norm(tensor: Tensor) -> float:
    """Return log10 of a tensor's Euclidean norm, right down to the smallest subnormal.

    -inf exactly where every entry is zero, NaN if one is not finite.
    """
    return norm_and_log10(tensor)[1]


def segment_norms(flat: Floats, starts: NDArray[np.int64], rescale: bool) -> tuple[Floats, Floats]:
    """Return norms and log10 norms of consecutive pieces (none empty) of a row of numbers.

    Parameters
    ----------
    starts : where each piece begins.
    rescale : divide each piece by its largest entry first; needless where the numbers were float32.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if not rescale:
            norm = np.sqrt(np.add.reduceat(flat * flat, starts))
            norm[np.isinf(norm)] = np.nan
            return norm, np.log10(norm)
        largest = np.maximum.reduceat(np.abs(flat), starts)
        largest[np.isinf(largest)] = np.nan
        scale = np.where(largest == 0, 1.0, largest)
        lengths = np.diff(np.append(starts, len(flat)))
        roots = np.sqrt(np.add.reduceat((flat / np.repeat(scale, lengths)) ** 2, starts))
        return largest * roots, np.log10(largest) + np.log10(np.where(largest == 0, 1.0, roots))


def count_nonfinite(tensor: Tensor) -> int:
    """Return the number of entries that are infinite or no number (of complex ones, the parts)."""
    return int((~entries_of(tensor).isfinite()).sum())


def _counted(gradients: Sequence[Tensor | None], norm: Floats) -> NDArray[np.int64]:
    counts = np.zeros(len(gradients), dtype=np.int64)
    for place in np.flatnonzero(np.isnan(norm)).tolist():
        gradient = gradients[place]
        counts[place] = -1 if gradient is None else count_nonfinite(gradient)
    return counts


class NormReader:
    """Read the norms of the same parameters' gradients step after step.

    Attributes
    ----------
    groups : what is read together; made anew when other parameters have gradients, or of another layout.
    """

    def __init__(self) -> None:
        self._key: list[Any] | None = None
        self.groups: list[_Group] = []

    def read(self, gradients: Sequence[Tensor | None]) -> Norms:
        """Return the norms; one synchronization for every type of number and device among them."""
        key = [None if gradient is None else gradient.layout for gradient in gradients]
        if key != self._key:
            self.groups, self._key = _grouped(gradients), key
        norm = np.full(len(gradients), np.nan)
        log10 = np.full(len(gradients), np.nan)
        with torch.no_grad():
            for group in self.groups:
                group.read(gradients, norm, log10)
        return Norms(norm, log10, _counted(gradients, norm))


def _grouped(gradients: Sequence[Tensor | None]) -> list[_Group]:
    """Return one group for every type and device."""
    places: dict[Any, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, gradient in enumerate(gradients):
        if gradient is not None:
            small, large = places[gradient.device, gradient.dtype]
            few = gradient.layout is torch.strided and 0 < gradient.numel() <= SMALL
            (small if few else large).append(place)
    return [_Group(gradients, small, large) for small, large in places.values()]


def _by_shape(gradients: Sequence[Tensor | None], places: list[int]) -> list[list[int]]:
    shapes: dict[Any, list[int]] = defaultdict(list)
    for place, gradient in zip(places, _present(gradients, places), strict=True):
        shapes[gradient.shape].append(place)
    return list(shapes.values())


class _Group:
    """Gradients of one type on one device: places of the small ones and of the others."""

    def __init__(self, gradients: Sequence[Tensor | None], small: list[int], large: list[int]) -> None:
        alike = _by_shape(gradients, small)
        self._alike = [_picker(places) for places in alike]
        self.small, self.large = list(chain.from_iterable(alike)), large
        lengths = [one.numel() * (1 + one.is_complex()) for one in _present(gradients, self.small)]
        self.starts = np.cumsum([0, *lengths])[:-1]
        #: Which of the large ones were under the safe range at the last step.
        self._low = np.zeros(len(large), dtype=bool)

    def read(self, gradients: Sequence[Tensor | None], norm: Floats, log10: Floats) -> None:
        """Write the norms and their logarithms to the gradients' places."""
        parts: list[Tensor] = []
        for pick in self._alike:
            parts.append(entries_of(torch.stack(pick(gradients))).view(-1))
        entries = [entries_of(gradient) for gradient in _present(gradients, self.large)]
        pieces = [chunks_of(one) for one in entries]
        if pieces:
            parts.append(self._norms(pieces))
        wide = torch.float64 if any(part.dtype == torch.float64 for part in parts) else torch.float32
        numbers = torch.cat([part.to(wide) for part in parts]).to("cpu", torch.float64).numpy()
        flat, norms = np.split(numbers, [len(numbers) - sum(map(len, pieces))])
        if self.small:
            rescale = parts[0].dtype == torch.float64
            norm[self.small], log10[self.small] = segment_norms(flat, self.starts, rescale)
        if pieces:
            starts = np.cumsum([0, *map(len, pieces)])[:-1]
            measured = segment_norms(norms, starts, rescale=True)
            norm[self.large], log10[self.large] = self._settled(entries, *measured)

    def _norms(self, pieces: Sequence[tuple[Tensor, ...]]) -> Tensor:
        """Return the norms of all chunks, those of low gradients lifted."""
        chunks = [chunk for piece in pieces for chunk in piece]
        self._low &= _can_be_dotted(chunks)
        if not self._low.any():
            return plain_norms(chunks)
        buffer, lift = torch.empty(CHUNK, dtype=chunks[0].dtype), _LIFT[chunks[0].dtype]
        return _dotted(
            torch.mul(chunk, lift, out=buffer[: chunk.numel()]) if low else chunk
            for piece, low in zip(pieces, self._low.tolist(), strict=True) for chunk in piece
        )  # fmt: skip

    def _settled(self, entries: Sequence[Tensor], norm: Floats, log10: Floats) -> tuple[Floats, Floats]:
        """Return norms and logarithms without the lift, what was out of the safe range measured again."""
        sums = _sum_type(entries[0])
        low, high = _SAFE[sums]
        lifts = np.where(self._low, _LIFT[sums], 1.0)
        roots = np.sqrt([max(1, one.numel()) for one in entries])
        with np.errstate(invalid="ignore"):
            # what is lifted, or squared in a wider type, may be as small as it likes
            deep = self._low | (entries[0].is_cuda and sums == torch.float32)
            safe = (norm / roots < high) & (deep | (norm / roots > low))
        norm, log10 = norm / lifts, log10 - np.log10(lifts)
        for i in np.flatnonzero(~safe).tolist():
            again = norm_and_log10(entries[i]) if self._low[i] else _lifted(entries[i], low=bool(norm[i] < 1))
            norm[i], log10[i] = again
        self._low = norm / roots < low
        return norm, log10


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what picks the items at some places out of a sequence, quickly."""
    return itemgetter(*places) if len(places) > 1 else lambda items: (items[places[0]],)


def _present(gradients: Sequence[Tensor | None], places: Iterable[int]) -> Iterator[Tensor]:
    for place in places:
        gradient = gradients[place]
        if gradient is not None:
            yield gradient
