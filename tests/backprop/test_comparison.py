from fractions import Fraction

import pytest

from coursework.backprop.comparison import agree, bindings, compare, thinned
from coursework.backprop.grounds import FloatGround
from coursework.backprop.point import random_point


@pytest.fixture
def grounds():
    return [FloatGround(random_point([2, 3, 3, 1], "tanh", seed=seed)) for seed in (1, 2)]


def test_equal_sides_are_equal_at_every_point(grounds):
    outcome = compare("D(E, a(l,j))", "d(l,j)", grounds, {"l": [2, "L-1"], "j": [1, "units(l)"]})
    assert (outcome.status, outcome.points, outcome.differing, outcome.nonzero) == ("equal", 12, 0, 12)
    assert outcome.example is None


def test_sides_that_part_somewhere_differ_and_the_last_such_point_is_kept(grounds):
    outcome = compare("z(l,1)", "z(3,1)", grounds, {"l": [2, 3]})
    assert (outcome.status, outcome.points, outcome.differing) == ("differs", 4, 2)
    assert outcome.example.letters == {"L": 4, "l": 2}
    assert outcome.example.left == grounds[1].quantity(("z", 2, 1))
    assert outcome.example.right == grounds[1].quantity(("z", 3, 1))


@pytest.mark.parametrize(
    ("right", "reason"),
    [
        ("z(q,1)", "the index $q$ is bound nowhere"),
        ("(z(2,1)", "not a formula, '(' was never closed"),
        ("D(z(2,1))", "a differential by itself is not a number"),
    ],
)
def test_a_side_without_meaning_is_undefined(grounds, right, reason):
    outcome = compare("z(2,1)", right, grounds, {})
    assert (outcome.status, outcome.reason, outcome.points) == ("undefined", reason, 0)


def test_a_weight_that_does_not_exist_is_an_undefined_symbol(grounds):
    outcome = compare("w(3,1,1)", "w(4,1,1)", grounds, {})
    assert (outcome.status, outcome.differing) == ("undefined symbol", 2)
    assert outcome.reason == "there is no $w_{11}^{(4)}$"


def test_one_that_does_not_matter_is_not(grounds):
    assert compare("t", "t + 0 * w(4,1,1)", grounds, {}).status == "equal"


def test_numbers_can_be_put_in(grounds):
    assert compare("t", "t * w(L,1,1)", grounds, {}, {"w(L,1,1)": 1}).status == "equal"
    assert compare("t", "t * w(L,1,1)", grounds, {}, {"w(L,1,1)": 2}).status == "differs"


def test_of_conditions_the_two_ways_of_failing_are_counted(grounds):
    forall = {"l": [2, 3]}
    sure, never = "Abs(z(l,1)) < 2", "Abs(z(l,1)) > 2"
    missed, alarm = compare(sure, never, grounds, forall), compare(never, sure, grounds, forall)
    assert (missed.missed, missed.claimed, missed.nonzero) == (4, 0, 4)
    assert (alarm.missed, alarm.claimed, alarm.nonzero) == (0, 4, 0)


def test_only_the_indices_that_occur_are_gone_through(grounds):
    forall = {"l": [2, 3], "k": [1, 3]}
    assert compare("t", "t", grounds, forall).points == 2
    assert compare("z(2,k)", "z(2,k)", grounds, forall).points == 6


def test_a_range_may_depend_on_an_index_before_it(grounds):
    found = list(bindings(grounds[0], {"l": [1, 2], "j": [1, "units(l)"]}))
    assert found == [{"L": 4, "l": l, "j": j} for l, units in ((1, 2), (2, 3)) for j in range(1, units + 1)]


def test_long_ranges_keep_their_ends():
    assert thinned(3, 2) == []
    assert thinned(2, 8) == [2, 3, 4, 5, 6, 7, 8]
    assert thinned(1, 152) == [1, 2, 3, 76, 150, 151, 152]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1.0, 1.0 + 1e-12, True),
        (1.0, 1.0 + 1e-8, False),
        (1e-200, 1e-200 * (1 + 1e-12), True),
        (1e-200, 2e-200, False),
        (0.0, 1e-300, False),
        (10**30, 10**30 + 1, False),
        (Fraction(1, 2), Fraction(2, 4), True),
        (True, False, False),
        (float("nan"), float("nan"), False),
        (0, 0.0, True),
    ],
)
def test_values_agree_relatively_or_exactly(left, right, same):
    assert agree(left, right) is same
