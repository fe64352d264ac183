from collections import Counter
from functools import cache

import numpy as np
import pytest

from coursework.backprop.chains import chain, two_chains
from coursework.backprop.changes import everywhere, is_one
from coursework.backprop.derivation import derive
from coursework.backprop.expression import Difference, Number
from coursework.backprop.judged import proof_points
from coursework.backprop.layers import Level
from coursework.backprop.line_mutations import LINE_SLIPS
from coursework.backprop.line_proof import is_refuted
from coursework.backprop.links import places
from coursework.backprop.mutations import SLIPS
from coursework.backprop.network import DenseNetwork
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import LOSS, A, B, Delta, HPrime, Partial, T, W, Z
from coursework.backprop.twins import PRIMES
from tests.backprop.masks import MASKS

l, L = Level("l"), Level("L")


def dense(loss="squared"):
    # h'h' is h' for a rectifier and nowhere else; dead units show other slips
    return [DenseNetwork(PRIMES, h, loss=loss, biases=True) for h in ("tanh", "relu")]


def masked():
    return [DenseNetwork(PRIMES, h, masks=MASKS, biases=True) for h in ("tanh", "sigmoid")]


def chains():
    return [chain(6, h, biases=True) for h in ("tanh", "sigmoid")]


def two():
    return [two_chains(6, h, biases=True) for h in ("tanh", "sigmoid")]


def formulas(derivation):
    """Return the different lines that hold for any h; in a chain those that are true of chains only."""
    lines = (*derivation.steps, derivation.expanded) if max(derivation.sizes) > 1 else (derivation.expanded,)
    return list(dict.fromkeys(step.expression for step in lines))


DERIVATIONS = {
    "output, squared error": (dense, A(L, "j")),
    "output, logistic": (lambda: dense("logistic"), A(L, "j")),
    "output, softmax": (lambda: dense("softmax"), A(L, "j")),
    "any hidden unit": (dense, A(l, "j")),
    "any weight": (dense, W(l, "j", "k")),
    "any bias": (dense, B(l, "j")),
    "a hidden unit": (dense, A(2, 1)),
    "a weight": (dense, W(1, 2, 3)),
    "a hidden unit below a softmax": (lambda: dense("softmax"), A(3, 2)),
    "any hidden unit, links missing": (masked, A(l, "j")),
    "a hidden unit, links missing": (masked, A(2, 2)),
    "a weight of a chain": (chains, W(l, 1, 1)),
    "a hidden unit of a chain": (chains, A(l, 1)),
    "a weight of the two chains": (two, W(l, 1, 1)),
    "a weight of the second chain": (two, W(l, 2, 2)),
}


@cache
def mutants(name):
    """Return the points to judge at, the target, the lines of its derivation and what slips make of them."""
    draw, bottom = DERIVATIONS[name]
    networks = draw()
    drawn = [judged for network in networks for judged in proof_points(network, 2, seed=1)]
    lines = formulas(derive(networks[0], Partial(LOSS, bottom)))
    made = [(slip.name, mutant) for line in lines for slip in SLIPS for mutant in slip.of(line)]
    return drawn, bottom, lines, made


@cache
def specific_mutants(name):
    """Return the same for the line with the h' of the tanh put in, judged in networks of tanh units."""
    draw, bottom = DERIVATIONS[name]
    network = draw()[0]
    line = derive(network, Partial(LOSS, bottom)).specific.expression
    made = [(slip.name, mutant) for slip in SLIPS for mutant in slip.of(line)]
    return proof_points(network, 3, seed=1), bottom, [line], made


@pytest.mark.parametrize("name", DERIVATIONS)
def test_the_mutation_score_is_100_percent(name):
    for drawn, bottom, lines, made in (mutants(name), specific_mutants(name)):
        for line in lines:
            assert not is_refuted(line, bottom, drawn), line.latex()
        survivors = [(slip, mutant.latex()) for slip, mutant in made if not is_refuted(mutant, bottom, drawn)]
        assert survivors == []
        assert made


def test_every_slip_is_made_somewhere():
    of = (mutants, specific_mutants)
    made = Counter(slip for name in DERIVATIONS for mutated in of for slip, _ in mutated(name)[3])
    assert {slip.name for slip in SLIPS} == made.keys()
    assert sum(made.values()) > 1500


def test_the_catalogue_is_large_and_its_names_differ():
    names = [slip.name for slip in SLIPS]
    assert len(names) == len(set(names)) >= 40
    assert len(SLIPS) + len(LINE_SLIPS) >= 100


def test_most_mutants_give_a_wrong_number_and_not_only_an_error():
    drawn, bottom, _, made = mutants("any hidden unit")
    place = next(places(drawn[0].point.network, bottom))
    numbers = 0
    for _, mutant in made:
        try:
            numbers += np.isfinite(mutant.evaluate(drawn[0].point, place))
        except ValueError:
            continue
    assert numbers > len(made) / 2


def slip(name):
    return next(slip for slip in SLIPS if slip.name == name)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("target minus output", A(4, 1) - T(4, 1), [T(4, 1) - A(4, 1)]),
        ("h' is missing", HPrime(2, 1) * Delta(3, 1), [Delta(3, 1)]),
        ("the weight's indices swapped", Delta(3, 1) * W(2, 1, 2), [Delta(3, 1) * W(2, 2, 1)]),
        ("the weight's indices swapped", W(2, 1, 1), []),
        ("the delta of the layer above", Delta(3, 1) * Z(2, 2), [Delta(4, 1) * Z(2, 2)]),
        ("a for z", Delta(3, 1) * Z(2, 2), [Delta(3, 1) * A(2, 2)]),
        ("the sum stops one short", Sum("k", 3, Delta(3, "k")), [Sum("k", 2, Delta(3, "k"))]),
        ("the first term for the sum", Sum("k", 3, Delta(3, "k")), [Delta(3, 1)]),
    ],
)
def test_what_a_slip_makes_of_a_formula(name, right, wrong):
    assert list(slip(name).of(right)) == wrong


def test_a_change_is_made_in_every_place_once():
    formula = Sum("k", 2, Z(2, "k") * (Z(2, 1) - Z(3, 1)))
    changed = list(everywhere(formula, lambda part: (Number(1),) if part == Z(2, 1) else ()))
    assert changed == [Sum("k", 2, Z(2, "k") * (Number(1) - Z(3, 1)))]
    assert len(list(everywhere(formula, lambda part: (Number(1),) if isinstance(part, Z) else ()))) == 3
    assert all(isinstance(mutant.body.factors[1], Difference) for mutant in changed)


def test_leaving_out_the_derivative_by_a_bias_is_no_slip_since_it_is_1():
    judged = proof_points(dense()[0], 1)[0]
    for place in places(judged.point.network, B(l, "j")):
        factor = Partial(A(l + 1, "j"), B(l, "j"))
        assert is_one(factor)
        assert factor.evaluate(judged.point, place) == 1
    assert not is_one(Partial(A(l + 1, "j"), A(l, "j")))
