"""Propositions, the answers to 2.2, 2.3 and 2.4: comparisons joined by "or" and "and", for some or all m."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coursework.backprop.judge.draws import Values
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import ONE, Index, Node, Over
from coursework.backprop.judge.value import Evaluator, Scope

Truth = NDArray[np.bool_]
RELATIONS: dict[str, tuple[str, Callable[..., Truth]]] = {
    "=": ("=", np.equal), "≠": (r"\ne ", np.not_equal), "<": ("<", np.less), ">": (">", np.greater),
    "≤": (r"\le ", np.less_equal), "≥": (r"\ge ", np.greater_equal),
}  # fmt: skip
_JOINED: dict[str, tuple[str, Callable[..., Truth]]] = {
    "∨": (r"\ \lor\ ", np.logical_or), "∧": (r"\ \land\ ", np.logical_and),
}  # fmt: skip
_QUANTIFIED = {"∃": r"\exists", "∀": r"\forall"}


@dataclass(frozen=True)
class Comparison:
    """Two formulas and the relation between them: =, ≠, <, >, ≤ or ≥."""

    left: Node
    relation: str
    right: Node


@dataclass(frozen=True)
class Joined:
    """Propositions joined by one "sign", ∨ or ∧."""

    sign: str
    parts: tuple[Proposition, ...]


@dataclass(frozen=True)
class Not:
    """The contrary."""

    part: Proposition


@dataclass(frozen=True)
class Quantified:
    """ "For some" (∃) or "for all" (∀) values of `letter` from `low` to `high`, both included."""

    sign: str
    letter: str
    low: Index
    high: Index
    part: Proposition


Proposition = Comparison | Joined | Not | Quantified


def formulas(proposition: Proposition) -> Iterator[Node]:
    """Yield the formulas that are compared."""
    match proposition:
        case Comparison(left=left, right=right):
            yield from (left, right)
        case Joined(parts=parts):
            for part in parts:
                yield from formulas(part)
        case Not(part=part) | Quantified(part=part):
            yield from formulas(part)


def holds(proposition: Proposition, evaluator: Evaluator, scope: Scope) -> Truth:
    """Return the truth at every draw.

    Raises
    ------
    Unreadable : a side of a comparison has no value somewhere, as the root of a negative number.
    """
    match proposition:
        case Comparison(left=left, relation=relation, right=right):
            compare = RELATIONS[relation][1]
            return np.asarray(compare(*(_number(side, evaluator, scope) for side in (left, right))))
        case Joined(sign=sign, parts=parts):
            truth = holds(parts[0], evaluator, scope)
            for part in parts[1:]:
                truth = _JOINED[sign][1](truth, holds(part, evaluator, scope))
            return truth
        case Not(part=part):
            return ~holds(part, evaluator, scope)
        case Quantified(sign=sign, letter=letter, low=low, high=high, part=part):
            inside = scope.inside(Over("sum", letter, low, high, ONE))
            if inside.shape[0] <= 0:
                return np.full(evaluator.draws.count, sign == "∀")
            truth = holds(part, evaluator, inside)
            if truth.ndim <= len(scope.ranges) + 1:  # the letter does not occur in it
                return truth
            return np.asarray(truth.any(axis=0) if sign == "∃" else truth.all(axis=0))


def _number(node: Node, evaluator: Evaluator, scope: Scope) -> Values:
    """Return the value of a side of a comparison, which must have one in every network."""
    value = evaluator.value(node, scope)
    # missing quantities are told for themselves; what is NaN compares as false, and could pass for an answer
    if not evaluator.missing and bool((value != value).any()):
        raise Unreadable(f"${latex(node)}$ has no value in some networks: it is no part of a condition")
    return value


def shown(proposition: Proposition) -> str:
    """Return the proposition as LaTeX, without dollar signs."""
    match proposition:
        case Comparison(left=left, relation=relation, right=right):
            return f"{latex(left)}{RELATIONS[relation][0]}{latex(right)}"
        case Joined(sign=sign, parts=parts):
            loose = [
                isinstance(part, Joined) or (isinstance(part, Quantified) and place < len(parts) - 1)
                for place, part in enumerate(parts)
            ]
            texts = [f"({shown(p)})" if open_ else shown(p) for p, open_ in zip(parts, loose, strict=True)]
            return _JOINED[sign][0].join(texts)
        case Not(part=part):
            return rf"\lnot({shown(part)})"
        case Quantified(sign=sign, letter=letter, low=low, high=high, part=part):
            inner = f"({shown(part)})" if isinstance(part, Joined) else shown(part)
            return rf"{_QUANTIFIED[sign]} {letter}\in\{{{low},\dots,{high}\}}:\ {inner}"
