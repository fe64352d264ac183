"""Random networks: the law of the weights, and the law given that the signal survives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coursework.gradients.chain import Networks, pre_activation
from coursework.gradients.scaled import Array, Scaled

#: From (generator, scale, shape) to weights. Scale: standard deviation, half width, value.
LAWS: dict[str, Callable[[np.random.Generator, float, tuple[int, ...]], Array]] = {
    "normal": lambda rng, scale, shape: rng.normal(0.0, scale, shape),
    "uniform": lambda rng, scale, shape: rng.uniform(-scale, scale, shape),
    "constant": lambda rng, scale, shape: np.full(shape, scale),
}


@dataclass(frozen=True)
class ChainSpec:
    """A family of random networks.

    Attributes
    ----------
    depth : weight layers, at least 2; the assignment's network has 152.
    links : "chains" (each unit feeds the next one in its row) or "full" ("bipartite").
    activation : "sigmoid", "relu", "tanh" or "identity".
    law : "normal" (`scale` is the standard deviation), "uniform" (on -scale..scale), "constant" (= scale).
    scale : see `law`; positive, but a constant may be negative.
    bias_scale : the biases' scale under the same law; 0 for a network without biases.
    width : units per layer, inputs included.
    alive : draw from the law *given* that the signal survives (rectified linear units, no biases): in
        chains every unit, in a fully connected network some unit of every layer is active.
    """

    depth: int = 152
    links: str = "chains"
    activation: str = "sigmoid"
    law: str = "normal"
    scale: float = 1.0
    bias_scale: float = 0.0
    width: int = 2
    alive: bool = False

    def __post_init__(self) -> None:
        if self.depth < 2:
            raise ValueError(f"depth is {self.depth}: a hidden layer needs at least 2 weight layers")
        if self.width < 1:
            raise ValueError(f"width is {self.width}: a layer has at least 1 unit")
        if self.law not in LAWS:
            raise ValueError(f"law {self.law!r} is unknown: choose one of {', '.join(LAWS)}")
        if not np.isfinite(self.scale) or not np.isfinite(self.bias_scale):
            raise ValueError(f"scale {self.scale} and bias_scale {self.bias_scale} must be finite")
        if self.law != "constant" and (self.scale <= 0 or self.bias_scale < 0):
            raise ValueError(f"scale {self.scale} must be > 0 and bias_scale {self.bias_scale} >= 0")
        if self.alive and (self.activation != "relu" or self.law == "constant" or self.bias_scale != 0):
            raise ValueError("alive=True is for activation 'relu', law 'normal' or 'uniform', bias_scale 0")


def draw(spec: ChainSpec, networks: int, seed: int) -> Networks:
    """Draw a batch of independent networks with inputs and targets from N(0, 1).

    Parameters
    ----------
    spec : the family.
    networks : how many, B.
    seed : the same seed gives the same networks.
    """
    if networks < 1:
        raise ValueError(f"networks is {networks}: draw at least 1")
    rng = np.random.default_rng(seed)
    width, law = spec.width, LAWS[spec.law]
    inner = (width, networks) if spec.links == "chains" else (width, width, networks)
    x = rng.normal(size=(width, networks))
    t = rng.normal(size=networks)
    w = {l: law(rng, spec.scale, inner) for l in range(1, spec.depth)}
    w[spec.depth] = law(rng, spec.scale, (1, width, networks))
    b = {}
    if spec.bias_scale != 0:
        b = {l: law(rng, spec.bias_scale, (width, networks)) for l in range(1, spec.depth)}
        b[spec.depth] = law(rng, spec.bias_scale, (1, networks))
    batch = Networks(spec.links, spec.activation, w, x, t, b)
    if spec.alive:
        _revive(batch, rng)
    return batch


def _revive(networks: Networks, rng: np.random.Generator) -> None:
    """Turn rows of weights round, in place, until the signal survives.

    Under a law symmetric about 0 each unit, given a layer before it that is not all zero, is active with
    probability 1/2 independently of everything else. So choosing the pattern of active units first and
    giving each unit's weights the sign that makes it true *is* a draw from the conditional law; rejection
    would wait for 2^151 draws.
    """
    z = Scaled.of(networks.x)
    width, batch = networks.x.shape
    for l in range(1, networks.depth):
        if networks.links == "chains":
            active = np.ones((width, batch), dtype=bool)
        else:
            pattern = rng.integers(1, 2**width, size=batch)
            active = (pattern >> np.arange(width)[:, np.newaxis]) & 1 == 1
        a = pre_activation(networks, l, z)
        turn = np.where(active, 1.0, -1.0) * a.sign
        networks.w[l] *= turn if networks.w[l].ndim == 2 else turn[:, np.newaxis]
        z = networks.h.value(a * turn)
