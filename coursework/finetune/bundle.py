"""From a finished pre-training to the bundled weights: statistics, held-out accuracy, file and model card."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from torch import nn
from tqdm import tqdm

from coursework._common.files import sha256_of, write_atomic
from coursework.finetune.bases import BASES, INCEPTION_STAGES
from coursework.finetune.objects import OUTLINES, SURFACES
from coursework.finetune.pretrain import Learner, Recipe, batch_of, loss_of, network_input, pretrain
from coursework.finetune.quantized import write_quantized

#: Held-out pictures have numbers that no training picture has.
HELD_OUT = 1_000_000_000


@torch.no_grad()
def set_statistics(
    learner: Learner, recipe: Recipe, size: int, *, batches: int = 24, batch_size: int = 16
) -> None:
    """Measure BatchNorm's means and variances anew on pictures of the size that the weights are used at."""
    norms = [module for module in learner.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    learner.train()
    for number in tqdm(range(batches), desc="BatchNorm statistics", unit="batch"):
        batch = batch_of(recipe.seed, HELD_OUT // 2 + number * batch_size, batch_size, size)
        learner(network_input(batch["pixels"]))
    learner.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def held_out_accuracy(
    learner: Learner, recipe: Recipe, size: int, *, pictures: int = 1024
) -> dict[str, float]:
    """Return the accuracies of all heads on pictures that were not trained on.

    Dense heads: share of the positions with an object whose label is named. Pooled head: share of the
    pictures whose highest-scored label is present.
    """
    learner.eval()
    sums: dict[str, float] = {}
    batches = max(1, pictures // 32)
    for number in tqdm(range(batches), desc="held-out accuracy", unit="batch"):
        batch = batch_of(recipe.seed, HELD_OUT + number * 32, 32, size)
        _, seen = loss_of(learner(network_input(batch["pixels"])), batch, recipe)
        for name, value in seen.items():
            sums[name] = sums.get(name, 0.0) + value / batches
    return {name: round(value, 3) for name, value in sums.items()}


def scaled(recipe: Recipe, pictures: int) -> Recipe:
    """Return `recipe` with about `pictures` pictures in all, each stage in proportion."""
    factor = pictures / recipe.pictures
    stages = [
        replace(stage, pictures=max(stage.batch, round(stage.pictures * factor / stage.batch) * stage.batch))
        for stage in recipe.stages
    ]
    return replace(recipe, stages=tuple(stages), easy_pictures=max(1, round(recipe.easy_pictures * factor)))


def pretrain_to_file(
    folder: Path, out: Path, *, seed: int = 0, pictures: int | None = None, workers: int = 1
) -> Path:
    """Train by the recipe, or go on from the checkpoint in `folder`, and write weights and card to `out`.

    Raises
    ------
    ValueError : the checkpoint in `folder` is damaged or of another recipe.
    OSError : `folder` or the place of `out` cannot be written to.
    """
    recipe = Recipe(seed=seed)
    if pictures is not None:
        recipe = scaled(recipe, pictures)
    # numbers under 1e-38 are slow and mean nothing here; the setting holds for the whole process
    torch.set_flush_denormal(True)
    try:
        learner, seconds = pretrain(recipe, folder, workers=workers)
    finally:
        torch.set_flush_denormal(False)
    return write_bundle(learner, recipe, out, size=BASES["inception_v3"].size_for("bundled"), seconds=seconds)


def write_bundle(
    learner: Learner, recipe: Recipe, path: Path, *, size: int, seconds: float, note: str = ""
) -> Path:
    """Write the base's weights as int8 to `path` and the model card beside it, ending in .md.

    Parameters
    ----------
    size : side in pixels of the pictures that the weights will be used on. seconds : spent on training.
    note : what else the model card should say about how it was trained.
    """
    training_size = recipe.stages[-1].size
    accuracy = held_out_accuracy(learner, recipe, training_size)
    set_statistics(learner, recipe, size)
    state = {
        name: value
        for name, value in learner.base.state_dict().items()
        if name.split(".")[0] in INCEPTION_STAGES
    }
    card = {
        "recipe": asdict(recipe),
        "seconds": round(seconds),
        "torch": torch.__version__.split("+")[0],
        "machine": platform.machine(),
        "held_out_accuracy": accuracy,
        "held_out_size": training_size,
        "statistics_size": size,
        "note": note,
    }
    write_quantized(path, state, card)
    write_atomic(path.with_suffix(".md"), model_card(card, path))
    return path


def model_card(card: Mapping[str, Any], path: Path) -> str:
    """Return the model card of a bundle as Markdown."""
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("model_card.md.jinja").render(
        **card,
        name=path.name,
        outlines=len(OUTLINES),
        surfaces=len(SURFACES),
        megabytes=path.stat().st_size / 1e6,
        sha256=sha256_of(path),
    )
