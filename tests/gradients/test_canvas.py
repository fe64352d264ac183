from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.gradients.canvas import blank_figure, draw_band, mark_floor, spread_out


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=8), st.floats(0.1, 10))
@settings(deadline=None, max_examples=40)
def test_labels_are_spread_apart_in_their_order(places: list[float], gap: float) -> None:
    heights = np.array(spread_out(places, gap))
    assert np.all(np.diff(heights[np.argsort(places, kind="stable")]) >= gap - 1e-3)


def test_labels_far_apart_stay_where_they_are() -> None:
    assert spread_out([5.0, -3.0, 1.0], 2.0) == [5.0, -3.0, 1.0]
    assert spread_out([0.0, 0.0], 2.0) == pytest.approx([-1.0, 1.0])


def test_a_band_leaves_zeros_out_and_a_dead_layer_blank() -> None:
    _, (axes,) = blank_figure()
    logs = np.array([[-1.0, -2.0, -3.0], [-np.inf, -4.0, np.nan], [-np.inf, -np.inf, -np.inf]])
    np.testing.assert_array_equal(draw_band(axes, np.arange(3), logs, "black"), [-2.0, -4.0, np.nan])


def test_the_floor_is_marked_only_where_it_is_in_view() -> None:
    _, (high, low) = blank_figure(columns=2)
    high.set_ylim(-20, 0)
    low.set_ylim(-80, 0)
    for axes in (high, low):
        mark_floor(axes, "float32")
    assert not high.texts
    assert low.texts[0].get_text().startswith("float32 ends at $10^{-45}$")
    assert low.get_ylim() == (-80, 0)
