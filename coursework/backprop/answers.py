"""The questions 1.1 to 1.6, their answers derived for any network and held against autograd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from coursework.backprop.derivation import Derivation, derive
from coursework.backprop.network import NetworkError
from coursework.backprop.oracles import WrongGradient, autograd, relative_error
from coursework.backprop.point import ExamplePoint, random_point
from coursework.backprop.records import read_records
from coursework.backprop.symbols import LOSS, A, Partial, Symbol, W

#: What two ways to the same number in float64 may differ by, relatively.
TOLERANCE = 1e-12

#: The layers of the assignment's network, by which the records count.
_LAYERS = 4


@dataclass(frozen=True)
class Question:
    """A question of the assignment.

    Attributes
    ----------
    id : "1.1" to "1.6".
    asks : the question, in words.
    target : the derivative asked for, in the 3-3-3-1 network.
    answer : LaTeX of the answer there.
    """

    id: str
    asks: str
    target: Partial
    answer: str

    def target_in(self, sizes: Sequence[int]) -> Partial:
        """Return the derivative asked for in a network of other sizes.

        Layers are counted from the output, and where a layer lacks the unit asked for, its last one is
        taken.

        Raises
        ------
        NetworkError : there are fewer than four layers, so that not every question has a meaning.
        """
        if len(sizes) < _LAYERS:
            raise NetworkError(
                f"sizes={list(sizes)} has {len(sizes)} layers; the questions 1.1 to 1.6 need an input, "
                "two hidden layers and an output, such as [3, 3, 3, 1]"
            )
        bottom = self.target.bottom
        l = int(bottom.l) + len(sizes) - _LAYERS
        if isinstance(bottom, W):
            return Partial(
                self.target.top,
                W(l, *(min(int(i), n) for i, n in ((bottom.j, sizes[l]), (bottom.k, sizes[l - 1])))),
            )
        return Partial(self.target.top, A(l, min(int(bottom.j), sizes[l - 1])))


@cache
def questions() -> dict[str, Question]:
    """Return the questions 1.1 to 1.6 under their numbers."""
    return {
        record["id"]: Question(**{**record, "target": Partial(LOSS, _symbol(record["target"]))})
        for record in read_records("questions")
    }


def _symbol(place: Sequence[int | str]) -> Symbol:
    letter, *numbers = place
    return A(*map(int, numbers)) if letter == "a" else W(*map(int, numbers))


@dataclass(frozen=True)
class Answer:
    """A question, answered and evaluated at a point.

    Attributes
    ----------
    question : what was asked.
    derivation : the way to the answer.
    point : where it was evaluated.
    value : what the answer comes to there.
    autograd : what torch's autograd says.
    """

    question: Question
    derivation: Derivation
    point: ExamplePoint
    value: float
    autograd: float

    @property
    def error(self) -> float:
        """The relative error against autograd of the line of the derivation that is furthest off."""
        return max(relative_error(step.value(self.point), self.autograd) for step in self.derivation.lines)


def answer_questions(point: ExamplePoint) -> dict[str, Answer]:
    """Derive and evaluate the answers to 1.1 to 1.6 at `point`, for the network that is there."""
    network = point.network
    true = autograd(network, point.x, point.t)
    answers = {}
    for name, question in questions().items():
        derivation = derive(network, question.target_in(network.sizes))
        bottom = derivation.target.bottom
        layers = true.w if isinstance(bottom, W) else true.delta
        answers[name] = Answer(
            question,
            derivation,
            point,
            value=derivation.general.value(point),
            autograd=float(layers[int(bottom.l)][_row_and_column(bottom)]),
        )
    return answers


def _row_and_column(bottom: Symbol) -> tuple[int, int]:
    if isinstance(bottom, W):
        return int(bottom.j) - 1, int(bottom.k) - 1
    return 0, int(bottom.j) - 1


def check_answers(answers: dict[str, Answer], tolerance: float = TOLERANCE) -> float:
    """Return the largest relative error of any line of any derivation against autograd.

    Raises
    ------
    WrongGradient : it is above `tolerance`; names the question and the line.
    """
    for name, answer in answers.items():
        for step in answer.derivation.lines:
            found = step.value(answer.point)
            if not relative_error(found, answer.autograd) <= tolerance:
                raise WrongGradient(
                    f"question {name}: {step.latex} = {found!r}, but autograd says {answer.autograd!r}"
                )
    if not answers:
        raise WrongGradient("there was no answer to check")
    return max(answer.error for answer in answers.values())


def check_at_random_points(
    sizes: Sequence[int], activation: str, *, biases: bool = False, seed: int = 0, points: int = 20
) -> float:
    """Return the largest relative error of any line against autograd at so many further random points.

    Raises
    ------
    WrongGradient : an error is above `TOLERANCE`; names the question and the line.
    ValueError : no point was asked for, and none would show nothing.
    """
    if points < 1:
        raise ValueError(f"points={points}: a check at no point shows nothing; give 1 or more")
    # a stream of its own, so that the point shown on the page is not among them
    rng = np.random.default_rng([seed, points])
    drawn = (random_point(sizes, activation, biases=biases, seed=rng) for _ in range(points))
    return max(check_answers(answer_questions(point)) for point in drawn)
