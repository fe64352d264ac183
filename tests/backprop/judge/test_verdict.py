"""Right answers are right however they are written, and nothing else is."""

import numpy as np
import pytest

from coursework.backprop.judge.answer import check, verdict
from coursework.backprop.judge.identity import NoPoint, compare
from coursework.backprop.judge.questions import QUESTIONS, Asked, UnknownQuestion, question
from coursework.backprop.judge.tree import Index, Node, Partial, Ref
from coursework.backprop.judge.value import Evaluator, Scope

CHAIN = r"(a_1^{(153)}-t_n)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}"


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_the_answer_that_mends_each_question_is_right(name: str) -> None:
    assert check(name, QUESTIONS[name].answer).right


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1.1", "y-t"),
        ("1.1", r"-(t_n-a_1^{(4)})"),
        ("1.2", r"(a_1^{(4)}-t_n)\frac{1}{1+e^{-a_2^{(3)}}}"),
        ("1.2", r"a_1^{(4)}z_2^{(3)} - t_n z_2^{(3)}"),
        ("1.3", r"\sigma(a_1^{(3)})(1-\sigma(a_1^{(3)}))w_{11}^{(3)}\delta_1^{(4)}"),
        ("1.3", r"z_1^{(3)}(1-z_1^{(3)})w_{11}^{(3)}(y-t)"),
        ("1.4", r"h'(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}z_1^{(2)}"),
        ("1.4", r"\frac{\partial E_n}{\partial w_{11}^{(2)}}=\delta_1^{(3)}z_1^{(2)}"),
        ("1.5", "h'(a_1^(2)) (w_11^(2) delta_1^(3) + w_21^(2) delta_2^(3) + w_31^(2) delta_3^(3))"),
        ("1.5", r"\sum_j \delta_j^{(3)} w_{j1}^{(2)} h'(a_1^{(2)})"),
        ("1.6", r"x_1 (y-t) h'(a_1^{(2)})\sum_{k=1}^3 w_{k1}^{(2)}h'(a_k^{(3)})w_{1k}^{(3)}"),
        ("1.6", r"\delta_1^{(2)} z_1^{(1)}"),
        ("1.5", r"\frac13 h'(a_1^{(2)})\sum_{j=1}^3\sum_{k=1}^3 w_{k1}^{(2)}\delta_k^{(3)}"),
        ("1.5", r"\frac19 h'(a_1^{(2)})\sum_{i=1}^3\sum_{j=1}^3\sum_{k=1}^3 w_{k1}^{(2)}\delta_k^{(3)}"),
        ("2.1", r"\delta_1^{(l+1)} z_1^{(l)}"),
        ("2.1", CHAIN.replace("153", "L").replace("152", "L-1") + "h'(a_1^{(m)})"),
        ("2.1", r"\frac{\partial E}{\partial w_{11}^{(l)}} = " + CHAIN + r"\sigma'(a_1^{(m)})"),
        ("2.1", r"(a_1^{(153)}-t_n)\prod_{m=l+1}^{152}w_{11}^{(m)}h'(a_1^{(m)})z_1^{(l)}"),
        ("2.3", CHAIN + "[a_1^{(m)}>0]"),
        ("2.3", CHAIN + r"\mathbb{1}[a_1^{(m)}>0]"),
        ("2.4", r"\delta_1^{(l+1)}z_1^{(l)}"),
        ("2.4", r"h'(a_1^{(l+1)})z_1^{(l)}(w_{11}^{(l+1)}\delta_1^{(l+2)}+w_{21}^{(l+1)}\delta_2^{(l+2)})"),
    ],
)  # fmt: skip
def test_a_right_answer_is_right_in_any_form(name: str, text: str) -> None:
    answer = check(name, text)
    assert answer.right, str(answer)
    assert answer.compared > 0
    assert verdict(name, text) == "right"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1.2", r"\delta_1^{(4)}z_1^{(3)}"),
        ("1.3", r"w_{11}^{(3)}\delta_1^{(4)}"),
        ("1.4", "0"),
        ("1.4", "1=1"),
        ("1.6", r"\delta_1^{(2)}"),
        ("1.5", r"h'(a_1^{(2)})\sum_{j=1}^3\sum_{k=1}^3 w_{k1}^{(2)}\delta_k^{(3)}"),
        ("1.5", r"h'(a_1^{(2)})\sum_{k=1}^3\sum_{k=1}^3 w_{k1}^{(2)}\delta_k^{(3)}"),
        ("2.1", r"h'(a_1^{(l+1)})w_{11}^{(l+1)}\delta_1^{(l+2)}z_1^{(l)}"),
        ("2.1", CHAIN + "[a_1^{(m)}>0]"),
        ("2.1", r"(a_1^{(153)}-t_n)\prod_{m=l+1}^{152}(w_{11}^{(m)}h'(a_1^{(m)})z_1^{(l)})"),
        ("2.3", CHAIN),
        ("2.3", CHAIN + "[a_1^{(m)}t_n>0]"),
        ("2.3", CHAIN + "[a_1^{(m)}y>0]"),
        ("2.4", r"z_1^{(l)}\sum_{k=1}^2 w_{k1}^{(l+1)}\delta_k^{(l+2)}"),
    ],
)
def test_a_wrong_answer_is_wrong(name: str, text: str) -> None:
    assert check(name, text).status == "wrong"
    assert verdict(name, text) == "wrong"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1.1", r"\delta_1^{(4)}"),
        ("1.3", r"\delta_1^{(3)}"),
        ("1.3", r"2\delta_1^{(3)}/2"),
        ("1.4", r"\frac{\partial E_n}{\partial w_{11}^{(2)}}"),
        ("1.5", "delta2"),
    ],
)
def test_the_derivative_under_its_own_name_is_no_answer(name: str, text: str) -> None:
    answer = check(name, text)
    assert answer.status == "wrong"
    assert "under another name" in answer.summary


def test_a_true_line_of_working_is_not_yet_the_answer() -> None:
    answer = check("1.4", r"\delta_1^{(3)}=h'(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}")
    assert answer.status == "wrong"
    assert "not yet the answer" in answer.summary


def test_what_holds_without_biases_only_is_right_for_the_figure_and_this_is_said() -> None:
    answer = check("1.2", r"\delta_1^{(4)}\sigma(\sum_{k=1}^3 w_{2k}^{(2)}z_k^{(2)})")
    assert answer.right
    assert any("no biases" in note for note in answer.notes)


def test_it_is_said_whether_an_answer_holds_for_every_activation() -> None:
    assert any("every activation" in note for note in check("1.3", QUESTIONS["1.3"].answer).notes)
    sigmoid_only = check("1.3", r"\sigma'(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}")
    assert any("holds for the sigmoid" in note for note in sigmoid_only.notes)


def test_the_layers_at_which_a_chain_formula_fails_are_named() -> None:
    answer = check("2.1", r"h'(a_1^{(l+1)})w_{11}^{(l+1)}\delta_1^{(l+2)}z_1^{(l)}")
    assert any("fails at $l=152$" in note for note in answer.notes)


def test_a_comparison_at_no_living_point_is_a_fault_and_no_verdict() -> None:
    asked = QUESTIONS["1.2"].asked
    by_target = Partial(Ref("t"), Ref("w", Index("", 3), (Index("", 1), Index("", 2))))
    with pytest.raises(NoPoint):
        compare(Ref("y"), asked.by(by_target))
    nowhere = Asked(asked.target, asked.layout, asked.activation, ())
    with pytest.raises(NoPoint):
        compare(Ref("y"), nowhere)


def test_the_draws_have_live_and_dead_units_three_inputs_and_biases() -> None:
    drawn = QUESTIONS["1.4"].asked.draws("relu")
    a, b = drawn.quantities["a"], drawn.quantities["b"]
    for l in (2, 3):
        live = a[l, 1:4] > 0
        assert live.any()
        assert not live.all()
        assert np.all(b[l, 1:4] != 0)
    assert drawn.layout.units(1) == 3
    deep = QUESTIONS["2.3"].asked.draws()
    assert np.isin(
        [2, 3, 78, 150, 151, 152], np.argwhere((deep.quantities["a"][2:153, 1] <= 0).any(axis=1)) + 2
    ).all()


@pytest.mark.parametrize("name", list(QUESTIONS))
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "generic"])
def test_the_derivative_asked_for_is_delta_times_z(name: str, activation: str) -> None:
    asked = QUESTIONS[name].asked
    drawn = asked.draws(activation)
    bottom = QUESTIONS[name].bottom
    assert bottom.layer
    above = Index(bottom.layer.letter, bottom.layer.offset + (bottom.name == "w"))
    expected: Node = Ref("delta", above, bottom.units[:1])
    for point in asked.points:
        value = Evaluator(drawn).value(expected, Scope(point))
        if bottom.name == "w":
            value = value * Evaluator(drawn).value(Ref("z", bottom.layer, bottom.units[1:]), Scope(point))
        assert np.allclose(Evaluator(drawn).value(asked.target, Scope(point)), value, rtol=1e-12)


def test_an_unknown_question_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownQuestion, match=r"'3\.1'; take one of 1\.1, 1\.2"):
        question("3.1")
