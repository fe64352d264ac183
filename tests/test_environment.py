"""environment.yml builds with conda what pyproject.toml builds with uv."""

import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))

from_conda = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
from_pip = next(entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))


def test_python_and_pip_come_from_conda_with_the_package_s_own_bound() -> None:
    assert from_conda == [f"python{PYPROJECT['project']['requires-python']}", "pip"]


def test_the_package_itself_comes_from_pip_and_brings_its_requirements() -> None:
    assert from_pip[0] == "-e ."


def test_the_development_tools_are_those_of_pyproject_word_for_word() -> None:
    assert from_pip[1:] == PYPROJECT["dependency-groups"]["dev"]


def test_python_has_no_upper_bound() -> None:
    assert PYPROJECT["project"]["requires-python"] == ">=3.11"


@pytest.mark.parametrize("text", PYPROJECT["project"]["dependencies"])
def test_a_requirement_has_a_lower_bound_and_no_upper_one_unless_it_is_exact(text: str) -> None:
    operators = [specifier.operator for specifier in Requirement(text).specifier]
    assert operators in ([">="], ["=="])


def test_torch_is_newer_than_2_13_and_torchvision_was_built_for_it() -> None:
    assert tuple(int(part) for part in version("torch").split(".")[:2]) > (2, 13)
    pairs = [Requirement(text) for text in requires("torchvision") or ()]
    (torch,) = [requirement for requirement in pairs if requirement.name == "torch"]
    assert torch.specifier.contains(version("torch").split("+")[0])


def test_the_resolution_is_pinned_by_a_date() -> None:
    assert PYPROJECT["tool"]["uv"]["exclude-newer"].endswith("Z")
