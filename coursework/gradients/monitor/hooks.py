"""Functions called around a module's forward pass, of which copies and saved files of it know nothing.

Torch's own forward hooks cost a small module as much as its forward pass, switch off the faster inference of
some modules, and are taken along by `copy.deepcopy` (the copy, an average of the weights, say, would report
to the monitor) and by `torch.save` (which cannot save them). Here a module gets, for a time, a `forward` of
its own, and answers both by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from torch import nn

#: Attributes of the instance, which are looked up before those of its class.
_FORWARD, _DEEP, _SAVED = "forward", "__deepcopy__", "__reduce_ex__"

#: Called with the module before, with the module and its output after a forward pass.
Before = Callable[[nn.Module], None]
After = Callable[[nn.Module, Any], None]


class Hooks:
    """Functions around the forward passes of modules."""

    def __init__(self) -> None:
        self._removals: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self._removals)

    def before(self, module: nn.Module, hook: Before) -> None:
        """Call `hook(module)` before each forward pass of a module."""
        cover = _cover_of(module)
        cover.before.append(hook)
        self._removals.append(lambda: cover.remove(cover.before, hook))

    def after(self, module: nn.Module, hook: After) -> None:
        """Call `hook(module, output)` after each forward pass of a module."""
        cover = _cover_of(module)
        cover.after.append(hook)
        self._removals.append(lambda: cover.remove(cover.after, hook))

    def remove(self) -> None:
        """Remove them all."""
        for remove in self._removals:
            remove()
        self._removals.clear()


def _cover_of(module: nn.Module) -> _Cover:
    found = vars(module).get(_DEEP)
    return found.cover if isinstance(found, _Copied) else _Cover(module)


class _Cover:
    """What a module has while anything of ours is around it."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self.before: list[Before] = []
        self.after: list[After] = []
        self._kept = {name: vars(module)[name] for name in (_FORWARD, _DEEP, _SAVED) if name in vars(module)}
        self._ours = {_FORWARD: self._around(module.forward), _DEEP: _Copied(self), _SAVED: self.reduced}
        vars(module).update(self._ours)

    def _around(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        module, before, after = self._module, self.before, self.after

        @wraps(forward)
        def run(*args: Any, **kwargs: Any) -> Any:
            for begin in before:
                begin(module)
            output = forward(*args, **kwargs)
            for end in after:
                end(module, output)
            return output

        return run

    def _take_off(self) -> None:
        for name in self._ours:
            del vars(self._module)[name]
        vars(self._module).update(self._kept)

    def remove(self, hooks: list[Any], hook: Any) -> None:
        """Remove a function; with the last one everything goes."""
        hooks.remove(hook)
        if not self.before and not self.after:
            self._take_off()

    @contextmanager
    def _hidden(self) -> Iterator[nn.Module]:
        """Let the module be for a moment what it is without us."""
        self._take_off()
        try:
            yield self._module
        finally:
            vars(self._module).update(self._ours)

    def copied(self, memo: dict[int, Any]) -> nn.Module:
        """Return the deep copy of the module."""
        with self._hidden() as module:
            return copy.deepcopy(module, memo)

    def reduced(self, protocol: Any) -> Any:
        """Return what the module is written to a file as."""
        with self._hidden() as module:
            reduced = module.__reduce_ex__(protocol)
            if isinstance(reduced, tuple) and len(reduced) > 2 and isinstance(reduced[2], dict):
                # it is written when all of this is there again
                return (*reduced[:2], dict(reduced[2]), *reduced[3:])
            return reduced


class _Copied:
    """Called by `copy.deepcopy`; shows what a module has around it."""

    def __init__(self, cover: _Cover) -> None:
        self.cover = cover

    def __call__(self, memo: dict[int, Any]) -> nn.Module:
        return self.cover.copied(memo)
