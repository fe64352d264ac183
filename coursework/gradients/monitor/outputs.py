"""Activations and deltas of modules, taken from what they return.

Full backward hooks would be the obvious way to delta, but they make every output a view, which modules that
work in place (Inception V3's rectifiers among them) may not change: training stops with an error. A hook on
the output tensor has no such effect, and sees the gradient of what the module returned even if that is
overwritten afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from coursework.gradients.monitor.activations import Activations
from coursework.gradients.monitor.calls import Calls, Deltas
from coursework.gradients.monitor.execution import Execution, first_tensor
from coursework.gradients.monitor.fetch import Reading
from coursework.gradients.monitor.hooks import After, Hooks
from coursework.gradients.monitor.record import Block

#: Modules that never return anything negative.
_POSITIVE = {nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.Hardsigmoid, nn.Softmax, nn.Softplus}


#: Types of numbers that most modules return.
_USUAL = {torch.float32, torch.float64}

_grad_enabled, _is_compiling = torch.is_grad_enabled, torch.compiler.is_compiling


def _tensor_of(output: Any) -> Tensor | None:
    """Return `first_tensor`, the usual case first: this runs once a module and step."""
    return output if type(output) is Tensor and output.dtype in _USUAL else first_tensor(output)


def owns_parameters(module: nn.Module) -> bool:
    """Say whether a module has parameters of its own, not only its children."""
    return any(True for _ in module.parameters(recurse=False))


def weighted(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that own parameters: the gradient of what they return is delta."""
    return {name: module for name, module in model.named_modules() if owns_parameters(module)}


def innermost(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules whose outputs are activations.

    Those without parameters and children (ReLU, pooling), and blocks that own nothing but leaves and apply
    their activation within `forward` (Inception's BasicConv2d). If there are none, all leaves.
    """
    leaves = {name: module for name, module in model.named_modules() if not any(module.children())}
    blocks = {
        name
        for name, module in model.named_modules()
        if name
        and name not in leaves
        and not isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)
        and not any(any(child.children()) for child in module.children())
    }
    bare = {
        name
        for name, module in leaves.items()
        if not owns_parameters(module) and name.rpartition(".")[0] not in blocks
    }
    chosen = blocks | bare or set(leaves)
    return {name: module for name, module in model.named_modules() if name in chosen}


class OutputWatch:
    """What modules returned, and received as delta, since the last step.

    Gradients that are thrown away before a step (because a loss scaler skips it) take what belongs to them
    along: between two passes a gradient is remembered, and if it is another one at the step, what came
    before has not led to it. (Gradients that are set to zero in place are not noticed.)

    Parameters
    ----------
    modules : by kind ("delta", "activation"), modules by name.
    execution : of the model.
    parameters : of the model, by whose gradients is seen whether passes add up.

    Attributes
    ----------
    due : whether the step under way is to be recorded.
    """

    def __init__(
        self,
        modules: Mapping[str, Mapping[str, nn.Module]],
        execution: Execution,
        parameters: Callable[[], Sequence[Tensor]],
    ) -> None:
        self._modules, self._execution, self._parameters = modules, execution, parameters
        self._calls: dict[str, Calls] = {}
        for kind, chosen in modules.items():
            self._calls[kind] = Deltas(list(chosen)) if kind == "delta" else _activations(chosen, execution)
        self._orders: dict[str, list[int]] = {}
        self._hooks = Hooks()
        self.due = True
        self.clear()

    def attach(self) -> None:
        """Look at what every module returns, for each kind."""
        for kind, chosen in self._modules.items():
            for place, module in enumerate(chosen.values()):
                self._hooks.after(
                    module, self._take_delta(place) if kind == "delta" else self._take_output(place)
                )

    def detach(self) -> None:
        """Look no longer, and forget what is pending."""
        self._hooks.remove()
        self.clear()

    def clear(self) -> None:
        """Forget what is pending."""
        for calls in self._calls.values():
            calls.clear()
        self._walked = False  # whether a backward pass has come since the last forward pass
        self._awaited = False  # whether such a pass will be noticed
        self._passes: list[tuple[Tensor, Tensor, list[tuple[int, int]]]] = []

    def collecting(self) -> list[Reading[Block]]:
        """Return what was seen as blocks of rows to come, and start anew."""
        for parameter, gradient, taken in reversed(self._passes):
            if parameter.grad is not gradient:
                self._forget(taken)
                break
        self._passes, self._walked, self._awaited = [], False, False
        return [
            calls.collecting(self._missing(kind), self._order(kind)) for kind, calls in self._calls.items()
        ]

    def _forget(self, taken: list[tuple[int, int]]) -> None:
        for calls, counts in zip(self._calls.values(), taken, strict=True):
            calls.forget(counts)

    def _order(self, kind: str) -> list[int]:
        """Return places in the order in which modules first ran."""
        if kind not in self._orders:
            ranks = self._execution.ranks(self._modules[kind].values())
            self._orders[kind] = sorted(range(len(ranks)), key=ranks.__getitem__)
        return self._orders[kind]

    def _missing(self, kind: str) -> list[str]:
        """Return for each module what is the matter if nothing comes from it."""
        if all(self._calls[kind].sizes):
            return []
        used = (
            any(p.grad is not None for p in m.parameters(recurse=False)) for m in self._modules[kind].values()
        )
        return ["uncalled" if one else "unused" for one in used]

    def _looks(self) -> bool:
        # a compiler traces a hook once: nothing of it belongs into its graph
        if not self.due or not _grad_enabled() or _is_compiling():
            return False
        if self._walked and torch._C._current_graph_task_id() < 0:
            self._begin_pass()
        return True

    def _begin_pass(self) -> None:
        """Note what there was before a forward pass that follows a backward pass, and a gradient of then."""
        self._walked = self._awaited = False
        present = [(p, p.grad) for p in self._parameters() if p.grad is not None]
        if present:
            parameter, gradient = min(present, key=lambda pair: pair[1].numel())
            self._passes.append((parameter, gradient, [calls.taken() for calls in self._calls.values()]))
        else:
            self.clear()

    def _walk(self, gradient: Tensor) -> None:
        self._walked = True

    def _take_output(self, place: int) -> After:
        add = self._calls["activation"].add

        def take(module: nn.Module, output: Any) -> None:
            if self._looks() and (tensor := _tensor_of(output)) is not None:
                add(place, tensor)
                if not self._awaited and tensor.requires_grad:
                    tensor.register_hook(self._walk)
                    self._awaited = True

        return take

    def _take_delta(self, place: int) -> After:
        add = self._calls["delta"].add

        def arrive(gradient: Tensor) -> None:
            if self._hooks:  # a graph may be walked after the monitor has gone
                self._walked = True
                add(place, gradient)

        def take(module: nn.Module, output: Any) -> None:
            if self._looks() and (tensor := _tensor_of(output)) is not None and tensor.requires_grad:
                tensor.register_hook(arrive)

        return take


def _activations(chosen: Mapping[str, nn.Module], execution: Execution) -> Activations:
    modules = list(chosen.values())
    never_negative = [type(module) in _POSITIVE for module in modules]
    return Activations(
        list(chosen), lambda place: execution.spaces.get(modules[place]), never_negative.__getitem__
    )
