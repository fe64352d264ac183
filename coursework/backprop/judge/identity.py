"""The verdict: a formula is right when it has the derivative's value at every draw and point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coursework.backprop.judge.draws import Draws, Values
from coursework.backprop.judge.questions import Asked, Point
from coursework.backprop.judge.tree import Node, Ref
from coursework.backprop.judge.value import Evaluator, Scope

#: Largest relative difference of two equal formulas; rounding stays under 1e-12.
TOLERANCE = 1e-10
SEEDS = (0, 1)


class NoPoint(RuntimeError):
    """A comparison would have been made at no point: a fault of the judge, never a verdict."""


@dataclass(frozen=True)
class Comparison:
    """A formula beside the derivative.

    Attributes
    ----------
    compared : how many numbers were compared.
    fails_at : the points at which they differ.
    missing : quantities of the formula that the network does not have.
    typed, wanted : the two values at one draw where they differ, else at any draw.
    rare : whether they differ only in networks of tiny or large numbers, or at other layers.
    drawn : such networks, the first of which is one; None where float64 does not tell.
    """

    compared: int
    fails_at: tuple[Point, ...]
    missing: tuple[Ref, ...]
    typed: float
    wanted: float
    rare: bool = False
    drawn: Draws | None = None

    @property
    def equal(self) -> bool:
        """Whether the formula is the derivative everywhere."""
        return not self.fails_at and not self.missing


@dataclass(frozen=True)
class Wanted:
    """The derivative at every draw of a point, and how far off an equal formula may be."""

    values: Values
    allowed: Values

    def equal(self, typed: Values) -> Values:
        """Return where `typed`, whose last axis is the draws', is equal to the derivative."""
        return np.asarray(np.abs(typed - self.values) <= self.allowed)


def compare(
    node: Node,
    asked: Asked,
    points: Sequence[Point] | None = None,
    activation: str | None = None,
    biases: bool = True,
    thorough: bool = True,
) -> Comparison:
    """Compare `node` with the derivative at every draw of every point.

    Parameters
    ----------
    thorough : go on after the first difference, so that the comparison lists all points that fail.

    Raises
    ------
    Unreadable : the formula's sums are too long, or a bound is none.
    NoPoint : no derivative different from zero was met.
    """
    compared = 0
    fails: list[Point] = []
    missing: list[Ref] = []
    shown = (0.0, 0.0)
    alive = False
    for seed in SEEDS:
        drawn = asked.draws(activation, seed, biases)
        for point in asked.points if points is None else points:
            typed, wanted, lacking = _values(node, asked.target, drawn, point)
            missing += [ref for ref in lacking if ref not in missing]
            agrees = wanted.equal(typed)
            compared += agrees.size
            alive = alive or bool(wanted.values.any())
            if not agrees.all() or lacking:
                if not fails:
                    worst = int(np.argmin(agrees))
                    shown = (float(typed[worst]), float(wanted.values[worst]))
                if point not in fails:
                    fails.append(point)
                if not thorough:
                    return Comparison(compared, tuple(fails), tuple(missing), *shown)
            elif not fails:
                shown = (float(typed[0]), float(wanted.values[0]))
    if not alive:
        raise NoPoint("the derivative was zero, or compared nowhere")
    return Comparison(compared, tuple(fails), tuple(missing), *shown)


def _values(node: Node, target: Node, drawn: Draws, point: Point) -> tuple[Values, Wanted, list[Ref]]:
    with np.errstate(all="ignore"):
        evaluator, scope = Evaluator(drawn), Scope(point)
        typed = np.broadcast_to(evaluator.value(node, scope), (drawn.count,))
        return typed, wanted_values(target, drawn, point), evaluator.missing


def wanted_values(target: Node, drawn: Draws, point: Point) -> Wanted:
    """Return the derivative at every draw of `point`, kept for the next comparison."""
    return _wanted(target, _Drawn(drawn), tuple(sorted(point.items())))


class _Drawn:
    """Draws that are the same when they are the same object, so that results are found again."""

    def __init__(self, draws: Draws) -> None:
        self.draws = draws

    def __hash__(self) -> int:
        return id(self.draws)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drawn) and other.draws is self.draws


@lru_cache(maxsize=512)
def _wanted(target: Node, drawn: _Drawn, point: tuple[tuple[str, int], ...]) -> Wanted:
    values = Evaluator(drawn.draws).value(target, Scope(dict(point)))
    size = np.abs(values)
    # where the derivative nearly cancels out, rounding is that of the usual size
    floor = 1e-3 * np.median(size[size > 0]) if (size > 0).any() else 0.0
    return Wanted(values, TOLERANCE * np.maximum(size, floor))
