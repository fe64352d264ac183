"""Euclidean norms of tensors that neither underflow nor overflow.

The square of an entry under 1e-23 is 0 in float32, so the usual norm of such a gradient is exactly 0 although
the gradient is not. What leaves the range in which squares are safe is multiplied by a power of two, which is
exact, chunk by chunk through a buffer of `CHUNK` entries, and measured again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coursework.gradients.monitor.fetch import Floats, on_host

#: Longest piece that is summed in the precision of the gradient: it keeps four digits and more.
CHUNK = 2**16

#: By type of sum: root mean squares between these are right, with all squares far inside the type's range.
SAFE = {torch.float32: (1e-16, 1e16), torch.float64: (1e-145, 1e145)}
#: By type of sum: the power of two that brings what is below the range (or, divided by, above it) inside.
LIFT = {torch.float32: 2.0**96, torch.float64: 2.0**600}


def entries_of(gradient: Tensor) -> Tensor:
    """Return a gradient's real entries: the stored ones of a sparse tensor, both parts of complex ones."""
    gradient = gradient.detach()
    if gradient.layout is not torch.strided:
        gradient = gradient.coalesce().values()
    return torch.view_as_real(gradient.resolve_conj()) if gradient.is_complex() else gradient


def type_name(dtype: torch.dtype) -> str:
    """Return the name of a type as numpy would write it."""
    return str(dtype).removeprefix("torch.")


def sum_type(entries: Tensor) -> torch.dtype:
    """Return the type in which squares of these entries are added on the CPU."""
    return torch.float64 if entries.dtype == torch.float64 else torch.float32


def chunks_of(entries: Tensor) -> tuple[Tensor, ...]:
    """Return views of at most `CHUNK` entries; one view of all where memory has gaps."""
    if entries.numel() <= CHUNK:
        return (entries,)
    if entries.is_contiguous():
        flat = entries.view(-1)
    elif torch._prims_common.is_non_overlapping_and_dense_or_false(entries):
        flat = entries.as_strided((entries.numel(),), (1,))
    else:
        return (entries,)
    pieces: tuple[Tensor, ...] = flat.split(CHUNK)
    return pieces


def plain_norms(chunks: Sequence[Tensor]) -> Tensor:
    """Return the norms of chunks of one type and device, on that device, without waiting for them."""
    wide = sum_type(chunks[0])
    if not on_host(chunks[0]) and chunks[0].device.type != "mps":
        wide = torch.float64  # squares in registers: no copy, and nothing underflows
    same = chunks[0].dtype == wide
    return torch.stack(torch._foreach_norm(list(chunks), 2, dtype=None if same else wide))


def lifted_norms(chunks: Sequence[Tensor]) -> Tensor:
    """Return the norms, times `LIFT`, of chunks of one type on the CPU, through one buffer."""
    dtype = chunks[0].dtype
    buffer = torch.empty(max(chunk.numel() for chunk in chunks), dtype=dtype)
    squares = []
    for chunk in chunks:
        lifted = buffer if chunk.numel() == buffer.numel() else buffer[: chunk.numel()]
        torch.mul(chunk, LIFT[dtype], out=lifted.view(chunk.shape))
        squares.append(torch.dot(lifted, lifted))
    return torch.stack(squares).sqrt_()


def norm_out_of_range(entries: Tensor, low: bool) -> tuple[float, float]:
    """Return the norm and its log10 of entries under (`low`) or over the safe range; NaN if not finite."""
    lift = LIFT[sum_type(entries)]
    if entries.dtype == torch.float16:
        lift = 1.0  # squares of its entries lie well inside float32
    elif not low:
        lift = 1.0 / lift
    squares = 0.0
    buffer = torch.empty(0, dtype=entries.dtype, device=entries.device)
    for chunk in chunks_of(entries):
        buffer = torch.mul(chunk, lift, out=buffer.resize_(chunk.shape))
        squares += float(torch.linalg.vector_norm(buffer, dtype=sum_type(entries))) ** 2
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
    low, high = SAFE[sum_type(entries)]
    if low < norm / math.sqrt(entries.numel()) < high:
        return norm, math.log10(norm)
    return norm_out_of_range(entries, low=norm < 1)


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
