"""Grids of networks, depth x activation x weight law x cure: hundreds of cells of thousands of networks."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import fields, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from coursework.gradients.activations import STRAIGHT
from coursework.gradients.arithmetic import plain_numbers, scaled_numbers
from coursework.gradients.chain import Networks, propagate, trace_of
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.resolution import RESOLVED, difference, with_twins
from coursework.gradients.scaled import Array

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
#: How many of a cell's networks are run beside twins that differ in their last bits.
_SAMPLE = 100
#: A factor for the error that is sent back, and log10 of a norm under which float64 may have lost places.
_LOUD, _TRUSTED = 1e240, -290.0


def grid_of(base: ChainSpec, axes: Mapping[str, Sequence[Any]]) -> list[ChainSpec]:
    """Return every combination of the values of `axes` as a family of networks.

    Parameters
    ----------
    base : what all cells share.
    axes : names of `ChainSpec`'s attributes, joined by commas where several change together, with their
        values: `{"depth": [8, 152], "law,scale": [("normal", 1.0), ("he", 1.0)]}`.

    Raises
    ------
    ValueError
        for a name that `ChainSpec` does not have, an axis without values, or a cell that cannot exist.
    """
    known = {field.name for field in fields(ChainSpec)}
    settings: list[list[dict[str, Any]]] = []
    for joined, values in axes.items():
        names = [name.strip() for name in joined.split(",")]
        if not set(names) <= known or not values:
            raise ValueError(f"axis {joined!r} needs values and names among {', '.join(sorted(known))}")
        rows = [value if len(names) > 1 else (value,) for value in values]
        settings.append([dict(zip(names, row, strict=True)) for row in rows])
    merged = [{name: value for part in parts for name, value in part.items()} for parts in product(*settings)]
    return [replace(base, **chosen) for chosen in merged]


def arriving(networks: Networks, loudness: Array | float = 1.0) -> tuple[Array, NDArray[np.bool_]]:
    """Return log10 ||delta^(2)|| / ||e||: the share of the output's error that reaches the first layer.

    Gradients are linear in the error, so it is made loud on the way back (times 1e240), which gives float64
    another 240 decades before it underflows. Networks that come near the end of its range all the same, or
    that have a zero which may be a lost slope of curved units, are computed once more with numbers that
    cannot underflow, so that -inf means exactly zero, or terms that cancel to the last of 53 bits. (What
    float64 makes of a saturated sigmoid's slope, z (1 - z), is relatively wrong by 1e-3 at a = 30, where it
    is 1e-13.)

    Parameters
    ----------
    loudness : another factor, or one for each network: the same share, otherwise rounded.

    Returns
    -------
    the logarithms, and which networks had to be computed again; both of shape (B,).
    """
    with np.errstate(all="ignore"):
        done = propagate(networks, plain_numbers(networks.h, np.float64), _LOUD * loudness)
        # row 0 is the output's, the last one that of layer 2
        deltas = np.stack([_log10_length(delta) for delta in done.delta.values()])
        values = np.stack([_log10_length(z) for z in done.z.values()])
        found = deltas[-1] - deltas[0]
        parts = [_log10_length(part) for pair in done.parts.values() for part in pair if part is not None]
    logs = np.concatenate([deltas, values, *(part[np.newaxis] for part in parts)])
    again = np.any(~(np.isneginf(logs) | (np.isfinite(logs) & (logs > _TRUSTED))), axis=0) | np.isnan(found)
    if networks.activation not in STRAIGHT:
        again |= np.isneginf(found)
    if again.any():
        once_more = networks.select(np.flatnonzero(again))
        factors = np.broadcast_to(loudness, networks.batch)[again]
        exact = trace_of(propagate(once_more, scaled_numbers(networks.h), factors)).log10_delta_norms
        found[again] = exact[0] - exact[-1]
    return found, again


def _log10_length(vectors: Array) -> Array:
    flat = vectors.reshape(-1, vectors.shape[-1])
    # the largest entry is taken out first: squares leave the range at half the exponents
    largest = np.abs(flat).max(axis=0)
    scaled = flat / np.where(largest > 0, largest, 1.0)
    return np.asarray(np.log10(largest) + 0.5 * np.log10((scaled * scaled).sum(axis=0)))


def measure(spec: ChainSpec, networks: int, seed: int) -> dict[str, float]:
    """Return quantiles of `arriving` over the networks that have a gradient, and the share that has none."""
    try:
        batch = draw(spec, networks, seed)
        logs, again = arriving(batch)
        sample = batch.select(slice(_SAMPLE))
        everyone, loudness = with_twins(sample, seed, twins=1)
        uncertain = difference(arriving(everyone, loudness)[0], sample.batch)
    except ValueError as error:
        raise ValueError(f"{error} (in the cell {spec})") from error
    alive = logs[np.isfinite(logs)]
    quantiles = np.quantile(alive, LEVELS) if alive.size else np.full(len(LEVELS), np.nan)
    names = [f"q{round(100 * level):02}" for level in LEVELS]
    shares = {"zero": float(np.mean(np.isneginf(logs))), "recomputed": float(np.mean(again))}
    shares["unresolved"] = float(np.mean(uncertain > RESOLVED))
    return dict(zip(names, quantiles.tolist(), strict=True)) | shares


def run_grid(
    specs: Sequence[ChainSpec],
    networks: int,
    seed: int,
    path: Path | str | None = None,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure every cell and return one row for each, in the order given.

    Every cell has a seed of its own, made from `seed` and what the cell is: its figures depend neither on the
    other cells nor on the order in which the threads take them.

    Parameters
    ----------
    specs : the cells, as from `grid_of`.
    networks : how many a cell.
    path : a JSON Lines file to which every cell is added as it is finished, and from which cells that it
        holds already are taken: an interrupted sweep goes on where it stopped. Cells measured by other code
        than this (by the text of this package's modules) are measured again.
    workers : threads; by default one for each usable core.
    progress : whether to show a bar on standard error.

    Returns
    -------
    The attributes of `ChainSpec`; q05 to q95, quantiles of log10 ||delta^(2)|| / ||e|| over the networks that
    have a gradient; zero, the share that has none; recomputed, the share beyond float64; unresolved, the
    share of networks (of 100) whose logarithm is not known to 0.1 in 53 bits, see `log10_uncertainty`.
    """
    if not specs:
        raise ValueError("specs is empty: name at least one cell")
    keys = [_key(spec, networks, seed) for spec in specs]
    done = dict(_read(Path(path))) if path is not None else {}
    missing = {key: spec for key, spec in zip(keys, specs, strict=True) if key not in done}
    pool = ThreadPoolExecutor(workers or len(os.sched_getaffinity(0)))
    with (
        pool,
        tqdm(total=len(keys), initial=len(keys) - len(missing), unit="cell", disable=not progress) as bar,
    ):
        futures: dict[Future[dict[str, float]], str] = {
            pool.submit(measure, spec, networks, _seed(key)): key for key, spec in missing.items()
        }
        try:
            for future in as_completed(futures):
                key = futures[future]
                done[key] = future.result()
                if path is not None:
                    _append(Path(path), key, done[key])
                bar.update()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    rows = [_columns(spec) | done[key] for spec, key in zip(specs, keys, strict=True)]
    return pd.DataFrame(rows)


def _columns(spec: ChainSpec) -> dict[str, Any]:
    row = {field.name: getattr(spec, field.name) for field in fields(spec)}
    return row | {"links": spec.links_name}


def _key(spec: ChainSpec, networks: int, seed: int) -> str:
    return f"{spec!r}, networks={networks}, seed={seed}"


def _seed(key: str) -> int:
    return zlib.crc32(key.encode())


@cache
def _code() -> str:
    """Return a digest of everything that a cell's figures come from."""
    digest = hashlib.sha256()
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _append(path: Path, key: str, found: Mapping[str, float]) -> None:
    # a sweep that was cut off may have left half a line
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as handle:
        line = json.dumps({"cell": key, "code": _code(), "found": found})
        handle.write("\n" * torn + line + "\n")


def _read(path: Path) -> Iterator[tuple[str, dict[str, float]]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
            if record["code"] != _code():
                continue
            yield str(record["cell"]), {str(name): float(value) for name, value in record["found"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # half a line: its cell is measured again
