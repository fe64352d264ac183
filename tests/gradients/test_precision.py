from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.activations import ACTIVATIONS
from coursework.gradients.chain import LINKS, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.precision import (
    death_layers,
    log10_smallest,
    lost,
    plain_gradients,
    underflow_depth,
)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("links", LINKS)
def test_float64_agrees_with_the_exact_gradients_while_it_lasts(activation: str, links: str) -> None:
    trace = run(draw(ChainSpec(depth=12, links=links, activation=activation, bias_scale=0.2), 100, seed=1))
    exact = np.stack([trace.gradient(layer).to_float() for layer in range(1, 13)])
    np.testing.assert_allclose(plain_gradients(trace.networks, np.float64), exact, rtol=1e-7)
    assert not lost(trace, np.float64).any()


def test_float32_dies_half_way_in_the_assignments_network_and_float64_does_not() -> None:
    trace = run(draw(ChainSpec(law="constant", scale=1.0), 1, seed=1))
    # a factor of 0.2247 a layer: 59 to 70 layers from the output the last float32 is used up
    layer = int(death_layers(trace, np.float32)[0])
    assert 152 - 72 <= layer <= 152 - 66
    assert lost(trace, np.float32).sum() == layer
    assert death_layers(trace, np.float64)[0] == 0


def test_a_gradient_that_is_zero_is_not_called_lost() -> None:
    trace = run(draw(ChainSpec(depth=20, activation="relu"), 50, seed=1))
    assert np.isneginf(trace.log10_gradients).all(axis=0).sum() > 40
    assert not lost(trace, np.float32).any()


def test_an_explosion_becomes_infinite_without_a_warning() -> None:
    networks = draw(ChainSpec(depth=100, activation="identity", law="constant", scale=10.0), 1, seed=1)
    assert not np.isfinite(plain_gradients(networks, np.float32)).all()
    assert run(networks).log10_gradients[0, 0] > 190


@pytest.mark.parametrize(("dtype", "layers"), [(np.float16, 13), (np.float32, 75), (np.float64, 538)])
def test_a_quarter_a_layer_underflows_where_the_format_says(dtype: type, layers: int) -> None:
    # smallest subnormals 2^-24, 2^-149, 2^-1074; half of one rounds to zero
    assert underflow_depth(0.25, dtype) == layers


def test_only_shrinking_products_underflow() -> None:
    with pytest.raises(ValueError, match=r"factor is 1\.5"):
        underflow_depth(1.5, np.float32)


def test_the_smallest_float32() -> None:
    assert log10_smallest("float32") == pytest.approx(-44.85, abs=0.01)
