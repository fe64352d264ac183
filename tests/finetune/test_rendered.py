"""A folder is filled with rendered pictures only if nothing else can be lost or mixed with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursework.finetune.rendered import MARKER, claim

SPLITS = ("train", "validation")


def put(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a picture")
    return file


def test_a_new_and_an_empty_folder_are_claimed_and_stay_so(tmp_path: Path) -> None:
    (tmp_path / "empty" / "train" / "hockey").mkdir(parents=True)
    for name in ("new", "empty"):
        claim(tmp_path / name, SPLITS, seed=3, size=40)
        assert (tmp_path / name / MARKER).read_text() == '{"seed": 3, "size": 40}\n'
        put(tmp_path / name / "train" / "hockey" / "img_0001.jpg")
        claim(tmp_path / name, SPLITS, seed=3, size=40)


@pytest.mark.parametrize("file", ["train/hockey/img_0001.jpg", "validation/cricket/DSC1.PNG", "train/a.txt"])
def test_a_folder_with_files_of_somebody_elses_is_refused_and_left_alone(file: str, tmp_path: Path) -> None:
    put(tmp_path / file)
    with pytest.raises(ValueError, match="holds a file that `coursework sports` did not write"):
        claim(tmp_path, SPLITS, seed=0, size=299)
    assert not (tmp_path / MARKER).exists()


def test_a_class_folder_that_is_a_link_to_photographs_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "photographs" / "img_0001.jpg")
    (tmp_path / "set" / "train").mkdir(parents=True)
    (tmp_path / "set" / "train" / "hockey").symlink_to(tmp_path / "photographs")
    with pytest.raises(ValueError, match="did not write"):
        claim(tmp_path / "set", SPLITS, seed=0, size=299)


@pytest.mark.parametrize(("seed", "size"), [(4, 40), (3, 41)])
def test_pictures_of_two_seeds_or_sizes_are_never_mixed(seed: int, size: int, tmp_path: Path) -> None:
    claim(tmp_path, SPLITS, seed=3, size=40)
    put(tmp_path / "train" / "hockey" / "img_0001.jpg")
    with pytest.raises(ValueError, match=rf"of seed 3 and size 40, not of seed {seed} and size {size}"):
        claim(tmp_path, SPLITS, seed=seed, size=size)


@pytest.mark.parametrize("text", ["", "[1]", "[" * 100_000, "\xff", '{"seed": 0}'])
def test_a_damaged_marker_claims_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / MARKER).write_bytes(text.encode("latin-1"))
    put(tmp_path / "train" / "hockey" / "img_0001.jpg")
    with pytest.raises(ValueError, match="Nothing was written"):
        claim(tmp_path, SPLITS, seed=0, size=299)


def test_what_lies_beside_the_pictures_or_is_hidden_does_not_matter(tmp_path: Path) -> None:
    put(tmp_path / "README.txt")
    put(tmp_path / "train" / ".DS_Store")
    claim(tmp_path, SPLITS, seed=0, size=299)
