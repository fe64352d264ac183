import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.chains import chain, two_chains
from coursework.backprop.log_domain import SLOPES, Signed, log_domain, signed_gradients


@given(numbers=st.lists(st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6), min_size=1))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_signed_sums_and_products_are_those_of_the_numbers(numbers):
    values = np.array(numbers)
    signed = Signed.of(values)
    scale = np.abs(values).sum()
    assert signed.sum(axis=0).numbers() == pytest.approx(values.sum(), abs=1e-12 * scale)
    np.testing.assert_allclose((signed * signed[::-1]).numbers(), values * values[::-1], rtol=1e-12)


def test_sums_of_nothing_and_of_zeros_are_zero():
    assert Signed.of(np.zeros((0, 3))).sum(axis=0).sign.tolist() == [0, 0, 0]
    assert Signed.of(np.zeros(3)).sum(axis=0).ln == -np.inf


@pytest.mark.parametrize("name", SLOPES)
def test_slopes_are_those_of_the_table_and_go_on_where_it_ends(name):
    a = np.array([-30.0, -1.2, 0.0, 0.4, 30.0])
    np.testing.assert_allclose(SLOPES[name](a).numbers(), ACTIVATIONS[name].h_prime(a), rtol=1e-13)
    if name == "sigmoid":
        assert SLOPES[name](np.array([-5000.0])).ln.tolist() == [-5000]


def test_a_chain_far_below_float64_agrees_with_fifty_digits():
    network = chain(60, seed=5)
    network.parameters[...] *= 1e-8
    found = signed_gradients(network, np.array([[0.7]]), np.array([[-0.3]])).w[1]
    with mpmath.workdps(50):
        w = [mpmath.mpf(float(v)) for v in network.parameters]
        z, product = mpmath.mpf(0.7), mpmath.mpf(1)
        for l, w_l in enumerate(w[:-1]):
            z = 1 / (1 + mpmath.exp(-w_l * z))
            product *= z * (1 - z) * (w_l if l else 1)
        true = (w[-1] * z - mpmath.mpf(-0.3)) * product * w[-1] * mpmath.mpf(0.7)
        assert true != 0
        assert float(mpmath.log(abs(true))) < -745
        assert found.ln.item() == pytest.approx(float(mpmath.log(abs(true))), abs=1e-11)
        assert found.sign.item() == int(mpmath.sign(true))


def test_plain_numbers_are_the_gradients_where_float64_holds_them():
    network = two_chains(30, "tanh", biases=True, seed=2)
    x, t = np.array([[0.4, -0.8], [1.0, 0.1]]), np.array([[0.3], [0.1]])
    ours, theirs = network.backward(network.forward(x), t), log_domain(network, x, t)
    for l in network.w:
        np.testing.assert_allclose(theirs.w[l], ours.w[l], rtol=1e-11)
        np.testing.assert_allclose(theirs.b[l], ours.b[l], rtol=1e-11)
        np.testing.assert_allclose(theirs.delta[l + 1], ours.delta[l + 1], rtol=1e-11)


def test_a_sign_is_kept_through_negative_weights():
    network = chain(3)
    network.parameters[...] = [1.0, -1.0, 1.0]
    found = signed_gradients(network, np.ones((1, 1)), np.zeros((1, 1)))
    assert [found.delta[l].sign.item() for l in (2, 3, 4)] == [-1, 1, 1]
