"""What a run was made with and what came of it: the contents of `manifest.json`."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from coursework._common.files import PROJECT_ROOT, resolve_input, sha256_of, sha256_of_folder
from coursework._common.kinds import INPUT_MIME, RECORD_MIME
from coursework.publish.parameters import ParameterError

_PACKAGES = (
    "coursework",
    "numpy",
    "torch",
    "torchvision",
    "timm",
    "scikit-learn",
    "scipy",
    "matplotlib",
    "papermill",
    "nbconvert",
    "ipykernel",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape a report."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state(folder: Path = PROJECT_ROOT) -> dict[str, Any] | None:
    """Return the commit checked out in `folder` and whether files differ from it; None without git."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
        return done.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != folder.resolve():
            return None  # a repository around the folder says nothing about the folder
        changed = bool(git("status", "--porcelain", "--untracked-files=no"))
        return {"commit": git("rev-parse", "HEAD"), "dirty": changed}
    except (OSError, subprocess.SubprocessError):
        return None


def inputs(
    paths: Mapping[str, object], announce: Callable[[str, str], None] = lambda name, path: None
) -> list[dict[str, Any]]:
    """Return name, place and SHA-256 of every file or folder that a parameter names.

    Relative paths are looked for as a notebook does: below the working folder, then the project.

    Parameters
    ----------
    paths : the values of the parameters that may name a file or folder, by name.
    announce : called with name and value before a file or folder, which may be a big one, is read.

    Raises
    ------
    ParameterError
        A file cannot be read.
    """
    found = []
    for name, value in paths.items():
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            continue
        path = resolve_input(value)
        # os.path's test, since a Path's own fails on a text that is too long for a file's name
        if not os.path.exists(path):
            continue
        announce(name, value)
        try:
            files = sum(file.is_file() for file in path.rglob("*")) if path.is_dir() else 1
            digest = sha256_of_folder(path) if path.is_dir() else sha256_of(path)
        except OSError as error:
            raise ParameterError(
                f"parameter {name!r} names {value}, where {error.filename} cannot be read: {error.strerror}; "
                f"name another with -p {name} PATH, or give yourself the right to read it"
            ) from None
        found.append({"name": name, "path": value, "sha256": digest, "files": files})
    return found


def recorded(notebook: NotebookNode, kind: str) -> list[dict[str, Any]]:
    """Return the bundles of MIME type `kind` that the notebook's cells put out, in order."""
    return [
        dict(output.data[kind])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if kind in output.get("data", {})
    ]


def describe(
    *,
    section: str,
    title: str,
    status: str,
    parameters: Mapping[str, object],
    given: Mapping[str, object],
    found_inputs: list[dict[str, Any]],
    notebook: NotebookNode | None,
    cells: list[dict[str, Any]],
    started: str,
    finished: str,
    seconds: float,
) -> dict[str, Any]:
    """Return the manifest of one run as a dictionary that JSON can hold."""
    notes = [] if notebook is None else recorded(notebook, INPUT_MIME)
    return {
        "section": section,
        "title": title,
        "status": status,
        "parameters": dict(parameters),
        "given": dict(given),
        "seed": parameters.get("seed"),
        "versions": versions(),
        "git": git_state(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "inputs": found_inputs + [note for at, note in enumerate(notes) if note not in notes[:at]],
        "records": [] if notebook is None else recorded(notebook, RECORD_MIME),
        "started": started,
        "finished": finished,
        "seconds": round(seconds, 2),
        "cells": cells,
    }
