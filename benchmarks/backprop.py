"""Forward and backward through the same networks: `python benchmarks/backprop.py`.

The package's fast passes and its readable lines beside torch, jax (jit), HIPS autograd and micrograd, plain
Python floats and the matrix products alone.  Everybody's gradients are compared before anybody is timed.
Times are medians of process CPU time on one thread, taken in turns, so that a busy machine slows all alike.

--json FILE writes the same as JSON; --check exits with 1 and names each target that was missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coursework._common.files import write_atomic
from coursework.backprop.chains import chain
from coursework.backprop.fast import fast
from coursework.backprop.in_place import InPlace
from coursework.backprop.network import DenseNetwork

Array = np.ndarray
#: One forward and backward pass; returns dE/dw^(l) for l = 1, 2, ... of the batch.
Pass = Callable[[], Any]

#: Read when numpy, torch and jax are loaded, so the script starts itself anew with them.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}

#: Rounds in which all take their turns, and seconds of a turn.
ROUNDS, TURN = 15, 0.03


@dataclass(frozen=True)
class Problem:
    """A network, a batch, and whether a scalar system can be asked to do it."""

    title: str
    network: DenseNetwork
    x: Array
    t: Array
    scalar: bool = False

    @property
    def weights(self) -> list[Array]:
        """w^(1), w^(2), ..."""
        return list(self.network.w.values())

    @property
    def is_chain(self) -> bool:
        """Whether all layers have one unit."""
        return set(self.network.sizes) == {1}


def problems() -> list[Problem]:
    """Return what is computed."""
    rng = np.random.default_rng(0)

    def problem(title: str, network: DenseNetwork, examples: int = 1) -> Problem:
        x = rng.normal(size=(examples, network.sizes[0])).astype(network.dtype)
        t = rng.normal(size=(examples, network.sizes[-1])).astype(network.dtype)
        return Problem(title, network, x, t, scalar=examples == 1)

    small = problem("3-3-3-1 sigmoid", DenseNetwork([3, 3, 3, 1]))
    deep = problem("chain of 152 weights, sigmoid", chain(152))
    wide = [
        problem(
            f"784-512-512-10 {h}, batch of 128, {np.dtype(number).name}",
            DenseNetwork([784, 512, 512, 10], h, dtype=number),
            128,
        )
        for h in ("relu", "sigmoid")
        for number in (np.float64, np.float32)
    ]
    return [small, deep, *wide]


def fast_passes(problem: Problem) -> Pass:
    """The package's fast passes."""
    passes, x, t = fast(problem.network, len(problem.x)), problem.x, problem.t
    return lambda: passes.backward(passes.forward(x), t).w


def readable_lines(problem: Problem) -> Pass:
    """The package's `DenseNetwork`."""
    network, x, t = problem.network, problem.x, problem.t
    return lambda: network.backward(network.forward(x), t).w


def torch_autograd(problem: Problem) -> Pass:
    """torch, the weights' gradients asked for."""
    import torch

    torch.set_num_threads(1)
    w = [torch.tensor(v, requires_grad=True) for v in problem.weights]
    x, t = torch.tensor(problem.x), torch.tensor(problem.t)
    h = getattr(torch, problem.network.activation.name)

    def run() -> Any:
        z = x
        for v in w[:-1]:
            z = h(z @ v.T)
        E = ((z @ w[-1].T - t) ** 2).sum() / 2
        return torch.autograd.grad(E, w)

    return run


def jax_jit(problem: Problem) -> Pass:
    """jax, compiled; a chain as a scan, since its 152 layers one by one take a minute to compile."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    h = getattr(jax.nn, problem.network.activation.name)
    x, t = jnp.array(problem.x), jnp.array(problem.t)
    if problem.is_chain:
        w: Any = jnp.array(np.concatenate(problem.weights).ravel())

        def loss(w: Any) -> Any:
            z, _ = jax.lax.scan(lambda z, w_l: (h(z * w_l), None), x[0, 0], w[:-1])
            return ((z * w[-1] - t) ** 2).sum() / 2
    else:
        w = [jnp.array(v) for v in problem.weights]

        def loss(w: Any) -> Any:
            z = x
            for v in w[:-1]:
                z = h(z @ v.T)
            return ((z @ w[-1].T - t) ** 2).sum() / 2

    gradient = jax.jit(jax.grad(loss))
    return lambda: jax.block_until_ready(gradient(w))


def hips_autograd(problem: Problem) -> Pass:
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    x, t, w = problem.x, problem.t, problem.weights
    h = {"sigmoid": lambda a: 1 / (1 + anp.exp(-a)), "relu": lambda a: anp.maximum(a, 0)}
    sigma = h[problem.network.activation.name]

    def loss(w: list[Array]) -> Any:
        z = x
        for v in w[:-1]:
            z = sigma(anp.dot(z, v.T))
        return anp.sum((anp.dot(z, w[-1].T) - t) ** 2) / 2

    gradient = autograd.grad(loss)
    return lambda: gradient(w)


def micrograd(problem: Problem) -> Pass:
    """micrograd, with the sigmoid that it lacks written as its own operators are."""
    from micrograd.engine import Value

    def sigmoid(a: Any) -> Any:
        out = Value(1 / (1 + math.exp(-a.data)), (a,), "sigmoid")

        def _backward() -> None:
            a.grad += out.data * (1 - out.data) * out.grad

        out._backward = _backward
        return out

    x, t = problem.x[0].tolist(), problem.t[0].tolist()

    def run() -> Any:
        w = [[[Value(v) for v in row] for row in layer.tolist()] for layer in problem.weights]
        z = x
        for layer in w[:-1]:
            z = [sigmoid(sum((v * z_k for v, z_k in zip(row, z, strict=True)), 0.0)) for row in layer]
        a = [sum((v * z_k for v, z_k in zip(row, z, strict=True)), 0.0) for row in w[-1]]
        E = sum(((a_j - t_j) ** 2 for a_j, t_j in zip(a, t, strict=True)), 0.0) * 0.5
        E.backward()
        return [[[v.grad for v in row] for row in layer] for layer in w]

    return run


def plain_floats(problem: Problem) -> Pass:
    """A chain in Python floats, as short as it can be written."""
    w = [v.item() for v in problem.weights]
    x, t = problem.x.item(), problem.t.item()

    def run() -> Any:
        z = [x]
        for w_l in w[:-1]:
            z.append(1 / (1 + math.exp(-w_l * z[-1])))
        delta = w[-1] * z[-1] - t
        dw = [0.0] * len(w)
        for l in range(len(w) - 1, 0, -1):
            dw[l] = delta * z[l]
            delta *= w[l] * z[l] * (1 - z[l])
        dw[0] = delta * x
        return dw

    return run


def matrix_products(problem: Problem) -> Pass:
    """The products of a forward and a backward pass into arrays that are there already, nothing else."""
    network = problem.network
    room = InPlace(network, len(problem.x))
    room.backward(room.forward(problem.x), problem.t)
    z, delta = ({l: v.copy() for l, v in layers.items()} for layers in (room.z, room.delta))
    below = {l: np.empty_like(v) for l, v in delta.items()}

    def run() -> Any:
        for l, w in network.w.items():
            np.dot(z[l], w.T, out=room.a[l + 1])
        for l in range(network.L - 1, 1, -1):
            np.dot(delta[l + 1], network.w[l], out=below[l])
        for l, dw in room.dw.items():
            np.dot(delta[l + 1].T, z[l], out=dw)
        return room.dw

    return run


#: name -> how it is set up, and for which problems.
CONTESTANTS: dict[str, tuple[Callable[[Problem], Pass], Callable[[Problem], bool]]] = {
    "fast": (fast_passes, lambda problem: True),
    "readable": (readable_lines, lambda problem: True),
    "torch": (torch_autograd, lambda problem: True),
    "jax jit": (jax_jit, lambda problem: True),
    "HIPS autograd": (hips_autograd, lambda problem: True),
    "micrograd": (micrograd, lambda problem: problem.scalar),
    "plain floats": (plain_floats, lambda problem: problem.is_chain),
    "matrix products": (matrix_products, lambda problem: not problem.scalar),
}


def check_equal(name: str, problem: Problem, found: Any) -> None:
    """Compare the gradients with the readable lines', layer by layer; ValueError where they part."""
    true = readable_lines(problem)()
    tolerance = 1e-9 if problem.network.dtype == np.float64 else 1e-3
    layers = list(found.values()) if hasattr(found, "values") else found
    for l, (ours, theirs) in enumerate(zip(true.values(), layers, strict=True), start=1):
        difference = np.abs(np.asarray(theirs).reshape(ours.shape) - ours).max()
        if not difference <= tolerance * np.abs(ours).max():
            raise ValueError(f"{name}, {problem.title}: dE/dw^({l}) is {difference:.1e} off")


def measure(problem: Problem, left_out: set[str]) -> dict[str, float]:
    """Return the median microseconds of everybody who can be imported."""
    passes: dict[str, Pass] = {}
    for name, (set_up, fits) in CONTESTANTS.items():
        if fits(problem):
            try:
                passes[name] = set_up(problem)
            except ImportError:
                left_out.add(name)
    calls = {}
    for name, run in passes.items():
        check_equal(name, problem, run())
        began = time.process_time()
        run()
        calls[name] = max(1, round(TURN / max(time.process_time() - began, 1e-6)))
    times: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(ROUNDS):
        for name, run in passes.items():
            began = time.process_time()
            for _ in range(calls[name]):
                run()
            times[name].append((time.process_time() - began) / calls[name] * 1e6)
    return {name: statistics.median(each) for name, each in times.items()}


def targets(table: dict[str, dict[str, float]]) -> dict[str, float | None]:
    """Return what was aimed at and how many times the aim was taken: met up to 1, None if not measured."""
    aims = []
    for title, row in table.items():
        if title.startswith("3-3-3-1"):
            aims.append((f"{title}: fast at most 1.0 x jax jit", row, "jax jit", 1.0))
        elif title.startswith("chain"):
            aims.append((f"{title}: fast at most 1.2 x plain floats", row, "plain floats", 1.2))
            aims.append((f"{title}: fast at most 1/100 of torch", row, "torch", 0.01))
        else:
            aims.append((f"{title}: fast at most 1.15 x matrix products", row, "matrix products", 1.15))
    return {
        aim: row["fast"] / (row[rival] * factor) if rival in row else None for aim, row, rival, factor in aims
    }


def main() -> int:
    """Time everybody; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()

    left_out: set[str] = set()
    table: dict[str, dict[str, float]] = {}
    for problem in problems():
        row = table[problem.title] = measure(problem, left_out)
        print(problem.title)
        for name, us in row.items():
            print(f"  {name:<18}{us:>12.1f} us {us / row['fast']:>9.2f} x fast", flush=True)
    if left_out:
        print(f"left out, not installed: {', '.join(sorted(left_out))}")
    reached = targets(table)
    for aim, share in reached.items():
        print(f"{'MISSED' if share is None or share > 1 else 'met   '}  {aim}", end="")
        print(" (not measured)" if share is None else f": {share:.2f} of it")
    if given.json:
        write_atomic(given.json, json.dumps({"microseconds": table, "targets": reached}, indent=2) + "\n")
    return 1 if given.check and not all(share is not None and share <= 1 for share in reached.values()) else 0


if __name__ == "__main__":
    if not ONE_THREAD.items() <= os.environ.items():
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})
    sys.exit(main())
