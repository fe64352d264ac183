"""Slips that are made in the lines of numpy, each a change of the backward program.

What shows only in the second of two batches, such as an array that grows where it should be set, is among
them; see `batches`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coursework.backprop.changes import Change, everywhere
from coursework.backprop.expression import Difference, Expression, Letters
from coursework.backprop.layers import Level
from coursework.backprop.lines import Loop, Program
from coursework.backprop.matrix import (
    Applied,
    BatchSum,
    Elementwise,
    Line,
    MatMul,
    Matrix,
    Transposed,
    Whole,
)


@dataclass(frozen=True)
class LineSlip:
    """A slip: `change` yields the programs that it makes of one."""

    name: str
    change: Callable[[Program], Iterable[Program]]

    def of(self, program: Program) -> Iterator[Program]:
        """Yield `program` with the slip made once, for every place where it can be made."""
        yield from (mutant for mutant in self.change(program) if mutant != program)


@dataclass(frozen=True)
class BatchMean(Matrix):
    """What a batch adds up to, divided by the number of its examples."""

    of: Expression

    def latex(self) -> str:
        return rf"\frac{{1}}{{N}}{self.of.latex()}"

    def code(self) -> str:
        return f"({self.of.code()}) / len(t)"

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        return self.of.evaluate(point, letters) / len(point["t"])


@dataclass(frozen=True)
class FirstExample(Matrix):
    """The first row."""

    rows: Expression

    def latex(self) -> str:
        return f"{self.rows.latex()}_{{1}}"

    def code(self) -> str:
        return f"{self.rows.code()}[0]"

    def evaluate(self, point: Any, letters: Letters | None = None) -> Any:
        return self.rows.evaluate(point, letters)[0]


def _parts(change: Change) -> Callable[[Program], Iterator[Program]]:
    """Return the change of a program: of one part of the right side of one line."""
    return _lines(lambda line: (replace(line, value=value) for value in everywhere(line.value, change)))


def _lines(change: Callable[[Line], Iterable[Line | None]]) -> Callable[[Program], Iterator[Program]]:
    """Return the change of a program: of one line, which is left out where None comes of it."""

    def of_program(program: Program) -> Iterator[Program]:
        for i, part in enumerate(program):
            lines = part.lines if isinstance(part, Loop) else (part,)
            for k, line in enumerate(lines):
                for changed in change(line):
                    rest = (*lines[:k], *((changed,) if changed else ()), *lines[k + 1 :])
                    again = (replace(part, lines=rest),) if isinstance(part, Loop) and rest else ()
                    yield (*program[:i], *(again if isinstance(part, Loop) else rest), *program[i + 1 :])

    return of_program


def _loops(change: Callable[[Loop], Iterable[Loop]]) -> Callable[[Program], Iterator[Program]]:
    def of_program(program: Program) -> Iterator[Program]:
        for i, part in enumerate(program):
            if isinstance(part, Loop):
                yield from ((*program[:i], changed, *program[i + 1 :]) for changed in change(part))

    return of_program


def _whole(letter: str, change: Callable[[Whole], Expression]) -> Callable[[Program], Iterator[Program]]:
    return _parts(lambda m: (change(m),) if isinstance(m, Whole) and m.letter == letter else ())


def _moved(letter: str, by: int) -> Callable[[Program], Iterator[Program]]:
    return _whole(letter, lambda m: replace(m, l=(m.l or 0) + by))


def _called(letter: str, other: str) -> Callable[[Program], Iterator[Program]]:
    return _whole(letter, lambda m: replace(m, letter=other))


def _of(
    kind: type[Any], change: Callable[[Any], Iterable[Expression]]
) -> Callable[[Program], Iterator[Program]]:
    return _parts(lambda m: change(m) if isinstance(m, kind) else ())


def _adds(letter: str) -> Callable[[Program], Iterator[Program]]:
    return _lines(lambda line: (replace(line, added=True),) if line.target.letter == letter else ())


def _function_for(name: str, others: Sequence[str]) -> Callable[[Program], Iterator[Program]]:
    return _of(Applied, lambda m: (replace(m, name=o) for o in others if m.name == name))


def _without_mask(part: Elementwise) -> Iterable[Expression]:
    return (part.left,) if part.right == Whole("links", Level("l")) else ()


def _slope_of_output(line: Line) -> Iterable[Line]:
    if isinstance(line.value, Difference) and isinstance(line.value.left, Applied):
        y = line.value.left
        yield replace(line, value=Elementwise(line.value, Elementwise(y, Difference(y, Elementwise(y, y)))))


def _mean(line: Line) -> Iterable[Line]:
    return (replace(line, value=BatchMean(line.value)),)


def _upward(loop: Loop) -> Iterable[Loop]:
    if loop.step < 0:
        yield Loop(2, loop.first + 1, loop.lines)


LINE_SLIPS: tuple[LineSlip, ...] = (
    LineSlip("the weights transposed", _whole("w", Transposed)),
    LineSlip(
        "the gradient transposed",
        _of(
            MatMul,
            lambda m: (MatMul(Transposed(m.right), m.left.of),) if isinstance(m.left, Transposed) else (),
        ),
    ),
    LineSlip("not transposed", _of(Transposed, lambda m: (m.of,))),
    LineSlip("the factors of a matrix product swapped", _of(MatMul, lambda m: (MatMul(m.right, m.left),))),
    LineSlip("entry by entry for the matrix product", _of(MatMul, lambda m: (Elementwise(m.left, m.right),))),
    LineSlip("the matrix product for entry by entry", _of(Elementwise, lambda m: (MatMul(m.left, m.right),))),
    LineSlip("h' is missing", _of(Elementwise, lambda m: (m.right,) if isinstance(m.left, Applied) else ())),
    LineSlip("only h' is left", _of(Elementwise, lambda m: (m.left,) if isinstance(m.left, Applied) else ())),
    LineSlip("a factor of a matrix product is missing", _of(MatMul, lambda m: (m.left, m.right))),
    LineSlip("the mask is missing", _of(Elementwise, _without_mask)),
    LineSlip("h for h'", _function_for("h_prime", ("h",))),
    LineSlip("the softmax for the sigmoid", _function_for("sigmoid", ("softmax",))),
    LineSlip("the sigmoid for the softmax", _function_for("softmax", ("sigmoid",))),
    LineSlip("h for the output's function", _function_for("sigmoid", ("h",))),
    LineSlip("a function is missing", _of(Applied, lambda m: (m.argument,))),
    LineSlip(
        "the softmax over the examples",
        _of(
            Applied,
            lambda m: (
                (Transposed(replace(m, argument=Transposed(m.argument))),) if m.name == "softmax" else ()
            ),
        ),
    ),
    LineSlip("the slope of the output kept", _lines(_slope_of_output)),
    LineSlip(
        "h' at z, not at a",
        _of(
            Applied,
            lambda m: (replace(m, argument=replace(m.argument, letter="z")),) if m.name == "h_prime" else (),
        ),
    ),
    LineSlip("a for z", _called("z", "a")),
    LineSlip("delta for z", _called("z", "delta")),
    LineSlip("z for delta", _called("delta", "z")),
    LineSlip("target minus output", _of(Difference, lambda m: (m.right - m.left,))),
    LineSlip("the target is missing", _of(Difference, lambda m: (m.left,))),
    LineSlip("the delta of the layer above", _moved("delta", +1)),
    LineSlip("the delta of the layer below", _moved("delta", -1)),
    LineSlip("the weights of the layer above", _moved("w", +1)),
    LineSlip("the weights of the layer below", _moved("w", -1)),
    LineSlip("a of the layer above", _moved("a", +1)),
    LineSlip("a of the layer below", _moved("a", -1)),
    LineSlip("z of the layer above", _moved("z", +1)),
    LineSlip("z of the layer below", _moved("z", -1)),
    LineSlip("a of the batch before", _called("a", "old_a")),
    LineSlip("z of the batch before", _called("z", "old_z")),
    LineSlip("delta of the batch before", _called("delta", "old_delta")),
    LineSlip("targets of the batch before", _called("t", "old_t")),
    LineSlip("the weights updated before they are read", _called("w", "new_w")),
    LineSlip("delta += for =", _adds("delta")),
    LineSlip("dw += for =", _adds("dw")),
    LineSlip("db += for =", _adds("db")),
    LineSlip("a line is missing", _lines(lambda line: (None,))),
    LineSlip(
        "stored a layer too high",
        _lines(lambda line: (replace(line, target=replace(line.target, l=(line.target.l or 0) + 1)),)),
    ),
    LineSlip("the mean over the batch for the sum", _lines(_mean)),
    LineSlip("the bias of the first example", _of(BatchSum, lambda m: (FirstExample(m.rows),))),
    LineSlip("the bias summed over the units", _of(BatchSum, lambda m: (BatchSum(Transposed(m.rows)),))),
    LineSlip("the bias not summed", _of(BatchSum, lambda m: (m.rows,))),
    LineSlip("from the input to the output", _loops(_upward)),
    LineSlip("the loop starts one layer late", _loops(lambda p: (replace(p, first=p.first + p.step),))),
    LineSlip("the loop stops one layer short", _loops(lambda p: (replace(p, stop=p.stop - p.step),))),
    LineSlip("the loop goes one layer too far", _loops(lambda p: (replace(p, stop=p.stop + p.step),))),
    LineSlip("the gradients before the deltas", lambda program: (program[-1:] + program[:-1],)),
    LineSlip("the output's delta last", lambda program: (program[1:] + program[:1],)),
)
