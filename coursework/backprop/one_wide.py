"""A chain of single units, where an array for every number would cost more than all the arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.network import DenseNetwork, Gradients, NetworkError, Trace
from coursework.backprop.operations import OPERATIONS

#: h of one number; `math.exp` refuses what numpy's lets overflow.
FLOATS: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)) if a > -700 else math.exp(a),
    "relu": lambda a: a if a > 0 else 0.0,
    "tanh": math.tanh,
    "softplus": lambda a: math.log1p(math.exp(a)) if a < 700 else a,
    "identity": lambda a: a,
    "sin": math.sin,
}


class Row(Mapping[int, Array]):
    """Layers of one unit each, kept side by side in `row`; [l] is a view of shape (1, 1), or (1,)."""

    def __init__(self, row: Array, first: int, dimensions: int = 2) -> None:
        self.row, self.first, self.shape = row, first, (1,) * dimensions

    def __getitem__(self, l: int) -> Array:
        if l not in range(self.first, self.first + len(self.row)):
            raise KeyError(l)
        return self.row[l - self.first : l - self.first + 1].reshape(self.shape)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.first + len(self.row)))

    def __len__(self) -> int:
        return len(self.row)


class OneWide:
    """Forward through plain floats, backward as one running product.

    In a chain, a^(l+1) = w^(l) z^(l) + b^(l) and delta^(l) = delta^(l+1) w^(l) h'(a^(l)).
    """

    def __init__(self, network: DenseNetwork) -> None:
        if not self.fits(network, 1):
            raise NetworkError(f"sizes={network.sizes}, {network.dtype}: not a chain of single float64 units")
        self.network = network
        self.h = FLOATS[network.activation.name]
        self.h_prime = OPERATIONS[network.activation.name].h_prime
        weights = network.L - 1
        self.w, self.b = network.parameters[:weights], network.parameters[weights:]

    @staticmethod
    def fits(network: DenseNetwork, examples: int) -> bool:
        """Whether every layer has one unit, there is one example, and all links are there."""
        one = examples == 1 and set(network.sizes) == {1}
        return one and network.dtype == np.float64 and not network.masks

    def forward(self, x: Array) -> Trace:
        """Return the trace of the one input `x`, (1, 1)."""
        z = x_1 = self.network.inputs(x).item()
        h, w, b = self.h, self.w.tolist(), self.b.tolist()
        if b:
            later = [z := h(w_l * z + b_l) for w_l, b_l in zip(w[:-1], b[:-1], strict=True)]
        else:
            later = [z := h(w_l * z) for w_l in w[:-1]]
        z_row = np.array([x_1, *later, 0.0])
        a_row = self.w * z_row[:-1]
        if b:
            a_row += self.b
        z_row[-1] = a_row[-1]
        return Trace(Row(a_row, 2), Row(z_row, 1))

    def backward(self, trace: Trace, t: Array) -> Gradients:
        """Return the gradients at a `trace` of `forward`, for the one target `t`, (1, 1)."""
        if not (isinstance(trace.a, Row) and isinstance(trace.z, Row)):
            raise NetworkError("this trace is another object's; go back with what `forward` returned")
        a, z = trace.a.row, trace.z.row
        h_prime = np.empty(len(a) - 1)
        self.h_prime(a[:-1], z[1:-1], h_prime)
        # from the output down: delta^(L), then what each layer multiplies it by
        factors = np.empty(len(a))
        factors[0] = self.network.loss_record.delta(trace.y, self.network.targets(t, 1)).item()
        np.multiply(h_prime, self.w[1:], out=factors[:0:-1])
        delta = np.multiply.accumulate(factors, out=factors)[::-1]
        return Gradients(Row(delta, 2), Row(delta * z[:-1], 1), Row(delta[: len(self.b)], 1, 1))
