from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.blocks import Blocks, block_numbers, strayed
from coursework.gradients.chain import Networks, propagate, run
from coursework.gradients.ensembles import ChainSpec, draw


def test_sums_align_the_exponents_of_each_network() -> None:
    one = Blocks(np.array([[3.0, 1.0, 0.0]]), np.array([0, 2000, 5000]))
    two = Blocks(np.array([[5.0, 1.0, 1.0]]))
    found = one + two
    assert (found[0].log10_abs() - np.log10([8.0, 1.0, 1.0])).tolist() == [0.0, 2000 * np.log10(2.0), 0.0]
    assert np.array_equal((two + one).log10_abs(), found.log10_abs())


def test_to_settle_changes_the_exponent_and_not_the_number() -> None:
    numbers = Blocks(np.array([[1e-200, 1.0], [-2e-200, 0.0]]))
    settled = numbers.settle(0)
    assert np.abs(settled.values[:, 0]).max() == pytest.approx(0.75, abs=0.25)
    np.testing.assert_array_equal(settled.to_float(), numbers.values)
    assert settled.settle(0) is settled


def test_roots_keep_odd_exponents() -> None:
    numbers = Blocks(np.array([4.0, 8.0, 0.0]), np.array([2001, -4000, 7]))
    with np.errstate(divide="ignore"):
        found = numbers.inverse_sqrt(np.array([False, False, True])).log10_abs()[:2]
    np.testing.assert_allclose(found, -0.5 * np.log10([4.0, 8.0]) - np.array([2001, -4000]) / 2 * np.log10(2))


@pytest.mark.parametrize(
    "spec",
    [
        ChainSpec(152, "full", "relu", scale=2.0, cure="batch norm", examples=3),
        ChainSpec(152, "full", "relu", width=3, cure="layer norm"),
        ChainSpec(152, "full", "sigmoid", width=4, scale=0.05),
        ChainSpec(600, "full", "relu", scale=0.02, width=3, alive=True),
        ChainSpec(152, "full", "leaky relu", scale=0.01, width=3, bias_scale=1.0),
        ChainSpec(60, "full", "gelu", scale=0.05, width=3, cure="residual"),
        ChainSpec(60, "chains", "tanh", scale=0.5, cure="batch norm", examples=3),
    ],
    ids=str,
)
def test_deep_networks_are_as_in_numbers_with_an_exponent_each(spec: ChainSpec) -> None:
    networks = draw(spec, 30, seed=3)
    done = propagate(networks, block_numbers(networks.h))
    assert not strayed(done).any()
    exact = run(networks)
    with np.errstate(divide="ignore"):
        found = np.stack([done.gradient(l).log10_abs() for l in range(1, spec.depth + 1)])
    np.testing.assert_allclose(found, exact.log10_gradients, atol=1e-7)


def test_networks_whose_units_differ_too_much_are_told() -> None:
    # the first row fades to 1e-400 while the second stays
    w = {l: np.array([[1e-40, 1.0], [1.0, 1.0]]) for l in range(1, 11)} | {11: np.ones((1, 2, 2))}
    networks = Networks("chains", "identity", w, np.ones((2, 2)), np.zeros(2))
    assert strayed(propagate(networks, block_numbers(networks.h))).tolist() == [True, False]
