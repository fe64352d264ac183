"""Broken formulas for the judge: none may crash it or hang it, and nothing wrong may be accepted.

    python -m tests.backprop.judge.fuzz --count 200000 --explained 2000 --check

Most are nearly valid: right answers written in another way, answers with a slip of the pen (of both the
generator knows by evaluation which they are), and texts (LaTeX, plain, Unicode, numpy, conditions, bounds)
in which a symbol or a few are exchanged, doubled, torn out or put in.  What is accepted is judged again by
`truth`, on other networks and by other code.
"""

import argparse
import contextlib
import json
import random
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coursework.backprop.judge.answer import check, verdict
from coursework.backprop.judge.array_reading import ArrayReader, is_numpy
from coursework.backprop.judge.diagnosis import judge
from coursework.backprop.judge.proposition_reading import is_proposition, read_bound, read_condition
from coursework.backprop.judge.questions import QUESTIONS
from coursework.backprop.judge.reading import readings
from tests.backprop.judge import truth
from tests.backprop.judge.spellings import RIGHT, rows
from tests.backprop.judge.truth import judge_cases

#: Seconds of computing that one text may take.
LIMIT = 1.0
LINES = {
    "1.1": ["y - t", "a4 - t", "a[4] - t", "-(t - y)"],
    "1.2": ["delta4.T @ z3", "np.outer(delta4, z3)", "(y - t).T @ z[3]", "np.dot(delta[4].T, z[3])[0, 1]"],
    "1.3": ["h_prime(a3) * (delta4 @ w3)", "z3 * (1 - z3) * (delta4 @ w3)", "(w3.T @ delta4) * h_prime(a3)"],
    "1.4": ["delta3.T @ z2", "dw2 = delta3.T @ z2", "((delta4 @ w3) * h_prime(a3)).T @ z2", "delta3 @ z2.T"],
    "1.5": ["(delta3 @ w2) * h_prime(a2)", "h_prime(a2) * (w2.T @ delta3)", "z2 * (1 - z2) * (delta3 @ w2)"],
    "1.6": ["delta2.T @ x", "np.outer(delta2, x)", "((delta3 @ w2) * h_prime(a2)).T @ x"],
    "2.1": ["delta[l+1].T @ z[l]"],
    "2.3": ["delta[l+1].T @ z[l]"],
    "2.4": ["delta[l+1].T @ z[l]", "np.outer(delta[l+1], z[l])"],
}
_SYMBOL = re.compile(r"\\[A-Za-z]+|\\.|[A-Za-z]+|\d+|\s+|.", re.DOTALL)
#: Symbols that stand for one another in a slip.
_ALIKE = [
    ["1", "2", "3", "4", "0", "l", "k", "m", "n", "151", "152", "153", "L"],
    [r"\delta", "a", "z", "w", "x", "t", "y", "h", r"\sigma", "E", "W", "b", "delta", "δ", "σ", "d"],
    ["+", "-", "*", "/", "=", r"\cdot", r"\odot", "@", "^", "_", ",", " ", r"\,", "…", r"\cdots", "**"],
    [r"\sum", r"\prod", r"\frac", r"\max", "sum", "prod", "max", "exp", "ln", r"\sqrt", "abs", "tanh", "sgn"],
    ["(", ")", "[", "]", "{", "}", "|", r"\left(", r"\right)", r"\{", r"\}", "((", "))"],
    ["<", ">", "<=", ">=", r"\le", r"\ge", "≤", "≠", "=", "!="],
    ["or", "and", r"\lor", r"\land", "not", "exists", r"\exists", r"\forall", "iff", "for", "in", "if"],
    ["'", r"\prime", ".T", ".sum(0)", "[0]", "[0, 0]", "[:, 0]", "[None]", "np.outer", "np.dot", "h_prime"],
    [r"\text{", r"\mathbb{1}", r"\begin{cases}", r"\end{cases}", "&", "\\\\", "$", r"\hat", "\n", r"\(", "%"],
    ["0.5", "1e9", ".", "..", "9999", "__import__('os')", "\x00", "é", "∂", "𝟙", "¹", "₂", "lambda", "eval"],
]  # fmt: skip


def seeds(rng: random.Random) -> dict[str, list[str]]:
    """Right answers of every question, in every notation."""
    found: dict[str, list[str]] = {question: [] for question in QUESTIONS}
    for question, text in rows(RIGHT):
        found[question].append(text)
    for question, lines in LINES.items():
        found[question] += lines
    for question, (_, trees) in judge_cases.BASES.items():
        found[question] += [judge_cases.Style(rng).write(rng.choice(trees)) for _ in range(12)]
    return found


def changed(text: str, rng: random.Random) -> str:
    """The text with a few symbols exchanged for one alike, doubled, torn out, swapped or put in."""
    symbols = _SYMBOL.findall(text)
    for _ in range(rng.choice([1, 1, 1, 1, 2, 2, 3, 6])):
        at = rng.randrange(len(symbols)) if symbols else 0
        match rng.choice("xxxxxdtisgg"):
            case "x" if symbols:
                alike = [some for some in _ALIKE if symbols[at] in some]
                symbols[at] = rng.choice(rng.choice(alike or _ALIKE))
            case "d":
                symbols[at:at] = symbols[at : at + rng.randrange(1, 8)]
            case "t":
                del symbols[at : at + rng.choice([1, 1, 1, 2, 5])]
            case "i":
                symbols.insert(at, rng.choice(rng.choice(_ALIKE)))
            case "s" if symbols:
                other = rng.randrange(len(symbols))
                symbols[at], symbols[other] = symbols[other], symbols[at]
            case "g" if symbols:  # a longer piece goes somewhere else
                piece = symbols[at : at + rng.randrange(1, 9)]
                symbols[at : at + len(piece)] = []
                to = rng.randrange(len(symbols) + 1)
                symbols[to:to] = piece
    return "".join(symbols)


def texts(count: int, seed: int) -> Iterator[tuple[str, str, bool | None]]:
    """Yield questions, texts and, where the generator knows, whether they are right."""
    rng = random.Random(seed)
    examiner, right = judge_cases.Examiner(seed), seeds(rng)
    names, trees = list(QUESTIONS), list(judge_cases.BASES)
    for _ in range(count):
        chance = rng.random()
        question = rng.choice(names)
        if chance < 0.02:
            yield (
                question,
                bytes(rng.randrange(256) for _ in range(rng.randrange(1, 60))).decode("latin-1"),
                None,
            )
        elif chance < 0.04:
            piece = rng.choice(
                [*(s for some in _ALIKE for s in some), changed(rng.choice(right[question]), rng)]
            )
            yield question, (piece * rng.randrange(1, 2500))[: rng.choice([200, 2000, 5000])], None
        elif chance < 0.16:
            question = rng.choice(trees)
            yield question, judge_cases.Style(rng).write(judge_cases.rewriting(question, rng, examiner)), True
        elif chance < 0.32:
            question = rng.choice(trees)
            tree, _ = judge_cases.wrong(question, rng, examiner, rng.choice([1, 1, 2]))
            yield question, judge_cases.Style(rng).write(tree), False
        else:
            yield question, changed(rng.choice(right[question]), rng), None


KNOWN: dict[Any, bool] = {}


def is_right(question: str, text: str) -> bool | None:
    """Whether an accepted text is right by means that are not the judge's; None where they do not know."""
    asked = QUESTIONS[question]
    try:
        if is_proposition(asked, text):
            read: Any = (
                read_bound(text, asked.layout) if question == "2.2" else read_condition(text, asked)[0]
            )
        elif is_numpy(text):
            read = ArrayReader(text).read()
        else:
            read = next(r.sides for r in readings(text, asked.layout) if judge(r, asked, effort=0).right)
        key = (question, read)
        if key not in KNOWN:
            if is_proposition(asked, text):
                bound = question == "2.2"
                KNOWN[key] = (
                    truth.bound_is_right(question, read[1])
                    if bound
                    else truth.condition_is_right(question, read)
                )
            elif is_numpy(text):
                KNOWN[key] = truth.line_is_right(question, text)
            else:
                KNOWN[key] = truth.formula_is_right(question, read)
        return KNOWN[key]
    except truth.Unknown:
        return None


def fuzz(count: int, seed: int, explained: int = 0) -> dict[str, Any]:
    """Judge `count` texts, the first `explained` with the search for their slips; Ctrl-C ends it early."""
    told: Counter[str] = Counter()
    slow: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    worst, done = 0.0, 0

    def noted(where: list[dict[str, Any]], **what: Any) -> None:
        where.append({"question": question, "text": text, **what})
        print(json.dumps(where[-1])[:1000], file=sys.stderr, flush=True)

    with contextlib.suppress(KeyboardInterrupt):
        for number, (question, text, right) in enumerate(texts(count, seed)):
            began = time.process_time()
            try:
                if number < explained:
                    answer = check(question, text)
                    answer._repr_markdown_()
                    json.dumps(answer.as_dict())
                    status = answer.status
                else:
                    status = verdict(question, text)
            except Exception as error:
                noted(faults, crash=repr(error))
                status = "crashed"
            took = time.process_time() - began
            worst = max(worst, took)
            if took > LIMIT:
                noted(slow, seconds=took)
            told[status] += 1
            if right is not None:
                told["known right" if right else "known wrong"] += 1
                told["known right, not accepted"] += right and status != "right"
            if status == "right":
                again = is_right(question, text)
                told["accepted, of unknown truth"] += again is None and right is None
                if right is False or again is False:
                    noted(faults, accepted=True)
            done = number + 1
    return {"seed": seed, "count": done, "told": dict(told), "slow": slow, "faults": faults, "worst": worst}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument(
        "--explained", type=int, default=2_000, help="so many of them with the search for slips"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    options = parser.parse_args()
    began = time.process_time()
    found = fuzz(options.count, options.seed, options.explained)
    print(f"{found['count']} texts, seed {options.seed}, {time.process_time() - began:.0f} s of CPU")
    for name, number in sorted(found["told"].items()):
        print(f"  {number:7d}  {name}")
    print(f"  {len(found['faults']):7d}  crashes and wrong formulas accepted")
    print(f"  {len(found['slow']):7d}  took more than {LIMIT:g} s of CPU; the longest {found['worst']:.2f} s")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    missed = [name for name in ("faults", "slow") if found[name]]
    if found["count"] < options.count:
        missed.append(f"only {found['count']} of {options.count} texts were judged")
    if options.check and missed:
        print("missed:", ", ".join(missed))
    return int(options.check and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
