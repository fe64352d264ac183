"""Forward hooks of which neither copies of a module nor files that it is saved to know anything.

`copy.deepcopy` and `torch.save` would take a module's hooks along: the copy (an average of the weights, say)
would report to the monitor, and a hook cannot be saved. While a module is hooked, it answers both by itself.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

_BEFORE, _AFTER = "_forward_pre_hooks", "_forward_hooks"
#: Attributes of the instance, which are looked up before those of its class.
_DEEP, _SAVED = "__deepcopy__", "__reduce_ex__"


class Hooks:
    """Forward hooks on modules."""

    def __init__(self) -> None:
        self._handles: list[tuple[nn.Module, RemovableHandle]] = []

    def __bool__(self) -> bool:
        return bool(self._handles)

    def before(self, module: nn.Module, hook: Callable[[nn.Module, Any], None]) -> None:
        """Call `hook(module, inputs)` before each forward pass of a module."""
        self._add(module, module.register_forward_pre_hook(hook))

    def after(self, module: nn.Module, hook: Callable[[nn.Module, Any, Any], None]) -> None:
        """Call `hook(module, inputs, output)` after each forward pass of a module."""
        self._add(module, module.register_forward_hook(hook))

    def _add(self, module: nn.Module, handle: RemovableHandle) -> None:
        self._handles.append((module, handle))
        _cover_of(module).ours.add(handle.id)

    def remove(self) -> None:
        """Remove every hook."""
        for module, handle in self._handles:
            handle.remove()
            _cover_of(module).release(handle.id)
        self._handles.clear()


def _cover_of(module: nn.Module) -> _Cover:
    found = vars(module).get(_DEEP)
    return found.cover if isinstance(found, _Copied) else _Cover(module)


class _Cover:
    """What a module answers by while it has hooks of ours: their keys, and the attributes that it had."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self.ours: set[int] = set()
        self._own = {name: vars(module)[name] for name in (_DEEP, _SAVED) if name in vars(module)}
        self._put_on()

    def _put_on(self) -> None:
        vars(self._module)[_DEEP] = _Copied(self)
        vars(self._module)[_SAVED] = self.reduced

    def _take_off(self) -> None:
        for name in (_DEEP, _SAVED):
            del vars(self._module)[name]
        vars(self._module).update(self._own)

    def release(self, key: int) -> None:
        """Note that a hook has gone; with the last one everything has."""
        self.ours.discard(key)
        if not self.ours:
            self._take_off()

    @contextmanager
    def _hidden(self) -> Iterator[nn.Module]:
        """Let the module be for a moment what it is without the hooks."""
        kept = {name: list(getattr(self._module, name).items()) for name in (_BEFORE, _AFTER)}
        for name in kept:
            for key in self.ours & set(getattr(self._module, name)):
                del getattr(self._module, name)[key]
        self._take_off()
        try:
            yield self._module
        finally:
            self._put_on()
            for name, hooks in kept.items():
                getattr(self._module, name).clear()
                getattr(self._module, name).update(hooks)

    def copied(self, memo: dict[int, Any]) -> nn.Module:
        """Return the deep copy of the module."""
        with self._hidden() as module:
            return copy.deepcopy(module, memo)

    def reduced(self, protocol: Any) -> Any:
        """Return what the module is written to a file as."""
        with self._hidden() as module:
            reduced = module.__reduce_ex__(protocol)
            if not isinstance(reduced, tuple) or len(reduced) < 3 or not isinstance(reduced[2], dict):
                return reduced
            # it is written when the hooks are there again
            state = dict(reduced[2])
            state |= {name: OrderedDict(state[name]) for name in (_BEFORE, _AFTER) if name in state}
        return (*reduced[:2], state, *reduced[3:])


class _Copied:
    """Called by `copy.deepcopy`; shows whose hooks a module has."""

    def __init__(self, cover: _Cover) -> None:
        self.cover = cover

    def __call__(self, memo: dict[int, Any]) -> nn.Module:
        return self.cover.copied(memo)
