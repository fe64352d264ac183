"""Formulas evaluated with many digits at networks of tiny and large numbers.

A factor 1 + 1e-20 or a term that is there beyond a threshold only is not seen by float64 at draws of ordinary
size; it is here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np

from coursework.backprop.judge.deadline import look
from coursework.backprop.judge.draws import SPARE, Draws, Function, Values, completed
from coursework.backprop.judge.layout import Layout
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import Apply, Node, Number
from coursework.backprop.judge.value import Evaluator, Scope
from coursework.backprop.judge.wide import spread

#: Equal formulas differ by less than this, relatively; the rest of the digits may be lost by cancelling.
TOLERANCE = 1e-60
#: Most that is put into an exponential function: the digits of what comes out are counted by it.
_LARGEST_EXPONENT = 1e6

_context: Any = mpmath.mp.clone()
_context.dps = 150
_exp: Any = _context.exp


def _exponential(x: Any) -> Any:
    look()  # a sum may contain a hundred thousand of them
    if abs(x) > _LARGEST_EXPONENT:
        raise Unreadable("an exponential function of so large a number stands in it; type it without")
    return _exp(x)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + _exponential(-x))


def _sigmoid_prime(x: Any) -> Any:
    small = _exponential(-abs(x))
    return small / (1 + small) ** 2


def _tanh(x: Any) -> Any:
    return 2 * _sigmoid(2 * x) - 1


def _each(function: Callable[[Any], Any]) -> Function:
    entrywise = np.frompyfunc(function, 1, 1)
    return lambda values: np.asarray(entrywise(values))


number = _each(_context.mpf)


def typed_number(value: float) -> Any:
    """Return the number that was typed, as far as its float64 tells."""
    return _context.mpf(repr(value))


FUNCTIONS: dict[str, Function] = {
    "sigma": _each(_sigmoid),
    "sigma'": _each(_sigmoid_prime),
    "tanh": _each(_tanh),
    "tanh'": _each(lambda x: 1 - _tanh(x) ** 2),
    "relu": _each(lambda x: x if x > 0 else 0 * x),
    "step": _each(lambda x: _context.mpf(x > 0)),
    "exp": _each(_exponential),
    "ln": _each(lambda x: _context.ln(x) if x > 0 else _context.nan),
    "sqrt": _each(lambda x: _context.sqrt(x) if x >= 0 else _context.nan),
    "abs": _each(abs),
}
_HIDDEN = {"sigmoid": ("sigma", "sigma'"), "relu": ("relu", "step"), "tanh": ("tanh", "tanh'")}


def hidden(activation: str) -> tuple[Function, Function]:
    """Return the hidden units' h and h' for such numbers."""
    h, h_prime = _HIDDEN[activation]
    return FUNCTIONS[h], FUNCTIONS[h_prime]


class ExactEvaluator(Evaluator):
    """Evaluates trees at draws of such numbers; a number is what was typed, not the float64 next to it."""

    def value(self, node: Node, scope: Scope) -> Values:
        """Return the value of `node`."""
        match node:
            case Number(text=text):
                look()
                return np.full(self.draws.count, _context.mpf(text), dtype=object)
            case Apply(function=function, argument=argument) if function in FUNCTIONS:
                return np.asarray(FUNCTIONS[function](self.value(argument, scope)))
        return super().value(node, scope)


def _converted(layout: Layout, values: Values) -> Values:
    """Return `values` with the network's own converted; the spare ones, which equal nothing, stay."""
    units = slice(1, max(layout.sizes) + 1)
    own = (slice(1, layout.L + 1), *(units,) * (values.ndim - 2))
    converted = values.astype(object)
    converted[own] = number(values[own])
    return converted


def converted(drawn: Draws) -> Draws:
    """Return the same networks with such numbers: what follows from others is computed again."""
    numbers = {name: _converted(drawn.layout, values) for name, values in drawn.quantities.items()}
    error = number(drawn.quantities["delta"][drawn.layout.L, 1])
    return completed(drawn.layout, drawn.activation, numbers, error, functions=hidden(drawn.activation))


@lru_cache(maxsize=8)
def exact_draws(layout: Layout, activation: str, biases: bool = True) -> Draws:
    """Return networks of such numbers, most of them between 1e-3 and 1e2, the others down to 1e-30.

    Without biases they end at 5, so that the pre-activations, which then follow, saturate no unit entirely.
    In a ReLU network every unit lives, but for one in the last draws, in the first or one of the last layers.
    """
    rng = np.random.default_rng([11, layout.L, len(activation)])
    L = layout.L
    deep = L > 10
    dead = [(2, 1), (L - 1, 1), (L - 2, 1)] if activation == "relu" else []
    S = (3 if deep else 24) + len(dead)
    shape = (L + SPARE + 1, max(layout.sizes) + SPARE + 1, S)

    def drawn(*shape: int) -> Values:
        tiny = rng.random(shape) < (0.2 if deep else 0.04)
        return np.where(tiny, spread(rng, shape, 1e-30, 1e-3), spread(rng, shape, 1e-3, 1e2 if biases else 5))

    a, z, delta, b = (drawn(*shape) for _ in range(4))
    if activation == "relu":
        a[:L] = np.abs(a[:L])
        for s, (l, j) in enumerate(dead, start=S - len(dead)):
            a[l, j, s] *= -1
    given = {"a": a, "z": z, "delta": delta, "b": b, "w": drawn(shape[0], shape[1], *shape[1:])}
    numbers = {name: _converted(layout, values) for name, values in given.items()}
    return completed(layout, activation, numbers, number(drawn(S)), biases, hidden(activation))
