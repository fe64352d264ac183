"""The two phases of fine-tuning as two calls: a head on a frozen base, then the base's last stages too."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from coursework.finetune.bases import Backbone, Base, get_base
from coursework.finetune.cache import cache_folder
from coursework.finetune.features import Features, activations_before, frozen_features
from coursework.finetune.head import Head
from coursework.finetune.images import Images
from coursework.finetune.scoring import Predictions
from coursework.finetune.training import History, Schedule, fit_base, fit_head, predict


@dataclass(frozen=True)
class Phase:
    """What a phase of training leaves.

    Attributes
    ----------
    base, weights, size : which base, with which weights, on pictures of how many pixels a side.
    backbone, head : the networks, in evaluation mode.
    stage : first stage of the base that was trained; "" if none was.
    flip : whether mirror images were used: to average the scores over, and to train the base on.
    schedule, history : how it was trained, and the epochs.
    predictions : of the validation pictures.
    watched : what `trained_phase` was watched by; None if by nothing.
    """

    base: Base
    weights: str
    size: int
    backbone: Backbone
    head: Head
    stage: str
    flip: bool
    schedule: Schedule
    history: History
    predictions: Predictions
    watched: Any = None


def frozen_phase(
    images: Images,
    *,
    base: str = "inception_v3",
    weights: str = "",
    size: int = 0,
    hidden: int = 32,
    dropout: float = 0.5,
    flip: bool = True,
    schedule: Schedule,
    cache: Path | None = None,
) -> Phase:
    """Train a head on the features of a frozen base, which are computed once.

    Parameters
    ----------
    images : the folder. base : a name of `BASES`. weights : as for `Base.build`; "" for the base's default.
    size : side of the pictures in pixels; 0 for what suits the weights.
    hidden, dropout : of the head.
    flip : take for the scores of a validation picture the mean over it and its mirror image.
    schedule : of its training; its seed also starts head and random weights.
    cache : folder for the features; by default the user's cache.

    Raises
    ------
    ValueError : unknown base, weights that cannot be had, or a size too small for the base.
    """
    record = get_base(base)
    weights = weights or record.default_weights
    record.check(weights)
    size = size or record.size_for(weights)
    if size < record.smallest:
        raise ValueError(f"size={size}: {base} needs pictures of at least {record.smallest} pixels a side")
    backbone = record.build(weights, seed=schedule.seed)
    named = f"{base}, {_short(weights)}"

    def features(split_name: str, mirrored: bool) -> Features:
        split = getattr(images, split_name)
        what = f"{named}: {split_name}{' mirrored' if mirrored else ''}"
        return frozen_features(
            backbone, split, size, record.preprocessing, flip=mirrored, cache=cache, description=what
        )

    train = features("train", False)
    validation = [features("validation", mirrored) for mirrored in _versions(flip)]
    head = Head(record.feature_width, len(images.classes), hidden=hidden, dropout=dropout, seed=schedule.seed)
    history = fit_head(head, train, validation, schedule)
    predictions = predict(head, validation, images.validation, images.classes, f"{named}, base frozen")
    return Phase(record, weights, size, backbone, head, "", flip, schedule, history, predictions)


def trained_phase(
    frozen: Phase,
    images: Images,
    *,
    stage: str = "",
    schedule: Schedule,
    checkpoint: bool = False,
    watch: Callable[[nn.Module], AbstractContextManager[Any]] | None = None,
) -> Phase:
    """Go on from a frozen phase and train the base too, from `stage` on; `frozen` itself is left as it is.

    Where the frozen phase averages over mirror images, the base is trained on them as well.

    Parameters
    ----------
    stage : first stage that is trained; "" for the base's default, "all" for the whole base.
    checkpoint : write each epoch to the user's cache, so that an interrupted call goes on when it is
        made again; see `fit_base`.
    watch : makes a context manager of the modules that train ("base" from `stage` on, then "head"), such as
        `GradientMonitor` does; it is entered while they train, and kept as the phase's `watched`.

    Raises
    ------
    ValueError : there is no such stage.
    """
    record = frozen.base
    stage = stage or record.unfreeze_from
    backbone, head = copy.deepcopy(frozen.backbone), copy.deepcopy(frozen.head)
    if stage == "all":
        stage = backbone.stage_names[0]
    backbone.part(start=stage)  # refuse an unknown stage before the long part
    named = f"{record.name}, {_short(frozen.weights)}"

    def activations(split_name: str, mirrored: bool) -> Features:
        split = getattr(images, split_name)
        what = f"{named}: {split_name}{' mirrored' if mirrored else ''}, up to {stage}"
        return activations_before(
            backbone, stage, split, frozen.size, record.preprocessing, flip=mirrored, description=what
        )

    train = [activations("train", mirrored) for mirrored in _versions(frozen.flip)]
    validation = [activations("validation", mirrored) for mirrored in _versions(frozen.flip)]
    file = cache_folder() / f"training-{_short(named)}-{stage}-{schedule.seed}.pt" if checkpoint else None
    part = backbone.part(start=stage)
    trained = nn.ModuleDict({"base": part, "head": head})
    with watch(trained) if watch else nullcontext() as watched:
        history = fit_base(backbone, stage, head, train, validation, schedule, checkpoint=file)
    name = f"{named}, trained from {stage}"
    predictions = predict(head, validation, images.validation, images.classes, name, part)
    return replace(
        frozen,
        backbone=backbone,
        head=head,
        stage=stage,
        schedule=schedule,
        history=history,
        predictions=predictions,
        watched=watched,
    )


def _versions(flip: bool) -> tuple[bool, ...]:
    """Return which versions of a picture to take: mirrored or not."""
    return (False, True) if flip else (False,)


def _short(weights: str) -> str:
    """Return the name of weights, without the folders of a file's path."""
    return Path(weights).name
