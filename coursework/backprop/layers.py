"""Layer numbers in formulas: 3, or a letter that stands for any layer, such as l + 1 or L - 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


class UndefinedSymbol(ValueError):
    """A formula names a unit, a weight or an index that is not there."""


@dataclass(frozen=True)
class Level:
    """The layer `letter` + `offset`: Level("l", 1) is printed l+1, Level("L") is the output layer."""

    letter: str
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.letter}{self.offset:+d}" if self.offset else self.letter

    def __add__(self, layers: int) -> Level:
        return replace(self, offset=self.offset + layers)

    def __sub__(self, layers: int) -> Level:
        return self + -layers

    def __int__(self) -> int:
        raise UndefinedSymbol(f"layer {self} is no number yet; say which layer {self.letter} is, with `at`")

    def placed(self, letter: str, layer: int) -> Level | int:
        """Return the number of the layer where `letter` is its letter, else the level itself."""
        return layer + self.offset if letter == self.letter else self


#: A layer's number, or a letter's.
Layer = int | Level


def layer_placed(l: Layer, letter: str, layer: int) -> Layer:
    """Return `l` with `layer` for `letter`."""
    return l.placed(letter, layer) if isinstance(l, Level) else l


def layer_number(l: Layer, letters: Mapping[str, Any] | None) -> int:
    """Return the number of layer `l`, given what the letters stand for."""
    if isinstance(l, int):
        return l
    if letters is None or l.letter not in letters:
        raise UndefinedSymbol(f"the layer ${l}$ is not bound: nothing says what ${l.letter}$ is")
    return int(letters[l.letter]) + l.offset


def layer_code(l: Layer) -> str:
    """Return `l` as Python: 3, l, l + 1."""
    if isinstance(l, int) or not l.offset:
        return str(l)
    return f"{l.letter} {'+' if l.offset > 0 else '-'} {abs(l.offset)}"
