"""The steps of each derivation, each with its reason: the chain rule, for one kind of target at a time."""

from __future__ import annotations

from coursework.backprop.expansion import output_delta, target_of
from coursework.backprop.expression import Difference, Expression, Number, Quotient
from coursework.backprop.functions import Negative, Same
from coursework.backprop.links import links_from, only_unit
from coursework.backprop.network import DenseNetwork
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import LOSS, A, B, Delta, HPrime, Partial, W, X, Y, Z

#: A formula, and why it equals the one before.
Reasoned = tuple[Expression, str]

_DELTA = r"the first factor is what $\delta$ stands for"


def output_steps(network: DenseNetwork, a: A, letter: str) -> list[Reasoned]:
    """Derive dE_n/da_j^(L), for each loss."""
    t, y = target_of(network, a.j), Y(a.l, a.j)
    answer = output_delta(network, a.l, a.j, letter)
    match network.loss_record.name:
        case "logistic":
            per_y = Difference(Quotient(Number(1) - t, Number(1) - y), Quotient(t, y))
            return [
                (
                    per_y * Partial(y, a),
                    rf"only $-{t.latex()}\ln {y.latex()}-(1-{t.latex()})\ln(1-{y.latex()})$ moves with "
                    f"${a.latex()}$: chain rule through ${y.latex()}$",
                ),
                (
                    per_y * (y * (Number(1) - y)),
                    rf"${y.latex()}=\sigma({a.latex()})$, and $\sigma'=\sigma(1-\sigma)$",
                ),
                (y - t, "multiplied out"),
                (answer, f"${y.latex()}$ put in"),
            ]
        case "softmax":
            return _softmax_steps(network, a, letter)
    return [(answer, "the output is linear, $E_n$ is half a square: its 2 cancels the one half")]


def _softmax_steps(network: DenseNetwork, a: A, k: str) -> list[Reasoned]:
    units = network.sizes[-1]
    t, y = target_of(network, a.j), Y(a.l, a.j)
    t_k, y_k = target_of(network, k), Y(a.l, k)
    every = rf"\sum_{{{k}}}{t_k.latex()}"
    return [
        (
            Negative(Sum(k, units, Quotient(t_k, y_k) * Partial(y_k, a))),
            rf"$E_n=-\sum_{{{k}}}{t_k.latex()}\ln {y_k.latex()}$, and ${a.latex()}$ acts on every "
            f"${y_k.latex()}$: chain rule",
        ),
        (
            Negative(Sum(k, units, Quotient(t_k, y_k) * y_k * (Same(k, a.j) - y))),
            "the quotient rule; the bracket with the equals sign is 1 where it is true and 0 elsewhere",
        ),
        (Sum(k, units, t_k) * y - t, f"multiplied out: the bracket leaves only the term ${k}={a.j}$"),
        (y - t, f"the targets are shares of one whole: ${every}=1$"),
        (output_delta(network, a.l, a.j, k), f"${y.latex()}$ put in"),
    ]


def hidden_steps(network: DenseNetwork, a: A, letters: list[str]) -> list[Reasoned]:
    """Derive dE_n/da_j^(l) of a hidden unit."""
    l, j, k, m = a.l, a.j, *letters[:2]
    bound = links_from(network, l, j)
    above, w, delta = A(l + 1, k), W(l, k, j), Delta(l + 1, k)
    term = rf"{W(l, k, m).latex()}\,h({A(l, m).latex()})"
    steps: list[Reasoned] = [
        (
            Sum(k, bound, Partial(LOSS, above) * Partial(above, a)),
            f"chain rule: ${a.latex()}$ acts on $E_n$ through every unit ${k}$ of layer ${l + 1}$"
            + (" that it is linked to" if network.masks else ""),
        ),
        (Sum(k, bound, delta * Partial(above, a)), _DELTA),
        (
            Sum(k, bound, delta * w * HPrime(l, j)),
            rf"of the sum ${above.latex()}=\sum_{m} {term}$ only the term ${m}={j}$ moves with ${a.latex()}$",
        ),
        (HPrime(l, j) * Sum(k, bound, w * delta), f"${HPrime(l, j).latex()}$ does not depend on ${k}$"),
    ]
    one = only_unit(bound)
    if one is not None:
        steps.append((HPrime(l, j) * (w * delta).at(k, one), "the sum has one term"))
    return steps


def weight_steps(w: W, m: str) -> list[Reasoned]:
    """Derive dE_n/dw_jk^(l)."""
    above, delta, below = A(w.l + 1, w.j), Delta(w.l + 1, w.j), Z(w.l, w.k)
    steps: list[Reasoned] = [
        (
            Partial(LOSS, above) * Partial(above, w),
            f"chain rule: ${w.latex()}$ acts on $E_n$ through ${above.latex()}$ alone",
        ),
        (delta * Partial(above, w), _DELTA),
        (
            delta * below,
            rf"${above.latex()}=\sum_{m} {W(w.l, w.j, m).latex()}\,{Z(w.l, m).latex()}$ "
            f"is linear in ${w.latex()}$, with ${below.latex()}$ before it",
        ),
    ]
    if w.l == 1:
        steps.append((delta * X(1, w.k), "layer 1 is the input"))
    return steps


def bias_steps(b: B) -> list[Reasoned]:
    """Derive dE_n/db_j^(l)."""
    above, delta = A(b.l + 1, b.j), Delta(b.l + 1, b.j)
    return [
        (
            Partial(LOSS, above) * Partial(above, b),
            f"chain rule: ${b.latex()}$ acts on $E_n$ through ${above.latex()}$ alone",
        ),
        (delta * Partial(above, b), _DELTA),
        (delta, f"${b.latex()}$ is added to ${above.latex()}$ as it is"),
    ]
