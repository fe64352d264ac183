"""The figure to remember: gradient norms of 152 layers, sigmoid, ReLU and their cures together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from coursework.gradients.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    blank_figure,
    draw_band,
    layer_axis,
    mark_floor,
    spread_out,
)
from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.finite_width import log10_alive
from coursework.gradients.scaled import Array
from coursework.gradients.unweighted import sample_norms


@dataclass(frozen=True)
class Family:
    """Networks of one kind: `label` for the figure, log10 ||dE/dW^(l)|| of shape (depth, B).

    A family that lacks the first layers has fewer rows; the last one is the output's for all.
    """

    label: str
    log10_norms: Array


def families(depth: int, networks: int, seed: int) -> list[Family]:
    """Measure the kinds of network that the figure compares, bipartite and two units wide unless named wider.

    Parameters
    ----------
    depth : weight layers. networks : of each kind. seed : of them all.
    """
    rare = f"ReLU, He, the 1 in 10^{-log10_alive(2, depth - 1):.0f} that lives"
    kinds = {
        "sigmoid": ChainSpec(depth, "full", "sigmoid"),
        rare: ChainSpec(depth, "full", "relu", law="he", alive=True),
        "tanh": ChainSpec(depth, "full", "tanh"),
        "tanh, orthogonal": ChainSpec(depth, "full", "tanh", law="orthogonal"),
        "sigmoid, batch norm": ChainSpec(depth, "full", "sigmoid", cure="batch norm", examples=4),
        "sigmoid, batch norm, residual": ChainSpec(
            depth, "full", "sigmoid", cure="residual, batch norm", examples=4
        ),
    }
    found = []
    for label, spec in kinds.items():
        # four examples take four times as long
        drawn = max(1, networks // spec.examples)
        found.append(Family(label, run(draw(spec, drawn, seed)).log10_weight_norms))
    wide = sample_norms("relu", 128, depth, 2.0, networks=max(1, networks // 4), seed=seed)
    found.append(Family("ReLU, He, 128 wide", wide.weights))
    return found


def plot_landscape(found: list[Family]) -> Figure:
    """Draw every family, its median over its bands (5, 25, 75, 95 %), labelled at the inputs' end."""
    figure, (axes,) = blank_figure(width=9.6, height=5.6)
    colours = (BLUE, VERMILION, PURPLE, GREEN, SKY, ORANGE, GREY)
    depth = max(len(family.log10_norms) for family in found)
    ends = []
    for family, colour in zip(found, colours, strict=True):
        layers = np.arange(depth - len(family.log10_norms) + 1, depth + 1)
        ends.append(float(draw_band(axes, layers, family.log10_norms, colour)[0]))
    layer_axis(axes, depth)
    axes.set_ylabel(r"$\log_{10}\,\Vert\partial E/\partial W^{(l)}\Vert$")
    bottom, top = axes.get_ylim()
    heights = spread_out(ends, gap=(top - bottom) / 24)
    for family, colour, end, height in zip(found, colours, ends, heights, strict=True):
        label = re.sub(r"10\^(\d+)", r"$10^{\1}$", family.label)
        axes.annotate(label, (1, end), (-8, height), textcoords=("offset points", "data"), ha="right",
                      va="center", color=colour, fontsize=9.5, annotation_clip=False)  # fmt: skip
    axes.set_ylim(min(bottom, *heights), max(top, *heights))
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.spines["right"].set_visible(True)
    axes.spines["left"].set_visible(False)
    mark_floor(axes, "float32")
    return figure


def medians(found: list[Family]) -> Mapping[str, tuple[float, float]]:
    """Return, for every family, the median log10 norms of the first and of the last layer."""
    result = {}
    for family in found:
        first, last = (float(np.median(row[np.isfinite(row)])) for row in family.log10_norms[[0, -1]])
        result[family.label] = (first, last)
    return result
