"""All gradients of whole batches as (sign, log10 magnitude): nothing underflows, and still fast.

Backward, and forward where h is homogeneous and there are no biases, a layer's numbers are divided by a
power of two every few layers and the exponents kept. Networks in which a number leaves the range where
float64 is safe between two divisions are found, and run once more in `Scaled` numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from coursework.gradients.chain import Networks, run
from coursework.gradients.fast import Memory, backward_into, onward_into, outer_into, require_fast
from coursework.gradients.scaled import Array, Scaled

Booleans = NDArray[np.bool_]

#: Layers between two divisions.
_EVERY = 16
#: Numbers from here up are safe: the product of three of them is a normal float.
_SAFE = 2.0**-300
#: Stands for 0 where a logarithm is taken, since that of 0 takes four times as long.
_TINY = 2.0**-1000
_LOG10_2 = float(np.log10(2.0))


@dataclass(frozen=True)
class LogGradients:
    """Every gradient of a batch.

    Attributes
    ----------
    log10 : log10 |dE/dw^(l)| in the shape of w[l], for every l; -inf where exactly zero.
    negative : where dE/dw^(l) < 0.
    recomputed : how many networks were run in `Scaled` numbers.
    """

    log10: dict[int, Array]
    negative: dict[int, Booleans]
    recomputed: int


class LogMemory(Memory):
    """The memory of a pass in logarithms; see `Memory`.

    Attributes
    ----------
    slope : h'(a[l]).
    negative : what the pass returns.
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__(networks)
        memory = np.empty((networks.depth, *self.spare.shape))
        self.slope = {l: memory[l - 2, : len(z)] for l, z in self.z.items() if l > 1}
        self.negative = {l: np.empty(shape, dtype=bool) for l, shape in self.shapes.items()}


def _sigmoid(a: Array, slope: Array) -> None:
    # with p = e^a, r = 1 / (1 + p): z = p r and z (1 - z) = z r, both to the last digits
    tensor = torch.from_numpy(a)
    torch.exp(tensor, out=tensor)
    np.add(a, 1.0, out=slope)
    np.reciprocal(slope, out=slope)
    np.multiply(a, slope, out=a)
    np.multiply(a, slope, out=slope)


def _tanh(a: Array, slope: Array) -> None:
    # 1 - tanh(a)^2 = 4 p / (1 + p)^2 with p = e^(2a)
    np.exp(2.0 * a, out=slope)
    np.divide(slope, np.square(1.0 + slope), out=slope)
    np.multiply(slope, 4.0, out=slope)
    torch.tanh_(torch.from_numpy(a))


def _relu(a: Array, slope: Array) -> None:
    slope[:] = a > 0
    np.maximum(a, 0.0, out=a)


def _identity(a: Array, slope: Array) -> None:
    slope[:] = 1.0


#: From (a, memory for the slope), in place: a becomes z. The slopes are right in saturation too.
_VALUES: dict[str, Callable[[Array, Array], None]] = {
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
    "identity": _identity,
}
_HOMOGENEOUS = ("relu", "identity")


def fast_log_gradients(networks: Networks, memory: LogMemory | None = None) -> LogGradients:
    """Return sign and log10 of dE/dw^(l) for every l, in the shape of w[l]; -inf where exactly zero.

    Parameters
    ----------
    networks, memory : as for `fast_gradients`.

    Raises
    ------
    ValueError
        for masks, cures, several examples, an activation without a kernel, or memory of another shape.
    """
    require_fast(networks)
    memory = memory or LogMemory(networks)
    if not memory.fits(networks):
        raise ValueError("the memory was made for networks of another shape: make LogMemory(networks)")
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        unsafe = np.concatenate([_pass(networks, memory, part) for part in memory.parts])
    strays = np.flatnonzero(unsafe)
    if strays.size:
        trace = run(networks.select(strays))
        for l in networks.w:
            exact = trace.gradients(l)
            memory.gradients[l][..., strays] = exact.log10_abs()
            memory.negative[l][..., strays] = exact.sign < 0
    return LogGradients(memory.gradients, memory.negative, int(strays.size))


def _pass(networks: Networks, memory: LogMemory, part: slice) -> Booleans:
    """Run one block; return which of its networks left the safe range."""
    depth, size, last = networks.depth, part.stop - part.start, networks.depth + 1
    z = {l: array[:, :size] for l, array in memory.z.items()}
    delta = {l: array[:, :size] for l, array in memory.delta.items()}
    slope = {l: array[:, :size] for l, array in memory.slope.items()}
    spare = memory.spare[:, :size]
    w = {l: array[..., part] for l, array in networks.w.items()}
    safe = _Safety(networks.activation, size)
    value = _VALUES[networks.activation]
    divide = networks.activation in _HOMOGENEOUS and not networks.b
    exponent = {1: np.zeros(size, dtype=np.int64)}
    z[1][:] = networks.x[:, part]
    for l in range(1, last):
        if divide and l % _EVERY == 0:
            exponent[l] = exponent[l] + _divide(z[l])
        safe.factors(z[l], z[l] != 0 if l == 1 else slope[l] != 0)
        onward_into(z[l + 1], w[l], z[l], spare)
        if networks.b:
            z[l + 1] += networks.b[l][:, part]
        safe.weights(w[l])
        exponent[l + 1] = exponent[l]
        if l < depth:
            value(z[l + 1], slope[l + 1])
            safe.slopes(slope[l + 1])
    output = safe.finite(z[last][0])
    error = Scaled.of(output) * Scaled(np.full(size, 0.5), exponent[last] + 1)
    error = error + Scaled.of(-networks.t[part])
    delta[last][0] = error.mantissa
    down = error.exponent * _LOG10_2
    up = {l: shift * _LOG10_2 for l, shift in exponent.items() if l % _EVERY == 0 or l == 1}
    for l in range(depth, 0, -1):
        gradient = memory.gradients[l][..., part]
        outer_into(gradient, delta[l + 1], z[l])
        if l == 1:
            safe.exclude(~np.isfinite(gradient))
        np.less(gradient, 0.0, out=memory.negative[l][..., part])
        np.abs(gradient, out=gradient)
        _log10(gradient, safe)
        gradient += down + up[max(1, l - l % _EVERY)] if divide else down
        if l > 1:
            backward_into(delta[l], w[l], delta[l + 1], spare)
            delta[l] *= slope[l]
            nonzero = delta[l] != 0
            if l % _EVERY == 0:
                down = down + _divide(delta[l]) * _LOG10_2
            safe.factors(delta[l], nonzero)
    return safe.unsafe()


def _divide(numbers: Array) -> NDArray[np.int64]:
    """Divide a layer's numbers, in place, by a power of two that brings the largest to 1/2..1."""
    _, exponent = np.frexp(np.abs(numbers).max(axis=0))
    np.ldexp(numbers, -exponent, out=numbers)
    return np.asarray(exponent, dtype=np.int64)


def _log10(numbers: Array, safe: _Safety) -> None:
    """Replace absolute values, in place, by their log10, once they are found safe."""
    tensor = torch.from_numpy(numbers)
    if not safe.zeros_are_facts:
        safe.include(numbers)
        torch.log10(tensor, out=tensor)
        return
    zero = numbers == 0
    np.maximum(numbers, _TINY, out=numbers)
    torch.log10(tensor, out=tensor)
    np.copyto(numbers, -np.inf, where=zero)


class _Safety:
    """Which networks of a block had a number outside of the safe range.

    A zero is a fact in a rectified linear network, provided that no product can have underflowed: weights, z
    and delta that are not 0 must all be safe. In the others a zero hardly is one, and counts as unsafe. What
    overflows becomes infinite or NaN, stays so to the output and down to the first layer, and is found there.
    """

    def __init__(self, activation: str, size: int) -> None:
        self.zeros_are_facts = activation == "relu"
        self.lowest = np.ones(size)
        self.excluded = np.zeros(size, dtype=bool)

    def weights(self, w: Array) -> None:
        if self.zeros_are_facts:
            self.include(np.abs(w))

    def slopes(self, slope: Array) -> None:
        if not self.zeros_are_facts:
            self.include(slope)

    def factors(self, numbers: Array, nonzero: Booleans) -> None:
        """Look at z or delta of a layer, and at which of them were not 0 before they were divided."""
        if self.zeros_are_facts:
            self.exclude((np.abs(numbers) < _SAFE) & nonzero)

    def finite(self, numbers: Array) -> Array:
        """Return the numbers with 0 in the place of those that are not finite; these are unsafe."""
        fine = np.isfinite(numbers)
        self.exclude(~fine)
        return np.where(fine, numbers, 0.0)

    def include(self, numbers: Array) -> None:
        """Let the networks be unsafe in which one of the numbers, shape (..., size), is too small."""
        for place in np.ndindex(numbers.shape[:-1]):
            np.minimum(self.lowest, numbers[place], out=self.lowest)

    def exclude(self, where: Booleans) -> None:
        """Let the networks be unsafe in which this holds anywhere; shape (..., size)."""
        for place in np.ndindex(where.shape[:-1]):
            np.logical_or(self.excluded, where[place], out=self.excluded)

    def unsafe(self) -> Booleans:
        return np.asarray(self.excluded | ~(self.lowest >= _SAFE))
