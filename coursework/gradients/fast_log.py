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
    slope : h'(a[l]) of curved units.
    size, more : as large as the largest layer. lowest : the smallest number seen, by unit and network.
    minus, bad : booleans, as large as the largest layer.
    negative : what the pass returns.
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__(networks)
        shape = self.spare.shape
        curved = networks.activation in _VALUES
        slopes = np.empty((networks.depth if curved else 1, *shape))
        self.slope = {l: slopes[l - 2 if curved else 0, : len(z)] for l, z in self.z.items() if l > 1}
        self.size, self.more, self.lowest = np.empty((3, *shape))
        self.minus, self.bad = np.empty((2, *shape), dtype=bool)
        self.negative = {l: np.empty(w, dtype=bool) for l, w in self.shapes.items()}


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


#: From (a, memory for the slope), in place: a becomes z. The slopes are right in saturation too.
_VALUES: dict[str, Callable[[Array, Array], None]] = {"sigmoid": _sigmoid, "tanh": _tanh}


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
    value = _VALUES.get(networks.activation)
    safe = _Curved(memory, size) if value else _Straight(memory, size, networks)
    divide = value is None and not networks.b
    exponent = {1: np.zeros(size, dtype=np.int64)}
    z[1][:] = networks.x[:, part]
    safe.begin(z[1])
    for l in range(1, last):
        if divide and l % _EVERY == 0:
            exponent[l] = exponent[l] + safe.divide(z[l])
        onward_into(z[l + 1], w[l], z[l], spare)
        if networks.b:
            z[l + 1] += networks.b[l][:, part]
        exponent[l + 1] = exponent[l]
        if l < depth and value:
            value(z[l + 1], slope[l + 1])
        if l < depth:
            safe.forward(z[l + 1], slope[l + 1])
    error = Scaled.of(safe.finite(z[last][0])) * Scaled(np.full(size, 0.5), exponent[last] + 1)
    error = error + Scaled.of(-networks.t[part])
    delta[last][0] = error.mantissa
    down = error.exponent * _LOG10_2
    up = {l: shift * _LOG10_2 for l, shift in exponent.items() if l % _EVERY == 0 or l == 1}
    signed = networks.activation in ("tanh", "identity")
    for l in range(depth, 0, -1):
        sizes, minus = safe.backward(delta[l + 1]), memory.minus[: len(delta[l + 1]), :size]
        np.less(delta[l + 1], 0.0, out=minus)
        gradient, negative = memory.gradients[l][..., part], memory.negative[l][..., part]
        across = minus if gradient.ndim == 2 else minus[:, np.newaxis]
        if signed or l == 1:
            outer_into(gradient, sizes, safe.sizes_of(z[l]))
            np.not_equal(across, z[l] < 0, out=negative)
        else:
            outer_into(gradient, sizes, z[l])
            negative[:] = across
        safe.log10(gradient, negative)
        gradient += down + up[max(1, l - l % _EVERY)] if divide else down
        if l > 1:
            backward_into(delta[l], w[l], delta[l + 1], spare)
            safe.pull(delta[l], z[l], slope[l])
            if l % _EVERY == 0:
                down = down + safe.divide(delta[l]) * _LOG10_2
    safe.finite(delta[2])
    return safe.unsafe()


class _Safety:
    """Which networks of a block had a number outside of the safe range.

    What overflows becomes infinite or NaN, stays so to the output and down to the first layer, and is found
    there.
    """

    def __init__(self, memory: LogMemory, size: int) -> None:
        self.size, self.more = memory.size[:, :size], memory.more[:, :size]
        self.excluded = np.zeros(size, dtype=bool)

    def finite(self, numbers: Array) -> Array:
        """Return the numbers with 0 in the place of those that are not finite; these are unsafe."""
        fine = np.isfinite(numbers)
        self.excluded |= ~(fine if fine.ndim == 1 else fine.all(axis=0))
        return np.where(fine, numbers, 0.0)

    def divide(self, numbers: Array) -> NDArray[np.int64]:
        """Divide a layer's numbers, in place, by a power of two that brings the largest to 1/2..1.

        What gets too small beside it is unsafe.
        """
        there = numbers != 0
        _, exponent = np.frexp(np.abs(numbers).max(axis=0))
        np.ldexp(numbers, -exponent, out=numbers)
        self.excluded |= _any(there & (np.abs(numbers) < _SAFE))
        return np.asarray(exponent, dtype=np.int64)


def _any(where: Booleans) -> Booleans:
    """Return in which networks this holds of some unit; NumPy's own takes longer."""
    found: Booleans = where[0].copy()
    for row in where[1:]:
        np.logical_or(found, row, out=found)
    return found


class _Curved(_Safety):
    """Sigmoid and tanh: neither a number nor a slope is 0, so that the smallest of all tells."""

    def __init__(self, memory: LogMemory, size: int) -> None:
        super().__init__(memory, size)
        self.lowest = memory.lowest[:, :size]
        self.lowest[:] = 1.0

    def begin(self, x: Array) -> None:
        pass  # looked at like every z that has a sign

    def forward(self, z: Array, slope: Array) -> None:
        self._include(slope)  # sigmoid's z is larger

    def sizes_of(self, z: Array) -> Array:
        sizes = np.abs(z, out=self.more[: len(z)])
        self._include(sizes)
        return sizes

    def backward(self, delta: Array) -> Array:
        sizes = np.abs(delta, out=self.size[: len(delta)])
        self._include(sizes)
        return sizes

    def log10(self, numbers: Array, negative: Booleans) -> None:
        tensor = torch.from_numpy(numbers)
        torch.log10(tensor, out=tensor)

    def pull(self, d: Array, z: Array, slope: Array) -> None:
        np.multiply(d, slope, out=d)

    def _include(self, sizes: Array) -> None:
        lowest = self.lowest[: len(sizes)]
        np.minimum(lowest, sizes, out=lowest)

    def unsafe(self) -> Booleans:
        return np.asarray(self.excluded | ~(self.lowest >= _SAFE).all(axis=0))


class _Straight(_Safety):
    """The rectified linear unit and the identity: a zero is a fact if it comes of nothing but zeros.

    One that comes of other numbers, which may have underflowed on the way, is unsafe.
    """

    def __init__(self, memory: LogMemory, size: int, networks: Networks) -> None:
        super().__init__(memory, size)
        self.rectified, self.biased = networks.activation == "relu", bool(networks.b)
        self.bad = memory.bad[:, :size]
        self.bad[:] = False
        self.on: Booleans | bool = False
        self.alive: Booleans = np.ones(size, dtype=bool)

    def begin(self, x: Array) -> None:
        self._exclude(x, x != 0)
        self.alive = _any(x != 0)

    def forward(self, z: Array, slope: Array) -> None:
        if self.rectified:
            self._exclude_tiny((z < _SAFE) & (z >= 0), self.alive | self.biased)
            np.maximum(z, 0.0, out=z)
        else:
            self._exclude_tiny(np.abs(z, out=self.more[: len(z)]) < _SAFE, self.alive | self.biased)
        self.alive = _any(z != 0)

    def sizes_of(self, z: Array) -> Array:
        return np.abs(z, out=self.more[: len(z)])

    def backward(self, delta: Array) -> Array:
        sizes = np.abs(delta, out=self.size[: len(delta)])
        # self.alive: of the layer above
        self._exclude_tiny((sizes < _SAFE) & self.on, self.alive)
        self.alive = _any(sizes != 0)
        return sizes

    def log10(self, numbers: Array, negative: Booleans) -> None:
        tensor = torch.from_numpy(numbers)
        zero = numbers == 0
        np.greater(negative, zero, out=negative)
        np.maximum(numbers, _TINY, out=numbers)
        torch.log10(tensor, out=tensor)
        np.copyto(numbers, -np.inf, where=zero)

    def pull(self, d: Array, z: Array, slope: Array) -> None:
        self.on = z > 0 if self.rectified else True
        if self.rectified:
            np.multiply(d, self.on, out=d)

    def _exclude(self, numbers: Array, there: Booleans) -> None:
        self.excluded |= _any(there & (np.abs(numbers) < _SAFE))

    def _exclude_tiny(self, tiny: Booleans, alive: Booleans) -> None:
        bad = self.bad[: len(tiny)]
        np.logical_and(tiny, alive, out=tiny)
        np.logical_or(bad, tiny, out=bad)

    def unsafe(self) -> Booleans:
        return np.asarray(self.excluded | _any(self.bad))
