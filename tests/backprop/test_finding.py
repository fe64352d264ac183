import numpy as np
import pytest

from coursework.backprop.finding import Finding, Kink, WrongGradient, largest, relative_error


def _finding(judge, errors, allowances):
    return Finding(judge, "w[1]", np.array(errors), np.array(allowances))


def test_one_wrong_entry_is_told_with_its_own_error_and_bound():
    finding = _finding("a", [1e-13, 0.25, 0.0], [1e-12, 1e-9, 1.0])
    assert (finding.verdict, finding.error, finding.allowed) == ("wrong", 0.25, 1e-9)


@pytest.mark.parametrize(
    ("errors", "allowances", "verdict"),
    [
        ([0.0, 1e-13], [1e-12, 1e-12], "right"),
        ([0.0, 1e-11], [1e-12, 1e-12], "wrong"),
        ([0.0, 1e-11], [1e-12, 1.0], "cannot resolve"),
        ([0.5, 1e-11], [1e-12, 1.0], "wrong"),
        ([np.inf, 0.0], [np.inf, 1e-12], "cannot resolve"),
    ],
)
def test_an_entry_is_wrong_only_where_the_judge_can_tell(errors, allowances, verdict):
    finding = _finding("a", errors, allowances)
    assert finding.verdict == verdict
    assert finding.passed == (verdict == "right")
    assert finding.resolved == (max(allowances) <= 1e-3)


def test_a_kink_says_where_it_is():
    assert str(Kink(2, 1, 0, 1e-7)) == "a_1^(2) of example 0 is 1.0e-07"


def test_the_relative_error_is_of_the_largest_entry():
    assert relative_error(np.array([1.0, 2.2]), np.array([1.0, 2.0])) == pytest.approx(0.1)
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert relative_error(np.array([np.nan]), np.array([1.0])) == np.inf
    assert relative_error(np.array([1e-300]), np.zeros(1)) == np.inf
    assert largest(np.array([])) == 0
    with pytest.raises(WrongGradient, match=r"shape \(2,\) cannot be compared with one of \(1,\)"):
        relative_error(np.zeros(2), np.zeros(1))
