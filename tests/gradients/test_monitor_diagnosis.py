from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from coursework.gradients.mlp import watch_training
from coursework.gradients.monitor import GradientMonitor, diagnose, plot_record
from coursework.gradients.monitor.record import Block, Entry, Record, Step
from coursework.gradients.monitor.slopes import steepest
from coursework.gradients.monitor.summary import summarize


def table(log10: list[list[float]], kind: str = "dW", **columns: Any) -> pd.DataFrame:
    """Return steps of one-entry layers with these log10 norms."""
    steps = []
    for number, values in enumerate(log10, start=1):
        entries = [Entry(i, f"{i}.weight", str(i), 1, "float32", axes=2) for i in range(1, len(values) + 1)]
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
    assert steepest(table([[-9.0, 0.0, 0.0]])) is None
    assert steepest(table([[-20.0, -15.0, -10.0, -5.0, 0.0]])) is None
    assert steepest(table([[-3.5, -2.8, -2.1, -1.4, -0.7, 0.0]])) is None


def test_a_jump_between_layers_is_no_trend() -> None:
    assert steepest(table([[0.0] * 24 + [6.0] * 2])) is None
    assert steepest(table([[0.0] * 4 + [6.0] * 4])) is None
    noisy = np.random.default_rng(0).normal(0, 1.5, 40)
    assert steepest(table([list(noisy)])) is None


def test_a_short_fall_is_told_as_it_is_and_not_extrapolated() -> None:
    slope = steepest(table([[0.0] * 14 + [float(i) for i in range(1, 7)]]))
    assert slope is not None
    assert (
        slope.in_words("gradients") == "gradients fall 10^6.0 over 6 layers from layer 20 down to 14 (of 20)"
    )


def test_layers_that_only_grow_wider_do_not_vanish() -> None:
    frame = table([[0.0] * 20])
    assert steepest(frame.assign(size=[4**i for i in range(20)])) is None


def test_biases_and_scales_of_normalization_are_not_mixed_with_matrices() -> None:
    frame = table([[-1.0 * (i % 2) - 0.2 * i * (i % 2) for i in range(40)]])
    vectors = frame.assign(axes=[2 - i % 2 for i in range(40)])
    assert "vanishing" not in found(vectors)
    assert steepest(vectors[vectors["axes"] == 1]) is not None
    assert found(vectors[vectors["axes"] == 1]) == {}


def inception_like() -> nn.Module:
    """Convolutions with BatchNorm in parallel branches, and a head of two matrices of torch's own scale."""

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.branches = nn.ModuleList(
                nn.Sequential(*[m for i in range(depth) for m in (
                    nn.Conv2d(24 if i == 0 else 8, 8, size, padding=size // 2, bias=False),
                    nn.BatchNorm2d(8, eps=0.001), nn.ReLU())])
                for depth, size in ((1, 1), (2, 3), (3, 3))
            )  # fmt: skip

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([branch(x) for branch in self.branches], dim=1)

    blocks = [Mixed() for _ in range(4)]
    head = [nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 3)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *head)


class PreActivation(nn.Module):
    """A residual block that normalizes before its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(*[m for _ in range(2) for m in (
            nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, bias=False))])  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def he_network() -> nn.Module:
    layers: list[nn.Module] = []
    for _ in range(30):
        linear = nn.Linear(64, 64)
        nn.init.kaiming_normal_(linear.weight)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 3))


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    return nn.Sequential(encoder, nn.Flatten(), nn.Linear(16 * 5, 3))


HEALTHY: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "Inception": (inception_like, (8, 24, 8, 8)),
    "residual": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3), *[PreActivation() for _ in range(12)], nn.Flatten(), nn.Linear(8 * 36, 3)
        ),
        (8, 3, 8, 8),
    ),
    "He": (he_network, (16, 64)),
    "transformer": (transformer, (8, 5, 16)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_network_in_training_is_left_in_peace(name: str) -> None:
    torch.manual_seed(0)
    build, shape = HEALTHY[name]
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, t = torch.randn(shape), torch.arange(shape[0]) % 3
    with GradientMonitor(model, measure=("delta", "activation")) as monitor:
        for _ in range(5):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), t).backward()
            optimizer.step()
    assert monitor.diagnose() == []


def test_the_record_that_once_raised_a_false_alarm_raises_none() -> None:
    # Inception's last stages in training: 24 convolutions at 10^-1.5 to 10^-0.5, each with its BatchNorm's
    # scale and shift far below, and a head whose two matrices and biases lie at 10^0.2 to 10^1.2
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 76)
    log10, entries = [], []
    for layer in range(24):
        for part, (level, size, axes) in {
            "conv.weight": (-1.0, 384 * 448 * 3, 4), "bn.weight": (-2.2, 384, 1), "bn.bias": (-2.2, 384, 1),
        }.items():  # fmt: skip
            log10.append(level + noise[len(log10)])
            entries.append((f"base.{layer}.{part}", size, axes))
    for name, size, axes in (
        ("0.weight", 2048 * 64, 2),
        ("0.bias", 64, 1),
        ("2.weight", 192, 2),
        ("2.bias", 3, 1),
    ):
        log10.append(0.7 + noise[len(log10)])
        entries.append((f"head.{name}", size, axes))
    named = [
        Entry(index, name, name.rpartition(".")[0], size, "float32", axes=axes)
        for index, (name, size, axes) in enumerate(entries, start=1)
    ]
    logs = np.array(log10)
    block = Block("dW", named, {"norm": 10.0**logs, "log10_norm": logs, "nonfinite": np.zeros(76, dtype=int)})
    assert diagnose(Record().frame([Step(1, [block])])) == []


def test_normalizing_networks_are_not_told_that_their_weights_are_too_small() -> None:
    torch.manual_seed(0)
    layers = [m for _ in range(40) for m in (nn.Linear(16, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU())]
    model = nn.Sequential(*layers)
    with GradientMonitor(model) as monitor:
        model(torch.randn(32, 16)).pow(3).mean().backward()
        monitor.record()
    # BatchNorm without residual links makes gradients grow towards the inputs (Yang et al. 2019)
    said = {finding.rule: finding.text for finding in monitor.diagnose()}
    assert "it normalizes already" in said["exploding"]
    assert "under He" not in said["exploding"]


def test_the_chain_and_the_sigmoid_network_of_section_2_vanish_whenever_one_looks() -> None:
    torch.manual_seed(0)
    chain = nn.Sequential(*[m for _ in range(152) for m in (nn.Linear(1, 1), nn.Sigmoid())])
    with GradientMonitor(chain) as monitor:
        chain(torch.randn(8, 1)).square().mean().backward()
        monitor.record()
    said = {finding.rule: finding.text for finding in monitor.diagnose()}
    assert "per 10 layers from layer 152 down to" in said["vanishing"]
    assert "underflowed" in said
    for steps in (1, 5, 40, 100):
        said = {f.rule: f.text for f in watch_training("sigmoid", 12, steps, seed=0).diagnose()}
        assert "from layer 12 down to 1 (of 12)" in said["vanishing"], steps


def test_sigmoids_with_small_weights_are_named_with_their_cure() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(*[m for _ in range(20) for m in (nn.Linear(8, 8), nn.Sigmoid())])
    with GradientMonitor(model) as monitor:
        model(torch.randn(16, 8)).sum().backward()
        monitor.record()
    (finding,) = [one for one in monitor.diagnose() if one.rule == "vanishing"]
    assert "sigmoid with weights of scale" in finding.text
    assert "under 10.15, the critical scale of wide layers" in finding.text
    assert "He initialization with ReLU" in finding.text
    assert "Hochreiter 1991" in finding.source
    assert str(finding) in monitor.summary()


@pytest.mark.parametrize(
    ("width", "scale", "words"),
    [
        (32, 5.0, "sigmoid with weights of scale 5, under 10.15, the critical scale of wide layers"),
        (1, 2.0, "sigmoid with weights of scale 2, under 4, under which no factor exceeds 1"),
        (1, 30.0, "sigmoid with weights of scale 30, in saturation over 4"),
    ],
)
def test_the_scale_of_weights_is_compared_with_what_is_critical_at_their_width(
    width: int, scale: float, words: str
) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(*[m for _ in range(20) for m in (nn.Linear(width, width), nn.Sigmoid())])
    for linear in model[::2]:
        nn.init.normal_(linear.weight)
        with torch.no_grad():
            linear.weight *= scale / width**0.5 / linear.weight.square().mean().sqrt()
    with GradientMonitor(model) as monitor:
        model(torch.randn(64, width)).sum().backward()
        monitor.record()
    (finding,) = [one for one in monitor.diagnose() if one.rule == "vanishing"]
    assert words in finding.text


class OutOfOrder(nn.Module):
    """Ten layers of sigmoids that are listed in another order than they run in."""

    def __init__(self, order: str) -> None:
        super().__init__()
        if order == "head first":
            self.head = nn.Linear(16, 1)
        self.layers = nn.ModuleList([nn.Linear(16, 16) for _ in range(9)])
        if order == "reversed":
            self.head = nn.Linear(16, 1)
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        layers = list(self.layers)
        for layer in layers[::-1] if self.order == "reversed" else layers:
            x = torch.sigmoid(layer(x))
        return self.head(x)


@pytest.mark.parametrize("order", ["head first", "reversed"])
def test_layers_stand_in_the_order_in_which_they_run(order: str) -> None:
    torch.manual_seed(0)
    model = OutOfOrder(order)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    with GradientMonitor(model, names="*.weight", measure="delta") as monitor:
        model(torch.randn(16, 16)).square().sum().backward()
        optimizer.step()
    ran = [*[f"layers.{i}" for i in range(9)][:: -1 if order == "reversed" else 1], "head"]
    frame = monitor.frame()
    for kind, names in (("dW", [f"{name}.weight" for name in ran]), ("delta", ran)):
        rows = frame[frame["kind"] == kind]
        assert list(rows["name"]) == names
        assert list(rows["index"]) == list(range(1, 11))
        assert rows["log10_norm"].is_monotonic_increasing
    (finding,) = [one for one in monitor.diagnose() if one.rule in ("vanishing", "exploding")]
    assert finding.rule == "vanishing"
    assert "from layer 10 down to 1 (of 10)" in finding.text


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
