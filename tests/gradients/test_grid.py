from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from coursework.gradients import grid
from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw

SMALL = ChainSpec(links="full", depth=6)


def test_a_grid_is_every_combination_and_some_attributes_change_together() -> None:
    axes = {"depth": [3, 5], "law,scale": [("normal", 2.0), ("he", 1.0)], "activation": ["relu", "tanh"]}
    specs = grid.grid_of(SMALL, axes)
    assert len(specs) == 8
    assert specs[0] == ChainSpec(links="full", depth=3, law="normal", scale=2.0, activation="relu")
    assert specs[-1] == ChainSpec(links="full", depth=5, law="he", scale=1.0, activation="tanh")


def test_axes_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="axis 'deep' needs values and names among activation"):
        grid.grid_of(SMALL, {"deep": [1]})
    with pytest.raises(ValueError, match="axis 'depth' needs values"):
        grid.grid_of(SMALL, {"depth": []})
    with pytest.raises(ValueError, match="specs is empty"):
        grid.run_grid([], 10, 0)


@pytest.mark.parametrize(
    ("spec", "beyond_float64"),
    [
        (ChainSpec(links="full", depth=152, activation="sigmoid", scale=100.0), True),
        (ChainSpec(links="full", depth=152, activation="gelu", scale=2.0), True),
        (ChainSpec(links="full", depth=12, activation="relu", width=3), False),
        (ChainSpec(links="full", depth=300, activation="relu", scale=0.05, alive=True), True),
        (
            ChainSpec(links="full", depth=100, activation="relu", cure="batch norm", examples=3, scale=9.0),
            True,
        ),
        (ChainSpec(links="full", depth=20, activation="tanh", cure="batch norm", examples=4), False),
        (
            ChainSpec(links="chains", depth=30, activation="leaky relu", cure="residual", bias_scale=1.0),
            False,
        ),
    ],
)
def test_what_arrives_is_what_the_exact_numbers_say_also_where_float64_fails(
    spec: ChainSpec, beyond_float64: bool
) -> None:
    networks = draw(spec, 40, seed=2)
    found, again = grid.arriving(networks)
    exact = run(networks).log10_delta_norms
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(exact[0]))
    alive = np.isfinite(found)
    np.testing.assert_allclose(found[alive], (exact[0] - exact[-1])[alive], rtol=1e-6, atol=1e-6)
    assert again.any() == beyond_float64


def test_a_cell_holds_quantiles_of_the_living_and_the_share_of_the_dead() -> None:
    found = grid.measure(ChainSpec(links="full", depth=8, activation="relu"), 2000, seed=1)
    assert found["zero"] == pytest.approx(1 - 0.75**7, abs=0.04)
    assert found["q05"] < found["q25"] < found["q50"] < found["q75"] < found["q95"]
    dead = grid.measure(ChainSpec(links="full", depth=152, activation="relu"), 20, seed=1)
    assert dead["zero"] == 1.0
    assert np.isnan(dead["q50"])


def test_a_cell_depends_on_neither_its_neighbours_nor_the_threads() -> None:
    specs = grid.grid_of(SMALL, {"depth": [3, 4, 6], "activation": ["sigmoid", "relu"]})
    whole = grid.run_grid(specs, 50, seed=3, workers=2, progress=False)
    alone = grid.run_grid(specs[3:4], 50, seed=3, workers=1, progress=False)
    pd.testing.assert_frame_equal(whole.iloc[3:4].reset_index(drop=True), alone)
    assert list(whole["depth"]) == [3, 3, 4, 4, 6, 6]


def test_an_interrupted_sweep_keeps_its_cells_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = grid.grid_of(SMALL, {"depth": [3, 4, 5, 6], "scale": [1.0, 2.0]})
    path = tmp_path / "sweep.jsonl"
    measure, measured = grid.measure, []

    def interrupted(spec: ChainSpec, networks: int, seed: int) -> dict[str, float]:
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append(spec)
        return measure(spec, networks, seed)

    monkeypatch.setattr(grid, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grid.run_grid(specs, 40, seed=4, path=path, workers=1, progress=False)
    kept = len(path.read_text().splitlines())
    assert 1 <= kept <= 3
    with path.open("a") as handle:
        handle.write('{"cell": "Chain')  # power lost in the middle of a line

    again: list[Any] = []
    monkeypatch.setattr(grid, "measure", lambda *cell: again.append(cell) or measure(*cell))
    resumed = grid.run_grid(specs, 40, seed=4, path=path, workers=1, progress=False)
    assert len(again) == len(specs) - kept
    monkeypatch.setattr(grid, "measure", measure)
    pd.testing.assert_frame_equal(resumed, grid.run_grid(specs, 40, seed=4, progress=False))
    whole = [line for line in path.read_text().splitlines() if line.endswith("}")]
    assert len({json.loads(line)["cell"] for line in whole}) == len(specs)


def test_other_networks_or_another_seed_are_other_cells(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    for networks, seed in ((10, 0), (20, 0), (10, 1), (10, 0)):
        grid.run_grid([SMALL], networks, seed, path=path, progress=False)
    assert len(path.read_text().splitlines()) == 3


def test_cells_that_other_code_measured_are_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sweep.jsonl"
    grid.run_grid([SMALL], 10, 0, path=path, progress=False)
    monkeypatch.setattr(grid, "_code", lambda: "later")
    grid.run_grid([SMALL], 10, 0, path=path, progress=False)
    grid.run_grid([SMALL], 10, 0, path=path, progress=False)
    assert len(path.read_text().splitlines()) == 2


def test_the_bar_counts_cells(capsys: pytest.CaptureFixture[str]) -> None:
    grid.run_grid(grid.grid_of(SMALL, {"depth": [2, 3, 4]}), 10, seed=0)
    assert "3/3" in capsys.readouterr().err
