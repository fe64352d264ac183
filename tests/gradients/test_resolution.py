from __future__ import annotations

from dataclasses import replace

import numpy as np

from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.resolution import log10_uncertainty


def test_chains_are_resolved_at_any_depth() -> None:
    for activation in ("sigmoid", "relu"):
        assert log10_uncertainty(draw(ChainSpec(300, activation=activation), 10, seed=1)).max() < 1e-10


def test_contracting_networks_are_resolved_and_chaotic_ones_are_not() -> None:
    calm = draw(ChainSpec(152, "full", "tanh", scale=0.8 / 4, width=16), 3, seed=1)
    assert log10_uncertainty(calm).max() < 1e-10
    chaotic = draw(ChainSpec(152, "full", "tanh", scale=3 / 4, width=16), 3, seed=1)
    # one of the three is only slightly chaotic: its last bits move the sixth digit
    uncertain = log10_uncertainty(chaotic).max(axis=0)
    assert uncertain.min() > 1e-8
    assert uncertain.max() > 0.05


def test_batch_norm_over_three_is_resolved_and_over_four_is_not() -> None:
    spec = ChainSpec(38, "full", "relu", scale=2.0, cure="batch norm", examples=3)
    assert log10_uncertainty(draw(spec, 60, seed=726)).max() < 1e-10
    uncertain = log10_uncertainty(draw(replace(spec, examples=4), 60, seed=726))
    assert np.count_nonzero(uncertain[0] > 0.1) > 10
    assert uncertain[-1].max() < 1e-10  # at the output nothing has cancelled yet
