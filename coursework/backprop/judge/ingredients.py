"""What a formula far from the answer lacks: what the gradient changes with, and the formula does not.

Nothing is guessed: one quantity of the network is changed, all that follows from it as well, and the formula
stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coursework.backprop.judge.draws import Draws, completed
from coursework.backprop.judge.identity import wanted_values
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.questions import Asked
from coursework.backprop.judge.slips import Slip
from coursework.backprop.judge.tree import Index, Node, Partial, Ref
from coursework.backprop.judge.value import Evaluator, Scope


def lacking(node: Node, asked: Asked) -> tuple[Slip, ...]:
    """Return a slip for each factor of the gradient of which `node` does not know; none for what is 0."""
    scope, drawn = Scope(asked.points[0]), asked.few_draws(asked.activation)
    with np.errstate(all="ignore"):
        evaluator = Evaluator(drawn)
        typed, wanted = evaluator.value(node, scope), wanted_values(asked.target, drawn, asked.points[0])
        if evaluator.missing or not np.any(typed):
            return ()
        return tuple(
            Slip("missing factor", latex(node), mend, f"{words}: nothing in the answer depends on it")
            for mend, words, changed in _changes(asked, drawn)
            if np.array_equal(Evaluator(changed).value(node, scope), typed, equal_nan=True)
            and not np.allclose(Evaluator(changed).value(asked.target, scope), wanted.values)
        )


def _changes(asked: Asked, drawn: Draws) -> Iterator[tuple[str, str, Draws]]:
    """Yield a factor of the gradient, what to do about it, and networks in which it is another."""
    assert isinstance(asked.target, Partial)
    bottom, L = asked.target.bottom, asked.layout.L
    layer = bottom.layer or Index()
    l = asked.points[0].get(layer.letter, 0) + layer.offset
    behind = Index(layer.letter, layer.offset + (bottom.name == "w"))
    first = l + (bottom.name == "w")
    error = f"{latex(Ref('a', Index('', L), (Index('', 1),)))}-t_{{n}}"
    yield error, f"multiply by the error ${error}$, or by a $\\delta$ that it is in", _with(drawn, error=2.0)
    if bottom.name == "w":
        before = Ref("x" if bottom.layer == Index("", 1) else "z", bottom.layer, bottom.units[1:])
        yield latex(before), f"multiply by ${latex(before)}$", _with(drawn, unit=(l, bottom.units[1].offset))
    if first < L:
        weight, slope = f"w^{{({behind})}}", f"h'({latex(Ref('a', behind, bottom.units[:1]))})"
        words = f"take in every weight ${weight}$ on the way to the output"
        yield weight, words, _with(drawn, weights=first)
        yield slope, f"multiply by ${slope}$", _with(drawn, unit=(first, bottom.units[0].offset))


def _with(
    drawn: Draws, *, error: float = 1.0, unit: tuple[int, int] | None = None, weights: int | None = None
) -> Draws:
    """Return the networks with another error, another input to one unit, or weights from a layer on."""
    given = {name: values.copy() for name, values in drawn.quantities.items()}
    if unit:
        given["z" if unit[0] == 1 else "a"][unit] *= -1.5
    if weights:
        given["w"][weights:] *= 2
    return completed(drawn.layout, drawn.activation, given, error * given["delta"][drawn.layout.L, 1])
