"""Which bases are compared, what is not computed twice, and the ranges that are stated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from coursework._common.files import PROJECT_ROOT
from coursework.finetune import comparison
from coursework.finetune.bases import Backbone, get_base
from coursework.finetune.comparison import STATED, STATED_FOR, OutOfRange, check_ranges
from coursework.finetune.head import Head
from coursework.finetune.images import Images
from coursework.finetune.lab import Phase, frozen_phase, trained_phase
from coursework.finetune.scoring import Predictions
from coursework.finetune.training import History, Schedule
from coursework.publish.parameters import read_parameters

HEAD, BASE = Schedule(2, 4, 0.01), Schedule(1, 4, 0.01)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The phases that `comparison` computes: what of which base, and with which options."""
    calls: list[tuple[Any, ...]] = []

    def frozen(images: Images, **options: Any) -> Phase:
        calls.append(("frozen", options["base"], options["weights"], options["size"]))
        return frozen_phase(images, **options)

    def trained(start: Phase, images: Images, **options: Any) -> Phase:
        calls.append(("trained", start.base.name, start.weights, options["stage"], start.flip))
        return trained_phase(start, images, **options)

    monkeypatch.setattr(comparison, "frozen_phase", frozen)
    monkeypatch.setattr(comparison, "trained_phase", trained)
    return calls


def kinds(phases: list[Phase]) -> list[tuple[str, str, str]]:
    return [(phase.base.name, phase.weights, phase.stage) for phase in phases]


@pytest.mark.usefixtures("small_bases", "cache")
def test_a_pretrained_inception_is_compared_with_an_untrained_one_and_with_lite0(
    images: Images, asked: list[tuple[Any, ...]]
) -> None:
    first = frozen_phase(images, weights="bundled", size=24, flip=False, schedule=HEAD)
    second = trained_phase(first, images, stage="last", schedule=BASE)
    phases = comparison.comparison(images, first, second, head=HEAD, base=BASE)
    assert kinds(phases) == [
        ("inception_v3", "none", ""),
        ("inception_v3", "bundled", ""),
        ("efficientnet_lite0", "imagenet", ""),
        ("inception_v3", "none", "last"),
        ("inception_v3", "bundled", "last"),
    ]
    assert phases[1] is first
    assert phases[4] is second
    assert [phase.size for phase in phases] == [24, 24, 32, 24, 24]
    assert asked == [
        ("frozen", "inception_v3", "none", 24),
        ("frozen", "efficientnet_lite0", "imagenet", 0),
        ("trained", "inception_v3", "none", "last", False),
    ]


@pytest.mark.usefixtures("small_bases", "cache")
def test_an_untrained_inception_is_not_computed_twice(images: Images, asked: list[tuple[Any, ...]]) -> None:
    first = frozen_phase(images, weights="none", schedule=HEAD)
    second = trained_phase(first, images, schedule=BASE)
    phases = comparison.comparison(images, first, second, head=HEAD, base=BASE)
    assert [id(phase) for phase in phases] == [id(first), id(phases[1]), id(second)]
    assert kinds(phases)[1] == ("efficientnet_lite0", "imagenet", "")
    assert asked == [("frozen", "efficientnet_lite0", "imagenet", 0)]


@pytest.mark.usefixtures("small_bases", "cache")
def test_lite0_is_not_computed_twice(images: Images, asked: list[tuple[Any, ...]]) -> None:
    first = frozen_phase(images, base="efficientnet_lite0", weights="imagenet", schedule=HEAD)
    second = trained_phase(first, images, stage="last", schedule=BASE)
    phases = comparison.comparison(images, first, second, head=HEAD, base=BASE)
    assert kinds(phases) == [
        ("inception_v3", "none", ""),
        ("efficientnet_lite0", "imagenet", ""),
        ("inception_v3", "none", "middle"),  # the stage's name would mean nothing in another base
        ("efficientnet_lite0", "imagenet", "last"),
    ]
    assert [call[:3] for call in asked] == [
        ("frozen", "inception_v3", "none"),
        ("trained", "inception_v3", "none"),
    ]


# Ranges


def phase_of(base: str, weights: str, trained: bool, right: int, of: int = 100) -> Phase:
    """A phase with the default parameters that got so many pictures right."""
    scores = np.zeros((of, 2))
    scores[:right, 0] = scores[right:, 1] = 1
    name = f"{base}, {weights}"
    predictions = Predictions(
        [Path(f"{i}.jpg") for i in range(of)], np.zeros(of, np.int64), ("a", "b"), scores, name
    )
    record = get_base(base)
    return Phase(
        base=record,
        weights=weights,
        size=record.size_for(weights),
        backbone=Backbone({}, 0),
        head=Head(4, 2),
        stage=record.unfreeze_from if trained else "",
        flip=True,
        schedule=STATED_FOR["trained" if trained else "head"],
        history=History("", 1),
        predictions=predictions,
    )


@pytest.fixture
def bundled(images: Images) -> Images:
    """As if these were the bundled pictures."""
    return replace(images, root=PROJECT_ROOT / "data" / "sport3")


NOTHING_STATED = "No ranges are stated for other pictures or other parameters than the default ones."


@pytest.mark.parametrize("key", STATED)
def test_an_accuracy_is_held_against_both_ends_of_its_range(
    key: tuple[str, str, bool], bundled: Images
) -> None:
    low, high = (round(100 * end) for end in STATED[key])
    assert 0 < low < high <= 100
    for right in (low, high):
        words = check_ranges([phase_of(*key, right)], bundled)
        assert words == f"{key[0]}, {key[1]}: accuracy within {low / 100} to {high / 100}"
    for right in {low - 1, min(high + 1, 101)} - {101}:
        with pytest.raises(OutOfRange, match=rf"{key[0]}, {key[1]}: accuracy 0\.{right:02d}.*outside"):
            check_ranges([phase_of(*key, right)], bundled)


def test_one_accuracy_out_of_range_among_others_is_found(bundled: Images) -> None:
    good = phase_of("efficientnet_lite0", "imagenet", False, 95)
    bad = phase_of("inception_v3", "bundled", True, 40)
    assert len(check_ranges([good, good], bundled).splitlines()) == 2
    with pytest.raises(OutOfRange, match=r"inception_v3, bundled.*40 of 100"):
        check_ranges([good, bad, good], bundled)


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": replace(STATED_FOR["head"], epochs=61)},
        {"schedule": replace(STATED_FOR["head"], learning_rate=0.01)},
        {"size": 96},
        {"head": Head(4, 2, hidden=0)},
        {"head": Head(4, 2, dropout=0.1)},
        {"stage": "Mixed_6a", "schedule": STATED_FOR["trained"]},
        {"weights": "imagenet", "size": 299},
        {"stage": "Mixed_7a", "schedule": STATED_FOR["trained"], "flip": False},
    ],
)
def test_nothing_is_stated_for_other_parameters(changes: dict[str, Any], bundled: Images) -> None:
    other = replace(phase_of("inception_v3", "bundled", False, 1), **changes)
    assert check_ranges([other], bundled) == NOTHING_STATED


def test_nothing_is_stated_for_other_pictures(images: Images) -> None:
    assert check_ranges([phase_of("inception_v3", "bundled", False, 1)], images) == NOTHING_STATED


def test_nothing_is_stated_for_another_seed(bundled: Images) -> None:
    phase = phase_of("inception_v3", "bundled", False, 1)
    other = replace(phase, schedule=replace(phase.schedule, seed=7))
    assert check_ranges([other], bundled) == NOTHING_STATED


def test_the_ranges_are_stated_for_the_notebooks_own_parameters() -> None:
    notebook = nbformat.read(PROJECT_ROOT / "notebooks" / "3_fine_tuning.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    values: dict[str, Any] = {parameter.name: parameter.default for parameter in read_parameters(cell.source)}
    head = Schedule(values["head_epochs"], values["batch_size"], values["head_learning_rate"])
    trained = Schedule(
        values["base_epochs"],
        values["batch_size"],
        values["base_learning_rate"],
        weight_decay=values["base_weight_decay"],
    )
    assert {"head": head, "trained": trained} == STATED_FOR
    assert (values["base"], values["weights"] or get_base(values["base"]).default_weights) in {
        key[:2] for key in STATED
    }
    assert (values["size"], values["hidden"], values["dropout"], values["unfreeze_from"]) == (0, 32, 0.5, "")
    assert values["data_dir"] == "data/sport3"
