"""Features are computed once, and never served for other pictures or weights."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from coursework.finetune import features
from coursework.finetune.bases import Backbone, Base, pooled
from coursework.finetune.features import (
    _halved,
    activations_before,
    features_and_activations,
    frozen_features,
    pooled_features,
    run_frozen,
)
from coursework.finetune.images import Images, Preprocessing, Split, decode, normalize


@pytest.fixture
def backbone(tiny: Base) -> Backbone:
    return tiny.build("none", seed=1)


class Count:
    """Counts the batches that go through a network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passes = 0
        normalize = features.normalize

        def counted(*arguments: Any) -> Tensor:
            self.passes += 1
            return normalize(*arguments)

        monkeypatch.setattr(features, "normalize", counted)


def stacked(split: Split, size: int, preprocessing: Preprocessing) -> Tensor:
    return normalize(torch.stack([decode(path, size, preprocessing) for path in split.paths]), preprocessing)


def test_features_are_the_backbones_output_in_the_pictures_order(
    backbone: Backbone, tiny: Base, images: Images, cache: Path
) -> None:
    found = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    assert found.values.shape == (12, 8)
    assert found.values.dtype == torch.float32
    assert found.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert len(found) == 12
    with torch.inference_mode():
        expected = backbone(stacked(images.train, 32, tiny.preprocessing))
    assert torch.allclose(found.values, expected, rtol=1e-5, atol=1e-6)


def test_a_second_call_decodes_nothing_and_leaves_the_network_alone(
    backbone: Backbone, tiny: Base, images: Images, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = Count(monkeypatch)
    first = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    assert count.passes == 1
    monkeypatch.setattr(features, "decode", None)
    second = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    assert count.passes == 1
    assert torch.equal(first.values, second.values)
    assert torch.equal(first.labels, second.labels)
    assert [file.suffix for file in cache.iterdir()] == [".safetensors"]


def test_another_picture_weight_size_or_scaling_is_computed_anew(
    backbone: Backbone, tiny: Base, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(images.root, folder)
    split = replace(
        images.validation,
        paths=tuple(folder / path.relative_to(images.root) for path in images.validation.paths),
    )
    kept = tmp_path / "kept"
    count = Count(monkeypatch)

    def compute(split: Split, size: int = 32, preprocessing: Preprocessing = tiny.preprocessing) -> int:
        frozen_features(backbone, split, size, preprocessing, cache=kept)
        return count.passes

    assert compute(images.validation) == 1
    assert compute(split) == 1  # the same bytes in another folder
    with split.paths[3].open("ab") as file:
        file.write(b"\0")  # one byte after the end: it looks the same, but who would know
    assert compute(split) == 2
    assert compute(split, size=33) == 3
    assert compute(split, preprocessing=replace(tiny.preprocessing, crop=0.9)) == 4
    swapped = replace(split, paths=(split.paths[1], split.paths[0], *split.paths[2:]))
    assert compute(swapped) == 5
    with torch.no_grad():
        backbone.stages["last"][1].running_mean[0] += 1e-3
    assert compute(split) == 6
    assert len(list(kept.iterdir())) == 6
    assert compute(split) == 6


def test_another_library_or_a_changed_helper_is_computed_anew(
    backbone: Backbone,
    tiny: Base,
    images: Images,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = Count(monkeypatch)

    def compute() -> int:
        frozen_features(backbone, images.validation, 32, tiny.preprocessing)
        return count.passes

    assert compute() == 1
    assert {"torch", "torchvision", "pillow", "timm"} <= set(features.LIBRARIES)
    for number, library in enumerate(features.LIBRARIES, 2):
        with monkeypatch.context() as patch:
            patch.setattr(
                features, "version", lambda name, new=library: "9.9" if name == new else version(name)
            )
            assert compute() == number
    assert compute() == 5
    assert [source.name for source in features.SOURCES] == ["images.py", "bases.py", "features.py"]
    for number, source in enumerate(features.SOURCES):
        edited = tmp_path / source.name
        edited.write_text(source.read_text(encoding="utf-8") + "# another line\n", encoding="utf-8")
        sources = [edited if at == number else other for at, other in enumerate(features.SOURCES)]
        with monkeypatch.context() as patch:
            patch.setattr(features, "SOURCES", sources)
            assert compute() == 6 + number
    assert compute() == 8


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_file_is_computed_again(
    damage: str, backbone: Backbone, tiny: Base, images: Images, cache: Path
) -> None:
    first = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    broken = {"cut": whole[:-7], "empty": b"", "other": whole.replace(b'"values"', b'"valuez"')}[damage]
    assert broken != whole
    file.write_bytes(broken)
    second = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    assert torch.equal(first.values, second.values)
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "values",
    [
        torch.zeros(12, 7),
        torch.zeros(11, 8),
        torch.zeros(12),
        torch.zeros(12, 8, dtype=torch.float64),
        torch.full((12, 8), float("nan")),
    ],
)
def test_a_whole_file_of_other_values_is_computed_again(
    values: Tensor, backbone: Backbone, tiny: Base, images: Images, cache: Path
) -> None:
    first = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    save_file({"values": values}, file)
    second = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    assert torch.equal(first.values, second.values)
    assert file.read_bytes() == whole


def test_without_a_cache_the_features_are_computed_all_the_same(
    backbone: Backbone, tiny: Base, images: Images, cache: Path, tmp_path: Path
) -> None:
    expected = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    in_place = tmp_path / "folder"
    for file in cache.iterdir():
        (in_place / file.name).mkdir(parents=True)  # a folder in the file's place
    (tmp_path / "file").touch()
    for unusable in (in_place, tmp_path / "file", Path("/proc/nope")):
        with pytest.warns(UserWarning, match="features cannot be kept in .*COURSEWORK_CACHE"):
            found = frozen_features(backbone, images.train, 32, tiny.preprocessing, cache=unusable)
        assert torch.equal(found.values, expected.values)


def test_mirrored_pictures_are_mirrored_left_to_right(images: Images, tiny: Base) -> None:
    plain, mirrored = (
        run_frozen([nn.Identity()], images.validation, 24, tiny.preprocessing, flip=flip, batch_size=4)[0]
        for flip in (False, True)
    )
    assert plain.shape == (6, 3, 24, 24)
    assert torch.equal(mirrored, plain.flip(3))
    assert not torch.equal(mirrored, plain)
    assert torch.equal(plain, stacked(images.validation, 24, tiny.preprocessing))


def test_the_batch_size_changes_nothing(images: Images, tiny: Base) -> None:
    (found,) = run_frozen([nn.Identity()], images.train, 24, tiny.preprocessing, batch_size=5)
    assert torch.equal(found, stacked(images.train, 24, tiny.preprocessing))


def test_activations_and_the_stages_after_them_give_the_features(
    backbone: Backbone, tiny: Base, images: Images, cache: Path
) -> None:
    whole = frozen_features(backbone, images.train, 32, tiny.preprocessing)
    inner = activations_before(backbone, "last", images.train, 32, tiny.preprocessing)
    assert inner.values.shape == (12, 6, 7, 7)
    assert inner.values.dtype == torch.float16
    assert torch.equal(inner.labels, whole.labels)
    with torch.inference_mode():
        after = pooled_features(backbone.part(start="last"), inner.values)
    assert torch.allclose(after, whole.values, rtol=2e-3, atol=2e-3)
    flipped = activations_before(backbone, "last", images.train, 32, tiny.preprocessing, flip=True)
    assert not torch.allclose(flipped.values.float(), inner.values.float(), atol=0.1)


@pytest.mark.parametrize("flip", [False, True])
def test_activations_kept_on_the_way_to_the_features_are_those_computed_for_themselves(
    backbone: Backbone, tiny: Base, images: Images, cache: Path, flip: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (images.train, 32, tiny.preprocessing)
    count = Count(monkeypatch)
    whole, inner = features_and_activations(backbone, "last", *asked, flip=flip)
    assert count.passes == 1
    assert inner is not None
    assert torch.equal(inner.values, activations_before(backbone, "last", *asked, flip=flip).values)
    assert torch.equal(inner.labels, whole.labels)
    again, nothing = features_and_activations(backbone, "last", *asked, flip=flip)
    assert nothing is None  # the features were there
    assert torch.equal(again.values, whole.values)
    for file in cache.iterdir():
        file.unlink()
    alone = frozen_features(backbone, *asked, flip=flip)
    assert torch.allclose(alone.values, whole.values, rtol=1e-5, atol=1e-6)


def test_pooled_features_of_no_stage_are_the_means() -> None:
    x = torch.arange(16.0).view(2, 2, 2, 2)
    assert torch.equal(pooled_features(nn.Sequential(), x.half()), pooled(x))


def test_activations_too_small_for_float16_are_kept_in_float32() -> None:
    tiny, usual = torch.tensor([3e-9, 1e-8]), torch.tensor([0.25, 7.0])
    assert torch.equal(_halved(tiny), tiny)
    assert _halved(usual).dtype == torch.float16
    assert _halved(torch.tensor([1e6])).dtype == torch.float32
