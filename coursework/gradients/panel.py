"""A panel to turn knobs on: every layer's gradient for a depth, activation, weight scale, width and cure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from coursework._common.panel import Panel
from coursework._common.states import State, states_html
from coursework.gradients.activations import ACTIVATIONS
from coursework.gradients.arithmetic import scaled_numbers
from coursework.gradients.blocks import block_numbers, cancelled, strayed
from coursework.gradients.chain import Networks, propagate, trace_of
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.layer_chart import LEVELS, UNRESOLVED, layer_chart
from coursework.gradients.resolution import RESOLVED, difference, with_twins
from coursework.gradients.scaled import Array
from coursework.gradients.sweep import quantiles

#: How many random networks a state shows.
NETWORKS = 30

#: By name, what of a `ChainSpec` a cure changes. The laws scale with the width by themselves.
REMEDIES: dict[str, Mapping[str, Any]] = {
    "none": {},
    "He weights": {"law": "he"},
    "Glorot weights": {"law": "glorot"},
    "residual links": {"cure": "residual"},
    "layer norm": {"cure": "layer norm"},
    "batch norm": {"cure": "batch norm", "examples": 3},
}


def gradient_panel(*, depth: int = 152, width: int = 8, seed: int = 0) -> Panel:
    """Return the panel: widgets in JupyterLab, elsewhere states computed beforehand.

    Parameters
    ----------
    depth, width : of the networks at first, and of all precomputed states. seed : of the networks.
    """

    def controls() -> Mapping[str, Any]:
        from ipywidgets import Dropdown, FloatLogSlider, IntSlider

        shared = {"style": {"description_width": "initial"}, "layout": {"width": "24rem"}}

        def control(kind: Any, value: object, description: str, **more: Any) -> Any:
            return kind(value=value, description=description, **more, **shared)

        return {
            "depth": control(IntSlider, depth, "depth", min=2, max=max(152, depth)),
            "activation": control(Dropdown, "sigmoid", "activation", options=list(ACTIVATIONS)),
            "scale": control(FloatLogSlider, 1.0, "weight scale", min=-1, max=1, step=0.05),
            "width": control(IntSlider, width, "width", min=1, max=max(8, width)),
            "cure": control(Dropdown, "none", "cure", options=list(REMEDIES)),
        }

    def redraw(**knobs: Any) -> State:
        return gradient_state(Knobs(**knobs), seed)

    def static() -> str:
        axes = {
            "activation": ("sigmoid", "relu"),
            "weight scale": ("0.5", "1", "2", "6"),
            "cure": ("none", "residual links", "layer norm"),
        }

        def state(activation: str, scale: str, cure: str) -> State:
            return gradient_state(Knobs(depth, activation, float(scale), width, cure), seed)

        states: dict[tuple[str, ...], State] = {values: state(*values) for values in product(*axes.values())}
        return states_html("Gradients of deep networks", axes, states, ("sigmoid", "1", "none"))

    title = "the gradient of every layer as depth, activation, weights and cure vary"
    return Panel(title, controls, redraw, static)


@dataclass(frozen=True)
class Knobs:
    """What a state is of: fully connected networks of `depth` weight layers, `width` units in each.

    Attributes
    ----------
    scale : of the weights, N(0, scale^2 / width) or as the cure's law has it, times `scale`.
    cure : a name in `REMEDIES`.
    """

    depth: int
    activation: str
    scale: float
    width: int
    cure: str

    def spec(self) -> ChainSpec:
        """Return the family of networks."""
        if self.cure not in REMEDIES:
            raise ValueError(f"cure {self.cure!r} is unknown: choose one of {', '.join(REMEDIES)}")
        remedy = REMEDIES[self.cure]
        scale = self.scale if "law" in remedy else self.scale / np.sqrt(self.width)
        return ChainSpec(self.depth, "full", self.activation, scale=float(scale), width=self.width, **remedy)


def log10_gradients(networks: Networks, loudness: Array | float = 1.0) -> Array:
    """Return log10 |dE/dw_11^(l)|, shape (depth, B), row l - 1 for layer l; -inf where exactly zero.

    NaN where its sum over the examples cancels so far that rounding decides what is left (`cancelled`).

    In numbers that share an exponent, and once more in `Scaled` ones for the networks in which that may have
    lost something.

    Parameters
    ----------
    loudness : a factor, or one for each network, for the error that is sent back.
    """
    with np.errstate(all="ignore"):
        done = propagate(networks, block_numbers(networks.h), loudness)
        logs = np.stack([done.gradient(l).log10_abs() for l in range(1, networks.depth + 1)])
        again = np.flatnonzero(strayed(done))
    if again.size:
        factors = np.broadcast_to(loudness, networks.batch)[again]
        exact = propagate(networks.select(again), scaled_numbers(networks.h), factors)
        logs[:, again] = trace_of(exact).log10_gradients
    logs[cancelled(done)] = np.nan
    return logs - np.log10(loudness)


def gradient_state(knobs: Knobs, seed: int) -> State:
    """Return chart, words and summary of `NETWORKS` random networks.

    Raises
    ------
    ValueError : the knobs do not go together, such as layer normalization of layers one unit wide.
    """
    networks, loudness = with_twins(draw(knobs.spec(), NETWORKS, seed), seed, twins=1)
    everyone = log10_gradients(networks, loudness)
    # not NaN, and the same in the twin
    unresolved = (~(difference(everyone, NETWORKS) <= RESOLVED)).mean(axis=1) > UNRESOLVED
    logs = everyone[:, :NETWORKS]
    bands = quantiles(logs, LEVELS)
    bands[:, unresolved] = np.nan
    zero = int(np.isneginf(logs[0]).sum())
    shape = f"{knobs.depth} layers of {knobs.width}, {knobs.activation}"
    what = f"{shape}, weights times {knobs.scale:.3g}, cure: {knobs.cure}"
    if zero == NETWORKS:
        found = f"the gradient is exactly 0 in layer 1 of all {NETWORKS} networks"
    else:
        sizes = [
            f"{'not resolved' if unresolved[l - 1] else f'10^{bands[2, l - 1]:.1f}'} in layer {l}"
            for l in (1, knobs.depth)
        ]
        found = f"the median is {' and '.join(sizes)}"
        found += f"; in {zero} of {NETWORKS} networks it is exactly 0 in layer 1"
    if unresolved.any():
        found += f"; {unresolved.sum()} layers are left out: rounding decides there in over a tenth of them"
    alt = f"The size of the gradient of the first weight against the layer, {what}: {found}."
    chart = layer_chart(bands, what, unresolved)
    return State(chart, alt, (_typeset(f"{found[0].upper()}{found[1:]}."),))


def _typeset(text: str) -> str:
    """Return `text` with its powers of ten as formulas."""
    return re.sub(r"10\^(-?[\d.]+\d)", r"$10^{\1}$", text)
