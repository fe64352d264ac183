from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.comparisons import COMPARISONS, Comparison, compare_all
from coursework.gradients.theory_plots import plot_comparisons


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    return compare_all(networks=200, seed=5)


def test_predictions_hold_in_their_regime_and_fail_beyond_it(comparisons: list[Comparison]) -> None:
    failing = 0
    for comparison in comparisons:
        for series in comparison.series:
            lower, upper = series.theory.min(axis=0), series.theory.max(axis=0)
            # intervals are of 95 %: allow half as much again; singular values come from one network
            reach = 1.5 * np.maximum(series.high - series.low, 0.0) / 2
            reach = np.maximum(reach, 0.25 * np.abs(series.middle) if not reach.any() else 0.0) + 1e-9
            inside = (series.middle >= lower - reach) & (series.middle <= upper + reach)
            if series.holds:
                assert inside.mean() > 0.85, (comparison.title, series.label, series.middle, series.theory)
            else:
                failing += not inside.all()
    assert failing >= 2


def test_every_prediction_has_a_panel_that_says_where_it_fails(comparisons: list[Comparison]) -> None:
    panels = [axes for axes in plot_comparisons(comparisons).axes if axes.get_visible()]
    assert len(panels) == len(COMPARISONS)
    for axes, comparison in zip(panels, comparisons, strict=True):
        assert comparison.source in axes.get_title()
        assert comparison.stops.split()[0] in axes.get_xlabel()
        drawn = [line for line in axes.lines if line.get_color() == "#1a1a1a"]
        assert len(drawn) == sum(len(series.theory) for series in comparison.series)


def test_a_last_row_that_is_not_full_is_left_blank(comparisons: list[Comparison]) -> None:
    panels = plot_comparisons(comparisons[:5]).axes
    assert [axes.get_visible() for axes in panels] == [True] * 5 + [False]
