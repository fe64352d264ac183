"""Why gradients fall or grow along a network, in words."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
from torch import nn

from coursework.gradients.monitor.parameters import watched_parameters
from coursework.gradients.monitor.slopes import Slope

#: Rectifiers and saturating functions, and their names.
_ACTIVATIONS = {nn.Sigmoid: "sigmoid", nn.Tanh: "tanh", nn.ReLU: "ReLU"}


@cache
def _critical(name: str, wide: bool) -> float:
    """Return the scale of weights under which gradients vanish.

    Of layers one unit wide it is the one under which no factor of the chain rule exceeds 1, else that at
    which chi_1 = 1 in wide networks (`critical_sw`).
    """
    from coursework.gradients.meanfield import critical_sw

    return 4.0 if name == "sigmoid" and not wide else critical_sw(name.lower())


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
    scale, width = _scale(model, slope)
    name = _ACTIVATIONS[activation]
    neutral = _critical(name, width > 1)
    if activation is nn.ReLU:
        if scale > 0.92 * neutral:
            return f": {cure}"
        return f": ReLU with weights of scale {scale:.2g}, under He's 1.41; try He initialization"
    compared = f"under {neutral:.4g}" if scale < neutral else f"in saturation over {neutral:.4g}"
    meaning = "the critical scale of wide layers" if width > 1 else "under which no factor exceeds 1"
    return f": {name} with weights of scale {scale:.2g}, {compared}, {meaning}; {cure}"


def _scale(model: nn.Module, slope: Slope) -> tuple[float, float]:
    """Return medians over a stretch: of the weights' root mean square times the root of the units above, and
    of the number of those units.

    It is what a backward step multiplies the root mean square of delta with, but for the activation: He's
    initialization makes it the root of 2, which a rectifier halves in the square.
    """
    chosen = [p.detach() for name, p in watched_parameters(model, "*") if name in slope.names]
    units = [p.numel() / p.shape[1] for p in chosen]
    squares = [float(p.abs().square().mean()) * above for p, above in zip(chosen, units, strict=True)]
    return float(np.median(np.sqrt(squares))), float(np.median(units))
