"""The assignment's questions, and the published answers that do not hold, as records (claims.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml  # type: ignore[import-untyped]

from coursework.backprop.derivation import Derivation, derive
from coursework.backprop.expression import Expression, Point, UndefinedSymbol
from coursework.backprop.formula import parse
from coursework.backprop.network import NetworkError
from coursework.backprop.oracles import WrongGradient, autograd, relative_error
from coursework.backprop.point import ExamplePoint, random_point
from coursework.backprop.symbols import A, Partial, Symbol, W

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
        l = bottom.l + len(sizes) - _LAYERS
        if isinstance(bottom, W):
            return Partial(
                self.target.top,
                W(l, *(min(int(i), n) for i, n in ((bottom.j, sizes[l]), (bottom.k, sizes[l - 1])))),
            )
        return Partial(self.target.top, A(l, min(int(bottom.j), sizes[l - 1])))


@dataclass(frozen=True)
class Published:
    """A line of the published solution that does not hold, and the line that does.

    Attributes
    ----------
    id, question : which line, of the answer to which question.
    published, corrected : LaTeX, as printed and as it should be.
    slip : the difference, in words.
    target : what both mean to be.
    right : the corrected line's right side.
    readings : what the printed line can be taken to say, by a name for the reading.
    """

    id: str
    question: str
    published: str
    corrected: str
    slip: str
    target: Expression
    right: Expression
    readings: dict[str, Expression]

    def readings_at(self, point: Point) -> dict[str, float | str]:
        """Return the number of each reading at `point`, or why it has none."""
        values: dict[str, float | str] = {}
        for name, reading in self.readings.items():
            try:
                values[name] = float(reading.evaluate(point))
            except UndefinedSymbol as error:
                values[name] = str(error)
        return values


@cache
def _records() -> dict[str, list[dict[str, Any]]]:
    text = files("coursework.backprop").joinpath("claims.yaml").read_text(encoding="utf-8")
    records: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return records


def questions() -> dict[str, Question]:
    """Return the questions 1.1 to 1.6 under their numbers."""
    return {
        record["id"]: Question(**{**record, "target": _partial(record["target"])})
        for record in _records()["questions"]
    }


def _partial(text: str) -> Partial:
    target = parse(text)
    if not isinstance(target, Partial):
        raise UndefinedSymbol(f"{text!r} is not a derivative")
    return target


def published_errors() -> list[Published]:
    """Return the lines of the published solution to 1.1 to 1.6 that do not hold."""
    asked = questions()
    return [
        Published(
            **{
                **record,
                "target": parse(record["target"]) if "target" in record else asked[record["question"]].target,
                "right": parse(record["right"]),
                "readings": {name: parse(formula) for name, formula in record["readings"].items()},
            }
        )
        for record in _records()["published"]
    ]


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
            autograd=float(layers[bottom.l][_row_and_column(bottom)]),
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
