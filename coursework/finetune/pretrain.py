"""How the bundled Inception V3 weights were made: formula-driven supervised pre-training on a CPU.

The network learns to name the outline and the surface of the objects in pictures that
`objects.picture_of_objects` draws, fresh for every step. Class losses alone teach it nothing in the
time that a CPU has; dense losses beside them do: 1x1 convolutions on the inner blocks `Mixed_5d` and
`Mixed_6e` name, at every position, the object that is seen there. All labels come from formulas, no
photograph and no other network is involved (Kataoka et al., "Pre-training without Natural Images",
ACCV 2020; deep supervision: Lee et al., "Deeply-Supervised Nets", AISTATS 2015).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import inception_v3
from tqdm import tqdm

from coursework._common.files import atomic_path
from coursework.finetune.objects import OUTLINES, SURFACES, picture_of_objects

#: Position i of a block's output sees the input around pixel `stride * i + offset`: what the valid
#: convolutions and pools before it leave. The labels are looked up there, in a window of `window` px.
BLOCKS = {"Mixed_5d": (8, 13, 8, 288), "Mixed_6e": (16, 21, 16, 768)}
LAST_BLOCK = ("Mixed_7c", 2048)


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one picture size.

    Attributes
    ----------
    size : side of the pictures, pixels. batch : pictures a step. pictures : pictures in all.
    """

    size: int
    batch: int
    pictures: int


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the weights, but for the order of floating-point additions."""

    seed: int = 0
    stages: tuple[Stage, ...] = (
        Stage(96, 16, 8_000),
        Stage(96, 32, 59_200),
        Stage(128, 32, 12_000),
        Stage(160, 24, 7_200),
    )
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warm_up: float = 0.01  # share of the pictures
    easy_pictures: int = 20_000  # over which the pictures go from easy to as hard as they get
    background_weight: float = 0.2
    loss_weights: dict[str, float] = field(
        default_factory=lambda: {"Mixed_5d": 0.5, "Mixed_6e": 1.0, "pooled": 1.0}
    )

    @property
    def pictures(self) -> int:
        """Number of pictures in all stages."""
        return sum(stage.pictures for stage in self.stages)


class Learner(nn.Module):
    """Inception V3 with a dense head on each inner block and one on the pooled features."""

    def __init__(self) -> None:
        super().__init__()
        self.base = inception_v3(weights=None, init_weights=False, aux_logits=False, transform_input=False)
        self.base.fc = nn.Identity()
        self.base.dropout = nn.Identity()
        for module in self.base.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        labels = len(OUTLINES) + 1 + len(SURFACES) + 1
        self.dense = nn.ModuleDict({name: nn.Conv2d(spec[3], labels, 1) for name, spec in BLOCKS.items()})
        self.pooled = nn.Linear(LAST_BLOCK[1], len(OUTLINES) + len(SURFACES))
        self._seen: dict[str, Tensor] = {}
        for name in BLOCKS:
            self.base.get_submodule(name).register_forward_hook(self._keep(name))

    def _keep(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            self._seen[name] = output

        return hook

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the logits of the dense heads (n, labels, h, w) and of the pooled head (n, labels)."""
        pooled = self.pooled(self.base(x))
        logits = {name: head(self._seen[name]) for name, head in self.dense.items()}
        self._seen.clear()
        return {**logits, "pooled": pooled}


def dense_labels(owner: Tensor, names: Tensor, block: str, like: Tensor) -> Tensor:
    """Return what is seen at each position of a block's output.

    Parameters
    ----------
    owner : (n, H, W) whose pixel each is, 0 for the stage. names : (n, 3) the objects' label + 1, 0 for none.
    block : a key of `BLOCKS`. like : the block's logits, (n, labels, h, w).

    Returns
    -------
    (n, h, w), long: the label of the object that fills most of the window, 0 if the window shows none.
    """
    stride, offset, window, _ = BLOCKS[block]
    h, w = like.shape[-2:]
    start = offset - window // 2
    share = torch.stack([(owner == k).float() for k in (1, 2, 3)], 1)
    share = share[:, :, start : start + stride * h, start : start + stride * w]
    share = F.pad(share, (0, stride * w - share.shape[-1], 0, stride * h - share.shape[-2]))
    share = F.avg_pool2d(share, window, stride)
    most, which = share.max(1)
    label = torch.gather(names[:, :, None, None].expand(-1, -1, h, w), 1, which[:, None])[:, 0]
    return torch.where(most > 0.12, label, 0)


def loss_of(
    logits: dict[str, Tensor], batch: dict[str, Tensor], recipe: Recipe
) -> tuple[Tensor, dict[str, float]]:
    """Return the weighted loss and, for the log, the accuracies at the objects' positions."""
    outlines, surfaces = len(OUTLINES) + 1, len(SURFACES) + 1
    total = torch.zeros(())
    seen: dict[str, float] = {}
    for name in BLOCKS:
        for what, part, count in (
            ("outline", slice(0, outlines), outlines),
            ("surface", slice(outlines, None), surfaces),
        ):
            guess = logits[name][:, part]
            label = dense_labels(batch["owner"], batch[what], name, guess)
            weight = torch.ones(count)
            weight[0] = recipe.background_weight
            loss = F.cross_entropy(guess, label, weight)
            total = total + recipe.loss_weights[name] * loss
            there = label > 0
            seen[f"{name} {what}"] = float((guess.argmax(1) == label)[there].float().mean())
    present = torch.cat(
        [_presence(batch["outline"], outlines - 1), _presence(batch["surface"], surfaces - 1)], 1
    )
    pooled = F.binary_cross_entropy_with_logits(logits["pooled"], present) * 4
    total = total + recipe.loss_weights["pooled"] * pooled
    for what, part in (("outline", slice(0, outlines - 1)), ("surface", slice(outlines - 1, None))):
        best = logits["pooled"][:, part].argmax(1, keepdim=True)
        seen[f"pooled {what}"] = float(present[:, part].gather(1, best).mean())
    return total, seen


def _presence(names: Tensor, count: int) -> Tensor:
    """Return (n, count): 1 where a picture shows an object of that label."""
    return torch.zeros(len(names), count + 1).scatter_(1, names, 1.0)[:, 1:]


class _Pictures(torch.utils.data.IterableDataset[dict[str, Tensor]]):
    """Batches of one stage from batch number `first` on; picture i of the recipe is always the same."""

    def __init__(self, recipe: Recipe, stage: Stage, start: int, first: int) -> None:
        self.recipe, self.stage, self.start, self.first = recipe, stage, start, first

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        worker = torch.utils.data.get_worker_info()
        step, of = (worker.id, worker.num_workers) if worker else (0, 1)
        for batch in range(self.first + step, math.ceil(self.stage.pictures / self.stage.batch), of):
            first = self.start + batch * self.stage.batch
            difficulty = min(1.0, first / self.recipe.easy_pictures)
            yield batch_of(self.recipe.seed, first, self.stage.batch, self.stage.size, difficulty)


def batch_of(seed: int, first: int, count: int, size: int, difficulty: float = 1.0) -> dict[str, Tensor]:
    """Draw pictures number `first` to `first + count - 1` and return them with their labels."""
    pixels = np.empty((count, size, size, 3), np.uint8)
    owner = np.empty((count, size, size), np.uint8)
    names = np.zeros((2, count, 3), np.int64)
    for i in range(count):
        picture = picture_of_objects(size, np.random.default_rng([seed, 1, first + i]), difficulty)
        pixels[i], owner[i] = picture.pixels, picture.owner
        names[0, i, : len(picture.outlines)] = np.array(picture.outlines, np.int64) + 1
        names[1, i, : len(picture.surfaces)] = np.array(picture.surfaces, np.int64) + 1
    return {
        "pixels": torch.from_numpy(pixels),
        "owner": torch.from_numpy(owner),
        "outline": torch.from_numpy(names[0]),
        "surface": torch.from_numpy(names[1]),
    }


def network_input(pixels: Tensor) -> Tensor:
    """Return (n, H, W, 3) bytes as (n, 3, H, W) floats in [-1, 1], Inception's own scaling."""
    return (
        pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)
    )


def learning_rate_at(done: int, recipe: Recipe) -> float:
    """Return the learning rate after `done` pictures: a linear warm-up, then half a cosine to zero."""
    share = done / recipe.pictures
    if share < recipe.warm_up:
        return recipe.learning_rate * (share / recipe.warm_up)
    return (
        recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (share - recipe.warm_up) / (1 - recipe.warm_up)))
    )


def pretrain(
    recipe: Recipe, folder: Path, *, save_every: float = 120.0, workers: int = 1
) -> tuple[Learner, float]:
    """Train as `recipe` says, or go on from the checkpoint in `folder`.

    Returns
    -------
    The trained network and the seconds that its training took, all runs together.

    Parameters
    ----------
    folder : holds `checkpoint.pt` (network, optimizer, pictures done) and `log.jsonl`.
    save_every : seconds between checkpoints. workers : processes that draw pictures.

    Raises
    ------
    ValueError : the checkpoint in `folder` is damaged or belongs to another recipe.
    OSError : `folder` cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    learner = Learner().to(memory_format=torch.channels_last)
    decay = [p for p in learner.parameters() if p.ndim > 1]
    rest = [p for p in learner.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    done, seconds = _resume(folder / "checkpoint.pt", recipe, learner, optimizer)
    learner.train()
    bar = tqdm(total=recipe.pictures, initial=done, unit="picture", desc="pre-training", smoothing=0.02)
    last_save, before = time.monotonic(), time.monotonic()
    start = 0
    for stage in recipe.stages:
        steps = math.ceil(stage.pictures / stage.batch)
        first = min(steps, max(0, math.ceil((done - start) / stage.batch)))
        pictures = _Pictures(recipe, stage, start, first)
        loader = torch.utils.data.DataLoader(
            pictures, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None
        )
        for step, batch in enumerate(loader if first < steps else (), first):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(done, recipe)
            loss, seen = loss_of(learner(network_input(batch["pixels"])), batch, recipe)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(learner.parameters(), 5.0)
            optimizer.step()
            done = start + (step + 1) * stage.batch
            bar.update(stage.batch)
            if step % 20 == 0:
                now = time.monotonic()
                seconds, before = seconds + now - before, now
                row = {
                    "pictures": done,
                    "size": stage.size,
                    "loss": round(float(loss.detach()), 4),
                    "seconds": round(seconds),
                }
                row |= {key: round(value, 3) for key, value in seen.items()}
                with (folder / "log.jsonl").open("a") as log:
                    log.write(json.dumps(row) + "\n")
                bar.set_postfix(
                    {"px": stage.size, "loss": row["loss"], "pooled outline": row["pooled outline"]}
                )
                if now - last_save > save_every:
                    _save(folder / "checkpoint.pt", recipe, learner, optimizer, done, seconds)
                    last_save = now
        start += steps * stage.batch
        done = max(done, start)
    bar.close()
    seconds += time.monotonic() - before
    _save(folder / "checkpoint.pt", recipe, learner, optimizer, done, seconds)
    return learner, seconds


def _save(path: Path, recipe: Recipe, learner: Learner, optimizer: Any, done: int, seconds: float) -> None:
    state = {"recipe": json.dumps(asdict(recipe)), "done": done, "seconds": seconds}
    with atomic_path(path) as temporary:
        torch.save({**state, "learner": learner.state_dict(), "optimizer": optimizer.state_dict()}, temporary)


def _resume(path: Path, recipe: Recipe, learner: Learner, optimizer: Any) -> tuple[int, float]:
    """Load a checkpoint if there is one; return the pictures done and the seconds spent."""
    if not path.exists():
        return 0, 0.0
    try:
        state = torch.load(path, weights_only=True)
        same = json.loads(state["recipe"]) == json.loads(json.dumps(asdict(recipe)))
        if same:
            learner.load_state_dict(state["learner"])
            optimizer.load_state_dict(state["optimizer"])
        done, seconds = int(state["done"]), float(state["seconds"])
    except Exception as error:  # torch raises nearly anything, with advice that does not help here
        raise ValueError(
            f"{path} is not a whole checkpoint ({type(error).__name__}); "
            "remove it to begin anew, or name another folder"
        ) from error
    if not same:
        raise ValueError(f"{path} was written with another recipe; remove it, or name another folder")
    return done, seconds
