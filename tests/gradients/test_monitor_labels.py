from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from coursework.gradients.monitor import GradientMonitor
from coursework.gradients.monitor.labels import FAR, LABELS, label_block
from coursework.gradients.monitor.record import Block, Entry


def labels(
    log10: list[float], dtype: str = "float32", scale: float = 1.0, kind: str = "dW", computed: str = ""
) -> list[str]:
    """Label one-entry layers by the log10 of their gradients."""
    entries = [Entry(i, f"{i}.weight", str(i), 1, dtype, computed=computed) for i in range(1, len(log10) + 1)]
    nonfinite = np.array([int(math.isnan(value)) for value in log10])
    block = Block(kind, entries, {"log10_norm": np.array(log10), "nonfinite": nonfinite})
    return list(label_block(block, scale))


def test_a_gradient_that_fell_below_the_smallest_number_has_underflowed() -> None:
    fallen = [-math.inf, -math.inf, -44.5, -38.0, -30.0, -22.0, -14.0, -6.0, 0.0]
    assert labels(fallen)[:2] == ["underflowed", "underflowed"]
    assert labels(fallen)[2:7] == ["vanishing"] * 5
    # in float64 the same numbers are far from the end: what is zero here is dead
    assert labels(fallen, "float64")[:2] == ["dead", "dead"]


def test_a_gradient_that_is_zero_below_a_healthy_one_is_dead() -> None:
    assert labels([-math.inf, -math.inf, -1.0, -0.5, 0.0]) == ["dead", "dead", "ok", "ok", "ok"]
    assert labels([-math.inf, -math.inf]) == ["dead", "dead"]


def test_a_zero_between_living_layers_is_dead() -> None:
    assert labels([-1.0, -math.inf, -1.0])[1] == "dead"


def test_vanishing_and_exploding_are_five_decades_from_the_output() -> None:
    assert labels([-FAR - 0.1, -FAR + 0.1, FAR - 0.1, FAR + 0.1, 0.0]) == [
        "vanishing", "ok", "ok", "exploding", "ok",
    ]  # fmt: skip
    assert labels([math.nan, 0.0]) == ["nan", "ok"]


def test_a_loss_scaler_moves_the_end_of_the_type() -> None:
    falling = [-math.inf, -7.5, -5.0, -2.5, 0.0]
    assert labels(falling, "float16", kind="delta")[0] == "underflowed"
    assert labels(falling, "float16", scale=2.0**16, kind="delta")[0] == "dead"
    # a parameter's gradient is unscaled again, and must then fit into its own type as well
    assert labels(falling, "float16", scale=2.0**16)[0] == "underflowed"
    assert labels(falling, "float32", scale=2.0**16, computed="float16")[0] == "dead"
    assert labels(falling, "float32", computed="float16")[0] == "underflowed"
    assert labels(falling, "float32")[0] == "dead"


def test_a_run_of_zeros_is_judged_where_it_begins() -> None:
    # a rectifier died in layer 4, far above where the fall would have reached the smallest number
    died = [-math.inf] * 60 + [-3.0, -2.0, -1.0, 0.0]
    assert labels(died)[:60] == ["dead"] * 60
    # the same fall came down to the smallest number, and what is below is lost with it
    fell = [-math.inf] * 60 + [-1.0 * i for i in range(44, -1, -1)]
    assert labels(fell)[:60] == ["underflowed"] * 60
    # two runs, each with its own reason
    two = [-math.inf, -44.5, -38.0, -30.0, -22.0, -14.0, -6.0, 0.0, -math.inf, -0.5]
    assert (labels(two)[0], labels(two)[8]) == ("underflowed", "dead")


def test_activations_have_no_label_and_every_label_has_a_meaning() -> None:
    assert labels([0.0, -50.0], kind="activation") == ["", ""]
    assert set(labels([-math.inf, -9.0, 0.0, 9.0, math.nan, 0.0])) <= set(LABELS)


@pytest.mark.parametrize(("dtype", "label"), [(torch.float32, "underflowed"), (torch.float64, "vanishing")])
def test_a_sigmoid_chain_loses_its_first_layers_in_float32_only(dtype: torch.dtype, label: str) -> None:
    torch.manual_seed(0)
    chain = nn.Sequential(*[m for _ in range(90) for m in (nn.Linear(1, 1), nn.Sigmoid())]).to(dtype)
    for parameter in chain.parameters():
        nn.init.constant_(parameter, 1.0)
    with GradientMonitor(chain, names="*.weight", measure="delta") as monitor:
        chain(torch.ones(4, 1, dtype=dtype)).sum().backward()
        monitor.record()
    frame = monitor.frame()
    for kind in ("dW", "delta"):
        rows = frame[frame["kind"] == kind]
        assert rows["label"].iloc[0] == label
        assert rows["label"].iloc[-1] == "ok"
        # no layer that float32 still holds is called lost: it is so from one layer on
        lost = (rows["label"] == "underflowed").to_numpy()
        assert (np.diff(lost.astype(int)) <= 0).all()


def test_a_layer_behind_a_dead_rectifier_is_dead_in_float32() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    nn.init.constant_(model[2].bias, -100.0)
    with GradientMonitor(model, names="*.weight", measure="activation") as monitor:
        model(torch.ones(4, 2)).sum().backward()
        monitor.record()
    frame = monitor.frame()
    # the last weights see activations that are all 0, and nothing comes back through them
    assert list(frame[frame["kind"] == "dW"]["label"]) == ["dead"] * 3
    dead = frame[frame["kind"] == "activation"]
    assert list(dead["name"]) == ["1", "3"]
    assert (dead["dead_units"].iloc[1], dead["units"].iloc[1]) == (3, 3)


def gradient_step(model: nn.Module, x: torch.Tensor, **watch: Any) -> GradientMonitor:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    with GradientMonitor(model, names="*.weight", **watch) as monitor:
        model(x).float().square().sum().backward()
        optimizer.step()
    return monitor


def test_a_dead_layer_deep_in_a_rectifier_network_is_dead_down_to_the_inputs() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(*[m for _ in range(152) for m in (nn.Linear(32, 32), nn.ReLU())][:-1])
    nn.init.constant_(model[2 * 140].bias, -100.0)
    found = list(gradient_step(model, torch.randn(16, 32)).frame()["label"])
    assert found[:142] == ["dead"] * 142
    assert set(found[142:]) == {"ok"}


class Cast(nn.Module):
    """A network that casts within itself."""

    def __init__(self, inner: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.inner, self.dtype = inner, dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", self.dtype):
            return self.inner(x)


def sigmoids(layers: int) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(*[m for _ in range(layers) for m in (nn.Linear(16, 16), nn.Sigmoid())][:-1])


def test_what_half_precision_loses_under_autocast_is_lost_and_not_dead_in_both_kinds_of_rows() -> None:
    monitor = gradient_step(Cast(sigmoids(30), torch.float16), torch.randn(16, 16), measure="delta")
    frame = monitor.frame()
    weights, deltas = (frame[frame["kind"] == kind] for kind in ("dW", "delta"))
    assert (set(weights["dtype"]), set(weights["computed"])) == ({"float32"}, {"float16"})
    assert list(weights["label"])[:8] == ["underflowed"] * 8
    assert list(weights["label"]) == list(deltas["label"])
    (said,) = [one.text for one in monitor.diagnose() if one.rule == "underflowed"]
    assert "because float16 ends" in said
    assert "dead" not in {one.rule for one in monitor.diagnose()}
    # the same network's gradients are all there in bfloat16
    wide = gradient_step(Cast(sigmoids(30), torch.bfloat16), torch.randn(16, 16)).frame()
    assert "underflowed" not in set(wide["label"])


def test_under_a_loss_scaler_too() -> None:
    model = sigmoids(40)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with GradientMonitor(model, names="*.weight", measure="delta", scaler=scaler) as monitor:
        for _ in range(2):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                loss = model(torch.randn(16, 16)).float().square().mean()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    frame = monitor.frame()
    for step in (1, 2):
        for kind in ("dW", "delta"):
            found = list(frame[(frame["step"] == step) & (frame["kind"] == kind)]["label"])
            assert found[:15] == ["underflowed"] * 15
            assert "dead" not in found
