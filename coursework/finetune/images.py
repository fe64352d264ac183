"""A folder of pictures, one folder a class: what is in it, what is wrong with it, and its pixels.

The layout is `root/{train,validation}/{class}/picture`. Every file is decoded once when the folder
is read, so that a broken one is named at the start and not in the third epoch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from coursework._common.files import resolve_input, sha256_of

if TYPE_CHECKING:
    from torch import Tensor

#: A picture of more pixels is refused before it is decoded (Pillow's own limit, of which it only warns).
MAX_PIXELS = 89_478_485

#: A JPEG of more pixels is decoded at a half, a quarter or an eighth where that is still large enough.
DRAFT_PIXELS = 2_000_000

#: Longer side over shorter side of what is resized: a line of 1 x 60,000 pixels would fill the memory.
MAX_RATIO = 16

SPLITS = ("train", "validation")


class ImageFolderError(ValueError):
    """The folder as a whole cannot be used; the message says why and what to do."""


class ImageError(ValueError):
    """One file cannot be used as a picture; the message names it and says what to do."""


@dataclass(frozen=True)
class Split:
    """The pictures of one half of the data, ordered by class and by name.

    Attributes
    ----------
    paths : the files, n of them.
    labels : shape (n,), each the number of a class in `Images.classes`.
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.paths)

    def sha256(self) -> str:
        """Return one SHA-256 over the classes' folder names, the file names and the files' bytes."""
        digest = hashlib.sha256()
        for path in self.paths:
            digest.update(os.fsencode(f"{path.parent.name}/{path.name}") + b"\0")
            digest.update(bytes.fromhex(sha256_of(path)))
        return digest.hexdigest()


@dataclass(frozen=True)
class Images:
    """A folder of pictures as it was found.

    Attributes
    ----------
    root : the folder.
    classes : the names of the classes, sorted; labels count from 0 in this order.
    train, validation : the pictures that can be used.
    problems : the files that were left out, each with the reason and the remedy.
    """

    root: Path
    classes: tuple[str, ...]
    train: Split
    validation: Split
    problems: tuple[ImageError, ...]

    def describe(self) -> str:
        """Return the number of pictures per class, and the files left out, as lines of text."""
        lines = []
        for name in SPLITS:
            counts = np.bincount(getattr(self, name).labels, minlength=len(self.classes))
            listed = ", ".join(f"{n} {kind}" for n, kind in zip(counts, self.classes, strict=True))
            lines.append(f"{name}: {counts.sum()} pictures ({listed})")
        lines += [f"left out: {visible(str(problem))}" for problem in self.problems]
        return "\n".join(lines)


@dataclass(frozen=True)
class Preprocessing:
    """What a base expects of a picture; it belongs to the base's weights.

    Attributes
    ----------
    mean, std : per channel, of pixels scaled to [0, 1].
    interpolation : how a picture is resized.
    crop : the part of the resized picture's shorter side that the square in its middle keeps.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    crop: float = 1.0


def visible(text: str) -> str:
    """Return a name with each character that does not show, or is none, as a backslash escape.

    Such are line ends, odd spaces, direction marks, and what stands for bytes that are not UTF-8.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def read_folder(root: Path | str) -> Images:
    """Return the pictures below `root`, a folder `{train,validation}/{class}/picture`.

    Files whose names begin with a dot are ignored. A file that is no picture, or a broken one, is
    left out and listed in `problems`.

    Raises
    ------
    ImageFolderError
        if a folder is missing, the two halves have different classes, or a class has no picture.
    """
    root = resolve_input(root)
    found = {split: _class_folders(root, split) for split in SPLITS}
    names = {split: {folder.name for folder in folders} for split, folders in found.items()}
    if names["train"] != names["validation"]:
        only = [
            f"only in {split}: {', '.join(sorted(names[split] - names[other]))}"
            for split, other in (SPLITS, SPLITS[::-1])
            if names[split] - names[other]
        ]
        raise ImageFolderError(
            f"{root}: train and validation must have the same classes ({'; '.join(only)}). "
            "Rename or add the folders that are missing."
        )
    splits: dict[str, Split] = {}
    problems: list[ImageError] = []
    for split, folders in found.items():
        splits[split], faults = _read_split(folders)
        problems += faults
    classes = tuple(folder.name for folder in found["train"])
    return Images(root, classes, splits["train"], splits["validation"], tuple(problems))


def _class_folders(root: Path, split: str) -> list[Path]:
    """Return the folders of the classes of one half, sorted by name."""
    layout = "The layout is {train,validation}/{class}/picture.jpg."
    if not os.path.isdir(root):  # a Path's own method fails on a name that is too long for a file
        raise ImageFolderError(f"{root}: no such folder. {layout}")
    if not (root / split).is_dir():
        present = ", ".join(sorted(entry.name for entry in _entries(root))) or "nothing"
        raise ImageFolderError(f"{root}: no folder named {split!r}, but {present}. {layout}")
    folders = [entry for entry in _entries(root / split) if entry.is_dir()]
    if len(folders) < 2:
        raise ImageFolderError(
            f"{root / split}: {len(folders)} class folders, at least two are needed. {layout}"
        )
    for folder in folders:
        if visible(folder.name) != folder.name:
            raise ImageFolderError(
                f"{visible(str(folder))}: a class needs a name that can be shown as text; rename the folder"
            )
    return folders


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _read_split(folders: list[Path]) -> tuple[Split, list[ImageError]]:
    """Return the usable pictures of the class folders and the faults of all other files in them."""
    paths: list[Path] = []
    labels: list[int] = []
    problems: list[ImageError] = []
    for label, folder in enumerate(folders):
        files = _entries(folder)
        faults = _faults(files)
        usable = [file for file, fault in zip(files, faults, strict=True) if fault is None]
        problems += [fault for fault in faults if fault is not None]
        if not usable:
            reasons = "".join(f"\n  {fault}" for fault in faults[:5]) or " It is empty."
            raise ImageFolderError(
                f"{folder}: no usable picture. Put some there or remove the class.{reasons}"
            )
        paths += usable
        labels += [label] * len(usable)
    return Split(tuple(paths), np.array(labels, dtype=np.int64)), problems


def _faults(files: Iterable[Path]) -> list[ImageError | None]:
    """Return for each file what is wrong with it; Pillow decodes outside Python's lock."""

    def fault(file: Path) -> ImageError | None:
        try:
            read_picture(file, at_least=1)
        except ImageError as error:
            return error
        return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(fault, files))


def read_picture(path: Path | str, at_least: int | None = None) -> Image.Image:
    """Return a picture of any kind upright and in RGB; what is transparent becomes white.

    Parameters
    ----------
    at_least : let a JPEG of more than `DRAFT_PIXELS` be decoded at reduced size (much faster for a
        camera's pictures) as long as both sides keep this many pixels; by default never.

    Raises
    ------
    ImageError
        if the file is missing, empty, no picture, broken, or larger than `MAX_PIXELS`.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ImageError(f"{path}: a pipe or device, no file. Remove it.")  # to open it might wait for ever
    try:
        with Image.open(path) as picture:
            pixels = picture.width * picture.height
            if pixels > MAX_PIXELS:
                raise Image.DecompressionBombError(f"{picture.width} x {picture.height} pixels")
            if at_least is not None and pixels > DRAFT_PIXELS:
                picture.draft(None, (at_least, at_least))
            return _as_rgb(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        fault = f"too large (more than {MAX_PIXELS:,} pixels). Shrink it or remove it."
        raise ImageError(f"{path}: {fault}") from error
    except UnidentifiedImageError as error:
        fault = "an empty file" if path.stat().st_size == 0 else "not a picture"
        raise ImageError(f"{path}: {fault}. Replace it or move it out of the data folder.") from error
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file. Put it back or read the folder again.") from error
    except IsADirectoryError as error:
        raise ImageError(f"{path}: a folder, which is not looked into. Move its pictures up.") from error
    # Pillow's many readers raise nearly anything when a file is damaged
    except Exception as error:
        fault = f"cannot be decoded ({error})"
        raise ImageError(f"{path}: {fault}. Copy it again from its source or remove it.") from error


def _as_rgb(picture: Image.Image) -> Image.Image:
    """Return `picture`, of whichever colour mode, in RGB on white."""
    if picture.mode.startswith("I;16"):
        # convert() would clip 16 bits to 8, not scale them
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    elif picture.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {picture.mode!r} have no fixed range")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def decode(path: Path | str, size: int, preprocessing: Preprocessing) -> Tensor:
    """Return the square in the middle of a picture, as a base expects it before `normalize`.

    The shorter side is resized to `size / preprocessing.crop` and the middle cut out. Of a picture over
    `MAX_RATIO` times as long as wide the ends are cut off first, which would not be seen anyway.

    Returns
    -------
    uint8, shape (3, size, size); a quarter of the memory of the normalized picture.

    Raises
    ------
    ImageError
        as by `read_picture`.
    """
    import torch
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as transforms

    shorter = round(size / preprocessing.crop)
    picture = read_picture(path, at_least=shorter)
    width, height = (min(side, MAX_RATIO * min(picture.size)) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    picture = picture.crop((left, top, left + width, top + height))
    # torch resizes faster than Pillow
    tensor = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
    if min(tensor.shape[1:]) != shorter:
        mode = InterpolationMode(preprocessing.interpolation)
        tensor = transforms.resize(tensor, [shorter], interpolation=mode, antialias=True)
    square: Tensor = transforms.center_crop(tensor, [size, size])
    return square


def normalize(pictures: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return uint8 pictures, shape (..., 3, height, width), as the float32 numbers that a base expects."""
    import torch

    mean = torch.tensor(preprocessing.mean, device=pictures.device).view(3, 1, 1)
    std = torch.tensor(preprocessing.std, device=pictures.device).view(3, 1, 1)
    return (pictures.float() / 255 - mean) / std
