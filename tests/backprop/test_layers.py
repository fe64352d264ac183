import pytest

from coursework.backprop.layers import Level, UndefinedSymbol, layer_code, layer_number, layer_placed

l = Level("l")


@pytest.mark.parametrize(
    ("layer", "text", "code"),
    [
        (3, "3", "3"),
        (l, "l", "l"),
        (l + 1, "l+1", "l + 1"),
        (Level("L") - 2, "L-2", "L - 2"),
        (l + 1 - 1, "l", "l"),
    ],
)
def test_how_a_layer_is_printed(layer, text, code):
    assert str(layer) == text
    assert layer_code(layer) == code


def test_a_letter_stands_for_a_number():
    assert layer_number(l + 1, {"l": 2}) == 3
    assert layer_number(3, None) == 3
    assert layer_placed(l - 1, "l", 5) == 4
    assert layer_placed(l, "m", 5) == l
    assert layer_placed(3, "l", 5) == 3


@pytest.mark.parametrize("letters", [None, {}, {"m": 2}])
def test_a_letter_that_stands_for_nothing_is_named(letters):
    with pytest.raises(UndefinedSymbol, match=r"layer \$l\+1\$ is not bound: nothing says what \$l\$ is"):
        layer_number(l + 1, letters)


def test_a_level_is_no_number_by_itself():
    with pytest.raises(UndefinedSymbol, match="layer l is no number yet"):
        int(l)
