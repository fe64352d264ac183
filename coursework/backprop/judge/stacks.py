"""The values of all formulas one edit away from a given one, as one array.

A formula of ten quantities has some two thousand neighbours.  They are not evaluated one by one: the values
that a part can take are stacked, and each operation above it is done once on the whole stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from coursework.backprop.judge.deadline import OutOfTime, look
from coursework.backprop.judge.draws import Draws, Values
from coursework.backprop.judge.edits import Edit, additions, changes, replacements
from coursework.backprop.judge.identity import Comparison, wanted_values
from coursework.backprop.judge.pool import pool
from coursework.backprop.judge.questions import Asked
from coursework.backprop.judge.structure import Path, structural
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import Add, Apply, Divide, Multiply, Negative, Node, Over, Power
from coursework.backprop.judge.value import FUNCTIONS, Evaluator, Scope

#: Values of edited versions, and the edit that belongs to each.
Part = tuple[Values, Callable[[int], tuple[Path, Edit]]]
Ranges = tuple[tuple[str, int, int], ...]

#: Most numbers of a part inside sums: hundreds of its neighbours are held at once.
MAX_STACKED = 6000


class Remembering(Evaluator):
    """An evaluator that computes no part twice."""

    def __init__(self, draws: Draws) -> None:
        super().__init__(draws)
        self._known: dict[tuple[int, Ranges], tuple[Node, Values]] = {}

    def value(self, node: Node, scope: Scope) -> Values:
        """Return the value of `node`."""
        key = (id(node), scope.ranges)
        if key not in self._known:
            # the node is kept too, so that its id stays its own
            self._known[key] = (node, super().value(node, scope))
        return self._known[key][1]


class Stack:
    """Values of edited versions of a node, of shape (edits, *axes, draws), and which edits they are."""

    def __init__(self, values: list[Values], sources: list[Callable[[int], tuple[Path, Edit]]]) -> None:
        self.values = values[0] if len(values) == 1 else np.concatenate(values)
        self._ends = np.cumsum([len(part) for part in values])
        self._sources = sources

    def edit(self, number: int) -> tuple[Path, Edit]:
        """Return path and edit of entry `number`."""
        part = int(np.searchsorted(self._ends, number, side="right"))
        return self._sources[part](number - (int(self._ends[part - 1]) if part else 0))


class Neighbours:
    """Stacks of the neighbours of formulas that are compared with `asked`."""

    def __init__(
        self, asked: Asked, activation: str, *, sigma: bool, differing: Comparison | None = None
    ) -> None:
        drawn, point = asked.few_draws(activation), asked.points[0]
        if differing and differing.drawn:
            drawn, point = differing.drawn, differing.fails_at[0]
        self._evaluator = Remembering(drawn)
        self._layout = asked.layout
        self._sigma = sigma
        self.scope = Scope(point)
        self.wanted = wanted_values(asked.target, drawn, point)
        self._pools: dict[Ranges, tuple[list[Node], Values]] = {}
        self._stacks: dict[tuple[int, Ranges], tuple[Node, Stack]] = {}

    def of(self, node: Node) -> Stack:
        """Return the neighbours of `node`."""
        stack = self._stack(node, self.scope)
        assert stack is not None  # no sum is around it
        return stack

    def after(self, node: Node, path: Path, *, everywhere: bool) -> Stack | None:
        """Return the neighbours of `node`, edited at `path`, by edits of parts further on.

        `everywhere` takes in the parts before `path` and the edited part itself.
        """
        return self._after(node, path, self.scope, everywhere)

    def _full(self, value: Values, scope: Scope) -> Values:
        axes = scope.shape
        value = value.reshape((1,) * (len(axes) + 1 - value.ndim) + value.shape)
        return np.broadcast_to(value, (*axes, self._evaluator.draws.count))

    def _value(self, node: Node, scope: Scope) -> Values:
        return self._full(self._evaluator.value(node, scope), scope)

    def _stack(self, node: Node, scope: Scope) -> Stack | None:
        look()
        if np.prod(scope.shape) * self._evaluator.draws.count > MAX_STACKED:
            return None
        key = (id(node), scope.ranges)
        if key not in self._stacks:
            parts = [*self._inner(node, scope, None), *self._own(node, scope)]
            self._stacks[key] = (node, Stack([v for v, _ in parts], [s for _, s in parts]))
        return self._stacks[key][1]

    def _after(self, node: Node, path: Path, scope: Scope, everywhere: bool) -> Stack | None:
        if not path:
            return self._stack(node, scope) if everywhere else None
        parts = list(self._inner(node, scope, (path, everywhere)))
        if isinstance(node, Add):  # elsewhere a sign or a constant can be mended at a factor
            parts += self._listed(_scaled(node), scope)
        return Stack([v for v, _ in parts], [s for _, s in parts]) if parts else None

    def _inner(self, node: Node, scope: Scope, edited: tuple[Path, bool] | None) -> Iterator[Part]:
        """Yield the values of `node` when a part is edited: behind `edited` only, where that is given."""
        for number, (part, inside, lift) in enumerate(self._parts(node, scope)):
            if edited is None:
                stack: Stack | None = self._stack(part, inside)
            else:
                path, everywhere = edited
                if number == path[0]:
                    stack = self._after(part, path[1:], inside, everywhere)
                elif number > path[0] or everywhere:
                    stack = self._stack(part, inside)
                else:
                    stack = None
            if stack is not None:
                yield lift(stack.values), _source(stack, number)

    def _parts(self, node: Node, scope: Scope) -> Iterator[tuple[Node, Scope, Callable[[Values], Values]]]:
        """Yield the parts of `node`, their scopes, and how the value of `node` follows from theirs."""
        match node:
            case Multiply(factors=parts) | Add(terms=parts):
                values = [self._value(part, scope) for part in parts]
                combine = np.multiply if isinstance(node, Multiply) else np.add
                for number, part in enumerate(parts):
                    others = [value for i, value in enumerate(values) if i != number]
                    rest = others[0]
                    for other in others[1:]:
                        rest = combine(rest, other)
                    yield part, scope, lambda stack, rest=rest: combine(stack, rest)  # type: ignore[misc]
            case Negative(term=part):
                yield part, scope, np.negative
            case Over(kind=kind, body=body):
                inside = scope.inside(node)
                if inside.shape[0] > 0:
                    reduce = np.sum if kind == "sum" else np.prod
                    yield body, inside, lambda stack: np.asarray(reduce(stack, axis=1))
            case Apply(function=function, argument=argument):
                own = {"h": self._evaluator.draws.h, "h'": self._evaluator.draws.h_prime}
                yield argument, scope, own.get(function) or FUNCTIONS[function]
            case Power(base=base, exponent=exponent):
                power = self._value(exponent, scope)
                yield base, scope, lambda stack: np.asarray(stack**power)
            case Divide(top=top, bottom=bottom):
                over, under = self._value(top, scope), self._value(bottom, scope)
                yield top, scope, lambda stack: np.asarray(stack / under)
                yield bottom, scope, lambda stack: np.asarray(over / stack)

    def _own(self, node: Node, scope: Scope) -> Iterator[Part]:
        """Yield the values of what can stand in the place of `node`."""
        edits: list[Edit] = []
        if not isinstance(node, Multiply | Add | Negative):
            others, values = self._pool(scope)
            yield values, _chosen(node, others, replacements)
            yield values * self._value(node, scope), _chosen(node, others, additions)
            edits += changes(node)
        elif not isinstance(node, Negative):
            edits += _scaled(node)
        edits += structural(node, self._layout, list(scope.letters))
        yield from self._listed(edits, scope)

    def _listed(self, edits: Sequence[Edit], scope: Scope) -> Iterator[Part]:
        kept, found = [], []
        for edit in edits:
            try:
                found.append(self._value(edit.new, scope))
                kept.append(edit)
            except OutOfTime:
                raise
            except Unreadable:  # a bound moved out of range
                continue
        if kept:
            yield np.stack(found), lambda entry: ((), kept[entry])

    def _pool(self, scope: Scope) -> tuple[list[Node], Values]:
        if scope.ranges not in self._pools:
            kept, values = [], []
            letters = tuple(letter for letter, _, _ in scope.ranges) + ("l",) * ("l" in self.scope.letters)
            before = list(self._evaluator.missing)
            for node in pool(self._layout, letters, sigma=self._sigma):
                self._evaluator.missing.clear()
                value = self._value(node, scope)
                if not self._evaluator.missing:
                    kept.append(node)
                    values.append(value)
            self._evaluator.missing[:] = before
            self._pools[scope.ranges] = (kept, np.stack(values))
        return self._pools[scope.ranges]


def _source(stack: Stack, number: int) -> Callable[[int], tuple[Path, Edit]]:
    def edit(entry: int) -> tuple[Path, Edit]:
        path, found = stack.edit(entry)
        return (number, *path), found

    return edit


def _scaled(node: Node) -> list[Edit]:
    return [edit for edit in changes(node) if edit.kinds[0] in ("sign", "constant")]


def _chosen(
    node: Node, others: list[Node], kind: Callable[[Node, list[Node]], Iterator[Edit]]
) -> Callable[[int], tuple[Path, Edit]]:
    """Return the edit that exchanges `node` with entry number `entry`, made only when it is asked for."""

    def edit(entry: int) -> tuple[Path, Edit]:
        made = list(kind(node, [others[entry]]))
        return (), made[0] if made else Edit(node, node, ("symbol",), 9.0)

    return edit
