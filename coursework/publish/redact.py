"""Paths of this machine, taken out of what a report shows."""

from __future__ import annotations

import re
import sys
from typing import Any

from nbformat import NotebookNode

from coursework._common.files import PROJECT_ROOT, home_folder

_CELL_FILE = re.compile(r"(/[^\s\"':]*)?/ipykernel_\d+/\d+\.py")


def redact_text(text: str) -> str:
    """Return `text` with the project's, Python's and the user's folders replaced by short names.

    A warning's `/tmp/ipykernel_12/345.py` becomes `<cell>`.
    """
    text = _CELL_FILE.sub("<cell>", text)
    for folder, short in (
        (sys.prefix, "<python>"),
        (f"{PROJECT_ROOT}/", ""),
        (sys.base_prefix, "<python>"),
        (str(home_folder() or ""), "~"),
    ):
        if len(folder) > 2 and folder != "/usr":  # folders that every machine has tell nothing
            text = re.sub(
                rf"(?<![\w.~-]){re.escape(folder)}(?![\w.-])" if short else re.escape(folder), short, text
            )
    return text


def redact_notebook(notebook: NotebookNode) -> None:
    """Apply `redact_text` to every text that the cells of `notebook` put out, in place."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = redact_text(output.text)
            if "traceback" in output:
                output.traceback = [redact_text(line) for line in output.traceback]
                output.evalue = redact_text(output.evalue)
            for kind, data in output.get("data", {}).items():
                if kind.startswith("text/"):
                    output.data[kind] = _redact_data(data)


def _redact_data(data: Any) -> Any:
    return redact_text(data) if isinstance(data, str) else [redact_text(line) for line in data]
