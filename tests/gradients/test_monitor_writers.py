from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from coursework.gradients.monitor import GradientMonitor, read_log
from coursework.gradients.monitor import writers as module


def steps(model: nn.Module, count: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(count):
        optimizer.zero_grad()
        model(torch.ones(3, 2)).square().sum().backward()
        optimizer.step()


def dying() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    nn.init.constant_(model[0].bias, -100.0)
    return model


def test_both_logs_give_back_the_table(tmp_path: Path) -> None:
    model, files = dying(), [tmp_path / "deep" / "log.jsonl", tmp_path / "deep" / "log.parquet"]
    with GradientMonitor(
        model, measure=("delta", "activation", "zeros"), quantiles=(0.5,), log=files
    ) as monitor:
        steps(model, 3)
    for file in files:
        pd.testing.assert_frame_equal(read_log(file), monitor.frame())
    # anyone's tools read them too: a folder of Parquet, and JSON without numbers that JSON has not
    pd.testing.assert_frame_equal(pd.read_parquet(files[1]), monitor.frame())
    rows = [json.loads(line, parse_constant=pytest.fail) for line in files[0].read_text().splitlines()]
    assert rows[0]["log10_norm"] is None
    assert rows[0]["norm"] == 0


def test_finished_steps_can_be_read_while_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    model, files = dying(), [tmp_path / "log.jsonl", tmp_path / "log.parquet"]
    with GradientMonitor(model, log=files) as monitor:
        for count in (1, 2, 3):
            steps(model, 1)
            for file in files:
                read = read_log(file)
                # the step under way may still get rows from another optimizer
                assert len(read) == 4 * (count - 1)
    for file in files:
        pd.testing.assert_frame_equal(read_log(file), monitor.frame())


def test_a_line_that_is_being_written_is_not_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    model, file = dying(), tmp_path / "log.jsonl"
    with GradientMonitor(model, log=file):
        steps(model, 2)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert len(read_log(file)) == 7
    file.write_bytes(whole.replace(b"{", b"<", 1))
    with pytest.raises(ValueError, match=r"log\.jsonl, line 1 is no JSON"):
        read_log(file)
    with pytest.raises(ValueError, match=r"is no log: its name would end with one of \.jsonl"):
        read_log(tmp_path / "log.csv")
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert read_log(empty).empty


def test_what_was_recorded_before_an_error_is_in_the_log(tmp_path: Path) -> None:
    model, file = dying(), tmp_path / "log.parquet"

    def break_off() -> None:
        with GradientMonitor(model, log=file):
            steps(model, 2)
            raise RuntimeError("broke")

    with pytest.raises(RuntimeError, match="broke"):
        break_off()
    assert set(read_log(file)["step"]) == {1, 2}


def test_scalars_go_to_tensorboard_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    model = nn.Linear(2, 1)
    with GradientMonitor(model, tensorboard=tmp_path) as monitor:
        steps(model, 2)
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    values = [event.value for event in events.Scalars("dW/log10_norm/weight")]
    assert values == pytest.approx(list(monitor.table()[2][:, 0]), rel=1e-6)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="it is not installed"):
        GradientMonitor(model, tensorboard=tmp_path)


def test_two_processes_see_the_same_averaged_gradients_and_one_writes(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_processes.py")
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen([sys.executable, str(script), str(rank), str(tmp_path)], env=environment)
        for rank in (0, 1)
    ]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    seen = [pd.read_parquet(tmp_path / f"seen{rank}.parquet") for rank in (0, 1)]
    weights = [frame[frame["kind"] == "dW"].reset_index(drop=True) for frame in seen]
    pd.testing.assert_frame_equal(*weights)
    # the average over both processes' examples, under the names of the model itself
    alone = pd.read_parquet(tmp_path / "alone0.parquet")
    pd.testing.assert_frame_equal(weights[0], alone, rtol=1e-5)
    assert list(seen[0]["name"][seen[0]["kind"] == "delta"][:2]) == ["0", "2"]
    # each process has its own examples, hence its own deltas
    deltas = [frame[frame["kind"] == "delta"]["norm"].tolist() for frame in seen]
    assert deltas[0] != deltas[1]
    assert len(read_log(tmp_path / "log.jsonl")) == len(seen[0])
