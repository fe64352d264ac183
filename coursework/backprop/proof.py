"""A derivation proved as it is shown: every line at random points, here and in networks of other sizes.

What is right in the network at hand may be right there by accident.  So the same target is derived and
proved once more in a `twin` of it, whose layers have other, prime sizes, and so is the target of any layer
and any unit in networks of the sizes `PRIMES`, whose links, where the network at hand has masks, are drawn
anew for every point.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from coursework.backprop.derivation import Derivation, Step, derive
from coursework.backprop.judged import JUDGES, proof_points
from coursework.backprop.layers import Level
from coursework.backprop.line_proof import LineProof, prove_derivation
from coursework.backprop.links import is_output
from coursework.backprop.network import DenseNetwork
from coursework.backprop.symbols import LOSS, A, Partial, Symbol, W
from coursework.backprop.twins import PRIMES, alike, points_anywhere, twin, without_rule

#: So many layer sizes are printed one by one.
LISTED = 8


@dataclass(frozen=True)
class Proof:
    """A derivation, proved.

    Attributes
    ----------
    derivation : what was derived, in the network at hand.
    lines : the proof of each of its lines.
    twin : the same target, derived in a network of other sizes (see `twins.twin`); None where there are none.
    resized : the proof of each line of the twin.
    anywhere : the proof of each line of the same derivation for any layer and unit, in networks of the sizes
        `PRIMES`.
    specific : the lines that name units by links that follow no rule: another mask has other lines.  Their
        formulas hold for the masks of this network alone; in the twin, with links drawn anew, it is the way
        to them that is proved.
    masked : whether the network has masks, and those of `anywhere` have, too.
    """

    derivation: Derivation
    lines: tuple[LineProof, ...]
    twin: Derivation | None
    resized: tuple[LineProof, ...]
    anywhere: tuple[LineProof, ...]
    specific: tuple[Step, ...]
    masked: bool

    @property
    def every_line(self) -> tuple[LineProof, ...]:
        """All lines, wherever they were proved."""
        return (*self.lines, *self.resized, *self.anywhere)

    @property
    def error(self) -> float:
        """The largest relative error of any line."""
        return max(line.error for line in self.every_line)

    @property
    def compared(self) -> int:
        """How many numbers were compared."""
        return sum(line.compared for line in self.every_line)

    @property
    def badge(self) -> str:
        """The proof in one line of Markdown."""
        whole = LineProof(self.derivation.general, self.compared, self.error, 0.0)
        return f"{whole.badge}, before {', '.join(JUDGES)}"

    @property
    def where(self) -> str:
        """The networks that it was proved in, in words."""
        networks = [
            f"of {_sizes(derivation.sizes)}" for derivation in (self.derivation, self.twin) if derivation
        ]
        anywhere = f"and, for any layer and unit, of {_sizes(PRIMES)}"
        anywhere += " with links drawn at random" if self.masked else ""
        only = f"; {len(self.specific)} of the {len(self.lines)} lines are for the links of this network only"
        return f"in networks {', '.join(networks)} {anywhere}{only if self.specific else ''}"


def _sizes(sizes: tuple[int, ...]) -> str:
    if len(sizes) <= LISTED:
        return f"{'-'.join(map(str, sizes))} units"
    *most, last = map(str, sorted(set(sizes), reverse=True))
    return f"{len(sizes)} layers of {', '.join(most)}{' or ' if most else ''}{last} units"


def prove(network: DenseNetwork, target: Partial, *, points: int = 2, seed: int = 0) -> Proof:
    """Derive `target` and prove every line: here, in the twin of other sizes, and for any layer and unit.

    Raises
    ------
    WrongGradient : a line differs from what a judge found; names the line and the place.
    UndefinedSymbol : the network has no such target.
    ValueError : no point was asked for, and none would prove nothing.
    """
    derivation = derive(network, target)
    lines = prove_derivation(derivation, proof_points(network, points, seed))
    other = twin(network, target.bottom, seed)
    there = derive(other, target) if other else None
    resized = prove_derivation(there, proof_points(other, points, seed)) if other and there else ()
    names = network.activation.name, network.loss_record.name
    kind, masked = of_any_unit(network, target.bottom), bool(network.masks)
    anywhere = _prove_anywhere(kind, *names, bool(network.b), masked, points, seed)
    return Proof(derivation, lines, there, resized, anywhere, _specific(network, derivation), masked)


@cache
def _prove_anywhere(
    bottom: Symbol, activation: str, loss: str, biases: bool, masked: bool, points: int, seed: int
) -> tuple[LineProof, ...]:
    drawn = tuple(points_anywhere(activation, loss, biases, masked, points, seed))
    return prove_derivation(derive(drawn[0].point.network, Partial(LOSS, bottom)), drawn)


def of_any_unit(network: DenseNetwork, bottom: Symbol) -> Symbol:
    """Return the target of the same kind with letters for all its indices."""
    if isinstance(bottom, W):
        return W(Level("l"), "j", "k")
    if isinstance(bottom, A) and is_output(network, bottom.l):
        return A(Level("L"), "j")
    return type(bottom)(Level("l"), "j")


def _specific(network: DenseNetwork, derivation: Derivation) -> tuple[Step, ...]:
    """Return the lines that are others as soon as no link is missing where links follow no rule."""
    if not (apart := without_rule(network)):
        return ()
    masks = {l: np.ones_like(mask) if l in apart else mask for l, mask in network.masks.items()}
    full = derive(alike(network, network.sizes, masks), derivation.target)
    known = {line.expression for line in full.lines}
    return tuple(line for line in derivation.lines if line.expression not in known)
