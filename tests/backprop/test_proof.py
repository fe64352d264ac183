from dataclasses import replace

import numpy as np
import pytest

from coursework.backprop import expansion, proof, reasons
from coursework.backprop.chains import chain, two_chains
from coursework.backprop.derivation import derive
from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.judged import JUDGES, proof_points
from coursework.backprop.layers import Level
from coursework.backprop.line_proof import prove_derivation
from coursework.backprop.network import DenseNetwork
from coursework.backprop.oracles import WrongGradient
from coursework.backprop.proof import prove
from coursework.backprop.series import Among
from coursework.backprop.symbols import LOSS, A, B, Delta, Partial, W
from tests.backprop.masks import MASKS

l, L = Level("l"), Level("L")


@pytest.mark.parametrize("bottom", [A(4, 1), W(3, 1, 2), A(3, 1), W(2, 1, 1), A(2, 1), W(1, 1, 1)])
def test_the_assignments_derivations_are_proved_here_in_other_sizes_and_anywhere(bottom):
    found = prove(DenseNetwork([3, 3, 3, 1]), Partial(LOSS, bottom))
    assert found.error <= 1e-12
    assert len(found.lines) == len(found.resized) == len(found.derivation.lines)
    assert all(line.compared == 2 * len(JUDGES) for line in (*found.lines, *found.resized))
    assert all(line.compared >= 2 * 2 * len(JUDGES) for line in found.anywhere)
    assert found.compared == sum(line.compared for line in (*found.lines, *found.resized, *found.anywhere))
    assert found.badge.startswith(f"✓ {found.compared} numbers, relative error $\\le 10^")
    assert all(judge in found.badge for judge in JUDGES)
    assert found.specific == ()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("bottom", [W(l, 1, 1), W(l, 2, 2), A(l, "j"), W(3, 1, 1), B(l, "j")])
def test_two_chains_are_proved_with_three_rows_and_with_links_drawn_anywhere(bottom, activation):
    network = two_chains(5, activation, biases=True)
    found = prove(network, Partial(LOSS, bottom), points=1)
    assert found.error <= 1e-12
    longer = isinstance(bottom.l, Level)
    assert found.twin.sizes == (*[3] * (6 if longer else 5), 1)
    assert len(found.resized) == len(found.lines)
    # every line, and more places than the one weight or the one row of the network at hand has
    assert found.anywhere
    assert all(line.compared > 10 * 2 for line in found.anywhere)
    assert found.specific == ()


def test_where_links_follow_no_rule_the_record_says_which_lines_are_for_them_only():
    network = DenseNetwork([5, 3, 7, 2], "tanh", masks=MASKS, biases=True)
    unit = prove(network, Partial(LOSS, A(2, 2)), points=1)
    named = [line for line in unit.derivation.lines if any(_among(part) for part in line.expression.walk())]
    assert list(unit.specific) == named == list(unit.derivation.lines[1:])
    assert "6 of the 7 lines are for the links of this network only" in unit.where
    # the formula in letters names nobody, and with another mask it is the same
    general = prove(network, Partial(LOSS, W(l, "j", "k")), points=1)
    assert general.specific == ()
    assert "only" not in general.where
    other = DenseNetwork([5, 3, 7, 2], "tanh", masks={1: 1 - MASKS[1], 2: MASKS[2]}, biases=True)
    assert derive(other, general.derivation.target).lines == general.derivation.lines


def _among(part):
    return isinstance(getattr(part, "last", None), Among)


def test_one_link_that_a_mask_leaves_is_one_of_its_own_too():
    network = DenseNetwork([3, 2, 3, 1], "tanh", masks={2: np.array([[1, 0], [0, 1], [0, 1]])})
    only = prove(network, Partial(LOSS, A(2, 1)), points=1).specific
    assert r"h'(a_{1}^{(2)})\,w_{11}^{(2)}\,\delta_{1}^{(3)}" in [line.latex for line in only]


def test_the_words_say_which_networks_it_was_proved_in():
    assert prove(two_chains(9), Partial(LOSS, W(l, 1, 1)), points=1).where == (
        "in networks of 10 layers of 2 or 1 units, of 11 layers of 3 or 1 units and, for any layer and unit, "
        "of 5-3-7-2 units with links drawn at random"
    )
    assert prove(chain(3), Partial(LOSS, W(2, 1, 1)), points=1).where == (
        "in networks of 1-1-1-1 units and, for any layer and unit, of 5-3-7-2 units"
    )


def test_a_target_that_is_not_there_is_refused():
    with pytest.raises(UndefinedSymbol, match="made without biases"):
        prove(DenseNetwork([2, 3, 1]), Partial(LOSS, B(1, 1)))
    with pytest.raises(ValueError, match="give 1 or more"):
        prove(DenseNetwork([2, 3, 1]), Partial(LOSS, A(2, 1)), points=0)


# --- Ways of deriving that are right at a network's own sizes, and nowhere else ------------------


def straight(units, layers=4):
    return DenseNetwork([units] * layers, "tanh", masks={m: np.eye(units) for m in range(1, layers)})


def size_of_the_layer_below(patch):
    def wrong(network, layer, j):
        return network.sizes[layer - 1] if isinstance(layer, int) else links_from(network, layer, j)

    links_from = expansion.links_from
    patch.setattr(expansion, "links_from", wrong)
    patch.setattr(reasons, "links_from", wrong)


def two_units_whatever_the_layer_has(patch):
    patch.setattr(reasons, "links_from", lambda network, layer, j: 2)


def indices_of_the_weight_swapped(patch):
    patch.setattr(reasons, "W", lambda layer, k, j: W(layer, j, k))


def links_of_the_unit_of_the_same_number_only(patch):
    patch.setattr(
        reasons, "links_from", lambda network, layer, j: Among((j,) if isinstance(j, int) else (1, 2))
    )


def number_for_the_last_hidden_layer(patch):
    def wrong(network, layer, j, layers, letter):
        product = one_product(network, layer, j, layers, letter)
        if product is None:
            return None
        factors = [
            replace(part, last=4) if isinstance(part, expansion.Prod) else part for part in product.factors
        ]
        return replace(product, factors=tuple(factors))

    one_product = expansion.one_product
    patch.setattr("coursework.backprop.derivation.one_product", wrong)


def delta_of_the_layer_above_by_its_number(patch):
    # in a network of two layers the layer above is layer 2, whichever weight is asked for
    bias_steps = reasons.bias_steps
    patch.setattr(
        "coursework.backprop.derivation.bias_steps",
        lambda b: [*bias_steps(b)[:-1], (Delta(2, b.j), "wrong")],
    )


RIGHT_HERE_ONLY = [
    (size_of_the_layer_below, DenseNetwork([3, 3, 3, 3], "tanh"), A(2, 1)),
    (two_units_whatever_the_layer_has, straight(2), A(l, "j")),
    (two_units_whatever_the_layer_has, DenseNetwork([2, 2, 2], "tanh"), A(2, 1)),
    (indices_of_the_weight_swapped, straight(2), A(l, "j")),
    (indices_of_the_weight_swapped, two_chains(5, "tanh"), A(2, 1)),
    (indices_of_the_weight_swapped, straight(3), A(2, 1)),
    (links_of_the_unit_of_the_same_number_only, straight(2), A(l, "j")),
    (number_for_the_last_hidden_layer, two_chains(4, "tanh"), W(l, 1, 1)),
    (number_for_the_last_hidden_layer, chain(4, "tanh"), W(l, 1, 1)),
    (delta_of_the_layer_above_by_its_number, DenseNetwork([3, 2], "tanh", biases=True), B(l, "j")),
]


@pytest.mark.parametrize(
    ("slip", "network", "bottom"),
    RIGHT_HERE_ONLY,
    ids=[f"{slip.__name__}-{'-'.join(map(str, network.sizes))}" for slip, network, _ in RIGHT_HERE_ONLY],
)
def test_a_way_that_is_right_at_a_networks_own_sizes_only_is_refuted(monkeypatch, slip, network, bottom):
    target = Partial(LOSS, bottom)
    prove(network, target, points=1)
    slip(monkeypatch)
    proof._prove_anywhere.cache_clear()
    try:
        here = derive(network, target)
        prove_derivation(here, proof_points(network, 2))  # nothing is wrong here
        with pytest.raises((WrongGradient, UndefinedSymbol)):
            prove(network, target, points=1)
    finally:
        proof._prove_anywhere.cache_clear()
