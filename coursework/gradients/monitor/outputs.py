"""Activations and deltas of modules, taken by hooks on their outputs.

Full backward hooks would be the obvious way to delta, but they make every output a view, which modules that
work in place (Inception V3's rectifiers among them) may not change: training stops with an error. A hook on
the output tensor has no such effect, and sees the gradient of what the module returned even if that is
overwritten afterwards.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from coursework.gradients.monitor.norms import (
    SMALL,
    chunks_of,
    count_nonfinite,
    entries_of,
    norm_and_log10,
    plain_norms,
    segment_norms,
    type_name,
)
from coursework.gradients.monitor.record import Block, Entry

#: A variance under this share of the mean square is measured again, around the mean.
_CANCELS = 1e-2


def innermost(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules whose outputs are activations.

    Those without parameters and children (ReLU, pooling), and blocks that own nothing but leaves and apply
    their activation within `forward` (Inception's BasicConv2d). If there are none, all leaves.
    """
    leaves = {name: module for name, module in model.named_modules() if not any(module.children())}
    blocks = {
        name: module
        for name, module in model.named_modules()
        if name and name not in leaves and not _is_container(module)
        and not any(any(child.children()) for child in module.children())
    }  # fmt: skip
    bare = {
        name: module for name, module in leaves.items()
        if not any(True for _ in module.parameters(recurse=False)) and name.rpartition(".")[0] not in blocks
    }  # fmt: skip
    found = {**blocks, **bare} or leaves
    return {name: module for name, module in model.named_modules() if name in found}


def weighted(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that own parameters: the gradient of what they return is delta."""
    return {
        name: module
        for name, module in model.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    }


def _is_container(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)


def first_tensor(output: Any) -> Tensor | None:
    """Return the first floating point tensor in a module's output."""
    if isinstance(output, Tensor):
        return output if output.is_floating_point() or output.is_complex() else None
    values: Iterable[Any] = ()
    if isinstance(output, Mapping):
        values = output.values()
    elif isinstance(output, tuple | list):
        values = output
    return next((found for value in values if (found := first_tensor(value)) is not None), None)


def unit_axis(tensor: Tensor) -> int | None:
    """Return the axis of the units: 1 for pictures and rows of examples, the last of sequences."""
    return {0: None, 1: 0, 2: 1, 3: 2}.get(tensor.dim(), 1)


@dataclass
class _Seen:
    """What one module returned (or received as delta) within a step, call by call.

    Numbers may be tensors without dimensions that wait on an accelerator.
    """

    size: int = 0
    dtype: str = ""
    norms: list[Any] = field(default_factory=list)
    nonfinite: int = 0
    counts: list[int] = field(default_factory=list)
    means: list[Any] = field(default_factory=list)
    variances: list[Any] = field(default_factory=list)
    dead: list[Tensor] = field(default_factory=list)


class OutputWatch:
    """Hooks on modules' outputs; what they saw since the last `collect`.

    Parameters
    ----------
    activations, deltas : modules by name whose outputs, or whose outputs' gradients, are measured.
    due : says whether the step under way is to be recorded.
    """

    def __init__(
        self, activations: dict[str, nn.Module], deltas: dict[str, nn.Module], due: Callable[[], bool]
    ) -> None:
        self._modules = {"delta": deltas, "activation": activations}
        self._due = due
        self._handles: list[RemovableHandle] = []
        self._forget()

    def _forget(self) -> None:
        self._seen: dict[str, dict[str, _Seen]] = {kind: defaultdict(_Seen) for kind in self._modules}
        self._small: dict[Any, list[tuple[_Seen, Tensor]]] = defaultdict(list)

    def attach(self) -> None:
        """Install one forward hook on every module."""
        for name, module in {**self._modules["delta"], **self._modules["activation"]}.items():
            self._handles.append(module.register_forward_hook(self._hook(name)))

    def detach(self) -> None:
        """Remove every hook and forget what is pending."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._forget()

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        wants_activation, wants_delta = (name in self._modules[kind] for kind in ("activation", "delta"))

        def take(module: nn.Module, inputs: Any, output: Any) -> None:
            # a compiler traces this function once: nothing of it belongs into its graph
            if torch.compiler.is_compiling() or not torch.is_grad_enabled() or not self._due():
                return
            tensor = first_tensor(output)
            if tensor is None or tensor.numel() == 0:
                return
            if wants_activation:
                self._take("activation", name, tensor)
            if wants_delta and tensor.requires_grad:
                tensor.register_hook(lambda gradient: self._take_delta(name, gradient))

        return take

    def _take_delta(self, name: str, gradient: Tensor) -> None:
        if self._handles:  # a graph may be walked after the monitor has gone
            self._take("delta", name, gradient)

    @torch.no_grad()
    def _take(self, kind: str, name: str, tensor: Tensor) -> None:
        seen = self._seen[kind][name]
        seen.size, seen.dtype = tensor.numel(), type_name(tensor)
        tensor = tensor.detach()
        if tensor.numel() <= SMALL and tensor.layout is torch.strided:
            self._small[kind, tensor.shape, tensor.dtype].append((seen, tensor.clone()))
        elif kind == "delta":
            norm = _norm(tensor)
            seen.norms.append(norm)
            if tensor.is_cpu and math.isnan(norm):
                seen.nonfinite += count_nonfinite(tensor)
        else:
            n, mean, variance = _moments(tensor)
            seen.counts.append(n)
            seen.means.append(mean)
            seen.variances.append(variance)
            seen.dead.append(dead_units(tensor))

    def collect(self) -> list[Block]:
        """Return what was seen as blocks of rows, and start anew."""
        for (kind, *_), pairs in self._small.items():
            (_add_small_deltas if kind == "delta" else _add_small_outputs)(pairs)
        blocks = []
        for kind, modules in self._modules.items():
            if modules:
                seen = [self._seen[kind][name] for name in modules]
                blocks.append(Block(kind, _entries(modules, seen), _COLUMNS[kind](seen)))
        self._forget()
        return blocks


def _entries(modules: Iterable[str], seen: Iterable[_Seen]) -> list[Entry]:
    return [
        Entry(index, name, name, one.size, one.dtype, missing="" if one.size else "unused")
        for index, (name, one) in enumerate(zip(modules, seen, strict=True), start=1)
    ]


def _norm(tensor: Tensor) -> Any:
    """Return the norm of a large delta: on an accelerator as a tensor that nobody waits for."""
    if tensor.is_cpu:
        return norm_and_log10(tensor)[0]
    return torch.linalg.vector_norm(plain_norms(chunks_of(entries_of(tensor))))


def _moments(tensor: Tensor) -> tuple[int, Any, Any]:
    """Return number, mean and variance of the entries of a large output."""
    entries = entries_of(tensor)
    n = entries.numel()
    if not entries.is_cpu:
        variance, mean = torch.var_mean(entries.float(), correction=0)
        return n, mean, variance
    entries = entries if entries.itemsize >= 4 else entries.float()
    average = float(entries.sum()) / n
    second = _mean_square(entries)
    spread = second - average * average
    return n, average, spread if spread > _CANCELS * second else _mean_square(entries - average)


def _mean_square(entries: Tensor) -> float:
    return float(plain_norms(chunks_of(entries)).double().square().sum()) / entries.numel()


def dead_units(tensor: Tensor) -> Tensor:
    """Return for every unit whether it is exactly zero, in every example and at every place."""
    axis = unit_axis(tensor)
    rest = [a for a in range(tensor.dim()) if a != axis]
    tensor = tensor.abs() if tensor.is_complex() else tensor
    if not rest:
        return tensor == 0
    if tensor.is_cpu:
        # a living unit hardly ever sums to zero: one pass is enough
        suspects = tensor.sum(rest) == 0
        if not suspects.any():
            return suspects
    return (tensor.amax(rest) == 0) & (tensor.amin(rest) == 0)


def _add_small_outputs(pairs: list[tuple[_Seen, Tensor]]) -> None:
    """Measure small outputs of one shape together, in float64."""
    stacked = torch.stack([tensor for _, tensor in pairs])
    numbers = entries_of(stacked).flatten(1).to("cpu", torch.float64).numpy()
    axis = unit_axis(pairs[0][1])
    units = stacked[:, None] if axis is None else stacked.movedim(axis + 1, 1)
    dead = (units.flatten(2) == 0).all(2) if units.dim() > 2 else units == 0
    with np.errstate(invalid="ignore", over="ignore"):
        means, variances = numbers.mean(axis=1).tolist(), numbers.var(axis=1).tolist()
    for (seen, _), mean, variance, mask in zip(pairs, means, variances, dead, strict=True):
        seen.counts.append(numbers.shape[1])
        seen.means.append(mean)
        seen.variances.append(variance)
        seen.dead.append(mask)


def _add_small_deltas(pairs: list[tuple[_Seen, Tensor]]) -> None:
    """Measure small deltas of one shape together, in float64."""
    numbers = entries_of(torch.stack([tensor for _, tensor in pairs])).to("cpu", torch.float64).numpy()
    starts = np.arange(len(pairs)) * (numbers.size // len(pairs))
    norms, _ = segment_norms(numbers.ravel(), starts, rescale=pairs[0][1].dtype.itemsize >= 8)
    for (seen, tensor), norm in zip(pairs, norms.tolist(), strict=True):
        seen.norms.append(norm)
        if math.isnan(norm):
            seen.nonfinite += count_nonfinite(tensor)


def _floats(values: Iterable[Any]) -> list[float]:
    """Return numbers, those that wait on an accelerator with one synchronization."""
    values = list(values)
    waiting = [value.double() for value in values if isinstance(value, Tensor)]
    arrived = iter(torch.stack(waiting).tolist() if waiting else ())
    return [next(arrived) if isinstance(value, Tensor) else value for value in values]


def _delta_columns(seen: list[_Seen]) -> dict[str, NDArray[Any]]:
    calls = iter(_floats(norm for one in seen for norm in one.norms))
    norm = np.array(
        [math.hypot(*(next(calls) for _ in one.norms)) if one.norms else math.nan for one in seen]
    )
    nonfinite = np.array([one.nonfinite if one.norms else -1 for one in seen])
    # on an accelerator nobody has counted: one at least
    nonfinite[~np.isfinite(norm) & (nonfinite == 0)] = 1
    norm[np.isinf(norm)] = np.nan
    with np.errstate(divide="ignore"):
        return {"norm": norm, "log10_norm": np.log10(norm), "nonfinite": nonfinite}


def _activation_columns(seen: list[_Seen]) -> dict[str, NDArray[Any]]:
    calls = iter(_floats(value for one in seen for pair in zip(one.means, one.variances, strict=True)
                         for value in pair))  # fmt: skip
    columns: dict[str, list[float]] = {"mean": [], "std": []}
    for one in seen:
        moments = np.array([(next(calls), next(calls)) for _ in one.means]).reshape(-1, 2)
        weights = np.array(one.counts, dtype=float)
        mean = np.average(moments[:, 0], weights=weights) if one.counts else math.nan
        spread = moments[:, 1] + (moments[:, 0] - mean) ** 2
        columns["mean"].append(mean)
        columns["std"].append(math.sqrt(np.average(spread, weights=weights)) if one.counts else math.nan)
    dead = _floats(_dead_in_all(one.dead).sum() if one.dead else -1.0 for one in seen)
    units = [one.dead[-1].numel() if one.dead else -1 for one in seen]
    return {
        "mean": np.array(columns["mean"]),
        "std": np.array(columns["std"]),
        "units": np.array(units),
        "dead_units": np.array(dead, dtype=np.int64),
    }


def _dead_in_all(masks: list[Tensor]) -> Tensor:
    """Return which units were dead in every call; of calls with other numbers of units, in the last ones."""
    alike = [mask for mask in masks if mask.shape == masks[-1].shape]
    return torch.stack(alike).all(dim=0)


_COLUMNS: dict[str, Callable[[list[_Seen]], dict[str, NDArray[Any]]]] = {
    "delta": _delta_columns,
    "activation": _activation_columns,
}
