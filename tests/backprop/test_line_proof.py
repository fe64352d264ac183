import math
from dataclasses import replace

import numpy as np
import pytest

from coursework.backprop.chains import chain
from coursework.backprop.derivation import Step, derive
from coursework.backprop.judged import JUDGES, Judged, entry, live_and_dead, proof_points
from coursework.backprop.layers import Level
from coursework.backprop.line_proof import (
    LineProof,
    NothingCompared,
    is_refuted,
    prove_derivation,
    prove_step,
)
from coursework.backprop.matrix import Transposed, Whole
from coursework.backprop.network import DenseNetwork
from coursework.backprop.oracles import WrongGradient
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import LOSS, A, B, Delta, HPrime, Partial, W, Z
from coursework.backprop.twins import PRIMES

l, L = Level("l"), Level("L")


@pytest.mark.parametrize("loss", ["squared", "logistic", "softmax"])
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "sin"])
def test_every_unit_weight_and_bias_of_prime_layers_is_proved(activation, loss):
    network = DenseNetwork(PRIMES, activation, loss=loss, biases=True)
    drawn = proof_points(network, 1)
    places = {A(L, "j"): 2, A(l, "j"): 10, W(l, "j", "k"): 50, B(l, "j"): 12}
    for bottom, count in places.items():
        for line in prove_derivation(derive(network, Partial(LOSS, bottom)), drawn):
            assert line.compared == count * len(JUDGES)
            assert line.error <= 1e-12
            assert line.difference <= 1e-6


def test_a_deep_chain_is_proved_where_central_differences_see_nothing():
    network = chain(152, "sigmoid", biases=True)
    drawn = proof_points(network, 1)
    closed = derive(network, Partial(LOSS, W(l, 1, 1))).expanded
    proof = prove_step(closed, W(l, 1, 1), drawn)
    assert proof.error <= 1e-12
    assert 2 * 152 < proof.compared < 3 * 152


@pytest.mark.parametrize(
    "wrong",
    [
        Delta(3, 1) * Z(2, 2),
        Delta(3, 2) * Z(2, 1) * HPrime(2, 1),
        Delta(4, 2) * Z(2, 1),
        Sum("k", 4, W(2, "k", 1)) * Delta(3, 2),
    ],
)
def test_a_wrong_line_is_refuted_and_named(wrong):
    network = DenseNetwork(PRIMES, "tanh", biases=True)
    drawn = proof_points(network, 1)
    bottom = W(2, 2, 1)
    assert not is_refuted(Delta(3, 2) * Z(2, 1), bottom, drawn)
    assert is_refuted(wrong, bottom, drawn)
    with pytest.raises(WrongGradient, match="comes to"):
        prove_step(Step(wrong, ""), bottom, drawn)


def test_a_formula_right_for_equal_sizes_only_is_refuted():
    transposed = HPrime(l, "j") * Sum("k", 3, W(l, "j", "k") * Delta(l + 1, "k"))
    symmetric = {1: np.array([[1.0, 2.0], [0.5, 1.0]]), 2: np.array([[1.0, 3.0], [3.0, 2.0]])}
    network = DenseNetwork.from_weights({**symmetric, 3: np.array([[1.0, 2.0]])}, activation="tanh")
    point = proof_points(network, 1)[0].point
    same = Judged(type(point)(network, point.x[0], point.t[0]))
    assert not is_refuted(HPrime(2, 1) * Sum("k", 2, W(2, 1, "k") * Delta(3, "k")), A(2, 1), [same]), (
        "symmetric weights hide the transposed index"
    )
    assert is_refuted(transposed, A(l, "j"), proof_points(DenseNetwork(PRIMES, "tanh"), 1))


def test_a_wrong_line_of_numpy_is_refuted():
    network = DenseNetwork([3, 3, 3, 3], "tanh")
    drawn = proof_points(network, 1)
    derivation = derive(network, Partial(LOSS, A(2, 1)))
    line = derivation.matrix
    wrong = replace(
        line, value=replace(line.value, right=replace(line.value.right, right=Transposed(Whole("w", 2))))
    )
    assert wrong.code() == "delta[2] = h_prime(a[2]) * (delta[3] @ w[2].T)"
    prove_derivation(derivation, drawn)
    with pytest.raises(WrongGradient, match=r"delta\[2\] = h_prime"):
        prove_derivation(replace(derivation, matrix=wrong), drawn)


def test_what_was_compared_nowhere_is_not_proved():
    network = DenseNetwork(PRIMES, "tanh")
    drawn = proof_points(network, 1)
    for prover in (
        lambda: prove_step(Step(Delta(2, 1), ""), B(1, 1), drawn),
        lambda: prove_step(Step(Delta(2, 1), ""), A(2, 1), []),
        lambda: is_refuted(Delta(2, 1), A(9, 1), drawn),
    ):
        with pytest.raises(NothingCompared, match="compared nowhere"):
            prover()
    with pytest.raises(ValueError, match="give 1 or more"):
        proof_points(network, 0)


def test_rectifiers_are_judged_with_live_and_with_dead_units():
    network = DenseNetwork(PRIMES, "relu", biases=True)
    for seed in range(5):
        point = proof_points(network, 1, seed)[0].point
        assert live_and_dead(point)
        assert any((point.trace.a[l] < 0).any() for l in (2, 3))
        assert all(point.gradients.delta[l].any() for l in (2, 3))


def test_a_missing_indicator_is_refuted_at_a_dead_unit():
    network = DenseNetwork(PRIMES, "relu", biases=True)
    without = Sum("k", 2, W(3, "k", "j") * Delta(4, "k"))
    assert is_refuted(without, A(3, "j"), proof_points(network, 1))


def test_the_seed_decides_the_points():
    network = DenseNetwork(PRIMES)
    first, again, other = (proof_points(network, 1, seed)[0].point.x for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_entry_of_a_gradient():
    judged = proof_points(DenseNetwork(PRIMES, biases=True), 1)[0]
    gradients = judged.exact
    assert entry(gradients, W(2, 7, 3)) == gradients.w[2][6, 2]
    assert entry(gradients, B(2, 7)) == gradients.b[2][6]
    assert entry(gradients, A(3, 7)) == gradients.delta[3][0, 6]


@pytest.mark.parametrize(("error", "exponent"), [(0.0, -13), (3e-15, -13), (2e-13, -12), (1e-12, -12)])
def test_a_badge_rounds_the_error_up(error, exponent):
    badge = LineProof(Step(Delta(2, 1), ""), 6, error, math.inf).badge
    assert badge == rf"✓ 6 numbers, relative error $\le 10^{{{exponent}}}$"
