"""Which folders the renderer may fill: its own, or empty ones; never one that holds a user's photographs.

The rendered pictures have the assignment's own names, `train/hockey/img_0001.jpg`, as a user's
photographs do. A small hidden file in the folder says that its pictures were rendered, and from what.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from coursework._common.files import write_atomic

#: The hidden file, beside `train` and `validation`.
MARKER = ".coursework-sports.json"


def claim(folder: Path, splits: tuple[str, ...], *, seed: int, size: int) -> None:
    """Mark `folder` as one for rendered pictures of this seed and size.

    Parameters
    ----------
    splits : the folders in it that pictures will be written to, two levels deep.

    Raises
    ------
    ValueError : it holds files that were not rendered, or pictures of another seed or size.
    """
    wanted: dict[str, object] = {"seed": seed, "size": size}
    kept = _marker(folder)
    if kept == wanted:
        return
    found = next((file for split in splits for file in _files(folder / split)), None)
    if found is not None:
        if kept is None:
            reason = "a file that `coursework sports` did not write"
        else:
            reason = f"pictures of {_named(kept)}, not of {_named(wanted)}"
        raise ValueError(
            f"{folder} holds {reason} ({found.relative_to(folder)}). Nothing was written; name a new folder."
        )
    write_atomic(folder / MARKER, json.dumps(wanted) + "\n")


def _marker(folder: Path) -> dict[str, object] | None:
    """Return what the hidden file says, None where there is none that can be read."""
    try:
        kept = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return kept if isinstance(kept, dict) else None


def _named(marker: dict[str, object]) -> str:
    return f"seed {marker.get('seed')!r} and size {marker.get('size')!r}"


def _files(folder: Path) -> Iterator[Path]:
    """Yield the visible files in `folder` and in the folders in it, links to folders included."""
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        if not path.name.startswith(".") and not path.is_dir():
            yield path
