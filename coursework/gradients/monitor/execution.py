"""What one forward pass tells of a network: the order of its modules, their types, where their units are.

The order in which a model lists its modules need not be that in which they run, and the type of a parameter
need not be the one that its gradient was computed in (autocast). Modules are watched for this during the
first step only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from coursework.gradients.monitor.hooks import Hooks

#: Modules whose outputs have their units along the last axis.
_LAST = (nn.Linear, nn.Bilinear, nn.LayerNorm, nn.RMSNorm, nn.Embedding, nn.RNNBase, nn.MultiheadAttention)
#: A module that works along 1, 2 or 3 axes of space is called so: Conv1d, MaxPool2d, BatchNorm3d.
_SPACE = re.compile(r"([123])d$")


def first_tensor(output: Any) -> Tensor | None:
    """Return the first floating point tensor, with anything in it, of what a module returned."""
    if isinstance(output, Tensor):
        return output if (output.is_floating_point() or output.is_complex()) and output.numel() else None
    values: Any = ()
    if isinstance(output, Mapping):
        values = output.values()
    elif isinstance(output, tuple | list):
        values = output
    return next((found for value in values if (found := first_tensor(value)) is not None), None)


def spaces_of(module: nn.Module) -> int | None:
    """Return how many axes of space lie behind the axis of the units in what a module returns.

    None where it takes what comes: a rectifier, say.
    """
    if isinstance(module, _LAST):
        return 0
    found = _SPACE.search(type(module).__name__)
    return int(found[1]) if found else None


def unit_axis(dimensions: int, spaces: int | None) -> int:
    """Return the axis of the units: 1 for pictures, signals and rows of examples, the last of sequences.

    Parameters
    ----------
    spaces : axes of space that the output, or what it was made of, has by `spaces_of`; None if unknown.
    """
    if spaces and dimensions == spaces + 2:
        return 1
    if dimensions in (1, 3) or spaces == 0:
        return dimensions - 1
    return 1


class Execution:
    """What was seen of a model's modules when they first ran.

    Attributes
    ----------
    types : by module, the type of what it returned. spaces : by module, `spaces_of` what it returned.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._hooks = Hooks()
        self._ranks: dict[nn.Module, int] = {}
        self.types: dict[nn.Module, torch.dtype] = {}
        self.spaces: dict[nn.Module, int | None] = {}
        self._last: int | None = None

    def attach(self) -> None:
        """Look at the next forward passes, unless they have been seen or are compiled."""
        if self._ranks or not isinstance(self._model, nn.Module) or runs_compiled(self._model):
            return
        for module in self._model.modules():
            self._hooks.before(module, self._begin)
            self._hooks.after(module, self._end)

    def detach(self) -> None:
        """Look no longer."""
        self._hooks.remove()

    def _looks(self) -> bool:
        return torch.is_grad_enabled() and not torch.compiler.is_compiling()

    def _begin(self, module: nn.Module) -> None:
        if self._looks():
            self._ranks.setdefault(module, len(self._ranks))

    def _end(self, module: nn.Module, output: Any) -> None:
        if self._looks() and (tensor := first_tensor(output)) is not None:
            self._last = self._last if (told := spaces_of(module)) is None else told
            self.spaces.setdefault(module, self._last)
            self.types.setdefault(module, tensor.dtype)

    def ranks(self, modules: Iterable[nn.Module]) -> list[int]:
        """Return for each of some modules, in the model's order, when it ran.

        One that did not run by itself stands behind the one before it in the model.
        """
        ranks, last = [], -1
        for module in modules:
            last = self._ranks.get(module, last)
            ranks.append(last)
        return ranks

    def parameter_types(self) -> dict[int, torch.dtype]:
        """Return by parameter (its id) the type that its module returned, or else one around it that ran."""
        types: dict[int, torch.dtype] = {}
        returned: dict[str, torch.dtype | None] = {}
        for name, module in self._model.named_modules():
            found = returned[name] = self.types.get(module, returned.get(name.rpartition(".")[0]))
            if found:
                types.update({id(parameter): found for parameter in module.parameters(recurse=False)})
        return types

    def parameter_ranks(self) -> dict[int, int]:
        """Return for every parameter (by id) when the first module that owns it ran."""
        modules = list(self._model.modules())
        ranks: dict[int, int] = {}
        for rank, module in zip(self.ranks(modules), modules, strict=True):
            for parameter in module.parameters(recurse=False):
                ranks[id(parameter)] = min(rank, ranks.get(id(parameter), rank))
        return ranks


def is_compiled(module: nn.Module) -> bool:
    """Say whether a module is run by torch.compile or is a script of TorchScript."""
    if isinstance(module, torch.jit.ScriptModule):
        return True
    return getattr(module, "_compiled_call_impl", None) is not None or hasattr(module, "_orig_mod")


def runs_compiled(model: nn.Module) -> bool:
    """Say whether the model, or any module in it, is compiled."""
    return any(map(is_compiled, model.modules()))
