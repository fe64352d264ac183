"""A panel to turn knobs on: every layer's gradient for a depth, activation, weight scale, width and cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from coursework._common.panel import Panel
from coursework._common.states import State, states_html
from coursework.gradients.activations import ACTIVATIONS, Activation
from coursework.gradients.arithmetic import Arithmetic, plain_numbers
from coursework.gradients.chain import Networks, Pass, propagate, run
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

#: Under this float64 has lost places.
_TINY = 10.0**_TRUSTED


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
    doubtful = ~(np.isfinite(logs) & (logs > _TRUSTED)) & ~_silent(plain)
    again = np.flatnonzero(doubtful.any(axis=0) | _underflowed(plain))
    if again.size:
        logs[:, again] = run(networks.select(again)).log10_gradients
    return np.asarray(logs)


def _silent(plain: Pass[Array]) -> NDArray[np.bool_]:
    """Return where a switched-off rectified linear unit makes dE/dw_11^(l) zero; shape (depth, B)."""
    layers = range(1, plain.networks.depth + 1)
    if plain.networks.activation != "relu":
        return np.zeros((len(layers), plain.networks.batch), dtype=bool)
    zero = [(plain.delta[l + 1][0] == 0) | (plain.z[l][0] == 0) for l in layers]
    # of several examples each must be silent
    return np.stack([each if each.ndim == 1 else each.all(axis=0) for each in zero])


def _underflowed(plain: Pass[Array]) -> NDArray[np.bool_]:
    """Return in which networks some activation or delta came near the end of float64's range; shape (B,)."""
    found = np.zeros(plain.networks.batch, dtype=bool)
    for numbers in (*plain.z.values(), *plain.delta.values()):
        tiny = (numbers != 0) & (np.abs(numbers) < _TINY)
        found |= tiny.reshape(-1, tiny.shape[-1]).any(axis=0)
    return found


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
