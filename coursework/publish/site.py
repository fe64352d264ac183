"""The index that ties the reports together, made from what lies on the disk."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from coursework._common.files import write_atomic
from coursework.publish.pages import render
from coursework.publish.sections import Section, find_sections

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


@dataclass
class Entry:
    """What the index says about one section."""

    folder: str
    title: str
    status: str = "not run yet"
    manifest: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    thumbnail: str | None = None
    artefacts: list[str] = field(default_factory=list)


def write_index(out: Path, sections: Sequence[Section] | None = None) -> Path:
    """Write `out/index.html` about every report below `out` and return its path.

    Parameters
    ----------
    out : the folder of all reports.
    sections : the notebooks there are; those without a report are listed as not run. By default
        the workbook's own.
    """
    known = find_sections() if sections is None else sections
    titles = {section.stem: section.title for section in known}
    reported = {path.parent.name for path in out.glob("[0-9]*_*/*.json")}
    with FileLock(out / ".index.lock"):
        entries = [
            _read_entry(out / name, titles.get(name, name))
            for name in sorted(titles.keys() | reported, key=lambda name: (int(name.split("_")[0]), name))
        ]
        return write_atomic(out / "index.html", render("site.html.j2", entries=entries))


def _read_entry(folder: Path, title: str) -> Entry:
    """Return what lies in a report's folder; only what is whole counts as a report."""
    entry = Entry(folder.name, title)
    finished, failed = _read_json(folder / "manifest.json"), _read_json(folder / "error.json")
    if finished.get("status") == "finished" and (folder / "index.html").is_file():
        entry.manifest, entry.status, entry.title = finished, "finished", finished.get("title", title)
        entry.thumbnail = _thumbnail(folder, finished.get("thumbnail"))
        notebook = f"{folder.name}.ipynb"
        entry.artefacts = sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and path.name not in _KNOWN | {notebook} and not path.name.startswith(".")
        )
    if failed.get("status") == "failed" and (folder / "error.html").is_file():
        entry.error, entry.status = failed, "failed"
    return entry


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _thumbnail(folder: Path, named: dict[str, str] | None) -> str | None:
    """Return the section's figure as a `data:` address, a bitmap shrunk to what the index shows."""
    path = folder / Path(named["file"]).name if named else None
    if path is None or not path.is_file():
        return None
    if path.suffix == ".svg":
        return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
    from PIL import Image

    with Image.open(path) as picture:
        picture.thumbnail((_THUMBNAIL_WIDTH, _THUMBNAIL_WIDTH))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
