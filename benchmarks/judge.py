"""The judge of typed formulas on generated cases: formulas, lines of numpy, conditions and bounds.

Right answers written in other ways: none may be rejected.  Wrong ones with one slip and with two: none may
be accepted, and the slips are to be named by the first or the second guess; of a condition, the cause of a
zero gradient that is forgotten.  (Of a wrong bound, or a condition with another slip, it only counts whether
it is accepted: the judge says in how many networks it fails.)  Times are process CPU time.

--json FILE writes the same as JSON; --check exits with 1 and names each target that was missed.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import statistics
import sys
import time
from itertools import permutations
from pathlib import Path

import judge_cases
import judge_conditions
import judge_lines
from judge_cases import BASES, Examiner, Style
from judge_conditions import ConditionExaminer
from judge_lines import LineExaminer

from coursework._common.files import write_atomic
from coursework.backprop.judge.answer import Answer, check

SLIPS = judge_cases.SLIPS | judge_lines.SLIPS
#: Of ten cases three are lines of numpy and two conditions or bounds.
KINDS = (
    "formula", "line", "formula", "condition", "formula", "line", "formula", "line", "formula", "condition",
)  # fmt: skip
#: Words of the judge for one factor in the place of another.
REPLACED = {"symbol", "derivative", "layer", "index", "swap"}


def timed(question: str, text: str, times: list[float]) -> Answer:
    """Judge `text`; note the seconds of computing."""
    began = time.process_time()
    answer = check(question, text)
    times.append(time.process_time() - began)
    return answer


def named(answer: Answer, made: list[str]) -> bool:
    """Whether the first or the second guess names every slip made, each by a word of its own."""
    for guess in (answer.slips, *answer.others[:1]):
        kinds = [slip.kind for slip in guess]
        if any(
            all(kind in SLIPS[name][1] for kind, name in zip(order, made, strict=True))
            for order in permutations(kinds, len(made))
        ):
            return True
        # a factor forgotten and another put in: one stands for the other
        if set(made) == {"forget", "intruder"} and set(kinds) <= REPLACED:
            return True
    return False


def told(answer: Answer, words: tuple[str, ...]) -> bool:
    """Whether the judge says what a condition forgets."""
    lines = " ".join(answer.lines).lower()
    return all(word in lines for word in words)


def main() -> int:
    """Run the cases; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000, help="rewritings, and wrong formulas (2000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="print so many cases that went wrong")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if given.count < 20:
        parser.error("give --count of at least 20")

    rng, examiner = random.Random(given.seed), Examiner(given.seed)
    lines, conditions = LineExaminer(), ConditionExaminer(given.seed)
    questions = list(BASES)
    for question in questions:  # the networks are drawn once a process
        for text in ("y", Style(rng).write(BASES[question][1][0]), "delta[l].T @ z[l]"):
            check(question, text)
    times: list[float] = []
    problems: list[str] = []
    rejected = 0
    written: collections.Counter[str] = collections.Counter()
    for case in range(given.count):
        question = questions[case // 2 % len(questions)]
        kind = KINDS[case % len(KINDS)]
        if kind == "line":
            question, text = judge_lines.rewriting(rng, lines)
        elif kind == "condition":
            question, text = judge_conditions.rewriting(rng, conditions)
        else:
            text = Style(rng).write(judge_cases.rewriting(question, rng, examiner))
        written[kind] += 1
        answer = timed(question, text, times)
        if not answer.right:
            rejected += 1
            problems.append(f"rejected   {question} {text}\n           {answer}")

    accepted = unreadable = 0
    wrong: collections.Counter[str] = collections.Counter()
    by_slip: dict[str, list[bool]] = collections.defaultdict(list)
    shares: dict[int, float] = {}
    counts: dict[int, int] = {}
    for slips in (1, 2):
        hits: list[bool] = []
        for case in range(given.count // 2):
            question = questions[case // 2 % len(questions)]
            kind = KINDS[case % len(KINDS)]
            made, words = [], ()
            if kind == "line":
                question, text, made = judge_lines.wrong(rng, lines, slips)
            elif kind == "condition" and slips == 1:
                question, text, words = judge_conditions.wrong(rng, conditions)
            else:
                kind = "formula"
                tree, made = judge_cases.wrong(question, rng, examiner, slips)
                text = Style(rng).write(tree)
            answer = timed(question, text, times)
            wrong[kind] += 1
            accepted += answer.right
            if answer.right:
                problems.append(f"accepted   {question} {text}")
            unreadable += answer.status == "unreadable"
            if not made and not words:
                continue
            hit = not answer.right and (named(answer, made) if made else told(answer, words))
            hits.append(hit)
            made = made or ["condition: forgotten cause"]
            if slips == 1:
                by_slip[made[0]].append(hit)
            if not hit:
                problems.append(f"not named  {question} {made} {text}\n           {answer}")
        shares[slips], counts[slips] = statistics.mean(hits), len(hits)

    median, worst = statistics.median(times), max(times)
    rows = {
        "rewritings rejected": (rejected, given.count),
        "wrong formulas accepted": (accepted, wrong.total()),
        "wrong formulas not read": (unreadable, wrong.total()),
        "single slips named": (round(shares[1] * counts[1]), counts[1]),
        "double slips named": (round(shares[2] * counts[2]), counts[2]),
    }
    for title, (number, of) in rows.items():
        print(f"{title:<28}{number:>6} of {of:<6}{number / of:>8.1%}")
    for title, kinds in (("rewritings", written), ("wrong ones", wrong)):
        print(f"{title:<28}" + ", ".join(f"{number} {kind}s" for kind, number in sorted(kinds.items())))
    print(f"{'CPU time a formula':<28}median {1000 * median:.1f} ms, worst {1000 * worst:.0f} ms")
    for name, hits in sorted(by_slip.items()):
        print(f"  {name:<26}{sum(hits):>6} of {len(hits)}")
    targets = {
        "no rewriting rejected": rejected == 0,
        "no wrong formula accepted": accepted == 0,
        "single slips named, at least 95 %": shares[1] >= 0.95,
        "double slips named, at least 80 %": shares[2] >= 0.80,
        "median under 100 ms": median < 0.1,
        "worst under 2 s": worst < 2,
    }
    for target, met in targets.items():
        print(f"{'met   ' if met else 'MISSED'}  {target}")
    for problem in problems[: given.show]:
        print(problem)
    if given.json:
        table = {
            "rows": {title: {"number": number, "of": of} for title, (number, of) in rows.items()},
            "median_s": median,
            "worst_s": worst,
            "rewritings": written,
            "wrong": wrong,
            "by_slip": {name: statistics.mean(hits) for name, hits in by_slip.items()},
            "targets": targets,
        }
        write_atomic(given.json, json.dumps(table, indent=2) + "\n")
    return 1 if given.check and not all(targets.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
