"""The chain rule, step by step, for any sizes: each step one formula, printed and evaluated alike."""

from __future__ import annotations

from dataclasses import dataclass

from coursework.backprop.expression import Difference, Expression, Point, Sum, UndefinedSymbol
from coursework.backprop.network import DenseNetwork
from coursework.backprop.symbols import (
    LOSS,
    A,
    Delta,
    HPrime,
    Index,
    Partial,
    Slope,
    Symbol,
    T,
    TOfMany,
    W,
    X,
    Z,
)

#: The letters of nested sums, outermost first.
LETTERS = "kmpqrsuv"


@dataclass(frozen=True)
class Step:
    """One line of a derivation: what stands there, and why it equals the line before."""

    expression: Expression
    reason: str

    @property
    def latex(self) -> str:
        """The line, to be printed."""
        return self.expression.latex()

    @property
    def code(self) -> str:
        """The same line in numpy."""
        return self.expression.code()

    def value(self, point: Point) -> float:
        """Return what the line comes to at `point`."""
        return float(self.expression.evaluate(point))


@dataclass(frozen=True)
class Derivation:
    """A derivative, derived.

    Attributes
    ----------
    target : what was asked.
    steps : from the question to the general answer.
    expanded : the answer with every delta put in, so that only a, z, w, t and h' are left.
    specific : the same for the network's own activation.
    """

    target: Partial
    steps: tuple[Step, ...]
    expanded: Step
    specific: Step

    @property
    def general(self) -> Step:
        """The answer in terms of the next layer's delta."""
        return self.steps[-1]

    @property
    def lines(self) -> tuple[Step, ...]:
        """Every line, the three answers included."""
        return (*self.steps, self.expanded, self.specific)


def derive(network: DenseNetwork, target: Partial) -> Derivation:
    """Derive dE_n/da_j^(l) or dE_n/dw_jk^(l) in `network`.

    Raises
    ------
    UndefinedSymbol : the network has no such unit or weight, or the target is of another kind.
    """
    bottom = target.bottom
    if target.top != LOSS or not isinstance(bottom, A | W):
        raise UndefinedSymbol(f"${target.latex()}$: ask for the derivative of $E_n$ by an $a$ or a $w$")
    _require(network, bottom)
    if isinstance(bottom, W):
        steps = _weight_steps(bottom)
        units_out = _expanded_delta(network, bottom.l + 1, bottom.j)
        expanded: Expression = (X if bottom.l == 1 else Z)(bottom.l, bottom.k) * units_out
    else:
        steps = _output_steps(network, bottom) if bottom.l == network.L else _hidden_steps(network, bottom)
        expanded = _expanded_delta(network, bottom.l, bottom.j)

    def own_slope(part: Expression) -> Expression:
        return Slope(part.l, part.j, network.activation) if type(part) is HPrime else part

    return Derivation(
        target,
        (Step(target, "what is asked"), *steps),
        Step(expanded, "every $\\delta$ put in"),
        Step(expanded.rebuilt(own_slope), f"$h'$ of the {network.activation.name} put in"),
    )


def _require(network: DenseNetwork, bottom: Symbol) -> None:
    sizes = dict(enumerate(network.sizes, start=1))
    there = 1 <= int(bottom.j) <= sizes.get(bottom.l, 0) and bottom.l > 1
    if isinstance(bottom, W):
        there = 1 <= int(bottom.j) <= sizes.get(bottom.l + 1, 0) and 1 <= int(bottom.k) <= sizes.get(
            bottom.l, 0
        )
    if not there:
        raise UndefinedSymbol(f"a network of sizes {network.sizes} has no ${bottom.latex()}$")


def _target(network: DenseNetwork, j: Index) -> T:
    return T(network.L, j) if network.sizes[-1] == 1 else TOfMany(network.L, j)


def _output_steps(network: DenseNetwork, a: A) -> list[Step]:
    return [
        Step(
            Difference(a, _target(network, a.j)),
            "the output is linear, $E_n$ is half a square: its 2 cancels the one half",
        )
    ]


def _hidden_steps(network: DenseNetwork, a: A) -> list[Step]:
    l, j, units = a.l, a.j, network.sizes[a.l]
    above, w, delta = A(l + 1, "k"), W(l, "k", j), Delta(l + 1, "k")
    answer = HPrime(l, j) * Sum("k", units, w * delta)
    steps = [
        Step(
            Sum("k", units, Partial(LOSS, above) * Partial(above, a)),
            f"chain rule: ${a.latex()}$ acts on $E_n$ through every unit $k$ of layer {l + 1}",
        ),
        Step(Sum("k", units, delta * Partial(above, a)), "the first factor is what $\\delta$ stands for"),
        Step(
            Sum("k", units, delta * w * HPrime(l, j)),
            f"of the sum ${above.latex()}=\\sum_m {W(l, 'k', 'm').latex()}\\,h({A(l, 'm').latex()})$ "
            f"only the term $m={j}$ moves with ${a.latex()}$",
        ),
        Step(answer, f"${HPrime(l, j).latex()}$ does not depend on $k$"),
    ]
    if units == 1:
        steps.append(Step(HPrime(l, j) * (w * delta).at("k", 1), "the sum has one term"))
    return steps


def _weight_steps(w: W) -> list[Step]:
    above, delta, below = A(w.l + 1, w.j), Delta(w.l + 1, w.j), Z(w.l, w.k)
    steps = [
        Step(
            Partial(LOSS, above) * Partial(above, w),
            f"chain rule: ${w.latex()}$ acts on $E_n$ through ${above.latex()}$ alone",
        ),
        Step(delta * Partial(above, w), "the first factor is what $\\delta$ stands for"),
        Step(
            delta * below,
            f"${above.latex()}=\\sum_m {W(w.l, w.j, 'm').latex()}\\,{Z(w.l, 'm').latex()}$ "
            f"is linear in ${w.latex()}$, with ${below.latex()}$ before it",
        ),
    ]
    if w.l == 1:
        steps.append(Step(delta * X(1, w.k), "layer 1 is the input"))
    return steps


def _expanded_delta(network: DenseNetwork, l: int, j: Index, depth: int = 0) -> Expression:
    if l == network.L:
        return Difference(A(l, j), _target(network, j))
    if depth == len(LETTERS):
        return Delta(l, j)
    units = network.sizes[l]
    k: Index = LETTERS[depth] if units > 1 else 1
    term = W(l, k, j) * _expanded_delta(network, l + 1, k, depth + (units > 1))
    return HPrime(l, j) * (Sum(k, units, term) if isinstance(k, str) else term)
