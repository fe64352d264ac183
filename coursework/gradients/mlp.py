"""A small torch network to watch while it trains: points inside and outside a circle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from coursework.gradients.monitor import GradientMonitor
from coursework.gradients.theory import Disagreement

_MODULES: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def build_mlp(activation: str, layers: int, width: int = 32) -> nn.Sequential:
    """Return a fully connected network from 2 inputs to 1 output with torch's own initialization.

    Parameters
    ----------
    activation : "sigmoid", "tanh" or "relu", after every weight matrix but the last.
    layers : number of weight matrices, at least 3.
    width : units of every hidden layer.
    """
    if activation not in _MODULES:
        raise ValueError(f"activation {activation!r} is unknown: choose one of {', '.join(_MODULES)}")
    if layers < 3:
        raise ValueError(f"layers is {layers}: build at least 3 weight matrices")
    sizes = [2, *[width] * (layers - 1), 1]
    modules: list[nn.Module] = []
    for units_in, units_out in pairwise(sizes):
        modules += [nn.Linear(units_in, units_out), _MODULES[activation]()]
    return nn.Sequential(*modules[:-1])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: matrices this small gain nothing by more, and lose on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def watch_training(activation: str, layers: int, steps: int, seed: int) -> GradientMonitor:
    """Train such a network on a circle in the plane and return what the monitor saw of its weights.

    Parameters
    ----------
    steps : steps of plain gradient descent (rate 0.1) on one batch of 256 points.
    seed : of weights and points; torch's global generator is left as it was.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: train for at least 1")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_mlp(activation, layers)
        x = 2 * torch.rand(256, 2) - 1
    inside = (x.square().sum(dim=1, keepdim=True) < 0.6).float()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with _one_thread(), GradientMonitor(model, names="*.weight") as monitor:
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(model(x), inside).backward()
            optimizer.step()
    return monitor


def decades_per_layer(monitor: GradientMonitor) -> float:
    """Return log10 (first / last weight matrix's gradient norm) at the first step, per layer between.

    The first matrix is the one nearest the inputs whose gradient float32 has not lost.
    """
    _, names, values = monitor.table()
    first = int(np.argmax(np.isfinite(values[0])))
    if not first < len(names) - 1:
        raise Disagreement("fewer than two weight matrices have a gradient")
    return float((values[0, first] - values[0, -1]) / (len(names) - 1 - first))


def check_decades(monitor: GradientMonitor, low: float, high: float) -> float:
    """Return `decades_per_layer` if it lies between `low` and `high`.

    Raises
    ------
    Disagreement
        if it does not.
    """
    found = decades_per_layer(monitor)
    if not (np.isfinite(found) and low <= found <= high):
        raise Disagreement(f"the gradient changes by {found:.2f} decades a layer, expected {low} to {high}")
    return found
