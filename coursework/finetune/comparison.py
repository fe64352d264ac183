"""What pre-training is worth: the same head on bases of different upbringing, and the ranges stated."""

from __future__ import annotations

from collections.abc import Mapping

from coursework._common.files import PROJECT_ROOT
from coursework.finetune.images import Images
from coursework.finetune.lab import Phase, frozen_phase, trained_phase
from coursework.finetune.scoring import accuracy
from coursework.finetune.training import Schedule

#: The schedules for which `STATED` holds: the notebook's default parameters, seed included.
STATED_FOR: Mapping[str, Schedule] = {
    "head": Schedule(60, 32, 0.003),
    "trained": Schedule(8, 32, 0.001, weight_decay=0.1),
}

#: Ranges of the validation accuracy on the bundled pictures: (base, weights, trained too) -> (low, high).
STATED: Mapping[tuple[str, str, bool], tuple[float, float]] = {
    ("inception_v3", "none", False): (0.2, 0.6),
    ("inception_v3", "bundled", False): (0.8, 1.0),
    ("efficientnet_lite0", "imagenet", False): (0.85, 1.0),
    ("inception_v3", "none", True): (0.2, 0.6),
    ("inception_v3", "bundled", True): (0.78, 1.0),
}


class OutOfRange(AssertionError):
    """A measured accuracy left the range that is stated for it."""


def comparison(
    images: Images,
    frozen: Phase,
    trained: Phase,
    *,
    hidden: int = 32,
    dropout: float = 0.5,
    head: Schedule,
    base: Schedule,
) -> list[Phase]:
    """Return phases to compare: first those of frozen bases, then those of trained ones.

    Inception with random weights (frozen and trained), EfficientNet-Lite0 with ImageNet weights (frozen)
    and the two phases given, none of them computed twice.
    """

    stage = trained.stage if frozen.base.name == "inception_v3" else ""

    def frozen_with(name: str, weights: str, then_from: str | None = None) -> Phase:
        if (frozen.base.name, frozen.weights) == (name, weights):
            return frozen
        size = frozen.size if name == frozen.base.name else 0
        return frozen_phase(
            images,
            base=name,
            weights=weights,
            size=size,
            hidden=hidden,
            dropout=dropout,
            flip=frozen.flip,
            then_from=then_from,
            schedule=head,
        )

    untrained = frozen_with("inception_v3", "none", stage)
    lite0 = frozen_with("efficientnet_lite0", "imagenet")
    untrained_trained = trained
    if frozen is not untrained:
        untrained_trained = trained_phase(untrained, images, stage=stage, schedule=base)
    phases = [untrained, frozen, lite0, untrained_trained, trained]
    # a base that was given may be one of the others: keep the first of each
    return list({id(phase): phase for phase in phases}.values())


def check_ranges(phases: list[Phase], images: Images) -> str:
    """Hold accuracies against `STATED` and say which ranges they are within.

    The digits depend on the processor; the ranges do not. They are stated for the bundled pictures and
    the default parameters only; for others, a sentence says that nothing is stated.

    Raises
    ------
    OutOfRange : an accuracy is outside its range.
    """
    if images.root != PROJECT_ROOT / "data" / "sport3" or not _as_stated(phases):
        return "No ranges are stated for other pictures or other parameters than the default ones."
    lines = []
    for phase in phases:
        low, high = STATED[phase.base.name, phase.weights, bool(phase.stage)]
        share = accuracy(phase.predictions)
        if not low <= share.value <= high:
            raise OutOfRange(
                f"{phase.predictions.name}: accuracy {share}, outside the stated range {low} to {high}"
            )
        lines.append(f"{phase.predictions.name}: accuracy within {low} to {high}")
    return "\n".join(lines)


def _as_stated(phases: list[Phase]) -> bool:
    """Return whether these phases were trained with the default parameters."""
    for phase in phases:
        schedule = STATED_FOR["trained" if phase.stage else "head"]
        default_size = phase.base.size_for(phase.weights)
        if phase.schedule != schedule or phase.size != default_size:
            return False
        if (phase.head.hidden, phase.head.dropout) != (32, 0.5):
            return False
        if phase.stage not in ("", phase.base.unfreeze_from) or not phase.flip:
            return False
        if (phase.base.name, phase.weights, bool(phase.stage)) not in STATED:
            return False
    return True
