"""The two phases, on a small base and once on the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from torch import Tensor, nn

from coursework.finetune import bases, lab
from coursework.finetune.bases import Base
from coursework.finetune.features import frozen_features
from coursework.finetune.images import Images
from coursework.finetune.lab import Phase, frozen_phase, trained_phase
from coursework.finetune.scoring import accuracy
from coursework.finetune.training import Schedule

HEAD = Schedule(5, 4, 0.01)
BASE = Schedule(2, 4, 0.01)


def no_stages() -> NoReturn:
    raise AssertionError("the network is built")


@pytest.fixture
def frozen(tiny: Base, images: Images, cache: Path) -> Phase:
    return frozen_phase(images, base="tiny", schedule=HEAD)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """How many pictures, and whether mirrored, of each call that computes what enters a stage."""
    calls: list[tuple[int, bool]] = []
    whole = lab.activations_before

    def watched(*arguments: object, flip: bool, description: str) -> object:
        calls.append((len(arguments[2]), flip))  # type: ignore[arg-type]
        return whole(*arguments, flip=flip, description=description)  # type: ignore[arg-type]

    monkeypatch.setattr(lab, "activations_before", watched)
    return calls


def values_of(phase: Phase) -> list[Tensor]:
    modules = (phase.backbone, phase.head)
    return [value.clone() for module in modules for value in module.state_dict().values()]


def equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


# The base frozen


def test_a_frozen_phase_takes_what_suits_the_base(frozen: Phase, images: Images) -> None:
    assert (frozen.base.name, frozen.weights, frozen.size, frozen.stage) == ("tiny", "bundled", 32, "")
    assert frozen.schedule == HEAD
    assert len(frozen.history.epochs) == 5
    assert frozen.predictions.name == "tiny, bundled, base frozen"
    assert frozen.predictions.paths == images.validation.paths
    assert frozen.predictions.classes == images.classes
    assert accuracy(frozen.predictions).value == frozen.history.epochs[-1].validation_accuracy


def test_the_scores_are_the_mean_over_a_picture_and_its_mirror_image(frozen: Phase, images: Images) -> None:
    versions = [
        frozen_features(frozen.backbone, images.validation, 32, frozen.base.preprocessing, flip=flip)
        for flip in (False, True)
    ]
    with torch.inference_mode():
        scores = sum(frozen.head(version.values).double().softmax(1) for version in versions) / 2
    assert not torch.allclose(versions[0].values, versions[1].values)
    assert torch.allclose(torch.from_numpy(frozen.predictions.scores), scores, atol=1e-6)


def test_weights_size_and_head_can_be_chosen(tiny: Base, images: Images, cache: Path) -> None:
    phase = frozen_phase(
        images, base="tiny", weights="none", size=20, hidden=0, dropout=0.2, schedule=replace(HEAD, seed=3)
    )
    assert (phase.weights, phase.size) == ("none", 20)
    assert (phase.head.hidden, phase.head.dropout) == (0, 0.2)
    assert phase.backbone.sha256() == tiny.build("none", seed=3).sha256()
    assert frozen_phase(images, base="tiny", weights="none", schedule=HEAD).size == 40


def test_a_picture_too_small_for_the_base_is_refused_before_anything_is_built(images: Images) -> None:
    with pytest.raises(ValueError, match="size=74: inception_v3 needs pictures of at least 75 pixels"):
        frozen_phase(images, weights="none", size=74, schedule=HEAD)


def test_an_unknown_base_or_weights_are_refused_before_anything_is_built(
    images: Images, tiny: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bases.BASES, "tiny", replace(tiny, stages=no_stages))
    with pytest.raises(
        ValueError, match="unknown base 'vgg'; the bases are inception_v3, efficientnet_lite0"
    ):
        frozen_phase(images, base="vgg", schedule=HEAD)
    for weights, message in (
        ("imagenot", r"unknown weights 'imagenot' for tiny: give one of 'imagenet', 'bundled', 'none', or"),
        ("gone.pth", r"no weights at 'gone\.pth': .* or for tiny one of 'imagenet', 'bundled', 'none'"),
    ):
        with pytest.raises(ValueError, match=message):
            frozen_phase(images, base="tiny", weights=weights, schedule=HEAD)


# The base trained too


@pytest.mark.parametrize("flip", [True, False])
def test_a_trained_phase_goes_on_from_a_copy(flip: bool, tiny: Base, images: Images, cache: Path) -> None:
    frozen = frozen_phase(images, base="tiny", flip=flip, schedule=HEAD)
    before = values_of(frozen)
    trained = trained_phase(frozen, images, schedule=BASE)
    assert equal(values_of(frozen), before)
    assert not equal(values_of(trained), before)
    assert trained.stage == "middle"
    assert trained.predictions.name == "tiny, bundled, trained from middle"
    assert (trained.base, trained.weights, trained.size) == (frozen.base, "bundled", 32)
    first, ours = (phase.backbone.stages["first"][0].weight for phase in (frozen, trained))
    assert torch.equal(first, ours)
    last, ours = (phase.backbone.stages["last"][0].weight for phase in (frozen, trained))
    assert not torch.equal(last, ours)
    assert accuracy(trained.predictions).value == trained.history.epochs[-1].validation_accuracy


def test_all_trains_from_the_first_stage(frozen: Phase, images: Images) -> None:
    trained = trained_phase(frozen, images, stage="all", schedule=BASE)
    assert trained.stage == "first"
    first, ours = (phase.backbone.stages["first"][0].weight for phase in (frozen, trained))
    assert not torch.equal(first, ours)


def test_an_unknown_stage_is_refused_before_the_long_part(
    frozen: Phase, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "activations_before", None)
    with pytest.raises(ValueError, match="unknown stage 'Mixed_9'; the stages are first, middle, last"):
        trained_phase(frozen, images, stage="Mixed_9", schedule=BASE)


@pytest.mark.parametrize(("then_from", "computed"), [("", [(12, True)]), ("last", 4), ("all", 4), (None, 4)])
def test_what_enters_the_stage_is_not_computed_twice(
    then_from: str | None,
    computed: list[tuple[int, bool]] | int,
    asked: list[tuple[int, bool]],
    tiny: Base,
    images: Images,
    cache: Path,
) -> None:
    kept = frozen_phase(images, base="tiny", then_from=then_from, schedule=HEAD)
    trained = trained_phase(kept, images, schedule=BASE)
    # mirrored training pictures are all that the frozen phase has no use for
    assert (asked if then_from == "" else len(asked)) == computed
    assert not trained.entering
    expected = trained_phase(replace(kept, entering={}), images, schedule=BASE)
    assert equal(values_of(trained), values_of(expected))


def test_what_entered_for_other_pictures_is_not_taken(tiny: Base, images: Images, cache: Path) -> None:
    kept = frozen_phase(images, base="tiny", then_from="", schedule=HEAD)
    fewer = replace(
        images, train=replace(images.train, paths=images.train.paths[1:], labels=images.train.labels[1:])
    )
    trained = trained_phase(kept, fewer, schedule=BASE)
    expected = trained_phase(replace(kept, entering={}), fewer, schedule=BASE)
    assert equal(values_of(trained), values_of(expected))


def test_an_unknown_stage_to_go_on_from_is_refused_at_once(tiny: Base, images: Images, cache: Path) -> None:
    with pytest.raises(ValueError, match="unknown stage 'Mixed_9'; the stages are first, middle, last"):
        frozen_phase(images, base="tiny", then_from="Mixed_9", schedule=HEAD)


def test_mirror_images_are_of_both_halves_or_of_none(
    frozen: Phase, images: Images, asked: list[tuple[int, bool]]
) -> None:
    trained_phase(frozen, images, schedule=BASE)
    assert asked == [(12, False), (12, True), (6, False), (6, True)]
    asked.clear()
    trained_phase(frozen_phase(images, base="tiny", flip=False, schedule=HEAD), images, schedule=BASE)
    assert asked == [(12, False), (6, False)]


def test_a_watch_sees_the_modules_train_and_is_kept(frozen: Phase, images: Images) -> None:
    seen: list[list[str]] = []

    @contextmanager
    def watch(modules: nn.Module) -> Iterator[str]:
        before = [parameter.clone() for parameter in modules.parameters()]
        yield "kept"
        moved = zip(modules.named_parameters(), before, strict=True)
        seen.append([name for (name, now), then in moved if not torch.equal(now, then)])

    trained = trained_phase(frozen, images, watch=watch, schedule=BASE)
    assert trained.watched == "kept"
    assert {name.split(".")[0] for name in seen[0]} == {"base", "head"}
    assert equal(values_of(trained), values_of(trained_phase(frozen, images, schedule=BASE)))


def test_the_same_call_gives_the_same_phase(frozen: Phase, images: Images) -> None:
    first, second = (trained_phase(frozen, images, schedule=BASE) for _ in range(2))
    assert first.history == second.history
    assert equal(values_of(first), values_of(second))


def test_a_checkpoint_lies_in_the_cache_while_training_goes_on(
    frozen: Phase, images: Images, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[Path | None] = []
    whole = lab.fit_base

    def watched(*arguments: object, checkpoint: Path | None) -> object:
        files.append(checkpoint)
        return whole(*arguments, checkpoint=checkpoint)  # type: ignore[arg-type]

    monkeypatch.setattr(lab, "fit_base", watched)
    trained_phase(frozen, images, schedule=BASE, checkpoint=True)
    trained_phase(frozen, images, stage="last", schedule=BASE, checkpoint=True)
    trained_phase(frozen, images, schedule=BASE)
    assert files[2] is None
    assert files[0] is not None
    assert files[0].parent == cache
    assert files[0] != files[1]
    assert not files[0].exists()


# The real bases


@pytest.mark.parametrize(
    ("name", "weights", "size", "stage"),
    [("inception_v3", "none", 75, "Mixed_7c"), ("efficientnet_lite0", "imagenet", 48, "blocks_6")],
)
def test_both_phases_with_a_real_base(
    name: str, weights: str, size: int, stage: str, images: Images, cache: Path
) -> None:
    schedule = Schedule(3, 6, 0.003)
    first = frozen_phase(images, base=name, weights=weights, size=size, flip=False, schedule=schedule)
    second = trained_phase(first, images, stage=stage, schedule=Schedule(1, 6, 1e-4))
    assert second.stage == stage
    assert second.history.steps == 2
    names = first.backbone.stage_names
    for number, stage_name in enumerate(names):
        before, after = (phase.backbone.stages[stage_name].state_dict() for phase in (first, second))
        same = all(torch.equal(before[key], after[key]) for key in before)
        if number < names.index(stage):
            assert same
        elif before:
            assert not same
