import pytest

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.layers import Level
from coursework.backprop.symbols import LOSS, A, B, Partial, W
from coursework.backprop.targets import dE_da, dE_db, dE_dw


def test_targets_by_number_and_by_letter():
    assert dE_da(3, 1) == Partial(LOSS, A(3, 1))
    assert dE_da("L", "j") == Partial(LOSS, A(Level("L"), "j"))
    assert dE_dw("l", 1, 2) == Partial(LOSS, W(Level("l"), 1, 2))
    assert dE_db("l", "j") == Partial(LOSS, B(Level("l"), "j"))
    assert dE_dw(1, 2, 3).latex() == r"\frac{\partial E_{n}}{\partial w_{23}^{(1)}}"


def test_another_letter_is_refused():
    with pytest.raises(UndefinedSymbol, match="layer 'n': give its number"):
        dE_da("n", 1)
