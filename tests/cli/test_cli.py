"""The commands, up to the point where a kernel would start."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coursework.cli import main

TINY = Path(__file__).parents[1] / "publish" / "notebooks"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def run(out: Path, *arguments: object) -> Result:
    return invoke("run", "--notebooks", TINY, "--out", out, *arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["9"], ["unknown section '9'", "1_finishes", "4_hangs"]),
        (["2_rases"], ["did you mean '2_raises'"]),
        (
            ["1", "-p", "sede", "3"],
            ["unknown parameter 'sede'", "did you mean 'seed'", "Valid names", "rate"],
        ),
        (["1", "-p", "n", "many"], ["'n' is of type int", "'many'", "seed, n, rate, where"]),
        (["1", "-p", "where", "a\udcff"], ["'where'", "not UTF-8"]),
        (["-p", "rate", "fast"], ["'rate' is of type float"]),
        (["2", "-p", "rate", "0.5"], ["unknown parameter 'rate'"]),
        (["--jobs", "0"], ["--jobs"]),
        (["-p", "n"], ["-p"]),
    ],
)
def test_a_wrong_section_or_parameter_ends_with_code_2_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    result = run(tmp_path / "reports", *arguments)
    assert result.exit_code == 2
    for word in words:
        assert word in result.output
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("section", "name", "value", "words"),
    [
        (
            1,
            "activation",
            "sigmod",
            ["'activation'", "is of type str", "did you mean 'sigmoid'", '"softplus"'],
        ),
        (1, "sizes", "3,1", ["'sizes'", "is of type list[int]", "[3, 1]", "len(sizes) >= 4"]),
        (1, "sizes", "3,0,3,1", ["[3, 0, 3, 1]", "each >= 1"]),
        (1, "seed", "-1", ["'seed'", "-1", "0 <= seed"]),
        (2, "depth", "1", ["'depth'", "is of type int", "depth >= 2", "mlp_steps"]),
        (2, "scales", "", ["'scales'", "[]", "len(scales) >= 1"]),
        (
            3,
            "base",
            "resnet50",
            ["'base'", "is of type str", "'resnet50'", '"efficientnet_lite0"', "unfreeze_from"],
        ),
        (3, "weights", "imagnet", ["'imagnet'", "did you mean 'imagenet'", '"none"']),
        (3, "weights", "missing.pth", ["'missing.pth'", "is_file(weights)"]),
        (3, "data_dir", "no/such/folder", ["'no/such/folder'", "is_folder(data_dir)"]),
        (3, "size", "74", ["74 with base = 'inception_v3'", "size >= 75"]),
        (3, "dropout", "1", ["1.0", "0 <= dropout < 1"]),
        (3, "head_epochs", "-3", ["-3", "head_epochs >= 1"]),
        (3, "unfreeze_from", "Mixed_6A", ["did you mean 'Mixed_6a'"]),
    ],
)
def test_a_value_that_a_notebook_cannot_take_ends_with_code_2_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: int, name: str, value: str, words: list[str]
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    result = invoke("run", section, "-p", name, value, "--out", tmp_path / "reports")
    assert result.exit_code == 2
    for word in words:
        assert word in result.output
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_written_ends_with_code_2_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    (tmp_path / "file").touch()
    result = run(tmp_path / "file" / "reports", "1")
    assert result.exit_code == 2
    assert "no reports can be written to" in result.output
    assert "name another folder with --out" in result.output


def test_a_folder_without_notebooks_is_refused(tmp_path: Path) -> None:
    result = invoke("run", "--notebooks", tmp_path)
    assert result.exit_code == 2
    assert "no numbered notebook" in result.output


def test_the_list_shows_every_parameter_with_type_default_and_help() -> None:
    result = invoke("list", "--notebooks", TINY)
    assert result.exit_code == 0
    assert "1_finishes: Finishes & shows <everything>" in result.output
    assert "-p n: int = 3  (how many)" in result.output


def test_a_notebook_whose_parameters_cannot_be_read_is_named(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "n = 3"}
    (tmp_path / "1_bad.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    for command in ("list", "run"):
        result = invoke(command, "--notebooks", tmp_path)
        assert result.exit_code == (2 if command == "run" else 1)
        assert "1_bad.ipynb: parameters cell, line 1" in result.output


def test_the_index_is_written_again_from_what_is_on_disk(tmp_path: Path) -> None:
    result = invoke("site", "--notebooks", TINY, "--out", tmp_path / "reports")
    assert result.exit_code == 0
    assert str(tmp_path / "reports" / "index.html") in result.output
    assert "coursework run 4" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")


def test_the_index_lists_a_notebook_that_cannot_be_read_and_names_a_folder_that_cannot_be_written(
    tmp_path: Path,
) -> None:
    (tmp_path / "2_cut.ipynb").write_text("{")
    assert invoke("site", "--notebooks", tmp_path, "--out", tmp_path / "reports").exit_code == 0
    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "2_cut.ipynb is not a notebook that can be read" in page
    result = invoke("site", "--notebooks", tmp_path, "--out", tmp_path / "2_cut.ipynb" / "reports")
    assert result.exit_code == 1
    assert "the index cannot be written" in result.output


def test_the_package_runs_as_a_module_and_loads_no_torch_for_its_help() -> None:
    code = "import runpy, sys; sys.argv = ['coursework', '--help']; runpy.run_module('coursework')"
    check = f"try:\n    {code}\nexcept SystemExit:\n    assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", "import sys\n" + check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout


def test_a_run_prints_status_seconds_and_the_index_and_ends_with_code_1_on_failure(tmp_path: Path) -> None:
    result = run(tmp_path / "reports", "2")
    assert result.exit_code == 1
    assert "2_raises" in result.output
    assert "failed" in result.output
    assert "cell 5 (the-culprit): IndexError" in result.output
    assert "total" in result.output
    assert f"Index: {tmp_path / 'reports' / 'index.html'}" in result.output
    assert f"Error: {tmp_path / 'reports' / '2_raises' / 'error.html'}" in result.output
