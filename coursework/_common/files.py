"""Files that are either whole or not there, and paths that mean the same everywhere."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: The checkout (or the installed package's parent): the home of `data/` and `reports/`.
PROJECT_ROOT = Path(__file__).resolve().parents[2]

#: Names the folder that a running notebook writes its files to; set by `coursework run`.
OUTPUT_VARIABLE = "COURSEWORK_OUTPUT_DIR"


@contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it over `target` if the block succeeds.

    A reader, or a machine that loses its power, sees the old file or the new one, never a part.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        # mkstemp's file is private to its owner; give it what a plain open() would have given
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomic(target: Path | str, content: str | bytes) -> Path:
    """Write `content` (text as UTF-8) to `target` in one step and return its path."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return Path(target)


def sha256_of(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_of_folder(folder: Path | str) -> str:
    """Return one SHA-256 over the relative names and the contents of all files below `folder`."""
    folder = Path(folder)
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0")
        digest.update(bytes.fromhex(sha256_of(path)))
    return digest.hexdigest()


def home_folder() -> Path | None:
    """Return the user's home folder; None where there is none (a container's user without a name)."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def resolve_input(path: Path | str, folder: Path | None = None) -> Path:
    """Return `path` as it is if absolute, else below `folder` (the working one) or the project's root.

    The working folder wins where both exist, so that a user's own folder is never shadowed.
    A path that exists nowhere is returned below the working folder, for the caller to refuse.
    """
    path = os.path.expanduser(path)
    below_folder, below_root = (folder or Path()).absolute() / path, PROJECT_ROOT / path
    # os.path's test, since a Path's own fails on a text that is too long for a file's name
    return below_root if os.path.exists(below_root) and not os.path.exists(below_folder) else below_folder


def output_dir(section: str) -> Path:
    """Return (and create) the folder for the files that the notebook of `section` writes.

    `coursework run` names it in the environment; in JupyterLab and under nbval it is
    `output/<section>` beside the notebook.
    """
    named = os.environ.get(OUTPUT_VARIABLE)
    folder = Path(named) if named else Path("output") / section
    folder.mkdir(parents=True, exist_ok=True)
    return folder
