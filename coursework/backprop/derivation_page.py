"""A derivation on the page, proved first: general, expanded for its network, or with a point's numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from IPython.display import Markdown

from coursework.backprop.derivation import Step
from coursework.backprop.expression import number
from coursework.backprop.line_proof import LineProof
from coursework.backprop.point import ExamplePoint
from coursework.backprop.proof import prove
from coursework.backprop.symbols import Partial

#: The ways to show a derivation.
VIEWS = ("general", "expanded", "numbers")

#: Digits that another processor, which adds in another order, leaves alone.
DIGITS = 10


def show_derivation(
    point: ExamplePoint, target: Partial, view: str = "general", *, points: int = 2, **letters: int
) -> Markdown:
    """Return the derivation of `target` in the network of `point`, each line with its proof.

    Parameters
    ----------
    point : a network and an example; its numbers are what the view "numbers" puts in.
    target : what to derive, say `dE_dw("l", 1, 1)`.
    view : "general" (from the question to the answer), "expanded" (every delta put in, for h itself and for
        the network's own h) or "numbers" (each line with the numbers of the point).
    points : random points at which every line is proved.
    letters : for the view "numbers", what the letters of the target stand for: l=2, j=1.

    Raises
    ------
    WrongGradient : a line is not the derivative, so that nothing wrong is printed.
    ValueError : there is no such view, or a letter of the target has no number for "numbers".
    """
    if view not in VIEWS:
        raise ValueError(f"view={view!r}: take one of {', '.join(VIEWS)}")
    proof = prove(point.network, target, points=points)
    derivation = proof.derivation
    count = len(derivation.steps)
    if view == "numbers":
        steps = [step.at(L=point.network.L, **letters) for step in derivation.lines]
        shown = [table(("step", "in numbers"), _numbered(steps, point))]
    elif view == "general":
        head = ("step", "because", "numbers compared", "relative error")
        shown = [table(head, map(_row, proof.lines[:count])), _code(derivation.steps)]
    else:
        forms = proof.lines[count:]
        shown = [f"{form.step.reason}: {form.badge}\n\n$${form.step.latex}$$" for form in forms]
        shown.append(_code(form.step for form in forms))
    return Markdown(
        "\n\n".join(
            [
                f"**Asked: ${target.latex()}$**",
                *shown,
                "For the whole layer and N examples at once, with the shapes:",
                f"```python\n{derivation.matrix.code()}\n# {derivation.matrix.shapes(derivation.sizes)}\n```",
                f"**Proved** {proof.where}: {proof.badge}.",
            ]
        )
    )


def _row(line: LineProof) -> tuple[str, ...]:
    return _formula(line.step.latex), line.step.reason, f"✓ {line.compared}", f"${line.bound}$"


def _code(steps: Iterable[Step]) -> str:
    """Return the lines in numpy, units counted from 0, each after the shapes of what it reads."""
    lines: dict[str, str] = {}
    for step in steps:
        shapes = ", ".join(f"{name} {shape}" for name, shape in step.shapes.items())
        lines.setdefault(step.code, f"# {shapes}\n{step.code}" if shapes else step.code)
    return "\n".join(["```python", *lines.values(), "```"])


def _numbered(steps: Iterable[Step], point: ExamplePoint) -> Iterator[tuple[str, ...]]:
    seen = set()
    for step in steps:
        text = step.numbers(point)
        if text not in seen:
            seen.add(text)
            yield _formula(step.latex), _formula(rf"{text}\approx {number(step.value(point), DIGITS)}")


def _formula(latex: str) -> str:
    return rf"${{\displaystyle {latex}}}$"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
