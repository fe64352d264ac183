"""The questions 1.1 to 1.6, their answers derived for any network and held against autograd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from coursework.backprop.derivation import Derivation
from coursework.backprop.finding import WrongGradient
from coursework.backprop.judged import entry
from coursework.backprop.network import NetworkError
from coursework.backprop.oracles import autograd, relative_error
from coursework.backprop.point import ExamplePoint
from coursework.backprop.proof import Proof, prove
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
    """A question, answered, proved and evaluated at a point.

    Attributes
    ----------
    question : what was asked.
    proof : the way to the answer, each line of it proved.
    point : where it was evaluated.
    autograd : what torch's autograd says there.
    """

    question: Question
    proof: Proof
    point: ExamplePoint
    autograd: float

    @property
    def derivation(self) -> Derivation:
        """The way to the answer."""
        return self.proof.derivation

    @property
    def value(self) -> float:
        """What the answer comes to at the point."""
        return self.derivation.general.value(self.point)


def answer_questions(point: ExamplePoint, *, points: int = 2, seed: int = 0) -> dict[str, Answer]:
    """Derive, prove and evaluate the answers to 1.1 to 1.6 for the network at `point`.

    Parameters
    ----------
    point : where they are evaluated.
    points, seed : of the further points at which every line is proved (see `proof.prove`).

    Raises
    ------
    WrongGradient : a line is wrong somewhere; names the line and the place.
    ValueError : no further point was asked for, and none would prove nothing.
    """
    network = point.network
    true = autograd(network, point.x, point.t)
    return {
        name: Answer(
            question,
            prove(network, question.target_in(network.sizes), points=points, seed=seed),
            point,
            entry(true, question.target_in(network.sizes).bottom),
        )
        for name, question in questions().items()
    }


def check_answers(answers: dict[str, Answer], tolerance: float = TOLERANCE) -> float:
    """Return the largest relative error, at the point shown, of any line of any derivation against autograd.

    Raises
    ------
    WrongGradient : it is above `tolerance`; names the question and the line.
    """
    largest = 0.0
    for name, answer in answers.items():
        for step in answer.derivation.lines:
            found = step.value(answer.point)
            error = relative_error(found, answer.autograd)
            if not error <= tolerance:
                raise WrongGradient(
                    f"question {name}: {step.latex} = {found!r}, but autograd says {answer.autograd!r}"
                )
            largest = max(largest, error)
    if not answers:
        raise WrongGradient("there was no answer to check")
    return largest
