"""What every test run needs, whichever files it is given: quiet threads, a place for notebooks to write."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator

import pytest

from coursework._common.numeric import NUMERIC_ENVIRONMENT

# OpenMP reads its settings once, when torch is imported; kernels inherit all of them.
for name, value in NUMERIC_ENVIRONMENT.items():
    os.environ.setdefault(name, value)

NOTEBOOK_OUTPUT = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="coursework-nbval-")
    config.add_cleanup(folder.cleanup)
    config.stash[NOTEBOOK_OUTPUT] = folder.name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Let the kernel that nbval starts for a notebook's first cell write to a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        if item.path.suffix == ".ipynb":
            folder = os.path.join(item.config.stash[NOTEBOOK_OUTPUT], item.path.stem)
            os.makedirs(folder, exist_ok=True)
            patch.setenv("COURSEWORK_OUTPUT_DIR", folder)
            # features of an earlier run would hide what this one computes
            patch.setenv("COURSEWORK_CACHE", os.path.join(folder, "cache"))
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "chromium_path" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
