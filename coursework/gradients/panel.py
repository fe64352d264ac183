"""A panel to turn knobs on: every layer's gradient for a depth, activation, weight scale, width and cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy.special import expit

from coursework._common.panel import Panel
from coursework._common.states import State, states_html
from coursework.gradients.activations import ACTIVATIONS, Activation
from coursework.gradients.arithmetic import Arithmetic, plain_numbers
from coursework.gradients.chain import Networks, propagate, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.layer_chart import LEVELS, layer_chart
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

#: log10 under which float64 may have lost places on the way.
_TRUSTED = -290.0

#: h'(a), from (a, h(a)), right to the last places for every a.
_SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "sigmoid": lambda a, z: np.asarray(expit(a) * expit(-a)),
    "tanh": lambda a, z: np.asarray(4 * expit(2 * a) * expit(-2 * a)),
}

#: Activations whose slopes are exact in float64.
_STRAIGHT = ("relu", "leaky relu", "identity")


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


def log10_gradients(networks: Networks) -> Array:
    """Return log10 |dE/dw_11^(l)|, shape (depth, B), row l - 1 for layer l; -inf where exactly zero.

    In float64, and once more without underflow for the networks in which that may have lost something.
    """
    with np.errstate(all="ignore"):
        plain = propagate(networks, _numbers(networks.h))
        logs = np.log10(np.abs([plain.gradient(l) for l in range(1, networks.depth + 1)]))
    zero_is_exact = networks.activation in _STRAIGHT
    doubtful = ~(np.isfinite(logs) & (logs > _TRUSTED)) & ~(np.isneginf(logs) & zero_is_exact)
    again = np.flatnonzero(doubtful.any(axis=0))
    if again.size:
        logs[:, again] = run(networks.select(again)).log10_gradients
    return np.asarray(logs)


def _numbers(h: Activation) -> Arithmetic:
    """Return float64 whose slopes keep their places where a unit saturates, as z (1 - z) does not."""
    numbers = plain_numbers(h, np.float64)
    return replace(numbers, slope=_SLOPES[h.name]) if h.name in _SLOPES else numbers


def gradient_state(knobs: Knobs, seed: int) -> State:
    """Return chart, words and summary of `NETWORKS` random networks.

    Raises
    ------
    ValueError : the knobs do not go together, such as layer normalization of layers one unit wide.
    """
    logs = log10_gradients(draw(knobs.spec(), NETWORKS, seed))
    bands = quantiles(logs, LEVELS)
    zero = int(np.isneginf(logs[0]).sum())
    first, last = bands[2, 0], bands[2, -1]
    shape = f"{knobs.depth} layers of {knobs.width}, {knobs.activation}"
    what = f"{shape}, weights times {knobs.scale:.3g}, cure: {knobs.cure}"
    lost = f"in {zero} of {NETWORKS} networks it is exactly 0 in layer 1"
    if np.isnan(first):
        found = f"the gradient is exactly 0 in layer 1 of all {NETWORKS} networks"
    else:
        found = f"the median is 10^{first:.1f} in layer 1 and 10^{last:.1f} in layer {knobs.depth}; {lost}"
    alt = f"The size of the gradient of the first weight against the layer, {what}: {found}."
    return State(layer_chart(bands, what), alt, (_typeset(f"{found[0].upper()}{found[1:]}."),))


def _typeset(text: str) -> str:
    """Return `text` with its powers of ten as formulas."""
    return re.sub(r"10\^(-?[\d.]+\d)", r"$10^{\1}$", text)
