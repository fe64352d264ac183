"""What watching gradients costs: `python benchmarks/monitor.py`.

Trains three networks (a 50 x 256 MLP with rectifiers and, its gradients underflowing, with sigmoids; the
152-layer chain; Inception V3 at 96 px) with nothing, with `GradientMonitor` and with what else people use,
in turns, step by step. Prints, for each, the median over the rounds of its time for a whole training step
over that of bare steps made just before, and the middle half of these ratios; the row of the bare step itself
shows the noise. Times are CPU seconds of this process on one thread: other processes disturb them least
(wandb's own service process is not counted).

--json FILE writes the same as JSON; --check exits with 1 and names each target that was missed.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn
from tqdm import tqdm

from coursework._common.files import write_atomic
from coursework.gradients.monitor import GradientMonitor


@dataclass
class Watcher:
    """What a way of watching does in a step.

    Attributes
    ----------
    look : called between backward pass and optimizer step.
    around : entered around the backward pass, with everything that a tool might ask for.
    """

    look: Callable[[], None] = lambda: None
    around: Callable[[Training], AbstractContextManager[None]] = lambda training: nullcontext()


@dataclass
class Training:
    """A network, its data and its optimizer; `step` is one step of plain gradient descent."""

    model: nn.Module
    x: Tensor
    t: Tensor
    loss: nn.Module = field(default_factory=nn.CrossEntropyLoss)
    number: int = 0

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-4)

    def step(self, watcher: Watcher) -> None:
        self.optimizer.zero_grad()
        self.y = self.model(self.x)
        self.value = self.loss(self.y, self.t)
        with watcher.around(self):
            self.value.backward()
        watcher.look()
        self.optimizer.step()
        self.number += 1


#: Attaches to a training; removes everything when the block ends.
Watch = Callable[[Training], AbstractContextManager[Watcher]]


def mlp(activation: type[nn.Module], gain: float) -> nn.Sequential:
    """Return 50 weight matrices, 256 units wide."""
    layers: list[nn.Module] = []
    for units, above in pairwise([256] * 50 + [10]):
        linear = nn.Linear(units, above)
        nn.init.normal_(linear.weight, 0.0, gain / units**0.5)
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


def chain() -> nn.Sequential:
    """Return the assignment's depth, one unit wide, with weights under which every layer has a gradient."""
    layers = [module for _ in range(152) for module in (nn.Linear(1, 1), nn.Tanh())]
    for linear in layers[::2]:
        nn.init.normal_(linear.weight, 1.0, 0.1)
        nn.init.normal_(linear.bias, 0.0, 0.1)
    return nn.Sequential(*layers)


def inception() -> nn.Module:
    """Return Inception V3 without its auxiliary head."""
    return torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False)


def training_of(title: str) -> Training:
    """Return one of the networks with random inputs, and classes or (of the chain) numbers to learn."""
    build, shape, _ = MODELS[title]
    torch.manual_seed(0)
    model, x = build(), torch.randn(shape)
    if title == "chain 152":
        return Training(model, x, torch.rand(shape), nn.MSELoss())
    return Training(model, x, torch.arange(shape[0]) % 10)


#: By name: what builds the network, the shape of its inputs, and steps in a row.
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "MLP 50 x 256": (lambda: mlp(nn.ReLU, 2**0.5), (64, 256), 4),
    "MLP, sigmoid": (lambda: mlp(nn.Sigmoid, 1.0), (64, 256), 4),
    "chain 152": (chain, (64, 1), 8),
    "Inception V3": (inception, (8, 3, 96, 96), 1),
}


@contextmanager
def bare(training: Training) -> Iterator[Watcher]:
    """Watch nothing."""
    yield Watcher()


def monitored(*measure: str) -> Watch:
    """Return `GradientMonitor` with what it shall measure beside norms."""

    @contextmanager
    def watch(training: Training) -> Iterator[Watcher]:
        with GradientMonitor(training.model, measure=measure):
            yield Watcher()

    return watch


def _gradients(training: Training) -> list[Tensor]:
    return [p.grad for p in training.model.parameters() if p.grad is not None]


@contextmanager
def item_loop(training: Training) -> Iterator[Watcher]:
    """Read every norm by itself."""
    yield Watcher(lambda: [gradient.norm().item() for gradient in _gradients(training)])


@contextmanager
def foreach(training: Training) -> Iterator[Watcher]:
    """Read all norms, which underflow, with one call."""
    yield Watcher(lambda: torch.stack(torch._foreach_norm(_gradients(training))).tolist())


@contextmanager
def accumulate_hooks(training: Training) -> Iterator[Watcher]:
    """Take the norm of each gradient when it is there, and read all at the end of the step."""
    norms: list[Tensor] = []

    def hook(parameter: Tensor) -> None:
        if parameter.grad is not None:
            norms.append(parameter.grad.norm())

    def look() -> None:
        torch.stack(norms).tolist()
        norms.clear()

    handles = [p.register_post_accumulate_grad_hook(hook) for p in training.model.parameters()]
    yield Watcher(look)
    for handle in handles:
        handle.remove()


@contextmanager
def backward_hooks(training: Training) -> Iterator[Watcher]:
    """Take the norm of every module's delta by a full backward hook."""
    norms: list[float] = []

    def hook(module: nn.Module, inner: tuple[Tensor, ...], outer: tuple[Tensor, ...]) -> None:
        norms.append(outer[0].norm().item())

    leaves = [module for module in training.model.modules() if not any(module.children())]
    handles = [module.register_full_backward_hook(hook) for module in leaves]
    try:
        yield Watcher(norms.clear)
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def wandb_watch(training: Training) -> Iterator[Watcher]:
    """Log histograms of all gradients to wandb, offline."""
    wandb = import_module("wandb")
    with tempfile.TemporaryDirectory() as folder:
        settings = wandb.Settings(mode="offline", console="off", silent=True, root_dir=folder)
        run = wandb.init(project="monitor", dir=folder, settings=settings)
        run.watch(training.model, log="gradients", log_freq=1)
        try:
            yield Watcher(lambda: run.log({}))
        finally:
            run.unwatch(training.model)
            run.finish()


@contextmanager
def tensorboard_histograms(training: Training) -> Iterator[Watcher]:
    """Write a histogram of every gradient."""
    writer_class = import_module("torch.utils.tensorboard").SummaryWriter
    with tempfile.TemporaryDirectory() as folder, writer_class(folder) as writer:

        def look() -> None:
            for name, parameter in training.model.named_parameters():
                if parameter.grad is not None:
                    writer.add_histogram(name, parameter.grad)

        yield Watcher(look)


@contextmanager
def backpack_norms(training: Training) -> Iterator[Watcher]:
    """Take the norm of every example's gradient with BackPACK."""
    backpack, extensions = import_module("backpack"), import_module("backpack.extensions")
    backpack.extend(training.model)
    backpack.extend(training.loss)
    with backpack.backpack(extensions.BatchL2Grad()):
        yield Watcher()


@contextmanager
def cockpit_economy(training: Training) -> Iterator[Watcher]:
    """Cockpit's smallest configuration."""
    extend = import_module("backpack").extend
    configuration = import_module("cockpit.utils.configuration").configuration
    extend(training.model)
    extend(training.loss)
    each = extend(type(training.loss)(reduction="none"))
    cockpit_class = import_module("cockpit").Cockpit
    cockpit = cockpit_class(training.model.parameters(), quantities=configuration("economy"))

    def around(training: Training) -> AbstractContextManager[None]:
        information = {
            "batch_size": len(training.x),
            "individual_losses": each(training.y, training.t).flatten(),
            "loss": training.value,
            "optimizer": training.optimizer,
        }
        entered: AbstractContextManager[None] = cockpit(training.number, info=information)
        return entered

    yield Watcher(around=around)


@dataclass(frozen=True)
class Way:
    """A way of watching; the slow ones are attached once, to a copy, and take part in few rounds."""

    watch: Watch
    slow: bool = False


WAYS = {
    "bare step": Way(bare),
    "GradientMonitor": Way(monitored()),
    "torch._foreach_norm": Way(foreach),
    "p.grad.norm().item() loop": Way(item_loop),
    "post-accumulate hooks": Way(accumulate_hooks),
    "GradientMonitor, activations": Way(monitored("activation")),
    "GradientMonitor, deltas": Way(monitored("delta")),
    "GradientMonitor, everything": Way(monitored("delta", "activation", "update", "zeros")),
    "full backward hooks": Way(backward_hooks),
    "wandb.watch, offline": Way(wandb_watch, slow=True),
    "TensorBoard histograms": Way(tensorboard_histograms, slow=True),
    "BackPACK BatchL2Grad": Way(backpack_norms, slow=True),
    "cockpit, economy": Way(cockpit_economy, slow=True),
}
SLOW_ROUNDS = 3


def seconds(training: Training, watcher: Watcher, steps: int) -> float:
    """Return the median CPU time of a step, after one that does not count."""
    training.step(watcher)
    times = []
    for _ in range(steps):
        began = time.process_time()
        training.step(watcher)
        times.append(time.process_time() - began)
    return statistics.median(times)


@dataclass
class Times:
    """CPU times of one way's steps, one a round, and of bare steps just before."""

    own: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def ratios(self) -> list[float]:
        return [own / bare for own, bare in zip(self.own, self.bare, strict=True)]

    def quartiles(self) -> tuple[float, float, float]:
        ratios = self.ratios()
        low, middle, high = statistics.quantiles(ratios * 2, n=4) if len(ratios) > 1 else ratios * 3
        return low, middle, high


def compare(training: Training, rounds: int, steps: int) -> tuple[dict[str, Times], dict[str, str]]:
    """Return every way's times, one a round that it took part in, and why some are missing."""
    times = {name: Times() for name in WAYS}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        copies: dict[str, tuple[Training, Watcher]] = {}
        for name, way in WAYS.items():
            try:
                if way.slow:
                    own = Training(copy.deepcopy(training.model), training.x, training.t, training.loss)
                    copies[name] = own, stack.enter_context(way.watch(own))
                    seconds(*copies[name], steps=1)
                else:
                    with way.watch(training) as watcher:
                        seconds(training, watcher, steps=1)
            except Exception as error:
                missing[name] = f"{type(error).__name__}: {error}".splitlines()[0][:90]
        for number in tqdm(range(rounds), unit="round", leave=False):
            names = [name for name in WAYS if name not in missing]
            names = [name for name in names if number < SLOW_ROUNDS or not WAYS[name].slow]
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                slow = name in copies
                times[name].bare.append(seconds(training, Watcher(), 1 if slow else steps))
                if slow:
                    times[name].own.append(seconds(*copies[name], steps=1))
                else:
                    with WAYS[name].watch(training) as watcher:
                        times[name].own.append(seconds(training, watcher, steps))
    return times, missing


#: By network: at most so many bare steps.
LIMITS = {"MLP 50 x 256": 1.08, "MLP, sigmoid": 1.08, "chain 152": 1.03, "Inception V3": 1.05}
ACTIVATIONS, OVER_FOREACH = 1.15, 1.03


def main() -> int:
    """Run the comparison; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="rounds of all ways in turn (15)")
    parser.add_argument("--only", choices=MODELS, action="append", help="this network; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("give --rounds of at least 1")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of the tools compared

    results: dict[str, dict[str, float | str]] = {}
    targets: dict[str, bool] = {}
    for title in given.only or MODELS:
        times, missing = compare(training_of(title), given.rounds, steps=MODELS[title][2])
        milliseconds = 1e3 * statistics.median(times["bare step"].bare)
        print(f"\n{title}: bare step {milliseconds:.1f} ms CPU, {given.rounds} rounds")
        results[title] = {"bare step, ms": milliseconds, **missing}
        for name in WAYS:
            if name in missing:
                print(f"  {name:<30} left out: {missing[name]}")
                continue
            low, share, high = times[name].quartiles()
            results[title][name] = share
            print(f"  {name:<30} {share:>7.3f}   ({low:.3f} to {high:.3f})")
        monitor, foreach_norm = times["GradientMonitor"], times["torch._foreach_norm"]
        over = statistics.median(a / b for a, b in zip(monitor.own, foreach_norm.own, strict=True))
        results[title]["GradientMonitor over torch._foreach_norm"] = over
        print(f"  {'GradientMonitor over foreach':<30} {over:>7.3f}")
        share = monitor.quartiles()[1]
        targets[f"{title}: GradientMonitor at most {LIMITS[title]} ({share:.3f})"] = share <= LIMITS[title]
        targets[f"{title}: at most {OVER_FOREACH} of _foreach_norm ({over:.3f})"] = over <= OVER_FOREACH
        share = times["GradientMonitor, activations"].quartiles()[1]
        targets[f"{title}: activations at most {ACTIVATIONS} ({share:.3f})"] = share <= ACTIVATIONS
    print()
    for target, met in targets.items():
        print(f"{'met   ' if met else 'MISSED'} {target}")
    if given.json:
        write_atomic(given.json, json.dumps({"ratios": results, "targets": targets}, indent=2) + "\n")
    return 1 if given.check and not all(targets.values()) else 0


if __name__ == "__main__":
    os.environ.setdefault("WANDB_SILENT", "true")
    sys.exit(main())
