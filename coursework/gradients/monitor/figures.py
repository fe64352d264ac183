"""Figures of a tidy table: norm against layer, norm against time, the flow of one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coursework.gradients.monitor.labels import SMALLEST

if TYPE_CHECKING:
    import pandas as pd

#: What is drawn where a gradient is exactly zero.
_ZEROS = {"underflowed": ("#e69f00", "v"), "dead": ("#d55e00", "X")}
_FIRST, _LAST = "#56b4e9", "#0072b2"
_TITLES = {
    "dW": r"gradient of the parameter, $\log_{10}\Vert dW\Vert$",
    "delta": r"gradient of the output, $\log_{10}\Vert\delta\Vert$",
    "activation": "outputs",
}
_POSITION = "position in the model  (1: at the inputs)"


class PlotError(ValueError):
    """The record has nothing of what a figure was asked for; the message says what it has."""


def plot_record(
    frame: pd.DataFrame, view: str = "layers", kind: str = "dW", step: int | None = None
) -> Figure:
    """Return one of three figures of a tidy table.

    Parameters
    ----------
    frame : of `GradientMonitor.frame` or `read_log`.
    view : "layers": norm against layer at the first and the last step, with the range between. "time": norm
        against step and layer as a heat map, exact zeros in grey. "flow": dW, delta and activations of one
        step, as far as they were measured.
    kind : "dW" or "delta", for "layers" and "time".
    step : for "flow"; by default the last one.

    Raises
    ------
    PlotError
        There is no such view, kind or step in the table.
    """
    if view not in ("layers", "time", "flow"):
        raise PlotError(f"view={view!r}: choose 'layers', 'time' or 'flow'")
    kinds = [k for k in _TITLES if k in set(frame["kind"])]
    if view == "flow":
        return _flow(frame, kinds, step)
    if kind not in kinds or kind == "activation":
        raise PlotError(
            f"kind={kind!r}: choose 'dW' or 'delta'; the record has {', '.join(kinds) or 'no rows'}"
        )
    rows = frame[frame["kind"] == kind]
    return _layers(rows, kind) if view == "layers" else _time(rows, kind)


def _figure(panels: int = 1, height: float = 4.2) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8.2 if panels == 1 else 4.4 * panels, height), layout="constrained")
    axes_list = list(np.atleast_1d(figure.subplots(1, panels)))
    for axes in axes_list:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes_list


def _line(axes: Axes, rows: pd.DataFrame, colour: str, label: str) -> None:
    finite = rows["log10_norm"].where(np.isfinite(rows["log10_norm"]))
    axes.plot(rows["index"], finite, "o-", color=colour, markersize=3.5, linewidth=1.4, label=label)


def _mark_zeros(axes: Axes, rows: pd.DataFrame) -> None:
    """Mark exact zeros at the foot of the panel, in a colour and shape for each reason."""
    for label, (colour, marker) in _ZEROS.items():
        zero = rows[rows["label"] == label]
        if len(zero):
            foot = np.full(len(zero), 0.02)
            axes.plot(zero["index"], foot, marker, color=colour, markersize=6, clip_on=False,
                      transform=axes.get_xaxis_transform(), label=f"exactly 0: {label}")  # fmt: skip


def _mark_floor(axes: Axes, rows: pd.DataFrame) -> None:
    bottom, top = axes.get_ylim()
    for dtype in sorted(set(rows["computed"])):
        floor = SMALLEST.get(dtype, -np.inf)
        if bottom < floor + 10 and (rows["label"] == "underflowed").any():
            axes.axhline(floor, color="#d55e00", linewidth=1)
            axes.text(0.01, floor, f" {dtype} ends", transform=axes.get_yaxis_transform(), va="bottom",
                      color="#d55e00", fontsize=9)  # fmt: skip
            axes.set_ylim(min(bottom, floor - 3), top)


def _finish(axes: Axes, kind: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel=_POSITION, ylabel=_TITLES[kind])
    axes.legend(frameon=False, fontsize=9)


def _layers(rows: pd.DataFrame, kind: str) -> Figure:
    figure, (axes,) = _figure()
    steps = sorted(set(rows["step"]))
    finite = rows[np.isfinite(rows["log10_norm"])]
    if len(steps) > 2 and len(finite):
        reach = finite.groupby("index")["log10_norm"].agg(["min", "max"])
        axes.fill_between(reach.index, reach["min"], reach["max"], color=_LAST, alpha=0.15, linewidth=0,
                          label=f"range over {len(steps)} steps")  # fmt: skip
    last = rows[rows["step"] == steps[-1]]
    if len(steps) > 1:
        _line(axes, rows[rows["step"] == steps[0]], _FIRST, f"step {steps[0]}")
    _line(axes, last, _LAST, f"step {steps[-1]}")
    _mark_floor(axes, last)
    _mark_zeros(axes, last)
    _finish(axes, kind)
    return figure


def _time(rows: pd.DataFrame, kind: str) -> Figure:
    figure, (axes,) = _figure(height=4.8)
    table = rows.pivot_table(index="index", columns="step", values="log10_norm", aggfunc="last", dropna=False)
    values = table.to_numpy(dtype=float)
    zero = np.isneginf(values)
    values = np.ma.masked_invalid(values)
    steps, layers = table.columns.to_numpy(), table.index.to_numpy()
    image = axes.pcolormesh(_edges(steps), _edges(layers), values, cmap="viridis", rasterized=True)
    if zero.any():
        grey = np.ma.masked_where(~zero, np.ones(values.shape))
        axes.pcolormesh(_edges(steps), _edges(layers), grey, cmap="Greys", vmin=0, vmax=2, rasterized=True)
        axes.set_title("grey: exactly 0", fontsize=10, loc="left")
    axes.set(xlabel="step", ylabel=_POSITION)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, ax=axes, label=_TITLES[kind])
    return figure


def _edges(centres: np.ndarray) -> np.ndarray:
    """Return the borders of cells around positions."""
    centres = centres.astype(float)
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _flow(frame: pd.DataFrame, kinds: list[str], step: int | None) -> Figure:
    steps = set(frame["step"])
    chosen = max(steps, default=0) if step is None else step
    if chosen not in steps:
        known = f"{len(steps)} steps from {min(steps)} to {max(steps)}" if steps else "no steps"
        raise PlotError(f"step={step}: the record has {known}")
    rows = frame[frame["step"] == chosen]
    figure, panels = _figure(len(kinds))
    for axes, kind in zip(panels, kinds, strict=True):
        part = rows[rows["kind"] == kind]
        if kind == "activation":
            axes.plot(part["index"], part["mean"], "o-", color=_FIRST, markersize=3.5, label="mean")
            axes.plot(part["index"], part["std"], "s-", color=_LAST, markersize=3.5, label="std")
            share = part["dead_units"] / part["units"].where(part["units"] > 0)
            axes.plot(part["index"], share, "^:", color="#d55e00", markersize=3.5, label="dead units, share")
        else:
            _line(axes, part, _LAST, f"step {chosen}")
            _mark_floor(axes, part)
            _mark_zeros(axes, part)
        _finish(axes, kind)
    return figure
