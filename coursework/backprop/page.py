"""What the notebook of section 1 shows: questions, derivations, answers and checks, as Markdown."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from IPython.display import Markdown

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.answers import TOLERANCE, Answer, check_answers
from coursework.backprop.derivation import Step
from coursework.backprop.expression import number
from coursework.backprop.oracles import JUDGES, WrongGradient, verify
from coursework.backprop.point import ExamplePoint
from coursework.backprop.symbols import Delta

#: Digits that another processor, which adds in another order, leaves alone.
DIGITS = 10


def show_source(function: Callable[..., Any]) -> Markdown:
    """Return the lines of a function of the package, so that the page shows what is run."""
    return Markdown(f"```python\n{textwrap.dedent(inspect.getsource(function))}```")


def activation_table() -> Markdown:
    """Return the activations that there are, with their derivatives."""
    rows = [
        (f"`{name}`", f"${record.latex}$", f"${record.prime_at('a', 'h(a)')}$")
        for name, record in ACTIVATIONS.items()
    ]
    return markdown_table(("name", "$h(a)$", "$h'(a)$"), rows)


def show_answer(answer: Answer) -> Markdown:
    """Return the question, its derivation line by line, the answer and its numbers.

    Raises
    ------
    WrongGradient : a line is further off autograd than `TOLERANCE`, so that nothing wrong is printed.
    """
    check_answers({answer.question.id: answer})
    derivation, point = answer.derivation, answer.point
    target = derivation.target
    delta = Delta(point.network.L, 1).latex()
    parts = [
        f"**Asked: ${target.latex()}$.** {answer.question.asks.replace('<delta>', f'${delta}$')}",
        markdown_table(
            ("step", "because", "here"),
            [
                (
                    rf"${{\displaystyle {'' if step is derivation.steps[0] else '='}{step.latex}}}$",
                    step.reason,
                    _number(step.value(point)),
                )
                for step in derivation.steps
            ],
        ).data,
        "**Answer.**",
        rf"$${target.latex()}={derivation.general.latex}$$",
        *_further_forms(derivation.general, (derivation.expanded, derivation.specific)),
        "With the numbers of this point, rounded for print:",
        rf"$${target.latex()}\approx {derivation.general.expression.numbers(point)}"
        rf"\approx {number(answer.value, DIGITS)}$$",
        "In numpy, and what torch's autograd finds for the same derivative:",
        f"```python\n{derivation.general.code}\n"
        f"# {answer.value + 0.0:.{DIGITS}g}, autograd {answer.autograd + 0.0:.{DIGITS}g}\n```",
    ]
    return Markdown("\n\n".join(parts))


def _further_forms(general: Step, forms: Iterable[Step]) -> list[str]:
    parts, seen = [], {general.latex}
    for form in forms:
        if form.latex not in seen:
            seen.add(form.latex)
            parts += [f"The same with {form.reason}:", f"$$={form.latex}$$"]
    return parts


def answers_table(answers: dict[str, Answer]) -> Markdown:
    """Return the answers beside autograd's.

    Raises
    ------
    WrongGradient : one is further off than `TOLERANCE`.
    """
    check_answers(answers)
    rows = [
        (
            name,
            rf"${{\displaystyle {answer.derivation.target.latex()}={answer.derivation.general.latex}}}$",
            _number(answer.value),
            _number(answer.autograd),
            _bound(answer.error, TOLERANCE),
        )
        for name, answer in answers.items()
    ]
    return markdown_table(("question", "answer", "evaluated", "autograd", "relative error"), rows)


def judges_table(point: ExamplePoint) -> Markdown:
    """Return how many arrays of the backward pass each judge confirms, and to what relative error.

    Raises
    ------
    WrongGradient : a judge finds something else.
    """
    findings = verify(point.network, point.x, point.t)
    rows = []
    for name in JUDGES:
        own = [finding for finding in findings if finding.judge == name]
        allowed = max(finding.allowed for finding in own)
        arrays = ", ".join(f"`{finding.what}`" for finding in own)
        rows.append((name, arrays, _bound(max(finding.error for finding in own), allowed)))
    return markdown_table(("judge", "confirms", "largest relative error"), rows)


def _number(value: float, digits: int = DIGITS) -> str:
    return f"${number(value, digits)}$"


def _bound(error: float, bound: float) -> str:
    # the error itself differs from one processor to the next; that it stays below the bound does not
    if not error <= bound:
        raise WrongGradient(f"relative error {error:.1e}, allowed {bound:.0e}")
    mantissa, exponent = f"{bound:.0e}".split("e")
    return (
        rf"$\le {mantissa}\times 10^{{{int(exponent)}}}$"
        if mantissa != "1"
        else rf"$\le 10^{{{int(exponent)}}}$"
    )


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markdown:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
