"""What students would type is read as it is meant, or refused with the place named and a remedy."""

import pytest

from coursework.backprop.judge.answer import check, verdict
from coursework.backprop.judge.array_reading import is_numpy
from tests.backprop.judge.spellings import REFUSED, RIGHT, WRONG, rows


def test_two_hundred_spellings_of_all_questions_are_gone_through() -> None:
    assert len(rows(RIGHT)) >= 190
    assert {row[0] for row in rows(RIGHT)} == {
        *(f"1.{n}" for n in range(1, 7)),
        *(f"2.{n}" for n in range(1, 5)),
    }
    assert all(len(row) == 2 for row in rows(RIGHT))


@pytest.mark.parametrize(("question", "text"), rows(RIGHT))
def test_a_right_answer_is_right_however_it_is_spelled_and_so_is_what_is_echoed(
    question: str, text: str
) -> None:
    answer = check(question, text)
    assert answer.right, str(answer)
    if not is_numpy(text):
        assert verdict(question, answer.understood) == "right"


@pytest.mark.parametrize(("question", "text", "understood"), rows(WRONG))
def test_a_wrong_answer_is_read_as_it_stands(question: str, text: str, understood: str) -> None:
    answer = check(question, text)
    assert answer.status == "wrong"
    assert answer.understood == understood


@pytest.mark.parametrize(("question", "text", "place", "reason"), rows(REFUSED))
def test_what_is_not_read_is_refused_at_its_place_with_a_remedy(
    question: str, text: str, place: str, reason: str
) -> None:
    answer = check(question, text)
    assert answer.status == "unreadable"
    assert answer.summary.startswith(f"Cannot be read: {reason}")
    assert answer.summary.endswith(f"(at {place}).") or answer.summary.endswith(f"(at character {place}).")


def test_a_greater_or_equal_sign_of_a_step_is_read_and_the_convention_is_told() -> None:
    answer = check("2.3", r"(y-t)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}[a_1^{(m)}\ge 0]")
    assert answer.right
    assert r"[a_{1}^{(m)}\ge 0]" in answer.understood
    assert "$h'(0)=0$ is taken here" in str(answer.lines)


def test_dots_are_told_as_what_they_are_read_for() -> None:
    answer = check("2.1", r"(y-t)z_1^{(l)}h'(a_1^{(l+1)})w_{11}^{(l+1)}\cdots h'(a_1^{(152)})w_{11}^{(152)}")
    assert r"\prod_{m=l+1}^{152}h'(a_{1}^{(m)})\,w_{11}^{(m)}" in answer.understood
    assert any(r"the dots are read as $\prod_{m=l+1}^{152}$" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r"\delta_1^{(4)}=y-t_n \\ \delta_1^{(4)}=t_n-y", "two equations are typed"),
        ("delta_1^(4) = y-t\ndelta_1^(4) = a_1^(4)-t", "two equations are typed"),
        (r"\begin{tabular}y-t\end{tabular}", r"\begin{tabular} is not read"),
        (r"y-t \text{ as } w \to 0", "'as' is prose"),
        (r"\hat{\delta}_1^{(4)}", r"\hat stands over no output"),
        (r"\mathbb{R}", "only the indicator"),
        (r"\begin{cases}1 & t\end{cases}", "a case needs one comparison"),
        (r"\begin{cases}1 & \text{otherwise}\\0 & t>0\end{cases}", "'otherwise' comes last"),
        (r"\begin{cases}1 & t>0", "'the end' does not continue the case"),
        (r"(1 if t>0)", "a choice ends with else"),
        (r"t_n+\cdots+z_1^{(3)}", "the dots stand between terms that are not alike"),
        (r"\sum_{k=1}^{N_9} z_k^{(3)}", "N_9 is no number of units known here"),
    ],
)  # fmt: skip
def test_what_typesets_more_than_one_formula_is_refused(text: str, reason: str) -> None:
    assert reason in check("1.1", text).summary


@pytest.mark.parametrize("text", ["y-t\n", "y\n-t", r"\begin{align}&y\\&-t\end{align}", "y-\nt"])
def test_one_formula_may_be_broken_into_lines(text: str) -> None:
    assert verdict("1.1", text) == "right"
