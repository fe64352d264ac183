"""The lines of a derivation, proved as they are shown: in every place, at given points, by three judges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coursework.backprop.derivation import Derivation, Step
from coursework.backprop.expression import Expression, UndefinedSymbol
from coursework.backprop.finding import WrongGradient
from coursework.backprop.judged import EXACT, Judged, entry
from coursework.backprop.lines import batch_state
from coursework.backprop.links import places
from coursework.backprop.network import Gradients
from coursework.backprop.oracles import relative_error
from coursework.backprop.symbols import B, Symbol, W

#: The relative error that a line may have before the exact judges, and before central differences, whose
#: noise comes on top.
TOLERANCE, DIFFERENCE_TOLERANCE = 1e-12, 1e-6

#: Above this share of the largest derivative of a layer, the noise of central differences says nothing.
RESOLVED = 1e-3

#: The smallest bound that is printed: below it the digits differ from one processor to the next.
PRINTED = 1e-13


class NothingCompared(WrongGradient):
    """There was no place at which a formula could be held against the judges; that proves nothing."""


@dataclass(frozen=True)
class LineProof:
    """One line of a derivation, compared with the judges.

    Attributes
    ----------
    step : the line.
    compared : how many numbers were compared, never 0.
    error : the largest relative error against the exact judges.
    difference : the largest error against central differences, relative to the largest derivative of
        its layer (they cannot resolve a smaller one).
    """

    step: Step
    compared: int
    error: float
    difference: float

    @property
    def bound(self) -> str:
        """LaTeX of the error, rounded up to a power of ten."""
        return rf"\le 10^{{{math.ceil(math.log10(max(self.error, PRINTED)))}}}"

    @property
    def badge(self) -> str:
        """The proof in one line of Markdown."""
        return rf"✓ {self.compared} numbers, relative error ${self.bound}$"


def prove_derivation(derivation: Derivation, drawn: Sequence[Judged]) -> tuple[LineProof, ...]:
    """Hold every line, and the line of numpy, against the judges in every place at every point.

    Raises
    ------
    WrongGradient : they differ.
    NothingCompared : there was no place to compare.
    """
    proofs = tuple(prove_step(step, derivation.target.bottom, drawn) for step in derivation.lines)
    for judged in drawn:
        _prove_matrix(derivation, judged)
    return proofs


def prove_step(step: Step, bottom: Symbol, drawn: Sequence[Judged]) -> LineProof:
    """Hold one line against the judges; see `prove_derivation`."""
    compared, error, difference = 0, 0.0, 0.0
    for judged in drawn:
        for letters in places(judged.point.network, bottom):
            value = step.value(judged.point, **letters)
            here = _placed(bottom, letters)
            for name, gradients in judged.found.items():
                true = entry(gradients, here)
                if name in EXACT:
                    off, allowed = relative_error(value, true), TOLERANCE
                    error = max(error, off)
                else:
                    largest = _largest(judged.exact, here)
                    if judged.noise >= RESOLVED * largest:
                        continue
                    off, allowed = abs(value - true) / largest, DIFFERENCE_TOLERANCE + judged.noise / largest
                    difference = max(difference, off)
                compared += 1
                if not off <= allowed:
                    raise WrongGradient(
                        f"${step.latex}$ comes to {value!r} where ${here.latex()}$ has {true!r} by {name}: "
                        f"off by {off:.1e}, allowed {allowed:.0e}"
                    )
    if compared == 0:
        raise NothingCompared(f"${step.latex}$ was compared nowhere: no point has ${bottom.latex()}$")
    return LineProof(step, compared, error, difference)


def _placed(bottom: Symbol, letters: dict[str, int]) -> Symbol:
    for letter, number in letters.items():
        bottom = bottom.placed(letter, number)
    return bottom


def _largest(gradients: Gradients, bottom: Symbol) -> float:
    kind = "w" if isinstance(bottom, W) else "b" if isinstance(bottom, B) else "delta"
    return float(np.abs(getattr(gradients, kind)[int(bottom.l)]).max())


def _prove_matrix(derivation: Derivation, judged: Judged) -> None:
    point, bottom = judged.point, derivation.target.bottom
    state = batch_state(point.network, point.trace, point.t)
    state["delta"] = point.gradients.delta
    for letters in places(point.network, bottom):
        here = _placed(bottom, letters)
        array = derivation.matrix.evaluate(state, letters)
        row = (int(here.k) - 1,) if isinstance(here, W) else ()
        place = (int(here.j) - 1, *row)
        value = array[place] if isinstance(bottom, W | B) else array[(0, *place)]
        true = entry(judged.exact, here)
        if not relative_error(float(value), true) <= TOLERANCE:
            raise WrongGradient(
                f"{derivation.matrix.code()} has {value!r} at ${here.latex()}$, which is {true!r}"
            )


def is_refuted(expression: Expression, bottom: Symbol, drawn: Sequence[Judged]) -> bool:
    """Return whether a formula fails the proof of `bottom` somewhere: it is undefined or another number.

    Raises
    ------
    NothingCompared : there is no place where it could have failed.
    """
    try:
        with np.errstate(all="ignore"):
            prove_step(Step(expression, ""), bottom, drawn)
    except NothingCompared:
        raise
    except (UndefinedSymbol, WrongGradient, ArithmeticError):
        return True
    return False
