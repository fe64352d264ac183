"""The files of one finished report, and the page that says why another one failed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from coursework._common.files import write_atomic
from coursework.publish.clean import POLICY

TEMPLATES = Path(__file__).parent / "templates"


def write_report(notebook: Any, manifest: dict[str, Any], folder: Path, staging: Path) -> None:
    """Write page, executed notebook, thumbnail and manifest of a finished run into `staging`.

    Parameters
    ----------
    notebook : the executed notebook.
    manifest : as of `manifest.describe`; the thumbnail's entry is added.
    folder : where pictures that the notebook's text names lie.
    staging : the report's folder to be.

    Raises
    ------
    ExportError
        A formula cannot be shown.
    """
    from coursework.publish.export import export_notebook

    page = export_notebook(
        notebook,
        title=manifest["title"],
        folder=folder,
        home="../index.html",
        facts=facts(manifest),
        files=[path.name for path in staging.iterdir()],
    )
    write_atomic(staging / "index.html", page)
    name = f"{manifest['section']}.ipynb"
    write_json(staging / name, notebook, indent=1)
    write_json(staging / "manifest.json", manifest | {"thumbnail": _write_thumbnail(notebook, staging)})


def write_json(target: Path, content: Mapping[str, Any], indent: int = 2) -> None:
    """Write `content` as JSON that a person can read, in one step; text that is not UTF-8 as escapes."""
    text = json.dumps(content, indent=indent, ensure_ascii=False) + "\n"
    try:
        written = text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate: a file's name, or what a cell put out
        written = (json.dumps(content, indent=indent) + "\n").encode("ascii")
    write_atomic(target, written)


def facts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what a page's foot says about its run, by name."""
    git, versions = manifest["git"], manifest["versions"]
    parameters = [f"{name} = {value!r}" for name, value in manifest["parameters"].items()]
    stated = {
        "Parameters": ", ".join(parameters) or "none",
        "Run": f"{manifest['started']}, {manifest['seconds']:.1f} s, {manifest['platform']}",
        "Versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
    }
    if git:
        stated["Commit"] = git["commit"] + (", with changes that are not committed" if git["dirty"] else "")
    read: dict[str, list[str]] = {}
    for entry in manifest["inputs"]:
        described = f"{entry['path']}, {entry['files']} file(s), SHA-256 {entry['sha256']}"
        read.setdefault(f"Input {entry['name']}", []).append(described)
    stated |= {name: "; ".join(files) for name, files in read.items()}
    return stated


def _write_thumbnail(notebook: Any, staging: Path) -> dict[str, str] | None:
    """Write the figure marked as thumbnail, or the first one, and return its file's name and words."""
    figures = [
        (output.data[kind], kind, output.metadata.get(kind, {}))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for kind in ("image/png", "image/svg+xml")
        if kind in output.get("data", {})
    ]
    if not figures:
        return None
    data, kind, words = next((f for f in figures if f[2].get("thumbnail")), figures[0])
    name = "thumbnail.png" if kind == "image/png" else "thumbnail.svg"
    write_atomic(staging / name, base64.b64decode(data) if kind == "image/png" else data)
    return {"file": name, "alt": words.get("alt", "A figure of this section")}


def render(template: str, **values: Any) -> str:
    """Return the page that `template` makes of `values`; text is escaped, a missing value is an error.

    Letters that UTF-8 cannot hold become question marks.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    page = environment.get_template(template).render(policy=POLICY, style=style, **values)
    return page.encode("utf-8", "replace").decode("utf-8")


def write_failure(folder: Path, manifest: dict[str, Any], failure: Mapping[str, Any]) -> None:
    """Write `error.html` and `error.json` into a report's folder, beside the last finished report."""
    has_report = (folder / "index.html").exists()
    page = render(
        "error.html.j2", manifest=manifest, failure=failure, has_report=has_report, facts=facts(manifest)
    )
    write_atomic(folder / "error.html", page)
    write_json(folder / "error.json", manifest | {"failure": dict(failure)})
