"""What a record prints as right is read again from its LaTeX and compared with what the record checks.

The reader is the judge's, which knows nothing of the records.  What it reads is written in the records'
language and compared with the record's right side, on its own networks, by derivatives taken anew.
"""

import re
from dataclasses import replace
from itertools import product

import pytest

from coursework.backprop.claims import claims
from coursework.backprop.comparison import compare, thinned
from coursework.backprop.families import draw
from coursework.backprop.formula import parse
from coursework.backprop.judge.answer import verdict
from coursework.backprop.judge.proposition_reading import read_proposition
from coursework.backprop.judge.propositions import Comparison, Joined, Not, Quantified
from coursework.backprop.judge.questions import question
from coursework.backprop.judge.reading import readings
from coursework.backprop.judge.tokens import Unreadable
from coursework.backprop.judge.tree import (
    Add,
    Apply,
    Divide,
    Letter,
    Multiply,
    Negative,
    Number,
    Over,
    Partial,
    Power,
    Ref,
)
from coursework.backprop.records import read_records

#: Printed lines that are no formula of the judge's, how many of each record, and where they are checked.
NOT_READ = {
    "2.3.c": (3, "a condition: test_a_printed_condition_is_the_one_that_is_checked"),
    "2.3.d": (4, "a condition, and b=0: test_a_printed_condition_is_the_one_that_is_checked"),
    "2.3.e": (1, "a premise: test_a_premise_holds_in_all_networks_of_the_family"),
    "2.4.b": (3, "a condition: test_a_printed_condition_is_the_one_that_is_checked"),
    "G.4": (2, "S is a sum over paths: test_the_sum_over_paths_is_the_one_that_is_checked"),
}
NAMES = {"delta": "d", "a": "a", "z": "z", "w": "w", "x": "x", "b": "a"}
FUNCTIONS = {"h": "h", "sigma": "sig", "abs": "Abs", "relu": "relu", "step": "step"}
RELATIONS = {"=": "==", "≠": "!=", "≤": "<=", "≥": ">=", "<": "<", ">": ">"}
#: The layers of the deep network as they are printed; the records are checked at other depths, too.
LAYERS = {"151": "L-2", "152": "L-1", "153": "L"}
#: A range of an index, beside a formula: k=1 or k=1,2,3 or l=1,\dots,152 or l\le151.
RANGE = re.compile(r"(?P<letter>[kl])(=(?P<low>\d+)(,(2|\\dots))?|\\le)(,?(?P<high>[\dL-]+))?,?")
#: How many units a layer has, as it is printed.
UNITS = re.compile(r"N_\{l\+(\d)\}")


def number(index):
    """Return an index in the records' language."""
    if not index.letter:
        return str(index.offset)
    return index.letter + (f"{index.offset:+d}" if index.offset else "")


def quantity(ref):
    """Return a quantity in the records' language; a derivative by a bias is one by the sum it enters."""
    if ref.layer is None:
        return {"W": "Max(Abs(w(m,1,1)), (m, 1, L-1))"}.get(ref.name, ref.name)
    layer, units = ref.layer, ref.units
    if ref.name == "b":
        layer = replace(layer, offset=layer.offset + 1)
    indices = units if ref.name == "x" else (layer, *units)
    return f"{NAMES[ref.name]}({', '.join(map(number, indices))})"


def written(node):
    """Return what the judge read in the records' language."""
    match node:
        case Ref():
            return quantity(node)
        case Number(text=text):
            return text
        case Letter(index=index):
            return f"({number(index)})"
        case Partial(top=top, bottom=bottom):
            return f"D({quantity(top)}, {quantity(bottom)})"
        case Add(terms=parts):
            return f"({' + '.join(map(written, parts))})"
        case Multiply(factors=parts):
            return f"({' * '.join(map(written, parts))})"
        case Negative(term=term):
            return f"(-{written(term)})"
        case Divide(top=top, bottom=bottom):
            return f"({written(top)} / {written(bottom)})"
        case Power(base=base, exponent=exponent):
            return f"({written(base)} ** {written(exponent)})"
        case Over(kind=kind, letter=letter, low=low, high=high, body=body):
            head = {"sum": "Sum", "product": "Product"}[kind]
            return f"{head}({written(body)}, ({letter}, {number(low)}, {number(high)}))"
        case Apply(function="h'", argument=Ref(name="a", layer=layer, units=(unit,))):
            return f"hp({number(layer)}, {number(unit)})"
        case Apply(function="sigma'", argument=argument):
            s = f"sig({written(argument)})"
            return f"({s} * (1 - {s}))"
        case Apply(function=function, argument=argument) if function in FUNCTIONS:
            return f"{FUNCTIONS[function]}({written(argument)})"
    raise AssertionError(f"{node} is in no record")


def stated(proposition):
    """Return a proposition in the records' language."""
    match proposition:
        case Comparison(left=left, relation=relation, right=right):
            return f"{written(left)} {RELATIONS[relation]} {written(right)}"
        case Joined(sign=sign, parts=parts):
            return "(" + {"∨": " or ", "∧": " and "}[sign].join(map(stated, parts)) + ")"
        case Not(part=part):
            return f"not ({stated(part)})"
        case Quantified(sign=sign, letter=letter, low=low, high=high, part=part):
            name = {"∃": "Any", "∀": "All"}[sign]
            return f"{name}({stated(part)}, ({letter}, {number(low)}, {number(high)}))"
    raise AssertionError(proposition)


def printed(claim):
    """Return the lines of a record that are formulas, and the ranges of indices that stand beside them."""
    lines, ranges = [], {}
    for line in claim.corrected:
        line = re.sub("15[123]", lambda match: LAYERS[match[0]], line)
        if match := RANGE.fullmatch(line):
            low, high = match["low"] or "1", match["high"] or match["low"]
            ranges[match["letter"]] = [low, high]
        else:
            lines.append(line)
    return lines, ranges


def read(line, claim):
    """Return the sides of an equation in the records' language."""
    (reading,) = readings(line, question(claim.question).layout)
    assert not reading.notes
    assert not reading.faults
    return [written(side) for side in reading.sides]


def with_units(line, sizes, l):
    """Return the line with numbers for the N of the layers above layer l."""
    return UNITS.sub(lambda match: str(sizes[l + int(match[1]) - 1]), line)


def instances(line, claim, ranges):
    """Yield the line with numbers of units put in, and the networks and ranges for which it is meant."""
    grounds, forall = draw(claim.family, claim.activation, 101), {**ranges, **claim.forall}
    if not UNITS.search(line):
        yield line, grounds, forall
        return
    for ground in grounds:
        low, high = (parse(str(bound)).at(ground, {"L": ground.L}) for bound in claim.forall["l"])
        for l in thinned(low, high):
            yield with_units(line, ground.sizes, l), [ground], {**forall, "l": [l, l]}


def says(line, claim, ranges, left, right):
    """Return whether every side of a line equals one right side of the record, wherever it is claimed."""
    nonzero = 0
    for text, grounds, forall in instances(line, claim, ranges):
        for side in read(text, claim):
            outcome = compare(side, right, grounds, forall)
            if outcome.status != "equal" or outcome.reason:
                return False
            nonzero += outcome.nonzero
    return nonzero > 0


def bounds(line, claim):
    """Return whether what follows a less-or-equal sign is never less than the record's first left side."""
    (bound,) = read(line.removeprefix(r"\le"), claim)
    first = next(iter(claim.right))
    # for l=152 the two sides are the same number but for the last digits
    statement = f"{first} <= {bound} * 1.000000001"
    outcome = compare(statement, "0 == 0", draw(claim.family, claim.activation, 101), claim.forall)
    return outcome.points > 0 and outcome.status == "equal" and not outcome.reason


def defines(line, claim):
    """Return whether a line gives a name its meaning, in which the reader takes it: W is the largest |w|."""
    return line.startswith("W=") and len(set(read(line, claim))) == 1


def judged(claim):
    """Return the lines that were read and found right, those found wrong, and those not read."""
    lines, ranges = printed(claim)
    right, wrong, unread = [], [], []
    for line in lines:
        try:
            if line.startswith(r"\le"):
                holds = bounds(line.rstrip(","), claim)
            else:
                read(UNITS.sub("1", line).rstrip(","), claim)
                pairs = [pair for pair in claim.right.items() if "=" not in pair[0]]
                holds = defines(line, claim) or any(
                    says(line.rstrip(","), claim, ranges, *pair) for pair in pairs
                )
        except Unreadable:
            unread.append(line)
        else:
            (right if holds else wrong).append(line)
    return right, wrong, unread


@pytest.mark.parametrize("name", claims())
def test_what_is_printed_as_right_is_what_is_checked(name):
    right, wrong, unread = judged(claims()[name])
    assert not wrong
    assert len(unread) == NOT_READ.get(name, (0, ""))[0], unread
    assert right or name in NOT_READ


@pytest.mark.parametrize("name", claims())
def test_a_range_is_printed_as_it_is_checked(name):
    claim = claims()[name]
    _, ranges = printed(claim)
    for letter, bounds in ranges.items():
        # of one unit there is nothing to go through
        assert bounds == [str(bound) for bound in claim.forall.get(letter, (1, 1))]


@pytest.mark.parametrize(
    ("name", "good", "slip"),
    [
        ("1.1.b", "-t_n", "+t_n"),
        ("1.2.d", "a_2", "a_1"),
        ("1.4.d", "w_{11}^{(3)}", "w_{11}^{(4)}"),
        ("1.5.c1", "w_{km}", "w_{mk}"),
        ("G.1", "N_{l+1}", "N_{l+0}"),
        ("G.2", r"=\delta_i^{(l+1)}", r"=\delta_i^{(l)}"),
        ("G.3", "w_{1k}^{(3)}", "w_{k1}^{(3)}"),
        ("2.1.c", "^{152}", "^{153}"),
        ("2.2.a", r"\lvert z_1^{(l)}\rvert", "z_1^{(l)}"),
        ("2.2.a", "{4}", "{5}"),
        ("2.2.a", r"W=\max_m\lvert w_{11}^{(m)}\rvert", r"W=\lvert w_{11}^{(l)}\rvert"),
        ("2.2.b", "a_1^{(l+1)}", "a_1^{(l)}"),
        ("2.3.a", r"\max(0,a", r"\max(0,-a"),
        ("2.3.b", ">0", "<0"),
        ("2.3.b", "{cases}1", "{cases}2"),
        ("2.3.e", "m=l+1", "m=l"),
        ("2.4.a", "N_{l+2}", "2"),
        ("2.4.c", r"\delta_k", r"\delta_j"),
    ],
)
def test_a_slip_in_print_is_found(name, good, slip):
    claim = claims()[name]
    slipped = replace(claim, corrected=tuple(line.replace(good, slip) for line in claim.corrected))
    assert slipped != claim
    assert judged(slipped)[1]


@pytest.mark.parametrize("asked", read_records("questions"), ids=lambda asked: asked["id"])
def test_a_printed_answer_is_right_for_the_judge(asked):
    assert verdict(asked["id"], asked["answer"]) == "right"


def condition(claim):
    """Return a printed condition, its premise left out."""
    lines = [line for line in claim.corrected if line != "b=0:"]
    return re.sub("15[123]", lambda match: LAYERS[match[0]], " ".join(lines))


def agrees(text, claim):
    """Return whether both sides of "iff" say the same in all networks, and what the record says."""
    (_, checked), *_ = claim.right.items()
    layout = question(claim.question).layout
    # numbers of units make an instance of every layer of every network: some are enough
    some = slice(None, None, 4 if UNITS.search(text) else 1)
    for line, grounds, forall in list(instances(text, claim, {}))[some]:
        gradient, zero, _ = read_proposition(line, layout)
        assert isinstance(gradient, Comparison)
        contrary = gradient.relation == "≠"
        for one, other in (
            (stated(gradient), stated(zero)),
            (stated(Not(zero) if contrary else zero), checked),
        ):
            outcome = compare(one, other, grounds, forall)
            if outcome.status != "equal" or outcome.reason:
                return False
            assert outcome.points
    return True


@pytest.mark.parametrize("name", ["2.3.c", "2.3.d", "2.4.b"])
def test_a_printed_condition_is_the_one_that_is_checked(name):
    assert agrees(condition(claims()[name]), claims()[name])


@pytest.mark.parametrize(
    ("name", "good", "slip"),
    [
        ("2.3.c", r"a_1^{(m)}\le0", r"a_1^{(m)}\ge0"),
        ("2.3.c", "l+1", "l"),
        ("2.3.c", r"z_1^{(l)}=0\ \lor", ""),
        ("2.3.c", r"}=0\iff", r"}\ne0\iff"),
        ("2.3.d", "{2,", "{1,"),
        ("2.3.d", "l=L-1", "l=L-2"),
        ("2.3.d", r"\forall", r"\exists"),
        ("2.3.d", r"\ne t_n", "=t_n"),
        ("2.4.b", r"\delta_k^{(l+2)}", r"\delta_k^{(l+1)}"),
        ("2.4.b", "w_{ki}", "w_{ik}"),
        ("2.4.b", "a_i", "a_j"),
        ("2.4.b", "N_{l+2}", "1"),
    ],
)
def test_a_slip_in_a_printed_condition_is_found(name, good, slip):
    text = condition(claims()[name])
    assert good in text
    assert not agrees(text.replace(good, slip, 1), claims()[name])


def test_the_networks_without_biases_have_none():
    claim = claims()["2.3.d"]
    assert claim.corrected[0] == "b=0:"
    for ground in draw(claim.family, claim.activation, 101):
        assert not any(map(any, ground.b))


def test_a_premise_holds_in_all_networks_of_the_family():
    claim = claims()["2.3.e"]
    premise = re.sub("15[123]", lambda match: LAYERS[match[0]], claim.corrected[0].rstrip(":"))
    proposition, *_ = read_proposition(premise, question(claim.question).layout)
    outcome = compare(stated(proposition), "0 == 0", draw(claim.family, claim.activation, 101), claim.forall)
    assert outcome.status == "equal"
    assert outcome.points


def along_paths(line, ground, l, i):
    """Return the printed sum over paths from unit i of layer l, written out for one network."""
    products = re.findall(r"\\prod_\{m=l(\+1)?\}\^\{L-1\}([^\\]*)", line)
    assert "".join(rf"\prod_{{m=l{step}}}^{{L-1}}{body}" for step, body in products) == line.split(r"\ ")[1]
    units = [range(1, size + 1) for size in ground.sizes[l:]]
    terms = []
    for path in product([i], *units):
        at = dict(zip(range(l, ground.L + 1), path, strict=True))
        factors = [
            body.replace("i_{m+1}", str(at[m + 1])).replace("i_m", str(at[m])).replace("(m)", f"({m})")
            for step, body in products
            for m in range(l + bool(step), ground.L)
        ]
        terms.append("".join(factors))
    return "+".join(terms)


def paths_agree(claim):
    """Return whether G.4, its sum written out, is the derivative and what the record says."""
    (_, checked), *_ = claim.right.items()
    lines = [re.sub("15[123]", lambda match: LAYERS[match[0]], line).rstrip(",") for line in claim.corrected]
    for ground in draw(claim.family, "tanh", 101):
        for l, i, j in product(range(1, ground.L - 1), (1, 2), (1, 2)) if ground.L <= 6 else ():
            line = lines[0].replace("S_i^{(l+1)}", f"({along_paths(lines[1], ground, l + 1, i)})")
            line = line.replace("_{ij}", f"_{{{i}{j}}}").replace("_i", f"_{i}").replace("_j", f"_{j}")
            left, right = read(line, claim)
            ranges = {"l": [l, l], "i": [i, i], "j": [j, j]}
            for other in (left, checked):
                outcome = compare(right, other, [ground], ranges)
                if outcome.status != "equal" or outcome.reason:
                    return False
                assert outcome.nonzero
    return True


def test_the_sum_over_paths_is_the_one_that_is_checked():
    assert paths_agree(claims()["G.4"])


@pytest.mark.parametrize(
    ("good", "slip"),
    [
        ("i_{m+1}i_m", "i_mi_{m+1}"),
        ("{m=l+1}", "{m=l}"),
        ("a_{i_m}", "a_{i_{m+1}}"),
        ("z_j", "z_i"),
        ("a_i^{(l+1)}", "a_i^{(l)}"),
    ],
)
def test_a_slip_in_the_sum_over_paths_is_found(good, slip):
    claim = claims()["G.4"]
    slipped = replace(claim, corrected=tuple(line.replace(good, slip) for line in claim.corrected))
    assert slipped != claim
    assert not paths_agree(slipped)


def test_the_condition_of_a_chain_is_right_for_the_judge_of_conditions():
    text = " ".join(claims()["2.3.c"].corrected)
    assert verdict("2.3", text) == "right"
    assert verdict("2.3", text.replace(r"w_{11}^{(m)}=0", r"w_{11}^{(m)}>0")) == "wrong"
