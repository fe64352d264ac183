"""Pre-training: labels where they belong, pictures that are always the same, and runs that are cut off."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import inception_v3

from coursework.finetune import pretrain as module
from coursework.finetune.objects import OUTLINES, SURFACES, picture_of_objects
from coursework.finetune.pretrain import (
    BLOCKS,
    Learner,
    Recipe,
    Stage,
    batch_of,
    dense_labels,
    learning_rate_at,
    loss_of,
    network_input,
    pretrain,
)

LABELS = len(OUTLINES) + 1 + len(SURFACES) + 1


# Where a block's positions look


def test_strides_and_offsets_are_what_inceptions_convolutions_and_pools_leave() -> None:
    network = inception_v3(weights=None, init_weights=False, aux_logits=False)
    way = [
        network.Conv2d_1a_3x3.conv,
        network.Conv2d_2a_3x3.conv,
        network.Conv2d_2b_3x3.conv,
        network.maxpool1,
        network.Conv2d_3b_1x1.conv,
        network.Conv2d_4a_3x3.conv,
        network.maxpool2,
    ]

    def single(value: Any) -> int:
        return value if isinstance(value, int) else value[0]

    def geometry(layers: list[nn.Module]) -> tuple[int, int]:
        stride, offset = 1, 0
        for layer in layers:
            offset += ((single(layer.kernel_size) - 1) // 2 - single(layer.padding)) * stride
            stride *= single(layer.stride)
        return stride, offset

    assert geometry(way) == BLOCKS["Mixed_5d"][:2] == (8, 13)
    assert geometry([*way, network.Mixed_6a.branch3x3.conv]) == BLOCKS["Mixed_6e"][:2] == (16, 21)


# Labels


def labels_of(owner: Tensor, names: list[int], block: str, h: int) -> Tensor:
    found = dense_labels(owner[None], torch.tensor([names]), block, torch.zeros(1, 5, h, h))
    assert found.shape == (1, h, h)
    assert found.dtype == torch.long
    return found[0]


def test_an_object_is_named_at_the_positions_whose_window_it_fills() -> None:
    """Mixed_5d: the window of position i begins at pixel 8 i + 13 - 4 and is 8 wide."""
    owner = torch.zeros(96, 96, dtype=torch.uint8)
    owner[9 + 8 : 9 + 24, 9 + 16 : 9 + 24] = 1  # rows 1 and 2, column 2
    expected = torch.zeros(9, 9, dtype=torch.long)
    expected[1:3, 2] = 7
    assert torch.equal(labels_of(owner, [7, 0, 0], "Mixed_5d", 9), expected)


def test_a_coarser_blocks_windows_are_larger() -> None:
    """Mixed_6e: the window of position i begins at pixel 16 i + 21 - 8 and is 16 wide."""
    owner = torch.zeros(96, 96, dtype=torch.uint8)
    owner[13 + 16 : 13 + 32, 13 : 13 + 16] = 2
    expected = torch.zeros(4, 4, dtype=torch.long)
    expected[1, 0] = 5
    assert torch.equal(labels_of(owner, [3, 5, 0], "Mixed_6e", 4), expected)


@pytest.mark.parametrize(
    ("pixels", "label"),
    [
        ({1: 7}, 0),  # 7 of 64 are under the share of 0.12
        ({1: 8}, 4),  # 8 of 64 are over it
        ({1: 10, 2: 11}, 6),  # the object that fills more
        ({1: 7, 2: 7, 3: 7}, 0),  # no one of them fills enough
        ({3: 64}, 9),
    ],
)
def test_a_window_takes_the_object_that_fills_most_of_it(pixels: dict[int, int], label: int) -> None:
    window = torch.zeros(64, dtype=torch.uint8)
    window[: sum(pixels.values())] = torch.tensor([k for k, count in pixels.items() for _ in range(count)])
    owner = torch.zeros(96, 96, dtype=torch.uint8)
    owner[9:17, 9:17] = window.view(8, 8)
    found = labels_of(owner, [4, 6, 9], "Mixed_5d", 9)
    assert found[0, 0] == label
    assert found.count_nonzero() == (label > 0)


def test_windows_beyond_the_pictures_edge_see_the_stage() -> None:
    owner = torch.ones(40, 40, dtype=torch.uint8)
    # window 3 covers pixels 33 to 40: 7 of 8 rows and columns; window 4 lies outside
    found = labels_of(owner, [2, 0, 0], "Mixed_5d", 5)
    assert (found[:4, :4] == 2).all()
    assert (found[4] == 0).all()
    assert (found[:, 4] == 0).all()


def test_every_picture_of_a_batch_has_names_of_its_own() -> None:
    owner = torch.ones(2, 96, 96, dtype=torch.uint8)
    found = dense_labels(owner, torch.tensor([[3, 0, 0], [8, 0, 0]]), "Mixed_5d", torch.zeros(2, 5, 9, 9))
    assert found[0].unique().tolist() == [3]
    assert found[1].unique().tolist() == [8]


def test_presence_marks_each_named_object_once() -> None:
    found = module._presence(torch.tensor([[2, 0, 0], [1, 4, 1]]), 4)
    assert found.tolist() == [[0, 1, 0, 0], [1, 0, 0, 1]]


# Pictures


def test_picture_number_i_is_always_the_same_whatever_batch_it_is_in() -> None:
    batch, later = batch_of(3, 10, 3, 64, 0.5), batch_of(3, 11, 2, 64, 0.5)
    for name, value in batch.items():
        assert torch.equal(value[1:], later[name])
    assert not torch.equal(batch["pixels"], batch_of(4, 10, 3, 64, 0.5)["pixels"])


def test_a_batch_is_the_drawn_pictures_with_their_labels_counted_from_1() -> None:
    batch = batch_of(0, 5, 2, 64)
    assert batch["pixels"].shape == (2, 64, 64, 3)
    for i in range(2):
        picture = picture_of_objects(64, np.random.default_rng([0, 1, 5 + i]), 1.0)
        assert np.array_equal(batch["pixels"][i], picture.pixels)
        assert np.array_equal(batch["owner"][i], picture.owner)
        for what, given in (("outline", picture.outlines), ("surface", picture.surfaces)):
            rest = [0] * (3 - len(given))
            assert batch[what][i].tolist() == [number + 1 for number in given] + rest


def test_the_network_sees_bytes_from_minus_one_to_one() -> None:
    pixels = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 1, 1, 3)
    found = network_input(pixels)
    assert found.shape == (1, 3, 1, 1)
    assert found.flatten().tolist() == pytest.approx([-1, 1, -0.6])


def test_the_pictures_get_harder_and_workers_share_the_batches() -> None:
    recipe = Recipe(easy_pictures=8)
    drawn: list[tuple[int, float]] = []
    whole = module.batch_of

    def watched(seed: int, first: int, count: int, size: int, difficulty: float) -> Any:
        drawn.append((first, difficulty))
        return whole(seed, first, 1, 64, difficulty)

    pictures = module._Pictures(recipe, Stage(64, 4, 18), start=0, first=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "batch_of", watched)
        assert len(list(pictures)) == 4  # batches 1 to 4 of five
    assert drawn == [(4, 0.5), (8, 1.0), (12, 1.0), (16, 1.0)]


# The learning rate


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (0, 0.0),
        (50, 0.5),
        (100, 1.0),
        (400, 0.75),  # a third of the way down: (1 + cos 60 degrees) / 2
        (550, 0.5),
        (1000, 0.0),
    ],
)
def test_the_learning_rate_rises_and_falls(done: int, expected: float) -> None:
    recipe = Recipe(stages=(Stage(96, 10, 400), Stage(128, 10, 600)), learning_rate=0.01, warm_up=0.1)
    assert recipe.pictures == 1000
    assert learning_rate_at(done, recipe) == pytest.approx(0.01 * expected, abs=1e-12)


# The loss and the network


def test_a_network_that_knows_nothing_has_the_losses_of_guessing() -> None:
    batch, recipe = batch_of(0, 0, 4, 96), Recipe()
    logits = {
        "Mixed_5d": torch.zeros(4, LABELS, 9, 9),
        "Mixed_6e": torch.zeros(4, LABELS, 4, 4),
        "pooled": torch.zeros(4, LABELS - 2),
    }
    loss, _ = loss_of(logits, batch, recipe)
    dense = math.log(len(OUTLINES) + 1) + math.log(len(SURFACES) + 1)
    assert float(loss) == pytest.approx(0.5 * dense + 1.0 * dense + 4 * math.log(2), rel=1e-5)


def test_a_network_that_knows_everything_has_no_loss_and_full_accuracy() -> None:
    batch = batch_of(0, 0, 4, 96)
    logits: dict[str, Tensor] = {}
    for name, side in (("Mixed_5d", 9), ("Mixed_6e", 4)):
        like = torch.zeros(4, 1, side, side)
        parts = [
            nn.functional.one_hot(dense_labels(batch["owner"], batch[what], name, like), count).movedim(-1, 1)
            for what, count in (("outline", len(OUTLINES) + 1), ("surface", len(SURFACES) + 1))
        ]
        logits[name] = 100.0 * torch.cat(parts, 1)
    present = [module._presence(batch[what], 16) for what in ("outline", "surface")]
    logits["pooled"] = 200 * torch.cat(present, 1) - 100
    loss, seen = loss_of(logits, batch, Recipe())
    assert float(loss) < 1e-6
    assert len(seen) == 6
    assert set(seen.values()) == {1.0}


def test_the_learner_gives_logits_where_the_labels_are_and_every_part_learns() -> None:
    torch.manual_seed(0)
    learner, batch = Learner(), batch_of(0, 0, 2, 96)
    logits = learner(network_input(batch["pixels"]))
    assert {name: tuple(value.shape) for name, value in logits.items()} == {
        "Mixed_5d": (2, LABELS, 9, 9),
        "Mixed_6e": (2, LABELS, 4, 4),
        "pooled": (2, LABELS - 2),
    }
    assert learner._seen == {}
    loss, _ = loss_of(logits, batch, Recipe())
    loss.backward()
    for name, parameter in learner.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    assert learner.base.Conv2d_1a_3x3.conv.weight.grad.abs().max() > 0


# Whole runs, of a small network in Inception's place


class SmallLearner(nn.Module):
    """Logits of the same shapes from a few hundred weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=8, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.dense = nn.Conv2d(4, LABELS, 1)
        self.pooled = nn.Linear(4, LABELS - 2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        z = self.stem(x)
        dense = self.dense(z)
        return {
            "Mixed_5d": dense[:, :, 1:-2, 1:-2],
            "Mixed_6e": dense[:, :, 1:-3:2, 1:-3:2],
            "pooled": self.pooled(z.mean((2, 3))),
        }


TINY = Recipe(stages=(Stage(64, 2, 6), Stage(80, 4, 8)), easy_pictures=10)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "Learner", SmallLearner)
    yield
    torch.set_flush_denormal(False)


def run(recipe: Recipe, folder: Path, save_every: float = 0.0) -> dict[str, Tensor]:
    learner, seconds = pretrain(recipe, folder, save_every=save_every, workers=0)
    assert seconds > 0
    return learner.state_dict()


@pytest.mark.usefixtures("small")
def test_a_run_leaves_a_checkpoint_and_a_log(tmp_path: Path) -> None:
    run(TINY, tmp_path / "pt")
    state = torch.load(tmp_path / "pt" / "checkpoint.pt", weights_only=True)
    assert state["done"] == 14
    rows = [json.loads(line) for line in (tmp_path / "pt" / "log.jsonl").read_text().splitlines()]
    assert [(row["pictures"], row["size"]) for row in rows] == [(2, 64), (10, 80)]
    assert all(math.isfinite(row["loss"]) and row["seconds"] >= 0 for row in rows)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("cut_at", [2, 5])
def test_a_run_that_was_cut_off_ends_with_the_weights_of_a_whole_one(
    cut_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(TINY, tmp_path / "whole")
    steps, loss_of = [0], module.loss_of

    def interrupted(*arguments: Any) -> Any:
        steps[0] += 1
        if steps[0] == cut_at:
            raise KeyboardInterrupt
        return loss_of(*arguments)

    monkeypatch.setattr(module, "loss_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(TINY, tmp_path / "cut")
    done = torch.load(tmp_path / "cut" / "checkpoint.pt", weights_only=True)["done"]
    assert done == {2: 2, 5: 10}[cut_at]  # the first step of the first and of the second stage
    steps[0] = -100
    resumed = run(TINY, tmp_path / "cut")
    assert steps[0] + 100 == {2: 4, 5: 1}[cut_at]  # of five steps in all
    for name, value in whole.items():
        assert torch.allclose(resumed[name], value, rtol=1e-5, atol=1e-7), name


@pytest.mark.usefixtures("small")
def test_a_finished_run_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(TINY, tmp_path)
    monkeypatch.setattr(module, "loss_of", None)
    second = run(TINY, tmp_path)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("changes", [{"seed": 1}, {"learning_rate": 1e-4}, {"stages": (Stage(64, 2, 8),)}])
def test_the_checkpoint_of_another_recipe_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    first = run(TINY, tmp_path)
    with pytest.raises(ValueError, match=r"checkpoint\.pt was written with another recipe; remove it"):
        run(replace(TINY, **changes), tmp_path)
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["learner"]
    assert all(torch.equal(first[name], kept[name]) for name in first)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("damage", ["empty", "cut", "pickle", "no state", "no optimizer", "other shapes"])
def test_a_damaged_checkpoint_is_refused_by_name_and_left_alone(damage: str, tmp_path: Path) -> None:
    run(TINY, tmp_path)
    file = tmp_path / "checkpoint.pt"
    whole = torch.load(file, weights_only=True)
    match damage:
        case "empty" | "cut":
            file.write_bytes(file.read_bytes()[: 1000 if damage == "cut" else 0])
        case "pickle":
            file.write_bytes(pickle.dumps(TINY))
        case "no state":
            torch.save([1, 2, 3], file)
        case "no optimizer":
            torch.save({name: value for name, value in whole.items() if name != "optimizer"}, file)
        case "other shapes":
            torch.save(whole | {"learner": {"dense.weight": torch.zeros(2)}}, file)
    damaged = file.read_bytes()
    with pytest.raises(ValueError, match=r"checkpoint\.pt is not a whole checkpoint .*; remove it") as caught:
        run(TINY, tmp_path)
    assert "weights_only" not in str(caught.value)
    assert file.read_bytes() == damaged


@pytest.mark.usefixtures("small")
def test_training_moves_the_weights_and_another_seed_moves_them_elsewhere(tmp_path: Path) -> None:
    torch.manual_seed(0)
    start = SmallLearner().state_dict()
    first, other = run(TINY, tmp_path / "a"), run(replace(TINY, seed=1), tmp_path / "b")
    assert not torch.equal(first["dense.weight"], start["dense.weight"])
    assert not torch.equal(first["dense.weight"], other["dense.weight"])
