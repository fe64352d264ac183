"""What a frozen base makes of a folder of pictures: computed once, kept on disk.

A frozen base gives the same numbers in every epoch, so they are computed once. The file's name is a
hash over everything that they depend on: the pictures' bytes, the weights, the size, the
preprocessing, the processor's kernels, the libraries' versions and the source of the modules at work;
a changed picture, base, library or helper is never served stale numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from coursework._common.files import sha256_of
from coursework.finetune import bases, images
from coursework.finetune.bases import Backbone, fused, pooled
from coursework.finetune.cache import cache_folder, keep
from coursework.finetune.images import Preprocessing, Split, decode, normalize

#: The packages whose version is part of what features depend on.
LIBRARIES = ("torch", "torchvision", "pillow", "timm")

#: The modules whose source is: they decode, scale, build and compute.
SOURCES = tuple(Path(str(file)) for file in (images.__file__, bases.__file__, __file__))


@dataclass(frozen=True)
class Features:
    """The inputs of what is trained, for one half of a folder.

    Attributes
    ----------
    values : (n, width) pooled features, or (n, channels, h, w) activations of an inner stage.
    labels : (n,), long.
    """

    values: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def device_of_choice() -> torch.device:
    """Return the first CUDA device if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@torch.inference_mode()
def run_frozen(
    networks: Sequence[nn.Module],
    split: Split,
    size: int,
    preprocessing: Preprocessing,
    *,
    batch_size: int = 32,
    flip: bool = False,
    description: str = "features",
) -> list[Tensor]:
    """Return what each of several networks in a row puts out for all pictures of a split, in its order.

    Parameters
    ----------
    networks : parts of a backbone, in evaluation mode; the first sees the pictures, each other one what the
        one before it puts out.
    size : side of the square cut from each picture.
    flip : mirror the pictures left to right.
    """
    device = device_of_choice()
    row = [
        fused(network).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for network in networks
    ]
    kept: list[list[Tensor]] = [[] for _ in row]
    with tqdm(total=len(split), desc=description, unit="picture", leave=False) as bar:
        for start in range(0, len(split), batch_size):
            paths = split.paths[start : start + batch_size]
            pictures = torch.stack([decode(path, size, preprocessing) for path in paths]).to(device)
            if flip:
                pictures = pictures.flip(-1)
            values = normalize(pictures, preprocessing).contiguous(memory_format=torch.channels_last)
            for network, outputs in zip(row, kept, strict=True):
                values = network(values)
                outputs.append(values.cpu())
            bar.update(len(paths))
    return [torch.cat(outputs) for outputs in kept]


def frozen_features(
    backbone: Backbone,
    split: Split,
    size: int,
    preprocessing: Preprocessing,
    *,
    flip: bool = False,
    cache: Path | None = None,
) -> Features:
    """Return the pooled features of a split: see `features_and_activations`."""
    return features_and_activations(backbone, None, split, size, preprocessing, flip=flip, cache=cache)[0]


def features_and_activations(
    backbone: Backbone,
    stage: str | None,
    split: Split,
    size: int,
    preprocessing: Preprocessing,
    *,
    flip: bool = False,
    cache: Path | None = None,
    description: str = "features",
) -> tuple[Features, Features | None]:
    """Return the pooled features of a split, from the cache where they are there, and what enters a stage.

    Parameters
    ----------
    backbone : in evaluation mode; its weights are part of the cache's key.
    stage : keep what enters it on the way, so that `activations_before` need not compute it again.
    flip : mirror the pictures left to right.
    cache : folder of the cache; by default `cache_folder()`. Where it cannot be written to, a warning says
        so and nothing is kept.

    Returns
    -------
    Features with float32 values of shape (n, feature width), and what `activations_before` returns; None
    without a `stage`, or where nothing was computed.
    """
    key = _key(backbone, split, size, preprocessing, flip)
    file = (cache or cache_folder()) / f"features-{key}.safetensors"
    labels = torch.from_numpy(split.labels.copy())
    values = _kept(file, (len(split), backbone.width))
    entering = None
    if values is None:
        backbone.eval()
        parts: list[nn.Module] = [backbone]
        if stage is not None:
            parts = [backbone.part(stop=stage), _Pooling(backbone.part(start=stage))]
        outputs = run_frozen(parts, split, size, preprocessing, flip=flip, description=description)
        values = outputs[-1].float()
        keep(file, "features", partial(save_file, {"values": values}))
        entering = Features(_halved(outputs[0]), labels) if stage is not None else None
    return Features(values, labels), entering


class _Pooling(nn.Module):
    """The last stages of a backbone, with the mean over all positions after them."""

    def __init__(self, stages: nn.Module) -> None:
        super().__init__()
        self.stages = stages

    def forward(self, activations: Tensor) -> Tensor:
        return pooled(self.stages(activations))


def _kept(file: Path, shape: tuple[int, int]) -> Tensor | None:
    """Return the values in a file of the cache, None where there is none or it is damaged."""
    try:
        values = load_file(file)["values"]
    except Exception:  # no file, one that cannot be read or anything else: no reason to fail, compute again
        return None
    usable = values.shape == shape and values.dtype == torch.float32 and bool(values.isfinite().all())
    return values if usable else None


def activations_before(
    backbone: Backbone,
    stage: str,
    split: Split,
    size: int,
    preprocessing: Preprocessing,
    *,
    flip: bool = False,
    description: str = "activations",
) -> Features:
    """Return what enters `stage`, (n, channels, h, w), for training that stage and the later ones.

    Kept in memory only, in float16 where that keeps the values: at 192 pixels 150 kB a picture before
    Inception's `Mixed_7a`.
    """
    network = backbone.part(stop=stage).eval()
    (values,) = run_frozen([network], split, size, preprocessing, flip=flip, description=description)
    return Features(_halved(values), torch.from_numpy(split.labels.copy()))


def _halved(values: Tensor) -> Tensor:
    """Return `values` in float16 where that keeps them, else as they are.

    float16 holds 11 bits, 0.05 % of each value, from 6e-5 to 65504. The activations of a trained network
    are of the order of 1; those of a random one may all lie below that range, and would turn into zeros.
    """
    largest = float(values.abs().amax())
    return values.half() if 0.1 < largest < 65504 else values.float()


def _key(backbone: Backbone, split: Split, size: int, preprocessing: Preprocessing, flip: bool) -> str:
    digest = hashlib.sha256()
    machine = (device_of_choice().type, torch.backends.cpu.get_cpu_capability())
    made_by = [version(library) for library in LIBRARIES] + [sha256_of(source) for source in SOURCES]
    digest.update(repr((made_by, machine, size, preprocessing, flip)).encode())
    digest.update(split.sha256().encode())
    digest.update(backbone.sha256().encode())
    return digest.hexdigest()[:32]


def pooled_features(part: nn.Module, activations: Tensor) -> Tensor:
    """Return the pooled output of the last stages for activations that entered them."""
    return pooled(part(activations.float().contiguous(memory_format=torch.channels_last)))
