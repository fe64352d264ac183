"""Two hundred thousand broken formulas: no crash, no hang, and nothing wrong is accepted."""

import importlib.util
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from coursework.backprop.judge.answer import check, verdict
from coursework.backprop.judge.diagnosis import judge
from coursework.backprop.judge.identity import compare
from coursework.backprop.judge.questions import QUESTIONS
from coursework.backprop.judge.reading import Reading, readings
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import (
    Add,
    Apply,
    Divide,
    Index,
    Multiply,
    Negative,
    Node,
    Number,
    Over,
    Power,
    Ref,
)

FILE = Path(__file__).parents[3] / "benchmarks" / "judge_cases.py"
_SPEC = importlib.util.spec_from_file_location("judge_cases", FILE)
assert _SPEC
assert _SPEC.loader
judge_cases = importlib.util.module_from_spec(_SPEC)
sys.modules["judge_cases"] = judge_cases
_SPEC.loader.exec_module(judge_cases)

EXAMINER = judge_cases.Examiner(11)
#: What the examiner said of formulas that came before.
KNOWN: dict[tuple[str, Node], bool] = {}
PIECES = [
    r"\delta", r"\sigma", r"\sum_{k=1}^{3}", r"\prod_{m=l+1}^{152}", r"\frac{", r"\partial ", "h'",
    "(", ")", "{",
    "}", "[", "]", "^", "_", "^{(3)}", "_{11}", "a_1^{(4)}", "t_n", "z", "w", "x_1", "+",
    "-", "*", "/", "=", "1",
    "2", "0.5", ",", "'", "|", "<", ">", "e^{", r"\left", r"\right", "__import__('os')", "9**9",
    "exp", "ln", "k",
    "l", "m", "\\", "\x00", "é", "∂", "Σ", "@", ".T", "np.", "sum", "$", "\n",
]  # fmt: skip
PART = re.compile(r"\\?[A-Za-z]+|\d+|.", re.DOTALL)


def in_tuples(node: Node) -> Any:
    """A tree of the judge as one of the examiner's, None for what the examiner does not know."""
    names = {"delta": "d", "a": "a", "z": "z", "w": "w", "x": "x"}
    functions = {"h": "h", "h'": "h'", "sigma": "s", "sigma'": "s'", "step": "step"}

    def plain(index: Index) -> Any:
        return (index.letter, index.offset) if index.letter else index.offset

    match node:
        case Ref(name="t" | "y" as name):
            return (name,)
        case Ref(name=name, layer=layer, units=units) if name in names and layer is not None:
            return ("q", names[name], plain(layer), tuple(plain(unit) for unit in units))
        case Number(value=value):
            return ("n", value)
        case Apply(function=function, argument=argument) if function in functions:
            inner = in_tuples(argument)
            return inner and ("f", functions[function], inner)
        case Add(terms=parts) | Multiply(factors=parts):
            inside = tuple(in_tuples(part) for part in parts)
            return None if None in inside else ("+" if isinstance(node, Add) else "*", inside)
        case Negative(term=part):
            inner = in_tuples(part)
            return inner and ("-", inner)
        case Divide(top=top, bottom=bottom):
            over, under = in_tuples(top), in_tuples(bottom)
            return over and under and ("/", over, under)
        case Power(base=base, exponent=Number(value=n)):
            inner = in_tuples(base)
            return inner and ("^", inner, n)
        case Over(kind=kind, letter=letter, low=low, high=high, body=body):
            inner = in_tuples(body)
            return inner and ("S" if kind == "sum" else "P", letter, plain(low), plain(high), inner)
    return None


def is_right(question: str, reading: Reading) -> bool:
    """Whether an accepted reading is right, by the benchmark's evaluator on its own networks."""
    key = (question, reading.sides[-1])
    if key not in KNOWN:
        tree = in_tuples(reading.sides[-1])
        if tree is not None:
            KNOWN[key] = bool(EXAMINER.right(question, tree))
        else:
            KNOWN[key] = compare(reading.sides[-1], QUESTIONS[question].asked).equal
    return KNOWN[key]


def broken(rng: random.Random, seeds: list[tuple[str, str]]) -> tuple[str, str]:
    """A question and a text: bytes, or a right formula with pieces torn out, doubled, exchanged, put in."""
    question, text = rng.choice(seeds)
    if rng.random() < 0.7:
        return question, bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40))).decode("latin-1")
    pieces = PART.findall(text)
    for _ in range(rng.choice([1, 1, 2, 4, 8, 14])):
        place = rng.randrange(len(pieces)) if pieces else 0
        match rng.randrange(4):
            case 0:
                pieces[place : place + 1] = []
            case 1:
                pieces[place:place] = pieces[place : place + rng.randrange(1, 4)]
            case 2:
                pieces.insert(place, rng.choice(PIECES))
            case 3 if pieces:
                other = rng.randrange(len(pieces))
                pieces[place], pieces[other] = pieces[other], pieces[place]
    return question, "".join(pieces)


def right_texts(count: int, seed: int) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    names = list(judge_cases.BASES)
    return [
        (name, judge_cases.Style(rng).write(rng.choice(judge_cases.BASES[name][1])))
        for name in (rng.choice(names) for _ in range(count))
    ]


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """Judge `count` broken texts; return how many were read and how many accepted."""
    rng, seeds = random.Random(seed), right_texts(300, seed)
    read = accepted = 0
    for _ in range(count):
        question, text = broken(rng, seeds)
        began = time.monotonic()
        found = verdict(question, text)
        assert time.monotonic() - began < 10, text
        read += found != "unreadable"
        if found == "right":
            accepted += 1
            layout = QUESTIONS[question].layout
            try:
                possible = readings(text, layout)
            except Unreadable:
                continue  # a numpy expression, judged on whole arrays
            chosen = [one for one in possible if judge(one, QUESTIONS[question], effort=0).right]
            assert any(is_right(question, one) for one in chosen), (question, text)
    return read, accepted


def test_broken_formulas_neither_crash_nor_hang_nor_are_accepted_when_wrong() -> None:
    read, accepted = fuzz(8_000, seed=1)
    assert read > 200
    assert accepted > 30


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_another_forty_eight_thousand_broken_formulas(seed: int) -> None:
    read, accepted = fuzz(48_000, seed=seed)
    assert read > 1_500
    assert accepted > 200


def test_broken_formulas_are_explained_without_a_crash() -> None:
    rng, seeds = random.Random(9), right_texts(60, 9)
    for _ in range(200):
        answer = check(*broken(rng, seeds))
        assert answer.lines
        assert answer._repr_markdown_()
