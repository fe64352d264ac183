"""One deadline for all that is done about an answer: reading it, comparing it, searching the slip."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from coursework.backprop.judge.tokens import Unreadable

#: Seconds of computing for one answer.
LIMIT = 0.9
#: Seconds of these that a search leaves for what follows it.
RESERVE = 0.1

#: Seconds on the wall between two looks at the clock of the process, which takes microseconds to read.
_STEP = 0.002
_seen = 0.0
_END: ContextVar[float] = ContextVar("_END", default=math.inf)


class OutOfTime(Unreadable):
    """The deadline has passed; only a search goes on, with what it has found."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Set a deadline so many seconds of computing from now, unless an earlier one is set."""
    before = _END.set(min(_END.get(), time.process_time() + seconds))
    try:
        yield
    finally:
        _END.reset(before)


@contextmanager
def search_time(most: float = math.inf) -> Iterator[None]:
    """Let what is done inside end `RESERVE` before the deadline, or after `most` seconds, and end quietly."""
    try:
        with limited(min(most, _END.get() - time.process_time() - RESERVE)):
            yield
    except OutOfTime:
        look()  # the outer deadline is another matter


def look() -> None:
    """Raise `OutOfTime` if the deadline has passed."""
    global _seen
    now = time.perf_counter()
    if now - _seen < _STEP:
        return
    _seen = now
    if time.process_time() > _END.get():
        raise OutOfTime(f"it takes longer than {LIMIT} seconds to evaluate; type a shorter formula")
