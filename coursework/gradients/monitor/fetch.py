"""Numbers of tensors: all that is measured at one moment is waited for together, once a device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
T = TypeVar("T")

#: So many tensors on the CPU are not worth putting together.
_FEW = 6

#: Yields once, the tensors whose numbers it needs; receives them as rows of float64; returns what it found.
Reading = Generator[Sequence[Tensor], list[Floats], T]


def together(readings: Sequence[Reading[T]]) -> list[T]:
    """Return what several readings found, with one synchronization of every accelerator among them."""
    wanted = [next(reading) for reading in readings]
    rows = iter(_rows([tensor for tensors in wanted for tensor in tensors]))
    found = []
    for reading, tensors in zip(readings, wanted, strict=True):
        try:
            reading.send([next(rows) for _ in tensors])
        except StopIteration as finished:
            found.append(finished.value)
    return found


def on_host(tensor: Tensor) -> bool:
    """Say whether a tensor's numbers can be had without waiting for a device."""
    return tensor.is_cpu


def _rows(tensors: Sequence[Tensor]) -> list[Floats]:
    if len(tensors) <= _FEW and all(map(on_host, tensors)):
        return [_numbers(tensor) for tensor in tensors]
    rows: dict[int, Floats] = {}
    devices: dict[torch.device, list[int]] = defaultdict(list)
    for place, tensor in enumerate(tensors):
        devices[tensor.device].append(place)
    for places in devices.values():
        chosen = [tensors[place].reshape(-1) for place in places]
        wide = torch.float64 if any(one.dtype == torch.float64 for one in chosen) else torch.float32
        row = _numbers(torch.cat([one.to(wide) for one in chosen]))
        ends = np.cumsum([one.numel() for one in chosen]).tolist()
        for place, start, end in zip(places, [0, *ends], ends, strict=False):
            rows[place] = row[start:end]
    return [rows[place] for place in range(len(tensors))]


def _numbers(tensor: Tensor) -> Floats:
    numbers: Floats = tensor.detach().to("cpu", torch.float64).numpy().reshape(-1)
    return numbers
