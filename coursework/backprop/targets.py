"""What a derivation can be asked for: dE_n/da, dE_n/dw and dE_n/db, the layer by number or by letter."""

from __future__ import annotations

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.layers import Layer, Level
from coursework.backprop.symbols import LOSS, A, B, Index, Partial, W

#: Letters of layers: l is a hidden layer, any; L is the output.
LAYER_LETTERS = ("l", "L")


def dE_da(l: int | str, j: Index) -> Partial:
    """Return dE_n/da_j^(l); l is a layer's number, "l" for any hidden layer or "L" for the output.

    j is a unit's number or a letter for any. Raises `UndefinedSymbol` for another letter of a layer.
    """
    return Partial(LOSS, A(_layer(l), j))


def dE_dw(l: int | str, j: Index, k: Index) -> Partial:
    """Return dE_n/dw_jk^(l), of the weight from unit k of layer l to unit j of layer l + 1; see `dE_da`."""
    return Partial(LOSS, W(_layer(l), j, k))


def dE_db(l: int | str, j: Index) -> Partial:
    """Return dE_n/db_j^(l), of the bias of unit j of layer l + 1; see `dE_da`."""
    return Partial(LOSS, B(_layer(l), j))


def _layer(l: int | str) -> Layer:
    if isinstance(l, str) and l not in LAYER_LETTERS:
        raise UndefinedSymbol(f"layer {l!r}: give its number, 'l' for any hidden layer or 'L' for the output")
    return Level(l) if isinstance(l, str) else l
