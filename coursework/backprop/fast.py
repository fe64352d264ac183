"""The fastest way through a network, whatever its shape."""

from __future__ import annotations

from typing import Protocol

from coursework.backprop.activations import Array
from coursework.backprop.in_place import InPlace
from coursework.backprop.network import DenseNetwork, Gradients, Trace
from coursework.backprop.one_wide import OneWide


class Passes(Protocol):
    """What goes forward and backward: a `DenseNetwork`, or what `fast` makes of it."""

    def forward(self, x: Array) -> Trace:
        """Return the trace of the inputs."""

    def backward(self, trace: Trace, t: Array) -> Gradients:
        """Return the gradients at the trace."""


def fast(network: DenseNetwork, examples: int = 1) -> Passes:
    """Return an object with the network's `forward` and `backward`, for batches of `examples` examples.

    It computes what the network's own methods compute, from the weights that the network has at the time
    of the call, into arrays that the next call overwrites.

    Raises
    ------
    NetworkError : the numbers are neither float32 nor float64, or there is not one example.
    """
    return OneWide(network) if OneWide.fits(network, examples) else InPlace(network, examples)
