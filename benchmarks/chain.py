"""Whole batches of 152-layer networks, forward and every gradient: `python benchmarks/chain.py`.

10,000 networks of random weights, one and two units wide (fully connected), by this package in plain float64
and in logarithms; by torch autograd on the same batch; by torch autograd network by network, as tutorials do
it (fewer of them: the time of one is what counts); and by jax scan + vmap. Each time is the least processor
time of equally many passes on one thread, in microseconds a network. That all give the same gradients is
checked first.

--networks B for another batch, --passes N for more tries. --json FILE writes the same as JSON; --check exits
with 1 and names each target that was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coursework._common.files import write_atomic
from coursework.gradients.chain import Networks
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.fast import Memory, fast_gradients
from coursework.gradients.fast_log import LogMemory, fast_log_gradients

DEPTH = 152
#: Microseconds a network by width: plain float64, and in logarithms.
TARGETS = {1: (1.0, 2.0), 2: (3.0, 6.0)}
#: Networks that are run one by one; 10,000 would take a minute.
ONE_BY_ONE = 20

Gradients = dict[int, np.ndarray]


def best(run: Callable[[], object], passes: int) -> float:
    """Return the least processor time of `passes` runs, in seconds, which leaves out waiting for others."""
    times = []
    for _ in range(passes):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def torch_batched(networks: Networks) -> Callable[[], Gradients]:
    """Autograd on all networks at once; `w` has shape (J, K, B)."""
    w = {l: torch.from_numpy(values).requires_grad_() for l, values in networks.w.items()}
    x, t = torch.from_numpy(networks.x), torch.from_numpy(networks.t)
    h = {"sigmoid": torch.sigmoid, "relu": torch.relu}[networks.activation]

    def run() -> Gradients:
        for weights in w.values():
            weights.grad = None
        z = x
        for l, weights in w.items():
            a = (weights * z).sum(dim=1)
            z = h(a) if l < networks.depth else a
        (0.5 * (z[0] - t) ** 2).sum().backward()
        return {l: weights.grad.numpy() for l, weights in w.items()}

    return run


def torch_one_by_one(networks: Networks) -> Callable[[], Gradients]:
    """As tutorials do it: an nn.Sequential of linear layers for each network, one after the other."""
    module = {"sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU}[networks.activation]
    models = []
    for member in range(networks.batch):
        layers: list[torch.nn.Module] = []
        for w in networks.w.values():
            linear = torch.nn.Linear(w.shape[1], w.shape[0], bias=False, dtype=torch.float64)
            linear.weight.data = torch.from_numpy(w[..., member].copy())
            layers += [linear, module()]
        models.append(torch.nn.Sequential(*layers[:-1]))
    x, t = torch.from_numpy(networks.x.T.copy()), torch.from_numpy(networks.t)

    def run() -> Gradients:
        for model, inputs, target in zip(models, x, t, strict=True):
            model.zero_grad()
            (0.5 * (model(inputs)[0] - target) ** 2).backward()
        pairs = enumerate(networks.w)
        return {l: np.stack([m[2 * i].weight.grad.numpy() for m in models], axis=-1) for i, l in pairs}

    return run


def jax_scanned(networks: Networks) -> Callable[[], Any]:
    """jax.grad of a scan over layers, vmapped over networks and compiled."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    h = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}[networks.activation]

    def loss(inner: Any, last: Any, x: Any, t: Any) -> Any:
        z, _ = jax.lax.scan(lambda z, w: (h(w @ z), None), x, inner)
        return 0.5 * ((last @ z)[0] - t) ** 2

    gradient = jax.jit(jax.vmap(jax.grad(loss, argnums=(0, 1))))
    inner = jnp.asarray(np.stack([networks.w[l] for l in range(1, networks.depth)]).transpose(3, 0, 1, 2))
    last = jnp.asarray(networks.w[networks.depth].transpose(2, 0, 1))
    x, t = jnp.asarray(networks.x.T), jnp.asarray(networks.t)

    def run() -> Any:
        return jax.block_until_ready(gradient(inner, last, x, t))

    return run


def same(found: Gradients, expected: Gradients) -> bool:
    """Whether two sets of gradients agree to 1e-9 of the largest of a layer."""
    return all(np.abs(found[l] - g).max() <= 1e-9 * np.abs(g).max() for l, g in expected.items())


def measure(activation: str, width: int, count: int, passes: int) -> dict[str, float]:
    """Return microseconds a network by method; NaN for a rival that cannot be imported."""
    networks = draw(ChainSpec(DEPTH, "full", activation, width=width), count, seed=726)
    few = networks.select(slice(0, ONE_BY_ONE))
    memory, log_memory = Memory(networks), LogMemory(networks)
    batched, singly = torch_batched(networks), torch_one_by_one(few)
    expected = batched()
    logs = fast_log_gradients(networks, log_memory)
    powers = {l: np.where(logs.negative[l], -1.0, 1.0) * 10.0 ** logs.log10[l] for l in networks.w}
    answers = {
        "coursework, float64": same(fast_gradients(networks, memory), expected),
        "coursework, logarithms": same(powers, expected),
        "torch, one by one": same(singly(), {l: g[..., :ONE_BY_ONE] for l, g in expected.items()}),
    }
    wrong = [name for name, right in answers.items() if not right]
    if wrong:
        raise SystemExit(f"{activation}, width {width}: other gradients than torch's by {', '.join(wrong)}")
    times = {
        "coursework, float64": best(lambda: fast_gradients(networks, memory), passes) / count,
        "coursework, logarithms": best(lambda: fast_log_gradients(networks, log_memory), passes) / count,
        "torch, batched": best(batched, passes) / count,
        "torch, one by one": best(singly, passes) / ONE_BY_ONE,
    }
    try:
        scanned = jax_scanned(networks)
    except ImportError:
        times["jax scan + vmap"] = float("nan")
    else:
        inner, _ = scanned()
        ours = np.asarray(inner).transpose(1, 2, 3, 0)
        if not same({l: ours[l - 1] for l in range(1, DEPTH)}, {l: expected[l] for l in range(1, DEPTH)}):
            raise SystemExit(f"{activation}, width {width}: jax gives other gradients than torch")
        times["jax scan + vmap"] = best(scanned, passes) / count
    return {name: 1e6 * seconds for name, seconds in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", type=int, default=10_000, metavar="B")
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows, missed = [], []
    print(f"microseconds a network, {given.networks} networks of {DEPTH} weight layers, one thread")
    print(f"{'':26}{'sigmoid x1':>12}{'sigmoid x2':>12}{'relu x1':>12}{'relu x2':>12}")
    cases = [(activation, width) for activation in ("sigmoid", "relu") for width in (1, 2)]
    table = {case: measure(*case, given.networks, given.passes) for case in cases}
    for name in table[cases[0]]:
        cells = ["not here" if np.isnan(table[case][name]) else f"{table[case][name]:.2f}" for case in cases]
        print(f"{name:26}" + "".join(f"{cell:>12}" for cell in cells))
        rows += [{"method": name, "activation": a, "width": n, "us": table[a, n][name]} for a, n in cases]
    for activation, width in cases:
        for name, target in zip(("float64", "logarithms"), TARGETS[width], strict=True):
            took = table[activation, width][f"coursework, {name}"]
            if took > target:
                missed.append(f"{activation}, {width} wide, {name}: {took:.2f} us, the target is {target} us")
    print(f"torch one by one: {ONE_BY_ONE} networks, the time of one")
    print("\n".join(f"missed: {line}" for line in missed) or "all targets met")
    if given.json:
        write_atomic(given.json, json.dumps({"rows": rows, "missed": missed}, indent=2) + "\n")
    return 1 if given.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
