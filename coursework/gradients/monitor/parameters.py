"""Which parameters a monitor watches, and which of them an optimizer trains."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim.optimizer import Optimizer

from coursework.gradients.monitor.execution import Execution
from coursework.gradients.monitor.fetch import Reading
from coursework.gradients.monitor.labels import SMALLEST
from coursework.gradients.monitor.norms import type_name
from coursework.gradients.monitor.reader import NormReader
from coursework.gradients.monitor.record import Block, Entry

#: What wrappers put into the names of what they wrap: DistributedDataParallel, torch.compile.
_WRAPPERS = ("module.", "_orig_mod.")


def plain_name(name: str, model: nn.Module) -> str:
    """Return a name without the prefixes of wrappers around the model or within it."""
    while name.startswith(_WRAPPERS) and _is_wrapper(model):
        prefix, _, name = name.partition(".")
        model = getattr(model, prefix)
    return name.replace("_orig_mod.", "")


def _is_wrapper(model: nn.Module) -> bool:
    children = [name for name, _ in model.named_children()]
    return children in (["module"], ["_orig_mod"]) and not any(True for _ in model.parameters(recurse=False))


def watched_parameters(model: nn.Module, pattern: str) -> list[tuple[str, nn.Parameter]]:
    """Return the parameters whose plain name fits a shell-style pattern; shared ones once, as first named."""
    pairs = ((plain_name(name, model), parameter) for name, parameter in model.named_parameters())
    return [(name, parameter) for name, parameter in pairs if fnmatchcase(name, pattern)]


def optimized_parameters(optimizer: Optimizer) -> list[Tensor]:
    """Return all parameters of all groups of an optimizer."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def same_objects(one: Sequence[object], other: Sequence[object]) -> bool:
    """Say whether two sequences hold the same objects in the same order."""
    return len(one) == len(other) and all(map(operator.is_, one, other))


@dataclass(frozen=True)
class Read:
    """A block of rows, and the sizes of the numbers that were asked for with it (NaN if not finite)."""

    block: Block
    also: list[float]


class Members:
    """The watched parameters that are read at one optimizer's step, ready to be read again and again.

    Parameters
    ----------
    watched : all watched parameters by name, in the model's order.
    chosen : which of them are read here.
    types : by parameter (its id), the type that the module which owns it returned, where it is known.

    Attributes
    ----------
    parameters : those that are read.
    """

    def __init__(
        self,
        watched: Sequence[tuple[str, nn.Parameter]],
        chosen: Callable[[nn.Parameter], bool],
        types: Mapping[int, torch.dtype],
    ) -> None:
        self._types = types
        numbered = [(i, name, p) for i, (name, p) in enumerate(watched, start=1) if chosen(p)]
        self._names = [(index, name) for index, name, _ in numbered]
        self.parameters = [parameter for _, _, parameter in numbered]
        self._reader = NormReader()
        self._groups: object = None
        self._entries: list[Entry] = []

    def gradients(self) -> list[Tensor | None]:
        """Return the gradients as they are now."""
        return [parameter.grad for parameter in self.parameters]

    def reading(self, gradients: Sequence[Tensor | None], also: Sequence[Tensor] = ()) -> Reading[Read]:
        """Return a row for each parameter (norm, log10_norm, nonfinite), and sizes of numbers `also` read."""
        norms = yield from self._reader.reading([*gradients, *also])
        if self._reader.groups is not self._groups:
            self._entries, self._groups = self._described(gradients), self._reader.groups
        end = len(gradients)
        columns = {
            "norm": norms.norm[:end],
            "log10_norm": norms.log10[:end],
            "nonfinite": norms.nonfinite[:end],
        }
        return Read(Block("dW", self._entries, columns), norms.norm[end:].tolist())

    def _described(self, gradients: Sequence[Tensor | None]) -> list[Entry]:
        entries = []
        for (index, name), parameter, gradient in zip(self._names, self.parameters, gradients, strict=True):
            missing = "" if gradient is not None else "unused" if parameter.requires_grad else "frozen"
            dtype = type_name((parameter if gradient is None else gradient).dtype)
            size, axes = (0, -1) if is_lazy(parameter) else (parameter.numel(), parameter.dim())
            module = name.rpartition(".")[0]
            computed = self._computed(parameter, dtype)
            entries.append(Entry(index, name, module, size, dtype, missing, axes, computed))
        return entries

    def _computed(self, parameter: Tensor, dtype: str) -> str:
        """Return the type that a gradient was computed in, if it was a smaller one than its own."""
        returned = self._types.get(id(parameter))
        name = type_name(returned) if returned else dtype
        return name if SMALLEST.get(name, -math.inf) > SMALLEST.get(dtype, math.inf) else ""


class Plans:
    """Which parameters are read when which optimizer steps; made anew when optimizers change.

    Parameters
    ----------
    model, pattern : whose parameters are watched, and which of them.
    execution : of the model: parameters stand in the order in which it runs.
    """

    def __init__(self, model: nn.Module, pattern: str, execution: Execution) -> None:
        self._model, self._pattern, self._execution = model, pattern, execution
        self._trained: WeakKeyDictionary[Optimizer, list[Tensor]] = WeakKeyDictionary()
        self._members: WeakKeyDictionary[Optimizer, dict[bool, Members]] = WeakKeyDictionary()
        self._everything: tuple[list[nn.Parameter], Members] | None = None

    def begins_round(self, optimizer: Optimizer, stepped: Sequence[Optimizer]) -> bool:
        """Say whether a step of this optimizer begins a new round after those that `stepped` in this one."""
        if not stepped or any(other is optimizer for other in stepped):
            return True
        own = set(map(id, optimized_parameters(optimizer)))
        return any(own & set(map(id, self._trained.get(other, ()))) for other in stepped)

    def members(self, optimizer: Optimizer, with_others: bool) -> Members:
        """Return the watched parameters that it trains, `with_others` also those that no optimizer trains.

        None at all if it trains none of them.
        """
        trained = optimized_parameters(optimizer)
        if not same_objects(trained, self._trained.get(optimizer, ())) or not trained:
            self._trained[optimizer] = trained
            self._members.clear()
        plans = self._members.setdefault(optimizer, {})
        if with_others not in plans:
            plans[with_others] = self._plan(optimizer, with_others)
        return plans[with_others]

    def _plan(self, optimizer: Optimizer, with_others: bool) -> Members:
        own = set(map(id, self._trained[optimizer]))
        known = {id(parameter) for trained in self._trained.values() for parameter in trained}
        watched = self._ordered(watched_parameters(self._model, self._pattern))
        if not any(id(parameter) in own for _, parameter in watched):
            return self._members_of([], bool)
        return self._members_of(watched, lambda p: id(p) in own or (with_others and id(p) not in known))

    def _ordered(self, watched: list[tuple[str, nn.Parameter]]) -> list[tuple[str, nn.Parameter]]:
        ranks = self._execution.parameter_ranks()
        return sorted(watched, key=lambda named: ranks[id(named[1])])

    def _members_of(
        self, watched: list[tuple[str, nn.Parameter]], chosen: Callable[[nn.Parameter], bool]
    ) -> Members:
        return Members(watched, chosen, self._execution.parameter_types())

    def everything(self) -> Members:
        """Return all watched parameters."""
        watched = self._ordered(watched_parameters(self._model, self._pattern))
        parameters = [parameter for _, parameter in watched]
        if self._everything is None or not same_objects(parameters, self._everything[0]):
            self._everything = parameters, self._members_of(watched, lambda _: True)
        return self._everything[1]
