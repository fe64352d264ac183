"""The record as files that grow while training goes on and can be read at any time."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from coursework._common.files import atomic_path
from coursework.gradients.monitor.record import Record

if TYPE_CHECKING:
    import pandas as pd

#: Seconds between two writes.
_PAUSE = 1.0


class LogError(ValueError):
    """A log cannot be written or read; the message says what can."""


class Sink(Protocol):
    """Takes tables as they come."""

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of one or more steps, whole steps only."""

    def close(self) -> None:
        """Finish."""


class Writer:
    """Hands finished steps of a record to a sink, at most once a second."""

    def __init__(self, record: Record, sink: Sink) -> None:
        self._record, self._sink = record, sink
        self._done = 0
        self._next = time.monotonic() + _PAUSE

    def step_done(self) -> None:
        """Note that all steps of the record so far are whole; write them if the pause is over."""
        if time.monotonic() >= self._next:
            self.flush()
            self._next = time.monotonic() + _PAUSE

    def flush(self) -> None:
        """Write what has not been written."""
        steps = self._record.steps[self._done :]
        if steps:
            self._sink.write(self._record.frame(steps))
            self._done += len(steps)

    def close(self) -> None:
        """Write the rest and finish."""
        self.flush()
        self._sink.close()


class JsonLines:
    """One JSON object a row; what is no JSON number (NaN, -inf) is null."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # without a buffer: every write is one call to the system, which appends it in one piece
        self._file = path.open("wb", buffering=0)

    def write(self, frame: pd.DataFrame) -> None:
        """Append the rows."""
        rows = frame.to_dict("records")
        lines = (json.dumps({k: _json_value(v) for k, v in row.items()}, allow_nan=False) for row in rows)
        self._file.write("".join(line + "\n" for line in lines).encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _json_value(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


class ParquetFolder:
    """A folder of Parquet files, each whole from the moment it is there."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        for old in path.glob("part-*.parquet"):
            old.unlink()
        self._path, self._parts = path, 0

    def write(self, frame: pd.DataFrame) -> None:
        """Add a file with the rows."""
        self._parts += 1
        # the unfinished file's name begins with a dot, so that readers of the folder pass it over
        target = self._path / f"part-{self._parts:06}.parquet"
        with atomic_path(target) as temporary:
            frame.to_parquet(temporary, index=False)

    def close(self) -> None:
        """Nothing is open."""


class Scalars:
    """TensorBoard scalars: log10 norms, and whatever else was measured, by kind and name."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def write(self, frame: pd.DataFrame) -> None:
        """Add one point a row and measured column."""
        shown = frame.drop(
            columns=[
                "index",
                "size",
                "axes",
                "norm",
                "weight_norm",
                "update_norm",
                "units",
                "dtype",
                "computed",
            ]
        )
        for row in shown.to_dict("records"):
            step, kind, name = (row.pop(key) for key in ("step", "kind", "name"))
            for column, value in row.items():
                if isinstance(value, float) and math.isfinite(value):
                    self._writer.add_scalar(f"{kind}/{column}/{name}", value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()


_SINKS = {".jsonl": JsonLines, ".parquet": ParquetFolder}


def check_files(log: Iterable[str | Path], tensorboard: str | Path | None) -> dict[Path, Any]:
    """Return the sinks to open, by path.

    Raises
    ------
    LogError
        An ending is unknown, or TensorBoard is not installed.
    """
    sinks: dict[Path, Any] = {}
    for path in map(Path, log):
        if path.suffix not in _SINKS:
            raise LogError(f"log={str(path)!r}: end the name with one of {', '.join(_SINKS)}")
        sinks[path] = _SINKS[path.suffix]
    if tensorboard is not None:
        if find_spec("tensorboard") is None:
            raise LogError("tensorboard=...: it is not installed; install it, or leave the argument out")
        sinks[Path(tensorboard)] = Scalars
    return sinks


def open_writers(sinks: dict[Path, Any], record: Record) -> list[Writer]:
    """Open the files; none in processes other than the first of those that train one model together."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized() and distributed.get_rank() > 0:
        return []
    return [Writer(record, sink(path)) for path, sink in sinks.items()]


def read_log(path: str | Path) -> pd.DataFrame:
    """Return the tidy table of a log, finished or still growing.

    Raises
    ------
    LogError
        The name ends neither with .jsonl nor .parquet, or a line is no JSON.
    """
    import pandas as pd

    path = Path(path)
    if path.suffix == ".parquet":
        parts = sorted(path.glob("part-*.parquet"))
        return pd.concat(map(pd.read_parquet, parts), ignore_index=True) if parts else Record().frame([])
    if path.suffix != ".jsonl":
        raise LogError(f"{str(path)!r} is no log: its name would end with one of {', '.join(_SINKS)}")
    rows = []
    for number, line in enumerate(path.read_text().split("\n")[:-1], start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise LogError(f"{path.name}, line {number} is no JSON: {error}") from error
    if not rows:
        return Record().frame([])
    frame = pd.DataFrame(rows)
    frame = frame.astype({name: float for name in frame.columns if frame[name].isna().all()})
    frame.loc[frame["norm"] == 0, "log10_norm"] = -math.inf
    return frame
