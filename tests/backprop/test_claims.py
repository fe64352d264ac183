from collections import Counter
from dataclasses import replace

import pytest

from coursework.backprop.claims import WrongRecord, check_claim, claims
from coursework.backprop.families import draw
from coursework.backprop.formula import FormulaError, parse

VERDICTS = {
    "correct",
    "typo",
    "wrong index",
    "wrong bound",
    "missing factor",
    "incomplete",
    "wrong",
    "general",
}


def test_there_are_46_records_and_every_question_has_some():
    assert len(claims()) == 46
    assert Counter(claim.question for claim in claims().values()) == {
        "1.1": 2,
        "1.2": 4,
        "1.3": 7,
        "1.4": 5,
        "1.5": 7,
        "1.6": 7,
        "2.1": 3,
        "2.2": 2,
        "2.3": 5,
        "2.4": 4,
    }


@pytest.mark.parametrize("name", claims())
def test_a_record_says_what_it_is(name):
    claim = claims()[name]
    assert claim.verdict in VERDICTS
    assert claim.corrected
    assert (claim.verdict == "general") == (not claim.published) == (not claim.readings)
    if claim.verdict != "general":
        assert name.startswith(claim.question)
    if not claim.holds:
        assert claim.remark


@pytest.mark.parametrize("name", claims())
def test_every_record_holds_on_networks_it_was_not_written_on(name):
    # those of the deep networks, which take longer, once
    for seed in (101, 102, 103) if claims()[name].family == "small" else (101,):
        assert check_claim(claims()[name], seed).points >= 12


@pytest.mark.parametrize("name", [name for name, claim in claims().items() if claim.verdict == "correct"])
def test_a_line_called_correct_agrees_in_every_reading(name):
    assert {reading.status for reading in claims()[name].readings} == {"equal"}


@pytest.mark.parametrize("name", [name for name, claim in claims().items() if not claim.holds])
def test_a_line_called_wrong_differs_as_printed(name):
    claim = claims()[name]
    statuses = [reading.status for reading in claim.readings]
    assert set(statuses) - {"equal"}
    if claim.verdict != "incomplete":
        assert statuses[0] != "equal"


@pytest.mark.parametrize("name", [name for name, claim in claims().items() if claim.readings])
def test_a_status_that_is_not_so_is_refused(name):
    claim = claims()[name]
    first, *rest = claim.readings
    other = "differs" if first.status == "equal" else "equal"
    wrong = replace(claim, readings=(replace(first, status=other), *rest))
    with pytest.raises(WrongRecord, match=f"called '{other}', but it is found {first.status}"):
        check_claim(wrong, grounds=draw(claim.family, claim.activation, 101))


@pytest.mark.parametrize("name", ["1.1.b", "1.5.d", "2.1.c", "2.3.c", "2.3.d", "2.4.b", "G.2"])
def test_a_correction_that_is_wrong_is_refused(name):
    claim = claims()[name]
    (left, right), *_ = claim.right.items()
    slipped = f"not ({right})" if "==" in left else f"2 * ({right})"
    with pytest.raises(WrongRecord, match=rf"{claim.id}: .* is found differs at"):
        check_claim(replace(claim, right={left: slipped}), 101)


def test_the_size_of_a_gradient_without_the_size_of_the_input_is_refused():
    # x_1 = z_1^(1) may be negative, and a size may not
    claim = claims()["2.2.a"]
    assert claim.forall == {"l": [1, "L-1"]}
    for left, right in claim.right.items():
        unsigned = {left.replace("Abs(z(l,1))", "z(l,1)"): right.replace("Abs(z(l,1))", "z(l,1)")}
        assert unsigned != {left: right}
        with pytest.raises(WrongRecord, match=r"2\.2\.a: .* is found differs at"):
            check_claim(replace(claim, right=unsigned), 101)


def test_a_check_of_nothing_is_a_failure():
    with pytest.raises(WrongRecord, match="was 0 at all 0 points"):
        check_claim(claims()["1.1.b"], grounds=[])


def test_a_derivative_that_is_zero_everywhere_shows_nothing():
    claim = claims()["1.3.d"]
    dead = replace(claim, right={f"0 * {left}": f"0 * {right}" for left, right in claim.right.items()})
    with pytest.raises(WrongRecord, match="was 0 at all 36 points"):
        check_claim(dead, 101)


def test_a_condition_that_misses_cases_is_told_from_one_that_is_false_alarm():
    claim = claims()["2.3.c"]
    (reading, *_), grounds = claim.readings, draw("whole chains", "relu", 101)
    alarm = replace(reading, says="a(L-1,1) <= 1")
    with pytest.raises(WrongRecord, match="called sufficient, but it is found differs"):
        check_claim(replace(claim, readings=(alarm,)), grounds=grounds)


def test_conditions_are_checked_where_they_are_true_and_where_they_are_false():
    for name in ("2.3.c", "2.3.d", "2.4.b"):
        claim = claims()[name]
        for outcome in claim.outcomes(draw(claim.family, claim.activation, 101)):
            assert outcome.points > 800
            assert 0.2 < outcome.nonzero / outcome.points < 0.8


def test_every_reading_with_a_value_can_be_read():
    for claim in claims().values():
        for reading in claim.readings:
            for text in (reading.of, reading.says):
                if reading.status != "undefined":
                    parse(text)


def test_what_cannot_be_read_is_only_what_was_printed():
    unreadable = []
    for claim in claims().values():
        for reading in claim.readings:
            try:
                parse(reading.of), parse(reading.says)
            except FormulaError:
                assert reading.name == "as printed"
                unreadable.append(claim.id)
    assert unreadable == [
        "1.3.e",
        "1.4.a",
        "1.4.b",
        "1.4.e",
        "1.5.e",
        "1.6.a",
        "1.6.b",
        "1.6.e",
        "2.4.a",
    ]
