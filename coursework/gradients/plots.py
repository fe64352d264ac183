"""The figures of section 2. Every function takes measured numbers and returns a Matplotlib figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from coursework.gradients.canvas import (
    BLUE,
    GRADIENT,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    blank_figure,
    draw_gradients,
    layer_axis,
    mark_floor,
)
from coursework.gradients.chain import Trace
from coursework.gradients.finite_width import LogNormal
from coursework.gradients.precision import death_layers, log10_smallest, lost, plain_gradients
from coursework.gradients.rare import RareShare
from coursework.gradients.scaled import Array
from coursework.gradients.sweep import Share
from coursework.gradients.theory import closed_form, log10_probability_nonzero, sigmoid_bound
from coursework.gradients.zeros import CONDITIONS


def plot_closed_form(traces: Mapping[str, Trace], network: int = 0) -> Figure:
    """Answer 2.1: the backward pass of one network of each trace as a line, the closed form as dots."""
    figure, (axes,) = blank_figure()
    depth = 1
    for (label, trace), colour in zip(traces.items(), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        depth = trace.networks.depth
        layers = np.arange(1, depth + 1)
        measured = trace.log10_gradients[:, network]
        axes.plot(layers, measured, color=colour, linewidth=1.6, label=f"{label}: backward pass")
        shown = slice(0, None, max(1, depth // 25))
        axes.plot(layers[shown], closed_form(trace)[shown, network], "o", color=colour, markersize=5,
                  markerfacecolor="white", label=f"{label}: closed form")  # fmt: skip
    layer_axis(axes, depth)
    axes.set_ylabel(GRADIENT)
    axes.legend(frameon=False)
    return figure


def plot_sigmoid(trace: Trace, network: int = 0, law: LogNormal | None = None) -> Figure:
    """Answer 2.2: the batch under its bound, and what float32 makes of one network of it.

    Parameters
    ----------
    law : what theory says of one layer's step (`sigmoid_step`), drawn from the last layer's median on.
    """
    depth = trace.networks.depth
    layers = np.arange(1, depth + 1)
    figure, (axes,) = blank_figure()
    draw_gradients(axes, trace, BLUE, "exact: median, 25 to 75 %, 5 to 95 %")
    if law is not None:
        start = np.median(trace.log10_gradients[-1])
        for deviations, style in ((0.0, "-"), (-1.645, ":"), (1.645, ":")):
            predicted = [start + law.log10(float(depth - l), deviations) for l in layers]
            axes.plot(layers, predicted, color="#1a1a1a", linestyle=style, linewidth=1.1,
                      label="log-normal law, its median and 5 to 95 %" if style == "-" else None)  # fmt: skip
    axes.plot(layers, np.median(sigmoid_bound(trace), axis=1), color=GREY, linestyle="--",
              label=rf"bound $|e|\,z^{{(l)}}(W/4)^{{{depth}-l}}$, median")  # fmt: skip
    with np.errstate(divide="ignore"):
        plain = np.log10(np.abs(plain_gradients(trace.networks, np.float32)[:, network].astype(np.float64)))
    gone = lost(trace, np.float32)[:, network]
    axes.plot(layers, np.where(np.isfinite(plain), plain, np.nan), color=VERMILION, linewidth=1.2,
              label="one network in float32")  # fmt: skip
    layer_axis(axes, depth)
    axes.set_ylabel(GRADIENT)
    mark_floor(axes, "float32")
    if gone.any():
        death = int(layers[gone].max())
        floor = log10_smallest("float32")
        axes.plot(death, floor, "X", color=VERMILION, markersize=9, clip_on=False)
        axes.annotate(f"it is 0 from $l = {death}$ down", (death, floor), (8, -6), va="top",
                      textcoords="offset points", color=VERMILION, fontsize=9)  # fmt: skip
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    return figure


def plot_scales(
    scales: Sequence[float],
    decay: Array,
    edge: Trace,
    offsets: Sequence[float],
    law: Mapping[float, float] | None = None,
) -> Figure:
    """Left: decades per layer against the scale of the weights. Right: the knife edge that explodes.

    Parameters
    ----------
    law : scale -> decades per layer as theory has them, drawn over the measurement.
    """
    figure, (left, right) = blank_figure(width=9.6, columns=2)
    order = np.argsort(scales)
    scales, decay = np.asarray(scales)[order].tolist(), decay[order]
    left.fill_between(scales, decay[:, 0], decay[:, 2], color=BLUE, alpha=0.2, linewidth=0)
    left.plot(scales, decay[:, 1], "o-", color=BLUE, label="random sigmoid chains, median and 5 to 95 %")
    if law:
        left.plot(list(law), list(law.values()), color="#1a1a1a", linewidth=1.1, label="law of random chains")
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
    layer_axis(right, depth)
    right.set_xlabel("weight layer $l$")
    right.set_ylabel(GRADIENT)
    right.set_title("$w = 8$, $b = -4$ in every layer", fontsize=10)
    right.legend(frameon=False, fontsize=9)
    return figure


def plot_nonzero(
    shares: Mapping[str, Sequence[Share]], depth: int, split: Mapping[str, RareShare] | None = None
) -> Figure:
    """Answers 2.3 and 2.4: the probability that dE/dw_11^(1) is not zero, against the number of layers.

    Parameters
    ----------
    shares : measured shares by links, "chains" or "full".
    depth : how far the closed form is drawn.
    split : what splitting measured at that depth, by links.
    """
    figure, (near, far) = blank_figure(width=9.6, height=4.0, columns=2)
    looks = {"chains": (ORANGE, "o", "two chains"), "full": (GREEN, "s", "bipartite")}
    depths = np.arange(2, depth + 1)
    for links, measured in shares.items():
        colour, marker, name = looks[links]
        exact = [log10_probability_nonzero(int(d), 1, links) for d in depths]
        far.plot(depths, exact, color=colour, linewidth=2)
        far.annotate(f"{name}: $10^{{{exact[-1]:.1f}}}$", (depths[-1], exact[-1]), (-10, -8), ha="right",
                     color=colour, textcoords="offset points")  # fmt: skip
        if split is not None:
            rare = split[links]
            lower, upper = rare.log10_probability - rare.low, rare.high - rare.log10_probability
            far.errorbar(depth, rare.log10_probability, [[lower], [upper]], fmt=marker, color=colour,
                         markerfacecolor="white", markersize=7, clip_on=False, zorder=3)  # fmt: skip
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
    far.set(
        xlabel="weight layers",
        ylabel=r"$\log_{10}$ P",
        title="and on to the assignment's depth; point: by splitting",
    )
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
    figure, axes_list = blank_figure(width=9.6, height=3.6, columns=len(panels))
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


def plot_formats(trace: Trace, dtypes: Sequence[str] = ("float16", "float32", "float64")) -> Figure:
    """Show how far down one network's gradients each float format gets, and the layer at which it dies."""
    figure, (axes,) = blank_figure()
    depth = trace.networks.depth
    layers = np.arange(1, depth + 1)
    axes.plot(layers, trace.log10_gradients[:, 0], color=GREY, linestyle="--", linewidth=1.4)
    axes.annotate("exact", (1, trace.log10_gradients[0, 0]), (12, 0), textcoords="offset points", color=GREY)
    # the widest first, so that the narrower ones stay visible on top of it
    for dtype, colour in zip(reversed(dtypes), (BLUE, VERMILION, GREEN), strict=False):
        plain = np.abs(plain_gradients(trace.networks, dtype)[:, 0].astype(np.float64))
        with np.errstate(divide="ignore"):
            logs = np.where(plain > 0, np.log10(plain), np.nan)
        axes.plot(layers, logs, color=colour, linewidth=2.4)
        death = int(death_layers(trace, dtype)[0])
        if death:
            floor = log10_smallest(dtype)
            axes.plot(death, floor, "X", color=colour, markersize=9)
            text = f"{dtype}: exactly 0 from $l = {death}$ down, {depth - death} layers from the end"
            side = "right" if 2 * death > depth else "left"
            axes.annotate(text, (death, floor), (-12 if side == "right" else 12, 0), ha=side, va="center",
                          color=colour, textcoords="offset points", fontsize=9)  # fmt: skip
    layer_axis(axes, depth)
    axes.set_ylabel(GRADIENT)
    return figure


def plot_monitor(frames: Mapping[str, pd.DataFrame], kind: str = "dW") -> Figure:
    """Gradient norm of each watched parameter at the first and the last recorded step, by model.

    Parameters
    ----------
    frames : label -> a monitor's tidy table (`GradientMonitor.frame`, `read_log`), of any network.
    kind : "dW" or "delta".
    """
    figure, (axes,) = blank_figure(height=4.0)
    count = 1
    for (label, frame), colour in zip(frames.items(), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        rows = frame[frame["kind"] == kind]
        first, last = rows["step"].min(), rows["step"].max()
        places = {name: place for place, name in enumerate(dict.fromkeys(rows["name"]), start=1)}
        count = max(count, len(places))
        for step, look, fill in ((first, "o--", "white"), (last, "o-", colour)):
            shown = rows[(rows["step"] == step) & np.isfinite(rows["log10_norm"])]
            axes.plot(shown["name"].map(places), shown["log10_norm"], look, color=colour,
                      markerfacecolor=fill, label=f"{label}, step {step}")  # fmt: skip
    axes.set(xlim=(0.5, count + 0.5), xlabel="parameter, from the inputs to the output")
    symbol = r"\partial E/\partial W" if kind == "dW" else r"\delta"
    axes.set_ylabel(rf"$\log_{{10}}\,\Vert {symbol}\Vert$")
    axes.legend(frameon=False, fontsize=9)
    return figure
