"""How a network's numbers lie in memory, and what is refused before they get there."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from coursework.backprop.activations import Array

#: One array per layer, under the layer's number.
Layers = Mapping[int, Array]

#: The numbers that networks are made of; complex ones are for the complex step.
REAL, COMPLEX = ("float32", "float64"), ("complex64", "complex128")


class NetworkError(ValueError):
    """Sizes, inputs or targets do not fit the network; the message names what would."""


def views(row: Array, shapes: Mapping[int, tuple[int, ...]]) -> tuple[Layers, Array]:
    """Cut a row into arrays of these shapes, which share its memory; return them and what is left."""
    cut = {}
    for l, shape in shapes.items():
        size = math.prod(shape)
        cut[l], row = row[:size].reshape(shape), row[size:]
    return MappingProxyType(cut), row


def checked_sizes(sizes: Sequence[int]) -> list[int]:
    """Return the sizes as whole numbers; NetworkError where they are not, or too few or too small."""
    units = np.asarray(sizes)
    if units.ndim != 1 or units.dtype.kind not in "iu" or len(units) < 2 or units.min() < 1:
        raise NetworkError(
            f"sizes={sizes!r}: give two layers or more of at least one unit each, in whole numbers, "
            "say [3, 3, 3, 1]"
        )
    return [int(n) for n in units]


def checked_number(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the type of real numbers; NetworkError where it is none that networks are made of."""
    name = getattr(dtype, "__name__", str(dtype))
    if name not in (*REAL, "float"):
        raise NetworkError(f"dtype={name}: take {' or '.join(REAL)}")
    return np.dtype(name)


def checked_weights(letter: str, given: Layers) -> dict[int, Array]:
    """Return weights as arrays, whole numbers as float64.

    Raises
    ------
    NetworkError : they are no numbers, or one is not finite; names the layer.
    """
    arrays = {}
    for l, v in given.items():
        array = np.asarray(v)
        array = array.astype(np.float64) if array.dtype.kind in "biu" else array
        if array.dtype.name not in (*REAL, *COMPLEX):
            raise NetworkError(f"{letter}[{l}] is of {array.dtype}; give numbers of {' or '.join(REAL)}")
        if not (finite := np.isfinite(array)).all():
            raise NetworkError(f"{letter}[{l}] holds {array[~finite][0]}; give finite numbers")
        arrays[l] = array
    return arrays


def checked_masks(masks: Layers, shapes: Mapping[int, tuple[int, ...]]) -> Layers:
    """Return the masks as arrays; NetworkError says which does not fit its weights or is not of 0 and 1."""
    links = {l: np.asarray(mask) for l, mask in masks.items()}
    for l, mask in links.items():
        if mask.shape != shapes.get(l):
            there = f"w[{l}] has {shapes[l]}" if l in shapes else f"there are w[1] to w[{len(shapes)}]"
            raise NetworkError(f"masks[{l}] has shape {mask.shape}, {there}; give one 0 or 1 for each weight")
        if not np.isin(mask, (0, 1)).all():
            raise NetworkError(f"masks[{l}] holds other numbers than 0 (no link) and 1 (a link)")
    return links


def checked_batch(name: str, value: Array, units: int, dtype: np.dtype[Any]) -> Array:
    """Return `value`, (examples, units), as `dtype` or as complex numbers of its precision.

    Raises
    ------
    NetworkError : another shape, or a number that is not finite; says which and what would fit.
    """
    value = np.asarray(value)
    if value.dtype != dtype and value.dtype.kind not in "biufc":
        raise NetworkError(f"{name} is of {value.dtype}; give numbers, (examples, {units}) of them")
    if value.ndim != 2 or value.shape[1] != units:
        raise NetworkError(
            f"{name} has shape {value.shape}; this network needs (examples, {units}), "
            f"for one example (1, {units})"
        )
    # one product finds what is not finite; where it overflows by itself, the numbers are looked at
    if not cmath.isfinite(np.vdot(value, value)) and not (finite := np.isfinite(value)).all():
        n, j = np.argwhere(~finite)[0]
        raise NetworkError(
            f"{name} holds {value[n, j]} in example {n}, unit {j} (both counted from 0); "
            "leave out or mend what is not a finite number"
        )
    if value.dtype == dtype:
        return value
    with np.errstate(over="ignore"):
        cast = value.astype(np.result_type(dtype, np.complex64) if np.iscomplexobj(value) else dtype)
    if not (finite := np.isfinite(cast)).all():
        raise NetworkError(f"{name} holds {value[~finite][0]}, more than {cast.dtype} can; scale it down")
    return cast
