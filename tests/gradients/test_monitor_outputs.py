from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torchvision.models import regnet

from coursework.gradients.monitor import GradientMonitor
from coursework.gradients.monitor.activations import Activations
from coursework.gradients.monitor.calls import Deltas
from coursework.gradients.monitor.outputs import innermost, weighted


def test_small_and_large_outputs_have_the_mean_deviation_and_dead_units_of_their_entries() -> None:
    torch.manual_seed(0)
    calls = Activations(["small", "large", "picture", "sequence", "narrow"])
    tensors = [torch.randn(4, 5), torch.randn(64, 256), torch.randn(4, 6, 20, 20), torch.randn(4, 300, 3),
               1000 + 1e-2 * torch.randn(64, 256)]  # fmt: skip
    for tensor in tensors[:3]:
        tensor[:, 2] = 0
    tensors[3][:, :, 1] = 0
    for _ in range(2):
        for place, tensor in enumerate(tensors):
            calls.add(place, tensor)
        block = calls.collect()
        exact = [tensor.double() for tensor in tensors]
        np.testing.assert_allclose(
            block.columns["mean"], [float(t.mean()) for t in exact], atol=1e-6, rtol=1e-6
        )
        np.testing.assert_allclose(
            block.columns["std"], [float(t.std(correction=0)) for t in exact], rtol=2e-3
        )
        assert list(block.columns["dead_units"]) == [1, 1, 1, 1, 0]
        assert list(block.columns["units"]) == [5, 256, 6, 3, 256]


def test_the_calls_of_a_module_make_one_sample() -> None:
    calls = Activations(["twice", "never"])
    calls.add(0, torch.tensor([[0.0, 0.0, 1.0]]))
    calls.add(0, torch.tensor([[0.0, 2.0, 3.0], [0.0, 4.0, 5.0]]))
    block = calls.collect()
    sample = np.array([0, 0, 1, 0, 2, 3, 0, 4, 5])
    assert block.columns["mean"][0] == pytest.approx(sample.mean())
    assert block.columns["std"][0] == pytest.approx(sample.std())
    assert list(block.columns["dead_units"]) == [1, -1]  # only the first was 0 in both calls
    assert math.isnan(block.columns["mean"][1])
    assert block.entries[1].missing == "unused"


def test_deltas_keep_their_norms_below_float32s_squares_and_count_what_is_not_finite() -> None:
    calls = Deltas(["small", "large", "bad", "wide"])
    for place, tensor in enumerate((torch.full((2, 2), 1e-40), torch.full((64, 64), 1e-30),
                                    torch.tensor([math.nan, math.inf, 1.0]),
                                    torch.full((64, 64), math.nan))):  # fmt: skip
        calls.add(place, tensor)
    block = calls.collect()
    expected = [math.log10(2) - 40, math.log10(64) - 30, np.nan, np.nan]
    np.testing.assert_allclose(block.columns["log10_norm"], expected, atol=1e-4)
    assert list(block.columns["nonfinite"]) == [0, 0, 2, 4096]


def test_delta_is_the_gradient_of_what_a_module_returned_even_if_it_is_overwritten() -> None:
    torch.manual_seed(0)
    inner = nn.Linear(2, 3)
    model = nn.Sequential(inner, nn.ReLU(inplace=True), nn.Linear(3, 1))
    x = torch.randn(5, 2)
    with GradientMonitor(model, measure=("delta", "activation")) as monitor:
        model(x).square().sum().backward()
        monitor.record()
    a = inner(x).detach().requires_grad_()
    model[2](torch.relu(a)).square().sum().backward()
    frame = monitor.frame().set_index(["kind", "name"])
    assert frame.loc[("delta", "0"), "norm"] == pytest.approx(float(a.grad.norm()), rel=1e-6)
    assert frame.loc[("activation", "1"), "mean"] == pytest.approx(float(a.detach().relu().mean()), rel=1e-6)


def test_checkpointed_and_validated_outputs_are_not_mixed_up() -> None:
    class Checkpointed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(2, 2), nn.Tanh())

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.inner, x, use_reentrant=False)

    model = Checkpointed()
    x = torch.ones(3, 2)
    with GradientMonitor(model, measure=("delta", "activation")) as monitor:
        with torch.no_grad():
            model(1000 * x)
        model(x).sum().backward()
        monitor.record()
    frame = monitor.frame().set_index(["kind", "name"])
    assert frame.loc[("activation", "inner.1"), "mean"] == pytest.approx(
        float(model.inner(x).detach().mean())
    )
    assert frame.loc[("delta", "inner.0"), "norm"] > 0


def test_modules_are_chosen_by_pattern() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    with GradientMonitor(model, measure=("activation", "delta"), modules="[02]") as monitor:
        model(torch.ones(3, 2)).sum().backward()
        monitor.record()
    frame = monitor.frame()
    assert [list(frame[frame["kind"] == kind]["name"]) for kind in ("delta", "activation")] == [
        ["0", "2"]
    ] * 2


def test_half_precision_is_measured_under_autocast() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with GradientMonitor(model, measure=("delta", "activation")) as monitor:
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(torch.randn(64, 4)).float().square().mean()
        loss.backward()
        optimizer.step()
    frame = monitor.frame()
    assert set(frame[frame["kind"] == "dW"]["dtype"]) == {"float32"}
    assert set(frame[frame["kind"] != "dW"]["dtype"]) == {"bfloat16"}
    assert np.isfinite(frame[frame["kind"] != "activation"]["norm"]).all()
    assert frame[frame["kind"] == "activation"]["std"].gt(0).all()


def test_units_are_the_channels_of_signals_and_the_last_axis_of_sequences() -> None:
    torch.manual_seed(0)
    signals = nn.Sequential(nn.Conv1d(2, 8, 3), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten())
    sequences = nn.Sequential(nn.Embedding(9, 6), nn.Linear(6, 5), nn.ReLU())
    with torch.no_grad():
        signals[1].bias[:6] = -100.0
        sequences[1].bias[:2] = -100.0
    for length in (20, 400):  # small and large outputs
        for model, x, expected in (
            (signals, torch.randn(4, 2, length), {"2": (8, 6), "3": (8, 6)}),
            (sequences, torch.randint(9, (4, length)), {"2": (5, 2)}),
        ):
            with GradientMonitor(model, measure="activation") as monitor:
                model(x).sum().backward()
                monitor.record()
            frame = monitor.frame().query("kind == 'activation'").set_index("name")
            found = {name: (frame.loc[name, "units"], frame.loc[name, "dead_units"]) for name in expected}
            assert found == expected


def test_units_that_cancel_are_not_dead() -> None:
    calls = Activations(["odd"])
    x = torch.randn(2000, 3)
    x[:, 2] = 0
    calls.add(0, torch.cat([x, -x]))
    assert calls.collect().columns["dead_units"][0] == 1


def test_a_module_whose_parent_computes_for_it_is_not_called_unused() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend, self.spare = nn.MultiheadAttention(4, 2), nn.Linear(1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.attend(x, x, x)[0]

    model = Attention()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with GradientMonitor(model, measure="delta") as monitor:
        model(torch.randn(3, 2, 4)).sum().backward()
        optimizer.step()
    deltas = monitor.frame().query("kind == 'delta'").set_index("name")["label"]
    assert dict(deltas) == {"attend": "ok", "attend.out_proj": "uncalled", "spare": "unused"}


def test_inceptions_activations_are_those_of_its_blocks() -> None:
    with torch.device("meta"):
        model = torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False)
    chosen = innermost(model)
    assert sum(type(module).__name__ == "BasicConv2d" for module in chosen.values()) == 94
    assert not any(name.endswith((".conv", ".bn")) for name in chosen)
    assert len(weighted(model)) == 2 * 94 + 1


NAMES = torchvision.models.list_models(module=torchvision.models)


@pytest.fixture
def on_meta(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], nn.Module]:
    """Build a torchvision model whose parameters have shapes but no numbers."""
    widths = regnet.BlockParams.from_init_params

    def on_cpu(*given: Any, **more: Any) -> Any:
        with torch.device("cpu"):  # RegNet computes its layers' widths with tensors
            return widths(*given, **more)

    monkeypatch.setattr(regnet.BlockParams, "from_init_params", on_cpu)

    def build(name: str) -> nn.Module:
        more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        with torch.device("meta"):
            return torchvision.models.get_model(name, weights=None, **more)

    return build


def test_every_classification_model_of_torchvision_can_be_watched(
    on_meta: Callable[[str], nn.Module],
) -> None:
    assert len(NAMES) >= 80
    for name in NAMES:
        model = on_meta(name)
        with GradientMonitor(model, measure=("delta", "activation", "update", "zeros")) as monitor:
            # until the first step all are watched, to see in what order they run
            assert all("forward" in vars(module) for module in model.modules()), name
        assert not any("forward" in vars(module) for module in model.modules()), name
        assert monitor.frame().empty


FAMILIES = (
    "alexnet", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mnasnet0_5",
    "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t",
    "vgg11_bn", "vit_b_32",
)  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_one_of_each_family_runs_backward_under_the_hooks_for_delta(
    name: str, on_meta: Callable[[str], nn.Module]
) -> None:
    model = on_meta(name)
    size = 299 if name == "inception_v3" else 224
    with GradientMonitor(model, measure=("delta", "activation")) as monitor:
        output = model(torch.zeros(2, 3, size, size, device="meta"))
        getattr(output, "logits", output).sum().backward()
        assert monitor._outputs is not None
        seen = {
            kind: sum(size > 0 for size in calls.sizes) for kind, calls in monitor._outputs._calls.items()
        }
    assert seen["delta"] >= 8
    assert seen["activation"] >= 6


def test_inception_trains_to_the_same_last_bit_under_a_monitor() -> None:
    def trained(watch: bool) -> tuple[nn.Module, GradientMonitor]:
        torch.manual_seed(0)
        model = torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False)
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
        monitor = GradientMonitor(model, measure=("delta", "activation") if watch else ())
        x = torch.randn(2, 3, 75, 75)
        if watch:
            monitor.__enter__()
        for _ in range(2):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
        if watch:
            monitor.__exit__(None, None, None)
        return model, monitor

    (alone, _), (watched, monitor) = trained(False), trained(True)
    assert all(map(torch.equal, alone.state_dict().values(), watched.state_dict().values()))
    frame = monitor.frame()
    assert frame["step"].max() == 2
    assert (frame[frame["kind"] != "activation"]["norm"] > 0).all()
    assert frame[frame["kind"] == "activation"]["std"].ge(0).all()
