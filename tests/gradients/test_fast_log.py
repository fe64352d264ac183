from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.gradients import fast
from coursework.gradients.chain import LINKS, Networks, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.fast import KERNELS
from coursework.gradients.fast_log import LogMemory, fast_log_gradients


def check_against_scaled(networks: Networks) -> int:
    """Compare every gradient of every network with `run`; return how many were recomputed."""
    trace, found = run(networks), fast_log_gradients(networks)
    for l in networks.w:
        exact = trace.gradients(l)
        logs = exact.log10_abs()
        assert np.array_equal(np.isfinite(logs), np.isfinite(found.log10[l]))
        live = np.isfinite(logs)
        np.testing.assert_allclose(found.log10[l][live], logs[live], rtol=1e-10, atol=1e-8)
        assert np.array_equal(found.negative[l], exact.sign < 0)
    return found.recomputed


@given(
    st.sampled_from(sorted(KERNELS)),
    st.sampled_from(LINKS),
    st.integers(1, 3),
    st.integers(2, 120),
    st.sampled_from([1e-30, 0.1, 1.0, 3.0, 50.0]),
    st.sampled_from([0.0, 1.0]),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=25)
def test_sign_and_logarithm_equal_those_of_scaled_numbers(
    activation: str, links: str, width: int, depth: int, scale: float, bias_scale: float, seed: int
) -> None:
    spec = ChainSpec(depth, links, activation, scale=scale, bias_scale=bias_scale, width=width)
    check_against_scaled(draw(spec, 20, seed))


@pytest.mark.parametrize("links", LINKS)
def test_living_deep_networks_need_no_second_run(links: str) -> None:
    spec = ChainSpec(600, links, "relu", scale=0.3, alive=True)
    networks = draw(spec, 50, seed=1)
    assert run(networks).log10_gradients[0].min() < -330
    assert check_against_scaled(networks) == 0


def test_networks_with_a_number_out_of_range_are_found_and_run_again() -> None:
    networks = draw(ChainSpec(20, "full"), 7, seed=1)
    networks.w[9][:, :, 3] = -1e6  # saturates: exp(a) is 0
    networks.w[12][0, 0, 5] = 1e-200
    assert check_against_scaled(networks) >= 1
    relu = draw(ChainSpec(20, "full", "relu", alive=True), 7, seed=1)
    relu.w[9][:, :, 3] *= 1e-200
    relu.w[10][:, :, 3] *= 1e-200
    relu.w[4][:, :, 5] *= 1e306
    relu.w[5][:, :, 5] *= 1e306
    assert check_against_scaled(relu) == 2


@pytest.mark.parametrize("first", [0.01, 100.0])
def test_a_row_that_fades_and_comes_back_beside_another_is_alive(first: float) -> None:
    # 170 layers of 0.01, then of 100: forward or backward the row is 1e-340 of the other one half way
    w = {l: np.array([[first if l <= 170 else 1 / first], [1.0]]) for l in range(1, 340)}
    w[340] = np.array([[[1.0], [1.0]]])
    networks = Networks("chains", "relu", w, x=np.ones((2, 1)), t=np.array([5.0]))
    assert check_against_scaled(networks) == 1
    # the rows arrive as `first` and 1, the target is 5, and the weights after w_11^(1) multiply to 1
    assert fast_log_gradients(networks).log10[1][0, 0] == pytest.approx(np.log10(abs(first - 4)), abs=1e-9)


def test_memory_is_used_again_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "BLOCK", 64)
    first, second = (draw(ChainSpec(12, "full", "tanh"), 101, seed) for seed in (1, 2))
    memory = LogMemory(first)
    before = fast_log_gradients(first, memory).log10[3].copy()
    fast_log_gradients(second, memory)
    np.testing.assert_array_equal(fast_log_gradients(first, memory).log10[3], before)
    np.testing.assert_allclose(before, run(first).gradients(3).log10_abs(), rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match="another shape"):
        fast_log_gradients(draw(ChainSpec(8, width=1), 50, 1), memory)
