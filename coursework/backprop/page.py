"""What the notebook of section 1 shows: questions, derivations, answers and checks, as Markdown."""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from IPython.display import Markdown

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.answers import Answer, check_answers
from coursework.backprop.certificate import Certificate
from coursework.backprop.derivation import Step
from coursework.backprop.derivation_page import DIGITS, table
from coursework.backprop.expression import number
from coursework.backprop.finding import WrongGradient
from coursework.backprop.oracles import JUDGES
from coursework.backprop.symbols import Delta

#: What a judge may say of an array.
VERDICTS = ("right", "wrong", "cannot resolve")


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
    """Return the question, its derivation line by line, the answer, its numbers and its proof.

    Raises
    ------
    WrongGradient : a line is further off autograd than `answers.TOLERANCE`, so that nothing wrong is printed.
    """
    check_answers({answer.question.id: answer})
    derivation, point = answer.derivation, answer.point
    target = derivation.target
    delta = Delta(point.network.L, 1).latex()
    parts = [
        f"**Asked: ${target.latex()}$.** {answer.question.asks.replace('<delta>', f'${delta}$')}",
        markdown_table(
            ("step", "because", "in numpy", "here"),
            [
                (
                    rf"${{\displaystyle {'' if step is derivation.steps[0] else '='}{step.latex}}}$",
                    step.reason,
                    f"`{step.code}`",
                    _number(step.value(point)),
                )
                for step in derivation.steps
            ],
        ).data,
        "**Answer.**",
        rf"$${target.latex()}={derivation.general.latex}$$",
        *_further_forms(derivation.general, (derivation.expanded, derivation.specific)),
        "With the numbers of this point, rounded for print:",
        rf"$${target.latex()}\approx {derivation.general.numbers(point)}"
        rf"\approx {number(answer.value, DIGITS)}$$",
        f"Autograd finds {_number(answer.autograd)}. For the whole layer and N examples, with the shapes:",
        f"```python\n{derivation.matrix.code()}\n# {derivation.matrix.shapes(derivation.sizes)}\n```",
        f"**Proved** {answer.proof.where}: {answer.proof.badge}.",
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
    WrongGradient : one is further off than `answers.TOLERANCE`.
    """
    check_answers(answers)
    rows = [
        (
            name,
            rf"${{\displaystyle {answer.derivation.target.latex()}={answer.derivation.general.latex}}}$",
            _number(answer.value),
            _number(answer.autograd),
            answer.proof.badge.partition(", before")[0],
        )
        for name, answer in answers.items()
    ]
    return markdown_table(("question", "answer", "evaluated", "autograd", "proved with"), rows)


def certificate_table(certificate: Certificate) -> Markdown:
    """Return what each judge says of the arrays of a backward pass, and to what relative error.

    Raises
    ------
    WrongGradient : nothing was judged.
    """
    if not len(certificate):
        raise WrongGradient("there was nothing to judge")
    rows = []
    for name in JUDGES:
        own = [finding for finding in certificate if finding.judge == name]
        counts = [sum(f.verdict == verdict for f in own) for verdict in VERDICTS]
        allowed = max((finding.allowed for finding in own if finding.passed), default=None)
        within = "" if allowed is None else rf"$\le 10^{{{math.ceil(math.log10(allowed))}}}$"
        rows.append((name, *(str(count or "") for count in counts), within))
    return markdown_table(("judge", *VERDICTS, "relative error, where right"), rows)


def _number(value: float, digits: int = DIGITS) -> str:
    return f"${number(value, digits)}$"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markdown:
    """Return a table."""
    return Markdown(table(head, rows))
