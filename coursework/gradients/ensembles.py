"""Random networks: the law of the weights, and the law given that the signal survives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.chain import LINKS, Networks, pre_activation
from coursework.gradients.cures import CURES, Cure
from coursework.gradients.laws import LAWS, SYMMETRIC, Fans
from coursework.gradients.scaled import Array, Scaled

#: Patterns of active units are drawn as whole numbers of 63 bits.
_WIDEST_ALIVE = 62

Mask = Sequence[Sequence[int]]


@dataclass(frozen=True)
class ChainSpec:
    """A family of random networks.

    Attributes
    ----------
    depth : weight layers, at least 2; the assignment's network has 152.
    links : "chains" (each unit feeds the next one in its row), "full" ("bipartite"), or a mask: rows of 0
        and 1, `links[j-1][k-1]` says whether unit k feeds unit j; one mask for all weight layers but the
        last, which joins all units to the output.
    activation : a name in `ACTIVATIONS`.
    law : "normal" (`scale` is the standard deviation), "uniform" (on -scale..scale), "constant" (= scale),
        "glorot", "he", "orthogonal" or "identity" (times scale).
    scale : see `law`; positive, but a constant may be negative.
    bias_scale : the biases' scale: uniform or constant under these laws, normal under the others; 0 for a
        network without biases.
    width : units of every layer, inputs included, or one number for each of the layers 1..depth.
    alive : draw from the law *given* that the signal survives (rectified linear units, no biases): in
        chains every unit, in a fully connected network some unit of every layer is active.
    cure : a name in `CURES`, or a `Cure`.
    examples : how many inputs each network is fed; batch normalization needs several.
    """

    depth: int = 152
    links: str | Mask = "chains"
    activation: str = "sigmoid"
    law: str = "normal"
    scale: float = 1.0
    bias_scale: float = 0.0
    width: int | Sequence[int] = 2
    alive: bool = False
    cure: str | Cure = "none"
    examples: int = 1

    def __post_init__(self) -> None:
        if self.depth < 2:
            raise ValueError(f"depth is {self.depth}: a hidden layer needs at least 2 weight layers")
        if self.examples < 1:
            raise ValueError(f"examples is {self.examples}: feed every network at least 1")
        if isinstance(self.cure, str) and self.cure not in CURES:
            raise ValueError(f"cure {self.cure!r} is unknown: choose one of {', '.join(CURES)}")
        if isinstance(self.links, str) and self.links not in LINKS:
            raise ValueError(f"links {self.links!r} is unknown: choose one of {', '.join(LINKS)}, or a mask")
        self._check_widths()
        self._check_law()

    def _check_widths(self) -> None:
        widths = self.widths
        if min(widths, default=0) < 1:
            raise ValueError(f"width is {self.width}: a layer has at least 1 unit")
        if len(widths) != self.depth:
            count = len(widths)
            raise ValueError(f"width has {count} numbers: give one for each of the layers 1..{self.depth}")
        if self.links != "full" and len(set(widths)) > 1:
            raise ValueError(f"width {widths} varies: links 'chains' and masks need layers of one width")
        if self.links_name == "mask":
            shape = np.shape(np.asarray(self.links))
            if shape != (widths[0], widths[0]):
                raise ValueError(f"the mask has shape {shape}: layers of {widths[0]} units need a square one")

    def _check_law(self) -> None:
        if self.law not in LAWS:
            raise ValueError(f"law {self.law!r} is unknown: choose one of {', '.join(LAWS)}")
        if self.law == "orthogonal" and self.links_name == "mask":
            raise ValueError("law 'orthogonal' is for links 'chains' or 'full': a mask breaks orthogonality")
        if not np.isfinite(self.scale) or not np.isfinite(self.bias_scale):
            raise ValueError(f"scale {self.scale} and bias_scale {self.bias_scale} must be finite")
        if self.law != "constant" and (self.scale <= 0 or self.bias_scale < 0):
            raise ValueError(f"scale {self.scale} must be > 0 and bias_scale {self.bias_scale} >= 0")
        if not self.alive:
            return
        if self.activation != "relu" or self.law not in SYMMETRIC or self.bias_scale != 0:
            laws = ", ".join(SYMMETRIC)
            raise ValueError(f"alive=True is for activation 'relu', law {laws}, bias_scale 0")
        if self.remedy != Cure() or self.examples > 1 or self.links_name == "mask":
            raise ValueError("alive=True is for links 'chains' or 'full', cure 'none' and 1 example")
        if max(self.widths) > _WIDEST_ALIVE:
            raise ValueError(f"alive=True is for layers of up to {_WIDEST_ALIVE} units: wider ones all live")

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of the layers 1..depth; the output, layer depth + 1, is one unit."""
        return (self.width,) * self.depth if isinstance(self.width, int) else tuple(self.width)

    @property
    def links_name(self) -> str:
        """ "chains", "full" or "mask"."""
        return self.links if isinstance(self.links, str) else "mask"

    @property
    def remedy(self) -> Cure:
        """The cure itself."""
        return CURES[self.cure] if isinstance(self.cure, str) else self.cure

    def mask(self, l: int) -> NDArray[np.bool_]:
        """Return which weights of layer l exist, shape (units of l+1, units of l)."""
        columns = self.widths[l - 1]
        if l == self.depth:
            return np.ones((1, columns), dtype=bool)
        if self.links == "chains":
            return np.eye(columns, dtype=bool)
        rows = self.widths[l]
        return np.ones((rows, columns), bool) if self.links == "full" else np.asarray(self.links, dtype=bool)


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
    fed = (networks,) if spec.examples == 1 else (spec.examples, networks)
    x = rng.normal(size=(spec.widths[0], *fed))
    t = rng.normal(size=fed)
    masks = {l: spec.mask(l) for l in range(1, spec.depth + 1)}
    w = {l: _weights(spec, mask, l, networks, rng) for l, mask in masks.items()}
    b = {}
    if spec.bias_scale != 0:
        b = {l: _biases(spec, mask, networks, rng) for l, mask in masks.items()}
    masked = masks if spec.links_name == "mask" else {}
    batch = Networks(spec.links_name, spec.activation, w, x, t, b, spec.remedy, masked)
    if spec.alive:
        _revive(batch, rng)
    return batch


def draw_layer(
    spec: ChainSpec, l: int, networks: int, rng: np.random.Generator
) -> tuple[Array, Array | float]:
    """Draw w[l] and b[l] (0 without biases) of a batch, for those who grow networks layer by layer."""
    mask = spec.mask(l)
    w = _weights(spec, mask, l, networks, rng)
    return w, _biases(spec, mask, networks, rng) if spec.bias_scale != 0 else 0.0


def _biases(spec: ChainSpec, mask: NDArray[np.bool_], networks: int, rng: np.random.Generator) -> Array:
    law = LAWS[spec.law if spec.law in ("uniform", "constant") else "normal"]
    return law(rng, spec.bias_scale, (mask.shape[0], networks), _fans(mask))


def _fans(mask: NDArray[np.bool_]) -> Fans:
    # a unit nothing leads to, or from, has no weights: any number but 0 will do
    into, out_of = mask.sum(axis=1, keepdims=True), mask.sum(axis=0, keepdims=True)
    return Fans(np.maximum(into, 1).astype(float), np.maximum(out_of, 1).astype(float))


def _weights(
    spec: ChainSpec, mask: NDArray[np.bool_], l: int, networks: int, rng: np.random.Generator
) -> Array:
    if spec.links == "chains" and l < spec.depth:
        one = Fans(np.ones((1, 1)), np.ones((1, 1)))
        return LAWS[spec.law](rng, spec.scale, (mask.shape[0], networks), one)
    w = LAWS[spec.law](rng, spec.scale, (*mask.shape, networks), _fans(mask))
    return w if mask.all() else w * mask[..., np.newaxis]


def _revive(networks: Networks, rng: np.random.Generator) -> None:
    """Turn rows of weights round, in place, until the signal survives.

    Under a law symmetric about 0 each unit, given a layer before it that is not all zero, is active with
    probability 1/2 independently of everything else. So choosing the pattern of active units first and
    giving each unit's weights the sign that makes it true *is* a draw from the conditional law; rejection
    would wait for 2^151 draws.
    """
    z = Scaled.of(networks.x)
    for l in range(1, networks.depth):
        width = networks.units(l + 1)
        if networks.links == "chains":
            active = np.ones((width, networks.batch), dtype=bool)
        else:
            pattern = rng.integers(1, 2**width, size=networks.batch)
            active = (pattern >> np.arange(width)[:, np.newaxis]) & 1 == 1
        a = pre_activation(networks, l, z)
        turn = np.where(active, 1.0, -1.0) * a.sign
        networks.w[l] *= turn if networks.in_rows(l) else turn[:, np.newaxis]
        z = networks.h.value(a * turn)
