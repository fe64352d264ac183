"""The bundled weights, and how a pre-training becomes such a file."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import nn

from coursework.finetune.bases import BUNDLED_INCEPTION, get_base, read_state
from coursework.finetune.bundle import held_out_accuracy, model_card, scaled, set_statistics, write_bundle
from coursework.finetune.pretrain import Learner, Recipe, Stage

TINY = Recipe(stages=(Stage(96, 2, 2),), easy_pictures=1)


@pytest.fixture(scope="module")
def learner() -> Learner:
    torch.manual_seed(0)
    return Learner().eval()


def test_scaled_recipes_keep_the_proportions_and_whole_batches() -> None:
    whole = Recipe(stages=(Stage(96, 32, 3200), Stage(128, 16, 1600)), easy_pictures=480)
    half = scaled(whole, 2400)
    assert half.stages == (Stage(96, 32, 1600), Stage(128, 16, 800))
    assert half.easy_pictures == 240
    assert scaled(whole, 10).stages == (Stage(96, 32, 32), Stage(128, 16, 16))


def test_statistics_are_those_of_the_pictures_and_momenta_are_put_back(learner: Learner) -> None:
    first = learner.base.get_submodule("Conv2d_1a_3x3").get_submodule("bn")
    assert isinstance(first, nn.BatchNorm2d)
    seen: list[torch.Tensor] = []
    handle = first.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    set_statistics(learner, TINY, 96, batches=2, batch_size=2)
    handle.remove()
    mean = torch.stack([x.mean((0, 2, 3)) for x in seen]).mean(0)
    torch.testing.assert_close(first.running_mean, mean)
    assert first.momentum == 0.1
    assert not learner.training


def test_held_out_accuracy_has_a_value_for_every_head(learner: Learner) -> None:
    found = held_out_accuracy(learner, TINY, 96, pictures=32)
    heads = {
        f"{head} {what}" for head in ("Mixed_5d", "Mixed_6e", "pooled") for what in ("outline", "surface")
    }
    assert set(found) == heads
    assert all(0 <= value <= 1 for value in found.values())


def test_a_bundle_holds_the_base_and_says_how_it_was_made(
    learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coursework.finetune.bundle.held_out_accuracy", lambda *_: {"pooled outline": 0.5})
    monkeypatch.setattr("coursework.finetune.bundle.set_statistics", lambda *_, **__: None)
    path = write_bundle(learner, TINY, tmp_path / "weights.safetensors", size=96, seconds=90)
    base = get_base("inception_v3").build(str(path))
    trained = learner.base.get_submodule("Mixed_6b").state_dict()
    for name, value in base.stages["Mixed_6b"].state_dict().items():
        if value.ndim == 4:
            step = trained[name].flatten(1).abs().amax(1) / 127
            error = (value - trained[name]).flatten(1).abs().amax(1)
            assert bool((error <= step * 0.501).all())
        elif not name.endswith("num_batches_tracked"):
            assert torch.equal(value, trained[name])
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "| 96 | 2 | 2 |" in card
    assert "| pooled outline | 0.500 |" in card


def test_the_bundled_weights_are_small_finite_and_carry_their_recipe() -> None:
    assert BUNDLED_INCEPTION.stat().st_size <= 48_000_000
    state = read_state(BUNDLED_INCEPTION)
    assert all(bool(torch.isfinite(value).all()) for value in state.values())
    with safe_open(BUNDLED_INCEPTION, "pt") as file:
        card = json.loads(file.metadata()["card"])
    # the recipe in the code is the recipe that made the file
    stages = tuple(Stage(**stage) for stage in card["recipe"]["stages"])
    assert (card["recipe"]["seed"], stages) == (Recipe().seed, Recipe().stages)
    assert card["held_out_accuracy"]["pooled outline"] > 3 / 16


def test_the_model_card_in_the_repository_is_the_files() -> None:
    with safe_open(BUNDLED_INCEPTION, "pt") as file:
        card = json.loads(file.metadata()["card"])
    assert BUNDLED_INCEPTION.with_suffix(".md").read_text(encoding="utf-8") == model_card(
        card, BUNDLED_INCEPTION
    )


def test_the_bundled_weights_fit_and_give_features_that_differ_between_pictures() -> None:
    base = get_base("inception_v3").build("bundled")
    with torch.inference_mode():
        features = base(torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    assert features.shape == (2, 2048)
    assert bool(torch.isfinite(features).all())
    assert float((features[0] - features[1]).abs().max()) > 0
