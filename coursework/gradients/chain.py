"""Very deep narrow networks, whole batches of them, with gradients that cannot underflow.

The assignment's network has layers 1 (two inputs) to 153 (one linear output) and 152 weight layers.
`links="chains"` connects unit k of a layer to unit k of the next one only; `links="full"` is the
"bipartite" variant; `links="mask"` joins what `Networks.mask` says. In chains, too, the last weight layer
joins all units to the one output. Batches run along the last axis of every array.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.activations import ACTIVATIONS, STRAIGHT, Activation
from coursework.gradients.arithmetic import Arithmetic, scaled_numbers
from coursework.gradients.cures import Cure, Normalized, Parts, normalized, total
from coursework.gradients.scaled import Array, Scaled

LINKS = ("chains", "full")

#: What is sent back is kept near 2^this where it can be scaled: it differs more between units than z does.
_LOUD = 500


@dataclass(frozen=True)
class Networks:
    """A batch of B networks of one shape.

    Attributes
    ----------
    links : "chains", "full" or "mask".
    activation : a name in `ACTIVATIONS`, for layers 2 to `depth`; the output is linear.
    w : w[l] for l = 1..depth. Full and mask: shape (units of l+1, units of l, B), `w[l][j-1, k-1]` leads
        from unit k to unit j. Chains: shape (units, B), the weights that exist; w[depth] has shape
        (1, units, B).
    x : inputs z^(1), shape (units, B), or (units, N, B) where each network is fed N examples; E is then the
        mean of the N errors.
    t : targets, shape (B,) or (N, B).
    b : b[l], shape (units of l+1, B), added to a^(l+1); empty without biases.
    cure : residual links, normalization, clipping; none by default.
    mask : for links "mask", which weights exist: mask[l], booleans of shape (units of l+1, units of l).
    """

    links: str
    activation: str
    w: dict[int, Array]
    x: Array
    t: Array
    b: dict[int, Array] = field(default_factory=dict)
    cure: Cure = field(default_factory=Cure)
    mask: dict[int, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.links not in (*LINKS, "mask"):
            raise ValueError(f"links {self.links!r} is unknown: choose one of {', '.join(LINKS)}, mask")
        if self.activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation {self.activation!r} is unknown: choose one of {known}")
        for l, w in self.w.items():
            columns = self.units(l)
            rows = 1 if l == self.depth else w.shape[0]
            expected = (columns, self.batch) if self.in_rows(l) else (rows, columns, self.batch)
            if w.shape != expected:
                raise ValueError(f"w[{l}] has shape {w.shape}: {self.links!r} links need {expected}")
            if self.links == "mask" and np.any(w[~self.mask[l]] != 0):
                raise ValueError(f"w[{l}] has weights other than 0 where the mask has no link")
        self._check_cure()

    def _check_cure(self) -> None:
        widths = [self.units(l) for l in range(1, self.depth + 1)]
        if self.cure.residual and len(set(widths)) > 1:
            raise ValueError(f"residual links need layers of one width, not {widths}")
        if self.cure.normalize == "batch" and self.examples < 2:
            raise ValueError("batch normalization needs at least 2 examples for each network, not 1")
        if self.cure.normalize == "layer" and min(widths[1:]) < 2:
            raise ValueError("layer normalization of 1 unit is always 0: make the layers at least 2 wide")

    def in_rows(self, l: int) -> bool:
        """Whether weight layer l joins unit k to unit k only."""
        return self.links == "chains" and l < self.depth

    def units(self, l: int) -> int:
        """Return the number of units of layer l, 1..depth+1."""
        return int(self.x.shape[0] if l == 1 else self.w[l - 1].shape[0])

    @property
    def depth(self) -> int:
        """Number of weight layers; the output is layer depth + 1."""
        return len(self.w)

    @property
    def batch(self) -> int:
        """Number of networks B."""
        return int(self.t.shape[-1])

    @property
    def examples(self) -> int:
        """Number of examples N that each network is fed."""
        return 1 if self.x.ndim == 2 else int(self.x.shape[1])

    @property
    def h(self) -> Activation:
        """The activation of the hidden layers."""
        return ACTIVATIONS[self.activation]

    def weight(self, l: int, j: int = 1, k: int = 1) -> Array:
        """Return w_jk^(l) of every network, shape (B,).

        Raises
        ------
        ValueError
            if the network has no such weight.
        """
        w = self.w.get(l)
        if w is None:
            raise ValueError(f"there is no weight layer {l}: they are numbered 1 to {self.depth}")
        exists = 1 <= j <= w.shape[0] and 1 <= k <= w.shape[-2]
        if exists and self.links == "mask":
            exists = bool(self.mask[l][j - 1, k - 1])
        if not exists or (self.in_rows(l) and j != k):
            raise ValueError(f"w_{j}{k}^({l}) does not exist in this network with {self.links!r} links")
        return np.asarray(w[j - 1] if self.in_rows(l) else w[j - 1, k - 1])

    def select(self, members: Any) -> Networks:
        """Return the networks of the batch that `members`, a slice or an array of numbers, names."""
        w = {l: values[..., members] for l, values in self.w.items()}
        b = {l: values[..., members] for l, values in self.b.items()}
        return replace(self, w=w, b=b, x=self.x[..., members], t=self.t[..., members])

    def single_source(self, l: int) -> bool:
        """Whether weight layer l feeds every unit from one unit only."""
        return self.in_rows(l) or self.units(l) == 1

    def invariant(self, l: int) -> bool:
        """Whether layer l+1, normalized, forgets the scale of z^(l) along that axis, but for EPSILON.

        sum z^(l) dE/dz^(l) = sum a^(l+1) delta^(l+1) holds along that axis without biases, and as
        h(c a) = c h(a) for c > 0 it is sum a^(l) dE/da^(l) too; the right side has no `rest` (`Normalized`).
        """
        alike = self.cure.normalize == "layer" or self.single_source(l)
        plain = not self.b and not self.cure.residual
        return self.activation in STRAIGHT and plain and alike and 1 < l < self.depth

    def require_plain(self, what: str) -> None:
        """Raise ValueError unless the networks have no cure and one example: `what` holds for these only."""
        if self.cure != Cure() or self.x.ndim != 2:
            raise ValueError(f"{what} holds for networks without cures that are fed one example each")


Numbers = TypeVar("Numbers")


@dataclass(frozen=True)
class Pass(Generic[Numbers]):
    """One forward and backward pass of `networks` in some arithmetic, layers numbered as in the assignment.

    Attributes
    ----------
    networks : the batch that was run.
    a, delta : pre-activations and dE/da, layers 2..depth+1; z : activations, layers 1..depth.
    normalized : what h is applied to in place of a, layers 2..depth, under batch or layer normalization.
        Each has shape (units, B), or (units, N, B) for N examples.
    parts : under normalization, the two parts of which each delta is the sum, see `Normalized`.
    """

    networks: Networks
    a: dict[int, Numbers]
    z: dict[int, Numbers]
    delta: dict[int, Numbers]
    normalized: dict[int, Numbers] = field(default_factory=dict)
    parts: dict[int, Parts] = field(default_factory=dict)

    def gradient(self, l: int, j: int = 1, k: int = 1) -> Numbers:
        """Return dE/dw_jk^(l) = delta_j^(l+1) z_k^(l), summed over examples, before clipping; shape (B,)."""
        self.networks.weight(l, j, k)
        z: Any = self.z[l]
        products = [part[j - 1] * z[k - 1] for part in self.sent(l)]
        summed: Numbers = total([_over_examples(self.networks, product, 0) for product in products])
        return summed

    def gradients(self, l: int) -> Numbers:
        """Return dE/dw^(l), every weight at once, in the shape of w[l]; before clipping."""
        networks, z = self.networks, cast(Any, self.z[l])
        if networks.in_rows(l):
            products, axis = [part * z for part in self.sent(l)], 1
        else:
            products, axis = [part[:, np.newaxis] * z[np.newaxis] for part in self.sent(l)], 2
        if networks.links == "mask":
            mask = _spread(networks, networks.mask[l][..., np.newaxis])
            products = [product * mask for product in products]
        summed: Numbers = total([_over_examples(networks, product, axis) for product in products])
        return summed

    def sent(self, l: int) -> Parts:
        """Return the parts of delta^(l+1) that dE/dw^(l) is made of."""
        networks, parts = self.networks, self.parts.get(l + 1, (self.delta[l + 1],))
        if networks.cure.normalize == "batch" and not networks.b and networks.single_source(l):
            # a = w z over the examples, so that the rest, perpendicular to a, is so to z
            return parts[:1]
        return [part for part in parts if part is not None]


def _over_examples(networks: Networks, numbers: Any, axis: int) -> Any:
    return numbers if networks.x.ndim == 2 else numbers.sum(axis=axis)


@dataclass(frozen=True)
class Trace(Pass[Scaled]):
    """A pass in numbers that do not underflow."""

    def select(self, members: slice) -> Trace:
        """Return the part of the trace that belongs to these members of the batch."""
        a, z, delta, normal = (
            {l: numbers[..., members] for l, numbers in layers.items()}
            for layers in (self.a, self.z, self.delta, self.normalized)
        )
        parts: dict[int, Parts] = {
            l: [None if part is None else part[..., members] for part in pair]
            for l, pair in self.parts.items()
        }
        return Trace(self.networks.select(members), a, z, delta, normal, parts)

    @property
    def error(self) -> Scaled:
        """e = a^(depth+1) - t, shape (B,); for N examples e / N, shape (N, B)."""
        return self.delta[self.networks.depth + 1][0]

    @cached_property
    def log10_gradients(self) -> Array:
        """log10 |dE/dw_11^(l)|, clipped, shape (depth, B), row l-1 for layer l; -inf where exactly zero."""
        logs = [self.gradient(l).log10_abs() for l in range(1, self.networks.depth + 1)]
        return np.stack(logs) + self.log10_clipping

    @cached_property
    def log10_weight_norms(self) -> Array:
        """log10 of the Euclidean norm of dE/dw^(l), clipped, shape (depth, B), row l-1 for layer l."""
        return self._log10_weight_norms + self.log10_clipping

    @cached_property
    def _log10_weight_norms(self) -> Array:
        return np.stack([_log10_norm(self.gradients(l)) for l in range(1, self.networks.depth + 1)])

    @cached_property
    def log10_delta_norms(self) -> Array:
        """log10 of the norm of delta^(l) over units and examples, shape (depth, B), row l-2 for layer l."""
        return np.stack([_log10_norm(self.delta[l]) for l in range(2, self.networks.depth + 2)])

    @cached_property
    def log10_clipping(self) -> Array:
        """log10 of the factor, at most 1, that clipping applies to a network's whole gradient; shape (B,)."""
        networks, clip = self.networks, self.networks.cure.clip
        if not np.isfinite(clip):
            return np.zeros(networks.batch)
        logs = self._log10_weight_norms
        if networks.b:
            deltas = [_over_examples(networks, self.delta[l + 1], 1) for l in networks.b]
            logs = np.concatenate([logs, np.stack([_log10_norm(delta) for delta in deltas])])
        largest = logs.max(axis=0)
        shifted = np.where(np.isfinite(largest), largest, 0.0)
        with np.errstate(divide="ignore"):
            total = shifted + 0.5 * np.log10((10.0 ** (2.0 * (logs - shifted))).sum(axis=0))
        return np.asarray(np.minimum(0.0, np.log10(clip) - total))


def _log10_norm(numbers: Scaled) -> Array:
    squares = numbers * numbers
    while len(squares.shape) > 1:
        squares = squares.sum(axis=0)
    logs: Array = 0.5 * squares.log10_abs()
    return logs


def _spread(networks: Networks, values: NDArray[Any]) -> NDArray[Any]:
    """Insert the axis of the examples, if there is one, before that of the batch."""
    return values if networks.x.ndim == 2 else values[..., np.newaxis, :]


def onward(networks: Networks, l: int, w: Any, z: Any) -> Any:
    """Return sum_k w_jk^(l) z_k^(l) for every unit j of layer l+1; chains have one k = j."""
    return z * w if networks.in_rows(l) else (z[np.newaxis] * w).sum(axis=1)


def backward(networks: Networks, l: int, w: Any, delta: Any) -> Any:
    """Return sum_j w_jk^(l) delta_j^(l+1) for every unit k of layer l."""
    return delta * w if networks.in_rows(l) else (delta[:, np.newaxis] * w).sum(axis=0)


def pre_activation(networks: Networks, l: int, z: Scaled) -> Scaled:
    """Return a^(l+1) from z^(l)."""
    a: Scaled = onward(networks, l, Scaled.of(_spread(networks, networks.w[l])), z)
    return a + Scaled.of(_spread(networks, networks.b[l])) if networks.b else a


def propagate(networks: Networks, number: Arithmetic, loudness: Array | float = 1.0) -> Pass[Any]:
    """Run every network forward and backward in the given arithmetic, E = (a^(L) - t)^2 / 2.

    Parameters
    ----------
    loudness : a factor, or one for each network, for the error that is sent back: what arrives is linear
        in it.
    """
    last, cure = networks.depth + 1, networks.cure
    w = {l: number.lift(_spread(networks, values)) for l, values in networks.w.items()}
    b = {l: number.lift(_spread(networks, values)) for l, values in networks.b.items()}
    a: dict[int, Any] = {}
    normal: dict[int, Any] = {}
    h: dict[int, Any] = {}
    scalings: dict[int, Normalized] = {}
    z = {1: number.lift(networks.x)}
    axis = 0 if cure.normalize == "layer" else 1
    for l in range(1, last):
        a[l + 1] = onward(networks, l, w[l], z[l])
        if b:
            a[l + 1] = a[l + 1] + b[l]
        if l + 1 < last:
            if cure.normalize != "none":
                scalings[l + 1] = normalized(a[l + 1], axis, number)
                normal[l + 1] = scalings[l + 1].value
            z[l + 1] = h[l + 1] = number.value(normal.get(l + 1, a[l + 1]))
            if cure.residual:
                z[l + 1] = z[l] + h[l + 1]
            z[l + 1] = number.settle(z[l + 1], 0)
    error = (a[last] + number.lift(-networks.t)) * number.lift(np.divide(loudness, networks.examples))
    delta = {last: error}
    parts: dict[int, Parts] = {last: (error, None)}
    dz: Parts = (None, None)
    for l in range(last - 1, 1, -1):
        back = [None if part is None else backward(networks, l, w[l], part) for part in parts[l + 1]]
        if networks.invariant(l) and back[1] is not None:
            # in a single active unit or example there is no room for what the scale does not change
            active = (~number.is_zero(z[l])).sum(axis=axis, keepdims=True)
            back[1] = back[1] * number.lift(active > 1)
        if cure.residual and l < last - 1:
            back = [total(pair) for pair in zip(dz, back, strict=True)]
        dz = back
        slope = number.slope(normal.get(l, a[l]), h[l])
        sent: Parts = [None if part is None else slope * part for part in dz]
        sent = scalings[l].pull_back(sent, number, networks.invariant(l)) if l in scalings else sent
        parts[l] = [None if part is None else number.settle(part, _LOUD) for part in sent]
        delta[l] = total(parts[l])
    return Pass(networks, a, z, delta, normal, parts if scalings else {})


def run(networks: Networks) -> Trace:
    """Run every network forward and backward with numbers that do not underflow.

    They have 53 bits, see `scaled`. So a trace is right to the last digits for chains and for networks that
    contract; in the chaotic phase rounding grows with depth until it changes the gradients of single networks
    (fully connected tanh, 16 wide, standard deviation 3 / sqrt(16), 152 layers: by up to 3.2 decades, with
    wrong signs among them). Batch normalization over four examples or more may cancel earlier;
    `log10_uncertainty` finds such networks. Single weights' gradients may where all units of a layer have
    become alike over a batch (batch normalization and leaky slopes). Sums that cancel to the last bit count
    as zero: `certain` has whole numbers judged without rounding.
    """
    return trace_of(propagate(networks, scaled_numbers(networks.h)))


def trace_of(done: Pass[Scaled]) -> Trace:
    """Return a pass in numbers that do not underflow as a trace."""
    return Trace(done.networks, done.a, done.z, done.delta, done.normalized, done.parts)
