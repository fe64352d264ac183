"""The monitor itself: hooks on optimizers, one reading a step, a record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.hooks import RemovableHandle

from coursework.gradients.monitor.arrays import array_blocks
from coursework.gradients.monitor.diagnosis import Finding, diagnose
from coursework.gradients.monitor.execution import Execution, runs_compiled
from coursework.gradients.monitor.extras import UpdateReader, quantiles_of, zero_shares
from coursework.gradients.monitor.fetch import together
from coursework.gradients.monitor.figures import plot_record
from coursework.gradients.monitor.modules import step_by_module
from coursework.gradients.monitor.outputs import OutputWatch, innermost, weighted
from coursework.gradients.monitor.parameters import Members, Plans, plain_name, watched_parameters
from coursework.gradients.monitor.record import Block, Record, Step
from coursework.gradients.monitor.summary import summarize
from coursework.gradients.monitor.writers import Writer, check_files, open_writers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: What can be measured beside norms.
MEASURES = ("delta", "activation", "update", "zeros")


class MonitorError(ValueError):
    """The monitor cannot do what was asked for; the message says what it could."""


class GradientMonitor:
    """Record, at every step of any optimizer that trains the model, the state of its gradients.

    >>> with GradientMonitor(model) as monitor:           # doctest: +SKIP
    ...     train(model)
    >>> print(monitor.summary())                          # doctest: +SKIP
    >>> monitor.frame()                                   # doctest: +SKIP

    Gradients are read just before an optimizer's step, so that accumulation, clipping, the averaging of
    `DistributedDataParallel` and the unscaling of `GradScaler` have taken place. They are read and
    never changed; none of more than 1,024 entries is copied. Training is the same to the last bit. An
    accelerator is waited for once a step, whatever is measured, and once more where entries are not finite
    or for "update", "zeros" and quantiles.

    What is installed is gone when the block ends: hooks on optimizers; until the end of the first step, a
    look at every module's `forward`, to see in what order they run and in which types (a compiled model shows
    neither: its parameters stand in the order in which it lists them); for "delta" and "activation" the same
    on the modules concerned. Copies of the model that are made meanwhile, and files that it is saved to, know
    nothing of it.

    With several optimizers, a step ends when one of them comes round again. A step that `GradScaler` skips
    is none, and what was seen on the way to it is forgotten. An optimizer that computes its gradients within
    its step (LBFGS) shows those of the step before.

    Parameters
    ----------
    model : the module to watch; or a numpy network (anything with weights `w`), for `record(gradients)`.
    names : shell-style pattern of parameter names ("*.weight"), as `named_parameters` gives them but without
        the "module." and "_orig_mod." of wrappers.
    every : record every n-th step; on the others nothing is measured. Of networks of tiny modules "delta" and
        "activation" cost a third of the step, and this makes them cheaper.
    measure : any of "delta" (the gradient of what each module with parameters returns: dE/da),
        "activation" (mean, standard deviation and dead units of outputs), "update" (norm of the step over
        norm of the weights; keeps a copy of the weights) and "zeros" (share of entries exactly 0).
    modules : pattern of the names of the modules for "delta" and "activation". By default delta is taken
        from modules that own parameters, activations from those that own none and from blocks of leaves.
    quantiles : shares of which the quantiles of |entries| are wanted (of at most 65,536 entries), say (0.5,).
    log : files to write as training goes on: `.jsonl` for JSON Lines, `.parquet` for a folder of Parquet
        files; readable at any time (`read_log`, `pandas.read_parquet`). Of several processes that train one
        model only the first writes.
    tensorboard : folder for scalars, where TensorBoard is installed.
    scaler : the `GradScaler` in use, by whose factor deltas are divided; parameters' gradients need none.

    Raises
    ------
    MonitorError
        Nothing fits a pattern; `every`, `measure`, `quantiles` or `log` name what does not exist; outputs of
        a compiled module are asked for.
    """

    def __init__(
        self,
        model: Any,
        names: str = "*",
        every: int = 1,
        *,
        measure: str | Iterable[str] = (),
        modules: str | None = None,
        quantiles: Sequence[float] = (),
        log: str | Path | Iterable[str | Path] = (),
        tensorboard: str | Path | None = None,
        scaler: torch.amp.GradScaler | None = None,
    ) -> None:
        self.model, self.names, self.every = model, names, every
        self._measure = _checked_measures(measure)
        self._quantiles = tuple(quantiles)
        if every < 1:
            raise MonitorError(f"every is {every}: record every 1st, 2nd, 3rd ... step")
        if not all(0 <= share <= 1 for share in self._quantiles):
            raise MonitorError(f"quantiles={list(quantiles)}: give shares from 0 to 1, say (0.05, 0.5, 0.95)")
        self._execution = Execution(model)
        self._outputs = None
        if isinstance(model, nn.Module):
            _check_names(model, names)
            self._outputs = self._watch_outputs(modules)
        elif not isinstance(getattr(model, "w", None), Mapping):
            kind = type(model).__name__
            raise MonitorError(f"{kind} is neither a torch.nn.Module nor a network with weights w")
        self._seen = Record(self._quantiles)
        self._files = check_files([log] if isinstance(log, str | Path) else log, tensorboard)
        self._writers: list[Writer] = []
        self._scaler = scaler
        self._number = 0
        self._stepped: list[Optimizer] = []
        self._plans = Plans(model, names, self._execution)
        self._updates: dict[Members, UpdateReader] = {}
        self._awaiting: list[tuple[UpdateReader, Block]] = []
        self._gradients: list[Tensor | None] = []
        self._handles: list[RemovableHandle] = []

    def _watch_outputs(self, modules: str | None) -> OutputWatch | None:
        wanted = {"delta": weighted, "activation": innermost}
        chosen = {kind: choose(self.model) for kind, choose in wanted.items() if kind in self._measure}
        if not chosen:
            return None
        if runs_compiled(self.model):
            raise MonitorError(
                "delta and activation are taken from modules, and a compiled model runs none by itself: "
                "watch it before torch.compile, or measure gradients alone"
            )
        if modules is not None:
            every = {plain_name(name, self.model): module for name, module in self.model.named_modules()}
            fitting = {name: module for name, module in every.items() if fnmatchcase(name, modules)}
            if not fitting:
                known = ", ".join(filter(None, every)) or "none"
                raise MonitorError(f"no module is called {modules!r}; there are: {known}")
            chosen = dict.fromkeys(chosen, fitting)
        return OutputWatch(
            {
                kind: {plain_name(name, self.model): m for name, m in found.items()}
                for kind, found in chosen.items()
            },
            self._execution,
            lambda: list(self.model.parameters()),
        )

    def __enter__(self) -> GradientMonitor:
        if self._handles or self._writers:
            raise RuntimeError("this monitor is already watching: leave its block first")
        self._writers = open_writers(self._files, self._seen)
        if isinstance(self.model, nn.Module):
            self._handles = [
                register_optimizer_step_pre_hook(self._before_step),
                register_optimizer_step_post_hook(self._after_step),
            ]
        self._execution.attach()
        if self._outputs:
            self._outputs.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._execution.detach()
        if self._outputs:
            self._outputs.detach()
        self._awaiting, self._stepped = [], []
        self._updates = {}
        for writer in self._writers:
            writer.close()
        self._writers = []

    def _is_due(self) -> bool:
        """Say whether the step that forward passes now lead to will be recorded."""
        return self._number % self.every == 0

    def _before_step(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        first = self._plans.begins_round(optimizer, self._stepped)
        members = self._plans.members(optimizer, with_others=first)
        if not members.parameters:
            return
        skipped = getattr(optimizer, "found_inf", None)
        if skipped is not None and bool(skipped):  # a fused optimizer finds out within its step
            self._skip(first)
            return
        if first:
            self._stepped = []
        self._stepped.append(optimizer)
        self._read(members, first, getattr(optimizer, "grad_scale", None))

    def _skip(self, first: bool) -> None:
        """Forget what led to gradients that the optimizer will not use."""
        if first and self._outputs:
            self._outputs.clear()

    def _after_step(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._gradients = []
        for reader, block in self._awaiting:
            block.columns.update(reader.after())
        self._awaiting = []

    def _read(self, members: Members, begins: bool, grad_scale: Tensor | None = None) -> None:
        """Take one reading of some parameters, as a new step or as part of the one under way."""
        readings: list[Any] = []
        if begins:
            for writer in self._writers:
                writer.step_done()
            self._execution.detach()
            due = self._is_due()
            self._number += 1
            if due:
                self._seen.steps.append(Step(self._number))
                readings += self._outputs.collecting() if self._outputs else []
            if self._outputs:
                self._outputs.due = self._is_due()
        if not self._seen.steps or self._seen.steps[-1].number != self._number:
            return
        gradients = members.gradients()
        # the optimizer will want the same objects: they need not be made twice
        self._gradients = gradients if self._handles else []
        factors = [] if grad_scale is None else [grad_scale]
        *outputs, read = together([*readings, members.reading(gradients, factors)])
        block = read.block
        if "zeros" in self._measure:
            block.columns["zeros"] = zero_shares(gradients)
        if self._quantiles:
            block.columns.update(quantiles_of(gradients, self._quantiles))
        self._add(outputs, block, *read.also)
        if "update" in self._measure and self._handles:
            if members not in self._updates:
                self._updates[members] = UpdateReader(members.parameters)
            reader = self._updates[members]
            reader.before()
            self._awaiting.append((reader, block))

    def _add(self, outputs: list[Block], block: Block, factor: float = 1.0) -> None:
        """Add rows to the step under way, without the factor of the loss.

        Parameters
        ----------
        factor : by which gradients of parameters are too large; deltas always are, by the scaler's.
        """
        step = self._seen.steps[-1]
        if self._scaler:
            step.scale = float(self._scaler.get_scale())
        elif factor != 1.0:
            step.scale = factor
        _unscale(block, factor)
        for one in outputs:
            if one.kind == "delta":
                _unscale(one, step.scale)
        step.blocks += [*outputs, block]

    def record(self, gradients: Any = None, trace: Any = None) -> None:
        """Record the gradients as they are now as one step: for training without an optimizer.

        Parameters
        ----------
        gradients : for a numpy network, what its backward pass returned: `w`, `b` and `delta` map layers
            to arrays. A torch module needs none.
        trace : for a numpy network, its forward pass, whose `z` maps layers to activations.
        """
        if isinstance(self.model, nn.Module):
            self._read(self._plans.everything(), begins=True)
            return
        if gradients is None:
            raise MonitorError("record() of a numpy network needs what its backward pass returned")
        for writer in self._writers:
            writer.step_done()
        if self._is_due():
            self._seen.steps.append(Step(self._number + 1, array_blocks(gradients, trace, self.names)))
        self._number += 1

    def frame(self, by: str = "parameter") -> pd.DataFrame:
        """Return the record as a tidy table, a row for every step and parameter (or module's output).

        Parameters
        ----------
        by : "parameter", or "module" for one row of kind "dW" a module: norms over all its parameters.

        Returns
        -------
        DataFrame
            step : of the optimizer, from 1. index : position in the model among its kind, from 1.
            kind : "dW" (gradient of a parameter), "delta" (of a module's output) or "activation".
            name, module, size (entries), axes (of a parameter), dtype. norm, log10_norm : -inf exactly where
            every entry is zero, right down to the smallest subnormal. nonfinite : entries that are not
            finite. label : see `LABELS`. On request: zeros (share), weight_norm, update_norm, update_ratio;
            mean, std, units, dead_units of activations; q0.5 and the like. NaN (counts: -1) where there is
            no such thing.
        """
        if by not in ("parameter", "module"):
            raise MonitorError(f"by={by!r}: choose 'parameter' or 'module'")
        steps = self._seen.steps
        return self._seen.frame(steps if by == "parameter" else [step_by_module(step) for step in steps])

    def table(self, kind: str = "dW") -> tuple[list[int], list[str], NDArray[np.float64]]:
        """Return steps, names and log10 norms of shape (steps, names); NaN where there is none."""
        return self._seen.matrix(kind)

    def diagnose(self) -> list[Finding]:
        """Return what the record says is wrong, each finding with its threshold, source and remedy."""
        return diagnose(self.frame(), self.model)

    def summary(self) -> str:
        """Return the last step as text for a terminal, with the findings under it."""
        return summarize(self.frame(), self.diagnose())

    def plot(self, view: str = "layers", kind: str = "dW", step: int | None = None) -> Figure:
        """Return a figure: "layers" (norm against layer, first and last step), "time" (norm against time
        and layer as a heat map) or "flow" (delta, dW and activations of one step side by side).
        """
        return plot_record(self.frame(), view, kind, step)


def _checked_measures(measure: str | Iterable[str]) -> frozenset[str]:
    chosen = frozenset([measure] if isinstance(measure, str) else measure)
    for name in sorted(chosen - set(MEASURES)):
        raise MonitorError(f"measure={name!r} is unknown: choose from {', '.join(MEASURES)}")
    return chosen


def _check_names(model: nn.Module, pattern: str) -> None:
    # a model without parameters may still create them
    if pattern != "*" and not watched_parameters(model, pattern):
        known = ", ".join(plain_name(name, model) for name, _ in model.named_parameters()) or "none at all"
        raise MonitorError(f"no parameter is called {pattern!r}; there are: {known}")


def _unscale(block: Block, scale: float) -> None:
    """Divide by the factor of a loss scaler what was measured with it."""
    if scale == 1.0:
        return
    for name, column in block.columns.items():
        if name == "norm" or name.startswith("q"):
            block.columns[name] = column / scale
    block.columns["log10_norm"] = block.columns["log10_norm"] - math.log10(scale)
