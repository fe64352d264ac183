"""Numpy networks for the monitor: anything whose backward pass returns arrays by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursework.gradients.monitor.activations import Activations
from coursework.gradients.monitor.norms import type_name
from coursework.gradients.monitor.reader import NormReader
from coursework.gradients.monitor.record import Block, Entry


def _arrays(holder: Any, field: str, pattern: str) -> Iterator[tuple[str, str, Tensor]]:
    """Yield name ("w1"), layer and, as a tensor on the same memory, array of a mapping from layers."""
    found = getattr(holder, field, None)
    if isinstance(found, Mapping):
        for layer in sorted(found):
            name = f"{field}{layer}"
            if fnmatchcase(name, pattern):
                yield name, str(layer), torch.from_numpy(np.ascontiguousarray(found[layer]))


def array_blocks(gradients: Any, trace: Any, pattern: str) -> list[Block]:
    """Return the rows of one step of a numpy network.

    Parameters
    ----------
    gradients : maps layers to arrays: `w`, `b` (rows of kind "dW") and `delta`, whichever it has.
    trace : maps layers to activations: `z`, of shape (examples, units); or None.
    pattern : of the names to keep: "w1", "b2", "delta3", "z4".
    """
    weights = [*_arrays(gradients, "w", pattern), *_arrays(gradients, "b", pattern)]
    blocks = []
    for kind, found in (("dW", weights), ("delta", list(_arrays(gradients, "delta", pattern)))):
        if found:
            norms = NormReader().read([tensor for *_, tensor in found])
            columns = {"norm": norms.norm, "log10_norm": norms.log10, "nonfinite": norms.nonfinite}
            blocks.append(Block(kind, _entries(found, kind), columns))
    outputs = list(_arrays(trace, "z", pattern))
    if outputs:
        calls = Activations([name for name, *_ in outputs])
        for place, (_, _, tensor) in enumerate(outputs):
            calls.add(place, tensor)
        blocks.append(calls.collect())
    return blocks


def _entries(found: list[tuple[str, str, Tensor]], kind: str) -> list[Entry]:
    entries = []
    for index, (name, layer, tensor) in enumerate(found, start=1):
        module, axes = (layer, tensor.dim()) if kind == "dW" else (name, -1)
        entries.append(Entry(index, name, module, tensor.numel(), type_name(tensor.dtype), axes=axes))
    return entries
