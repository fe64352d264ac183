from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.explosion import growing_window, log10_steepness, steep_lengths


def slope(a: np.ndarray) -> np.ndarray:
    return 1 / (2 + np.exp(a) + np.exp(-a))


@pytest.mark.parametrize("w", [4.5, -6.894, 20.0, 100.0])
def test_a_factor_exceeds_one_inside_its_window_only(w: float) -> None:
    half, _ = growing_window(w)
    assert abs(w) * slope(np.array(half)) == pytest.approx(1)
    assert abs(w) * slope(np.array(0.99 * half)) > 1 > abs(w) * slope(np.array(1.01 * half))


def test_the_window_in_z_is_widest_at_6_894_and_never_half_of_what_z_moves_in() -> None:
    weights = np.linspace(4, 200, 19_601)
    widths = np.array([growing_window(float(w))[1] for w in weights])
    assert weights[widths.argmax()] == pytest.approx(6.894, abs=0.01)
    assert widths.max() == pytest.approx(0.4477, abs=1e-4)
    assert growing_window(100.0)[1] == pytest.approx(0.092, abs=1e-3)
    assert growing_window(3.9) == (0.0, 0.0)


def test_the_steepness_is_the_derivative_of_the_output() -> None:
    networks = draw(ChainSpec(5, width=1, scale=3.0, bias_scale=1.0), 4, seed=1)

    def output(a: np.ndarray) -> np.ndarray:
        for l in range(2, 6):
            a = networks.w[l].ravel()[2::4] / (1 + np.exp(-a)) + networks.b[l].ravel()[2::4]
        return a

    a = np.linspace(-3, 3, 7)
    expected = (output(a + 1e-6) - output(a - 1e-6)) / 2e-6
    np.testing.assert_allclose(10 ** log10_steepness(networks, 2, a), np.abs(expected), rtol=1e-6)


def test_no_chain_is_steep_on_a_longer_stretch_than_its_output_spans() -> None:
    levels = np.array([0.1, 0.5, 1.0, 3.0, 10.0])
    largest, found_steep = 0.0, 0
    for scale in (3.0, 8.0, 30.0):
        networks = draw(ChainSpec(6, width=1, scale=scale, bias_scale=scale / 2), 15, seed=2)
        for member in range(15):
            measured, bound = steep_lengths(networks, member, levels, reach=40.0, points=4000)
            largest = max(largest, float((measured / bound).max()))
            found_steep += int((measured > 0).sum())
    assert found_steep > 10
    assert largest <= 1


def test_chains_of_weights_over_four_vanish_at_every_scale() -> None:
    for scale in (5.0, 10.0, 40.0):
        logs = run(draw(ChainSpec(60, width=1, scale=scale), 400, seed=3)).log10_gradients
        per_layer = np.log(10) * (logs[0] - logs[-1]) / 59
        # e^-1.45 a layer is the slowest of all scales; the median of 59 layers scatters around its own
        assert np.median(per_layer) < -1.3
        assert np.quantile(per_layer, 0.99) < 0


def test_other_networks_have_no_steepness() -> None:
    with pytest.raises(ValueError, match="draw it with width=1"):
        log10_steepness(draw(ChainSpec(4), 1, seed=1), 0, np.zeros(1))
