from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from coursework.gradients.picture import draw_networks


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_both_networks_carry_the_assignments_labels() -> None:
    shown = texts(draw_networks())
    for layer in (1, 2, 151, 152):
        assert shown.count(f"$w_{{11}}^{{({layer})}}$") == 2
    assert shown.count("$w_{12}^{(152)}$") == 2
    assert shown.count("layer 153") == 2


@pytest.mark.parametrize(("depth", "layers"), [(2, 3), (3, 4), (4, 5), (5, 6), (152, 6)])
def test_every_drawn_layer_has_two_units_and_the_output_one(depth: int, layers: int) -> None:
    figure = draw_networks(depth)
    for axes in figure.axes:
        assert sum(isinstance(patch, Circle) for patch in axes.patches) == 2 * (layers - 1) + 1


def test_the_bipartite_network_has_four_links_where_the_chains_have_two() -> None:
    chains, full = draw_networks(4).axes
    assert len(chains.lines) == 3 * 2 + 2
    assert len(full.lines) == 3 * 4 + 2
