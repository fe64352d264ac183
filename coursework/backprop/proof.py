"""A derivation proved as it is shown: every line, in every place, at random points, before three judges.

The line is proved in the network at hand and, since a formula may be right there by accident (two layers of
one size hide a transposed index), once more for any layer and unit of a network whose layers have different
prime sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from coursework.backprop.certificate import WrongGradient
from coursework.backprop.derivation import Derivation, Step, derive
from coursework.backprop.expression import Expression, UndefinedSymbol
from coursework.backprop.judged import EXACT, JUDGES, Judged, entry, proof_points
from coursework.backprop.layers import Level
from coursework.backprop.lines import batch_state
from coursework.backprop.links import is_output, places
from coursework.backprop.network import DenseNetwork, Gradients
from coursework.backprop.oracles import relative_error
from coursework.backprop.symbols import LOSS, A, B, Partial, Symbol, W

#: Layer sizes of the network in which a formula must hold for every unit: primes, no two alike.
PRIMES = (5, 3, 7, 2)

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


@dataclass(frozen=True)
class Proof:
    """A derivation, proved.

    Attributes
    ----------
    derivation : what was derived, in the network at hand.
    lines : the proof of each of its lines.
    anywhere : the proof of each line of the same derivation for any layer and unit, in a network of the
        sizes `PRIMES`; empty for a network with masks, which has no such twin.
    """

    derivation: Derivation
    lines: tuple[LineProof, ...]
    anywhere: tuple[LineProof, ...]

    @property
    def error(self) -> float:
        """The largest relative error of any line."""
        return max(line.error for line in (*self.lines, *self.anywhere))

    @property
    def compared(self) -> int:
        """How many numbers were compared."""
        return sum(line.compared for line in (*self.lines, *self.anywhere))

    @property
    def badge(self) -> str:
        """The proof in one line of Markdown."""
        whole = LineProof(self.derivation.general, self.compared, self.error, 0.0)
        return f"{whole.badge}, before {', '.join(JUDGES)}"


def prove(network: DenseNetwork, target: Partial, *, points: int = 2, seed: int = 0) -> Proof:
    """Derive `target` and prove every line, here and in the network of prime sizes.

    Raises
    ------
    WrongGradient : a line differs from what a judge found; names the line and the place.
    UndefinedSymbol : the network has no such target.
    ValueError : no point was asked for, and none would prove nothing.
    """
    derivation = derive(network, target)
    lines = prove_derivation(derivation, proof_points(network, points, seed))
    anywhere: tuple[LineProof, ...] = ()
    if not network.masks:
        kind = of_any_unit(network, target.bottom)
        names = network.activation.name, network.loss_record.name
        anywhere = _prove_anywhere(kind, *names, bool(network.b), points, seed)
    return Proof(derivation, lines, anywhere)


@cache
def _prove_anywhere(
    bottom: Symbol, activation: str, loss: str, biases: bool, points: int, seed: int
) -> tuple[LineProof, ...]:
    network = DenseNetwork(PRIMES, activation, loss=loss, biases=biases)
    return prove_derivation(derive(network, Partial(LOSS, bottom)), proof_points(network, points, seed))


def of_any_unit(network: DenseNetwork, bottom: Symbol) -> Symbol:
    """Return the target of the same kind with letters for all its indices."""
    if isinstance(bottom, W):
        return W(Level("l"), "j", "k")
    if isinstance(bottom, A) and is_output(network, bottom.l):
        return A(Level("L"), "j")
    return type(bottom)(Level("l"), "j")


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
