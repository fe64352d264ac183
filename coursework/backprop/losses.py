"""The losses E_n, one record each: of the linear output units a = a^(L) and the targets t.

The three have in common that dE_n/da_j^(L) = y_j - t_j, where y is what the loss takes the output for:
a itself, a probability for each unit, or one distribution over the units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array, identity, log1p, sigmoid, softplus

#: How far the targets of one example may be from summing to 1, for what was rounded on the way here.
ROUNDED = 1e-5


def squared(a: Array, t: Array) -> Array:
    """Return sum_j (a_j - t_j)^2 / 2."""
    return np.asarray(((a - t) ** 2).sum(axis=1) / 2)


def logistic(a: Array, t: Array) -> Array:
    """Return the cross-entropy of sigma(a), -sum_j t_j ln sigma(a_j) + (1 - t_j) ln sigma(-a_j)."""
    return np.asarray((t * softplus(-a) + (1 - t) * softplus(a)).sum(axis=1))


def logistic_delta(a: Array, t: Array) -> Array:
    """Return sigma(a) - t without its cancellation where the answer is nearly right."""
    return np.asarray((1 - t) * sigmoid(a) - t * sigmoid(-a))


def softmax(a: Array) -> Array:
    """Return e^a_j / sum_k e^a_k, each row moved so that its largest exponent is 0."""
    _, e, rest = _from_largest(a)
    return np.asarray(e / (1 + rest))


def softmax_loss(a: Array, t: Array) -> Array:
    """Return the cross-entropy of softmax(a), -sum_j t_j ln softmax_j(a)."""
    largest, _, rest = _from_largest(a)
    return np.asarray((t * (log1p(rest) - (a - np.take_along_axis(a, largest, 1)))).sum(axis=1))


def softmax_delta(a: Array, t: Array) -> Array:
    """Return softmax(a) - t without its cancellation where the answer is nearly right."""
    largest, e, rest = _from_largest(a)
    y = e / (1 + rest)
    others = 1 - y
    np.put_along_axis(others, largest, rest / (1 + rest), 1)
    # 1 - t_j is the sum of the other targets, also where rounding left them all a little short of 1
    return np.asarray((t.sum(axis=1, keepdims=True) - t) * y - t * others)


def _from_largest(a: Array) -> tuple[Array, Array, Array]:
    """Return where each row is largest, exp(a - largest), and the sum of it over the other units."""
    largest = np.real(a).argmax(axis=1)[:, None]
    e = np.exp(a - np.take_along_axis(a, largest, 1))
    others = e.copy()
    np.put_along_axis(others, largest, 0, 1)
    return largest, e, others.sum(axis=1, keepdims=True)


def _any_target(t: Array) -> str:
    return ""


def _shares(t: Array) -> str:
    outside = t[~((t >= 0) & (t <= 1))]
    return f"the target {outside[0]} is not a probability; give numbers from 0 to 1" if outside.size else ""


def _distributions(t: Array) -> str:
    total = t.sum(axis=1)
    off = np.abs(total - 1) > ROUNDED
    if off.any():
        n = int(off.argmax())
        return f"the targets of example {n} (counted from 0) sum to {total[n]:.6g}; make every row sum to 1"
    return _shares(t)


@dataclass(frozen=True)
class Loss:
    """One loss; `a` and `t` are (examples, units of layer L).

    Attributes
    ----------
    name : the key in the table.
    E : E_n of every example, (examples,); `a` real or complex, `t` real.
    delta : dE_n/da^(L), (examples, units).
    y : what the output is taken for, (examples, units): delta is y - t.
    latex : E_n in a_j^(L) and t_j, to be printed; the sum over j is written out.
    y_latex : y_j, with the fields `%(a)s` (a_j^(L)) and, for softmax, `%(a_k)s` (a_k^(L)).
    delta_latex : dE_n/da_j^(L), with the same fields and `%(t)s` (t_j).
    refusal : says why targets do not fit the loss, and what would; "" where they do.
    draw : random targets that fit, of a given shape.
    """

    name: str
    E: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], Array]
    y: Callable[[Array], Array]
    latex: str
    y_latex: str
    refusal: Callable[[Array], str]
    draw: Callable[[np.random.Generator, tuple[int, int]], Array]

    @property
    def delta_latex(self) -> str:
        """The LaTeX of dE_n/da_j^(L)."""
        return rf"{self.y_latex}-%(t)s"


LOSSES: dict[str, Loss] = {
    record.name: record
    for record in (
        Loss(
            "squared",
            squared,
            lambda a, t: a - t,
            identity,
            r"\frac{1}{2}\sum_{j}\bigl(a_j^{(L)}-t_j\bigr)^{2}",
            "%(a)s",
            _any_target,
            lambda rng, shape: rng.normal(size=shape),
        ),
        Loss(
            "logistic",
            logistic,
            logistic_delta,
            sigmoid,
            r"-\sum_{j}\Bigl(t_j\ln\sigma\bigl(a_j^{(L)}\bigr)"
            r"+(1-t_j)\ln\bigl(1-\sigma\bigl(a_j^{(L)}\bigr)\bigr)\Bigr)",
            r"\sigma\bigl(%(a)s\bigr)",
            _shares,
            lambda rng, shape: rng.uniform(size=shape),
        ),
        Loss(
            "softmax",
            softmax_loss,
            softmax_delta,
            softmax,
            r"-\sum_{j}t_j\ln\frac{e^{a_j^{(L)}}}{\sum_{k}e^{a_k^{(L)}}}",
            r"\frac{e^{%(a)s}}{\sum_{k}e^{%(a_k)s}}",
            _distributions,
            lambda rng, shape: rng.dirichlet(np.ones(shape[1]), shape[0]),
        ),
    )
}


class UnknownLoss(ValueError):
    """A loss was asked for that is not in the table."""


def loss(name: str) -> Loss:
    """Return the record called `name`; `UnknownLoss` lists the names there are."""
    try:
        return LOSSES[name]
    except KeyError:
        raise UnknownLoss(f"loss {name!r} is not in the table; take one of {', '.join(LOSSES)}") from None
