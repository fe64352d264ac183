from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks

from coursework.gradients.monitor import GradientMonitor, log10_norm


def train(model: nn.Module, steps: int = 3, optimizer: torch.optim.Optimizer | None = None) -> None:
    x = torch.linspace(-1, 1, 12).reshape(6, 2)
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1))


def test_each_step_and_parameter_has_one_row_with_the_norm_of_its_gradient() -> None:
    model = small()
    with GradientMonitor(model) as monitor:
        train(model, steps=2)
    assert [(row.step, row.name) for row in monitor.rows] == [
        (step, name) for step in (1, 2) for name in ("0.weight", "0.bias", "2.weight", "2.bias")
    ]
    # the gradients of the last step are still there
    for row, parameter in zip(monitor.rows[4:], model.parameters(), strict=True):
        assert 10**row.log10_norm == pytest.approx(float(parameter.grad.norm()), rel=1e-5)
        assert row.state == "finite"
        assert row.size == parameter.numel()


def test_watching_changes_nothing_and_leaves_nothing_behind() -> None:
    watched, alone = small(), small()
    before = len(_global_optimizer_pre_hooks)
    with GradientMonitor(watched):
        assert len(_global_optimizer_pre_hooks) == before + 1
        train(watched)
    train(alone)
    assert len(_global_optimizer_pre_hooks) == before
    assert all(torch.equal(p, q) for p, q in zip(watched.parameters(), alone.parameters(), strict=True))
    for module in watched.modules():
        assert not {**module._forward_hooks, **module._forward_pre_hooks, **module._backward_hooks}


def test_the_hook_goes_when_training_fails() -> None:
    before = len(_global_optimizer_pre_hooks)
    with pytest.raises(RuntimeError, match="broke"), GradientMonitor(small()):
        raise RuntimeError("broke")
    assert len(_global_optimizer_pre_hooks) == before


def test_other_models_that_train_meanwhile_are_not_recorded() -> None:
    model, other = small(), small()
    with GradientMonitor(model) as monitor:
        train(other)
    assert monitor.rows == []


def test_accumulated_gradients_count_as_one_step() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with GradientMonitor(model, names="0.weight") as monitor:
        for _ in range(2):
            model(torch.ones(1, 2)).sum().backward()
        expected = float(model[0].weight.grad.norm())
        optimizer.step()
    (row,) = monitor.rows
    assert 10**row.log10_norm == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("entry", [1e-44, 1e-30, 1e-23, 1.0, 1e30])
def test_norms_are_right_where_the_squares_leave_float32(entry: float) -> None:
    gradient = torch.full((4, 4), entry)
    stored = float(gradient[0, 0])
    assert log10_norm(gradient) == pytest.approx(math.log10(4 * stored), abs=1e-6)
    model = nn.Linear(4, 4, bias=False)
    model.weight.grad = gradient
    monitor = GradientMonitor(model)
    monitor.record()
    assert monitor.rows[0].log10_norm == pytest.approx(math.log10(4 * stored), abs=1e-6)
    assert (float(gradient.norm()) in (0.0, math.inf)) == (entry not in (1.0,))


def test_zero_missing_and_broken_gradients_are_told_apart() -> None:
    model = nn.ModuleDict({name: nn.Linear(1, 1, bias=False) for name in ("zero", "none", "broken", "tiny")})
    model["zero"].weight.grad = torch.zeros(1, 1)
    model["broken"].weight.grad = torch.full((1, 1), math.nan)
    model["tiny"].weight.grad = torch.full((1, 1), 1e-40)
    monitor = GradientMonitor(model)
    monitor.record()
    assert [row.state for row in monitor.rows] == ["zero", "none", "non-finite", "finite"]
    assert monitor.rows[0].log10_norm == -math.inf
    assert math.isnan(monitor.rows[1].log10_norm)
    assert monitor.rows[3].log10_norm == pytest.approx(-40, abs=1e-4)


def test_half_precision_complex_and_sparse_gradients_have_norms() -> None:
    assert log10_norm(torch.full((4,), 3e-5, dtype=torch.float16)) == pytest.approx(
        math.log10(6e-5), abs=0.01
    )
    assert log10_norm(torch.full((2,), 3 + 4j)) == pytest.approx(math.log10(5 * math.sqrt(2)))
    embedding = nn.Embedding(9, 2, sparse=True)
    embedding(torch.tensor([1, 1, 3])).sum().backward()
    assert log10_norm(embedding.weight.grad) == pytest.approx(math.log10(math.sqrt(4 + 4 + 1 + 1)))


def test_in_place_activations_and_shared_weights_are_no_obstacle() -> None:
    torch.manual_seed(0)
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.ReLU(inplace=True), shared, nn.ReLU(inplace=True), nn.Linear(2, 1))
    with GradientMonitor(model) as monitor:
        train(model, steps=1)
    assert [row.name for row in monitor.rows] == ["0.weight", "0.bias", "4.weight", "4.bias"]


def test_the_table_has_steps_down_and_names_across() -> None:
    model = small()
    with GradientMonitor(model, names="*.weight", every=2) as monitor:
        train(model, steps=5)
    steps, names, values = monitor.table()
    assert steps == [1, 3, 5]
    assert names == ["0.weight", "2.weight"]
    assert values.shape == (3, 2)
    assert values[2, 1] == monitor.rows[-1].log10_norm


def test_a_deep_copy_of_the_model_is_another_model() -> None:
    model = small()
    twin = copy.deepcopy(model)
    with GradientMonitor(model) as monitor:
        train(twin)
        train(model, steps=1)
    assert {row.step for row in monitor.rows} == {1}


def test_a_pattern_without_a_parameter_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"no parameter is called 'conv\.\*'; there are: 0\.weight"):
        GradientMonitor(small(), names="conv.*")
    with pytest.raises(ValueError, match="every is 0"):
        GradientMonitor(small(), every=0)


def test_a_monitor_cannot_watch_twice_at_a_time() -> None:
    monitor = GradientMonitor(small())
    with monitor, pytest.raises(RuntimeError, match="already watching"):
        monitor.__enter__()
