"""Folders of pictures, good and bad, and pictures of every kind."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from coursework.finetune import images
from coursework.finetune.images import (
    ImageError,
    ImageFolderError,
    Preprocessing,
    decode,
    normalize,
    read_folder,
    read_picture,
)

PLAIN = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def save(path: Path, colour: str = "red", size: tuple[int, int] = (12, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, two pictures each in train, one each in validation."""
    root = tmp_path / "pictures"
    for kind, colour in (("cat", "red"), ("ape", "blue")):
        save(root / "train" / kind / "b.jpg", colour)
        save(root / "train" / kind / "a.png", colour)
        save(root / "validation" / kind / "c.jpg", colour)
    return root


# Folders


def test_classes_and_files_come_sorted_with_their_labels(folder: Path) -> None:
    found = read_folder(folder)
    assert found.classes == ("ape", "cat")
    names = [f"{path.parent.name}/{path.name}" for path in found.train.paths]
    assert names == ["ape/a.png", "ape/b.jpg", "cat/a.png", "cat/b.jpg"]
    assert found.train.labels.tolist() == [0, 0, 1, 1]
    assert found.validation.labels.tolist() == [0, 1]
    assert found.problems == ()


def test_hidden_files_and_folders_are_ignored(folder: Path) -> None:
    (folder / "train/cat/.DS_Store").write_bytes(b"no picture")
    (folder / "train/.cache").mkdir()
    found = read_folder(folder)
    assert len(found.train) == 4
    assert found.problems == ()


def test_broken_files_are_left_out_and_named_with_the_remedy(folder: Path) -> None:
    whole = (folder / "train/cat/b.jpg").read_bytes()
    (folder / "train/cat/cut.jpg").write_bytes(whole[: len(whole) - 40])
    (folder / "train/cat/empty.jpg").write_bytes(b"")
    (folder / "train/ape/notes.txt").write_text("no picture")
    (folder / "validation/ape/more").mkdir()
    found = read_folder(folder)
    assert len(found.train) == 4
    reasons = {str(problem).partition(": ")[0].rpartition("/")[2]: str(problem) for problem in found.problems}
    assert sorted(reasons) == ["cut.jpg", "empty.jpg", "more", "notes.txt"]
    assert "cannot be decoded" in reasons["cut.jpg"]
    assert "Copy it again" in reasons["cut.jpg"]
    assert "an empty file" in reasons["empty.jpg"]
    assert "not a picture" in reasons["notes.txt"]
    assert "Move its pictures up" in reasons["more"]


def test_the_description_counts_the_classes_and_lists_what_was_left_out(folder: Path) -> None:
    (folder / "train/ape/notes.txt").write_text("no picture")
    save(folder / "train/cat/d.png")
    lines = read_folder(folder).describe().splitlines()
    assert lines[0] == "train: 5 pictures (2 ape, 3 cat)"
    assert lines[1] == "validation: 2 pictures (1 ape, 1 cat)"
    assert lines[2].startswith("left out: ")
    assert "notes.txt" in lines[2]


def test_a_pipe_is_left_out_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "train" / "cat" / "pipe.jpg")
    (problem,) = read_folder(folder).problems
    assert "pipe.jpg: a pipe or device, no file" in str(problem)


def test_what_was_left_out_is_listed_in_text_that_can_be_printed(folder: Path) -> None:
    (folder / "train" / "cat" / "a\nb\udcff.jpg").write_bytes(b"no picture")
    *_, last = read_folder(folder).describe().splitlines()
    assert "a\\nb\\udcff.jpg: not a picture" in last
    last.encode("utf-8")


@pytest.mark.parametrize("name", ["\udcff", "a\nb"])
def test_a_class_whose_name_cannot_be_shown_is_refused(folder: Path, name: str) -> None:
    for half in ("train", "validation"):
        (folder / half / "cat").rename(folder / half / name)
    with pytest.raises(ImageFolderError, match="rename the folder") as caught:
        read_folder(folder)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a" * 5000, "~nobody-of-this-name/pictures"])
def test_a_folder_that_cannot_exist_is_missing(name: str) -> None:
    with pytest.raises(ImageFolderError, match="no such folder"):
        read_folder(name)


def test_a_missing_folder_is_named_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match=r"nowhere: no such folder. The layout is \{train,v"):
        read_folder(tmp_path / "nowhere")


def test_a_missing_half_is_named_beside_what_is_there(folder: Path) -> None:
    (folder / "validation").rename(folder / "val")
    with pytest.raises(ImageFolderError, match="no folder named 'validation', but train, val"):
        read_folder(folder)


def test_a_half_without_classes_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "train/a.jpg")
    with pytest.raises(ImageFolderError, match="0 class folders"):
        read_folder(tmp_path)


def test_classes_that_differ_between_the_halves_are_named(folder: Path) -> None:
    save(folder / "train/dog/a.jpg")
    (folder / "validation/cat").rename(folder / "validation/cats")
    with pytest.raises(ImageFolderError, match=r"only in train: cat, dog; only in validation: cats"):
        read_folder(folder)


def test_a_class_without_a_usable_picture_is_refused_with_the_reasons(folder: Path) -> None:
    (folder / "validation/cat/c.jpg").write_bytes(b"")
    with pytest.raises(ImageFolderError, match=r"(?s)cat: no usable picture.*c.jpg: an empty file"):
        read_folder(folder)


def test_the_hash_sees_bytes_names_and_classes_but_no_time(folder: Path) -> None:
    before = read_folder(folder).train.sha256()
    assert before == read_folder(folder).train.sha256()
    (folder / "train/cat/b.jpg").rename(folder / "train/cat/bb.jpg")
    renamed = read_folder(folder).train.sha256()
    save(folder / "train/cat/bb.jpg", "green")
    assert len({before, renamed, read_folder(folder).train.sha256()}) == 3


# Pictures


@pytest.mark.parametrize(
    ("mode", "suffix", "colour", "expected"),
    [
        ("L", "png", 77, (77, 77, 77)),
        ("1", "png", 1, (255, 255, 255)),
        ("I;16", "png", 77 * 256, (77, 77, 77)),
        ("RGBA", "png", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", "png", (10, 20, 30, 0), (255, 255, 255)),
        ("LA", "png", (40, 0), (255, 255, 255)),
        ("CMYK", "jpg", (0, 255, 255, 0), (254, 0, 0)),
        ("RGB", "webp", (0, 0, 255), (0, 0, 255)),
        ("RGB", "bmp", (1, 2, 3), (1, 2, 3)),
    ],
)
def test_a_picture_of_any_kind_becomes_rgb(
    tmp_path: Path, mode: str, suffix: str, colour: object, expected: tuple[int, int, int]
) -> None:
    path = tmp_path / f"picture.{suffix}"
    Image.new(mode, (16, 16), colour).save(path)  # type: ignore[arg-type]
    picture = read_picture(path)
    assert picture.mode == "RGB"
    np.testing.assert_allclose(picture.getpixel((8, 8)), expected, atol=3)


def test_a_palette_picture_with_a_transparent_colour_becomes_white_there(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 1), 1)
    picture.save(tmp_path / "p.png", transparency=bytes([0, 255]))
    assert read_picture(tmp_path / "p.png").getpixel((0, 0)) == (255, 255, 255)
    assert read_picture(tmp_path / "p.png").getpixel((1, 1)) == (40, 50, 60)


def test_a_picture_held_sideways_comes_upright(tmp_path: Path) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = 255  # white on the left
    exif = Image.Exif()
    exif[274] = 6  # the camera was turned: rotate by 90 degrees clockwise to view
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    picture = read_picture(tmp_path / "turned.png")
    assert picture.size == (20, 40)
    assert picture.getpixel((10, 5)) == (255, 255, 255)  # left went to the top
    assert picture.getpixel((10, 35)) == (0, 0, 0)


@pytest.mark.parametrize("pixels", [images.MAX_PIXELS + 1, 3 * images.MAX_PIXELS])
def test_a_decompression_bomb_is_an_error_that_names_the_file(tmp_path: Path, pixels: int) -> None:
    # a header that promises many pixels; nothing after it would ever be read
    buffer = io.BytesIO()
    Image.new("1", (1, 1)).save(buffer, "PPM")
    (tmp_path / "bomb.pbm").write_bytes(buffer.getvalue().replace(b"1 1", b"%d 1" % pixels))
    with pytest.raises(ImageError, match=r"bomb.pbm: too large"):
        read_picture(tmp_path / "bomb.pbm")


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gone.jpg: no such file"):
        read_picture(tmp_path / "gone.jpg")


def test_a_large_jpeg_is_decoded_small_but_not_too_small(tmp_path: Path) -> None:
    path = save(tmp_path / "large.jpg", size=(2400, 1600))
    assert read_picture(path, at_least=300).size == (600, 400)
    assert read_picture(path).size == (2400, 1600)
    small = save(tmp_path / "small.jpg", size=(600, 400))
    assert read_picture(small, at_least=50).size == (600, 400)


# What a base is given


def test_decoding_keeps_the_square_in_the_middle(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 200
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    square = decode(tmp_path / "wide.png", 10, PLAIN)
    assert square.dtype == torch.uint8
    assert square.shape == (3, 10, 10)
    assert (square == 200).all()


def test_a_line_of_pixels_does_not_fill_the_memory(tmp_path: Path) -> None:
    # resized whole, it would be 299 x 17,940,000 pixels
    line = Image.new("RGB", (60_000, 1), "red")
    line.putpixel((30_000, 0), (0, 0, 255))
    line.save(tmp_path / "line.png")
    assert decode(tmp_path / "line.png", 299, PLAIN)[2].amax() > 100
    long = save(tmp_path / "long.png", size=(17, 1))
    assert decode(long, 32, PLAIN).shape == (3, 32, 32)


def test_a_picture_of_the_right_size_is_not_resampled(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "exact.png")
    square = decode(tmp_path / "exact.png", 9, PLAIN)
    np.testing.assert_array_equal(square.permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_crop_cuts_a_resized_picture(tmp_path: Path, interpolation: str) -> None:
    # the outer tenth on each side is black, the crop keeps the middle eight tenths
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[10:90, 10:90] = 255
    Image.fromarray(pixels).save(tmp_path / "framed.png")
    half = Preprocessing(PLAIN.mean, PLAIN.std, interpolation, crop=0.8)  # type: ignore[arg-type]
    square = decode(tmp_path / "framed.png", 40, half)
    assert square.shape == (3, 40, 40)
    assert (square[:, 2:-2, 2:-2] == 255).all()
    assert (decode(tmp_path / "framed.png", 40, PLAIN)[:, :3] < 128).all()


def test_normalizing_maps_black_and_white_to_the_ends() -> None:
    pictures = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 2, 2)
    normal = normalize(pictures, Preprocessing(mean=(0.5, 0.5, 0.0), std=(0.5, 0.25, 1.0)))
    assert normal.dtype == torch.float32
    assert normal[0, :, 0, 0].tolist() == [-1, -2, 0]
    assert normal[1, :, 0, 0].tolist() == [1, 2, 1]
