"""The index that ties the reports together, made from what lies on the disk."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from filelock import FileLock
from pydantic import BaseModel, ValidationError

from coursework._common.files import write_atomic
from coursework.publish.pages import render
from coursework.publish.parameters import ParameterError
from coursework.publish.sections import NUMBERED, Section, find_sections

#: The width in pixels that a thumbnail is shrunk to, twice what it is shown at.
_THUMBNAIL_WIDTH = 640

#: Files of a report's folder that have a link of their own or none at all.
_KNOWN = {
    "index.html",
    "error.html",
    "error.json",
    "error.ipynb",
    "manifest.json",
    "thumbnail.png",
    "thumbnail.svg",
}


class _Thumbnail(BaseModel):
    """The section's figure: a file of the report's folder, and words for who cannot see it."""

    file: str
    alt: str


class _Record(BaseModel):
    """A summary figure of a notebook."""

    name: str
    text: str


class _Manifest(BaseModel):
    """What the index reads of a finished report's `manifest.json`."""

    status: Literal["finished"]
    title: str
    finished: str
    seconds: float
    records: list[_Record]
    thumbnail: _Thumbnail | None = None


class _Error(BaseModel):
    """What the index reads of a failed run's `error.json`."""

    status: Literal["failed"]


@dataclass
class Entry:
    """What the index says about one section; `problems` are what of it cannot be read, and why."""

    folder: str
    title: str
    manifest: _Manifest | None = None
    failed: bool = False
    thumbnail: str | None = None
    #: the address and the name of each further file of the report
    artefacts: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def write_index(out: Path, sections: Sequence[Section] | None = None) -> Path:
    """Write `out/index.html` about every report below `out` and return its path.

    Parameters
    ----------
    out : the folder of all reports; folders in it that are not named like a section are passed over.
    sections : the notebooks there are; those without a report are listed as not run. By default
        the workbook's own.
    """
    known = {section.stem: section for section in (find_sections() if sections is None else sections)}
    reported = {path.parent.name for path in out.glob("*/*.json") if NUMBERED.fullmatch(path.parent.name)}
    with FileLock(out / ".index.lock"):
        entries = [
            _read_entry(out / name, known.get(name))
            for name in sorted(known.keys() | reported, key=lambda name: (int(name.split("_")[0]), name))
        ]
        return write_atomic(out / "index.html", render("site.html.j2", entries=entries))


def _read_entry(folder: Path, section: Section | None) -> Entry:
    """Return what lies in a report's folder; only what is whole counts as a report."""
    entry = Entry(folder.name, folder.name)
    try:
        entry.title = section.title if section else folder.name
    except ParameterError as error:
        entry.problems.append(str(error))
    try:
        _read_report(folder, entry)
    except (OSError, ValidationError) as error:
        entry.manifest = None
        entry.problems.append(f"The report cannot be read: {_in_words(error)}; run the section again")
    return entry


def _read_report(folder: Path, entry: Entry) -> None:
    """Fill in what the files of a report's folder say, if there are any."""
    if (folder / "error.html").is_file() and (folder / "error.json").is_file():
        _Error.model_validate_json((folder / "error.json").read_bytes())
        entry.failed = True
    if not (folder / "index.html").is_file() or not (folder / "manifest.json").is_file():
        return
    manifest = _Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    known = _KNOWN | {f"{folder.name}.ipynb"}
    files = [p.relative_to(folder) for p in folder.rglob("*") if p.is_file()]
    entry.artefacts = sorted(
        (quote(os.fsencode(path.as_posix())), os.fsencode(path.as_posix()).decode("utf-8", "replace"))
        for path in files
        if path.name not in known and not path.name.startswith(".")
    )
    entry.manifest, entry.title = manifest, manifest.title
    if manifest.thumbnail:
        try:
            entry.thumbnail = _thumbnail(folder / Path(manifest.thumbnail.file).name)
        except Exception as error:  # Pillow has no common class for what a broken picture raises
            entry.problems.append(f"The figure cannot be read: {error}")


def _in_words(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return f"{Path(error.filename).name if error.filename else 'a file'}: {error.strerror}"
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{error.title.strip('_').lower()}.json: " + (f"{where}: " if where else "") + first["msg"]


def _thumbnail(path: Path) -> str | None:
    """Return a figure as a `data:` address, a bitmap shrunk to what the index shows; None for no file."""
    if not path.is_file():
        return None
    if path.suffix == ".svg":
        return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
    from PIL import Image

    with Image.open(path) as picture:
        picture.thumbnail((_THUMBNAIL_WIDTH, _THUMBNAIL_WIDTH))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
