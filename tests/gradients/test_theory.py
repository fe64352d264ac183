from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coursework.gradients.activations import ACTIVATIONS
from coursework.gradients.chain import Trace, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.theory import (
    Disagreement,
    check_bound,
    check_closed_form,
    closed_form,
    log10_probability_nonzero,
    sigmoid_bound,
)


@given(
    st.integers(2, 60),
    st.sampled_from(sorted(ACTIVATIONS)),
    st.floats(0.01, 20),
    st.sampled_from([0.0, 0.5]),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=40)
def test_the_closed_form_is_what_the_backward_pass_finds(
    depth: int, activation: str, scale: float, bias_scale: float, seed: int
) -> None:
    # the logarithm of gelu's tail is -a^2 / 2: where a is 1e8, no digit of exp(it) is left
    assume(activation != "gelu" or scale < 3)
    spec = ChainSpec(depth=depth, activation=activation, scale=scale, bias_scale=bias_scale)
    assert check_closed_form(run(draw(spec, 4, seed))) < 1e-9


def test_the_published_upper_bound_153_would_name_a_weight_that_does_not_exist() -> None:
    trace = run(draw(ChainSpec(), 1, seed=0))
    with pytest.raises(ValueError, match="no weight layer 153"):
        trace.networks.weight(153)
    # with the right bound the last layer needs no case of its own: the product is empty
    last = trace.error.log10_abs() + trace.z[152][0].log10_abs()
    assert closed_form(trace)[-1] == pytest.approx(last)


def test_a_wrong_backward_pass_is_found_out() -> None:
    trace = run(draw(ChainSpec(depth=12), 5, seed=0))
    tampered = Trace(trace.networks, trace.a, trace.z, trace.delta | {3: trace.delta[3] * 1.5})
    with pytest.raises(Disagreement, match=r"differ by 0\.176"):
        check_closed_form(tampered)
    dead = Trace(trace.networks, trace.a, trace.z, trace.delta | {3: trace.delta[3] * 0.0})
    with pytest.raises(Disagreement, match="different places"):
        check_closed_form(dead)


@given(st.integers(2, 160), st.floats(0.01, 50), st.integers(0, 10**6))
@settings(deadline=None, max_examples=30)
def test_no_sigmoid_gradient_lies_above_its_bound(depth: int, scale: float, seed: int) -> None:
    trace = run(draw(ChainSpec(depth=depth, scale=scale, bias_scale=1.0), 4, seed))
    assert check_bound(trace) >= -1e-9
    np.testing.assert_allclose(sigmoid_bound(trace)[-1], trace.log10_gradients[-1], rtol=1e-12)


def test_the_bound_is_reached_where_every_pre_activation_is_zero() -> None:
    networks = draw(ChainSpec(depth=30, law="constant", scale=8.0, bias_scale=-4.0), 1, seed=0)
    networks.x[:] = 0.5
    trace = run(networks)
    np.testing.assert_allclose(sigmoid_bound(trace), trace.log10_gradients, atol=1e-12)


def test_a_gradient_above_the_bound_is_found_out() -> None:
    trace = run(draw(ChainSpec(depth=12), 1, seed=0))
    raised = {layer: delta * 1e9 for layer, delta in trace.delta.items() if layer < 13}
    with pytest.raises(Disagreement, match="above the bound"):
        check_bound(Trace(trace.networks, trace.a, trace.z, trace.delta | raised))


def test_formulas_for_chains_refuse_branching_networks() -> None:
    trace = run(draw(ChainSpec(depth=3, links="full"), 1, seed=0))
    with pytest.raises(ValueError, match="whose paths branch"):
        closed_form(trace)
    relu = run(draw(ChainSpec(depth=3, activation="relu"), 1, seed=0))
    with pytest.raises(ValueError, match="says nothing about 'relu'"):
        sigmoid_bound(relu)


def test_the_probabilities_of_the_assignments_depth() -> None:
    for layer in (1, 2, 77, 151, 152):
        assert log10_probability_nonzero(152, layer, "chains") == pytest.approx(-151 * math.log10(2))
    q = math.log10(3 / 4)
    assert log10_probability_nonzero(152, 77, "full") == pytest.approx(149 * q - 2 * math.log10(2))
    assert log10_probability_nonzero(152, 1, "full") == pytest.approx(150 * q - math.log10(2))
    assert log10_probability_nonzero(152, 152, "full") == pytest.approx(150 * q - math.log10(2))


def test_biases_give_late_layers_their_gradient_back() -> None:
    assert log10_probability_nonzero(152, 152, "chains", bias=True) == pytest.approx(math.log10(1 / 2))
    assert log10_probability_nonzero(152, 100, "chains", bias=True) == pytest.approx(-53 * math.log10(2))
    assert log10_probability_nonzero(152, 150, "full", bias=True) == pytest.approx(math.log10(0.75 / 4))


def test_a_wider_network_lives_longer() -> None:
    by_width = [10 ** log10_probability_nonzero(152, 1, "full", width) for width in (2, 4, 8, 16)]
    assert by_width == sorted(by_width)
    assert by_width[2] == pytest.approx((1 - 2**-8) ** 150 / 2)


@pytest.mark.parametrize("links", ["chains", "full"])
@pytest.mark.parametrize("law", ["normal", "uniform"])
@pytest.mark.parametrize("bias_scale", [0.0, 0.7])
def test_counted_shares_agree_with_the_closed_form_in_every_layer(
    links: str, law: str, bias_scale: float
) -> None:
    count, depth = 20_000, 5
    spec = ChainSpec(depth=depth, links=links, activation="relu", law=law, bias_scale=bias_scale)
    trace = run(draw(spec, count, seed=11))
    for layer in range(1, depth + 1):
        p = 10 ** log10_probability_nonzero(depth, layer, links, bias=bias_scale > 0)
        share = float(np.mean(~trace.gradient(layer).is_zero))
        assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / count)


@pytest.mark.parametrize(
    ("depth", "layer", "links"), [(3, 4, "chains"), (3, 0, "full"), (1, 1, "chains"), (3, 1, "x")]
)
def test_probabilities_of_what_does_not_exist_are_refused(depth: int, layer: int, links: str) -> None:
    with pytest.raises(ValueError, match=r"there is no|is unknown"):
        log10_probability_nonzero(depth, layer, links)
