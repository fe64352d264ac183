"""The epochs: single steps by hand, what moves and what does not, and runs that are cut off."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from coursework.finetune import training
from coursework.finetune.bases import Backbone, Base
from coursework.finetune.features import Features
from coursework.finetune.head import Head
from coursework.finetune.images import Split
from coursework.finetune.training import History, Schedule, evaluate, fit_base, fit_head, predict


def random_features(n: int, *shape: int, seed: int = 0, classes: int = 3) -> Features:
    generator = torch.Generator().manual_seed(seed)
    return Features(torch.randn(n, *shape, generator=generator), torch.arange(n) % classes)


def state_of(*modules: torch.nn.Module) -> list[Tensor]:
    return [value.clone() for module in modules for value in module.state_dict().values()]


def equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


# Schedules


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.5),  # two of ten steps to warm up
        (1, 1.0),
        (2, 1.0),
        (4, 0.5 * (1 + math.cos(math.pi / 4))),
        (6, 0.5),
        (9, 0.5 * (1 + math.cos(math.pi * 7 / 8))),
    ],
)
def test_the_learning_rate_rises_and_then_falls_along_half_a_cosine(step: int, expected: float) -> None:
    assert Schedule(1, warm_up=0.2).factor_at(step, 10) == pytest.approx(expected)


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_no_learning_rate_is_zero_or_over_its_highest(steps: int) -> None:
    factors = [Schedule(1).factor_at(step, steps) for step in range(steps)]
    assert max(factors) == 1
    assert min(factors) > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"warm_up": 1.0},
        {"warm_up": -0.1},
    ],
)
def test_schedules_that_train_nothing_are_refused_by_value(wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={value}.*give epochs and batch_size of at least 1"):
        Schedule(**{"epochs": 5, **wrong})


# A head on frozen features


def test_one_step_by_hand() -> None:
    """Features -1 and 1, weights 0: loss log 2, and AdamW's first step is the learning rate times a sign."""
    head = Head(1, 2, hidden=0)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
    both = Features(torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
    history = fit_head(head, both, [both], Schedule(1, 2, learning_rate=0.1))
    assert head.layers[0].weight.view(2).tolist() == pytest.approx([-0.1, 0.1], rel=1e-5)
    assert head.layers[0].bias.tolist() == [0, 0]  # their gradients cancel
    assert history.steps == 1
    (row,) = history.epochs
    assert row.epoch == 1
    assert row.train_loss == pytest.approx(math.log(2))
    assert row.train_accuracy == 0.5  # equal logits: the first class
    assert row.validation_loss == pytest.approx(math.log(1 + math.exp(-0.2)), rel=1e-5)
    assert row.validation_accuracy == 1


def test_an_epochs_loss_is_the_mean_over_pictures_not_over_batches() -> None:
    head = Head(4, 3, dropout=0.0)
    train = random_features(7, 4)
    # a rate so small that no weight moves: the mean over all pictures is then known
    history = fit_head(head, train, [random_features(5, 4, seed=1)], Schedule(1, 3, learning_rate=1e-20))
    with torch.inference_mode():
        logits = head(train.values)
    assert history.steps == 3
    assert history.epochs[0].train_loss == pytest.approx(
        float(F.cross_entropy(logits, train.labels)), rel=1e-5
    )
    right = int((logits.argmax(1) == train.labels).sum())
    assert history.epochs[0].train_accuracy == pytest.approx(right / 7)


def test_the_last_row_is_what_the_trained_head_predicts() -> None:
    head = Head(4, 3)
    train, validation = random_features(30, 4), random_features(11, 4, seed=1)
    history = fit_head(head, train, [validation], Schedule(4, 8, 0.01))
    assert [row.epoch for row in history.epochs] == [1, 2, 3, 4]
    assert not head.training
    split = Split(tuple(Path(f"{i}.jpg") for i in range(11)), validation.labels.numpy())
    predictions = predict(head, [validation], split, ("a", "b", "c"), "trained")
    assert predictions.name == "trained"
    assert predictions.right.mean() == pytest.approx(history.epochs[-1].validation_accuracy)
    true = predictions.scores[np.arange(11), predictions.labels]
    assert -np.log(true).mean() == pytest.approx(history.epochs[-1].validation_loss)


def test_a_head_learns_what_can_be_told_apart() -> None:
    train, validation = random_features(60, 4), random_features(30, 4, seed=1)
    for features in (train, validation):
        features.values[:, 0] += 6 * features.labels
    history = fit_head(Head(4, 3, dropout=0.0), train, [validation], Schedule(30, 16, 0.02))
    assert history.epochs[0].validation_accuracy < 0.9
    assert history.epochs[-1].validation_accuracy > 0.95
    assert history.epochs[-1].train_loss < 0.3 * history.epochs[0].train_loss


def test_the_head_standardizes_by_the_training_features() -> None:
    head, train = Head(4, 3), random_features(10, 4)
    fit_head(head, train, [random_features(5, 4, seed=1)], Schedule(1))
    assert torch.allclose(head.mean, train.values.mean(0), atol=1e-6)


def test_the_same_seed_trains_the_same_head_and_leaves_the_callers_chance_alone() -> None:
    def trained(seed: int) -> tuple[History, list[Tensor]]:
        head = Head(4, 3)
        history = fit_head(
            head, random_features(20, 4), [random_features(6, 4, seed=1)], Schedule(3, 4, seed=seed)
        )
        return history, state_of(head)

    torch.manual_seed(123)
    before = torch.get_rng_state()
    first = trained(0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(456)
    second = trained(0)
    assert first[0] == second[0]
    assert equal(first[1], second[1])
    assert not equal(first[1], trained(1)[1])


def test_weight_decay_pulls_on_matrices_and_not_on_biases() -> None:
    head = Head(4, 3)
    matrices, vectors = training._groups(head, Schedule(1, weight_decay=0.3), 0.1)
    assert [p.ndim for p in matrices["params"]] == [2, 2]  # type: ignore[attr-defined]
    assert [p.ndim for p in vectors["params"]] == [1, 1]  # type: ignore[attr-defined]
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.3, 0.0)


# The base too


class Lab:
    """A small backbone with a head, and activations that enter its stage `middle`."""

    def __init__(self, tiny: Base) -> None:
        self.backbone: Backbone = tiny.build("none", seed=1)
        self.head = Head(8, 3, dropout=0.3, seed=2)
        inner = [random_features(9, 6, 15, 15, seed=seed) for seed in (1, 2)]
        self.train = [Features(f.values.abs().half(), f.labels) for f in inner]
        self.validation = random_features(6, 6, 15, 15, seed=3)
        with torch.no_grad():
            self.head.standardize_by(self.features())

    def features(self) -> Tensor:
        return training.pooled_features(self.backbone.part(start="middle"), self.train[0].values)

    def fit(self, stage: str = "middle", checkpoint: Path | None = None, **schedule: Any) -> History:
        how = Schedule(**{"epochs": 4, "batch_size": 4, "learning_rate": 0.01, **schedule})
        return fit_base(
            self.backbone, stage, self.head, self.train, [self.validation], how, checkpoint=checkpoint
        )

    def state(self) -> list[Tensor]:
        return state_of(self.backbone, self.head)


def test_only_the_stages_from_the_named_one_on_are_trained(tiny: Base) -> None:
    lab = Lab(tiny)
    before = {name: value.clone() for name, value in lab.backbone.state_dict().items()}
    history = lab.fit()
    assert (history.phase, history.steps) == ("base trained from middle", 3)
    for name, value in lab.backbone.state_dict().items():
        is_statistic = "running" in name or "num_batches" in name
        frozen = name.startswith("stages.first") or is_statistic
        assert torch.equal(value, before[name]) is frozen, name
    assert not any(p.requires_grad for p in lab.backbone.stages["first"].parameters())
    assert all(p.requires_grad for p in lab.backbone.stages["last"].parameters())


def test_the_head_begins_as_it_is_and_keeps_its_standardization(tiny: Base) -> None:
    lab = Lab(tiny)
    mean, weight = lab.head.mean.clone(), lab.head.layers[0].weight.clone()
    lab.fit(learning_rate=1e-6, epochs=1)
    assert torch.equal(lab.head.mean, mean)
    assert not torch.equal(lab.head.layers[0].weight, weight)
    assert torch.allclose(lab.head.layers[0].weight, weight, atol=1e-4)


def test_the_base_can_learn_more_slowly_than_the_head(tiny: Base) -> None:
    lab = Lab(tiny)
    before = lab.backbone.stages["last"][0].weight.clone()
    lab.fit(epochs=1, base_factor=1e-4, weight_decay=0.0)
    moved = (lab.backbone.stages["last"][0].weight - before).abs().max()
    # three steps of AdamW move a weight by about a learning rate each
    assert 0 < moved < 4 * 0.01 * 1e-4


def test_every_version_of_a_picture_is_drawn_sooner_or_later() -> None:
    versions = [Features(torch.full((40, 1), float(number)), torch.arange(40) % 3) for number in (0, 1)]
    torch.manual_seed(0)
    batches = list(training._batches(versions, 16, torch.device("cpu")))
    assert [len(labels) for _, labels in batches] == [16, 16, 8]
    which = torch.cat([inputs for inputs, _ in batches])
    assert 8 < int(which.sum()) < 32
    labels = torch.cat([labels for _, labels in batches])
    assert labels.bincount().tolist() == [14, 13, 13]
    assert labels.tolist() != versions[0].labels.tolist()


def test_inputs_stay_with_their_labels_when_shuffled() -> None:
    one = Features(torch.arange(10.0).view(10, 1), torch.arange(10))
    for inputs, labels in training._batches([one], 3, torch.device("cpu")):
        assert inputs.view(-1).tolist() == labels.tolist()


def test_evaluation_in_batches_is_evaluation_at_once() -> None:
    features = random_features(7, 4)
    scores = evaluate(lambda x: 2 * x, [features], batch_size=3)
    assert torch.equal(scores, (2 * features.values).double().log_softmax(1))


def test_scores_are_the_mean_over_the_versions_of_a_picture() -> None:
    """Softmax of (0, log 3) is (1/4, 3/4) and of (0, 0) is (1/2, 1/2): together 3/8 and 5/8."""
    labels = torch.tensor([0])
    versions = [Features(torch.tensor([[0.0, math.log(3)]]), labels), Features(torch.zeros(1, 2), labels)]
    assert evaluate(lambda x: x, versions).exp().tolist()[0] == pytest.approx([3 / 8, 5 / 8])


def test_scores_far_from_one_another_stay_finite() -> None:
    far = Features(torch.tensor([[0.0, 2000.0]]), torch.tensor([0]))
    assert evaluate(lambda x: x, [far, far]).tolist()[0] == [-2000, 0]


# Cut off and taken up again


def interrupted_run(tiny: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the user press Ctrl-C in the evaluation after epoch 3; return the checkpoint that is left."""
    file, calls, whole = tmp_path / "checkpoint.pt", [0], training.evaluate

    def interrupted(*arguments: Any) -> Tensor:
        calls[0] += 1
        if calls[0] == 3:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(training, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Lab(tiny).fit(checkpoint=file)
    monkeypatch.setattr(training, "evaluate", whole)
    return file


def test_an_interrupted_run_goes_on_and_ends_where_the_whole_one_does(
    tiny: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Lab(tiny)
    history = whole.fit()
    file = interrupted_run(tiny, tmp_path, monkeypatch)
    assert file.exists()
    resumed = Lab(tiny)
    evaluated: list[int] = []
    evaluate = training.evaluate
    monkeypatch.setattr(training, "evaluate", lambda *a: evaluated.append(1) or evaluate(*a))
    assert resumed.fit(checkpoint=file) == history
    assert len(evaluated) == 2  # epochs 3 and 4; two were done
    assert equal(resumed.state(), whole.state())
    assert not file.exists()


@pytest.mark.parametrize("other", [{"learning_rate": 0.02}, {"seed": 1}, {"weight_decay": 0.5}])
def test_the_checkpoint_of_another_run_is_ignored(
    other: dict[str, Any], tiny: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = interrupted_run(tiny, tmp_path, monkeypatch)
    clean, after = Lab(tiny), Lab(tiny)
    assert after.fit(checkpoint=file, **other) == clean.fit(**other)
    assert equal(after.state(), clean.state())


@pytest.mark.parametrize("what", ["training pictures", "validation pictures", "validation labels"])
def test_a_checkpoint_of_other_pictures_is_ignored(
    what: str, tiny: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = interrupted_run(tiny, tmp_path, monkeypatch)
    histories = []
    for checkpoint in (file, None):
        lab = Lab(tiny)
        if what == "training pictures":
            lab.train[1].values[0] += 0.5
        elif what == "validation pictures":
            lab.validation.values[0] += 0.5
        else:
            lab.validation.labels[0] = 2
        histories.append(lab.fit(checkpoint=checkpoint))
    assert histories[0] == histories[1]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", None])
def test_a_damaged_checkpoint_is_no_reason_to_fail(content: bytes | None, tiny: Base, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pt"
    if content is None:
        torch.save([1, 2, 3], file)
    else:
        file.write_bytes(content)
    assert Lab(tiny).fit(checkpoint=file, epochs=1) == Lab(tiny).fit(epochs=1)
    assert not file.exists()


@pytest.mark.parametrize("part", ["optimizer", "epochs", "trained"])
def test_a_checkpoint_that_lacks_a_part_is_begun_anew(
    part: str, tiny: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = interrupted_run(tiny, tmp_path, monkeypatch)
    state = torch.load(file, weights_only=True)
    del state[part]
    torch.save(state, file)
    clean, after = Lab(tiny), Lab(tiny)
    assert after.fit(checkpoint=file) == clean.fit()
    assert equal(after.state(), clean.state())


def test_epochs_that_cannot_be_written_are_trained_all_the_same(tiny: Base, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.pt").mkdir()
    for file in (tmp_path / "file" / "checkpoint.pt", tmp_path / "folder.pt", Path("/proc/nope/c.pt")):
        with pytest.warns(UserWarning, match="epochs of the training cannot be kept"):
            history = Lab(tiny).fit(checkpoint=file, epochs=1)
        assert history == Lab(tiny).fit(epochs=1)
