"""The four lines of numpy that are backpropagation, and the program that they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array, sigmoid
from coursework.backprop.expression import Difference, Expression, Letters
from coursework.backprop.layers import Layer, Level, layer_code, layer_number
from coursework.backprop.losses import softmax
from coursework.backprop.matrix import (
    Applied,
    BatchSum,
    Elementwise,
    Line,
    MatMul,
    State,
    Transposed,
    Whole,
)
from coursework.backprop.network import DenseNetwork, Gradients, Trace

#: What each loss takes the output for, as a function of the state; None is the output itself.
OUTPUTS = {"squared": None, "logistic": "sigmoid", "softmax": "softmax"}


def output_line(network: DenseNetwork, l: Layer) -> Line:
    """Return Delta^(L) = Y - T."""
    function, a = OUTPUTS[network.loss_record.name], Whole("a", l)
    return Line(Whole("delta", l), Difference(Applied(function, a) if function else a, Whole("t")))


def hidden_line(l: Layer) -> Line:
    """Return Delta^(l) = h'(A^(l)) o (Delta^(l+1) W^(l))."""
    back = MatMul(Whole("delta", l + 1), Whole("w", l))
    return Line(Whole("delta", l), Elementwise(Applied("h_prime", Whole("a", l)), back))


def weight_line(network: DenseNetwork, l: Layer) -> Line:
    """Return dE/dW^(l) = Delta^(l+1)T Z^(l), times the mask where there is one."""
    value: Expression = MatMul(Transposed(Whole("delta", l + 1)), Whole("z", l))
    masked = bool(network.masks) if isinstance(l, Level) else l in network.masks
    return Line(Whole("dw", l), Elementwise(value, Whole("links", l)) if masked else value)


def bias_line(l: Layer) -> Line:
    """Return dE/dB^(l) = sum over n of Delta^(l+1)."""
    return Line(Whole("db", l), BatchSum(Whole("delta", l + 1)))


@dataclass(frozen=True)
class Loop:
    """Lines for every layer l from `first` on, up or down, the layer `stop` no more among them."""

    first: Layer
    stop: Layer
    lines: tuple[Line, ...]
    step: int = 1

    def code(self) -> str:
        """Return the loop as Python."""
        bounds = f"{layer_code(self.first)}, {layer_code(self.stop)}" + (
            f", {self.step}" if self.step != 1 else ""
        )
        return "\n    ".join([f"for l in range({bounds}):", *(line.code() for line in self.lines)])

    def run(self, state: State, letters: Letters) -> None:
        """Do in `state` what the lines say."""
        for l in range(layer_number(self.first, letters), layer_number(self.stop, letters), self.step):
            for line in self.lines:
                line.run(state, {**letters, "l": l})


#: A program: lines and loops, one after another.
Program = tuple[Line | Loop, ...]


def backward_program(network: DenseNetwork) -> Program:
    """Return the way back through `network`: every delta, then every gradient."""
    l, L = Level("l"), Level("L")
    gradients = (weight_line(network, l), *((bias_line(l),) if network.b else ()))
    return (output_line(network, L), Loop(L - 1, 1, (hidden_line(l),), step=-1), Loop(1, L, gradients))


def program_code(program: Program) -> str:
    """Return the program as Python, to be run with the names of a `batch_state`."""
    return "\n".join(part.code() for part in program)


def batch_state(network: DenseNetwork, trace: Trace, t: Array) -> State:
    """Return what the lines need for one batch: its arrays, and zeros for what they are to compute."""
    return {
        **{"a": trace.a, "z": trace.z, "w": network.w, "b": network.b, "t": t, "L": network.L},
        "links": {l: network.masks.get(l, np.ones_like(network.w[l])) for l in network.w},
        "delta": {l: np.zeros_like(trace.a[l]) for l in trace.a},
        "dw": {l: np.zeros_like(network.w[l]) for l in network.w},
        "db": {l: np.zeros_like(network.b[l]) for l in network.b},
        **{"h": network.activation.h, "h_prime": network.activation.h_prime},
        **{"sigmoid": sigmoid, "softmax": softmax},
    }


def run_program(program: Program, state: State) -> Gradients:
    """Run `program` in `state` and return what it left there."""
    for part in program:
        part.run(state, {"L": state["L"]})
    return Gradients(dict(state["delta"]), dict(state["dw"]), dict(state["db"]))
