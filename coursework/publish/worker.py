"""The child process that makes one report: run by `run.py`, one for each run, in a session of its own.

It reads one request, a line of JSON, from its standard input and writes events, a line of JSON each,
to its standard output. The input stays open for as long as the parent lives: when it ends, the
parent is gone (it may have been killed with no chance to say so), and the kernel is killed with the
worker.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from coursework.publish.execute import Failure
from coursework.publish.parameters import ParameterError
from coursework.publish.redact import redact_text


def main() -> None:
    """Serve the one request."""
    # the kernel and the libraries may print what they like: events have a channel of their own
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    request = json.loads(sys.stdin.readline())
    try:
        _make_report(request, events)
    except Exception as error:
        reason, trace = f"{type(error).__name__}: {error}", traceback.format_exc()
        failure = Failure(redact_text(reason), redact_text(trace))
        _announce(events, {"event": "failed", "failure": asdict(failure)})


def _announce(events: TextIO, event: dict[str, Any]) -> None:
    events.write(json.dumps(event) + "\n")
    events.flush()


def _make_report(request: dict[str, Any], events: TextIO) -> None:
    from coursework.publish.kernel import LocalKernelManager

    kernel = LocalKernelManager()
    _die_with_parent(kernel.kill_at_once)

    from coursework.publish import manifest
    from coursework.publish.execute import execute
    from coursework.publish.export import ExportError
    from coursework.publish.pages import write_json, write_report

    source, staging = Path(request["notebook"]), Path(request["staging"])
    began, clock = datetime.now(UTC), time.monotonic()

    def announce(event: dict[str, Any]) -> None:
        _announce(events, event | {"kernel": kernel.process_id})

    def reads(name: str, path: str) -> None:
        announce({"event": "input", "name": name, "path": path})

    try:
        found = manifest.inputs(request["inputs"], reads)
    except ParameterError as error:
        announce({"event": "failed", "failure": asdict(Failure(redact_text(str(error))))})
        return
    execution = execute(source, request["given"], staging, announce, kernel)

    def described(status: str) -> dict[str, Any]:
        return manifest.describe(
            section=source.stem,
            title=request["title"],
            status=status,
            parameters=request["parameters"],
            given=request["given"],
            found_inputs=found,
            notebook=execution.notebook,
            cells=[asdict(cell) for cell in execution.cells],
            started=began.isoformat(timespec="seconds"),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=time.monotonic() - clock,
        )

    failure = execution.failure
    if failure is None:
        try:
            write_report(execution.notebook, described("finished"), source.parent, staging)
        except ExportError as error:
            failure = Failure(reason=f"The notebook ran, but cannot be shown as a page: {error}")
    if failure is None:
        _announce(events, {"event": "finished"})
    else:
        write_json(staging / "error.ipynb", execution.notebook, indent=1)
        event = {"event": "failed", "failure": asdict(failure), "manifest": described("failed")}
        _announce(events, event)


def _die_with_parent(clean_up: Any) -> None:
    """Kill the kernel and this process when the parent goes or asks for it by SIGTERM or SIGINT."""

    def die(signal_number: int = signal.SIGTERM, _: FrameType | None = None) -> None:
        clean_up()
        os._exit(128 + signal_number)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        die()

    signal.signal(signal.SIGTERM, die)
    signal.signal(signal.SIGINT, die)
    threading.Thread(target=watch, daemon=True, name="parent watch").start()


if __name__ == "__main__":
    main()
