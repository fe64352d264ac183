"""Heat maps: a grid of cells in small multiples, and planes of vanishing and exploding with theory's line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm
from matplotlib.figure import Figure

from coursework.gradients.canvas import GREY, blank_figure
from coursework.gradients.phase import NarrowPhase, WidePhase

#: Blue: vanishing, red: exploding. White in the middle, told apart by readers of every kind of colour vision.
_MAP = "RdBu_r"
_LARGEST = 150.0
#: Weight layers of the assignment, to which the narrow networks' decades per layer are scaled up.
_DEPTH = 152


def _scale() -> AsinhNorm:
    return AsinhNorm(linear_width=2.0, vmin=-_LARGEST, vmax=_LARGEST)


def _bar(figure: Figure, image: object, panels: Sequence[Axes], label: str) -> None:
    bar = figure.colorbar(image, ax=list(panels), extend="both", pad=0.01)  # type: ignore[arg-type]
    bar.set_label(label)
    bar.set_ticks([-100, -30, -10, -3, 0, 3, 10, 30, 100])
    bar.ax.minorticks_off()


def plot_grid(frame: pd.DataFrame, laws: Mapping[tuple[str, float], str]) -> Figure:
    """Draw a sweep: one panel for each activation and cure, weight law against depth.

    Colour and number: the median of log10 ||delta^(2)|| / ||e|| over the networks that have a gradient. Grey:
    none has. A number in brackets: fewer than half of them have. With a tilde: rounding decides what it is in
    more than a tenth of them.

    Parameters
    ----------
    frame : what `run_grid` returned.
    laws : (law, scale) -> what to call it, in the order of the columns.
    """
    activations, cures = list(dict.fromkeys(frame["activation"])), list(dict.fromkeys(frame["cure"]))
    depths = sorted(set(frame["depth"]))
    figure, panels = blank_figure(
        2.05 * len(activations) + 1.2, 1.9 * len(cures) + 0.9, len(activations), len(cures)
    )
    image = None
    cells = frame.set_index(["cure", "activation", "depth", "law", "scale"])
    for number, axes in enumerate(panels):
        cure, activation = cures[number // len(activations)], activations[number % len(activations)]
        rows = [[cells.loc[(cure, activation, depth, *law)] for law in laws] for depth in depths]
        medians = np.array([[float(cell["q50"]) for cell in row] for row in rows])
        zeros = np.array([[float(cell["zero"]) for cell in row] for row in rows])
        rounded = np.array([[float(cell["unresolved"]) for cell in row] for row in rows])
        image = axes.imshow(medians, cmap=_MAP, norm=_scale(), aspect="auto", origin="lower")
        axes.set_facecolor("#c8c8c8")
        for y, x in np.ndindex(medians.shape):
            _write(axes, x, y, float(medians[y, x]), float(zeros[y, x]), float(rounded[y, x]))
        bottom, left = number >= len(panels) - len(activations), number % len(activations) == 0
        axes.set_xticks(range(len(laws)), list(laws.values()) if bottom else [], rotation=90, fontsize=8)
        axes.set_yticks(range(len(depths)), [str(depth) for depth in depths] if left else [], fontsize=8)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        if left:
            axes.set_ylabel(f"{'no cure' if cure == 'none' else cure}\nweight layers", fontsize=9)
        if number < len(activations):
            axes.set_title(activation, fontsize=10)
    _bar(figure, image, panels, r"median of $\log_{10}\,\Vert\delta^{(2)}\Vert/\Vert e\Vert$")
    return figure


def _write(axes: Axes, x: int, y: int, median: float, zero: float, rounded: float) -> None:
    if not np.isfinite(median):
        text, colour = "dead", "#1a1a1a"
    else:
        text = f"{median:.0f}".replace("-0", "0") if abs(median) < 1 else f"{median:.0f}"
        text = f"({text})" if zero > 0.5 else text
        text = f"~{text}" if rounded > 0.1 else text
        colour = "white" if abs(median) > 25 else "#1a1a1a"
    axes.text(x, y, text, ha="center", va="center", fontsize=7, color=colour)


def plot_phases(phases: Sequence[WidePhase], narrow: NarrowPhase) -> Figure:
    """Draw where gradients vanish (blue) and explode (red), with what theory says of it as lines.

    Wide networks: contours of mean-field theory (solid; dotted: measured), and the line chi_1 = 1. Narrow
    living ReLU networks: the line on which the typical one neither vanishes nor explodes, and He's.
    """
    rows = -(-(len(phases) + 1) // 2)
    figure, panels = blank_figure(8.8, 3.7 * rows, 2, rows)
    for spare in panels[len(phases) + 1 :]:
        spare.set_visible(False)
    image = None
    for axes, phase in zip(panels, phases, strict=False):
        distance = np.arange(phase.measured.shape[0])
        image = axes.pcolormesh(
            phase.sw, distance, phase.measured, cmap=_MAP, norm=_scale(), shading="nearest"
        )
        contours = axes.contour(
            phase.sw, distance, phase.predicted, levels=[-30, -10, -3, 3, 10, 30], colors="#1a1a1a",
            linestyles="solid", linewidths=0.9,
        )  # fmt: skip
        axes.clabel(contours, fmt="%g", fontsize=7)
        axes.contour(
            phase.sw, distance, phase.measured, levels=[-30, -10, -3, 3, 10, 30], colors="#1a1a1a",
            linestyles="dotted", linewidths=1.1,
        )  # fmt: skip
        axes.axvline(phase.critical, color="#1a1a1a", linestyle="--", linewidth=1.4)
        axes.set_xscale("log")
        axes.set(xlabel=r"$\sigma_w$", ylabel="layers below the last hidden one")
        critical = rf"critical $\sigma_w$ = {phase.critical:.3g}"
        axes.set_title(f"{phase.activation}, {phase.width} wide\n{critical}", fontsize=10)
        _plain_ticks(axes, phase.sw)
    last = panels[len(phases)]
    places = np.arange(len(narrow.widths))
    total = _DEPTH * narrow.measured
    last.pcolormesh(narrow.sw, places, total.T, cmap=_MAP, norm=_scale(), shading="nearest")
    last.plot(narrow.critical, places, "o--", color="#1a1a1a", markersize=4, linewidth=1.4)
    last.axvline(np.sqrt(2), color=GREY, linewidth=1.2)
    last.annotate("He", (np.sqrt(2), places[-1]), (-3, 2), ha="right", textcoords="offset points", fontsize=9)
    last.set_yticks(places, [str(width) for width in narrow.widths])
    last.set_xscale("log")
    last.set(xlabel=r"$\sigma_w$", ylabel="units a layer")
    last.set_title(f"living ReLU, {_DEPTH} layers\ncritical: the dashed line", fontsize=10)
    _plain_ticks(last, narrow.sw)
    _bar(figure, image, panels, r"median of $\log_{10}$ of the change of $\Vert\delta\Vert$")
    return figure


def _plain_ticks(axes: Axes, sw: np.ndarray) -> None:
    wanted = [tick for tick in (0.5, 0.7, 1, 1.4, 2, 3, 4, 10, 20, 40) if sw[0] <= tick <= sw[-1]]
    shown = wanted if len(wanted) < 7 else wanted[::2]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.minorticks_off()
