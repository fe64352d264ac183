"""What pre-training is worth, on 1,000 pictures that nobody has seen: `python benchmarks/transfer.py`.

Trains the notebook's heads on the bundled training pictures and tests them on freshly rendered ones of
another seed: on frozen bases (Inception with random, with the bundled weights, EfficientNet-Lite0 with
ImageNet's), and with Inception's last stages trained too. Prints a table with 95 % intervals.

--initializations adds frozen Inceptions with other random weights than PyTorch's own, which "none" has:
He's, torchvision's (a truncated normal), and each with BatchNorm's statistics measured on the pictures.
--json FILE writes the same as JSON; --check exits with 1 and names each target that was missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from coursework._common.files import PROJECT_ROOT, write_atomic
from coursework.finetune.bases import get_base
from coursework.finetune.comparison import STATED_FOR
from coursework.finetune.images import Images, decode, normalize, read_folder
from coursework.finetune.lab import Phase, frozen_phase, trained_phase
from coursework.finetune.scenes import jpeg
from coursework.finetune.scoring import Proportion, proportion
from coursework.finetune.sports import CLASSES, JPEG_QUALITY, picture


def fresh_pictures(folder: Path, count: int, seed: int) -> None:
    """Render `count` validation pictures, the classes in turn; only what is not there yet."""
    for index in tqdm(range(count), desc="rendering", unit="picture"):
        sport, number = CLASSES[index % 3], index // 3 + 1
        file = folder / "validation" / sport / f"img_{number:04d}.jpg"
        if not file.exists():
            write_atomic(file, jpeg(picture(sport, "validation", number, seed=seed), JPEG_QUALITY))
        (folder / "train" / sport).mkdir(parents=True, exist_ok=True)


def pooled_share(phases: list[Phase]) -> Proportion:
    """Return the mean accuracy over the seeds as a proportion of one seed's number of pictures.

    The interval is that of one run: the seeds share their pictures, so they do not add up to more of them.
    """
    n = len(phases[0].predictions)
    right = sum(int(phase.predictions.right.sum()) for phase in phases) / len(phases)
    return proportion(round(right), n)


def _he(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def _torchvision(module: nn.Module) -> None:
    """What `inception_v3(init_weights=True)` does; one layer's own deviation (0.01) is left out."""
    if isinstance(module, nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.1, a=-2, b=2)


#: Other ways to start a convolution; PyTorch's own (Kaiming-uniform with a = sqrt 5) is left as it is.
INITIALIZATIONS: dict[str, Callable[[nn.Module], None]] = {
    "PyTorch's": lambda module: None,
    "He's": _he,
    "torchvision's": _torchvision,
}


def save_untrained(file: Path, initialization: str, images: Images, *, measured: bool, seed: int) -> None:
    """Write an untrained Inception; `measured`: BatchNorm's statistics are those of 256 training pictures."""
    base = get_base("inception_v3")
    network = base.build("none", seed=seed)
    torch.manual_seed(seed)
    network.apply(INITIALIZATIONS[initialization])
    if measured:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # the plain mean over all batches
        size = base.size_for("none")
        network.train()
        with torch.inference_mode():
            for chosen in torch.randperm(len(images.train))[:256].split(64):
                pictures = [decode(images.train.paths[int(i)], size, base.preprocessing) for i in chosen]
                network(normalize(torch.stack(pictures), base.preprocessing))
    save_file(network.eval().state_dict(), file)


def main() -> int:
    """Run the comparison; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=1000, help="fresh validation pictures (1000)")
    parser.add_argument(
        "--picture-seed", type=int, default=1, help="of the fresh pictures; 0 is the bundled ones'"
    )
    parser.add_argument("--seeds", type=int, default=3, help="runs with seeds 0, 1, ... (3)")
    parser.add_argument("--trained-seeds", type=int, default=1, help="runs that train the base too (1), or 0")
    parser.add_argument("--initializations", action="store_true", help="other random weights too")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if given.picture_seed == 0 or given.pictures < 30 or not 0 <= given.trained_seeds <= given.seeds:
        parser.error(
            "give --picture-seed other than 0, --pictures of at least 30, --trained-seeds from 0 to --seeds"
        )

    bundled = read_folder(PROJECT_ROOT / "data" / "sport3")
    rows: dict[str, tuple[Proportion, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="transfer-") as name:
        folder = Path(name)
        fresh_pictures(folder, given.pictures, given.picture_seed)
        for split in bundled.train.paths:  # one training picture a class makes the folder a whole one
            target = folder / "train" / split.parent.name / split.name
            if not any(target.parent.iterdir()):
                target.write_bytes(split.read_bytes())
        fresh = read_folder(folder)
        images = Images(bundled.root, bundled.classes, bundled.train, fresh.validation, ())

        def several(title: str, base: str, weights: Callable[[int], str], size: int = 0) -> list[Phase]:
            phases = [
                frozen_phase(
                    images,
                    base=base,
                    weights=weights(seed),
                    size=size,
                    schedule=replace(STATED_FOR["head"], seed=seed),
                    cache=folder / "cache",
                )
                for seed in range(given.seeds)
            ]
            keep(title, phases)
            return phases

        def keep(title: str, phases: list[Phase]) -> None:
            rows[title] = (pooled_share(phases), [float(phase.predictions.right.mean()) for phase in phases])

        random = several("inception_v3 none, frozen", "inception_v3", lambda seed: "none")
        ours = several("inception_v3 bundled, frozen", "inception_v3", lambda seed: "bundled")
        several("efficientnet_lite0 imagenet, frozen", "efficientnet_lite0", lambda seed: "imagenet")
        if given.initializations:
            size = get_base("inception_v3").size_for("none")
            for (name, _), measured in product(INITIALIZATIONS.items(), (False, True)):
                if (name, measured) == ("PyTorch's", False):
                    continue  # that is "none"

                def untrained(seed: int, name: str = name, measured: bool = measured) -> str:
                    file = folder / "untrained.safetensors"
                    save_untrained(file, name, images, measured=measured, seed=seed)
                    return str(file)

                title = f"inception_v3 none, {name}{', measured' if measured else ''}, frozen"
                several(title, "inception_v3", untrained, size)
        for weights, phases in (("none", random), ("bundled", ours)):
            done = [
                trained_phase(phase, images, schedule=replace(STATED_FOR["trained"], seed=seed))
                for seed, phase in enumerate(phases[: given.trained_seeds])
            ]
            if done:
                keep(f"inception_v3 {weights}, trained", done)

    print(f"{given.pictures} fresh pictures (seed {given.picture_seed}), {given.seeds} training seeds")
    print(f"{'':<48}{'accuracy':>9}  {'95 % interval':<17}seeds")
    for title, (share, each) in rows.items():
        interval = f"{share.low:.3f} to {share.high:.3f}"
        seeds = " ".join(f"{value:.3f}" for value in each)
        print(f"{title:<48}{share.value:>9.3f}  {interval:<17}{seeds}")
    mean = {title: sum(each) / len(each) for title, (_, each) in rows.items()}
    frozen = mean["inception_v3 bundled, frozen"]
    lite0 = mean["efficientnet_lite0 imagenet, frozen"]
    # of all initializations that were run, the one that does best
    none = max(value for title, value in mean.items() if "none" in title and "frozen" in title)
    targets = {
        "bundled frozen, at least 0.80": frozen >= 0.80,
        "bundled frozen minus none frozen, at least 0.30": frozen - none >= 0.30,
        "efficientnet_lite0 minus bundled frozen, at most 0.12": lite0 - frozen <= 0.12,
    }
    if given.trained_seeds:
        targets["bundled trained, at least 0.88"] = mean["inception_v3 bundled, trained"] >= 0.88
    for target, met in targets.items():
        print(f"{'met   ' if met else 'MISSED'}  {target}")
    if given.json:
        table = {
            title: asdict(share) | {"accuracy": share.value, "seeds": each}
            for title, (share, each) in rows.items()
        }
        write_atomic(given.json, json.dumps({"rows": table, "targets": targets}, indent=2) + "\n")
    return 1 if given.check and not all(targets.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
