"""All gradients of whole batches in plain float64, as fast as memory and NumPy's calls allow.

The same numbers as automatic differentiation in float64 gives, underflow included; `fast_log` is the
sibling without underflow. A batch is cut into blocks whose activations stay in the cache, and every array is
written in place. Products are those of NumPy, whose calls cost least, exponentials those of torch, which are
vectorized.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from coursework.gradients.chain import Networks
from coursework.gradients.scaled import Array

#: Numbers of a layer in a block: fewer, and calls cost more than arithmetic; more, and memory does.
BLOCK = 20_000


@dataclass(frozen=True)
class Kernel:
    """An activation in place.

    Attributes
    ----------
    value : turns a into z, given as an array and as a tensor over the same memory.
    pull : multiplies dE/dz by h'(a), known from z, with memory to spare of the same shape.
    """

    value: Callable[[Array, Tensor], object]
    pull: Callable[[Array, Array, Array], object]


def _pull_sigmoid(d: Array, z: Array, spare: Array) -> None:
    np.multiply(d, z, out=d)
    np.multiply(d, np.subtract(1.0, z, out=spare), out=d)


def _pull_tanh(d: Array, z: Array, spare: Array) -> None:
    np.multiply(z, z, out=spare)
    np.multiply(d, np.subtract(1.0, spare, out=spare), out=d)


KERNELS: dict[str, Kernel] = {
    "sigmoid": Kernel(lambda a, tensor: torch.sigmoid_(tensor), _pull_sigmoid),
    "tanh": Kernel(lambda a, tensor: torch.tanh_(tensor), _pull_tanh),
    "relu": Kernel(
        lambda a, tensor: np.maximum(a, 0.0, out=a), lambda d, z, spare: np.multiply(d, z > 0, out=d)
    ),
    "identity": Kernel(lambda a, tensor: None, lambda d, z, spare: None),
}


def require_fast(networks: Networks) -> None:
    """Raise ValueError unless the fast paths know such networks."""
    networks.require_plain("the fast path")
    if networks.links == "mask":
        raise ValueError("the fast path knows links 'chains' and 'full': run masks with `run`")
    if networks.activation not in KERNELS:
        known = ", ".join(KERNELS)
        raise ValueError(f"the fast path knows {known}, not {networks.activation!r}: use `run`")


class Memory:
    """The memory of a pass, block by block: new memory would cost as much as the arithmetic.

    Attributes
    ----------
    parts : the blocks, slices of the batch.
    z : z[l], and the output's pre-activation at depth + 1.
    delta : delta[l]; only those of two neighbouring layers are there at a time.
    spare : as large as the largest layer.
    gradients : what the pass returns.
    """

    def __init__(self, networks: Networks) -> None:
        layers = range(1, networks.depth + 2)
        units = {l: networks.units(l) for l in layers}
        widest = max(units.values())
        self.parts = _even_parts(networks.batch, networks.batch * widest // BLOCK)
        size = max(part.stop - part.start for part in self.parts)
        memory = np.empty((networks.depth + 5, widest, size))
        self.z = {l: memory[l - 1, : units[l]] for l in layers}
        self.delta = {l: memory[networks.depth + 2 + l % 2, : units[l]] for l in layers}
        self.spare = memory[-1]
        self.gradients = {l: np.empty_like(w) for l, w in networks.w.items()}
        self.shapes = {l: w.shape for l, w in networks.w.items()}

    def fits(self, networks: Networks) -> bool:
        """Whether these networks have the shape of those that the memory was made for."""
        return self.shapes == {l: w.shape for l, w in networks.w.items()}


def _even_parts(batch: int, count: int) -> list[slice]:
    edges = np.linspace(0, batch, max(1, min(count, batch)) + 1).astype(int).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]


def onward_into(a: Array, w: Array, z: Array, scratch: Array) -> None:
    """Write sum_k w_jk z_k into a, shape (J, size), from w of shape (J, K, size); in rows w_j z_j."""
    if w.ndim == 2:
        np.multiply(w, z, out=a)
        return
    np.multiply(w[:, 0], z[0], out=a)
    for k in range(1, len(z)):
        product = scratch[: len(a)]
        np.multiply(w[:, k], z[k], out=product)
        np.add(a, product, out=a)


def backward_into(dz: Array, w: Array, delta: Array, scratch: Array) -> None:
    """Write sum_j w_jk delta_j into dz."""
    onward_into(dz, w if w.ndim == 2 else w.swapaxes(0, 1), delta, scratch)


def outer_into(gradient: Array, delta: Array, z: Array) -> None:
    """Write delta_j z_k into the gradient, in the shape of the weights."""
    np.multiply(delta if gradient.ndim == 2 else delta[:, np.newaxis], z, out=gradient)


def fast_gradients(networks: Networks, memory: Memory | None = None) -> dict[int, Array]:
    """Return dE/dw^(l) of every network in float64, in the shape of w[l], for every l.

    Parameters
    ----------
    networks : chains or full, of any width and depth, without cures, one example each.
    memory : to be used again by many passes over networks of one shape; the next pass overwrites what this
        one returned.

    Raises
    ------
    ValueError
        for masks, cures, several examples, an activation without a kernel, or memory of another shape.
    """
    require_fast(networks)
    memory = memory or Memory(networks)
    if not memory.fits(networks):
        raise ValueError("the memory was made for networks of another shape: make one with Memory(networks)")
    for part in memory.parts:
        _pass(networks, memory, part)
    return memory.gradients


def _pass(networks: Networks, memory: Memory, part: slice) -> None:
    depth, kernel, size = networks.depth, KERNELS[networks.activation], part.stop - part.start
    z = {l: array[:, :size] for l, array in memory.z.items()}
    delta = {l: array[:, :size] for l, array in memory.delta.items()}
    spare = memory.spare[:, :size]
    w = {l: array[..., part] for l, array in networks.w.items()}
    z[1][:] = networks.x[:, part]
    for l in range(1, depth + 1):
        onward_into(z[l + 1], w[l], z[l], spare)
        if networks.b:
            z[l + 1] += networks.b[l][:, part]
        if l < depth:
            kernel.value(z[l + 1], torch.from_numpy(z[l + 1]))
    np.subtract(z[depth + 1], networks.t[part], out=delta[depth + 1])
    for l in range(depth, 0, -1):
        outer_into(memory.gradients[l][..., part], delta[l + 1], z[l])
        if l > 1:
            backward_into(delta[l], w[l], delta[l + 1], spare)
            kernel.pull(delta[l], z[l], spare[: len(z[l])])
