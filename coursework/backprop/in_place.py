"""Forward and backward without a new array in sight: the equations of `network`, for batches of one size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.network import DenseNetwork, Gradients, NetworkError, Trace
from coursework.backprop.operations import operations


class InPlace:
    """A network whose layers are computed in arrays laid out once, for batches of one size."""

    def __init__(self, network: DenseNetwork, examples: int) -> None:
        if network.dtype not in (np.float32, np.float64) or examples < 1:
            raise NetworkError(
                f"{examples} examples of {network.dtype} numbers; one or more of float32 or float64 can be "
                "computed in place, `network.forward` takes any"
            )
        self.network, self.examples = network, examples
        L, sizes = network.L, network.sizes
        hidden = range(2, L)

        def row(layers: range) -> tuple[Array, dict[int, Array]]:
            # the layers side by side in one row, so that what is done to every unit is done in one call
            ends = np.cumsum([0, *(examples * sizes[l - 1] for l in layers)]).tolist()
            whole = np.zeros(ends[-1], network.dtype)
            parts = zip(layers, pairwise(ends), strict=True)
            return whole, {l: whole[start:end].reshape(examples, -1) for l, (start, end) in parts}

        a_row, self.a = row(range(2, L + 1))
        self._z, z = row(hidden)
        self._spare, self.spare = row(hidden)
        _, self.delta = row(range(2, L + 1))
        self._a = a_row[: len(self._z)]
        self.z = {1: np.zeros((examples, sizes[0]), network.dtype), **z, L: self.a[L]}
        self.dw = {l: np.empty_like(network.w[l]) for l in network.w}
        self.db = {l: np.empty_like(network.b[l]) for l in network.b}
        self.w_T = {l: w.T for l, w in network.w.items()}
        self.delta_T = {l: delta.T for l, delta in self.delta.items()}
        self.trace = Trace(self.a, self.z)
        self.gradients = Gradients(self.delta, self.dw, self.db)
        self.operations = operations(network.activation.name, len(self._z))

    def forward(self, x: Array) -> Trace:
        """Return the trace of the inputs `x`; it is overwritten by the next call."""
        x = self.network.inputs(x)
        if len(x) != self.examples:
            raise NetworkError(f"{len(x)} examples x; these arrays were laid out for {self.examples}")
        a, z, w_T, b, L = self.a, self.z, self.w_T, self.network.b, self.network.L
        h, spare = self.operations.h, self.spare
        z[1] = x
        for l in w_T:
            np.dot(z[l], w_T[l], out=a[l + 1])
            if b:
                a[l + 1] += b[l]
            if l + 1 < L:
                h(a[l + 1], z[l + 1], spare[l + 1])
        return self.trace

    def backward(self, trace: Trace, t: Array) -> Gradients:
        """Return the gradients at this object's own `trace`; they are overwritten by the next call."""
        if trace is not self.trace:
            raise NetworkError("this trace is another object's; go back with what `forward` returned")
        network, a, z, delta, L = self.network, self.a, self.z, self.delta, self.network.L
        h_prime = self.spare
        self.operations.h_prime(self._a, self._z, self._spare)
        delta[L][...] = network.loss_record.delta(a[L], network.targets(t, self.examples))
        for l in range(L - 1, 1, -1):
            np.dot(delta[l + 1], network.w[l], out=delta[l])
            delta[l] *= h_prime[l]
        for l, dw in self.dw.items():
            np.dot(self.delta_T[l + 1], z[l], out=dw)
        for l, mask in network.masks.items():
            self.dw[l] *= mask
        for l, db in self.db.items():
            delta[l + 1].sum(axis=0, out=db)
        return self.gradients
