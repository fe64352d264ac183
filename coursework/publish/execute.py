"""One notebook, executed by papermill on a real kernel, with a truthful account of every cell.

papermill's own account calls cells "completed" that never ran (when a kernel dies, for one), so the
account here is kept from the client's hooks and replaces it.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from coursework.publish.kernel import LocalKernelManager
from coursework.publish.redact import redact_notebook, redact_text

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class CellAccount:
    """What became of one code cell: `not run`, `running`, `finished` or `failed`."""

    cell: int
    id: str
    heading: str
    status: str = "not run"
    seconds: float | None = None


@dataclass
class Failure:
    """Why a run did not finish, in words, and in which cell."""

    reason: str
    traceback: str = ""
    cell: int | None = None
    id: str = ""
    heading: str = ""
    source: str = ""


@dataclass
class Execution:
    """An executed notebook, its cells' accounts, and the failure, if it failed."""

    notebook: NotebookNode
    cells: list[CellAccount] = field(default_factory=list)
    failure: Failure | None = None


class _Account:
    """Follows a run through nbclient's hooks."""

    def __init__(self, announce: Callable[[dict[str, Any]], None]) -> None:
        self.announce = announce
        self.notebook: NotebookNode | None = None
        self.cells: dict[int, CellAccount] = {}
        self.started: dict[int, float] = {}

    def notebook_started(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        heading = ""
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":
                headings = re.findall(r"^#{1,6}[ \t]+(.+)$", cell.source, re.MULTILINE)
                heading = headings[-1].strip() if headings else heading
            elif cell.cell_type == "code" and cell.source.strip():
                if "injected-parameters" in cell.metadata.get("tags", []):
                    cell.id = "injected-parameters"  # papermill gives it another one every time
                self.cells[index] = CellAccount(index + 1, cell.get("id", ""), heading)
        self.announce({"event": "started", "cells": len(self.cells)})

    def cell_started(self, cell: NotebookNode, cell_index: int) -> None:
        if cell_index in self.cells:
            self.started[cell_index] = time.monotonic()
            self.cells[cell_index].status = "running"
            self.announce({"event": "cell", **asdict(self.cells[cell_index])})

    def cell_replied(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        account = self.cells[cell_index]
        account.status = "finished" if execute_reply["content"]["status"] == "ok" else "failed"
        account.seconds = round(time.monotonic() - self.started[cell_index], 3)
        self.announce({"event": "cell done", **asdict(account)})

    def stopped_at(self) -> int | None:
        """Return the index of the cell that failed or was under way."""
        for index, account in self.cells.items():
            if account.status in ("running", "failed"):
                account.status = "failed"
                if account.seconds is None:
                    account.seconds = round(time.monotonic() - self.started[index], 3)
                return index
        return None


def execute(
    notebook: Path,
    parameters: Mapping[str, object],
    work: Path,
    announce: Callable[[dict[str, Any]], None],
    kernel: LocalKernelManager | None = None,
) -> Execution:
    """Run `notebook` with `parameters` in its own folder and return what came of it.

    Parameters
    ----------
    notebook : the notebook's file.
    parameters : the values to inject; none are injected for an empty mapping.
    work : a folder for papermill's copy of the notebook.
    announce : called with an event ("started", "cell", "cell done") as a dictionary.
    kernel : the manager of the kernel, for a caller that may have to kill it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside papermill's own dependencies
        import papermill
        from nbclient.exceptions import DeadKernelError
        from papermill.execute import remove_error_markers

    account = _Account(announce)
    failure: Failure | None = None
    copy = work / ".executed.ipynb"
    try:
        papermill.execute_notebook(
            _literally(notebook),
            _literally(copy),
            parameters=dict(parameters),
            cwd=str(notebook.parent),
            kernel_name="python3",
            language="python",
            km=kernel or LocalKernelManager(),
            progress_bar=False,
            request_save_on_cell_execute=False,
            on_notebook_start=account.notebook_started,
            on_cell_start=account.cell_started,
            on_cell_executed=account.cell_replied,
        )
    except papermill.PapermillExecutionError as error:
        failure = Failure(
            reason=f"{error.ename}: {error.evalue}",
            traceback=_ANSI.sub("", "\n".join(error.traceback)),
        )
    except DeadKernelError:
        failure = Failure(
            "The kernel died while this cell ran. The usual cause is too little memory; "
            "a call that ends the process is another."
        )
    finally:
        copy.unlink(missing_ok=True)
    if account.notebook is None:
        raise RuntimeError(f"the kernel for {notebook.name} did not start")
    executed = remove_error_markers(account.notebook)
    if failure:
        _locate(failure, account, executed)
    _tell_the_truth(executed, account, notebook.name)
    redact_notebook(executed)
    return Execution(executed, list(account.cells.values()), failure)


def _literally(path: Path) -> str:
    """Return `path` as papermill takes it, which fills in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _locate(failure: Failure, account: _Account, notebook: NotebookNode) -> None:
    """Fill in the cell at which the run stopped."""
    failure.reason, failure.traceback = redact_text(failure.reason), redact_text(failure.traceback)
    index = account.stopped_at()
    if index is not None:
        stopped = account.cells[index]
        failure.cell, failure.id, failure.heading = stopped.cell, stopped.id, stopped.heading
        failure.source = notebook.cells[index].source


def _tell_the_truth(notebook: NotebookNode, account: _Account, name: str) -> None:
    """Replace papermill's account in the notebook by ours, and its absolute paths by names."""
    notebook.metadata.papermill["input_path"] = name
    notebook.metadata.papermill["output_path"] = name
    for index, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        if index in account.cells:
            cell.metadata["coursework"] = {
                "status": account.cells[index].status,
                "seconds": account.cells[index].seconds,
            }
