"""The chain rule, step by step, for any network: each step one formula, printed, run and evaluated alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from coursework.backprop.expansion import LETTERS, one_product, output_delta, written_out
from coursework.backprop.expression import Expression, Product, UndefinedSymbol, flattened
from coursework.backprop.layers import Layer, layer_code, layer_number
from coursework.backprop.lines import bias_line, hidden_line, output_line, weight_line
from coursework.backprop.links import is_output, places
from coursework.backprop.matrix import Line, units_text
from coursework.backprop.network import DenseNetwork
from coursework.backprop.point import ExamplePoint
from coursework.backprop.reasons import Reasoned, bias_steps, hidden_steps, output_steps, weight_steps
from coursework.backprop.series import Prod
from coursework.backprop.slopes import slope
from coursework.backprop.symbols import (
    LOSS,
    A,
    B,
    Delta,
    HPrime,
    Partial,
    Symbol,
    T,
    W,
    X,
    Y,
    Z,
)

#: Layers above a unit with one path to the output, from which on one product stands for the factors.
MANY_LAYERS = 8


@dataclass(frozen=True)
class Step:
    """One line of a derivation: what stands there, and why it equals the line before.

    Attributes
    ----------
    expression : the formula; what is printed, run and checked all comes from it.
    reason : Markdown.
    shapes : the shape of each array that `code` reads, under its name there.
    """

    expression: Expression
    reason: str
    shapes: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def latex(self) -> str:
        """The line, to be printed."""
        return self.expression.latex()

    @property
    def code(self) -> str:
        """The same line in numpy, to be run with the names of `ExamplePoint.arrays`, units from 0."""
        return self.expression.code()

    def at(self, **letters: int) -> Step:
        """Return the line with numbers for letters: `at(l=2, j=1)`."""
        expression = self.expression
        for letter, number in letters.items():
            expression = expression.at(letter, number)
        return replace(self, expression=expression)

    def numbers(self, point: ExamplePoint) -> str:
        """Return the line with every symbol as this point's number."""
        return self.expression.at("L", point.network.L).numbers(point)

    def value(self, point: ExamplePoint, **letters: int) -> float:
        """Return what the line comes to at `point`, its letters bound, units from 1: `l=2, j=1`."""
        return float(self.expression.evaluate(point, {"L": point.network.L, **letters}))


@dataclass(frozen=True)
class Derivation:
    """A derivative, derived.

    Attributes
    ----------
    target : what was asked.
    steps : from the question to the general answer.
    expanded : the answer with every delta put in (in a deep network, those of the next layers), so that
        only a, z, w, t and h' are left; for a layer without a number there is only the one product, and
        where there is none, the general answer.
    specific : the same for the network's own activation.
    matrix : the line of numpy that does it for all units of the layer and all examples.
    sizes : units of the layers of the network.
    """

    target: Partial
    steps: tuple[Step, ...]
    expanded: Step
    specific: Step
    matrix: Line
    sizes: tuple[int, ...]

    @property
    def general(self) -> Step:
        """The answer in terms of the next layer's delta."""
        return self.steps[-1]

    @property
    def lines(self) -> tuple[Step, ...]:
        """Every line, the three answers included."""
        return (*self.steps, self.expanded, self.specific)

    def at(self, **letters: int) -> Derivation:
        """Return the derivation with numbers for letters, such as `at(l=2, j=1, k=3)`."""
        top, bottom = self.target.top, self.target.bottom
        for letter, number in letters.items():
            bottom = bottom.placed(letter, number)
        return replace(
            self,
            target=Partial(top, bottom),
            steps=tuple(step.at(**letters) for step in self.steps),
            expanded=self.expanded.at(**letters),
            specific=self.specific.at(**letters),
        )


def derive(network: DenseNetwork, target: Partial) -> Derivation:
    """Derive dE_n/da_j^(l), dE_n/dw_jk^(l) or dE_n/db_j^(l) in `network`.

    Units may be letters, and the layer may be `Level("l")`: a hidden layer, any.

    Raises
    ------
    UndefinedSymbol : the network has no such unit, weight or bias, or the target is of another kind.
    """
    bottom = target.bottom
    if target.top != LOSS or type(bottom) not in (A, B, W):
        raise UndefinedSymbol(
            f"${target.latex()}$: ask for the derivative of $E_n$ by an $a$, a $w$ or a $b$"
        )
    found = list(places(network, bottom))
    if not found:
        raise UndefinedSymbol(_missing(network, bottom))
    own = {bottom.j, getattr(bottom, "k", None)}
    letters = [letter for letter in LETTERS if letter not in own]
    steps, matrix = _steps(network, bottom, letters)
    above: Layer = bottom.l if isinstance(bottom, A) else bottom.l + 1
    layers = [layer_number(above, place) for place in found]
    expanded = _expanded(network, A(above, bottom.j), layers, letters)
    if expanded is None:
        expanded, reason = steps[-1][0], "that is all that can be said of any layer"
    else:
        left = any(isinstance(part, Delta) for part in expanded.walk())
        reason = r"the $\delta$ of the next layers put in" if left else r"every $\delta$ put in"
        if isinstance(bottom, W):
            expanded = _with_input(expanded, (X if bottom.l == 1 else Z)(bottom.l, bottom.k))

    def own_slope(part: Expression) -> Expression:
        return slope(network.activation.name, part) if isinstance(part, HPrime) else part

    def step(expression: Expression, reason: str) -> Step:
        return Step(expression, reason, _shapes(network, expression))

    return Derivation(
        target,
        (step(target, "what is asked"), *(step(*each) for each in steps)),
        step(expanded, reason),
        step(flattened(expanded.rebuilt(own_slope)), f"$h'$ of the {network.activation.name} put in"),
        matrix,
        tuple(network.sizes),
    )


def _steps(network: DenseNetwork, bottom: Symbol, letters: list[str]) -> tuple[list[Reasoned], Line]:
    if isinstance(bottom, W):
        return weight_steps(bottom, letters[0]), weight_line(network, bottom.l)
    if isinstance(bottom, B):
        return bias_steps(bottom), bias_line(bottom.l)
    assert isinstance(bottom, A), "derive lets no other target pass"
    if is_output(network, bottom.l):
        return output_steps(network, bottom, letters[0]), output_line(network, bottom.l)
    return hidden_steps(network, bottom, letters), hidden_line(bottom.l)


def _expanded(network: DenseNetwork, above: A, layers: list[int], letters: list[str]) -> Expression | None:
    """Return delta of the unit `above` written out, or None where its layer has no number and no product."""
    if is_output(network, above.l):
        return output_delta(network, above.l, above.j, letters[0])
    product = one_product(network, above.l, above.j, layers, letters[0])
    if isinstance(above.l, int) and (product is None or network.L - above.l < MANY_LAYERS):
        return written_out(network, above.l, above.j, iter(letters))
    return product


def _with_input(delta: Expression, z: Symbol) -> Expression:
    """Return z delta, the product over the layers kept at its end."""
    factors = delta.factors if isinstance(delta, Product) else (delta,)
    if isinstance(factors[-1], Prod):
        return Product((*factors[:-1], z, factors[-1]))
    return z * delta


def _missing(network: DenseNetwork, bottom: Symbol) -> str:
    text = f"a network of sizes {network.sizes} has no ${bottom.latex()}$"
    if isinstance(bottom, B) and not network.b:
        return f"{text}: it was made without biases"
    if isinstance(bottom, W) and network.masks:
        return f"{text}, or its mask says that there is no such link"
    return text


def _shapes(network: DenseNetwork, expression: Expression) -> dict[str, str]:
    shapes = {}
    for part in expression.walk():
        if isinstance(part, W):
            rows, columns = (units_text(network.sizes, l) for l in (part.l + 1, part.l))
            shapes[f"w[{layer_code(part.l)}]"] = f"({rows}, {columns})"
        elif isinstance(part, A | Z | Delta | HPrime):
            letter = "a" if isinstance(part, HPrime) else part.letter
            shapes[f"{letter}[{layer_code(part.l)}]"] = f"({units_text(network.sizes, part.l)},)"
        elif isinstance(part, X | T | Y):
            shapes[part.letter] = f"({network.sizes[0 if isinstance(part, X) else -1]},)"
    return shapes
