"""The two phases of fine-tuning as two calls: a head on a frozen base, then the base's last stages too."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import nn

from coursework.finetune.bases import Backbone, Base, get_base
from coursework.finetune.cache import cache_folder
from coursework.finetune.features import Features, activations_before, features_and_activations
from coursework.finetune.head import Head
from coursework.finetune.images import Images
from coursework.finetune.scoring import Predictions
from coursework.finetune.training import History, Schedule, fit_base, fit_head, predict

#: Stage, the pictures' files, and whether they are mirrored.
Entering = tuple[str, tuple[Path, ...], bool]


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
    entering : what enters a stage, where it was kept for `trained_phase`.
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
    entering: Mapping[Entering, Features] = field(default_factory=dict, repr=False)


def frozen_phase(
    images: Images,
    *,
    base: str = "inception_v3",
    weights: str = "",
    size: int = 0,
    hidden: int = 32,
    dropout: float = 0.5,
    flip: bool = True,
    then_from: str | None = None,
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
    then_from : the stage that `trained_phase` will be called with ("" for the base's default). What enters it
        is kept in memory, so that it is not computed twice; by default nothing is.
    schedule : of its training; its seed also starts head and random weights.
    cache : folder for the features; by default the user's cache.

    Raises
    ------
    ValueError : unknown base, weights that cannot be had, a size too small for the base, or no such stage.
    """
    record = get_base(base)
    weights = weights or record.default_weights
    record.check(weights)
    size = size or record.size_for(weights)
    if size < record.smallest:
        raise ValueError(f"size={size}: {base} needs pictures of at least {record.smallest} pixels a side")
    backbone = record.build(weights, seed=schedule.seed)
    stage = None if then_from is None else _first_stage(record, backbone, then_from)
    entering: dict[Entering, Features] = {}
    named = f"{base}, {_short(weights)}"

    def features(split_name: str, mirrored: bool) -> Features:
        split = getattr(images, split_name)
        what = f"{named}: {split_name}{' mirrored' if mirrored else ''}"
        found, before = features_and_activations(
            backbone, stage, split, size, record.preprocessing, flip=mirrored, cache=cache, description=what
        )
        if stage is not None and before is not None:
            entering[stage, split.paths, mirrored] = before
        return found

    train = features("train", False)
    validation = [features("validation", mirrored) for mirrored in _versions(flip)]
    head = Head(record.feature_width, len(images.classes), hidden=hidden, dropout=dropout, seed=schedule.seed)
    history = fit_head(head, train, validation, schedule)
    predictions = predict(head, validation, images.validation, images.classes, f"{named}, base frozen")
    return Phase(
        record, weights, size, backbone, head, "", flip, schedule, history, predictions, entering=entering
    )


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
    backbone, head = copy.deepcopy(frozen.backbone), copy.deepcopy(frozen.head)
    stage = _first_stage(record, backbone, stage)
    named = f"{record.name}, {_short(frozen.weights)}"

    def activations(split_name: str, mirrored: bool) -> Features:
        split = getattr(images, split_name)
        kept = frozen.entering.get((stage, split.paths, mirrored))
        if kept is not None:
            return kept
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
        entering={},
    )


def _first_stage(base: Base, backbone: Backbone, stage: str) -> str:
    """Return the stage that is meant: "" is the base's default, "all" the first one."""
    stage = backbone.stage_names[0] if stage == "all" else stage or base.unfreeze_from
    backbone.part(start=stage)  # refuse an unknown stage before the long part
    return stage


def _versions(flip: bool) -> tuple[bool, ...]:
    """Return which versions of a picture to take: mirrored or not."""
    return (False, True) if flip else (False,)


def _short(weights: str) -> str:
    """Return the name of weights, without the folders of a file's path."""
    return Path(weights).name
