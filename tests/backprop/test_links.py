import numpy as np
import pytest

from coursework.backprop.chains import two_chains
from coursework.backprop.layers import Level
from coursework.backprop.links import is_output, links_from, only_unit, places, single_path
from coursework.backprop.network import DenseNetwork
from coursework.backprop.series import Among, Reached, Units
from coursework.backprop.symbols import A, B, W
from tests.backprop.masks import MASKS

l, L = Level("l"), Level("L")
DENSE = DenseNetwork([5, 3, 7, 2], biases=True)
MASKED = DenseNetwork([5, 3, 7, 2], masks=MASKS)


def test_what_a_unit_leads_to():
    assert links_from(DENSE, 2, 1) == links_from(DENSE, 2, "j") == 7
    assert links_from(DENSE, l, "j") == Units(l + 1)
    assert links_from(MASKED, 2, 1) == Among((1, 3, 4, 6))
    assert links_from(MASKED, 2, "j") == Reached(2, "j")
    assert links_from(MASKED, l, 1) == Reached(l, 1)
    assert links_from(MASKED, 3, "j") == links_from(MASKED, 3, 1) == 2


@pytest.mark.parametrize(
    ("bound", "unit"),
    [(1, 1), (3, None), (Among((4,)), 4), (Among((1, 4)), None), (Among(()), None), (Units(2), None)],
)
def test_the_only_unit_of_a_bound(bound, unit):
    assert only_unit(bound) == unit


def test_the_path_of_a_signal():
    assert single_path(two_chains(4), 2, 2) == [2, 2, 2, 1]
    assert single_path(two_chains(4), 5, 1) == [1]
    assert single_path(DENSE, 2, 1) is None


def test_the_output_by_number_and_by_letter():
    assert is_output(DENSE, 4)
    assert is_output(DENSE, L)
    assert not is_output(DENSE, L - 1)
    assert not is_output(DENSE, l)


@pytest.mark.parametrize(
    ("bottom", "count"),
    [
        (A(l, "j"), 3 + 7),
        (A(L, "j"), 2),
        (A(L - 1, "j"), 7),
        (A(2, "j"), 3),
        (A(l, 4), 1),
        (A(4, 1), 1),
        (A(1, 1), 0),
        (W(l, "j", "k"), 15 + 21 + 14),
        (W(l, 1, "k"), 5 + 3 + 7),
        (W(l, "j", "j"), 3 + 3 + 2),
        (W(3, 2, 7), 1),
        (W(L, 1, 1), 0),
        (B(l, "j"), 3 + 7 + 2),
        (B(3, 2), 1),
    ],
)
def test_how_many_targets_there_are(bottom, count):
    assert len(list(places(DENSE, bottom))) == count


def test_what_the_letters_of_a_target_stand_for():
    assert list(places(DENSE, W(L - 1, 2, "k")))[-1] == {"L": 4, "k": 7}
    assert list(places(DENSE, A(l + 1, 4))) == [{"L": 4, "l": 2}]


def test_weights_without_a_link_and_biases_of_none_are_no_targets():
    assert len(list(places(MASKED, W(l, "j", "k")))) == sum(int(mask.sum()) for mask in MASKS.values()) + 14
    assert list(places(MASKED, W(1, 1, 2))) == []
    assert list(places(MASKED, B(1, 1))) == []
    assert np.asarray(MASKS[1])[0, 1] == 0
