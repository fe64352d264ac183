from __future__ import annotations

import numpy as np
import pytest
from numpy.random import Generator
from scipy.special import polygamma, psi
from scipy.stats import ks_2samp

from coursework.gradients import unweighted
from coursework.gradients.activations import ACTIVATIONS
from coursework.gradients.unweighted import Array, sample_norms


def with_matrices(
    activation: str, width: int, depth: int, sw2: float, sb2: float, networks: int, seed: int
) -> dict[str, np.ndarray]:
    """The same quantities from weights that are really drawn, network by network."""
    rng = np.random.default_rng(seed)
    h = ACTIVATIONS[activation]
    first, middle, weight = [], [], []
    for _ in range(networks):
        fields, values, matrices = [], [], []
        linear = np.sqrt(1.0 - sb2) * rng.standard_normal(width)
        for _ in range(depth):
            fields.append(linear + np.sqrt(sb2) * rng.standard_normal(width))
            values.append(h.plain_value(fields[-1]))
            matrices.append(np.sqrt(sw2 / width) * rng.standard_normal((width, width)))
            linear = matrices[-1] @ values[-1]
        u = rng.standard_normal(width)
        delta = h.plain_slope(fields[-1], values[-1]) * u / np.linalg.norm(u)
        norms = [np.linalg.norm(delta)]
        for l in range(depth - 2, -1, -1):
            delta = h.plain_slope(fields[l], values[l]) * (matrices[l].T @ delta)
            norms.append(np.linalg.norm(delta))
        first.append(norms[-1])
        middle.append(norms[depth // 2])
        weight.append(norms[-2] * np.linalg.norm(values[0]))
    return {"first": np.array(first), "middle": np.array(middle), "weight": np.array(weight)}


@pytest.mark.parametrize(
    ("activation", "width", "sw2", "sb2"),
    [("tanh", 2, 4.0, 0.3), ("sigmoid", 3, 30.0, 0.0), ("relu", 3, 2.0, 0.2), ("gelu", 4, 1.5, 0.0)],
)
def test_the_law_is_that_of_networks_whose_weights_are_drawn(
    activation: str, width: int, sw2: float, sb2: float
) -> None:
    depth, networks = 5, 1000
    real = with_matrices(activation, width, depth, sw2, sb2, networks, seed=1)
    norms = sample_norms(activation, width, depth, sw2, sb2, networks=8 * networks, seed=2)
    middle = norms.delta[depth - 1 - depth // 2]
    sampled = {"first": norms.delta[0], "middle": middle, "weight": norms.weights[0]}
    for name, logs in sampled.items():
        # a share of exact zeros counts as a tie at 0, on both sides
        assert ks_2samp(real[name], 10.0**logs).pvalue > 1e-4, name


def test_a_backward_pass_independent_of_the_forward_pass_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = with_matrices("tanh", 2, 5, 9.0, 0.3, 1000, seed=1)["first"]

    def independent(z: Array, length: Array, a: Array, delta: Array, s: float, rng: Generator) -> Array:
        return s * np.sqrt((delta * delta).sum(axis=0)) * rng.standard_normal(z.shape)

    right = sample_norms("tanh", 2, 5, 9.0, 0.3, networks=8000, seed=2).delta[0]
    monkeypatch.setattr(unweighted, "_conditioned", independent)
    wrong = sample_norms("tanh", 2, 5, 9.0, 0.3, networks=8000, seed=2).delta[0]
    assert ks_2samp(real, 10.0**right).pvalue > 1e-4
    assert ks_2samp(real, 10.0**wrong).pvalue < 1e-4


def test_nothing_underflows_on_the_way_back() -> None:
    norms = sample_norms("sigmoid", 4, 1000, 1.0, networks=5, seed=0)
    assert np.all(np.isfinite(norms.delta))
    assert np.all(norms.delta[0] < -500)


def test_a_dead_network_is_exactly_zero_and_no_other() -> None:
    norms = sample_norms("relu", 2, 40, 2.0, networks=500, seed=0)
    dead = ~np.isfinite(norms.z[-1])
    assert dead.any()
    assert np.all(norms.delta[:, dead] == -np.inf)
    assert np.all(np.isfinite(norms.delta[0, ~dead]))


def test_the_same_seed_gives_the_same_networks() -> None:
    draws = [sample_norms("tanh", 5, 6, 2.0, networks=7, seed=s).delta for s in (4, 4, 5)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="'step' is unknown"):
        sample_norms("step", 2, 2, 1.0)
    with pytest.raises(ValueError, match="width 0"):
        sample_norms("tanh", 0, 2, 1.0)
    with pytest.raises(ValueError, match="leave the range of float64"):
        sample_norms("sigmoid", 1, 5, 1e8, networks=20)


@pytest.mark.parametrize("sw2", [1e-4, 0.5, 4.0, 1e4])
def test_linear_networks_keep_their_law_at_any_depth(sw2: float) -> None:
    depth, width, networks = 3000, 4, 40
    norms = sample_norms("identity", width, depth, sw2, networks=networks, seed=5)
    # ln ||z||^2 steps by sw2 / n times chi-squared with n degrees of freedom, forward and backward
    mean = (psi(width / 2) + np.log(2 * sw2 / width)) / (2 * np.log(10))
    spread = np.sqrt(polygamma(1, width / 2) / 4 * depth / networks) / np.log(10)
    for forward in (norms.z[-1] - norms.z[0], norms.delta[0] - norms.delta[-1]):
        assert forward.mean() == pytest.approx((depth - 1) * mean, abs=5 * spread)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "leaky relu", "relu"])
def test_a_power_of_two_taken_out_changes_nothing(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (activation, 8, 220, 0.02)
    plain = sample_norms(*arguments, q_first=1e-20, networks=6, seed=1)
    monkeypatch.setattr(unweighted, "_RANGE", 120)
    taken = sample_norms(*arguments, q_first=1e-20, networks=6, seed=1)
    alive = np.isfinite(plain.z)
    assert plain.z[alive].min() < -150
    for one, other in ((plain.z, taken.z), (plain.delta, taken.delta)):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(plain.q[:50], taken.q[:50], rtol=1e-12)


def test_the_range_is_left_on_both_sides_with_biases_too() -> None:
    large = sample_norms("relu", 64, 1500, 8.0, 1.0, networks=3, seed=0)
    assert np.all(large.z[-1] > 308)
    assert np.all(np.isfinite(large.delta))
    # biases keep the pre-activations of a contracting network at their own size
    small = sample_norms("tanh", 64, 800, 0.01, 1.0, networks=3, seed=0)
    assert np.all(np.abs(small.q[-1] - 1) < 1)
