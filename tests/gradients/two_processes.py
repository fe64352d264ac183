"""One of two processes that train one model: `python two_processes.py RANK FOLDER`."""

from __future__ import annotations

import sys

import torch
import torch.distributed as distributed
from torch import nn

from coursework.gradients.monitor import GradientMonitor


def build() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def train(model: nn.Module, x: torch.Tensor) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


def main(rank: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    unwatched = nn.parallel.DistributedDataParallel(build())
    train(unwatched, x[[rank]])
    watched = nn.parallel.DistributedDataParallel(build())
    with GradientMonitor(watched, measure=("delta", "activation"), log=f"{folder}/log.jsonl") as monitor:
        train(watched, x[[rank]])
    assert all(map(torch.equal, unwatched.parameters(), watched.parameters()))
    monitor.frame().to_parquet(f"{folder}/seen{rank}.parquet")
    # what one process sees of both examples
    with GradientMonitor(build()) as alone:
        train(alone.model, x)
    alone.frame().to_parquet(f"{folder}/alone{rank}.parquet")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
