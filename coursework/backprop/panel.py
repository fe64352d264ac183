"""A panel to turn knobs on: a network's weights, input, target and activation, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from coursework._common.panel import Panel
from coursework._common.states import State, states_html
from coursework._common.svg import subscript, superscript
from coursework.backprop.activations import ACTIVATIONS, Array
from coursework.backprop.derivation import Derivation, derive
from coursework.backprop.drawing import draw_values
from coursework.backprop.expression import number
from coursework.backprop.network import DenseNetwork
from coursework.backprop.point import ExamplePoint, random_point
from coursework.backprop.symbols import LOSS, Partial, W

#: Layer l and units j and k of a weight w_jk^(l).
Place = tuple[int, int, int]


class Workbench:
    """A network with one example, whose numbers can be changed one at a time.

    Parameters
    ----------
    sizes, activation, seed : of the random point it starts from; its numbers are rounded to two decimals.
    """

    def __init__(self, sizes: Sequence[int], activation: str = "sigmoid", seed: int = 0) -> None:
        point = random_point(sizes, activation, seed=seed)
        self.w: dict[int, Array] = {l: np.round(w, 2) for l, w in point.network.w.items()}
        self.x, self.t = np.round(point.x[0], 2), np.round(point.t[0], 2)

    @property
    def places(self) -> list[Place]:
        """Every weight."""
        return [
            (l, j, k)
            for l, w in self.w.items()
            for j, k in product(range(1, w.shape[0] + 1), range(1, w.shape[1] + 1))
        ]

    def weight(self, place: Place) -> float:
        """Return the number that a weight is."""
        l, j, k = place
        return float(self.w[l][j - 1, k - 1])

    def state(self, activation: str, place: Place, weight: float, t: float, **inputs: float) -> State:
        """Return the state with these numbers, which are kept.

        Parameters
        ----------
        place, weight : the weight to set, whose derivative is written out below the drawing, and its value.
        t : the target of the first output unit. inputs : `x1`, `x2`, ...; those not named stay.
        """
        l, j, k = place
        self.w[l][j - 1, k - 1] = weight
        self.t[0] = t
        for name, value in inputs.items():
            self.x[int(name[1:]) - 1] = value
        point = ExamplePoint(DenseNetwork.from_weights(self.w, activation=activation), self.x, self.t)
        drawing = draw_values(point)
        derivation = _derivation(tuple(point.network.sizes), activation, place)
        general, asked = derivation.general, derivation.target.latex()
        derivative = general.value(point)
        lines = (
            rf"$\displaystyle {asked} = {general.latex} = {general.numbers(point)} = {number(derivative)}$",
            _with_breaks(rf"{asked} = {derivation.specific.latex}"),
            rf"$E_n = {number(float(point.network.loss(point.trace, point.t)[0]))}$",
        )
        shown = (f"{value:.4g}".replace("-", "−") for value in (weight, derivative))
        chosen = "The weight {} is {}, its derivative {}.".format(_name(place), *shown)
        return State(drawing.svg, f"{drawing.alt} {chosen}", lines)


@cache
def _derivation(sizes: tuple[int, ...], activation: str, place: Place) -> Derivation:
    return derive(DenseNetwork(sizes, activation), Partial(LOSS, W(*place)))


def _with_breaks(latex: str) -> str:
    """Return a formula in pieces between dollar signs: a narrow page may break it before each sum."""
    first, *sums = latex.split(r"\,\sum")
    return " ".join(rf"$\displaystyle {piece}$" for piece in (first, *(rf"\sum{part}" for part in sums)))


def _mark(value: float) -> str:
    return f"{value + 0.0:g}".replace("-", "−")


def _marks(values: set[float]) -> dict[str, float]:
    return {_mark(value): value for value in sorted(values)}


def _name(place: Place) -> str:
    l, j, k = place
    return f"w{subscript(j)}{'' if max(j, k) < 10 else ','}{subscript(k)}{superscript(f'({l})')}"


def network_panel(
    sizes: Sequence[int] = (3, 3, 3, 1), *, activation: str = "sigmoid", seed: int = 0
) -> Panel:
    """Return the panel: widgets in JupyterLab, elsewhere states computed beforehand.

    Parameters
    ----------
    sizes, activation, seed : of the random point that it starts from.
    """
    bench = Workbench(sizes, activation, seed)
    target_name = f"target t{subscript(1) if sizes[-1] > 1 else ''}"

    def controls() -> Mapping[str, Any]:
        from ipywidgets import Dropdown, FloatSlider

        shared = {"style": {"description_width": "initial"}, "layout": {"width": "20rem"}}

        def slider(value: float, description: str) -> Any:
            return FloatSlider(value, min=-4, max=4, step=0.01, description=description, **shared)

        first = bench.places[0]
        places = [(_name(place), place) for place in bench.places]
        choice = Dropdown(options=places, value=first, description="weight", **shared)
        weight = slider(bench.weight(first), "its value")
        # before anyone asks for a state with the new place and the old value
        choice.observe(lambda change: weight.set_trait("value", bench.weight(change["new"])), "value")
        kind = Dropdown(options=list(ACTIVATIONS), value=activation, description="activation", **shared)
        inputs = {f"x{i}": slider(float(x), f"x{subscript(i)}") for i, x in enumerate(bench.x, start=1)}
        target = slider(float(bench.t[0]), target_name)
        return {"activation": kind, "place": choice, "weight": weight, **inputs, "t": target}

    def static() -> str:
        still = Workbench(sizes, activation, seed)
        first = still.places[0]
        w, x, t = still.weight(first), float(still.x[0]), float(still.t[0])
        other = "sigmoid" if activation == "relu" else "relu"
        knobs: dict[str, dict[str, Any]] = {
            "activation": {activation: activation, other: other},
            _name(first): _marks({-2.0, w, 2.0}),
            f"x{subscript(1)}": _marks({x, -x or 1.0}),
            target_name: _marks({t, -t or 1.0}),
        }
        axes = {name: tuple(values) for name, values in knobs.items()}
        states: dict[tuple[str, ...], State] = {}
        for marks in product(*axes.values()):
            kind, weight, x1, target = (knobs[name][mark] for name, mark in zip(axes, marks, strict=True))
            states[marks] = still.state(kind, first, weight, target, x1=x1)
        start = (activation, *(_mark(value) for value in (w, x, t)))
        return states_html("A network with its numbers", axes, states, start)

    title = "the network as weights, input, target and activation vary"
    return Panel(title, controls, bench.state, static)
