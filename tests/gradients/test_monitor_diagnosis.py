from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from coursework.gradients.monitor import GradientMonitor, diagnose, plot_record
from coursework.gradients.monitor.record import Block, Entry, Record, Step
from coursework.gradients.monitor.slopes import steepest
from coursework.gradients.monitor.summary import summarize


def table(log10: list[list[float]], kind: str = "dW", **columns: Any) -> pd.DataFrame:
    """Return steps of one-entry layers with these log10 norms."""
    steps = []
    for number, values in enumerate(log10, start=1):
        entries = [Entry(i, f"{i}.weight", str(i), 1, "float32") for i in range(1, len(values) + 1)]
        logs = np.array(values)
        block = Block(kind, entries, {"norm": 10.0**logs, "log10_norm": logs, **columns,
                                      "nonfinite": np.isnan(logs).astype(int)})  # fmt: skip
        steps.append(Step(number, [block]))
    return Record().frame(steps)


def found(frame: pd.DataFrame, model: nn.Module | None = None) -> dict[str, str]:
    return {finding.rule: str(finding) for finding in diagnose(frame, model)}


def test_a_level_gradient_is_nothing_to_speak_of() -> None:
    assert found(table([[0.0, 0.1, -0.1, 0.2, 0.0, 0.1]])) == {}
    assert diagnose(table([])) == []
    assert summarize(table([[0.0, 0.1]]), []).endswith("nothing conspicuous")


def test_a_fall_is_described_by_where_it_begins_and_how_steep_it_is() -> None:
    level, falling = [0.0] * 10, [-0.3 * i for i in range(40, 0, -1)]
    slope = steepest(table([falling + level]))
    assert slope is not None
    assert (slope.first, slope.last, slope.layers) == (1, pytest.approx(41, abs=1), 50)
    assert slope.per_layer == pytest.approx(0.3, abs=0.01)
    said = found(table([falling + level]))
    assert "fall 10^3.0 per 10 layers from layer 41 down to 1 (of 50)" in said["vanishing"]
    grown = found(table([[-value for value in falling]]))
    assert "grow 10^3.0 per 10 layers" in grown["exploding"]
    assert "clip" in grown["exploding"]


def test_a_slope_that_is_too_slight_or_too_short_does_not_count() -> None:
    assert steepest(table([[-0.04 * i for i in range(60)]])) is None
    assert steepest(table([[-1.0, -0.5, 0.0, 0.0, 0.0]])) is None
    assert steepest(table([[-9.0, 0.0, 0.0]])) is None


def test_sigmoids_with_small_weights_are_named_with_their_cure() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(*[m for _ in range(20) for m in (nn.Linear(8, 8), nn.Sigmoid())])
    with GradientMonitor(model) as monitor:
        model(torch.randn(16, 8)).sum().backward()
        monitor.record()
    (finding,) = [one for one in monitor.diagnose() if one.rule == "vanishing"]
    assert "sigmoid with weights of scale" in finding.text
    assert "under 4" in finding.text
    assert "He initialization with ReLU" in finding.text
    assert "Hochreiter 1991" in finding.source
    assert str(finding) in monitor.summary()


def test_zeros_are_said_to_be_lost_or_dead() -> None:
    lost = found(table([[-math.inf, -44.0, -36.0, -28.0, -20.0, -10.0, 0.0]]))
    assert "1 gradients are exactly 0 because float32 ends" in lost["underflowed"]
    dead = found(table([[-math.inf, 0.0, 0.0, 0.0]]))
    assert "No path is alive" in dead["dead"]


def test_what_is_not_finite_is_dated() -> None:
    said = found(table([[0.0, 0.0], [math.nan, 0.0], [math.nan, math.nan]]))
    assert "1 entries are infinite or NaN from step 2 on, in 1.weight" in said["not finite"]


def test_deltas_that_fall_alone_are_told_from_vanishing_weights() -> None:
    deltas = table([[-0.5 * i for i in range(20, 0, -1)]], kind="delta")
    both = pd.concat([table([[0.0] * 20]), deltas])
    assert set(found(both)) == {"delta and dW part"}


def test_dead_units_growth_updates_and_unused_parameters_are_found() -> None:
    units = {"units": np.array([10, 10]), "dead_units": np.array([9, 1])}
    assert (
        "45% of the units"
        not in (said := found(table([[math.nan] * 2], "activation", **units)))["dead units"]
    )
    assert "90% of the units of 1.weight" in said["dead units"]
    assert "grew 4.0 decades" in found(table([[0.4 * i] * 2 for i in range(11)]))["growing"]
    ratio = {"update_norm": np.full(4, 1e-9), "weight_norm": np.ones(4)}
    assert "raise the learning rate" in found(table([[0.0] * 4], **ratio))["updates"]
    model = nn.ModuleDict({"used": nn.Linear(1, 1), "spare": nn.Linear(1, 1)})
    monitor = GradientMonitor(model)
    model["used"](torch.ones(1, 1)).sum().backward()
    monitor.record()
    assert "2 parameters ask for a gradient and got none: spare.weight" in found(monitor.frame())["unused"]


def test_the_figures_show_every_layer_the_zeros_and_the_end_of_the_type() -> None:
    frame = table([[-44.0 + step, *(-36.0 + 9 * i for i in range(5))] for step in range(3)])
    last = table([[-math.inf, -44.0, -36.0, -27.0, -9.0, 0.0]]).assign(step=4)
    both = pd.concat([frame, last])
    (axes,) = plot_record(both, "layers").axes
    words = [text.get_text() for text in (*axes.get_legend().get_texts(), *axes.texts)]
    assert "step 4" in words
    assert "exactly 0: underflowed" in words
    assert any("float32 ends" in word for word in words)
    image, bar = plot_record(both, "time").axes
    assert image.get_title(loc="left") == "grey: exactly 0"
    assert image.collections[0].get_array().shape == (6, 4)
    assert bar.get_ylabel().startswith("gradient of the parameter")
    deltas = pd.concat([both, table([[0.0, 1.0]], "delta")])
    assert len(plot_record(deltas, "flow", step=1).axes) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"view": "pie"}, "choose 'layers', 'time' or 'flow'"),
        ({"kind": "delta"}, "kind='delta': choose 'dW' or 'delta'; the record has dW"),
        ({"view": "flow", "step": 9}, "step=9: the record has 1 steps from 1 to 1"),
    ],
)
def test_figures_of_what_was_not_recorded_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_record(table([[0.0, 0.0]]), **given)


def test_a_long_summary_shows_every_few_layers_and_says_so() -> None:
    text = summarize(table([[0.0] * 100]), [])
    assert "(40 of 100 shown)" in text
    assert "1.weight " in text
    assert "100.weight" in text
