"""Execute notebooks with their default parameters and store the outputs in them: `make notebooks`.

What is stored is what `pytest --nbval` compares with: no times, no counters but the cells' own, no
progress bars. A notebook that fails is left as it was.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from coursework._common.files import OUTPUT_VARIABLE, PROJECT_ROOT, write_atomic
from coursework._common.numeric import NUMERIC_ENVIRONMENT
from coursework.publish.kernel import LocalKernelManager


def store(path: Path) -> None:
    """Execute one notebook in its own folder and write it back."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as output:
        os.environ[OUTPUT_VARIABLE] = output
        os.environ["COURSEWORK_CACHE"] = str(Path(output) / "cache")  # nothing from an earlier run
        manager = LocalKernelManager()
        resources = {"metadata": {"path": str(path.parent)}}
        client = NotebookClient(notebook, km=manager, resources=resources, timeout=None, record_timing=False)
        asyncio.run(client.async_execute())
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata.language_info = {"name": "python"}
    write_atomic(path, nbformat.writes(notebook) + "\n")


def main() -> None:
    """Store the outputs of the notebooks named, or of all three."""
    os.environ.update(NUMERIC_ENVIRONMENT | os.environ)
    names = sys.argv[1:] or [str(path) for path in sorted((PROJECT_ROOT / "notebooks").glob("[0-9]_*.ipynb"))]
    for name in names:
        print(f"executing {name}", flush=True)
        store(Path(name).resolve())


if __name__ == "__main__":
    main()
