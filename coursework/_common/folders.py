"""A folder put in the place of another in one step."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

_AT_CURRENT_FOLDER = -100
_EXCHANGE = 2


def flush_folder(folder: Path) -> None:
    """Bring every file below `folder` from the system's memory to the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())


def replace_folder(new: Path, final: Path) -> None:
    """Rename the folder `new` to `final`; a folder that stood there is removed.

    On Linux the two exchange their names in one step of the kernel, so that at every moment one whole
    folder is at `final`. Where the system has no such step, the old folder is set aside under the
    name `aside(final)` first; `recover_folder` brings it back if the process died in between.
    """
    if not final.exists():
        os.rename(new, final)
    elif _exchange(new, final):
        shutil.rmtree(new)
    else:
        kept = aside(final)
        shutil.rmtree(kept, ignore_errors=True)
        os.rename(final, kept)
        os.rename(new, final)
        shutil.rmtree(kept)


def aside(final: Path) -> Path:
    """Return the name that `replace_folder` gives the old folder for a moment."""
    return final.with_name(f".{final.name}.previous")


def recover_folder(final: Path) -> None:
    """Undo a `replace_folder` that was cut off between its two renames."""
    kept = aside(final)
    if kept.exists() and not final.exists():
        os.rename(kept, final)
    elif kept.exists():
        shutil.rmtree(kept)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names by Linux's `renameat2`; return whether the system could."""
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    names = (os.fsencode(one), os.fsencode(other))
    result: int = library.renameat2(_AT_CURRENT_FOLDER, names[0], _AT_CURRENT_FOLDER, names[1], _EXCHANGE)
    return result == 0
