from __future__ import annotations

import numpy as np

from coursework.gradients.landscape import families, medians, plot_landscape


def test_the_figure_to_remember_shows_the_sigmoid_vanish_and_the_cures_hold() -> None:
    found = families(60, 40, seed=0)
    ends = medians(found)
    assert ends["sigmoid"][0] < -30
    assert abs(ends["ReLU, He, 128 wide"][0]) < 2
    # 59 layers of two units: a rare network, and a small gradient in all layers alike
    rare = ends["ReLU, He, the 1 in 10^7 that lives"]
    assert rare[0] < -3
    assert abs(rare[0] - rare[1]) < 2
    (axes,) = plot_landscape(found).axes
    np.testing.assert_allclose(
        [line.get_ydata()[-1] for line in axes.lines], [last for _, last in ends.values()]
    )
    labels = [text.get_text() for text in axes.texts]
    assert labels[:1] == ["sigmoid"]
    assert "ReLU, He, the 1 in $10^{7}$ that lives" in labels
    assert len(labels) == len(found)
