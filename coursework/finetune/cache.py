"""What may be computed again: kept in the user's cache where that is possible, done without elsewhere."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from coursework._common.files import PROJECT_ROOT, atomic_path, home_folder


def cache_folder() -> Path:
    """Return the folder to use: `$COURSEWORK_CACHE`, else `coursework` in the user's cache folder.

    For a user without a home folder it is `cache` in the project's.
    """
    named, caches, home = os.environ.get("COURSEWORK_CACHE"), os.environ.get("XDG_CACHE_HOME"), home_folder()
    if named:
        return Path(named)
    if caches:
        return Path(caches) / "coursework"
    return home / ".cache" / "coursework" if home else PROJECT_ROOT / "cache"


def keep(file: Path, what: str, write: Callable[[Path], object]) -> None:
    """Write `file` in one step; where that is not possible, warn and go on without it.

    Parameters
    ----------
    what : how the warning calls the content, in the plural. write : writes it to the path it is given.
    """
    try:
        with atomic_path(file) as temporary:
            write(temporary)
    # a full disk is a SafetensorError to safetensors, a RuntimeError to torch.save
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        warnings.warn(
            f"{what} cannot be kept in {file.parent} ({reason}) and will be computed again next time; "
            "name a folder that can be written to in COURSEWORK_CACHE",
            stacklevel=3,
        )
