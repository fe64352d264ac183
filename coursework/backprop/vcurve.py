"""The error of a difference quotient against its step: the V that central and forward differences draw.

On the right a step is too long and the curve bends away from its secant (truncation: the error grows like s,
or s^2), on the left it is so short that E(w + s) and E(w) have all their digits in common (rounding: the
error grows like 1 / s).  The complex step subtracts nothing: it truncates like s^2 too, but once that is
below the last digit its error stays there, however short the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coursework._common.svg import Svg, superscript
from coursework.backprop.activations import Array
from coursework.backprop.drawing import Drawing
from coursework.backprop.log_domain import signed_gradients
from coursework.backprop.network import DenseNetwork, NetworkError
from coursework.backprop.perturbation import links, move

#: Steps from a tenth down to where nothing is left to subtract, two a decade.
STEPS = 10.0 ** np.arange(-1, -16.25, -0.5)

#: The drawing, in pixels.
WIDTH, HEIGHT = 720, 440

#: What is drawn, the colours' names in the palette, and what the lines are called.
WAYS = (
    ("forward", "plus", "forward differences"),
    ("central", "minus", "central differences"),
    ("complex", "good", "complex step"),
)


@dataclass(frozen=True)
class VCurve:
    """Errors of dE/dw^(l), relative to its largest entry.

    Attributes
    ----------
    layer : l.
    true : max |dE/dw^(l)|, found in the log domain.
    steps : the steps s, from the longest to the shortest.
    forward : of (E(w + s) - E(w)) / s.
    central : of (E(w + s) - E(w - s)) / 2s.
    complex : of Im E(w + i s) / s.
    """

    layer: int
    true: float
    steps: Array
    forward: Array
    central: Array
    complex: Array

    def best(self, kind: str) -> tuple[float, float]:
        """Return the smallest error of "forward", "central" or "complex", and the step that has it."""
        errors: Array = getattr(self, kind)
        return float(errors.min()), float(self.steps[errors.argmin()])


def v_curve(network: DenseNetwork, x: Array, t: Array, layer: int = 1, steps: Array = STEPS) -> VCurve:
    """Return the errors of three ways of finding dE/dw^(layer), for every step.

    Raises
    ------
    NetworkError : there is no such layer, its gradient is 0 or too small for float64, or no step is given.
    """
    if layer not in network.w or len(steps) == 0:
        raise NetworkError(
            f"layer {layer}, {len(steps)} steps: take a layer of {list(network.w)}, and a step"
        )
    j, k = links(network, layer)
    true = signed_gradients(network, x, t).w[layer].numbers()[j, k]
    if not np.abs(true).max(initial=0) > np.finfo(float).smallest_normal:
        raise NetworkError(
            f"dE/dw^({layer}) is 0, or smaller than float64 can hold: no error can be relative to it; "
            "take another input or layer"
        )

    def losses(shifts: Array) -> Array:
        return np.asarray(move(network, x, t, shifts.tolist()).by_w[layer].sum(axis=2))

    def error(found: Array) -> Array:
        return np.asarray(np.abs(found - true).max(axis=1) / np.abs(true).max())

    s = np.asarray(steps, float)[:, None]
    here, right, left = losses(np.zeros(1)), losses(s[:, 0]), losses(-s[:, 0])
    return VCurve(
        layer,
        float(np.abs(true).max()),
        s[:, 0],
        forward=error((right - here) / s),
        central=error((right - left) / (2 * s)),
        complex=error(losses(1j * s[:, 0]).imag / s),
    )


def draw_v_curve(curve: VCurve) -> Drawing:
    """Draw the errors against the step, both axes logarithmic."""
    svg = Svg(WIDTH, HEIGHT)
    bottom, top = -17, 2
    first, last = (math.log10(step) for step in (curve.steps.min(), curve.steps.max()))
    left, right, low, high = 76.0, WIDTH - 24.0, HEIGHT - 62.0, 20.0

    def x(step: float) -> float:
        return left + (right - left) * (math.log10(step) - first) / max(last - first, 1)

    def y(error: float) -> float:
        # no error at all is drawn where float64 could just show one
        power = min(max(math.log10(max(error, 1e-17)), bottom), top)
        return low + (high - low) * (power - bottom) / (top - bottom)

    for power in range(bottom + 1, top + 1, 2):
        svg.line((left, y(10.0**power)), (right, y(10.0**power)), "line", 1)
        svg.text(left - 8, y(10.0**power), f"10{superscript(power)}", 13, anchor="end")
    for power in range(math.ceil(first), math.floor(last) + 1, 3):
        svg.line((x(10.0**power), low), (x(10.0**power), high), "line", 1)
        svg.text(x(10.0**power), low + 16, f"10{superscript(power)}", 13)
    svg.text((left + right) / 2, low + 42, "step s", 14)
    title = f"relative error of ∂E/∂w{superscript(f'({curve.layer})')}"
    svg.text(left + 8, high + 12, title, 14, anchor="start")
    for line, (kind, colour, name) in enumerate(WAYS):
        errors = getattr(curve, kind)
        points = [(x(step), y(error)) for step, error in zip(curve.steps, errors, strict=True)]
        svg.curve(points, colour, 2)
        for place in points:
            svg.curve(_marker(place, kind), colour, 2)
        key = high + 40 + 22 * line
        svg.line((right - 190, key), (right - 160, key), colour, 2)
        svg.curve(_marker((right - 175, key), kind), colour, 2)
        svg.text(right - 150, key, name, 13, colour=colour, anchor="start")
    return Drawing(str(svg), _alt(curve))


def _marker(place: tuple[float, float], kind: str) -> list[tuple[float, float]]:
    """Return a small outline, of another shape for every kind, for eyes that colours do not help."""
    x, y = place
    shapes = {
        "forward": [(-3, -3), (3, -3), (3, 3), (-3, 3), (-3, -3)],
        "central": [(0, -4), (4, 0), (0, 4), (-4, 0), (0, -4)],
        "complex": [(0, -4), (4, 3), (-4, 3), (0, -4)],
    }
    return [(x + dx, y + dy) for dx, dy in shapes[kind]]


def _alt(curve: VCurve) -> str:
    def best(kind: str) -> str:
        error, step = curve.best(kind)
        return f"10^{_power(error)}, at steps of about 10^{math.floor(math.log10(step) + 0.01)}"

    first = {kind: f"{getattr(curve, kind)[0]:.1e}" for kind in ("forward", "central", "complex")}
    return (
        f"Relative error of the derivative of E by the weights of layer {curve.layer} against the step s, "
        f"both axes logarithmic. At the longest step, {curve.steps[0]:g}, forward differences are off by "
        f"{first['forward']}, central differences by {first['central']}, the complex step by "
        f"{first['complex']}. Towards shorter steps all three fall in straight lines, and then the "
        f"differences rise again, in the shape of a V: forward ones come down to no more than "
        f"{best('forward')}, central ones to no more than {best('central')}; at the shortest step, "
        f"{curve.steps[-1]:.0e}, neither has a right digit left. The complex step falls to 10^"
        f"{_power(curve.best('complex')[0])} and stays there."
    )


def _power(error: float) -> int:
    """Return a power of ten above an error, which has room for what another processor makes of it."""
    return math.ceil(math.log10(max(2 * error, 1e-15)))
