"""Broken formulas neither crash the judge nor hang it, and none that is wrong is accepted."""

import random
from collections import Counter

import pytest

from coursework.backprop.judge.answer import verdict
from coursework.backprop.judge.array_reading import ArrayReader, is_numpy
from coursework.backprop.judge.proposition_reading import is_proposition, read_bound, read_condition
from coursework.backprop.judge.questions import QUESTIONS
from coursework.backprop.judge.reading import readings
from coursework.backprop.judge.tokens import Unreadable
from tests.backprop.judge import truth
from tests.backprop.judge.fuzz import LINES, changed, fuzz, is_right, seeds
from tests.backprop.judge.spellings import RIGHT, rows


def sound(count: int, explained: int, seed: int) -> None:
    found = fuzz(count, seed, explained)
    assert not found["faults"], found
    assert not [one for one in found["slow"] if one["seconds"] > 10], found
    told = found["told"]
    # a run that reads little, or accepts nothing, would show nothing
    assert told["right"] > count / 20, found
    assert told["wrong"] > count / 10, found
    assert told["known wrong"] > count / 10, found
    assert not told["known right, not accepted"], found
    assert told["accepted, of unknown truth"] <= count / 1000, found


def test_broken_formulas_neither_crash_nor_hang_nor_are_accepted_when_wrong() -> None:
    sound(4_000, explained=100, seed=0)  # the command takes a new seed, and fifty times as many


def test_broken_texts_are_read_or_refused() -> None:
    rng = random.Random(1)
    right = seeds(rng)
    told = Counter(read_or_refused(question, changed(rng.choice(right[question]), rng))
                   for question in rng.choices(list(QUESTIONS), k=15_000))  # fmt: skip
    assert min(told["read"], told["refused"]) > 1_500, told


def read_or_refused(question: str, text: str) -> str:
    asked = QUESTIONS[question]
    try:
        if is_proposition(asked, text):
            read_bound(text, asked.layout) if question == "2.2" else read_condition(text, asked)
        elif is_numpy(text):
            ArrayReader(text).read()
        else:
            readings(text, asked.layout)
    except Unreadable:
        return "refused"
    return "read"


@pytest.mark.parametrize(("question", "text"), rows(RIGHT)[::3])
def test_the_other_evaluation_finds_right_answers_right(question: str, text: str) -> None:
    assert verdict(question, text) == "right"
    assert is_right(question, text)


@pytest.mark.parametrize("question", LINES)
def test_the_other_evaluation_finds_lines_of_numpy_right(question: str) -> None:
    for line in LINES[question]:
        assert verdict(question, line) == "right"
        assert truth.line_is_right(question, line)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("1.4", r"\delta_1^{(3)}z_2^{(2)}"),
        ("1.5", r"h'(a_1^{(2)})\sum_{k=1}^{3}w_{1k}^{(2)}\delta_k^{(3)}"),
        ("2.1", r"(y-t)z_1^{(l)}\prod_{m=l+1}^{151}w_{11}^{(m)}h'(a_1^{(m)})"),
        ("2.4", r"\delta_2^{(l+1)}z_1^{(l)}"),
    ],
)
def test_the_other_evaluation_finds_wrong_answers_wrong(question: str, text: str) -> None:
    (reading, *_) = readings(text, QUESTIONS[question].layout)
    assert not truth.formula_is_right(question, reading.sides)


def test_the_other_evaluation_finds_a_transposed_line_wrong() -> None:
    assert not truth.line_is_right("1.4", "z2.T @ delta3")
    assert not truth.line_is_right("1.4", "delta3.T @ z3")
