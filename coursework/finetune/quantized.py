"""Weights on disk at a quarter of their size: int8 with one scale per output channel.

Convolution weights are stored as `round(w / scale)` with `scale = max|w| / 127` of their output
channel; everything else (BatchNorm, a few thousand numbers) stays as it is. The file is a plain
safetensors file, marked in its metadata.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from coursework._common.files import atomic_path

FORMAT = "coursework-int8-v1"
#: The largest side in pixels that a file is believed: the published networks stay below it.
LARGEST = 1024
SCALE = "::scale"


def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 values of `weight`'s shape and float32 scales, one per entry of its first axis."""
    flat = weight.detach().float().flatten(1)
    scale = flat.abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / 127
    values = (flat / scale[:, None]).round().clamp(-127, 127).to(torch.int8)
    return values.view(weight.shape), scale


def dequantize(values: Tensor, scale: Tensor) -> Tensor:
    """Return float32 `values * scale`, the scale taken along the first axis."""
    return values.float() * scale.view(-1, *([1] * (values.ndim - 1)))


def write_quantized(path: Path, state: Mapping[str, Tensor], card: Mapping[str, Any]) -> Path:
    """Write a state dict, convolution weights as int8; `card` goes into the metadata as JSON.

    BatchNorm's step counters are left out, since nothing reads them.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in sorted(state.items()):
        if name.endswith("num_batches_tracked"):
            continue
        if value.ndim == 4:
            tensors[name], tensors[name + SCALE] = quantize(value)
        else:
            tensors[name] = value.detach().float().contiguous()
    with atomic_path(path) as temporary:
        save_file(
            {name: value.contiguous() for name, value in tensors.items()},
            temporary,
            metadata={"format": FORMAT, "card": json.dumps(dict(card), sort_keys=True)},
        )
    return path


def stated_size(path: Path) -> int | None:
    """Return the side in pixels of the pictures that a file's weights were made for, None if it says none.

    It stands in a safetensors file's metadata as `size`, or in the card there as `statistics_size` (the
    size at which `write_bundle` measured BatchNorm) or `size`. What is no number from 10 to `LARGEST` is
    passed over.
    """
    if path.suffix.lower() != ".safetensors" or not os.path.isfile(path):
        return None
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        card = json.loads(metadata.get("card", "{}"))
    except (SafetensorError, ValueError, RecursionError):
        return None  # reading the weights themselves will say what is wrong
    noted = card if isinstance(card, dict) else {}
    for value in (metadata.get("size"), noted.get("statistics_size"), noted.get("size")):
        if re.fullmatch(r"[1-9][0-9]{1,3}", str(value)) and int(str(value)) <= LARGEST:
            return int(str(value))
    return None


def read_quantized(path: Path) -> dict[str, Tensor] | None:
    """Return the state dict of a file that `write_quantized` wrote, None if another program wrote it."""
    with safe_open(path, "pt") as file:
        if (file.metadata() or {}).get("format") != FORMAT:
            return None
        state: dict[str, Tensor] = {}
        for name in file.keys():  # noqa: SIM118 - a safetensors handle is no mapping
            if name.endswith(SCALE):
                continue
            value = file.get_tensor(name)
            state[name] = (
                dequantize(value, file.get_tensor(name + SCALE)) if value.dtype == torch.int8 else value
            )
        return state
