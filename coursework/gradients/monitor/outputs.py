"""Activations and deltas of modules, taken by hooks on their outputs.

Full backward hooks would be the obvious way to delta, but they make every output a view, which modules that
work in place (Inception V3's rectifiers among them) may not change: training stops with an error. A hook on
the output tensor has no such effect, and sees the gradient of what the module returned even if that is
overwritten afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from coursework.gradients.monitor.calls import KINDS
from coursework.gradients.monitor.record import Block


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


class OutputWatch:
    """Hooks on modules' outputs; what they saw since the last `collect`.

    Parameters
    ----------
    modules : by kind ("delta", "activation"), modules by name.

    Attributes
    ----------
    due : whether the step under way is to be recorded.
    """

    def __init__(self, modules: Mapping[str, Mapping[str, nn.Module]]) -> None:
        self._modules = modules
        self._calls = {kind: KINDS[kind](list(chosen)) for kind, chosen in modules.items()}
        self._handles: list[RemovableHandle] = []
        self.due = True

    def attach(self) -> None:
        """Install a forward hook on every module, for each kind."""
        for kind, chosen in self._modules.items():
            for place, module in enumerate(chosen.values()):
                take = self._take_delta(place) if kind == "delta" else self._take_output(place)
                self._handles.append(module.register_forward_hook(take))

    def detach(self) -> None:
        """Remove every hook and forget what is pending."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        for calls in self._calls.values():
            calls.clear()

    def collect(self) -> list[Block]:
        """Return what was seen as blocks of rows, and start anew."""
        return [calls.collect() for calls in self._calls.values()]

    def _looks(self) -> bool:
        # a compiler traces a hook once: nothing of it belongs into its graph
        return self.due and torch.is_grad_enabled() and not torch.compiler.is_compiling()

    def _take_output(self, place: int) -> Callable[[nn.Module, Any, Any], None]:
        add = self._calls["activation"].add

        def take(module: nn.Module, inputs: Any, output: Any) -> None:
            if self._looks() and (tensor := first_tensor(output)) is not None:
                add(place, tensor)

        return take

    def _take_delta(self, place: int) -> Callable[[nn.Module, Any, Any], None]:
        add = self._calls["delta"].add

        def arrive(gradient: Tensor) -> None:
            if self._handles:  # a graph may be walked after the monitor has gone
                add(place, gradient)

        def take(module: nn.Module, inputs: Any, output: Any) -> None:
            if self._looks() and (tensor := first_tensor(output)) is not None and tensor.requires_grad:
                tensor.register_hook(arrive)

        return take
