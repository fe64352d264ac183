"""The figures of section 2. Every function takes measured numbers and returns a Matplotlib figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coursework.gradients.chain import Trace
from coursework.gradients.monitor import GradientMonitor
from coursework.gradients.precision import log10_smallest, lost, plain_gradients
from coursework.gradients.scaled import Array
from coursework.gradients.sweep import Share, quantiles_by_layer
from coursework.gradients.theory import closed_form, log10_probability_nonzero, sigmoid_bound
from coursework.gradients.zeros import CONDITIONS

#: Okabe and Ito's palette, told apart by readers of every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
GREY = "#6e6e6e"
_GRADIENT = r"$\log_{10}\,|\partial E_n/\partial w_{11}^{(l)}|$"
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def _figure(width: float = 8.2, height: float = 4.4, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, columns))
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, list(panels)


def _layer_axis(axes: Axes, depth: int) -> None:
    axes.set(xlim=(1, depth), xlabel="weight layer $l$  (1: at the inputs, right end: at the output)")


def _band(axes: Axes, trace: Trace, colour: str, label: str) -> None:
    layers = np.arange(1, trace.networks.depth + 1)
    low, lower, median, upper, high = quantiles_by_layer(trace, _LEVELS)
    axes.fill_between(layers, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.fill_between(layers, lower, upper, color=colour, alpha=0.3, linewidth=0)
    axes.plot(layers, median, color=colour, linewidth=2, label=label)


def _mark_floor(axes: Axes, dtype: str) -> None:
    floor = log10_smallest(dtype)
    bottom, top = axes.get_ylim()
    if bottom < floor < top:
        axes.axhspan(bottom, floor, color=VERMILION, alpha=0.07, linewidth=0)
        axes.axhline(floor, color=VERMILION, linewidth=1.2)
        text = f"{dtype} ends at $10^{{{floor:.0f}}}$: below, it stores exactly 0"
        axes.annotate(text, (0.01, floor), (0, -4), xycoords=("axes fraction", "data"), va="top",
                      textcoords="offset points", color=VERMILION, fontsize=9)  # fmt: skip
        axes.set_ylim(bottom, top)


def plot_closed_form(traces: Mapping[str, Trace], network: int = 0) -> Figure:
    """Answer 2.1: the backward pass of one network of each trace as a line, the closed form as dots."""
    figure, (axes,) = _figure()
    depth = 1
    for (label, trace), colour in zip(traces.items(), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        depth = trace.networks.depth
        layers = np.arange(1, depth + 1)
        measured = trace.log10_gradients[:, network]
        axes.plot(layers, measured, color=colour, linewidth=1.6, label=f"{label}: backward pass")
        shown = slice(0, None, max(1, depth // 25))
        axes.plot(layers[shown], closed_form(trace)[shown, network], "o", color=colour, markersize=5,
                  markerfacecolor="white", label=f"{label}: closed form")  # fmt: skip
    _layer_axis(axes, depth)
    axes.set_ylabel(_GRADIENT)
    axes.legend(frameon=False)
    return figure


def plot_families(traces: Mapping[str, Trace]) -> Figure:
    """Quantile bands (5, 25, 50, 75, 95 %) of several families over the floor of float32."""
    figure, (axes,) = _figure(height=4.8)
    depth = 1
    for (label, trace), colour in zip(traces.items(), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        depth = trace.networks.depth
        _band(axes, trace, colour, label)
    _layer_axis(axes, depth)
    axes.set_ylabel(_GRADIENT)
    axes.margins(y=0.02)
    _mark_floor(axes, "float32")
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    return figure


def plot_sigmoid(trace: Trace, network: int = 0) -> Figure:
    """Answer 2.2: the batch under its bound, and what float32 makes of one network of it."""
    depth = trace.networks.depth
    layers = np.arange(1, depth + 1)
    figure, (axes,) = _figure()
    _band(axes, trace, BLUE, "exact: median, 25 to 75 %, 5 to 95 %")
    axes.plot(layers, np.median(sigmoid_bound(trace), axis=1), color=GREY, linestyle="--",
              label=rf"bound $|e|\,z^{{(l)}}(W/4)^{{{depth}-l}}$, median")  # fmt: skip
    with np.errstate(divide="ignore"):
        plain = np.log10(np.abs(plain_gradients(trace.networks, np.float32)[:, network].astype(np.float64)))
    gone = lost(trace, np.float32)[:, network]
    axes.plot(layers, np.where(np.isfinite(plain), plain, np.nan), color=VERMILION, linewidth=1.2,
              label="one network in float32")  # fmt: skip
    _layer_axis(axes, depth)
    axes.set_ylabel(_GRADIENT)
    _mark_floor(axes, "float32")
    if gone.any():
        death = int(layers[gone].max())
        floor = log10_smallest("float32")
        axes.plot(death, floor, "X", color=VERMILION, markersize=9, clip_on=False)
        axes.annotate(f"it is 0 from $l = {death}$ down", (death, floor), (8, -6), va="top",
                      textcoords="offset points", color=VERMILION, fontsize=9)  # fmt: skip
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    return figure


def plot_scales(scales: Sequence[float], decay: Array, edge: Trace, offsets: Sequence[float]) -> Figure:
    """Left: decades per layer against the scale of the weights. Right: the knife edge that explodes."""
    figure, (left, right) = _figure(width=9.6, columns=2)
    order = np.argsort(scales)
    scales, decay = np.asarray(scales)[order].tolist(), decay[order]
    left.fill_between(scales, decay[:, 0], decay[:, 2], color=BLUE, alpha=0.2, linewidth=0)
    left.plot(scales, decay[:, 1], "o-", color=BLUE, label="random sigmoid chains, median and 5 to 95 %")
    left.axhline(0, color=GREY, linewidth=1)
    left.text(scales[0], 0.08, "above: exploding", color=GREY, fontsize=9)
    left.set(xlabel="standard deviation of the weights", ylabel="decades per layer towards the inputs")
    left.set_xscale("log")
    left.set_yscale("symlog", linthresh=1)
    left.set_ylim(top=1)
    left.legend(frameon=False, loc="lower left", fontsize=9)
    depth = edge.networks.depth
    styles = zip(offsets, (VERMILION, ORANGE, GREEN, PURPLE), edge.log10_gradients.T, strict=False)
    for offset, colour, logs in styles:
        name = "0.5 exactly" if offset == 0 else rf"0.5 + $10^{{{np.log10(offset):.0f}}}$"
        right.plot(np.arange(1, depth + 1), logs, color=colour, linewidth=1.8, label=f"x = {name}")
    right.axhline(0, color=GREY, linewidth=1)
    _layer_axis(right, depth)
    right.set_xlabel("weight layer $l$")
    right.set_ylabel(_GRADIENT)
    right.set_title("$w = 8$, $b = -4$ in every layer", fontsize=10)
    right.legend(frameon=False, fontsize=9)
    return figure


def plot_nonzero(shares: Mapping[str, Sequence[Share]], depth: int) -> Figure:
    """Answers 2.3 and 2.4: the probability that dE/dw_11^(1) is not zero, against the number of layers.

    Parameters
    ----------
    shares : measured shares by links, "chains" or "full".
    depth : how far the closed form is drawn.
    """
    figure, (near, far) = _figure(width=9.6, height=4.0, columns=2)
    looks = {"chains": (ORANGE, "o", "two chains"), "full": (GREEN, "s", "bipartite")}
    depths = np.arange(2, depth + 1)
    for links, measured in shares.items():
        colour, marker, name = looks[links]
        exact = [log10_probability_nonzero(int(d), 1, links) for d in depths]
        far.plot(depths, exact, color=colour, linewidth=2)
        far.annotate(f"{name}: $10^{{{exact[-1]:.1f}}}$", (depths[-1], exact[-1]), (-10, -8), ha="right",
                     color=colour, textcoords="offset points")  # fmt: skip
        near.plot([s.depth for s in measured], [s.exact for s in measured], color=colour,
                  label=f"{name}: closed form")  # fmt: skip
        seen = [s for s in measured if s.nonzero]
        middle = np.array([s.nonzero / s.networks for s in seen])
        reach = np.abs(np.array([[s.low for s in seen], [s.high for s in seen]]) - middle)
        near.errorbar([s.depth for s in seen], middle, reach, fmt=marker, color=colour, markersize=5,
                      markerfacecolor="white", label=f"{name}: counted, 95 % interval")  # fmt: skip
    near.set_yscale("log")
    near.set(xlabel="weight layers", ylabel="P(gradient of layer 1 is not zero)", title="counted")
    near.legend(frameon=False, fontsize=9)
    far.margins(y=0.12)
    far.set(xlabel="weight layers", ylabel=r"$\log_{10}$ P", title="and on to the assignment's depth")
    return figure


def plot_conditions(panels: Mapping[str, Mapping[str, Array]], exact: Mapping[str, Array]) -> Figure:
    """Which condition makes dE/dw_11^(l) zero, layer by layer, one panel for each kind of network.

    Parameters
    ----------
    panels : title -> what `first_conditions` returned.
    exact : title -> P(not zero) of the closed form, for every layer.
    """
    names = {
        "error": "output error 0",
        "source": "source unit inactive",
        "target": "target unit inactive",
        "path": "no live path onward",
        "cancellation": "paths cancel",
        "nonzero": "not zero",
    }
    colours = dict(zip((*CONDITIONS, "nonzero"), (GREY, PURPLE, VERMILION, ORANGE, SKY, BLUE), strict=True))
    figure, axes_list = _figure(width=9.6, height=3.6, columns=len(panels))
    shown = [n for n in names if any(np.any(shares[n] > 0) for shares in panels.values())]
    for axes, (title, shares) in zip(axes_list, panels.items(), strict=True):
        layers = np.arange(1, len(shares["nonzero"]) + 1)
        base = np.zeros(layers.size)
        for name in reversed(shown):
            axes.bar(layers, shares[name], bottom=base, width=0.9, color=colours[name], label=names[name])
            base = base + shares[name]
        axes.plot(layers, exact[title], "k_", markersize=11, markeredgewidth=1.6, label="closed form")
        axes.set(xlabel="weight layer $l$", ylim=(0, 1))
        axes.set_title(title, fontsize=10)
    axes_list[0].set_ylabel("share of networks")
    handles, labels = axes_list[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def plot_monitor(monitors: Mapping[str, GradientMonitor]) -> Figure:
    """Gradient norm of each watched parameter at the first and the last recorded step, by module."""
    figure, (axes,) = _figure(height=4.0)
    count = 1
    for (label, monitor), colour in zip(monitors.items(), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        steps, names, values = monitor.table()
        count = max(count, len(names))
        places = np.arange(1, len(names) + 1)
        values = np.where(np.isfinite(values), values, np.nan)
        first = f"{label}, step {steps[0]}"
        axes.plot(places, values[0], "o--", color=colour, markerfacecolor="white", label=first)
        axes.plot(places, values[-1], "o-", color=colour, label=f"{label}, step {steps[-1]}")
    axes.set(xlim=(0.5, count + 0.5), xlabel="weight matrix, from the inputs to the output")
    axes.set_ylabel(r"$\log_{10}\,\Vert\partial E/\partial W^{(l)}\Vert$")
    axes.legend(frameon=False, fontsize=9)
    return figure
