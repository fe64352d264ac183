"""A clone holds what it needs and nothing of the machine it came from; uv comes without help."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[1]

#: What pip and uv print when the package index does not answer.
UNREACHABLE = re.compile(r"connection|name resolution|timed out|unreachable|no matching distribution", re.I)

MakeUv = Callable[[], subprocess.CompletedProcess[str]]

#: Hosts that the documentation may well name.
PUBLIC = {"pypi.org", "files.pythonhosted.org", "download.pytorch.org", "github.com"}

#: All that fetching uv may use, beside Python.
FETCH_COMMANDS = ("make", "sh", "cat", "mktemp", "rm")


@pytest.fixture(scope="module")
def tracked(skip_unless_ci: Callable[[str], NoReturn]) -> list[Path]:
    """The files of the checkout that git keeps."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        skip_unless_ci("not a git checkout")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / os.fsdecode(name) for name in listing.split(b"\0") if name]


def index_hosts() -> set[str]:
    """The hosts of the package indexes that this machine's pip and uv are configured for."""
    settings = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))]
    if pip := shutil.which("pip3") or shutil.which("pip"):
        settings += subprocess.run(
            [pip, "config", "list"], capture_output=True, text=True
        ).stdout.splitlines()
    indexes = [line for line in settings if re.match(r"[^=]*(index|find.links)", line, re.IGNORECASE)]
    urls = [url for line in indexes for url in re.findall(r"https?://[^\s'\"]+", line)]
    hosts = {urlsplit(url).netloc.rpartition("@")[2] for url in urls}
    # a bare word such as "mirror" may stand anywhere
    return {host for host in hosts if "." in host or ":" in host} - PUBLIC


def test_no_lock_file_is_kept(tracked: list[Path]) -> None:
    assert not {path.name for path in tracked} & {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}
    assert "uv.lock" in (ROOT / ".gitignore").read_text("utf-8").split()


def test_no_kept_file_names_a_registry_host(tracked: list[Path]) -> None:
    hosts = [host.encode() for host in index_hosts()]
    naming = [path for path in tracked if path.is_file() and any(h in path.read_bytes() for h in hosts)]
    assert naming == []


def test_no_kept_notebook_names_the_folder_it_was_run_in(tracked: list[Path]) -> None:
    notebooks = [path for path in tracked if path.suffix == ".ipynb" and path.is_file()]
    assert [path for path in notebooks if f"{ROOT}/" in path.read_text("utf-8")] == []


def test_the_ci_script_and_the_shell_scripts_are_well_formed() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=True)
    subprocess.run(["sh", "-n", ROOT / "tools/fetch_uv.sh"], check=True)


def test_make_help_explains_every_target() -> None:
    help_text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert phony is not None
    assert re.findall(r"make (\w+)\t\w", help_text) == phony[1].split()


# Continuous integration


def run_ci_with(folder: Path, stubs: dict[str, str]) -> list[str]:
    """Run .ci/run with `stubs` for commands and return the lines that they wrote to `$CALLS`."""
    bash = shutil.which("bash")
    assert bash is not None
    for name, script in stubs.items():
        (folder / name).write_text(f"#!{bash}\n{script}\n")
        (folder / name).chmod(0o755)
    for name in ("dirname", "env"):
        (folder / name).symlink_to(str(shutil.which(name)))
    calls = folder / "calls"
    environment = {"PATH": str(folder), "CALLS": str(calls)}
    subprocess.run([bash, ROOT / ".ci/run"], env=environment, check=True)
    return calls.read_text("utf-8").splitlines()


CALL = 'echo "${0##*/} $*" >>"$CALLS"'
MAKE = 'echo "make $* CI=$CI" >>"$CALLS"'


def test_ci_installs_a_chromium_where_there_is_none(tmp_path: Path) -> None:
    calls = run_ci_with(tmp_path, {"id": "echo 0", "apt-get": CALL, "make": MAKE})
    assert calls[0] == "apt-get update"
    assert calls[1].startswith("apt-get install")
    assert calls[1].endswith(" chromium")
    assert calls[2:] == ["make test CI=true"]


def test_ci_asks_sudo_where_it_is_not_root(tmp_path: Path) -> None:
    calls = run_ci_with(tmp_path, {"id": "echo 1000", "sudo": CALL, "make": MAKE})
    assert calls[0] == "sudo apt-get update"
    assert calls[-1] == "make test CI=true"


def test_ci_takes_the_browser_that_it_finds(tmp_path: Path) -> None:
    assert run_ci_with(tmp_path, {"google-chrome": "", "make": MAKE}) == ["make test CI=true"]


# Fetching uv


def placeholder_python(folder: Path, script: str) -> None:
    """Put `script` in place of every Python that tools/fetch_uv.sh looks for."""
    for name in ("python", "python3", *(f"python3.{minor}" for minor in range(11, 16))):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


def real_python() -> str:
    """The Python under the virtual environment that runs this test."""
    return os.path.realpath(os.path.join(sys.base_prefix, "bin", "python3"))


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder of the few commands that every machine with make has, for the only one on PATH."""
    folder = tmp_path / "commands"
    folder.mkdir()
    for name in FETCH_COMMANDS:
        path = shutil.which(name)
        assert path is not None, f"{name} is not installed"
        (folder / name).symlink_to(path)
    return folder


@pytest.fixture
def make_uv(tmp_path: Path, commands: Path, skip_unless_ci: Callable[[str], NoReturn]) -> MakeUv:
    """Runs `make .uv/bin/uv` in a copy of what it needs, with nothing but `commands` on PATH."""

    def run() -> subprocess.CompletedProcess[str]:
        checkout = tmp_path / "checkout"
        (checkout / "tools").mkdir(parents=True)
        for name in ("Makefile", "tools/fetch_uv.sh"):
            shutil.copy(ROOT / name, checkout / name)
        environment = os.environ | {"PATH": str(commands)}
        environment.pop("VIRTUAL_ENV", None)
        make = [commands / "make", ".uv/bin/uv"]
        done = subprocess.run(
            make, cwd=checkout, env=environment, capture_output=True, text=True, timeout=300
        )
        if done.returncode and "pip could not install" in done.stderr and UNREACHABLE.search(done.stderr):
            skip_unless_ci("the package index cannot be reached")
        return done

    return run


def test_uv_is_fetched_into_the_checkout_where_there_is_none(
    tmp_path: Path, commands: Path, make_uv: MakeUv
) -> None:
    placeholder_python(commands, f'exec {real_python()} "$@"')
    run = make_uv()
    assert run.returncode == 0, run.stderr
    version = subprocess.run([tmp_path / "checkout/.uv/bin/uv", "--version"], capture_output=True, text=True)
    assert version.stdout.startswith("uv ")


def test_uv_is_fetched_by_pip_where_python_cannot_make_environments(
    tmp_path: Path, commands: Path, make_uv: MakeUv
) -> None:
    placeholder_python(commands, f'[ "$2" = venv ] && exit 1\nexec {real_python()} "$@"')
    run = make_uv()
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "checkout/.uv/bin/uv").is_file()
    assert not (tmp_path / "checkout/.uv/pyvenv.cfg").exists()


def test_a_python_without_venv_and_pip_is_told_what_to_install(
    tmp_path: Path, commands: Path, make_uv: MakeUv
) -> None:
    placeholder_python(commands, f'[ "$1" = -m ] && exit 1\nexec {real_python()} "$@"')
    run = make_uv()
    assert run.returncode != 0
    assert "apt install python3-venv" in run.stderr
    assert not (tmp_path / "checkout/.uv").exists()


def test_too_old_a_python_is_told_which_one_is_needed(
    tmp_path: Path, commands: Path, make_uv: MakeUv
) -> None:
    placeholder_python(commands, "exit 1")
    run = make_uv()
    assert run.returncode != 0
    assert "no Python 3.11 or newer" in run.stderr


def test_an_index_that_offers_no_uv_leaves_nothing_half_done(
    tmp_path: Path, commands: Path, make_uv: MakeUv
) -> None:
    refusals = '[ "$2" = venv ] && exit 1\n[ "$3" = install ] && exit 1'
    placeholder_python(commands, f'{refusals}\nexec {real_python()} "$@"')
    run = make_uv()
    assert run.returncode != 0
    assert "package index reachable" in run.stderr
    assert not (tmp_path / "checkout/.uv").exists()
