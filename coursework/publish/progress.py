"""What a person sees while sections run: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any, TextIO

from tqdm import tqdm

from coursework.publish.run import Follower, Outcome
from coursework.publish.sections import Section


class Progress:
    """Counts the cells of all sections and names the ones under way; a context manager."""

    def __init__(self, sections: list[Section], stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self._lock = threading.Lock()
        self._expected = {section.stem: section.code_cells for section in sections}
        self._done = dict.fromkeys(self._expected, 0)
        self._under_way: dict[str, str] = {}
        self._bar: tqdm[Any] | None = None
        if self.stream.isatty():
            self._bar = tqdm(total=self._total(), unit="cell", file=self.stream, dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def follow(self, section: Section) -> Follower:
        """Return the function to call with the events of this section's run."""

        def on_event(event: dict[str, Any]) -> None:
            with self._lock:
                self._take(section.stem, event)

        return on_event

    def ended(self, outcome: Outcome) -> None:
        """Say how a section's run ended."""
        with self._lock:
            self._under_way.pop(outcome.section, None)
            self._expected[outcome.section] = self._done[outcome.section]
            if self._bar is not None:
                self._refresh()
            else:
                self._line(f"{outcome.section}: {outcome.status} after {outcome.seconds:.1f} s")

    def tick(self) -> None:
        """Let the bar's clock go on."""
        with self._lock:
            if self._bar is not None:
                self._bar.refresh()

    def _take(self, stem: str, event: dict[str, Any]) -> None:
        if event["event"] == "input":
            self._under_way[stem] = f"reading {event['name']}: {event['path']}"
            if self._bar is None:
                self._line(f"{stem}: {self._under_way[stem]}")
        elif event["event"] == "started":
            self._expected[stem] = event["cells"]
        elif event["event"] == "cell":
            self._under_way[stem] = f"{event['heading'] or 'start'} ({event['id']})"
            if self._bar is None:
                count = f"{self._done[stem] + 1}/{self._expected[stem]}"
                self._line(f"{stem}: cell {count}, {self._under_way[stem]}")
        elif event["event"] == "cell done":
            self._done[stem] += 1
        if self._bar is not None:
            self._refresh()

    def _refresh(self) -> None:
        assert self._bar is not None
        self._bar.total, self._bar.n = self._total(), sum(self._done.values())
        self._bar.set_description_str(
            "; ".join(f"{stem.split('_')[0]}: {cell}" for stem, cell in self._under_way.items()), refresh=True
        )

    def _total(self) -> int:
        return sum(self._expected.values())

    def _line(self, text: str) -> None:
        print(text, file=self.stream, flush=True)
