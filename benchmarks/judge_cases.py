"""Formulas for benchmarks/judge.py: right ones written in other ways, and wrong ones.

Everything is its own here, so that the judge is not examined with its own knowledge: the trees are plain
tuples, the networks lists of Python floats, and neither the slips nor the code come from the judge.  That a
rewriting is right and a slip wrong is found by evaluating both.

A tree is one of
    ("q", name, layer, units)         a quantity; a layer or unit is a number or (letter, number)
    ("t",), ("y",), ("n", number)
    ("f", name, tree)                 h, h', s (sigma), s', step, 1-tanh2
    ("+", trees), ("-", tree), ("*", trees), ("/", tree, tree), ("^", tree, number)
    ("S" or "P", letter, low, high, tree)
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

Tree = tuple[Any, ...]
Net = dict[str, Any]

# ---------------------------------------------------------------- networks


def logistic(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def network(kind: str, rng: random.Random) -> Net:
    """A network with free pre-activations (biases make up for them) and the deltas of its loss."""
    L = 4 if kind == "small" else 153
    sizes = dict.fromkeys(range(1, L), 3 if kind == "small" else 2) | {L: 1}
    relu = kind.endswith("relu")
    net: Net = {"L": L, "sizes": sizes, "kind": kind, "relu": relu}
    h = (lambda a: max(a, 0.0)) if relu else logistic
    dh = (lambda a: float(a > 0)) if relu else (lambda a: logistic(a) * (1 - logistic(a)))
    net["h"], net["h'"] = h, dh
    live = 0.98 if L > 4 else 0.7
    for l in range(1, L + 1):
        for j in range(1, sizes[l] + 1):
            a = rng.uniform(0.2, 1.8) * (1 if relu and rng.random() < live else rng.choice([-1, 1]))
            net["z", l, j] = a if l in (1, L) else h(a)
            if l > 1:
                net["a", l, j] = a
    for l in range(1, L):
        for j in range(1, sizes[l + 1] + 1):
            for k in range(1, sizes[l] + 1):
                if kind.startswith("chain") and j != k and l + 1 < L:
                    continue
                size = rng.uniform(0.6, 1.4) * (
                    4.5 if L > 4 and not relu else 0.7 if kind == "pairs relu" else 1
                )
                net["w", l, j, k] = size * rng.choice([-1, 1])
    net["y"] = net["a", L, 1]
    net["t"] = net["y"] + rng.choice([-1, 1]) * rng.uniform(0.3, 1.5)
    net["d", L, 1] = net["y"] - net["t"]
    for l in range(L - 1, 1, -1):
        for j in range(1, sizes[l] + 1):
            above = range(1, sizes[l + 1] + 1)
            back = sum(net.get(("w", l, k, j), 0.0) * net["d", l + 1, k] for k in above)
            net["d", l, j] = dh(net["a", l, j]) * back
    return net


def number(index: Any, letters: dict[str, int]) -> int:
    return index if isinstance(index, int) else letters[index[0]] + index[1]


def value(tree: Tree, net: Net, letters: dict[str, int]) -> float:
    """The value of a tree; KeyError where it names what does not exist."""
    match tree:
        case ("q", name, layer, units):
            key = ("z", 1) if name == "x" else (name, number(layer, letters))
            return float(net[(*key, *(number(unit, letters) for unit in units))])
        case ("t",) | ("y",):
            return float(net[tree[0]])
        case ("n", constant):
            return float(constant)
        case ("f", name, inner):
            a = value(inner, net, letters)
            if name in ("h", "h'"):
                return float(net[name](a))
            return {
                "s": logistic,
                "s'": lambda v: logistic(v) * (1 - logistic(v)),
                "step": lambda v: float(v > 0),
                "1-tanh2": lambda v: 1 - math.tanh(v) ** 2,
            }[name](a)
        case ("+", parts):
            return sum(value(part, net, letters) for part in parts)
        case ("*", parts):
            return math.prod(value(part, net, letters) for part in parts)
        case ("-", part):
            return -value(part, net, letters)
        case ("/", top, bottom):
            return value(top, net, letters) / value(bottom, net, letters)
        case ("^", base, exponent):
            return value(base, net, letters) ** exponent
        case (("S" | "P") as kind, letter, low, high, body):
            span = range(number(low, letters), number(high, letters) + 1)
            values = (value(body, net, {**letters, letter: n}) for n in span)
            return sum(values) if kind == "S" else math.prod(values)
    raise AssertionError(tree)


# ---------------------------------------------------------------- the questions' answers


def q(name: str, layer: Any, *units: Any) -> Tree:
    return ("q", name, layer, units)


def f(name: str, inner: Tree) -> Tree:
    return ("f", name, inner)


def mul(*parts: Tree) -> Tree:
    return ("*", parts)


T, ONE, TWO = ("t",), ("n", 1), ("n", 2)
K, M = ("k", 0), ("m", 0)


def up(step: int) -> tuple[str, int]:
    return ("l", step)


def error(l: Any) -> Tree:
    return ("+", (q("a", l, 1), ("-", T)))


def chain(slope: str) -> Tree:
    inside = mul(q("w", M, 1, 1), f(slope, q("a", M, 1)))
    return mul(error(153), q("z", up(0), 1), ("P", "m", up(1), 152, inside))


def weighted(l: Any, high: int) -> Tree:
    """The weighted sum of the deltas of layer l + 1, for unit 1 of layer l."""
    following = l + 1 if isinstance(l, int) else (l[0], l[1] + 1)
    return ("S", "k", 1, high, mul(q("w", l, K, 1), q("d", following, K)))


BASES: dict[str, tuple[str, list[Tree]]] = {
    "1.1": ("small", [error(4)]),
    "1.2": ("small", [mul(q("d", 4, 1), q("z", 3, 2)), mul(error(4), q("z", 3, 2))]),
    "1.3": ("small", [mul(f("h'", q("a", 3, 1)), q("w", 3, 1, 1), q("d", 4, 1))]),
    "1.4": (
        "small",
        [
            mul(q("d", 3, 1), q("z", 2, 1)),
            mul(f("h'", q("a", 3, 1)), q("w", 3, 1, 1), q("d", 4, 1), q("z", 2, 1)),
        ],
    ),
    "1.5": ("small", [mul(f("h'", q("a", 2, 1)), weighted(2, 3))]),
    "1.6": (
        "small",
        [mul(q("d", 2, 1), q("x", 1, 1)), mul(f("h'", q("a", 2, 1)), weighted(2, 3), q("x", 1, 1))],
    ),
    "2.1": ("chain", [chain("h'"), mul(q("d", up(1), 1), q("z", up(0), 1))]),
    "2.2": ("chain", [chain("s'")]),
    "2.3": ("chain relu", [chain("step"), chain("h'")]),
    "2.4": (
        "pairs relu",
        [mul(f(slope, q("a", up(1), 1)), weighted(up(1), 2), q("z", up(0), 1)) for slope in ("step", "h'")],
    ),
}
LAYERS = {"small": [0], "chain": [149, 152, 1], "chain relu": [149, 152, 1], "pairs relu": [149, 150, 1]}


class Examiner:
    """Knows by evaluation whether a formula is right."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.nets = {
            kind: [network(kind, rng) for _ in range(8 if kind == "small" else 3)] for kind in LAYERS
        }

    def right(self, question: str, tree: Tree) -> bool:
        """Whether `tree` has the value of the question's answer everywhere."""
        kind, answers = BASES[question]
        for net in self.nets[kind]:
            for l in LAYERS[kind]:
                letters = {"l": l}
                wanted = value(answers[0], net, letters)
                try:
                    typed = value(tree, net, letters)
                except (KeyError, ZeroDivisionError, OverflowError):
                    return False
                if not abs(typed - wanted) <= 1e-9 * max(abs(typed), abs(wanted)):
                    return False
        return True


# ---------------------------------------------------------------- walking


def parts(tree: Tree) -> Iterator[tuple[Tree, Callable[[Tree], Tree]]]:
    """Every part of a tree with the function that puts another into its place."""
    yield tree, lambda new: new
    match tree:
        case (("+" | "*") as sign, inner):
            for i, part in enumerate(inner):
                for found, put in parts(part):
                    yield (
                        found,
                        lambda new, i=i, put=put: (sign, (*inner[:i], put(new), *inner[i + 1 :])),  # type: ignore[misc]
                    )
        case ("f", name, part):
            for found, put in parts(part):
                yield found, lambda new, put=put: ("f", name, put(new))  # type: ignore[misc]
        case ("-", part):
            for found, put in parts(part):
                yield found, lambda new, put=put: ("-", put(new))  # type: ignore[misc]
        case ("/", top, bottom):
            for found, put in parts(top):
                yield found, lambda new, put=put: ("/", put(new), bottom)  # type: ignore[misc]
            for found, put in parts(bottom):
                yield found, lambda new, put=put: ("/", top, put(new))  # type: ignore[misc]
        case ("^", base, n):
            for found, put in parts(base):
                yield found, lambda new, put=put: ("^", put(new), n)  # type: ignore[misc]
        case (("S" | "P") as kind, letter, low, high, body):
            for found, put in parts(body):
                yield found, lambda new, put=put: (kind, letter, low, high, put(new))  # type: ignore[misc]


def pick(
    tree: Tree, rng: random.Random, wanted: Callable[[Tree], bool]
) -> tuple[Tree, Callable[[Tree], Tree]] | None:
    """A part that is wanted, by chance."""
    found = [(part, put) for part, put in parts(tree) if wanted(part)]
    return rng.choice(found) if found else None


def put_index(tree: Tree, letter: str, index: Any) -> Tree:
    """A tree with `index` for a letter."""
    match tree:
        case ("q", name, layer, units):

            def moved(old: Any) -> Any:
                if isinstance(old, tuple) and old[0] == letter:
                    return index + old[1] if isinstance(index, int) else (index[0], index[1] + old[1])
                return old

            return ("q", name, moved(layer), tuple(moved(unit) for unit in units))
        case (("+" | "*") as sign, inner):
            return (sign, tuple(put_index(part, letter, index) for part in inner))
        case ("f", name, part):
            return ("f", name, put_index(part, letter, index))
        case ("-", part):
            return ("-", put_index(part, letter, index))
        case ("/", top, bottom):
            return ("/", put_index(top, letter, index), put_index(bottom, letter, index))
        case ("^", base, n):
            return ("^", put_index(base, letter, index), n)
        case (("S" | "P") as kind, bound, low, high, body):
            return (kind, bound, low, high, put_index(body, letter, index))
    return tree


# ---------------------------------------------------------------- other ways to write the same

Change = Callable[[Tree, random.Random, str], Tree | None]


def shuffled(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] in "+*")
    if not found:
        return None
    part, put = found
    inner = list(part[1])
    rng.shuffle(inner)
    return put((part[0], tuple(inner)))


def opened_delta(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    """delta of the output for the error, of a hidden layer for its recursion."""
    found = pick(tree, rng, lambda part: part[0] == "q" and part[1] == "d" and isinstance(part[2], int))
    if not found:
        return None
    (_, _, l, units), put = found
    if l == 4:
        return put(("+", (rng.choice([("y",), q("a", 4, 1)]), ("-", T))))
    if l == 3:
        return put(mul(f("h'", q("a", 3, *units)), q("w", 3, 1, *units), q("d", 4, 1)))
    letter = rng.choice("ijp")
    body = mul(q("w", 2, (letter, 0), *units), q("d", 3, (letter, 0)))
    return put(mul(f("h'", q("a", 2, *units)), ("S", letter, 1, 3, body)))


def other_slope(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "f" and part[1] in ("h'", "s'", "step"))
    if not found:
        return None
    (_, _, inner), put = found
    if question in ("2.3", "2.4"):
        return put(f(rng.choice(["h'", "step"]), inner))
    ways = [f("h'", inner), f("s'", inner), mul(f("s", inner), ("+", (ONE, ("-", f("s", inner)))))]
    if inner[0] == "q" and inner[1] == "a":
        z = ("q", "z", *inner[2:])
        ways += [mul(z, ("+", (ONE, ("-", z)))), ("+", (z, ("-", ("^", z, 2))))]
    return put(rng.choice(ways))


def other_output(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    def wanted(part: Tree) -> bool:
        return (part[0] == "q" and part[1] in ("z", "x") and part[2] != 1) or part in (
            ("y",),
            q("a", 4, 1),
            q("a", 153, 1),
        )

    found = pick(tree, rng, wanted)
    if not found:
        return None
    part, put = found
    if part[0] == "y" or part[1] == "a":
        return put(rng.choice([("y",), q("a", 4 if question[0] == "1" else 153, 1)]))
    if question[0] == "1":
        return put(f(rng.choice(["h", "s"]), ("q", "a", *part[2:])))
    return None


def renamed(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] in "SP")
    if not found:
        return None
    (kind, letter, low, high, body), put = found
    free = [
        other for other in "ijkmpqr" if all(other != part[1] for part, _ in parts(body) if part[0] in "SP")
    ]
    new = rng.choice(free)
    return put((kind, new, low, high, put_index(body, letter, (new, 0))))


def written_out(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "S" and part[3] > part[2])
    if not found:
        return None
    (_, letter, low, high, body), put = found
    if rng.random() < 0.5:
        return put(("+", tuple(put_index(body, letter, n) for n in range(low, high + 1))))
    return put(("+", (put_index(body, letter, low), ("S", letter, low + 1, high, body))))


def distributed(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "*" and any(inner[0] == "+" for inner in part[1]))
    if not found:
        return None
    (_, inner), put = found
    place = next(i for i, part in enumerate(inner) if part[0] == "+")
    rest = (*inner[:place], *inner[place + 1 :])
    terms = []
    for term in inner[place][1]:
        minus = term[0] == "-"
        product = ("*", (term[1] if minus else term, *rest))
        terms.append(("-", product) if minus else product)
    return put(("+", tuple(terms)))


def factor_into_sum(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "*" and any(inner[0] == "S" for inner in part[1]))
    if not found:
        return None
    (_, inner), put = found
    place = next(i for i, part in enumerate(inner) if part[0] == "S")
    others = [i for i in range(len(inner)) if i != place]
    chosen = rng.choice(others)
    kind, letter, low, high, body = inner[place]
    new = (kind, letter, low, high, mul(body, inner[chosen]))
    rest = [new if i == place else part for i, part in enumerate(inner) if i != chosen]
    return put(rest[0] if len(rest) == 1 else ("*", tuple(rest)))


def product_in_two(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "P" and part[4][0] == "*")
    if not found:
        return None
    (kind, letter, low, high, body), put = found
    cut = rng.randrange(1, len(body[1])) if len(body[1]) > 1 else 0
    if not cut:
        return None
    return put(
        mul((kind, letter, low, high, ("*", body[1][:cut])), (kind, letter, low, high, ("*", body[1][cut:])))
    )


def neutral(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] in "q+*f")
    if not found:
        return None
    part, put = found
    ways = [("-", ("-", part)), mul(TWO, part, ("/", ONE, TWO)), ("/", mul(part, TWO), TWO), mul(ONE, part)]
    return put(rng.choice(ways))


REWRITINGS: list[Change] = [
    shuffled, opened_delta, other_slope, other_output, renamed, written_out, distributed, factor_into_sum,
    product_in_two, neutral,
]  # fmt: skip


def rewriting(question: str, rng: random.Random, examiner: Examiner) -> Tree:
    """A right answer, written in another way."""
    while True:
        tree = rng.choice(BASES[question][1])
        for _ in range(rng.randrange(1, 6)):
            tree = rng.choice(REWRITINGS)(tree, rng, question) or tree
        if len(str(tree)) < 1500 and examiner.right(question, tree):
            return tree


# ---------------------------------------------------------------- slips of the pen


def is_quantity(part: Tree) -> bool:
    return part[0] == "q"


def shift(index: Any, by: int) -> Any:
    return index + by if isinstance(index, int) else (index[0], index[1] + by)


def slip_superscript(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, is_quantity)
    if not found or found[0][1] == "x":
        return None
    (_, name, layer, units), put = found
    return put(("q", name, shift(layer, rng.choice([-1, 1])), units))


def slip_subscript(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: is_quantity(part) and part[2] not in (4, 153))
    if not found:
        return None
    (_, name, layer, units), put = found
    place = rng.randrange(len(units))
    numbers = [n for n in ((1, 2, 3) if question[0] == "1" else (1, 2)) if n != units[place]]
    if name == "w" and (layer == 3 or question in ("2.1", "2.2", "2.3")):
        return None
    return put(("q", name, layer, (*units[:place], rng.choice(numbers), *units[place + 1 :])))


def slip_exchange(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: is_quantity(part) and part[1] == "w" and part[3][0] != part[3][1])
    if not found:
        return None
    (_, name, layer, (j, k)), put = found
    return put(("q", name, layer, (k, j)))


def slip_forget(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "*" and len(part[1]) > 1)
    if not found:
        return None
    (_, inner), put = found
    place = rng.randrange(len(inner))
    if inner[place][0] in "SP+":
        return None
    rest = (*inner[:place], *inner[place + 1 :])
    return put(rest[0] if len(rest) == 1 else ("*", rest))


def slip_intruder(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "*")
    if not found:
        return None
    (_, inner), put = found
    if question[0] == "1":
        a, b = rng.choice([(2, 1), (2, 2), (3, 1), (3, 2)])
        new = rng.choice([q("z", a, b), q("d", a, b), f("h'", q("a", a, b)), q("w", a, 1, b)])
    else:
        new = rng.choice([q("z", up(1), 1), q("d", up(1), 1), f("h'", q("a", up(0), 1)), q("w", up(0), 1, 1)])
    place = rng.randrange(len(inner) + 1)
    return put(("*", (*inner[:place], new, *inner[place:])))


def slip_name(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: is_quantity(part) and part[1] in ("a", "z", "d"))
    if not found:
        return None
    (_, name, layer, units), put = found
    others = "ad" if layer in (4, 153) else "azd"  # the output unit's z is its a
    return put(("q", rng.choice([other for other in others if other != name]), layer, units))


def slip_minus(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    if rng.random() < 0.5:
        return ("-", tree)
    found = pick(tree, rng, lambda part: part[0] == "+")
    if not found:
        return None
    (_, inner), put = found
    place = rng.randrange(len(inner))
    flipped = inner[place][1] if inner[place][0] == "-" else ("-", inner[place])
    return put(("+", (*inner[:place], flipped, *inner[place + 1 :])))


def slip_half(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    return mul(rng.choice([("/", ONE, TWO), TWO]), tree)


def slip_square(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: is_quantity(part) and part[1] in ("z", "d", "w"))
    return found[1](("^", found[0], 2)) if found else None


def slip_prime(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    pairs = {"h": "h'", "h'": "h", "s": "s'", "s'": "s"}
    found = pick(tree, rng, lambda part: part[0] == "f" and part[1] in pairs)
    return found[1](f(pairs[found[0][1]], found[0][2])) if found else None


def slip_lone_term(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "S" and part[3] != 1)
    return found[1](put_index(found[0][4], found[0][1], 1)) if found else None


def slip_open_index(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] in "S")
    return found[1](found[0][4]) if found else None


def slip_stray_letter(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, is_quantity)
    if not found:
        return None
    (_, name, layer, units), put = found
    place = rng.randrange(len(units))
    return put(("q", name, layer, (*units[:place], (rng.choice("ijn"), 0), *units[place + 1 :])))


def slip_range(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] in "SP")
    if not found:
        return None
    (kind, letter, low, high, body), put = found
    if rng.random() < 0.5:
        return put((kind, letter, shift(low, 1), high, body))
    return put((kind, letter, low, shift(high, rng.choice([-1, 1])), body))


def slip_two_sums(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "S" and part[4][0] == "*" and len(part[4][1]) == 2)
    if not found:
        return None
    (_, letter, low, high, (_, (one, two))), put = found
    return put(mul(("S", letter, low, high, one), ("S", letter, low, high, two)))


def slip_swallowed(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    """A factor that belongs outside stands inside a product."""
    found = pick(tree, rng, lambda part: part[0] == "*" and any(inner[0] == "P" for inner in part[1]))
    if not found:
        return None
    (_, inner), put = found
    place = next(i for i, part in enumerate(inner) if part[0] == "P")
    chosen = rng.choice([i for i in range(len(inner)) if i != place])
    kind, letter, low, high, body = inner[place]
    new = (kind, letter, low, high, mul(body, inner[chosen]))
    return put(("*", tuple(new if i == place else part for i, part in enumerate(inner) if i != chosen)))


def slip_brackets(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    """(a - t) z becomes a - t z."""
    found = pick(tree, rng, lambda part: part[0] == "*" and any(inner[0] == "+" for inner in part[1]))
    if not found:
        return None
    (_, inner), put = found
    place = next(i for i, part in enumerate(inner) if part[0] == "+")
    rest = (*inner[:place], *inner[place + 1 :])
    *first, last = inner[place][1]
    minus = last[0] == "-"
    product = ("*", (last[1] if minus else last, *rest))
    return put(("+", (*first, ("-", product) if minus else product)))


def slip_no_target(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    found = pick(tree, rng, lambda part: part[0] == "+" and ("-", T) in part[1])
    return found[1](next(part for part in found[0][1] if part != ("-", T))) if found else None


def slip_other_units(tree: Tree, rng: random.Random, question: str) -> Tree | None:
    """The derivative of another activation."""
    slopes = [part for part, _ in parts(tree) if part[0] == "f" and part[1] in ("h'", "s'", "step")]
    if not slopes:
        return None
    new = rng.choice(["s'", "1-tanh2"]) if question in ("2.3", "2.4") else rng.choice(["step", "1-tanh2"])
    for slope in slopes:
        found = next(((part, put) for part, put in parts(tree) if part == slope), None)
        if found:
            tree = found[1](f(new, slope[2]))
    return tree


#: Each slip with the words of the judge that name it.
SLIPS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "superscript": (slip_superscript, ("layer",)),
    "subscript": (slip_subscript, ("index",)),
    "exchange": (slip_exchange, ("swap",)),
    "forget": (slip_forget, ("missing factor",)),
    "intruder": (slip_intruder, ("extra factor",)),
    "name": (slip_name, ("symbol",)),
    "minus": (slip_minus, ("sign",)),
    "half": (slip_half, ("constant",)),
    "square": (slip_square, ("power", "extra factor")),
    "prime": (slip_prime, ("derivative",)),
    "lone term": (slip_lone_term, ("missing sum",)),
    "open index": (slip_open_index, ("missing sum", "unbound")),
    "stray letter": (slip_stray_letter, ("unbound", "index")),
    "range": (slip_range, ("bound",)),
    "two sums": (slip_two_sums, ("sum of products",)),
    "swallowed": (slip_swallowed, ("scope",)),
    "brackets": (slip_brackets, ("parenthesis",)),
    "no target": (slip_no_target, ("missing term",)),
    "other units": (slip_other_units, ("activation",)),
}


def wrong(question: str, rng: random.Random, examiner: Examiner, slips: int) -> tuple[Tree, list[str]]:
    """A wrong answer with one slip or two, and which they are."""
    while True:
        tree = rng.choice(BASES[question][1])
        for _ in range(rng.choice([0, 0, 1, 2])):
            tree = rng.choice([shuffled, opened_delta, renamed, other_output])(tree, rng, question) or tree
        made: list[str] = []
        whole, changed = tree, 0
        while len(made) < slips:
            name = rng.choice(list(SLIPS))
            new = SLIPS[name][0](tree, rng, question) if name not in made else None
            if new is not None and not examiner.right(question, new):
                changed += difference(tree, new)
                tree = new
                made.append(name)
            elif rng.random() < 0.1:
                break
        # a second slip in what the first one left behind would hide it
        if len(made) == slips and difference(whole, tree) == changed:
            return tree, made


def difference(one: Tree, two: Tree) -> int:
    """How many quantities and functions must go or come to make one tree of the other."""
    before, after = (
        Counter(
            part[:2] if part[0] == "f" else part[:1] if part[0] == "^" else part
            for part, _ in parts(tree)
            if part[0] in ("q", "f", "^")
        )
        for tree in (one, two)
    )
    return (before - after).total() + (after - before).total()


# ---------------------------------------------------------------- print


def index(i: Any) -> str:
    if isinstance(i, int):
        return str(i)
    return i[0] + (f"{i[1]:+d}" if i[1] else "")


class Style:
    """One way to type: LaTeX with its freedoms, plain text, or brackets."""

    def __init__(self, rng: random.Random) -> None:
        self.kind = rng.choice(["latex", "latex", "plain", "unicode", "brackets"])
        self.layer_first = rng.random() < 0.3
        self.comma = rng.random() < 0.3
        self.times = (
            rng.choice(["", " ", r"\,", r"\cdot "]) if self.kind == "latex" else rng.choice(["*", " * "])
        )
        self.big = self.kind == "latex" and rng.random() < 0.4
        self.fraction = self.kind == "latex" and rng.random() < 0.7

    def write(self, tree: Tree) -> str:
        return self._term(tree, 0)

    def _term(self, tree: Tree, tight: int) -> str:
        text, own = self._bare(tree)
        if own >= tight:
            return text
        return rf"\left({text}\right)" if self.big else f"({text})"

    def _bare(self, tree: Tree) -> tuple[str, int]:
        match tree:
            case ("q", name, layer, units):
                return self._quantity(name, layer, units), 3
            case ("t",):
                return "t_n" if self.kind != "brackets" else "t", 3
            case ("y",):
                return "y", 3
            case ("n", constant):
                return str(constant), 3
            case ("f", "1-tanh2", inner):
                tanh = r"\tanh" if self.kind == "latex" else "tanh"
                return f"(1-{tanh}({self.write(inner)})^2)", 3
            case ("f", "step", inner):
                return f"[{self.write(inner)}>0]", 3
            case ("f", name, inner):
                sigma = {"latex": r"\sigma", "unicode": "σ"}.get(self.kind, "sigma")
                return f"{name.replace('s', sigma)}({self.write(inner)})", 3
            case ("+", inner):
                texts = [self._term(part, 1) if part[0] != "-" else self._term(part, 0) for part in inner]
                return texts[0] + "".join(x if x.startswith("-") else f"+{x}" for x in texts[1:]), 0
            case ("-", inner):
                return "-" + self._term(inner, 1), 0
            case ("*", inner):
                return self._product(inner), 1
            case ("/", top, bottom):
                if self.fraction:
                    return rf"\frac{{{self.write(top)}}}{{{self.write(bottom)}}}", 3
                return f"{self._term(top, 2)}/{self._term(bottom, 3)}", 1
            case ("^", base, n):
                return f"({self.write(base)})^{n}", 3
            case (("S" | "P") as kind, letter, low, high, body):
                words = ("sum", "prod") if self.kind in ("plain", "brackets") else ("Σ", "Π")
                sign = words[kind == "P"] if self.kind != "latex" else (r"\sum", r"\prod")[kind == "P"]
                inside = self._term(body, 3)
                if not inside.startswith(("(", r"\left(")):
                    inside = f"({inside})"
                return f"{sign}_{{{letter}={index(low)}}}^{{{index(high)}}} {inside}", 2
        raise AssertionError(tree)

    def _product(self, inner: tuple[Tree, ...]) -> str:
        texts = []
        for place, part in enumerate(inner):
            text = self._term(part, 2)
            if part[0] in "SP" and place < len(inner) - 1:
                text = f"({text})"
            texts.append(text)
        if any(part[0] == "n" for part in inner):
            return (r" \cdot " if self.kind == "latex" else "*").join(texts)
        return self.times.join(texts)

    def _quantity(self, name: str, layer: Any, units: tuple[Any, ...]) -> str:
        shown = [index(unit) for unit in units]
        if self.kind == "brackets":
            word = {"d": "delta"}.get(name, name)
            return (
                f"x_{shown[0]}" if name == "x" else word + "".join(f"[{i}]" for i in (index(layer), *shown))
            )
        word = {"d": {"latex": r"\delta", "unicode": "δ"}.get(self.kind, "delta")}.get(name, name)
        joined = ("," if self.comma or any(len(i) > 1 for i in shown) else "").join(shown)
        sub = f"_{{{joined}}}" if self.kind == "latex" or len(joined) > 2 else f"_{joined}"
        if name == "x":
            return word + sub
        above = f"^{{({index(layer)})}}" if self.kind == "latex" else f"^({index(layer)})"
        return word + (above + sub if self.layer_first else sub + above)
