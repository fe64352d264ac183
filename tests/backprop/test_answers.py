from dataclasses import replace

import pytest

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.answers import (
    TOLERANCE,
    answer_questions,
    check_answers,
    questions,
)
from coursework.backprop.derivation import derive
from coursework.backprop.finding import WrongGradient
from coursework.backprop.network import DenseNetwork, NetworkError
from coursework.backprop.point import assignment_point, random_point
from coursework.backprop.symbols import LOSS, A, Partial, W

ASSIGNMENT = DenseNetwork([3, 3, 3, 1])


def test_there_are_six_questions_about_the_quantities_of_the_assignment():
    targets = {name: question.target for name, question in questions().items()}
    assert targets == {
        "1.1": Partial(LOSS, A(4, 1)),
        "1.2": Partial(LOSS, W(3, 1, 2)),
        "1.3": Partial(LOSS, A(3, 1)),
        "1.4": Partial(LOSS, W(2, 1, 1)),
        "1.5": Partial(LOSS, A(2, 1)),
        "1.6": Partial(LOSS, W(1, 1, 1)),
    }


@pytest.mark.parametrize("name", questions())
def test_the_derived_answer_is_the_recorded_one(name):
    question = questions()[name]
    assert derive(ASSIGNMENT, question.target).general.latex == question.answer


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [[3, 3, 3, 1], [2, 5, 3, 7], [2, 1, 1, 1]])
def test_every_answer_is_autograds(activation, sizes):
    answers = answer_questions(random_point(sizes, activation, biases=True, seed=4), points=1)
    assert check_answers(answers) <= TOLERANCE
    for answer in answers.values():
        assert answer.value == pytest.approx(answer.autograd, rel=TOLERANCE)
        assert answer.proof.error <= TOLERANCE
        assert answer.proof.compared > 0


def test_further_points_are_proved_as_many_as_asked_for():
    few, more = (answer_questions(assignment_point(), points=points)["1.5"].proof for points in (1, 3))
    assert more.compared > 2 * few.compared


def test_questions_count_their_layers_from_the_output():
    targets = [question.target_in([2, 3, 5, 7, 1]).bottom for question in questions().values()]
    assert targets == [A(5, 1), W(4, 1, 2), A(4, 1), W(3, 1, 1), A(3, 1), W(2, 1, 1)]


def test_a_unit_that_a_narrow_layer_lacks_is_replaced_by_its_last():
    assert questions()["1.2"].target_in([2, 3, 1, 1]).bottom == W(3, 1, 1)


def test_fewer_than_four_layers_are_refused():
    with pytest.raises(NetworkError, match=r"sizes=\[3, 3, 1\] has 3 layers.*such as \[3, 3, 3, 1\]"):
        questions()["1.1"].target_in([3, 3, 1])


def test_a_wrong_answer_is_named():
    answers = answer_questions(assignment_point())
    answers["1.5"] = replace(answers["1.5"], autograd=answers["1.5"].autograd * (1 + 1e-11))
    with pytest.raises(WrongGradient, match=r"question 1\.5"):
        check_answers(answers)


def test_a_wrong_line_on_the_way_to_a_right_answer_is_named():
    answers = answer_questions(assignment_point())
    answer = answers["1.3"]
    first, *rest = answer.derivation.steps
    slipped = replace(first, expression=first.expression * first.expression)
    derivation = replace(answer.derivation, steps=(slipped, *rest))
    answers["1.3"] = replace(answer, proof=replace(answer.proof, derivation=derivation))
    with pytest.raises(WrongGradient, match=r"question 1\.3: \\frac"):
        check_answers(answers)


def test_a_check_of_nothing_is_a_failure():
    with pytest.raises(WrongGradient, match="no answer to check"):
        check_answers({})
    with pytest.raises(ValueError, match="points=0"):
        answer_questions(assignment_point(), points=0)


def test_a_nan_is_a_failure():
    answers = answer_questions(assignment_point())
    with pytest.raises(WrongGradient, match="autograd says nan"):
        check_answers({"1.1": replace(answers["1.1"], autograd=float("nan"))})
