"""Lines of numpy for benchmarks/judge.py: right ones written in other ways, and wrong ones.

As in judge_cases.py nothing here comes from the judge.  A line is a tree of tuples,
    ("A", name, layer)        an array; the layer is a number, or (letter, number) in the deep networks
    ("n", number), ("neg", line), ("T", line), ("h'" or "h", line)
    ("@" or "*" or "+" or "-" or "/" or "outer", line, line)
and examples lie in rows, in columns, or there is one whose units are a vector.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Line = tuple[Any, ...]
Net = dict[Any, Any]
LAYOUTS = ("rows", "columns", "vector")


def logistic(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


# ---------------------------------------------------------------- networks


def network(question: str, layout: str, seed: int) -> Net:
    """Arrays by (name, layer), the letters, and under "wanted" what answers the question."""
    rng = np.random.default_rng(seed)
    small = question[0] == "1"
    sizes = (3, 3, 3, 1) if small else (2, 2, 2, 2, 2, 2, 1)
    L, l = len(sizes), 3
    relu, chains = question in ("2.3", "2.4"), question in ("2.1", "2.2", "2.3")
    h = (lambda a: np.maximum(a, 0)) if relu else logistic
    dh = (lambda a: 1.0 * (a > 0)) if relu else (lambda a: logistic(a) * (1 - logistic(a)))
    net: Net = {"letters": {"l": l, "L": L}, "h": h, "h'": dh}
    n = 1 if layout == "vector" else 4
    net["z", 1], t = rng.normal(size=(n, sizes[0])), rng.normal(size=(n, 1))
    for m in range(1, L):
        net["w", m] = rng.normal(size=(sizes[m], sizes[m - 1]))
        if chains and m < L - 1:
            net["w", m] *= np.eye(2)
        a = net["z", m] @ net["w", m].T + rng.normal(size=sizes[m])
        net["a", m + 1], net["z", m + 1] = a, h(a) if m < L - 1 else a
    net["t", 0], net["y", 0] = t, net["a", L]
    net["delta", L] = net["a", L] - t
    for m in range(L - 1, 1, -1):
        net["delta", m] = dh(net["a", m]) * (net["delta", m + 1] @ net["w", m])
    if question in ("1.1", "1.3", "1.5"):
        by = {"1.1": 4, "1.3": 3, "1.5": 2}[question]
        whole = net["delta", by]
        wanted = [whole, whole[:, 0]]
    else:
        by = {"1.2": 3, "1.4": 2, "1.6": 1}.get(question, l)
        whole = net["delta", by + 1].T @ net["z", by]
        wanted = [whole, whole[0, 1 if question == "1.2" else 0], *([np.diag(whole)] if chains else [])]
    for key in [key for key in net if isinstance(key, tuple) and key[0] != "w"]:
        net[key] = {"rows": net[key], "columns": net[key].T, "vector": net[key][0]}[layout]
    if question in ("1.1", "1.3", "1.5") and layout != "rows":
        wanted = [wanted[0].T if layout == "columns" else wanted[0][0], wanted[0].T[0]]
    net["wanted"] = wanted
    return net


def value(line: Line, net: Net) -> Any:
    match line:
        case ("A", name, layer):
            number = layer if isinstance(layer, int) else net["letters"][layer[0]] + layer[1]
            return net[name, number]
        case ("n", number):
            return np.asarray(float(number))
        case ("neg", part):
            return -value(part, net)
        case ("T", part):
            return value(part, net).T
        case (("h'" | "h") as name, part):
            return net[name](value(part, net))
        case (sign, left, right):
            one, two = value(left, net), value(right, net)
            return {
                "@": np.matmul, "*": np.multiply, "+": np.add, "-": np.subtract, "/": np.divide,
                "outer": np.outer,
            }[sign](one, two)  # fmt: skip
    raise AssertionError(line)


class LineExaminer:
    """Knows by evaluation whether a line is right in one of the layouts."""

    def __init__(self) -> None:
        self._nets: dict[tuple[str, str], list[Net]] = {}

    def right(self, question: str, line: Line) -> bool:
        return any(self._right_in(question, line, layout) for layout in LAYOUTS)

    def _right_in(self, question: str, line: Line, layout: str) -> bool:
        if (question, layout) not in self._nets:
            self._nets[question, layout] = [network(question, layout, seed) for seed in range(3)]
        for net in self._nets[question, layout]:
            try:
                found = np.asarray(value(line, net))
            except (KeyError, ValueError, IndexError):
                return False
            if not any(
                found.size == wanted.size
                and (found.shape == wanted.shape or found.shape == np.squeeze(wanted).shape)
                and np.allclose(found.ravel(), np.ravel(wanted), rtol=1e-9, atol=1e-12)
                for wanted in map(np.asarray, net["wanted"])
            ):
                return False
        return True


# ---------------------------------------------------------------- the answers


def A(name: str, layer: Any) -> Line:
    return ("A", name, layer)


def up(step: int) -> tuple[str, int]:
    return ("l", step)


def outer_product(layout: str, delta: Line, z: Line) -> Line:
    if layout == "vector":
        return ("outer", delta, z)
    return ("@", ("T", delta), z) if layout == "rows" else ("@", delta, ("T", z))


def back(layout: str, l: Any) -> Line:
    """The deltas of layer l from those behind it."""
    behind = l + 1 if isinstance(l, int) else (l[0], l[1] + 1)
    delta, w = A("delta", behind), A("w", l)
    product = ("@", delta, w) if layout == "rows" else ("@", ("T", w), delta)
    return ("*", ("h'", A("a", l)), product)


ERROR = ("-", A("a", 4), A("t", 0))


def of_weights(layout: str, l: Any) -> list[Line]:
    """The derivatives by the weights of layer l, with the deltas behind them and with what these are."""
    behind = l + 1 if isinstance(l, int) else (l[0], l[1] + 1)
    deltas = [A("delta", behind), ERROR if behind == 4 else back(layout, behind)]
    return [outer_product(layout, delta, A("z", l)) for delta in deltas]


ANSWERS: dict[str, Callable[[str], list[Line]]] = {
    "1.1": lambda layout: [ERROR],
    "1.2": lambda layout: of_weights(layout, 3),
    "1.3": lambda layout: [back(layout, 3)],
    "1.4": lambda layout: of_weights(layout, 2),
    "1.5": lambda layout: [back(layout, 2)],
    "1.6": lambda layout: of_weights(layout, 1),
    "2.1": lambda layout: of_weights(layout, up(0))[:1],
    "2.3": lambda layout: of_weights(layout, up(0))[:1],
    "2.4": lambda layout: of_weights(layout, up(0)),
}


# ---------------------------------------------------------------- walking, and other ways to write the same


def places(line: Line) -> Iterator[tuple[Line, Callable[[Line], Line]]]:
    """Every part of a line with the function that puts another into its place."""
    yield line, lambda new: new
    if line[0] not in "An":
        for i, part in enumerate(line[1:], start=1):
            for found, put in places(part):
                yield found, lambda new, i=i, put=put: (*line[:i], put(new), *line[i + 1 :])  # type: ignore[misc]


def pick(
    line: Line, rng: random.Random, wanted: Callable[[Line], bool]
) -> tuple[Line, Callable[[Line], Line]] | None:
    found = [(part, put) for part, put in places(line) if wanted(part)]
    return rng.choice(found) if found else None


Change = Callable[[Line, random.Random], Line | None]


def commuted(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] == "*")
    return found[1](("*", found[0][2], found[0][1])) if found else None


def turned_product(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] == "@")
    return found[1](("T", ("@", ("T", found[0][2]), ("T", found[0][1])))) if found else None


def neutral(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] in ("@", "*", "A"))
    if not found:
        return None
    part, put = found
    two = ("n", 2)
    return put(rng.choice([("neg", ("neg", part)), ("/", ("*", two, part), two), ("T", ("T", part))]))


def slope_by_z(line: Line, rng: random.Random) -> Line | None:
    found = pick(
        line, rng, lambda part: part[0] == "h'" and part[1][0] == "A" and isinstance(part[1][2], int)
    )
    if not found:
        return None
    z = A("z", found[0][1][2])
    return found[1](("*", z, ("-", ("n", 1), z)))


def output_by_y(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part == A("a", 4))
    return found[1](A("y", 0)) if found else None


REWRITINGS = [commuted, turned_product, neutral, slope_by_z, output_by_y]


def rewriting(rng: random.Random, examiner: LineExaminer) -> tuple[str, str]:
    """A question and a right line, written in another way."""
    question = rng.choice(list(ANSWERS))
    while True:
        line = rng.choice(ANSWERS[question](rng.choice(LAYOUTS)))
        for _ in range(rng.randrange(4)):
            line = rng.choice(REWRITINGS)(line, rng) or line
        if examiner.right(question, line):
            return question, assigned(question, written(line, Spelling(rng)), rng)


# ---------------------------------------------------------------- slips


def shifted(layer: Any, by: int) -> Any:
    return layer + by if isinstance(layer, int) else (layer[0], layer[1] + by)


def slip_layer(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] == "A" and part[2] != 0)
    return found[1](A(found[0][1], shifted(found[0][2], rng.choice([-1, 1])))) if found else None


def slip_transpose(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] in ("T", "A", "@") and part != A("t", 0))
    return found[1](found[0][1] if found[0][0] == "T" else ("T", found[0])) if found else None


def slip_order(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] in ("@", "outer"))
    return found[1]((found[0][0], found[0][2], found[0][1])) if found else None


def slip_dropped_sum(line: Line, rng: random.Random) -> Line | None:
    """A product entry by entry, which does not sum."""
    found = pick(line, rng, lambda part: part[0] == "@")
    return found[1](("*", found[0][1], found[0][2])) if found else None


def slip_prime(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] == "h'")
    return found[1](("h", found[0][1])) if found else None


def slip_forget(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] == "*" and any(side[0] == "h'" for side in part[1:]))
    return found[1](next(side for side in found[0][1:] if side[0] != "h'")) if found else None


def slip_intruder(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] == "A" and part[1] in ("z", "delta") and part[2] != 4)
    return found[1](("*", found[0], A(rng.choice(["z", "delta"]), found[0][2]))) if found else None


def slip_minus(line: Line, rng: random.Random) -> Line | None:
    return ("neg", line)


def slip_half(line: Line, rng: random.Random) -> Line | None:
    return ("*", ("n", 2), line)


def slip_name(line: Line, rng: random.Random) -> Line | None:
    found = pick(line, rng, lambda part: part[0] == "A" and part[1] in ("z", "a") and part[2] not in (1, 4))
    return found[1](A("a" if found[0][1] == "z" else "z", found[0][2])) if found else None


#: Each slip with the words of the judge that name it.
SLIPS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "line: layer": (slip_layer, ("layer",)),
    "line: transpose": (slip_transpose, ("transpose",)),
    "line: order": (slip_order, ("order", "transpose")),
    "line: dropped sum": (slip_dropped_sum, ("matrix product",)),
    "line: prime": (slip_prime, ("derivative",)),
    "line: forget": (slip_forget, ("missing factor",)),
    "line: intruder": (slip_intruder, ("extra factor",)),
    "line: minus": (slip_minus, ("sign",)),
    "line: half": (slip_half, ("constant", "extra factor")),
    "line: name": (slip_name, ("symbol",)),
}


def wrong(rng: random.Random, examiner: LineExaminer, slips: int) -> tuple[str, str, list[str]]:
    """A question, a wrong line with one slip or two, and which they are."""
    question = rng.choice(list(ANSWERS))
    while True:
        whole = line = rng.choice(ANSWERS[question](rng.choice(LAYOUTS)))
        made: list[str] = []
        changed = 0
        for name in rng.sample(list(SLIPS), len(SLIPS)):
            new = SLIPS[name][0](line, rng) if len(made) < slips else None
            if new is not None and not examiner.right(question, new):
                changed += difference(line, new)
                line = new
                made.append(name)
        # a second slip in what the first one left behind would hide it
        if len(made) == slips and difference(whole, line) == changed:
            return question, written(line, Spelling(rng)), made


def difference(one: Line, two: Line) -> int:
    """How many arrays and operations must go or come to make one line of the other."""
    before, after = (
        Counter(part if part[0] == "A" else part[0] for part, _ in places(line)) for line in (one, two)
    )
    return (before - after).total() + (after - before).total()


# ---------------------------------------------------------------- print


class Spelling:
    """How one writer spells arrays and products."""

    def __init__(self, rng: random.Random) -> None:
        self.short = rng.random() < 0.5
        self.keeper = rng.random() < 0.15
        self.dot = rng.choice(["@", "@", "@", ".dot", "np.dot", "np.matmul"])
        self.x = rng.random() < 0.5
        self.slope = rng.choice(["h_prime", "sigmoid_prime"])


def written(line: Line, spelling: Spelling, tight: int = 0) -> str:
    text, own = _bare(line, spelling)
    return text if own >= tight else f"({text})"


def _bare(line: Line, spelling: Spelling) -> tuple[str, int]:
    match line:
        case ("A", ("t" | "y") as name, _):
            return name, 5
        case ("A", "z", 1) if spelling.x:
            return "x", 5
        case ("A", name, layer):
            if isinstance(layer, int):
                if spelling.short and layer >= 0:
                    return f"{name}{layer}", 5
                keeper = "trace." if spelling.keeper and name in "az" else ""
                return f"{keeper}{name}[{layer}]", 5
            return f"{name}[{layer[0]}{f'{layer[1]:+d}' if layer[1] else ''}]", 5
        case ("n", number):
            return str(number), 5
        case ("neg", part):
            return f"-{written(part, spelling, 3)}", 3
        case ("T", part):
            return f"{written(part, spelling, 5)}.T", 5
        case ("h'", part):
            return f"{'h_prime' if 'l' in str(part) else spelling.slope}({written(part, spelling)})", 5
        case ("h", part):
            return f"h({written(part, spelling)})", 5
        case ("outer", left, right):
            return f"np.outer({written(left, spelling)}, {written(right, spelling)})", 5
        case ("@", left, right) if spelling.dot == ".dot":
            return f"{written(left, spelling, 5)}.dot({written(right, spelling)})", 5
        case ("@", left, right) if spelling.dot != "@":
            return f"{spelling.dot}({written(left, spelling)}, {written(right, spelling)})", 5
        case (sign, left, right):
            own = 1 if sign in "+-" else 2
            return f"{written(left, spelling, own)} {sign} {written(right, spelling, own + 1)}", own
    raise AssertionError(line)


def assigned(question: str, text: str, rng: random.Random) -> str:
    """The line with the name of its result before it, or without."""
    names = {"1.2": "dw3", "1.4": "dw2", "1.6": "dw1", "1.1": "delta4", "1.3": "delta3", "1.5": "delta2"}
    if rng.random() < 0.7 or question not in names:
        return text
    return f"{rng.choice([names[question], 'grad'])} = {text}"
