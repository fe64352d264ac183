"""Why gradients fall or grow along a network, in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from torch import nn

from coursework.gradients.monitor.parameters import watched_parameters
from coursework.gradients.monitor.slopes import Slope

#: Rectifiers and saturating functions: name, and the scale of weights under which gradients vanish.
_ACTIVATIONS = {nn.Sigmoid: ("sigmoid", 4.0), nn.Tanh: ("tanh", 1.0), nn.ReLU: ("ReLU", 2**0.5)}


def cause_of(slope: Slope, model: Any) -> str:
    """Say why gradients fall or grow, as far as the model shows it, and what to try.

    Parameters
    ----------
    model : a torch module, whose activations, normalization and weights are looked at; else only a cure is
        named.
    """
    modules = model.modules() if isinstance(model, nn.Module) else ()
    kinds: Counter[type] = Counter(type(module) for module in modules)
    if any("Norm" in kind.__name__ for kind in kinds):
        # the scale of weights is divided out again: it explains nothing
        return ": it normalizes already, so that the scale of its weights is no cause; try residual links"
    if slope.per_layer < 0:
        return (
            ": clip the gradient's norm, or initialize with smaller weights (He, Glorot) or orthogonal ones"
        )
    cure = "try He initialization with ReLU, residual links or normalization"
    activation = max(_ACTIVATIONS, key=lambda kind: kinds[kind])
    if not kinds[activation]:
        return f": {cure}"
    name, neutral = _ACTIVATIONS[activation]
    scale = _scale(model, slope)
    if activation is nn.ReLU:
        if scale > 0.92 * neutral:
            return f": {cure}"
        return f": ReLU with weights of scale {scale:.2g}, under He's 1.41; try He initialization"
    compared = f"under {neutral:g}" if scale < neutral else f"in saturation at {neutral:g} or more"
    return f": {name} with weights of scale {scale:.2g}, {compared}; {cure}"


def _scale(model: nn.Module, slope: Slope) -> float:
    """Return the median over a stretch of the weights' root mean square times the root of the units above.

    It is what a backward step multiplies the root mean square of delta with, but for the activation: He's
    initialization makes it the root of 2, which a rectifier halves in the square.
    """
    scales = [
        float(p.detach().abs().square().mean() * (p.numel() / p.shape[1])) ** 0.5
        for name, p in watched_parameters(model, "*") if name in slope.names
    ]  # fmt: skip
    return float(np.median(scales))
