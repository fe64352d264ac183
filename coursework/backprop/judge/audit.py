"""The audit of a formula that is the derivative at the ordinary draws: is it everywhere?

It is evaluated at every layer l in networks of tiny and large numbers, and at some with many digits.  What
could hide from any such test, a threshold or a factor beyond all sizes drawn, is no part of these formulas.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from coursework.backprop.judge.draws import LIVE, Draws, Values
from coursework.backprop.judge.exact import TOLERANCE, ExactEvaluator, exact_draws
from coursework.backprop.judge.identity import Comparison, compare
from coursework.backprop.judge.layout import NETWORK
from coursework.backprop.judge.plain import refuse_what_hides
from coursework.backprop.judge.questions import Asked, Point
from coursework.backprop.judge.tree import Index, Node, Partial
from coursework.backprop.judge.value import Evaluator, Scope
from coursework.backprop.judge.wide import wide_draws

#: Largest relative difference of equal formulas in float64, in networks of tiny and large numbers.
_WIDE_TOLERANCE = 1e-6
#: Layers at which a deep network's formula is evaluated with many digits.
_FEW = (1, 77, 149)


def compare_everywhere(node: Node, asked: Asked, *, biases: bool = True, thorough: bool = True) -> Comparison:
    """Compare `node` with the derivative as `identity.compare` does, then audit it if it answers a question.

    Raises
    ------
    Unreadable : it is equal at all draws, but contains what could hide from them.
    """
    comparison = compare(node, asked, biases=biases, thorough=thorough)
    if not comparison.equal or not asked.own:
        return comparison
    differing = _differing(node, asked, biases)
    if differing:
        return replace(comparison, fails_at=differing[:1], rare=True, drawn=differing[1])
    refuse_what_hides(node)
    return comparison


@lru_cache(maxsize=64)
def _differing(node: Node, asked: Asked, biases: bool) -> tuple[Point, Draws | None] | None:
    """Return a point, and float64 networks if they tell, at which `node` is not the derivative."""
    layout = asked.layout
    if layout is not NETWORK:
        drawn = wide_draws(layout, asked.activation)
        for l in range(layout.L - 1, 0, -1):
            point: Point = {"L": layout.L, "l": l}
            wrong = _wrong(node, asked, Evaluator(drawn), point, _WIDE_TOLERANCE)
            if wrong is not None and wrong.any():
                return point, drawn.some([int(np.argmax(wrong)), *range(LIVE)])
    exact = exact_draws(layout, asked.activation, biases)
    for point in asked.points:
        if layout is NETWORK or point["l"] in _FEW:
            try:
                wrong = _wrong(node, asked, ExactEvaluator(exact), point, TOLERANCE)
            except ArithmeticError:  # such numbers have no infinity
                return point, None
            if wrong is not None and wrong.any():
                return point, None
    return None


def _wrong(
    node: Node, asked: Asked, evaluator: Evaluator, point: Point, tolerance: float
) -> NDArray[np.bool_] | None:
    """Return where `node` is not the derivative; None where it names units that do not exist, and may."""
    with np.errstate(all="ignore"):
        typed = evaluator.value(node, Scope(point))
        if evaluator.missing and point in asked.further:
            return None
        wanted = _gradient(asked, evaluator.draws, point)
        close = np.abs(typed - wanted) <= tolerance * np.abs(wanted)
        return np.broadcast_to(~close.astype(bool) | bool(evaluator.missing), wanted.shape)


def _gradient(asked: Asked, drawn: Draws, point: Point) -> Values:
    """Return the derivative asked for by the deltas, which the draws hold."""
    assert isinstance(asked.target, Partial)
    bottom = asked.target.bottom
    layer = bottom.layer or Index()
    l, units = point.get(layer.letter, 0) + layer.offset, [unit.offset for unit in bottom.units]
    delta, z = drawn.quantities["delta"], drawn.quantities["z"]
    if bottom.name == "a":
        return np.asarray(delta[l, units[0]])
    return np.asarray(delta[l + 1, units[0]] * z[l, units[1]])
