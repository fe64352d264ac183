from __future__ import annotations

import numpy as np

from coursework.gradients.ensembles import ChainSpec
from coursework.gradients.grid import grid_of, run_grid
from coursework.gradients.heatmaps import plot_grid, plot_phases
from coursework.gradients.phase import narrow_phase, wide_phase

LAWS = {("normal", 1.0): "normal", ("he", 1.0): "He"}


def test_every_cell_of_the_grid_has_its_number_and_dead_ones_say_so() -> None:
    axes = {
        "activation": ["tanh", "relu"],
        "cure": ["none", "residual"],
        "depth": [4, 60],
        "law,scale": list(LAWS),
    }
    frame = run_grid(grid_of(ChainSpec(links="full"), axes), 30, seed=0, progress=False)
    *panels, bar = plot_grid(frame, LAWS).axes
    assert [len(panel.texts) for panel in panels] == [4] * 4
    tanh, relu = panels[:2]
    row = frame[
        (frame.activation == "tanh") & (frame.cure == "none") & (frame.depth == 60) & (frame.law == "he")
    ]
    assert f"{row['q50'].item():.0f}" in [text.get_text() for text in tanh.texts]
    # deepest in the upper row: all 30 networks of 60 layers are dead
    assert [text.get_text() for text in relu.texts if text.get_position()[1] == 1] == ["dead", "dead"]
    assert panels[0].get_ylabel().startswith("no cure")
    assert bar.get_ylabel().startswith("median")


def test_cells_that_rounding_decides_have_a_tilde() -> None:
    base = ChainSpec(38, "full", "relu", cure="batch norm")
    frame = run_grid(grid_of(base, {"law,scale": list(LAWS), "examples": [4]}), 30, seed=0, progress=False)
    assert frame["unresolved"].min() > 0.1
    panel, _ = plot_grid(frame, LAWS).axes
    assert all(text.get_text().startswith("~-") for text in panel.texts)


def test_the_planes_carry_the_critical_lines_of_theory() -> None:
    phase = wide_phase("tanh", [0.6, 0.9, 1.1, 3.0], width=20, depth=30, networks=10, seed=0)
    narrow = narrow_phase([2, 8], [1.0, 2.0, 3.0], networks=100, seed=0)
    wide_panel, narrow_panel, _ = plot_phases([phase], narrow).axes
    np.testing.assert_allclose(wide_panel.lines[0].get_xdata(), phase.critical)
    np.testing.assert_allclose(narrow_panel.lines[0].get_xdata(), narrow.critical)
