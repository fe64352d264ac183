"""The browser that the tests open pages in, and a watch on what those pages do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# The notebooks in test folders are material for tests, not tests: nbval leaves them alone.
collect_ignore_glob = ["*.ipynb"]

CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

# The sandbox does not start for root; the rest keeps the browser itself from calling anywhere.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def skip_unless_ci() -> Callable[[str], NoReturn]:
    """Ends the running test: skipped, visibly, on a user's machine; failed under continuous integration."""

    def end(reason: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (never skipped under CI)")
        pytest.skip(reason)

    return end


@pytest.fixture(scope="session")
def chromium_path(skip_unless_ci: Callable[[str], NoReturn]) -> str:
    """The first Chromium or Chrome found on this machine."""
    for name in CHROMIUMS:
        if found := shutil.which(name):
            return found
    skip_unless_ci("no Chromium or Chrome found; Debian: apt install chromium")


# One browser a test file, not one a session: while Playwright is alive its event loop counts as
# running, and tests elsewhere that start one of their own would be refused.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def requested() -> list[str]:
    """The addresses that `page` asked for so far, data: and blob: left out."""
    return []


@pytest.fixture
def complaints() -> list[str]:
    """The errors and warnings that `page` wrote to its console so far, exceptions included."""
    return []


@pytest.fixture
def page(browser: Browser, requested: list[str], complaints: list[str]) -> Iterator[Page]:
    """A new page, without a network, that records into `requested` and `complaints`."""

    def note_request(url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            requested.append(url)

    def note_message(kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            complaints.append(text)

    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    new = context.new_page()
    new.on("request", lambda request: note_request(request.url))
    new.on("console", lambda message: note_message(message.type, message.text))
    new.on("pageerror", lambda error: complaints.append(str(error)))
    yield new
    context.close()
