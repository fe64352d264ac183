from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.arithmetic import plain_numbers
from coursework.gradients.chain import propagate, run
from coursework.gradients.ensembles import ChainSpec, draw

FAMILIES = {
    "two chains": {},
    "mask, residual": {"links": ((1, 1), (0, 1)), "cure": "residual"},
    "layer norm": {"links": "full", "width": 3, "cure": "layer norm"},
    "batch norm": {"cure": "batch norm", "examples": 4},
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("settings", FAMILIES.values(), ids=FAMILIES)
def test_every_number_of_a_plain_pass_has_the_format_that_was_asked_for(settings: dict, dtype: type) -> None:
    networks = draw(ChainSpec(8, activation="tanh", bias_scale=0.3, **settings), 40, seed=1)
    done, exact = propagate(networks, plain_numbers(networks.h, dtype)), run(networks)
    for layers in (done.a, done.z, done.delta):
        assert {numbers.dtype for numbers in layers.values()} == {np.dtype(dtype)}
    for layer in networks.w:
        gradient, expected = done.gradients(layer), exact.gradients(layer).to_float()
        assert gradient.dtype == dtype
        tolerance = 2e-3 if dtype is np.float32 else 1e-9
        assert np.abs(gradient - expected).max() <= tolerance * np.abs(expected).max()
