"""One section's run: a child process makes the report in a staging folder, one rename publishes it.

Whatever happens, `out/<section>/index.html` is the page of a finished run. A run that fails leaves
`error.html` and `error.json` beside it; one that is interrupted leaves nothing.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from coursework._common.files import OUTPUT_VARIABLE, PROJECT_ROOT, home_folder
from coursework._common.folders import flush_folder, recover_folder, replace_folder
from coursework._common.numeric import NUMERIC_ENVIRONMENT
from coursework.publish import manifest
from coursework.publish.execute import Failure
from coursework.publish.pages import write_failure
from coursework.publish.parameters import Value
from coursework.publish.sections import Section

#: How long a child process may take to kill its kernel when asked, before it is killed itself.
_GRACE_SECONDS = 5.0

Follower = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Outcome:
    """How a section's run ended: `finished`, `failed` or `interrupted`, and why."""

    section: str
    status: str
    seconds: float
    reason: str = ""


class Interrupt:
    """Stops every run that was started with it, once set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self.is_set = False

    def set(self) -> None:
        """Ask the running child processes to end; those to come end at once."""
        with self._lock:
            self.is_set = True
            for process in self._running:
                _end(process)

    def add(self, process: subprocess.Popen[str]) -> None:
        """Put `process` among those to stop."""
        with self._lock:
            self._running.add(process)
            if self.is_set:
                _end(process)

    def remove(self, process: subprocess.Popen[str]) -> None:
        """Take `process`, which has ended, from those to stop."""
        with self._lock:
            self._running.discard(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    killer = threading.Timer(_GRACE_SECONDS, process.kill)
    killer.daemon = True
    killer.start()


def run_section(
    section: Section,
    given: Mapping[str, object],
    out: Path,
    *,
    follow: Follower = lambda event: None,
    threads: int | None = None,
    interrupt: Interrupt | None = None,
) -> Outcome:
    """Execute one notebook and publish its report, or the reason why there is none, below `out`.

    Parameters
    ----------
    section : the notebook.
    given : values for some of its parameters; the others keep their defaults.
    out : the folder of all reports.
    follow : called with each event of the run ("input", "started", "cell", "cell done", "finished",
        "failed").
    threads : how many threads the kernel's numeric libraries may use; by default as many as they like.
    interrupt : set by another thread to end the run.

    Raises
    ------
    ParameterError
        A given value is not one that the notebook declares; nothing was started.
    """
    parameters = section.values(given)
    # a link in the report's place stays, and everything is made where it points to
    final = Path(os.path.realpath(out / section.stem))
    began = time.monotonic()
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(final.with_name(f".{final.name}.lock"), timeout=0):
            run = _Run(section, parameters, {name: parameters[name] for name in given}, final)
            status, reason = run.make(follow, threads, interrupt or Interrupt())
    except Timeout:
        reason = f"another run of {section.stem} is at work in {final.parent}; wait for it to end"
        status = "failed"
    except OSError as error:  # a full disk, a folder taken away, ...
        status, reason = "failed", f"the report cannot be written: {error}"
    return Outcome(section.stem, status, time.monotonic() - began, reason)


@dataclass
class _Run:
    """The run of one section while its lock is held."""

    section: Section
    parameters: Mapping[str, Value]
    given: Mapping[str, Value]
    final: Path
    cells: dict[int, dict[str, Any]] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)

    def make(self, follow: Follower, threads: int | None, interrupt: Interrupt) -> tuple[str, str]:
        """Make the report and return the status and the reason for it."""
        if os.path.lexists(self.final) and not self.final.is_dir():
            raise FileExistsError(f"{self.final} is no folder; move it away")
        recover_folder(self.final)
        if not _is_ours(self.final):
            raise FileExistsError(f"{self.final} holds files, but no report, and would be lost; move it away")
        prefix = f".{self.final.name}.run-"
        for leftover in self.final.parent.glob(f"{glob.escape(prefix)}*"):
            shutil.rmtree(leftover, ignore_errors=True)  # its run is dead: the lock is ours
        staging = Path(tempfile.mkdtemp(prefix=prefix, dir=self.final.parent))
        staging.chmod(0o755)
        began = datetime.now(UTC)
        try:
            with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log, _home() as home:
                environment = _environment(staging, threads) | home
                code = self._work(staging, log, environment, follow, interrupt)
                log.seek(0)
                noise = log.read()[-4000:]
            if self.last.get("event") == "finished":
                flush_folder(staging)
                replace_folder(staging, self.final)
                return "finished", ""
            if interrupt.is_set:
                return "interrupted", "the run was interrupted"
            failure = self.last.get("failure") or _death(code, noise)
            self.final.mkdir(exist_ok=True)
            if (staging / "error.ipynb").exists():
                os.replace(staging / "error.ipynb", self.final / "error.ipynb")
            write_failure(self.final, self.last.get("manifest") or self._manifest(began), failure)
            return "failed", _in_words(failure)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _work(
        self,
        staging: Path,
        log: IO[str],
        environment: Mapping[str, str],
        follow: Follower,
        interrupt: Interrupt,
    ) -> int:
        """Run the child process to its end, follow its events, and return its exit code."""
        request = {
            "notebook": str(self.section.path.absolute()),
            "title": self.section.title,
            "staging": str(staging),
            "parameters": dict(self.parameters),
            "inputs": {p.name: self.parameters[p.name] for p in self.section.parameters if p.names_input},
            "given": dict(self.given),
        }
        process = subprocess.Popen(
            # -P: the working folder is the notebooks' own, and not a place to import from
            [sys.executable, "-P", "-m", "coursework.publish.worker"],
            cwd=self.section.path.absolute().parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
            env=environment,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        interrupt.add(process)
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                self._follow(json.loads(line), follow)
        except BrokenPipeError:
            pass  # the child died before it read its request; its exit code tells
        finally:
            process.wait()
            interrupt.remove(process)
            process.stdout.close()
            with suppress(BrokenPipeError):
                process.stdin.close()
            self._kill_orphan()
        return process.returncode

    def _follow(self, event: dict[str, Any], follow: Follower) -> None:
        self.last = {"kernel": self.last.get("kernel")} | event
        if event["event"] in ("cell", "cell done"):
            account = {key: event[key] for key in ("cell", "id", "heading", "status", "seconds")}
            self.cells[event["cell"]] = account
        follow(event)

    def _kill_orphan(self) -> None:
        """Kill the kernel where the child died without a chance to do so."""
        ended = self.last.get("event") in ("finished", "failed")
        if not ended and self.last.get("kernel") and os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.last["kernel"], signal.SIGKILL)

    def _manifest(self, began: datetime) -> dict[str, Any]:
        """Return the manifest of a run whose child process could not give one."""
        finished = datetime.now(UTC)
        return manifest.describe(
            section=self.section.stem,
            title=self.section.title,
            status="failed",
            parameters=self.parameters,
            given=self.given,
            found_inputs=[],
            notebook=None,
            cells=list(self.cells.values()),
            started=began.isoformat(timespec="seconds"),
            finished=finished.isoformat(timespec="seconds"),
            seconds=(finished - began).total_seconds(),
        )


def _is_ours(folder: Path) -> bool:
    """Return whether a report may take the place of `folder`: it is not there, empty, or one of ours."""
    if not folder.exists():
        return True
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    return not names or not names.isdisjoint({"manifest.json", "error.json", "error.html", "error.ipynb"})


def _environment(staging: Path, threads: int | None) -> dict[str, str]:
    """Return the environment of a run's child process and so of its kernel."""
    path = os.pathsep.join(filter(None, [str(PROJECT_ROOT), os.environ.get("PYTHONPATH")]))
    environment = NUMERIC_ENVIRONMENT | os.environ | {OUTPUT_VARIABLE: str(staging), "PYTHONPATH": path}
    if threads is not None:
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    return environment


@contextmanager
def _home() -> Iterator[dict[str, str]]:
    """Yield HOME as a folder for this run where the user has none: Jupyter does not start without one."""
    if home_folder() is not None:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as folder:
        yield {"HOME": folder}


def _death(code: int, noise: str) -> dict[str, Any]:
    """Return the failure of a child process that ended without a word."""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    cause = "; the usual cause is too little memory" if code == -9 else ""
    return asdict(Failure(f"The process that made the report {how}{cause}.", noise))


def _in_words(failure: Mapping[str, Any]) -> str:
    where = f"cell {failure['cell']} ({failure['id']}): " if failure.get("cell") else ""
    reason = str(failure["reason"]).splitlines()[0]
    return where + reason.encode("utf-8", "replace").decode("utf-8")  # for a terminal to print
