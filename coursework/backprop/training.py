"""Gradients at work: stochastic gradient descent with momentum, and two spirals to be told apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.fast import Passes, fast
from coursework.backprop.network import DenseNetwork, NetworkError


class TrainingError(ValueError):
    """Training was asked for what cannot be, or left the finite numbers."""


@dataclass(frozen=True)
class History:
    """What training did.

    Attributes
    ----------
    loss : the mean of E_n over all examples before training and after every epoch, (epochs + 1,).
    """

    loss: tuple[float, ...]


# what overflows is told by the loss, with a remedy
@np.errstate(over="ignore", invalid="ignore")
def train(
    network: DenseNetwork,
    x: Array,
    t: Array,
    *,
    epochs: int = 200,
    rate: float = 0.1,
    momentum: float = 0.9,
    batch: int = 32,
    seed: int = 0,
) -> History:
    """Change the network's weights and biases in place: v = momentum v - rate dE/dw, w = w + v.

    The gradient of a batch is the mean over its examples.  `x` is (examples, units of layer 1), `t`
    (examples, units of layer L).  Every epoch goes through all examples once, in a new order.

    Raises
    ------
    NetworkError : x or t do not fit the network.
    TrainingError : a setting is out of range, or the loss is no longer finite.
    """
    counts = all(isinstance(count, int) and count >= 1 for count in (epochs, batch))
    if not (0 < rate < math.inf and 0 <= momentum < 1 and counts):
        raise TrainingError(
            f"rate={rate}, momentum={momentum}, epochs={epochs}, batch={batch}: take a finite rate above 0, "
            "a momentum from 0 to below 1, one epoch or more of batches of one example or more, both whole"
        )
    x = network.inputs(x)
    t = network.targets(t, len(x))
    if len(x) == 0:
        raise TrainingError("there is no example to train on; give one row of x and t for each")
    rng = np.random.default_rng(seed)
    passes: dict[int, Passes] = {}
    weights = [network.w, network.b]
    velocity = [{l: np.zeros_like(v) for l, v in arrays.items()} for arrays in weights]
    losses = [mean_loss(network, x, t)]
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            if len(rows) not in passes:
                passes[len(rows)] = fast(network, len(rows))
            way = passes[len(rows)]
            gradients = way.backward(way.forward(x[rows]), t[rows])
            for w, v, dw in zip(weights, velocity, (gradients.w, gradients.b), strict=True):
                for l in w:
                    v[l] *= momentum
                    v[l] -= rate / len(rows) * dw[l]
                    # w[l] is a view of the network's parameters: it is changed, not replaced
                    np.add(w[l], v[l], out=w[l])
        losses.append(mean_loss(network, x, t))
        if not math.isfinite(losses[-1]):
            raise TrainingError(
                f"the loss is {losses[-1]} after epoch {epoch}; take a rate below {rate:g} or less momentum"
            )
    return History(tuple(losses))


def mean_loss(network: DenseNetwork, x: Array, t: Array) -> float:
    """Return the mean of E_n over the examples."""
    return float(network.loss(network.forward(x), t).mean())


def share_right(network: DenseNetwork, x: Array, t: Array) -> float:
    """Return the share of examples whose logistic output lies on the target's side of one half."""
    if network.loss_record.name != "logistic":
        raise NetworkError(f"loss {network.loss_record.name!r} has no sides; take loss='logistic'")
    return float(((network.forward(x).y > 0) == (t > 0.5)).all(axis=1).mean())


def spirals(examples: int = 200, noise: float = 0.05, seed: int = 0) -> tuple[Array, Array]:
    """Return two spirals, one and a half turns each: x (examples, 2) and t (examples, 1), 0 or 1."""
    rng = np.random.default_rng(seed)
    t = np.arange(examples) % 2
    turn = np.sqrt(rng.uniform(0.02, 1, examples))
    angle = 3 * np.pi * turn + np.pi * t
    x = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x * 2 + rng.normal(0, noise, x.shape), t[:, None].astype(float)
