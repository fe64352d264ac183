"""Tiny notebooks, each named for what it does."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from coursework.publish.sections import Section, find_sections

NOTEBOOKS = Path(__file__).parent / "notebooks"


@pytest.fixture(scope="session")
def sections_of() -> Callable[..., list[Section]]:
    """Copy the named notebooks into a folder and return them as sections."""

    def copy(folder: Path, *names: str) -> list[Section]:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(NOTEBOOKS / f"{name}.ipynb", folder)
        return find_sections(folder)

    return copy
