"""A chain of single units, where an array for every number would cost more than all the arithmetic."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from math import exp, log1p, sin, tanh

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.in_place import InPlace
from coursework.backprop.network import DenseNetwork, Gradients, NetworkError, Trace
from coursework.backprop.operations import OPERATIONS

#: The outputs z^(2), z^(3), ... of a chain, from z^(1) and the row of weights w^(1), w^(2), ...  Each h is
#: written out, since calling a function takes as long as computing it.
OUTPUTS: dict[str, Callable[[float, Array], list[float]]] = {
    "sigmoid": lambda z, w: [z := 1 / (1 + exp(minus_w * z)) for minus_w in (-w).tolist()],
    "relu": lambda z, w: [z := 0.0 if (a := w_l * z) <= 0 else a for w_l in w.tolist()],
    "tanh": lambda z, w: [z := tanh(w_l * z) for w_l in w.tolist()],
    "softplus": lambda z, w: [z := log1p(exp(w_l * z)) for w_l in w.tolist()],
    "identity": lambda z, w: [z := w_l * z for w_l in w.tolist()],
    "sin": lambda z, w: [z := sin(w_l * z) for w_l in w.tolist()],
}


class Row(Mapping[int, Array]):
    """Layers of one unit each, kept side by side in `row`; [l] is a view of shape (1, 1)."""

    __slots__ = ("first", "row")

    def __init__(self, row: Array, first: int) -> None:
        self.row, self.first = row, first

    def __getitem__(self, l: int) -> Array:
        if l not in range(self.first, self.first + len(self.row)):
            raise KeyError(l)
        return self.row[l - self.first, None, None]

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.first + len(self.row)))

    def __len__(self) -> int:
        return len(self.row)


class OneWide:
    """Forward through plain floats, backward as one running product.

    In a chain, a^(l+1) = w^(l) z^(l) and delta^(l) = delta^(l+1) w^(l) h'(a^(l)).
    """

    def __init__(self, network: DenseNetwork) -> None:
        if not self.fits(network, 1):
            raise NetworkError(
                f"sizes={network.sizes}, {network.dtype}: not a chain of single float64 units without biases"
            )
        self.network = network
        self.outputs = OUTPUTS[network.activation.name]
        self.h_prime = OPERATIONS[network.activation.name].h_prime

    @staticmethod
    def fits(network: DenseNetwork, examples: int) -> bool:
        """Whether every layer has one unit and no bias, all links are there, and there is one example."""
        one = examples == 1 and set(network.sizes) == {1}
        return one and network.dtype == np.float64 and not network.b and not network.masks

    @cached_property
    def arrays(self) -> InPlace:
        """Where numbers go that `math` refuses and numpy lets overflow."""
        return InPlace(self.network, 1)

    def forward(self, x: Array) -> Trace:
        """Return the trace of the one input `x`, (1, 1)."""
        z = self.network.inputs(x).item()
        w = self.network.parameters
        try:
            # array takes a list of floats in half the time of np.array
            z_row = np.frombuffer(array("d", [z, *self.outputs(z, w[:-1]), 0.0]))
        except OverflowError:
            return self.arrays.forward(x)
        a_row = w * z_row[:-1]
        z_row[-1] = a_row[-1]
        return Trace(Row(a_row, 2), Row(z_row, 1))

    def backward(self, trace: Trace, t: Array) -> Gradients:
        """Return the gradients at a `trace` of `forward`, for the one target `t`, (1, 1)."""
        if not (isinstance(trace.a, Row) and isinstance(trace.z, Row)):
            return self.arrays.backward(trace, t)
        a, z, network = trace.a.row, trace.z.row, self.network
        # from the output down: delta^(L), then w^(l) h'(a^(l)), which each layer multiplies it by
        factors, h_prime = np.empty(len(a)), np.empty(len(a) - 1)
        factors[:1] = network.loss_record.delta(a[-1:, None], network.targets(t, 1))[0]
        self.h_prime(a[:-1], z[1:-1], h_prime)
        h_prime *= network.parameters[1:]
        factors[1:] = h_prime[::-1]
        delta = np.multiply.accumulate(factors, out=factors)[::-1]
        return Gradients(Row(delta, 2), Row(delta * z[:-1], 1), {})
