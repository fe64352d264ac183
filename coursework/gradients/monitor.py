"""Gradient norms of any `torch.nn.Module` while it trains, right down to the smallest subnormal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

#: Within these a float32 norm cannot have lost squares to underflow or overflow.
_TRUSTED = (1e-15, 1e18)


@dataclass(frozen=True)
class Row:
    """One parameter at one optimizer step.

    Attributes
    ----------
    step : counted from 1. name : the parameter's name in the module. size : its number of entries.
    log10_norm : log10 of the gradient's Euclidean norm; -inf if every entry is exactly zero, NaN if there
        is no gradient or it is not finite.
    state : "finite", "zero" (every entry is exactly zero: a dead layer, or one that underflowed before),
        "none" (frozen or unused) or "non-finite".
    """

    step: int
    name: str
    size: int
    log10_norm: float
    state: str


def _entries(gradient: Tensor) -> Tensor:
    if gradient.is_sparse:
        gradient = gradient.coalesce().values()
    return gradient.detach().abs() if gradient.is_complex() else gradient.detach()


def _plain_norm(gradient: Tensor) -> Tensor:
    entries = _entries(gradient)
    wide = torch.float64 if entries.dtype == torch.float64 else torch.float32
    norm: Tensor = torch.linalg.vector_norm(entries, dtype=wide).double()
    return norm


def log10_norm(gradient: Tensor) -> float:
    """Return log10 of the Euclidean norm of a tensor; -inf exactly where every entry is zero.

    Squares of entries under 1e-23 are 0 in float32, so that the usual norm of such a gradient is 0 although
    the gradient is not. Here the entries are divided by the largest one first. NaN if one is not finite.
    """
    entries = _entries(gradient)
    if entries.numel() == 0:
        return -math.inf
    entries = entries.double()
    largest = float(entries.abs().max())
    if largest == 0 or not math.isfinite(largest):
        return -math.inf if largest == 0 else math.nan
    return math.log10(largest) + math.log10(float(torch.linalg.vector_norm(entries / largest)))


class GradientMonitor:
    """Record the gradient norm of every parameter at every step of any optimizer that trains the model.

    >>> with GradientMonitor(model) as monitor:           # doctest: +SKIP
    ...     train(model)
    >>> monitor.rows[0]                                   # doctest: +SKIP

    The gradients are read just before an optimizer's step, so accumulation, clipping and the unscaling of
    `GradScaler` have taken place. They are read, never changed. One hook on optimizers is all that is
    installed; it is gone when the block ends. An optimizer that computes its gradients within its
    step (LBFGS) shows those of the step before.

    Parameters
    ----------
    model : the module to watch.
    names : shell-style pattern of parameter names ("*.weight").
    every : record every n-th step.

    Attributes
    ----------
    rows : the record, in order of step and of `model.named_parameters()`.
    """

    def __init__(self, model: nn.Module, names: str = "*", every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"every is {every}: record every 1st, 2nd, 3rd ... step")
        self.model, self.names, self.every = model, names, every
        if not self._watched():
            known = ", ".join(name for name, _ in model.named_parameters()) or "none at all"
            raise ValueError(f"no parameter is called {names!r}; there are: {known}")
        self.rows: list[Row] = []
        self._steps = 0
        self._handle: Any = None

    def _watched(self) -> dict[str, nn.Parameter]:
        return {n: p for n, p in self.model.named_parameters() if fnmatchcase(n, self.names)}

    def __enter__(self) -> GradientMonitor:
        if self._handle is not None:
            raise RuntimeError("this monitor is already watching: leave its block first")
        self._handle = register_optimizer_step_pre_hook(self._before_step)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.remove()
        self._handle = None

    def _before_step(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if any(id(p) in trained for p in self._watched().values()):
            self.record()

    @torch.no_grad()
    def record(self) -> None:
        """Record the gradients as they are now as one step (for training without an optimizer)."""
        self._steps += 1
        if (self._steps - 1) % self.every:
            return
        watched = self._watched()
        gradients = {name: p.grad for name, p in watched.items() if p.grad is not None}
        logs = _log10_norms(gradients)
        for name, parameter in watched.items():
            log = logs.get(name, math.nan)
            if name not in gradients:
                state = "none"
            elif math.isnan(log):
                state = "non-finite"
            else:
                state = "zero" if log == -math.inf else "finite"
            self.rows.append(Row(self._steps, name, parameter.numel(), log, state))

    def table(self) -> tuple[list[int], list[str], NDArray[np.float64]]:
        """Return steps, parameter names and log10 norms of shape (steps, names); NaN where there is none."""
        steps = sorted({row.step for row in self.rows})
        names = list(dict.fromkeys(row.name for row in self.rows))
        values = np.full((len(steps), len(names)), np.nan)
        place_of_step = {step: i for i, step in enumerate(steps)}
        place_of_name = {name: i for i, name in enumerate(names)}
        for row in self.rows:
            values[place_of_step[row.step], place_of_name[row.name]] = row.log10_norm
        return steps, names, values


def _log10_norms(gradients: Mapping[str, Tensor]) -> dict[str, float]:
    """Return all norms with one device synchronization, and those out of the trusted range once more."""
    if not gradients:
        return {}
    norms = [_plain_norm(gradient) for gradient in gradients.values()]
    values = torch.stack([norm.to(norms[0].device) for norm in norms]).tolist()
    low, high = _TRUSTED
    return {
        name: math.log10(value) if low < value < high else log10_norm(gradients[name])
        for name, value in zip(gradients, values, strict=True)
    }
