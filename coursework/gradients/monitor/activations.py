"""Mean, standard deviation and dead units of what modules returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursework.gradients.monitor.calls import Calls, Column
from coursework.gradients.monitor.execution import unit_axis
from coursework.gradients.monitor.fetch import Floats, Reading, on_host
from coursework.gradients.monitor.norms import chunks_of, plain_norms

#: Outputs whose variance is under this share of their mean square are measured around their mean.
_CANCELS = 1e-2


class Activations(Calls):
    """Outputs of modules. Of a module that is called several times, all calls are one sample.

    Parameters
    ----------
    names : of the modules, in the model's order.
    spaces : says of a module's place how many axes of space its output has, None if unknown.
    positive : says of a module's place that its output is never negative.
    """

    kind = "activation"

    def __init__(
        self,
        names: Sequence[str],
        spaces: Callable[[int], int | None] = lambda place: None,
        positive: Callable[[int], bool] = lambda place: False,
    ) -> None:
        super().__init__(names)
        self._spaces, self._positive = spaces, positive
        self._centres: list[float | None] = [None] * len(names)

    def _axis(self, place: int, dimensions: int) -> int:
        return unit_axis(dimensions, self._spaces(place))

    def _reduced(self, place: int, tensor: Tensor) -> tuple[Any, ...]:
        """Return size, centre, sum of each unit, sum of squares around the centre, and which units are dead.

        The sum of squares is a tensor where only an accelerator knows it. Which units are dead is None where
        the sums tell: outputs that are never negative have a sum of zero only if all are zero.
        """
        if tensor.layout is not torch.strided:
            tensor = tensor.to_dense()
        tensor = tensor.abs() if tensor.is_complex() else tensor
        tensor = tensor.float() if tensor.itemsize < 4 else tensor
        axis = self._axis(place, tensor.dim())
        rest = [other for other in range(tensor.dim()) if other != axis]
        sums = tensor.sum(rest) if rest else tensor
        known = self._centres[place]
        centre: Any = sums.sum() / tensor.numel() if known is None else known
        dead = None if self._positive(place) else _dead(tensor, sums, rest)
        squares = _sum_of_squares(tensor if known == 0 else tensor - centre)
        return tensor.numel(), centre, sums, squares, dead

    def _columns(self) -> Reading[dict[str, Column]]:
        rows = len(self.names)
        alike = list(self._alike())
        small = [_real(torch.stack(tensors)) for _, tensors in alike]
        waiting = [part for call in self.large for part in call if isinstance(part, Tensor)]
        numbers = iter((yield [*small, *waiting]))
        calls = [
            self._of_small(places, next(numbers).reshape(stacked.shape))
            for (places, _), stacked in zip(alike, small, strict=True)
        ]
        if self.large:
            arrived = [
                [next(numbers) if isinstance(part, Tensor) else part for part in call] for call in self.large
            ]
            calls.append(_of_large(arrived))
        if not calls:
            nothing, none = np.full(rows, np.nan), np.full(rows, -1)
            return {"mean": nothing, "std": nothing, "units": none, "dead_units": none}
        place, n, means, squares, units, dead = map(np.concatenate, zip(*calls, strict=True))
        total = np.bincount(place, n, rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(place, n * means, rows) / total
            spread = squares + (means - mean[place]) ** 2
            variance = np.bincount(place, n * spread, rows) / total
            near = variance < _CANCELS * (variance + mean**2)
        for i in np.unique(place).tolist():
            self._centres[i] = float(mean[i]) if near[i] else 0.0
        dead_units, all_units = _counted(dead, units, place, rows)
        return {"mean": mean, "std": np.sqrt(variance), "units": all_units, "dead_units": dead_units}

    def _of_small(self, places: list[int], numbers: Floats) -> tuple[Any, ...]:
        """Return of tensors of one shape places, sizes, means, variances, units, and which units are dead."""
        count = len(places)
        flat = numbers.reshape(count, -1)
        axes = [self._axis(place, numbers.ndim - 1) for place in places]
        alive = numbers != 0
        if len(set(axes)) == 1:
            dead = list(_never(alive, axes[0]))
        else:
            dead = [_never(one[np.newaxis], axis)[0] for one, axis in zip(alive, axes, strict=True)]
        with np.errstate(invalid="ignore", over="ignore"):
            moments = flat.mean(axis=1), flat.var(axis=1)
        units = np.array([len(one) for one in dead])
        return places, np.full(count, flat.shape[1]), *moments, units, np.concatenate(dead)


def _real(tensor: Tensor) -> Tensor:
    return tensor.abs() if tensor.is_complex() else tensor


def _never(alive: Column, axis: int) -> Column:
    """Return for each of several tensors which units, along an axis of each, are zero throughout."""
    if alive.ndim == 1:
        return ~alive[:, np.newaxis]
    units = np.moveaxis(alive, 1 + axis, 1)
    return np.asarray(~units.reshape(*units.shape[:2], -1).any(axis=2))


def _dead(tensor: Tensor, sums: Tensor, rest: list[int]) -> Tensor:
    """Return which units are zero throughout: nothing is above zero there, and the sum is zero."""
    return (sums == 0) & (tensor.amax(rest) == 0) if rest else sums == 0


def _sum_of_squares(tensor: Tensor) -> Any:
    """Return the sum of the squares, on an accelerator as a tensor."""
    chunks = chunks_of(tensor)
    if not on_host(tensor):
        return plain_norms(chunks).square().sum()
    squares = 0.0
    for chunk in chunks:
        flat = chunk.reshape(-1)
        squares += torch.dot(flat, flat).item()
    return squares


def _of_large(calls: list[list[Any]]) -> tuple[Any, ...]:
    """Return of large tensors what `_of_small` returns of small ones."""
    place, sizes, centres, sums, squares, dead = zip(*calls, strict=True)
    n, centre, total = (_numbers(one) for one in (sizes, centres, squares))
    units = np.array([len(one) for one in sums])
    means = np.add.reduceat(np.concatenate(sums), np.cumsum(units) - units) / n
    with np.errstate(invalid="ignore"):
        spread = total / n - (means - centre) ** 2
    masks = [row == 0 if one is None else one != 0 for row, one in zip(sums, dead, strict=True)]
    return list(place), n, means, np.maximum(spread, 0.0), units, np.concatenate(masks)


def _numbers(values: Sequence[Any]) -> Floats:
    """Return numbers, some of which arrived as rows of one."""
    return np.array([float(np.squeeze(value)) for value in values])


def _counted(mask: Column, lengths: Column, place: Column, rows: int) -> tuple[Column, Column]:
    """Return how many units were dead in every call, and how many there are; -1 without a call.

    If calls had different numbers of units, those like the last one count.

    Parameters
    ----------
    mask : whether each unit was dead, call by call; `lengths` : units of each call; `place` : its module.
    """
    dead, units = np.full(rows, -1), np.full(rows, -1)
    starts = np.cumsum(lengths) - lengths
    dead[place], units[place] = np.add.reduceat(mask, starts, dtype=int), lengths
    for at in np.flatnonzero(np.bincount(place) > 1).tolist():
        calls = np.flatnonzero(place == at)
        masks = [mask[starts[call] :][: lengths[call]] for call in calls]
        alike = [one for one in masks if len(one) == len(masks[-1])]
        dead[at], units[at] = np.count_nonzero(np.logical_and.reduce(alike)), len(masks[-1])
    return dead, units
