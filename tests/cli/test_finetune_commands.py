"""`coursework sports` and `coursework pretrain`."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from coursework.cli import main
from coursework.finetune.pretrain import Recipe


def test_sports_renders_as_many_pictures_as_asked_for(tmp_path: Path) -> None:
    command = [
        "sports",
        str(tmp_path / "new"),
        "--train",
        "2",
        "--validation",
        "1",
        "--size",
        "64",
        "--seed",
        "3",
    ]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    files = sorted((tmp_path / "new").rglob("*.jpg"))
    assert len(files) == 9
    for file in files:
        with Image.open(file) as picture:
            assert picture.size == (64, 64)


@pytest.mark.parametrize("wrong", [["--train", "-1"], ["--size", "8"], ["--train", "0", "--validation", "0"]])
def test_sports_refuses_what_it_cannot_render(tmp_path: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(main, ["sports", str(tmp_path / "new"), *wrong])
    assert done.exit_code == 2
    assert not (tmp_path / "new").exists()


def test_pretrain_refuses_the_checkpoint_of_another_recipe(tmp_path: Path) -> None:
    recipe = json.dumps(asdict(Recipe(seed=5)))
    torch.save(
        {"recipe": recipe, "done": 0, "seconds": 0.0, "learner": {}, "optimizer": {}},
        tmp_path / "checkpoint.pt",
    )
    done = CliRunner().invoke(
        main, ["pretrain", "--folder", str(tmp_path), "--out", str(tmp_path / "w.safetensors")]
    )
    assert done.exit_code == 2
    assert "another recipe" in done.output
    assert not (tmp_path / "w.safetensors").exists()


def test_pretrain_says_what_is_wrong_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "checkpoint.pt").write_bytes(b"PK\x03\x04 cut short")
    (tmp_path / "file").touch()
    for folder, message in (("cut", "is not a whole checkpoint"), ("file/below", "Not a directory")):
        done = CliRunner().invoke(main, ["pretrain", "--folder", str(tmp_path / folder)])
        assert done.exit_code == 2
        assert message in done.output


def test_sports_leaves_a_users_photographs_alone(tmp_path: Path) -> None:
    photograph = tmp_path / "train" / "hockey" / "img_0001.jpg"
    photograph.parent.mkdir(parents=True)
    photograph.write_bytes(b"a photograph")
    done = CliRunner().invoke(main, ["sports", str(tmp_path), "--train", "1", "--validation", "1"])
    assert done.exit_code == 2
    assert "did not write" in done.output
    assert photograph.read_bytes() == b"a photograph"
