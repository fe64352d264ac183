import math

import pytest

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.formula import parse
from coursework.backprop.statement import UnboundIndex


class Table:
    """A ground with two quantities, z(l, j) = 10 l + j and t = 2."""

    def quantity(self, place):
        match place:
            case ("z", l, j):
                return 10 * l + j
            case ("t",):
                return 2
        raise UndefinedSymbol(f"there is no {place}")

    def derivative(self, top, bottom):
        return (top, bottom)

    def function(self, name):
        return {"Abs": abs, "exp": math.exp}[name]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("z(3,1) - t / 4", 30.5),
        ("-z(1,1)**2", -121),
        ("Sum(z(1,k), (k, 1, 3))", 36),
        ("Product(z(k,0), (k, 1, l))", 6000),
        ("Sum(Sum(z(m,k), (k, 1, m)), (m, 1, 2))", 11 + 21 + 22),
        ("Max(z(k,1), (k, 1, l))", 31),
        ("Sum(t, (k, 1, 0)) + Product(t, (k, 1, 0)) + Max(t, (k, 1, 0))", 1),
        ("Any(z(k,0) == 20, (k, 1, l))", True),
        ("All(z(k,0) == 20, (k, 1, l))", False),
        ("Any(t == 2, (k, 1, 0)) or not All(t == 3, (k, 1, 0))", False),
        ("l == L - 1 and t >= 2 and t <= 2 and t != 3 and t > 1 and t < 3", True),
        ("l > 5 and q == 1", False),
        ("l < 5 or q == 1", True),
        ("Abs(0 - t)", 2),
        ("D(z(l,1), t)", (("z", 3, 1), ("t",))),
    ],
)
def test_statements_come_to_what_they_say(text, value):
    assert parse(text).at(Table(), {"l": 3, "L": 4}) == value


def test_an_index_that_nothing_binds_is_named():
    with pytest.raises(UnboundIndex, match=r"the index \$q\$ is bound nowhere"):
        parse("z(q,1)").at(Table(), {"l": 3})


def test_a_letter_is_bound_within_its_sum_only():
    with pytest.raises(UnboundIndex, match=r"\$k\$"):
        parse("Sum(z(1,k), (k, 1, 2)) * z(1,k)").at(Table(), {})


def test_a_tower_of_powers_is_refused():
    with pytest.raises(UndefinedSymbol, match="the exponent 387420489 is beyond 1000"):
        parse("9**9**9").at(Table(), {})
