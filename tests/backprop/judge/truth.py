"""Whether what the judge accepted is right: evaluated anew, in plain Python, on networks of its own.

Only the tree that was read is the judge's; lines of numpy are read by Python's own parser.
"""

import ast
import importlib.util
import math
import random
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from coursework.backprop.judge.propositions import Comparison, Joined, Not, Proposition, Quantified
from coursework.backprop.judge.questions import QUESTIONS
from coursework.backprop.judge.tree import (
    Add,
    Apply,
    Divide,
    Index,
    Letter,
    Multiply,
    Negative,
    Node,
    Number,
    Over,
    Partial,
    Power,
    Ref,
)

_FILE = Path(__file__).parents[3] / "benchmarks" / "judge_cases.py"
_SPEC = importlib.util.spec_from_file_location("judge_cases", _FILE)
assert _SPEC
assert _SPEC.loader
judge_cases = importlib.util.module_from_spec(_SPEC)
sys.modules.setdefault("judge_cases", judge_cases)
_SPEC.loader.exec_module(judge_cases)

KINDS = {"2.1": "chain", "2.2": "chain", "2.3": "chain relu", "2.4": "pairs relu"}
LAYERS = {
    "small": (0,),
    "chain": (1, 77, 149, 152),
    "chain relu": (1, 78, 150, 152),
    "pairs relu": (1, 77, 148),
}
FUNCTIONS = {
    "sigma": judge_cases.logistic,
    "sigma'": lambda a: judge_cases.logistic(a) * (1 - judge_cases.logistic(a)),
    "tanh": math.tanh, "tanh'": lambda a: 1 - math.tanh(a) ** 2, "relu": lambda a: max(a, 0.0),
    "step": lambda a: float(a > 0), "sign": lambda a: math.copysign(1.0, a) if a else 0.0, "exp": math.exp,
    "ln": math.log, "sqrt": math.sqrt, "abs": abs,
}  # fmt: skip
#: A tree that these means cannot evaluate, or that has no value.
NO_VALUE = (KeyError, ZeroDivisionError, OverflowError, ValueError, TypeError)


class Unknown(Exception):
    """A derivative, or a line of numpy, that is not known here."""


def kind_of(question: str) -> str:
    return KINDS.get(question, "small")


@lru_cache
def networks(kind: str, seed: int, count: int) -> tuple[dict[Any, Any], ...]:
    rng = random.Random(f"truth {kind} {seed}")
    return tuple(judge_cases.network(kind, rng) for _ in range(count))


def wanted(question: str, net: dict[Any, Any], l: int) -> float:
    """The derivative, from the deltas of the network."""
    bottom = QUESTIONS[question].bottom
    assert bottom.layer
    layer = bottom.layer.offset + (l if bottom.layer.letter else 0)
    units = [unit.offset for unit in bottom.units]
    if bottom.name == "a":
        return float(net["d", layer, units[0]])
    return float(net["d", layer + 1, units[0]] * net["z", layer, units[1]])


def place(index: Index, letters: dict[str, int]) -> int:
    return index.offset + (letters[index.letter] if index.letter else 0)


def value(node: Node, net: dict[Any, Any], letters: dict[str, int]) -> float:
    """The value of a tree in one network; KeyError for what is not there."""
    match node:
        case Number(value=number):
            return float(number)
        case Letter(index=index):
            return float(place(index, letters))
        case Ref(name="t" | "y" as name):
            return float(net[name])
        case Ref(name="E"):
            return float((net["y"] - net["t"]) ** 2 / 2)
        case Ref(name="W"):
            return max(abs(net["w", m, 1, 1]) for m in range(1, net["L"]))
        case Ref():
            return float(net[key(node, letters)])
        case Partial(top=top, bottom=bottom):
            return derivative(top, bottom, net, letters)
        case Add(terms=parts):
            return sum(value(part, net, letters) for part in parts)
        case Multiply(factors=parts):
            return math.prod(value(part, net, letters) for part in parts)
        case Negative(term=part):
            return -value(part, net, letters)
        case Divide(top=over, bottom=under):
            return value(over, net, letters) / value(under, net, letters)
        case Power(base=base, exponent=exponent):
            return float(value(base, net, letters) ** value(exponent, net, letters))
        case Apply(function=function, argument=argument):
            inner = value(argument, net, letters)
            return float((net[function] if function in ("h", "h'") else FUNCTIONS[function])(inner))
        case Over(kind=kind, letter=letter, low=low, high=high, body=body):
            span = range(place(low, letters), place(high, letters) + 1)
            values = [value(body, net, {**letters, letter: n}) for n in span]
            return sum(values) if kind == "sum" else math.prod(values)
    raise Unknown(node)


def key(ref: Ref, letters: dict[str, int]) -> tuple[Any, ...]:
    assert ref.layer
    name = {"delta": "d", "x": "z"}.get(ref.name, ref.name)
    return (name, place(ref.layer, letters), *(place(unit, letters) for unit in ref.units))


def derivative(top: Ref, bottom: Ref, net: dict[Any, Any], letters: dict[str, int]) -> float:
    """The derivative of the error, or of a quantity by one beside it."""
    if bottom.layer is None:
        raise Unknown(bottom)
    below = key(bottom, letters)
    assert below in net or below[0] == "b"
    if top.name == "E":
        match below:
            case ("a", *at):
                return float(net[("d", *at)])
            case ("w", l, j, k):
                return float(net["d", l + 1, j] * net["z", l, k])
            case ("z", l, k):
                above = range(1, net["sizes"][l + 1] + 1)
                return sum(net.get(("w", l, j, k), 0.0) * net["d", l + 1, j] for j in above)
        raise Unknown(bottom)
    if top.layer is None:
        top = Ref("a", Index("", net["L"]), (Index("", 1),)) if top.name == "y" else top
    over = key(top, letters)
    match over, below:
        case ("z", l, j), ("a", m, k) if l == m:
            return float(net["h'"](net["a", l, j])) if j == k else 0.0
        case ("a", l, j), ("a", m, k) if l == m:
            return float(j == k)
        case ("a", l, j), ("z", m, k) if l == m + 1:
            return float(net.get(("w", m, j, k), 0.0))
        case ("a", l, j), ("w", m, i, k) if l == m + 1:
            return float(net["z", m, k]) if i == j else 0.0
        case ("a", l, j), ("a", m, k) if l == m + 1:
            return float(net.get(("w", m, j, k), 0.0) * net["h'"](net["a", m, k]))
    raise Unknown((top, bottom))


def formula_is_right(question: str, sides: tuple[Node, ...]) -> bool:
    """Whether every side of an equation is the derivative, in every network."""
    kind = kind_of(question)
    for net in networks(kind, 1, 6 if kind == "small" else 3):
        for l in LAYERS[kind]:
            for side in sides:
                try:
                    found = value(side, net, {"l": l, "L": net["L"]})
                except NO_VALUE:
                    return False
                true = wanted(question, net, l)
                if not abs(found - true) <= 1e-8 * max(abs(found), abs(true)):
                    return False
    return True


# ---------------------------------------------------------------- conditions and bounds


@lru_cache
def networks_with_zeros(kind: str) -> tuple[dict[Any, Any], ...]:
    """Networks in which now and then a weight is 0, a unit dead or the output on target."""
    rng = random.Random(f"zeros {kind}")
    nets = []
    for net in networks(kind, 2, 24):
        net = dict(net)
        L, sizes = net["L"], net["sizes"]
        rate = rng.choice([0.0, 0.003, 0.01])
        for entry in list(net):
            if entry[0] == "w" and rng.random() < rate:
                net[entry] = 0.0
            elif entry[0] == "a" and 1 < entry[1] < L:
                a = abs(net[entry]) * (-1 if rng.random() < rate else 1) * 10 ** rng.uniform(-2, 1)
                net[entry], net[("z", *entry[1:])] = a, net["h"](a)
        net["t"] = net["y"] if rng.random() < 0.2 else net["t"]
        net["d", L, 1] = net["y"] - net["t"]
        for l in range(L - 1, 1, -1):
            for j in range(1, sizes[l] + 1):
                above = range(1, sizes[l + 1] + 1)
                back = sum(net.get(("w", l, k, j), 0.0) * net["d", l + 1, k] for k in above)
                net["d", l, j] = net["h'"](net["a", l, j]) * back
        nets.append(net)
    return tuple(nets)


def holds(proposition: Proposition, net: dict[Any, Any], letters: dict[str, int]) -> bool:
    match proposition:
        case Comparison(left=left, relation=relation, right=right):
            one, two = value(left, net, letters), value(right, net, letters)
            return {"=": one == two, "≠": one != two, "<": one < two, ">": one > two, "≤": one <= two}.get(
                relation, one >= two
            )
        case Joined(sign=sign, parts=parts):
            return {"∨": any, "∧": all}[sign](holds(part, net, letters) for part in parts)
        case Not(part=part):
            return not holds(part, net, letters)
        case Quantified(sign=sign, letter=letter, low=low, high=high, part=part):
            span = range(place(low, letters), place(high, letters) + 1)
            return {"∃": any, "∀": all}[sign](holds(part, net, {**letters, letter: n}) for n in span)
    raise Unknown(proposition)


def condition_is_right(question: str, proposition: Proposition) -> bool:
    kind = kind_of(question)
    for net in networks_with_zeros(kind):
        for l in LAYERS[kind]:
            zero = wanted(question, net, l) == 0
            try:
                told = holds(proposition, net, {"l": l, "L": net["L"]})
            except NO_VALUE:  # the root of a negative number, say
                return False
            if told != zero:
                return False
    return True


def bound_is_right(question: str, larger: Node) -> bool:
    """Whether a bound is never less than the gradient."""
    for net in networks(kind_of(question), 3, 12):
        for l in LAYERS["chain"]:
            size = abs(wanted(question, net, l))
            if not value(larger, net, {"l": l, "L": net["L"]}) >= size * (1 - 1e-9):
                return False
    return True


# ---------------------------------------------------------------- numpy


def logistic(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


@lru_cache
def arrays(kind: str, columns: bool, examples: int) -> tuple[dict[tuple[str, int], Any], ...]:
    """Two networks as arrays, their examples in rows, in columns, or (one of them) as vectors."""
    found = []
    for seed in range(2):
        rng = np.random.default_rng([seed, examples])
        L = 4 if kind == "small" else 153
        sizes = [3, 3, 3, 1] if kind == "small" else [2] * 152 + [1]
        relu = kind.endswith("relu")
        net: dict[tuple[str, int], Any] = {}
        for l in range(1, L + 1):
            a = rng.uniform(0.2, 1.8, (examples, sizes[l - 1]))
            a *= 1 if relu and rng.random() < 0.98 else rng.choice([-1, 1], a.shape)
            net["a", l] = a
            net["z", l] = a if l in (1, L) else np.maximum(a, 0) if relu else logistic(a)
        for l in range(1, L):
            w = rng.uniform(0.6, 1.4, (sizes[l], sizes[l - 1])) * rng.choice(
                [-1, 1], (sizes[l], sizes[l - 1])
            )
            w *= 4.5 if L > 4 and not relu else 0.7 if kind == "pairs relu" else 1
            net["w", l] = w * np.eye(2) if kind.startswith("chain") and l < L - 1 else w
        net["y", 0] = net["a", L]
        net["t", 0] = net["y", 0] - rng.uniform(0.3, 1.5, (examples, 1))
        net["delta", L] = net["y", 0] - net["t", 0]
        for l in range(L - 1, 1, -1):
            slope = net["a", l] > 0 if relu else net["z", l] * (1 - net["z", l])
            net["delta", l] = slope * (net["delta", l + 1] @ net["w", l])
        for l in range(1, L):
            net["dw", l] = net["delta", l + 1].T @ net["z", l]
        for name, l in list(net):
            if name not in ("w", "dw"):
                net[name, l] = (
                    net[name, l].T if columns else net[name, l][0] if examples == 1 else net[name, l]
                )
        found.append(net)
    return tuple(found)


class _Line(ast.NodeVisitor):
    """Evaluates one line of numpy that Python has parsed."""

    def __init__(self, net: dict[tuple[str, int], Any], letters: dict[str, int], relu: bool) -> None:
        self.net, self.letters, self.relu = net, letters, relu

    def generic_visit(self, node: ast.AST) -> Any:
        raise Unknown(ast.dump(node))

    def visit_Constant(self, node: ast.Constant) -> Any:
        return node.value

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        return -self.visit(node.operand) if isinstance(node.op, ast.USub) else self.visit(node.operand)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        one, two = self.visit(node.left), self.visit(node.right)
        sign = type(node.op).__name__
        known = {
            "Add": lambda: one + two, "Sub": lambda: one - two, "Mult": lambda: one * two,
            "Div": lambda: one / two, "MatMult": lambda: one @ two,
            "Pow": lambda: np.asarray(one) ** float(two),
        }  # fmt: skip
        return known[sign]()

    def visit_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Gt):
            raise Unknown(ast.dump(node))
        return (self.visit(node.left) > self.visit(node.comparators[0])) * 1.0

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if node.attr == "T":
            return np.asarray(self.visit(node.value)).T
        return self.visit_Name(ast.Name(node.attr))

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id in self.letters:
            return self.letters[node.id]
        if node.id in ("t", "y"):
            return self.net[node.id, 0]
        if node.id == "x":
            return self.net["z", 1]
        match = re.fullmatch(r"(delta|d|dw|dW|a|z|w|W)_?(\d+)", node.id)
        if match is None:
            raise Unknown(node.id)
        return self.net[{"d": "delta", "W": "w", "dW": "dw"}.get(match[1], match[1]), int(match[2])]

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        kept = node.value.attr if isinstance(node.value, ast.Attribute) else None
        name = node.value.id if isinstance(node.value, ast.Name) else kept
        name = {"d": "delta", "W": "w", "dW": "dw"}.get(str(name), name)
        if name in ("delta", "a", "z", "w", "dw"):
            return self.net[name, self.visit(node.slice)]
        keys = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = tuple(slice(None) if isinstance(part, ast.Slice) else self.visit(part) for part in keys)
        return np.asarray(self.visit(node.value))[index]

    def visit_Call(self, node: ast.Call) -> Any:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [self.visit(part) for part in node.args]
        axis = next((self.visit(word.value) for word in node.keywords if word.arg == "axis"), None)
        method = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") not in (
            "np",
            "numpy",
        )
        if method and isinstance(node.func, ast.Attribute) and name in ("sum", "dot"):
            given = [self.visit(node.func.value), *given]
        if name == "sum":
            return np.sum(given[0], axis=axis if len(given) == 1 else given[1])
        slope = (lambda a: (a > 0) * 1.0) if self.relu else (lambda a: logistic(a) * (1 - logistic(a)))
        known = {
            "outer": np.outer, "dot": np.dot, "matmul": np.matmul, "multiply": np.multiply,
            "maximum": np.maximum, "exp": np.exp, "tanh": np.tanh, "abs": np.abs, "h_prime": slope,
            "h": (lambda a: np.maximum(a, 0)) if self.relu else logistic, "sigmoid": logistic,
            "sigma": logistic, "sigmoid_prime": lambda a: logistic(a) * (1 - logistic(a)),
            "sigma_prime": lambda a: logistic(a) * (1 - logistic(a)), "relu": lambda a: np.maximum(a, 0),
            "relu_prime": lambda a: (a > 0) * 1.0, "step": lambda a: (a > 0) * 1.0,
        }  # fmt: skip
        return known[name](*given)


def line_is_right(question: str, text: str) -> bool:
    """Whether a line of numpy holds the derivative in one of the three ways to lay out examples."""
    try:
        statement = ast.parse(text.strip().rstrip(";").replace("==", "="), mode="exec").body[0]
    except SyntaxError as error:
        raise Unknown(text) from error
    if not isinstance(statement, ast.Assign | ast.Expr):
        return False
    return any(
        _line_is_right(question, statement.value, columns, examples)
        for columns, examples in ((False, 5), (True, 5), (False, 1))
    )


def _line_is_right(question: str, node: ast.expr, columns: bool, examples: int) -> bool:
    kind, bottom = kind_of(question), QUESTIONS[question].bottom
    assert bottom.layer
    for net in arrays(kind, columns, examples):
        for l in LAYERS[kind]:
            layer = bottom.layer.offset + (l if bottom.layer.letter else 0)
            whole = net["dw" if bottom.name == "w" else "delta", layer]
            units = tuple(unit.offset - 1 for unit in bottom.units)
            if bottom.name == "w":
                allowed = [whole, whole[units], np.diag(whole)]
            else:
                allowed = [whole, whole[:, units[0]] if examples > 1 and not columns else whole[units[0]]]
            with np.errstate(all="ignore"):
                try:
                    letters = {"l": l, "L": 4 if kind == "small" else 153}
                    result = np.asarray(_Line(net, letters, kind.endswith("relu")).visit(node), float)
                except (KeyError, ValueError, IndexError, TypeError, ZeroDivisionError):
                    return False
                size = [one for one in allowed if one.size == result.size]
                if not any(np.allclose(result.ravel(), one.ravel(), rtol=1e-8, atol=0) for one in size):
                    return False
    return True
