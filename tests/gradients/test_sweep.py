from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients import sweep
from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.theory import Disagreement


def test_counted_shares_carry_intervals_around_the_closed_form() -> None:
    shares = sweep.nonzero_shares(ChainSpec(activation="relu"), [2, 4, 7], 4000, seed=5)
    assert [share.depth for share in shares] == [2, 4, 7]
    assert [share.exact for share in shares] == pytest.approx([1 / 2, 1 / 8, 1 / 64])
    for share in shares:
        assert 0 <= share.low <= share.nonzero / share.networks <= share.high <= 1
        assert abs(share.nonzero / share.networks - share.exact) < 0.04


def test_a_share_the_closed_form_forbids_is_found_out() -> None:
    # a constant positive law is not symmetric: every chain with x > 0 lives
    with pytest.raises(Disagreement, match="depth 12"):
        sweep.nonzero_shares(ChainSpec(activation="relu", law="constant"), [12], 1000, seed=5)


def test_constant_weights_decay_by_the_factor_of_their_fixed_point() -> None:
    trace = run(draw(ChainSpec(depth=500, law="constant", scale=1.0), 1, seed=0))
    # a = sigma(a) at 0.65905, where sigma'(a) = 0.2247
    assert sweep.decay_per_layer(trace)[0] == pytest.approx(np.log10(0.2247), abs=0.002)


def test_random_sigmoid_chains_vanish_at_every_scale_and_faster_beyond_three() -> None:
    scales = [0.1, 1.0, 3.0, 16.0, 128.0]
    low, median, high = sweep.decay_against_scale(ChainSpec(), scales, 100, seed=1).T
    assert np.all(low <= median)
    assert np.all(high < 0)
    assert int(np.argmax(median)) == 2
    # measured elsewhere: -2.08 (1), -1.45 (3) natural logarithms a layer
    assert median[1:3] * np.log(10) == pytest.approx([-2.08, -1.45], abs=0.06)


def test_the_knife_edge_explodes_and_a_hair_beside_it_vanishes() -> None:
    trace = sweep.knife_edge(152, [0.0, 1e-6])
    first, last = trace.log10_gradients[0], trace.log10_gradients[-1]
    # e = 1, x = 1/2, 151 factors of 2
    assert first[0] == pytest.approx(150 * np.log10(2), abs=1e-9)
    assert last[0] == pytest.approx(np.log10(0.5), abs=1e-12)
    assert first[1] < -50


def test_quantiles_leave_exact_zeros_out() -> None:
    trace = run(draw(ChainSpec(depth=3, activation="relu"), 2000, seed=1))
    low, median, high = sweep.quantiles_by_layer(trace, [0.05, 0.5, 0.95])
    assert np.all(np.isfinite([low, median, high]))
    assert np.all(low < median)
    assert np.all(median < high)


def test_a_layer_without_any_gradient_has_no_quantiles() -> None:
    trace = run(draw(ChainSpec(depth=152, activation="relu"), 10, seed=1))
    assert np.all(np.isnan(sweep.quantiles_by_layer(trace, [0.5])))


def test_a_sweep_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="depths is empty"):
        sweep.nonzero_shares(ChainSpec(activation="relu"), [], 10, seed=0)
    with pytest.raises(ValueError, match="scales is empty"):
        sweep.decay_against_scale(ChainSpec(), [], 10, seed=0)


def test_causes_of_zeros_add_up_and_leave_what_the_closed_form_says() -> None:
    for links in ("chains", "full"):
        causes = sweep.zero_causes(links, 5, 20_000, seed=3)
        assert list(causes) == ["no biases", "biases"]
        for shares, exact in causes.values():
            np.testing.assert_allclose(sum(shares.values()), 1.0)
            np.testing.assert_allclose(shares["nonzero"], exact, atol=0.015)
    # by hand, chains without biases: four fair coins whatever the layer
    assert sweep.zero_causes("chains", 5, 10, seed=0)["no biases"][1] == pytest.approx([1 / 16] * 5)
