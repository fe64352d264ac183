"""The epochs: a head on frozen features, then the base's last stages too.

Both phases start from what is given and return a `History` with the assignment's five columns. The
second one is written to a checkpoint after each epoch, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from coursework.finetune.bases import Backbone
from coursework.finetune.cache import keep
from coursework.finetune.features import Features, device_of_choice, pooled_features
from coursework.finetune.head import Head
from coursework.finetune.images import Split
from coursework.finetune.scoring import Predictions


@dataclass(frozen=True)
class Epoch:
    """One row of an epoch table.

    Attributes
    ----------
    epoch : counted from 1.
    train_loss, train_accuracy : means over the epoch's batches while training (dropout on, weights
        moving), as the published tables have them.
    validation_loss, validation_accuracy : after the epoch, over all validation pictures. Losses are
        cross-entropies in nats.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class History:
    """The epochs of one phase. `steps` is the number of optimizer steps in each."""

    phase: str
    steps: int
    epochs: tuple[Epoch, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Schedule:
    """How a phase is trained: AdamW, a short warm-up, then half a cosine to zero.

    Attributes
    ----------
    epochs, batch_size : as usual. learning_rate : of the head, at its highest.
    base_factor : the base's learning rate is this times the head's.
    weight_decay : of the weights, not of biases and BatchNorm.
    warm_up : share of all steps over which the learning rate rises from zero.
    seed : of the order of the pictures and of the dropout.
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    base_factor: float = 1.0
    weight_decay: float = 1e-2
    warm_up: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0 or not 0 <= self.warm_up < 1:
            raise ValueError(
                f"epochs={self.epochs}, batch_size={self.batch_size}, learning_rate={self.learning_rate}, "
                f"warm_up={self.warm_up}: give epochs and batch_size of at least 1, "
                "a learning rate over 0 and a warm-up in [0, 1)"
            )

    def factor_at(self, step: int, steps: int) -> float:
        """Return what the learning rates are multiplied by at `step` (from 0) of `steps`."""
        warm = max(1, round(self.warm_up * steps))
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def fit_head(head: Head, train: Features, validation: list[Features], schedule: Schedule) -> History:
    """Train `head` on frozen features; it is left in evaluation mode.

    The head standardizes by the training features first.

    Parameters
    ----------
    validation : the validation pictures' features; the scores of several versions are averaged.
    """
    head.standardize_by(train.values)
    optimizer = torch.optim.AdamW(_groups(head, schedule, schedule.learning_rate))
    return _fit(
        "base frozen",
        head,
        None,
        [train],
        validation,
        optimizer,
        schedule,
        forward=lambda x: head(x),
        checkpoint=None,
    )


def fit_base(
    backbone: Backbone,
    stage: str,
    head: Head,
    train: list[Features],
    validation: list[Features],
    schedule: Schedule,
    *,
    checkpoint: Path | None = None,
) -> History:
    """Train the stages of `backbone` from `stage` on, together with `head`, which begins as it is.

    BatchNorm keeps its statistics: only its scale and shift are trained, so that training and
    evaluation compute the same function, and small batches do not blur it.

    Parameters
    ----------
    train : what enters `stage` for the training pictures; several lists are versions of the same
        pictures (mirrored ones), of which each epoch takes one at random per picture.
    validation : the same for the validation pictures, whose class scores are the mean over the versions.
    checkpoint : file to which each epoch is written and from which an interrupted run goes on;
        removed at the end. One of another run (by a hash over all inputs) is ignored.
    """
    part = backbone.part(start=stage)
    for parameter in backbone.parameters():
        parameter.requires_grad_(False)
    for parameter in part.parameters():
        parameter.requires_grad_(True)
    groups = _groups(head, schedule, schedule.learning_rate)
    groups += _groups(part, schedule, schedule.learning_rate * schedule.base_factor)
    optimizer = torch.optim.AdamW(groups, fused=True)  # one pass over the weights instead of ten
    return _fit(
        f"base trained from {stage}",
        head,
        part,
        train,
        validation,
        optimizer,
        schedule,
        forward=lambda x: head(pooled_features(part, x)),
        checkpoint=checkpoint,
    )


def _groups(module: nn.Module, schedule: Schedule, rate: float) -> list[dict[str, object]]:
    matrices = [p for p in module.parameters() if p.ndim > 1]
    vectors = [p for p in module.parameters() if p.ndim <= 1]
    return [
        {"params": matrices, "lr": rate, "rate": rate, "weight_decay": schedule.weight_decay},
        {"params": vectors, "lr": rate, "rate": rate, "weight_decay": 0.0},
    ]


def _fit(
    phase: str,
    head: Head,
    part: nn.Module | None,
    train: list[Features],
    validation: list[Features],
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    forward: Callable[[Tensor], Tensor],
    checkpoint: Path | None,
) -> History:
    device = device_of_choice()
    head.to(device)
    if part is not None:
        part.to(device).eval()
    trained = nn.ModuleList([head] if part is None else [head, part])
    n = len(train[0])
    steps = math.ceil(n / schedule.batch_size)
    fingerprint = _fingerprint(trained, train, validation, schedule) if checkpoint else ""
    epochs = _resume(checkpoint, fingerprint, trained, optimizer)
    with (
        torch.random.fork_rng(),
        tqdm(
            total=schedule.epochs * steps, initial=len(epochs) * steps, desc=phase, unit="step", leave=False
        ) as bar,
    ):
        for epoch in range(len(epochs) + 1, schedule.epochs + 1):
            # each epoch has a seed of its own, so that a resumed run draws what the whole one would have
            torch.manual_seed(schedule.seed * 1_000_003 + epoch)
            head.train()
            loss_sum, right = 0.0, 0
            for step, (inputs, labels) in enumerate(_batches(train, schedule.batch_size, device)):
                factor = schedule.factor_at((epoch - 1) * steps + step, schedule.epochs * steps)
                for group in optimizer.param_groups:
                    group["lr"] = group["rate"] * factor
                logits = forward(inputs)
                loss = F.cross_entropy(logits, labels)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                loss_sum += float(loss.detach()) * len(labels)
                right += int((logits.detach().argmax(1) == labels).sum())
                bar.update()
            head.eval()
            logits = evaluate(forward, validation, schedule.batch_size)
            labels = validation[0].labels
            row = Epoch(
                epoch,
                loss_sum / n,
                right / n,
                float(F.cross_entropy(logits, labels)),
                float((logits.argmax(1) == labels).double().mean()),
            )
            epochs.append(row)
            bar.set_postfix(epoch=epoch, validation=f"{row.validation_accuracy:.3f}")
            if checkpoint:
                _save(checkpoint, fingerprint, trained, optimizer, epochs)
    head.eval()
    if checkpoint:
        with suppress(OSError):  # what could not be written cannot be removed
            checkpoint.unlink()
    return History(phase, steps, tuple(epochs))


def _batches(
    versions: list[Features], batch_size: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all pictures once, in random order, each in one of its versions."""
    labels = versions[0].labels
    order = torch.randperm(len(labels))
    which = torch.randint(len(versions), (len(labels),))
    for chosen in order.split(batch_size):
        inputs = torch.stack([versions[int(which[i])].values[int(i)] for i in chosen])
        yield inputs.to(device), labels[chosen].to(device)


@torch.inference_mode()
def evaluate(forward: Callable[[Tensor], Tensor], versions: list[Features], batch_size: int = 32) -> Tensor:
    """Return the logarithms of the class scores of all pictures, (n, classes), float64 on the CPU.

    A picture's scores are the mean of the softmax over its versions (itself and its mirror image): no
    class looks different in a mirror, so the mean leaves out what the network gets wrong on one side only
    (Krizhevsky et al. 2012 average over crops and mirror images). The caller sets evaluation mode.
    """
    device = device_of_choice()
    logarithms = [
        torch.cat([forward(values.to(device)).cpu() for values in version.values.split(batch_size)])
        .double()
        .log_softmax(1)
        for version in versions
    ]
    return torch.stack(logarithms).logsumexp(0) - math.log(len(versions))


def predict(
    head: Head,
    versions: list[Features],
    split: Split,
    classes: tuple[str, ...],
    name: str,
    part: nn.Module | None = None,
) -> Predictions:
    """Return the class scores of a split, the mean over the versions of each picture.

    Parameters
    ----------
    versions : pooled features, or what enters `part` (the trained stages) if that is given.
    """
    head.eval()

    def forward(x: Tensor) -> Tensor:
        logits: Tensor = head(x if part is None else pooled_features(part, x))
        return logits

    logits = evaluate(forward, versions)
    return Predictions.from_logits(split.paths, split.labels, classes, logits.numpy(), name)


# --- checkpoints ---------------------------------------------------------------------------------


def _fingerprint(
    trained: nn.Module, train: list[Features], validation: list[Features], schedule: Schedule
) -> str:
    """Return a hash over everything that the result depends on."""
    digest = hashlib.sha256(repr((torch.__version__, schedule)).encode())
    tensors = [
        *trained.state_dict().values(),
        *(f.values for f in (*train, *validation)),
        *(f.labels for f in (*train, *validation)),
    ]
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _save(
    path: Path, fingerprint: str, trained: nn.Module, optimizer: torch.optim.Optimizer, epochs: list[Epoch]
) -> None:
    state = {
        "fingerprint": fingerprint,
        "trained": trained.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epochs": [asdict(epoch) for epoch in epochs],
    }
    keep(path, "epochs of the training", partial(torch.save, state))


def _resume(
    path: Path | None, fingerprint: str, trained: nn.Module, optimizer: torch.optim.Optimizer
) -> list[Epoch]:
    """Load the checkpoint of this very run, if there is one; return the epochs that are done."""
    if path is None:
        return []
    before = copy.deepcopy((trained.state_dict(), optimizer.state_dict()))
    try:
        state = torch.load(path, weights_only=True)
        if state["fingerprint"] != fingerprint:
            return []
        epochs = [Epoch(**row) for row in state["epochs"]]
        trained.load_state_dict(state["trained"])
        optimizer.load_state_dict(state["optimizer"])
    except Exception:  # no checkpoint, or a damaged one, on which torch raises nearly anything: begin anew
        trained.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        return []
    return epochs
