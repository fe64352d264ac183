from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients import fast
from coursework.gradients.arithmetic import plain_numbers
from coursework.gradients.chain import propagate
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.fast import KERNELS, Memory, fast_gradients

SHAPES = {
    "one chain": {"width": 1, "links": "full"},
    "two chains": {"width": 2},
    "two wide": {"width": 2, "links": "full", "bias_scale": 0.3},
    "widths": {"width": (3, 1, 4) * 10, "links": "full"},
}


@pytest.mark.parametrize("activation", KERNELS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_fast_pass_is_the_plain_pass_in_float64(
    activation: str, shape: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "BLOCK", 60)
    networks = draw(ChainSpec(30, activation=activation, **shape), 101, seed=1)
    expected = propagate(networks, plain_numbers(networks.h, np.float64))
    found = fast_gradients(networks)
    for l in networks.w:
        exact = expected.gradients(l)
        # sums of several terms may be added in another order, and then cancel
        np.testing.assert_allclose(found[l], exact, rtol=1e-9, atol=1e-14 * np.abs(exact).max())


def test_memory_is_written_to_again_and_must_fit() -> None:
    first, second = (draw(ChainSpec(9, width=1), 50, seed) for seed in (1, 2))
    memory = Memory(first)
    kept = fast_gradients(first, memory)
    before = kept[3].copy()
    again = fast_gradients(second, memory)
    assert again is kept
    assert not np.array_equal(before, again[3])
    np.testing.assert_array_equal(fast_gradients(first, memory)[3], before)
    with pytest.raises(ValueError, match="another shape"):
        fast_gradients(draw(ChainSpec(8, width=1), 50, 1), memory)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"cure": "residual"}, "without cures"),
        ({"links": ((1, 1), (0, 1))}, "run masks with `run`"),
        ({"activation": "gelu"}, "not 'gelu'"),
    ],
)
def test_networks_the_fast_path_does_not_know_are_refused(settings: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fast_gradients(draw(ChainSpec(4, **settings), 2, seed=1))
