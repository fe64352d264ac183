"""Conditions (2.3) and bounds (2.2) for benchmarks/judge.py: right ones in other words, and wrong ones.

As in judge_cases.py nothing here comes from the judge.  A condition is a tree of tuples,
    ("or" or "and", conditions), ("not", condition), ("some", low, high, condition)
    ("is", quantity, relation, quantity)
with the quantities "y", "t", 0, ("z", layer), ("a", layer), ("w", layer), a layer being a number,
("l", number) or ("m", number).  Networks are chains of plain numbers.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterator
from typing import Any

Condition = tuple[Any, ...]
Chain = dict[Any, float]
LAYERS = (1, 40, 149, 152)

# ---------------------------------------------------------------- networks and truth


def chain(rng: random.Random, l: int) -> Chain:
    """A ReLU chain in which few causes of a zero gradient are at work, and often none."""
    net: Chain = {"y": 2.0, "t": 1.0, 0: 0.0, "l": l}
    for m in range(1, 154):
        net["a", m] = rng.choice([0.001, 0.5, 3.0])
        net["w", m] = rng.choice([-2.0, -0.001, 1.0])
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        where = rng.choice([l, l + 1, 152, rng.randrange(l, 153)])
        cause = rng.choice(["dead", "dead", "edge", "weight", "output", "input"])
        if cause == "output":
            net["t"] = 2.0
        elif cause == "weight":
            net["w", min(where, 152)] = 0.0
        elif cause == "input":
            net["a", l] = 0.0
        else:
            net["a", min(where, 152)] = 0.0 if cause == "edge" else -1.0
    for m in range(1, 154):
        net["z", m] = max(net["a", m], 0.0)
    if l == 1:
        net["z", 1] = rng.choice([net["z", 1], -0.5])
    return net


def zero(net: Chain) -> bool:
    """Whether the derivative by w_11^(l) is zero."""
    l = int(net["l"])
    factors = [net["y"] - net["t"], net["z", l]]
    factors += [net["w", m] for m in range(l + 1, 153)] + [float(net["a", m] > 0) for m in range(l + 1, 153)]
    return 0 in factors


_RELATIONS = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
}  # fmt: skip


def true(tree: Condition, net: Chain, letters: dict[str, int]) -> bool:
    """Whether a condition holds; KeyError where it names what does not exist."""
    match tree:
        case ("or", parts):
            return max([true(part, net, letters) for part in parts])  # all parts are to exist
        case ("and", parts):
            return min([true(part, net, letters) for part in parts])
        case ("not", part):
            return not true(part, net, letters)
        case ("some", low, high, part):
            span = range(number(low, letters), number(high, letters) + 1)
            return max([true(part, net, {**letters, "m": m}) for m in span], default=False)
        case ("is", left, relation, right):
            return bool(_RELATIONS[relation](amount(left, net, letters), amount(right, net, letters)))
    raise AssertionError(tree)


def number(layer: Any, letters: dict[str, int]) -> int:
    return layer if isinstance(layer, int) else letters[layer[0]] + layer[1]


def amount(quantity: Any, net: Chain, letters: dict[str, int]) -> float:
    return net[quantity[0], number(quantity[1], letters)] if isinstance(quantity, tuple) else net[quantity]


class ConditionExaminer:
    """Knows by trying it whether a condition holds exactly where the gradient is zero."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self._nets = [chain(rng, l) for l in LAYERS for _ in range(150)]

    def right(self, tree: Condition) -> bool:
        try:
            return all(true(tree, net, {"l": int(net["l"])}) == zero(net) for net in self._nets)
        except KeyError:
            return False


# ---------------------------------------------------------------- the condition, rewritten

L0, L1, M0 = ("l", 0), ("l", 1), ("m", 0)
OUTPUT, INPUT = ("is", "y", "=", "t"), ("is", ("z", L0), "=", 0)
DEAD, WEIGHT = ("is", ("a", M0), "<=", 0), ("is", ("w", M0), "=", 0)
#: The causes with the judge's words for a forgotten one.
CAUSES = {
    OUTPUT: "the output is the target",
    INPUT: "gives nothing",
    DEAD: "a later unit is dead",
    WEIGHT: "a later weight is zero",
}


def condition(rng: random.Random, without: Condition | None = None) -> Condition:
    """The condition in one of its arrangements, perhaps without one of its causes."""
    later = [cause for cause in (DEAD, WEIGHT) if cause != without]
    rng.shuffle(later)
    low, high = L1, 152
    together = ("some", low, high, later[0] if len(later) == 1 else ("or", tuple(later)))
    some = [together] if rng.random() < 0.5 else [("some", low, high, cause) for cause in later]
    parts = [*(cause for cause in (OUTPUT, INPUT) if cause != without), *some]
    rng.shuffle(parts)
    return ("or", tuple(parts))


def parts(tree: Condition) -> Iterator[tuple[Condition, Callable[[Condition], Condition]]]:
    """Every part of a condition with the function that puts another into its place."""
    yield tree, lambda new: new
    match tree:
        case (("or" | "and") as sign, inner):
            for i, part in enumerate(inner):
                for found, put in parts(part):
                    yield found, lambda new, i=i, put=put: (sign, (*inner[:i], put(new), *inner[i + 1 :]))  # type: ignore[misc]
        case ("not", part):
            for found, put in parts(part):
                yield found, lambda new, put=put: ("not", put(new))  # type: ignore[misc]
        case ("some", low, high, part):
            for found, put in parts(part):
                yield found, lambda new, put=put: ("some", low, high, put(new))  # type: ignore[misc]


def rewritten(tree: Condition, rng: random.Random) -> Condition:
    """Other words for a part of it."""
    found, put = rng.choice(list(parts(tree)))
    match found:
        case ("is", ("a", layer), "<=", 0):
            return put(rng.choice([("is", ("z", layer), "=", 0), ("not", ("is", ("a", layer), ">", 0))]))
        case ("is", left, "=", right):
            return put(rng.choice([("is", right, "=", left), ("not", ("is", left, "!=", right))]))
        case ("or", inner):
            return put(("not", ("and", tuple(("not", part) for part in inner))))
        case ("some", low, high, ("or", inner)):
            return put(("or", tuple(("some", low, high, part) for part in inner)))
    return tree


def rewriting(rng: random.Random, examiner: ConditionExaminer) -> tuple[str, str]:
    """The question and a right condition or bound."""
    if rng.random() < 0.3:
        return "2.2", bound(rng)
    while True:
        tree = condition(rng)
        for _ in range(rng.randrange(4)):
            tree = rewritten(tree, rng)
        if examiner.right(tree):
            return "2.3", written(tree, rng.random() < 0.5)


# ---------------------------------------------------------------- wrong ones


def slipped(tree: Condition, rng: random.Random) -> Condition:
    """The condition with one slip of the pen."""
    found, put = rng.choice(list(parts(tree)))
    match found:
        case ("is", ("a", layer), "<=", 0):
            return put(("is", ("a", layer), rng.choice(["<", "=", ">"]), 0))
        case ("is", (name, layer), relation, right) if isinstance(layer, tuple):
            return put(("is", (name, (layer[0], layer[1] + rng.choice([-1, 1]))), relation, right))
        case ("is", left, "=", right):
            return put(("is", left, "!=", right))
        case ("or", inner):
            return put(("and", inner))
        case ("some", low, high, part):
            step = rng.choice([(0, -1), (-1, 0), (1, 0)])
            return put(("some", (low[0], low[1] + step[0]), high + step[1], part))
    return tree


def wrong(rng: random.Random, examiner: ConditionExaminer) -> tuple[str, str, tuple[str, ...]]:
    """The question, a wrong condition or bound, and the words that name what is forgotten, if anything is."""
    if rng.random() < 0.3:
        return "2.2", wrong_bound(rng), ()
    while True:
        cause = rng.choice([*CAUSES, None])
        tree = condition(rng, cause) if cause else slipped(condition(rng), rng)
        if not examiner.right(tree):
            return "2.3", written(tree, rng.random() < 0.5), (CAUSES[cause],) if cause else ()


# ---------------------------------------------------------------- bounds

#: Factors of the bound, each in several spellings.
ERROR = ["|y-t|", r"|a_1^{(153)}-t_n|", "|t_n-y|", r"\sqrt{2E_n}", r"\left|a_1^{(153)}-t_n\right|"]
BEFORE = ["|z_1^{(l)}|", r"\left|z_1^{(l)}\right|", r"\sqrt{(z_1^{(l)})^2}", "|-z_1^{(l)}|"]
OPEN = r"\prod_{m=l+1}^{152}\frac{W}{4}"
POWER = [
    "(W/4)^{152-l}", r"\left(\frac{W}{4}\right)^{152-l}", "W^{152-l}4^{l-152}",
    r"\frac{W^{152-l}}{4^{152-l}}",
    OPEN, r"(0.25W)^{152-l}", r"\frac{W^{152}}{W^l}\cdot 4^{l-152}",
]  # fmt: skip
SIZE = [
    r"|\frac{\partial E_n}{\partial w_{11}^{(l)}}|",
    r"\left|\partial E/\partial w_{11}^{(l)}\right|",
    "|dE/dw_11^(l)|",
]
#: What is written instead by mistake: none of these makes a bound, or it says too little.
MISTAKES = {
    "error": ["(y-t)", "|y|", "(a_1^{(153)}-t_n)", "|t_n|", "|y-t|^2", "E_n"],
    "before": ["z_1^{(l)}", "", "|x_1|", "|z_1^{(l+1)}|", "|a_1^{(l)}|^2"],
    "power": [
        "(W/4)^{153-l}", "(W/4)^{151-l}", "(W/5)^{152-l}", "(W/2)^{152-l}", "W^{152-l}", "(W/4)^{152}",
        "(1/4)^{152-l}", "(W/4)^{l}", r"\prod_{m=l+2}^{152}\frac{W}{4}",
    ],
}  # fmt: skip


def bound(rng: random.Random) -> str:
    factors = [rng.choice(ERROR), rng.choice(BEFORE), rng.choice([power for power in POWER if power != OPEN])]
    rng.shuffle(factors)
    if rng.random() < 0.2:  # an open product comes last
        factors = [rng.choice(ERROR), rng.choice(BEFORE), OPEN]
    return rng.choice(SIZE) + r" \le " + r"\cdot ".join(factors)


def wrong_bound(rng: random.Random) -> str:
    factors = {"error": rng.choice(ERROR), "before": rng.choice(BEFORE), "power": rng.choice(POWER)}
    where = rng.choice(list(MISTAKES))
    factors[where] = rng.choice(MISTAKES[where])
    return rng.choice(SIZE) + r" \le " + r"\cdot ".join(factor for factor in factors.values() if factor)


# ---------------------------------------------------------------- print


def written(tree: Condition, latex: bool, tight: bool = False) -> str:
    match tree:
        case (("or" | "and") as sign, inner):
            mark = {"or": r" \lor ", "and": r" \land "}[sign] if latex else f" {sign} "
            # what stands behind "exists" reaches to the end, unless it is in brackets
            text = mark.join(written(part, latex, tight=True) for part in inner)
            return f"({text})" if tight else text
        case ("not", part):
            return (r"\lnot" if latex else "not ") + f"({written(part, latex)})"
        case ("some", low, high, part):
            where = (
                rf"\exists m\in\{{{index(low)},\dots,{high}\}}: "
                if latex
                else f"exists m in {index(low)}..{high}: "
            )
            text = where + written(part, latex, tight=True)
            return f"({text})" if tight else text
        case ("is", left, relation, right):
            sign = {"<=": r"\le ", "!=": r"\ne "}.get(relation, relation) if latex else f" {relation} "
            return f"{quantity(left, latex)}{sign}{quantity(right, latex)}"
    raise AssertionError(tree)


def index(layer: Any) -> str:
    return str(layer) if isinstance(layer, int) else layer[0] + (f"{layer[1]:+d}" if layer[1] else "")


def quantity(name: Any, latex: bool) -> str:
    if not isinstance(name, tuple):
        return {"t": "t_n", "y": "a_1^{(153)}"}.get(name, str(name)) if latex else str(name)
    units = "11" if name[0] == "w" else "1"
    layer = index(name[1])
    return f"{name[0]}_{{{units}}}^{{({layer})}}" if latex else f"{name[0]}_{units}^({layer})"
