"""Runs of tiny notebooks on real kernels, in the process and through the command line."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from filelock import FileLock

from coursework._common.files import sha256_of
from coursework._common.states import SCRIPT
from coursework.cli import main
from coursework.publish.batch import run_sections
from coursework.publish.execute import Failure
from coursework.publish.parameters import ParameterError
from coursework.publish.progress import Progress
from coursework.publish.run import Interrupt, Outcome, _Run, run_section
from coursework.publish.sections import Section

PATIENCE_SECONDS = 90.0

SectionsOf = Callable[..., list[Section]]


def manifest_of(folder: Path, name: str = "manifest.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return content


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def left_over(out: Path) -> list[Path]:
    return list(out.glob(".*.run-*"))


# --- several sections at once, some of which fail ------------------------------------------------


@pytest.fixture(scope="module")
def batch(
    tmp_path_factory: pytest.TempPathFactory, sections_of: SectionsOf
) -> tuple[Path, list[Outcome], str]:
    """The reports' folder, the outcomes, and the printed progress of one run of four notebooks."""
    root = tmp_path_factory.mktemp("batch") / "a checkout {seed} in } braces"
    names = ("1_finishes", "2_raises", "3_kernel_dies", "5_refused_formula")
    sections = sections_of(root / "notebooks", *names)
    given = {"1_finishes": {"n": 4}}
    with (root / "progress").open("w+") as stream, Progress(sections, stream) as progress:
        outcomes = run_sections(sections, given, root / "reports", jobs=2, progress=progress)
    return root / "reports", outcomes, (root / "progress").read_text()


def test_each_section_ends_in_its_own_way(batch: tuple[Path, list[Outcome], str]) -> None:
    _, outcomes, _ = batch
    assert [(outcome.section, outcome.status) for outcome in outcomes] == [
        ("1_finishes", "finished"),
        ("2_raises", "failed"),
        ("3_kernel_dies", "failed"),
        ("5_refused_formula", "failed"),
    ]


def test_a_finished_report_holds_page_notebook_manifest_and_artefacts(
    batch: tuple[Path, list[Outcome], str],
) -> None:
    report = batch[0] / "1_finishes"
    wanted = {"index.html", "1_finishes.ipynb", "manifest.json", "numbers.html", "thumbnail.svg"}
    assert visible(report) == wanted
    assert (report / "numbers.html").read_text() == "<title>numbers</title>4"
    page = BeautifulSoup((report / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert page.main is not None
    assert "n is 4" in page.main.get_text()
    assert page.find("script") is None
    assert left_over(batch[0]) == []


def test_a_manifest_says_what_the_run_was_made_with(batch: tuple[Path, list[Outcome], str]) -> None:
    report = batch[0] / "1_finishes"
    manifest = manifest_of(report)
    assert manifest["status"] == "finished"
    assert manifest["parameters"] == {"seed": 0, "n": 4, "rate": 0.5, "where": "1_finishes.ipynb"}
    assert manifest["given"] == {"n": 4}
    assert manifest["seed"] == 0
    assert manifest["records"] == [{"name": "squares of <n>", "value": 16, "text": "16"}]
    (entry,) = manifest["inputs"]
    assert entry["sha256"] == sha256_of(batch[0].parent / "notebooks" / "1_finishes.ipynb")
    assert manifest["threads"] == os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
    assert {cell["status"] for cell in manifest["cells"]} == {"finished"}
    assert all(cell["seconds"] >= 0 for cell in manifest["cells"])
    assert [cell["id"] for cell in manifest["cells"]][:2] == ["parameters", "injected-parameters"]


def test_the_executed_notebook_is_valid_and_names_no_path_of_this_machine(
    batch: tuple[Path, list[Outcome], str],
) -> None:
    path = batch[0] / "1_finishes" / "1_finishes.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))
    assert str(batch[0].parent) not in path.read_text(encoding="utf-8")


def test_a_failed_section_says_which_cell_and_why(batch: tuple[Path, list[Outcome], str]) -> None:
    report = batch[0] / "2_raises"
    assert visible(report) == {"error.html", "error.json", "error.ipynb"}
    failure = manifest_of(report, "error.json")["failure"]
    assert failure["id"] == "the-culprit"
    assert failure["heading"] == "The part that fails"
    assert failure["reason"] == "IndexError: list index out of range"
    page = BeautifulSoup((report / "error.html").read_text(encoding="utf-8"), "html.parser").get_text()
    for text in ("the-culprit", "IndexError: list index out of range", "numbers[n]", "not run"):
        assert text in page


def test_the_cells_of_a_failed_run_are_told_truthfully(batch: tuple[Path, list[Outcome], str]) -> None:
    cells = {cell["id"]: cell["status"] for cell in manifest_of(batch[0] / "2_raises", "error.json")["cells"]}
    assert cells == {
        "parameters": "finished",
        "before": "finished",
        "the-culprit": "failed",
        "after": "not run",
    }
    notebook = nbformat.read(batch[0] / "2_raises" / "error.ipynb", as_version=4)
    assert not any("papermill-error" in str(cell.metadata) for cell in notebook.cells)


def test_a_kernel_that_dies_is_a_failure_of_its_cell(batch: tuple[Path, list[Outcome], str]) -> None:
    manifest = manifest_of(batch[0] / "3_kernel_dies", "error.json")
    assert manifest["failure"]["id"] == "the-end"
    assert "kernel died" in manifest["failure"]["reason"]
    assert [cell["status"] for cell in manifest["cells"]] == ["finished", "failed", "not run"]


def test_a_formula_that_cannot_be_shown_fails_the_section_by_name(
    batch: tuple[Path, list[Outcome], str],
) -> None:
    reason = manifest_of(batch[0] / "5_refused_formula", "error.json")["failure"]["reason"]
    assert "the-formula" in reason
    assert "substack" in reason
    assert not (batch[0] / "5_refused_formula" / "index.html").exists()


def test_the_index_tells_finished_from_failed(batch: tuple[Path, list[Outcome], str]) -> None:
    page = BeautifulSoup((batch[0] / "index.html").read_text(encoding="utf-8"), "html.parser")
    text = {entry.h2["id"]: entry.get_text() for entry in page.select("section.entry") if entry.h2}
    assert "Finished" in text["1_finishes"]
    assert "squares of <n>" in text["1_finishes"]
    for failed in ("2_raises", "3_kernel_dies", "5_refused_formula"):
        assert "Last run failed" in text[failed]
        assert "Finished" not in text[failed]
    for link in page.select("a[href]"):
        if not str(link["href"]).startswith("#"):
            assert (batch[0] / str(link["href"])).exists()


def test_progress_names_the_cell_under_way(batch: tuple[Path, list[Outcome], str]) -> None:
    assert "2_raises: cell 3/4, The part that fails (the-culprit)" in batch[2]
    assert "1_finishes: finished after" in batch[2]


# --- one section, again and again ----------------------------------------------------------------


def test_a_failure_leaves_the_finished_report_and_a_success_clears_the_failure(
    tmp_path: Path, sections_of: SectionsOf
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "2_raises")
    out = tmp_path / "reports"
    report = out / "2_raises"
    dead = out / ".2_raises.run-dead"
    dead.mkdir(parents=True)
    (dead / "index.html").write_text("half a report")

    assert run_section(section, {"n": 1}, out).status == "finished"
    assert left_over(out) == []
    finished = {path.name: path.read_bytes() for path in report.iterdir()}

    outcome = run_section(section, {"n": 7}, out)
    assert (outcome.status, outcome.reason) == (
        "failed",
        "cell 6 (the-culprit): IndexError: list index out of range",
    )
    assert finished == {name: (report / name).read_bytes() for name in finished}
    assert "last finished report" in (report / "error.html").read_text(encoding="utf-8")

    assert run_section(section, {"n": 0}, out).status == "finished"
    assert visible(report) == set(finished)
    assert manifest_of(report)["parameters"]["n"] == 0


def test_a_wrong_parameter_is_refused_before_anything_is_made(
    tmp_path: Path, sections_of: SectionsOf
) -> None:
    sections = sections_of(tmp_path / "notebooks", "1_finishes", "2_raises")
    with pytest.raises(ParameterError, match="did you mean 'n'"):
        run_sections(sections, {"2_raises": {"nn": 1}}, tmp_path / "reports")
    with pytest.raises(ParameterError, match="of type int"):
        run_section(sections[0], {"n": "three"}, tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_a_broken_notebook_beside_the_one_that_runs_spoils_nothing(
    tmp_path: Path, sections_of: SectionsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections_of(tmp_path / "notebooks", "1_finishes")
    (tmp_path / "notebooks" / "2_cut.ipynb").write_text('{"cells": [')
    instead_of_work(monkeypatch, {"event": "finished"})
    command = ["run", "1", "--notebooks", str(tmp_path / "notebooks")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "finished" in result.output
    index = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "2_cut.ipynb is not a notebook that can be read" in index


def test_a_second_run_of_the_same_section_is_turned_away(tmp_path: Path, sections_of: SectionsOf) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    with FileLock(tmp_path / ".1_finishes.lock"):
        outcome = run_section(section, {}, tmp_path)
    assert outcome.status == "failed"
    assert "another run of 1_finishes" in outcome.reason
    assert not (tmp_path / "1_finishes").exists()


def test_an_interrupt_from_another_thread_ends_the_run_and_publishes_nothing(
    tmp_path: Path, sections_of: SectionsOf
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "4_hangs")
    interrupt, kernels = Interrupt(), set()

    def follow(event: dict[str, Any]) -> None:
        kernels.add(event["kernel"])
        if event.get("id") == "the-wait":
            threading.Thread(target=interrupt.set).start()

    outcome = run_section(section, {}, tmp_path / "reports", follow=follow, interrupt=interrupt)
    assert outcome.status == "interrupted"
    assert visible(tmp_path / "reports") == set()
    assert left_over(tmp_path / "reports") == []
    wait_until_gone(*kernels)


# --- what the machine refuses --------------------------------------------------------------------


def instead_of_work(monkeypatch: pytest.MonkeyPatch, last: dict[str, Any], code: int = 0) -> None:
    """Let a run's child process have ended with `last` as its last event."""

    def work(run: Any, staging: Path, *_: Any) -> int:
        (staging / "index.html").write_text("new")
        (staging / "manifest.json").write_text("{}")
        run.last = last
        return code

    monkeypatch.setattr(_Run, "_work", work)


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_fails_the_section_and_leaves_the_old_report(
    tmp_path: Path, sections_of: SectionsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = sections_of(tmp_path / "notebooks", "1_finishes", "2_raises")
    instead_of_work(monkeypatch, {"event": "finished"})
    out = tmp_path / "reports"
    assert run_section(sections[0], {}, out).status == "finished"
    (out / "1_finishes" / "index.html").write_text("old")
    monkeypatch.setattr("coursework.publish.run.replace_folder", no_space)
    monkeypatch.setattr("coursework.publish.batch.write_index", no_space)
    outcomes = run_sections(sections, {}, out)
    assert [(one.section, one.status) for one in outcomes] == [
        ("1_finishes", "failed"),
        ("2_raises", "failed"),
        ("index", "failed"),
    ]
    assert all("No space left on device" in one.reason for one in outcomes)
    assert (out / "1_finishes" / "index.html").read_text() == "old"
    assert left_over(out) == []


def test_an_index_that_fails_for_whatever_reason_leaves_the_outcomes_to_be_told(
    tmp_path: Path, sections_of: SectionsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = sections_of(tmp_path / "notebooks", "1_finishes")
    instead_of_work(monkeypatch, {"event": "finished"})
    monkeypatch.setattr("coursework.publish.batch.write_index", lambda *_: 1 // 0)
    finished, index = run_sections(sections, {}, tmp_path / "reports")
    assert finished.status == "finished"
    assert (index.section, index.status) == ("index", "failed")
    assert "by zero" in index.reason


def test_a_file_in_the_place_of_a_report_is_left_alone(tmp_path: Path, sections_of: SectionsOf) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    (tmp_path / "1_finishes").write_text("mine")
    outcome = run_section(section, {}, tmp_path)
    assert outcome.status == "failed"
    assert "1_finishes is no folder; move it away" in outcome.reason
    assert (tmp_path / "1_finishes").read_text() == "mine"


def test_a_link_in_the_place_of_a_report_stays_and_its_folder_is_replaced(
    tmp_path: Path, sections_of: SectionsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    instead_of_work(monkeypatch, {"event": "finished"})
    link, target = tmp_path / "reports" / "1_finishes", tmp_path / "elsewhere" / "mine [1]"
    link.parent.mkdir()
    link.symlink_to(target)
    for _ in ("nothing is there yet", "a report is there"):
        outcome = run_section(section, {}, link.parent)
        assert (outcome.status, outcome.reason) == ("finished", "")
        assert link.readlink() == target
        assert visible(target) == {"index.html", "manifest.json"}
        assert (target / "index.html").read_text() == "new"
        (target / "index.html").write_text("old")
    assert left_over(link.parent) + left_over(target.parent) == []


def test_a_folder_of_other_files_in_the_place_of_a_report_is_left_alone(
    tmp_path: Path, sections_of: SectionsOf
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("mine")
    (tmp_path / "1_finishes").symlink_to(tmp_path / "letters")
    outcome = run_section(section, {}, tmp_path)
    assert outcome.status == "failed"
    assert "holds files, but no report" in outcome.reason
    assert contents(tmp_path / "letters") == {"dear.txt": b"mine"}


def test_a_link_to_itself_in_the_place_of_a_report_is_left_alone(
    tmp_path: Path, sections_of: SectionsOf
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    (tmp_path / "1_finishes").symlink_to("1_finishes")
    assert "1_finishes is no folder; move it away" in run_section(section, {}, tmp_path).reason


def test_a_child_process_that_was_killed_has_an_error_page(
    tmp_path: Path, sections_of: SectionsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    instead_of_work(monkeypatch, {"event": "cell"}, code=-9)
    outcome = run_section(section, {}, tmp_path)
    assert outcome.status == "failed"
    assert "was killed by signal 9; the usual cause is too little memory" in outcome.reason
    assert "was killed by signal 9" in (tmp_path / "1_finishes" / "error.html").read_text()
    assert manifest_of(tmp_path / "1_finishes", "error.json")["status"] == "failed"


def test_a_run_of_a_user_without_a_home_has_one_for_its_time(
    tmp_path: Path, sections_of: SectionsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    homes = []

    def work(run: Any, staging: Path, log: Any, environment: dict[str, str], *_: Any) -> int:
        homes.append(Path(environment["HOME"]))
        assert homes[0].is_dir()
        run.last = {"event": "finished"}
        return 0

    monkeypatch.setattr(_Run, "_work", work)
    monkeypatch.setattr("coursework.publish.run.home_folder", lambda: None)
    assert run_section(section, {}, tmp_path / "reports").status == "finished"
    assert not homes[0].exists()


def test_an_error_whose_words_are_not_utf_8_has_its_page_and_its_account(
    tmp_path: Path, sections_of: SectionsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    failure = asdict(Failure("no file caf\udce9.jpg"))
    instead_of_work(monkeypatch, {"event": "failed", "failure": failure})
    outcome = run_section(section, {}, tmp_path)
    assert (outcome.status, outcome.reason) == ("failed", "no file caf?.jpg")
    assert "no file caf?.jpg" in (tmp_path / "1_finishes" / "error.html").read_text(encoding="utf-8")
    assert manifest_of(tmp_path / "1_finishes", "error.json")["failure"] == failure


def test_an_error_outside_every_cell_has_an_error_page(tmp_path: Path, sections_of: SectionsOf) -> None:
    (section,) = sections_of(tmp_path / "notebooks", "1_finishes")
    section.path.write_text(section.path.read_text().replace('"nbformat": 4', '"nbformat": 99'))
    outcome = run_section(section, {}, tmp_path)
    assert outcome.status == "failed"
    page = BeautifulSoup((tmp_path / "1_finishes" / "error.html").read_text(), "html.parser")
    assert "none: see the reason" in page.get_text()


# --- the command, killed -------------------------------------------------------------------------


# Undoes what nohup, or a shell's &, would hand on to a command that is about to start. A program of its
# own, since a fork of a test process, with whatever threads other tests left in it, is asking for trouble.
AS_FROM_A_TERMINAL = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def start_command(notebooks: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = ["-m", "coursework", "run", "--notebooks", str(notebooks), *arguments]
    return subprocess.Popen(
        [sys.executable, "-c", AS_FROM_A_TERMINAL, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
        start_new_session=True,
    )


def is_running(process_id: int) -> bool:
    """Whether the process is there and is not a corpse that nobody has collected."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(*process_ids: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(map(is_running, process_ids)):
        assert time.monotonic() < deadline, f"still running: {process_ids}"
        time.sleep(0.05)


def put_finished_report(report: Path) -> dict[str, bytes]:
    """Write what an earlier run may have left and return it."""
    report.mkdir(parents=True)
    manifest = {"status": "finished", "title": "Earlier", "seconds": 1.0, "records": [], "thumbnail": None}
    (report / "index.html").write_text("an earlier report")
    (report / "manifest.json").write_text(json.dumps(manifest | {"finished": "2026-01-01T00:00:00"}))
    return contents(report)


def contents(report: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in report.iterdir()}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
    ids=str,
)
def test_a_killed_command_leaves_the_old_report_whole_and_no_kernel(
    tmp_path: Path, sections_of: SectionsOf, number: int, code: int
) -> None:
    sections_of(tmp_path / "notebooks", "4_hangs")
    before = put_finished_report(tmp_path / "reports" / "4_hangs")
    pid_file = tmp_path / "pid"
    command = start_command(tmp_path / "notebooks", "-p", "pid_file", str(pid_file))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < deadline, "the kernel did not start"
        assert command.poll() is None, command.communicate()[0]
        time.sleep(0.05)
    kernel = int(pid_file.read_text())
    assert is_running(kernel)
    command.send_signal(number)
    printed, _ = command.communicate(timeout=PATIENCE_SECONDS)
    assert command.returncode == code
    wait_until_gone(kernel)
    assert contents(tmp_path / "reports" / "4_hangs") == before
    assert "Traceback" not in printed
    if number != signal.SIGKILL:
        assert left_over(tmp_path / "reports") == []
        assert "Finished" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_kill_at_a_random_moment_leaves_the_old_report_or_the_whole_new_one(
    tmp_path: Path, sections_of: SectionsOf
) -> None:
    sections_of(tmp_path / "notebooks", "1_finishes")
    report = tmp_path / "reports" / "1_finishes"
    before = put_finished_report(report)
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    for _ in range(4):
        command = start_command(tmp_path / "notebooks")
        time.sleep(moments.uniform(0.5, 6.0))
        command.kill()
        command.communicate()
        after = contents(report)
        if after != before:
            assert set(after) == {
                "index.html",
                "1_finishes.ipynb",
                "manifest.json",
                "numbers.html",
                "thumbnail.svg",
            }, f"seed {seed}"
            assert json.loads(after["manifest.json"])["status"] == "finished", f"seed {seed}"
            assert after["index.html"].rstrip().endswith(b"</html>"), f"seed {seed}"
            before = after


# --- without a network ---------------------------------------------------------------------------

# Read by every Python that the run starts: an attempt to reach a host is an error.
FORBID = """
import socket

connect = socket.socket.connect

def refuse(self, address):
    if self.family != getattr(socket, "AF_UNIX", None):
        raise OSError(f"the network is forbidden, and {address} was asked for")
    return connect(self, address)

socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda *a, **k: refuse(socket.socket(), a)
"""


def test_the_workbooks_first_section_runs_without_a_network(tmp_path: Path) -> None:
    """Every Python of the run refuses to connect; where the system permits it, there is no network at all."""
    (tmp_path / "forbid").mkdir()
    (tmp_path / "forbid" / "sitecustomize.py").write_text(FORBID)
    unshare = ["unshare", "--net", "--map-root-user"]
    try:
        permitted = subprocess.run([*unshare, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        permitted = False
    run = [sys.executable, "-m", "coursework", "run", "1", "--out", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "forbid")}
    probe = [sys.executable, "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9')"]
    refused = subprocess.run(probe, capture_output=True, text=True, env=environment)
    assert "the network is forbidden" in refused.stderr
    command = [*unshare, *run] if permitted else run
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "1_error_backpropagation" / "index.html").read_text(encoding="utf-8")
    assert text.count("<math") > 50
    page = BeautifulSoup(text, "html.parser")
    assert page.select("link, [src^=http], [href^='//'], script[src]") == []
    assert [script.string for script in page.select("script")] == [SCRIPT]  # the panel's sliders
