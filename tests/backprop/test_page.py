import math
import re
from dataclasses import replace

import math_core
import pytest

from coursework.backprop import page
from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.answers import answer_questions
from coursework.backprop.certificate import Certificate
from coursework.backprop.finding import Finding, WrongGradient
from coursework.backprop.network import DenseNetwork
from coursework.backprop.oracles import JUDGES, certify
from coursework.backprop.point import assignment_point, random_point


def formulas(text):
    """Return what stands between dollars."""
    return re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", text, re.DOTALL)


def everything(sizes, activation):
    point = random_point(sizes, activation, biases=True, seed=2)
    answers = answer_questions(point, points=1)
    yield page.activation_table().data
    yield page.answers_table(answers).data
    yield page.certificate_table(certify(point.network, point.x, point.t)).data
    yield from (page.show_answer(answer).data for answer in answers.values())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [[3, 3, 3, 1], [2, 11, 5, 3]])
def test_every_formula_on_the_page_becomes_mathml(sizes, activation):
    converter = math_core.LatexToMathML()
    count = 0
    for text in everything(sizes, activation):
        for display, inline in formulas(text):
            converter.convert_with_local_state(display or inline, displaystyle=bool(display))
            count += 1
    assert count > 100


def test_no_formula_breaks_a_table():
    for text in everything([3, 3, 3, 1], "sigmoid"):
        for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
            assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_an_answer_shows_question_derivation_formula_numbers_and_code():
    answer = answer_questions(assignment_point())["1.4"]
    text = page.show_answer(answer).data
    assert answer.question.asks in text
    for step in answer.derivation.lines:
        assert step.latex in text
    assert f"Autograd finds ${answer.autograd:.10g}$" in text
    for step in answer.derivation.steps:
        assert f"`{step.code}`" in text
    assert "dw[2] = delta[3].T @ z[2]\n# (3, 3) = (N, 3).T @ (N, 3)" in text
    assert f"**Proved** {answer.proof.where}: {answer.proof.badge}." in text


def test_the_first_answer_is_called_by_the_name_of_its_delta():
    point = random_point([2, 3, 5, 3, 1], seed=1)
    text = page.show_answer(answer_questions(point)["1.1"]).data
    assert r"Call the answer $\delta_{1}^{(5)}$." in text


def test_a_wrong_answer_is_not_shown():
    answers = answer_questions(assignment_point())
    wrong = replace(answers["1.2"], autograd=0.5)
    with pytest.raises(WrongGradient, match=r"question 1\.2"):
        page.show_answer(wrong)
    with pytest.raises(WrongGradient, match=r"question 1\.2"):
        page.answers_table({**answers, "1.2": wrong})


def test_the_table_of_answers_has_a_row_for_each():
    text = page.answers_table(answer_questions(assignment_point())).data
    first_column = [line.split("|")[1].strip() for line in text.splitlines()[2:]]
    assert first_column == ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]
    assert text.count("✓") == 6


def test_the_judges_are_named_with_what_they_say():
    point = assignment_point()
    text = page.certificate_table(certify(point.network, point.x, point.t)).data
    assert r"| complex step | 6 |  |  | $\le 10^{-11}$ |" in text
    assert [line.split("|")[1].strip() for line in text.splitlines()[2:]] == list(JUDGES)


def test_a_wrong_backward_pass_and_a_judge_that_cannot_tell_are_shown_as_such():
    findings = (Finding("complex step", "w[1]", 0.5, 1e-12), Finding("log domain", "w[1]", 0.0, math.inf))
    lines = page.certificate_table(Certificate(findings)).data.splitlines()
    assert "| complex step |  | 1 |  |  |" in lines
    assert "| log domain |  |  | 1 |  |" in lines


def test_a_certificate_of_nothing_is_not_shown():
    with pytest.raises(WrongGradient, match="nothing to judge"):
        page.certificate_table(Certificate(()))


def test_the_source_on_the_page_is_the_source_that_runs():
    text = page.show_source(DenseNetwork.backward).data
    assert "delta[l] = h_prime(a[l]) * (delta[l + 1] @ w[l])" in text
    assert text.startswith("```python\ndef backward")
