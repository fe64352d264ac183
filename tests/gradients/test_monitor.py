from __future__ import annotations

import copy
import math
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks
from torch.utils._python_dispatch import TorchDispatchMode

from coursework.gradients.monitor import GradientMonitor, activations, calls, fetch, norms, reader

EVERYTHING = ("delta", "activation", "update", "zeros")


def train(model: nn.Module, steps: int = 3, optimizer: torch.optim.Optimizer | None = None) -> None:
    x = torch.linspace(-1, 1, 12).reshape(6, 2)
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1))


def hooks_of(model: nn.Module) -> list[Any]:
    """Return hooks, and what modules have in place of what their classes say."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    found = [hook for module in model.modules() for kind in kinds for hook in getattr(module, kind).values()]
    names = ("forward", "__deepcopy__", "__reduce_ex__")
    return found + [name for module in model.modules() for name in names if name in vars(module)]


def test_each_step_and_parameter_has_one_row_with_the_norm_of_its_gradient() -> None:
    model = small()
    with GradientMonitor(model) as monitor:
        train(model, steps=2)
    frame = monitor.frame()
    assert list(zip(frame["step"], frame["name"], frame["index"], strict=True)) == [
        (step, name, index)
        for step in (1, 2)
        for index, name in enumerate(("0.weight", "0.bias", "2.weight", "2.bias"), start=1)
    ]
    # the gradients of the last step are still there
    for row, parameter in zip(frame.iloc[4:].to_dict("records"), model.parameters(), strict=True):
        assert row["norm"] == pytest.approx(float(parameter.grad.norm()), rel=1e-6)
        assert row["log10_norm"] == pytest.approx(math.log10(row["norm"]))
        assert (row["label"], row["size"], row["nonfinite"]) == ("ok", parameter.numel(), 0)


def test_a_module_has_one_row_with_the_norm_over_all_its_parameters() -> None:
    model = small()
    with GradientMonitor(model, measure="zeros") as monitor:
        train(model, steps=1)
    frame = monitor.frame(by="module")
    assert list(frame["name"]) == ["0", "2"]
    assert list(frame["size"]) == [9, 4]
    first = math.hypot(float(model[0].weight.grad.norm()), float(model[0].bias.grad.norm()))
    assert frame["norm"][0] == pytest.approx(first, rel=1e-6)
    assert frame["log10_norm"][0] == pytest.approx(math.log10(first), rel=1e-6)
    assert list(frame["zeros"]) == [0, 0]


def test_a_step_that_fails_leaves_no_hook_behind() -> None:
    before = len(_global_optimizer_pre_hooks), len(_global_optimizer_post_hooks)
    model = small()
    monitor = GradientMonitor(model, measure=EVERYTHING)

    def break_off() -> None:
        with monitor:
            assert len(_global_optimizer_pre_hooks) == before[0] + 1
            assert hooks_of(model)
            raise RuntimeError("broke")

    with pytest.raises(RuntimeError, match="broke"):
        break_off()
    assert (len(_global_optimizer_pre_hooks), len(_global_optimizer_post_hooks)) == before
    assert not hooks_of(model)


def test_a_graph_that_outlives_the_monitor_is_walked_in_peace() -> None:
    model = small()
    with GradientMonitor(model, measure="delta") as monitor:
        loss = model(torch.ones(1, 2)).sum()
    loss.backward()
    assert monitor.frame().empty


def test_other_models_that_train_meanwhile_are_not_recorded() -> None:
    model, other = small(), small()
    twin = copy.deepcopy(model)
    with GradientMonitor(model) as monitor:
        train(other)
        train(twin)
    assert monitor.frame().empty
    assert "nothing recorded" in monitor.summary()


def test_accumulated_gradients_count_as_one_step() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with GradientMonitor(model, names="0.weight", measure=("delta", "activation")) as monitor:
        for _ in range(2):
            model(torch.ones(1, 2)).sum().backward()
        expected = float(model[0].weight.grad.norm())
        optimizer.step()
    frame = monitor.frame().set_index("kind")
    assert frame.loc["dW", "norm"] == pytest.approx(expected, rel=1e-6)
    # the same example twice: its delta counts twice, in quadrature
    single = small()
    with GradientMonitor(single, measure=("delta", "activation")) as once:
        single(torch.ones(1, 2)).sum().backward()
        once.record()
    other = once.frame().set_index("kind")
    np.testing.assert_allclose(frame.loc["delta", "norm"], math.sqrt(2) * other.loc["delta", "norm"])
    assert frame.loc["activation", "mean"] == pytest.approx(other.loc["activation", "mean"])


def test_several_optimizers_share_a_step() -> None:
    model = small()
    first = torch.optim.SGD(model[0].parameters(), lr=0.1)
    second = torch.optim.Adam(model[2].parameters(), lr=0.1)
    with GradientMonitor(model, measure="update") as monitor:
        for _ in range(3):
            model(torch.ones(1, 2)).sum().backward()
            first.step()
            second.step()
    frame = monitor.frame()
    assert list(frame["step"]) == [1] * 4 + [2] * 4 + [3] * 4
    assert list(frame["name"][4:8]) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert (frame["update_norm"] > 0).all()
    # one optimizer after the other, as in two phases of fine-tuning
    third = torch.optim.SGD(model.parameters(), lr=0.1)
    with monitor:
        for _ in range(2):
            third.step()
    assert list(monitor.table()[0]) == [1, 2, 3, 4, 5]


def test_every_nth_step_is_recorded_and_the_steps_keep_their_numbers() -> None:
    model = small()
    with GradientMonitor(model, names="*.weight", every=2, measure=("delta", "activation")) as monitor:
        train(model, steps=5)
    steps, names, values = monitor.table()
    assert steps == [1, 3, 5]
    assert names == ["0.weight", "2.weight"]
    assert values.shape == (3, 2)
    assert monitor.table("delta")[0] == [1, 3, 5]
    assert values[2, 1] == monitor.frame().query("kind == 'dW'")["log10_norm"].iloc[-1]


def test_updates_are_measured_against_the_weights_before_them() -> None:
    model = nn.Linear(2, 1, bias=False)
    before = float(model.weight.detach().norm())
    with GradientMonitor(model, measure="update") as monitor:
        train(model, steps=1, optimizer=torch.optim.SGD(model.parameters(), lr=1e-3))
    (row,) = monitor.frame().to_dict("records")
    assert row["weight_norm"] == pytest.approx(before, rel=1e-6)
    # the difference of float32 weights
    assert row["update_norm"] == pytest.approx(1e-3 * row["norm"], rel=1e-3)
    assert row["update_ratio"] == row["update_norm"] / row["weight_norm"]


def test_zeros_and_quantiles_come_on_request() -> None:
    model = nn.Linear(4, 1, bias=False)
    model.weight.grad = torch.tensor([[0.0, 1.0, -2.0, 3.0]])
    monitor = GradientMonitor(model, measure="zeros", quantiles=(0, 0.5, 1))
    monitor.record()
    (row,) = monitor.frame().to_dict("records")
    assert row["zeros"] == 0.25
    assert (row["q0"], row["q0.5"], row["q1"]) == (0, 1.5, 3)


def test_unscaled_norms_are_recorded_under_a_loss_scaler() -> None:
    plain, scaled, fused = small(), small(), small()
    with GradientMonitor(plain, measure="delta") as expected:
        train(plain, steps=1)
    for model, extra in ((scaled, {}), (fused, {"fused": True})):
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1, **extra)
        x = torch.linspace(-1, 1, 12).reshape(6, 2)
        with GradientMonitor(model, measure="delta", scaler=scaler) as monitor:
            scaler.scale(model(x).square().sum()).backward()
            scaler.step(optimizer)
            scaler.update()
        np.testing.assert_allclose(monitor.frame()["norm"], expected.frame()["norm"], rtol=1e-5)
        np.testing.assert_allclose(monitor.frame()["log10_norm"], expected.frame()["log10_norm"], atol=1e-5)


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_that_the_scaler_skips_is_none_and_does_not_spoil_the_next(fused: bool) -> None:
    def run(bad: bool) -> GradientMonitor:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 600), nn.Tanh(), nn.Linear(600, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=fused)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        x = torch.linspace(-1, 1, 12).reshape(6, 2)
        with GradientMonitor(model, measure=("delta", "activation"), scaler=scaler) as monitor:
            for factor in (1.0, math.inf, 1.0) if bad else (1.0, 1.0):
                for _ in range(2):  # accumulated
                    scaler.scale(model(x if factor == 1 else 1e3 * x).square().sum() * factor).backward()
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
        return monitor

    skipped, good = run(bad=True).frame(), run(bad=False).frame()
    assert set(skipped["step"]) == {1, 2}
    assert set(skipped["label"]) == {"ok", ""}
    for column in ("norm", "log10_norm", "mean", "std"):
        np.testing.assert_allclose(skipped[column], good[column], rtol=1e-5)


def test_copies_and_saved_files_of_a_watched_model_have_no_hooks(tmp_path: Path) -> None:
    model = small()
    own = []
    model[0].register_forward_hook(lambda *given: own.append(len(given)))
    with GradientMonitor(model, measure=EVERYTHING), GradientMonitor(model, measure="activation") as monitor:
        train(model, steps=1)
        before = len(hooks_of(model))
        average, then = copy.deepcopy(model), model[0].weight.detach().clone()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        assert len(hooks_of(average)) == 1  # the user's own
        del model[0]._forward_hooks[next(iter(model[0]._forward_hooks))]
        torch.save(model, tmp_path / "model.pt")
        assert len(hooks_of(model)) == before - 1
        train(average, steps=1)
        train(model, steps=1, optimizer=optimizer)
    assert monitor.table()[0] == [1, 2]
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    assert not hooks_of(model)
    assert not hooks_of(loaded)
    assert torch.equal(loaded[0].weight, then)


def test_a_parameter_may_change_its_shape_and_its_type() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with GradientMonitor(model, measure=("delta", "activation", "zeros")) as monitor:
        for x in (torch.ones(1, 2), torch.ones(1, 5), torch.ones(1, 700), torch.ones(1, 700).double()):
            optimizer.zero_grad()
            if x.shape[1] != model[0].in_features:
                model[0].weight.data = torch.ones(3, x.shape[1])
                model[0].in_features = x.shape[1]
            model.to(x.dtype)
            model(x).sum().backward()
            optimizer.step()
    rows = monitor.frame().query("name == '0.weight'")
    assert list(rows["size"]) == [6, 15, 2100, 2100]
    assert list(rows["dtype"]) == ["float32"] * 3 + ["float64"]
    assert rows["norm"].iloc[-1] == pytest.approx(float(model[0].weight.grad.norm()))


class Waits(TorchDispatchMode):
    """Count how often a number is waited for."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("gain", [1.0, 1e-22])
def test_an_accelerator_is_waited_for_once_a_step(monkeypatch: pytest.MonkeyPatch, gain: float) -> None:
    for module in (fetch, norms, reader, calls, activations):
        monkeypatch.setattr(module, "on_host", lambda tensor: False)
    rows, fetched = [], fetch._numbers
    monkeypatch.setattr(fetch, "_numbers", lambda tensor: rows.append(tensor) or fetched(tensor))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 700), nn.ReLU(), nn.Linear(700, 70), nn.Tanh(), nn.Linear(70, 1))
    nn.init.constant_(model[4].weight, gain)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for measure in ((), ("delta", "activation")):
        with GradientMonitor(model, measure=measure) as monitor:
            for _ in range(3):
                optimizer.zero_grad()
                with Waits() as waits:
                    model(torch.ones(30, 4)).sum().backward()
                    optimizer.step()
                assert (waits.count, len(rows)) == (0, 1)
                rows.clear()
        row = monitor.frame().query("name == '2.weight'").iloc[-1]
        assert row["norm"] == pytest.approx(float(model[2].weight.grad.double().norm()), rel=1e-5)


def test_frozen_and_unused_parameters_are_told_apart() -> None:
    model = small()
    model.spare = nn.Linear(1, 1)  # type: ignore[assignment]
    model.forward = lambda x: model[2](model[1](model[0](x)))  # type: ignore[method-assign]
    model[0].requires_grad_(False)
    with GradientMonitor(model) as monitor:
        train(model, steps=1)
    assert list(monitor.frame()["label"]) == ["frozen", "frozen", "ok", "ok", "unused", "unused"]
    assert list(monitor.frame(by="module")["label"]) == ["frozen", "ok", "unused"]
    assert monitor.frame()["norm"].isna().sum() == 4


def test_parameters_that_come_while_it_trains_are_recorded_from_then_on() -> None:
    class Growing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if not hasattr(self, "inner"):
                self.inner = nn.Linear(2, 1)
            return self.inner(x)

    growing = Growing()
    with GradientMonitor(growing) as monitor:
        growing(torch.ones(1, 2))
        train(growing, steps=2)
    assert monitor.table()[1] == ["inner.weight", "inner.bias"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of lazy modules
        lazy = nn.Sequential(nn.LazyLinear(3), nn.Tanh(), nn.LazyLinear(1))
    optimizer = torch.optim.SGD(lazy.parameters(), lr=0.1)
    with GradientMonitor(lazy, measure="update") as monitor:
        train(lazy, steps=2, optimizer=optimizer)
    assert monitor.table()[1] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    added = nn.Linear(1, 1)
    lazy.append(added)
    with monitor:
        optimizer.add_param_group({"params": added.parameters()})
        train(lazy, steps=1, optimizer=optimizer)
    assert monitor.table()[1][-2:] == ["3.weight", "3.bias"]


def test_the_numpy_networks_are_recorded_too() -> None:
    network = SimpleNamespace(w={1: np.ones((3, 2)), 2: np.ones((1, 3))})
    gradients = SimpleNamespace(
        w={1: np.full((3, 2), 1e-200), 2: np.zeros((1, 3))},
        b={},
        delta={2: np.full((5, 3), 2.0), 3: np.full((5, 1), np.nan)},
    )
    trace = SimpleNamespace(z={1: np.ones((5, 2)), 2: np.zeros((5, 3))})
    with GradientMonitor(network) as monitor:
        monitor.record(gradients, trace)
        monitor.record(gradients)
    frame = monitor.frame()
    assert list(frame[frame["step"] == 1]["name"]) == ["w1", "w2", "delta2", "delta3", "z1", "z2"]
    assert frame["log10_norm"][0] == pytest.approx(math.log10(math.sqrt(6)) - 200)
    assert list(frame["label"][:4]) == ["ok", "dead", "ok", "nan"]
    assert list(frame["dead_units"][4:6]) == [0, 3]
    assert monitor.table()[0] == [1, 2]
    with pytest.raises(ValueError, match="what its backward pass returned"):
        monitor.record()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": "conv.*"}, r"no parameter is called 'conv\.\*'; there are: 0\.weight"),
        ({"every": 0}, "every is 0"),
        ({"measure": "delat"}, "measure='delat' is unknown: choose from delta"),
        ({"measure": "delta", "modules": "conv*"}, r"no module is called 'conv\*'; there are: 0, 1, 2"),
        ({"quantiles": (1.5,)}, "give shares from 0 to 1"),
        ({"log": "gradients.csv"}, r"end the name with one of \.jsonl, \.parquet"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GradientMonitor(small(), **given)


def test_neither_a_module_nor_a_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"int is neither a torch\.nn\.Module nor a network"):
        GradientMonitor(3)
    with pytest.raises(ValueError, match="choose 'parameter' or 'module'"):
        GradientMonitor(small()).frame(by="layer")


def test_a_monitor_cannot_watch_twice_at_a_time() -> None:
    monitor = GradientMonitor(small())
    with monitor, pytest.raises(RuntimeError, match="already watching"):
        monitor.__enter__()


# twelve kinds of module


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ModuleDict({"up": nn.Linear(2, 4), "down": nn.Linear(4, 2)})
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(2, 2), nn.Tanh()) for _ in range(2)])

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.inner["down"](torch.relu_(self.inner["up"](x)))
        for block in self.blocks:
            x = x + block(x)
        return x


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(x.reshape(2, 3, 2).repeat(1, 1, 2))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 3, num_layers=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x.reshape(3, 2, 2))[0]


class Complex(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 3, dtype=torch.complex64)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.to(torch.complex64)).abs()


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(9, 2, sparse=True)
        self.out = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.words(torch.tensor([1, 1, 4])))


class Pictures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 2)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x.reshape(2, 1, 2, 3)))
        return self.out(self.drop(torch.relu_(x)).flatten(1))


def shared() -> nn.Module:
    inner = nn.Linear(2, 2)
    return nn.Sequential(inner, nn.ReLU(inplace=True), inner, nn.ReLU(inplace=True), nn.Linear(2, 1))


def half_frozen() -> nn.Module:
    model = small()
    model[0].requires_grad_(False)
    return model


def unused() -> nn.Module:
    model = Residual()
    model.spare = nn.Linear(2, 2)
    return model


KINDS: dict[str, Callable[[], nn.Module]] = {
    "convolution": Pictures,
    "normalization": lambda: nn.Sequential(nn.Linear(2, 4), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 1)),
    "attention": Attention,
    "lstm": Recurrent,
    "shared weights": shared,
    "nested": Residual,
    "frozen": half_frozen,
    "unused": unused,
    "complex": Complex,
    "sparse embedding": Words,
}


def trained(build: Callable[[], nn.Module], watch: dict[str, Any] | None) -> tuple[nn.Module, Any]:
    torch.manual_seed(3)
    model = build()
    if watch is None:
        train(model)
        return model, None
    with GradientMonitor(model, **watch) as monitor:
        train(model)
    return model, monitor


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_the_same_to_the_last_bit_with_and_without_a_monitor(kind: str) -> None:
    alone, _ = trained(KINDS[kind], None)
    watched, monitor = trained(KINDS[kind], {"measure": EVERYTHING, "quantiles": (0.5,)})
    for one, other in zip(alone.state_dict().values(), watched.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert not hooks_of(watched)
    frame = monitor.frame()
    rows = frame[(frame["step"] == 3) & (frame["kind"] == "dW")]
    norms = dict(zip(rows["name"], rows["norm"], strict=True))
    assert sorted(norms) == sorted(name for name, _ in watched.named_parameters())
    for name, parameter in watched.named_parameters():
        value, gradient = norms[name], parameter.grad
        if gradient is None:
            assert math.isnan(value)
        else:
            dense = gradient.to_dense() if gradient.is_sparse else gradient
            assert value == pytest.approx(float(dense.norm()), rel=1e-5)
    assert {"delta", "activation"} <= set(frame["kind"])


def test_a_compiled_model_is_recorded_under_its_plain_names() -> None:
    torch.manual_seed(0)
    alone = torch.compile(small(), backend="eager")
    watched = torch.compile(small(), backend="eager")
    train(alone)
    with GradientMonitor(watched, names="0.*") as monitor:
        train(watched)
    assert monitor.table()[1] == ["0.weight", "0.bias"]
    for one, other in zip(alone.parameters(), watched.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match=r"watch it before torch\.compile"):
        GradientMonitor(watched, measure="delta")
    torch.compiler.reset()


@pytest.mark.filterwarnings("ignore")  # the compiler's own, which differ with what is loaded and kept
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile's own backend needs a compiler, g++")
def test_a_model_compiled_to_machine_code_trains_the_same_and_is_recorded() -> None:
    torch.manual_seed(0)
    alone = torch.compile(small())
    torch.manual_seed(0)
    watched = torch.compile(small())
    train(alone, steps=2)
    with GradientMonitor(watched, measure=("update", "zeros")) as monitor:
        train(watched, steps=2)
    for one, other in zip(alone.parameters(), watched.parameters(), strict=True):
        assert torch.equal(one, other)
    rows = monitor.frame().query("step == 2").set_index("name")
    assert list(rows.index) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    *_, last = watched.parameters()
    assert rows.loc["2.bias", "norm"] == pytest.approx(float(last.grad.norm()), rel=1e-6)
    torch.compiler.reset()


def test_a_model_compiled_under_the_monitor_runs_on_without_it() -> None:
    model = small()
    with GradientMonitor(model, measure=("delta", "activation")) as monitor:
        run = torch.compile(model, backend="eager")
        train(run, steps=1)
        assert len(monitor.frame().query("kind == 'dW'")) == 4
    train(run, steps=1)
    assert monitor.frame()["step"].max() == 1
    torch.compiler.reset()
