"""Question 2.2 takes a bound, 2.3 and 2.4 take the condition under which the gradient is zero."""

import pytest

from coursework.backprop.judge.answer import check, verdict

SIZE = r"|\frac{\partial E_n}{\partial w_{11}^{(l)}}|"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("2.2", SIZE + r" \le |a_1^{(153)}-t_n| |z_1^{(l)}| (W/4)^{152-l}"),
        ("2.2", r"\left|\partial E/\partial w_{11}^{(l)}\right| \leq |y-t| |z_1^{(l)}| (\frac W4)^{152-l}"),
        ("2.2", r"|dE/dw_11^(l)| <= |y-t| |z_1^(l)| W^{152-l} 4^{l-152}"),
        (
            "2.3",
            r"a_1^{(153)}=t_n \lor z_1^{(l)}=0 \lor \exists m\in\{l+1,\dots,152\}:"
            r" a_1^{(m)}\le 0 \lor w_{11}^{(m)}=0",
        ),
        ("2.3", "y = t or z_1^(l) = 0 or exists m in l+1..152: (a_1^(m) <= 0 or w_11^(m) = 0)"),
        ("2.3", "delta_1^(l+1) = 0 or z_1^(l) = 0"),
        ("2.3", "not (delta_1^(l+1) != 0 and z_1^(l) != 0)"),
        ("2.4", r"z_1^{(l)}=0 \lor a_1^{(l+1)}\le 0 \lor \sum_{k=1}^2 w_{k1}^{(l+1)}\delta_k^{(l+2)}=0"),
    ],
)  # fmt: skip
def test_right_propositions_are_right(name: str, text: str) -> None:
    answer = check(name, text)
    assert answer.right, str(answer)
    assert answer.compared > 100
    assert verdict(name, text) == "right"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("2.2", SIZE + r" \le |y-t| z_1^{(l)} (W/5)^{152-l}", "broken in"),
        ("2.2", SIZE + r" \le |y-t| z_1^{(l)} (W/4)^{153-l}", "broken in"),
        ("2.2", SIZE + r" \le |y-t| |z_1^{(l)}| W^{152-l}", "too little"),
        ("2.3", "exists m in l+1..152: a_1^(m) <= 0", "it misses"),
        ("2.3", "y = t or z_1^(l) = 0 or exists m in l+1..152: a_1^(m) <= 0", "a later weight is zero"),
        ("2.3", "y = t or z_1^(l) = 0 or exists m in l+1..152: a_1^(m) < 0 or w_11^(m) = 0", "is dead"),
        (
            "2.3",
            "z_1^(l) = 0 or exists m in l+1..152: a_1^(m) <= 0 or w_11^(m) = 0",
            "the output is the target",
        ),
        (
            "2.3",
            "y = t or z_1^(l) = 0 or exists m in l..152: w_11^(m) = 0 or a_1^(m+1) <= 0",
            "in which the gradient is not zero",
        ),
        ("2.2", SIZE + r" \le |y-t| z_1^{(l)} (W/4)^{152-l}", "broken in"),
        ("2.3", "y = t or z_1^(l) = 0 or exists m in l+1..152: (a_1^(m) <= 0.5 or w_11^(m) = 0)", "not zero"),
        ("2.3", "t = t or z_1^(l) = 0", "in which the gradient is not zero"),
        ("2.4", "a_1^(l+1) <= 0 and a_2^(l+1) <= 0", "it misses"),
        ("2.4", "y = t or z_1^(l) = 0 or a_1^(l+1) <= 0", "no path"),
    ],
)
def test_wrong_propositions_are_wrong_and_it_is_said_in_which_cases(name: str, text: str, words: str) -> None:
    answer = check(name, text)
    assert answer.status == "wrong", str(answer)
    assert words.lower() in str(answer).lower()
    assert verdict(name, text) == "wrong"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("2.2", r"E \le 3"),
        ("2.2", SIZE + r" \le"),
        ("2.2", SIZE + r" \le " + SIZE),
        ("2.3", r"\frac{\partial E_n}{\partial w_{11}^{(l)}}=0 \lor t=0"),
        ("2.4", r"\delta_1^{(l+1)}z_1^{(l)}=0"),
        ("2.2", SIZE + r" \le |\delta_1^{(l+1)} z_1^{(l)}|"),
        ("2.3", "exists m: a_1^(m) <= 0"),
        ("2.3", "z_1^(l) or t"),
        (
            "2.4",
            r"y=t or z_1^{(l)}=0 or a_1^{(l+1)}<=0 or \sqrt{\sum_{k=1}^2 w_{k1}^{(l+1)}\delta_k^{(l+2)}}=0",
        ),
        ("2.3", "not " * 900 + "t = 0"),
        ("2.4", "(" * 300 + "t = 0 or t = 0"),
    ],
)
def test_what_is_no_such_proposition_is_refused(name: str, text: str) -> None:
    assert check(name, text).status == "unreadable"
