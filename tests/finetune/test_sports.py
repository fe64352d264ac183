"""The bundled pictures: what is on the balls, that they render again, and what their colours give away."""

import io
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.linear_model import LogisticRegression

from coursework._common.files import PROJECT_ROOT
from coursework.finetune import sports
from coursework.finetune.images import read_folder, read_picture
from coursework.finetune.scenes import jpeg
from coursework.finetune.sports import (
    CLASSES,
    JPEG_QUALITY,
    PENTAGONS,
    SIZE,
    SPLITS,
    basketball_seams,
    picture,
    render,
    render_dataset,
    soccer_panels,
)

BUNDLED = PROJECT_ROOT / "data" / "sport3"


def read(source: Path | bytes) -> np.ndarray:
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as opened:
        return np.asarray(opened.convert("RGB")).astype(np.int16)


def points_on_sphere(count: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, 3))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def rotation_about(axis: np.ndarray, angle: float) -> np.ndarray:
    """The rotation by `angle` about a unit vector (Rodrigues)."""
    x, y, z = axis.astype(float)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


# Balls


@pytest.mark.parametrize(
    ("point", "on_seam"),
    [
        ((0.0, 0.6, 0.8), 1),  # x = 0: the first great circle
        ((0.8, 0.0, 0.6), 1),  # y = 0: the second
        ((0.5548, 0.5548, 0.62), 1),  # z = 0.62: a small circle
        ((0.5548, 0.5548, -0.62), 1),
        ((1 / math.sqrt(3),) * 3, 0),  # z = 0.577, 0.043 from the small circle, which is 0.036 wide
        ((0.6, 0.6, 0.529), 0),
        ((0.3, 0.3, 0.9055), 0),
    ],
)
def test_a_basketball_has_two_great_and_two_small_circles(
    point: tuple[float, float, float], on_seam: int
) -> None:
    assert basketball_seams(np.array(point), 0.04) == on_seam


def test_a_basketball_looks_the_same_from_both_sides_and_after_a_quarter_turn() -> None:
    points = points_on_sphere(500)
    seams = basketball_seams(points, 0.06)
    assert 0.1 < seams.mean() < 0.6
    for signs in ((-1, 1, 1), (1, -1, 1), (1, 1, -1)):
        assert np.array_equal(basketball_seams(points * np.float32(signs), 0.06), seams)
    assert np.array_equal(basketball_seams(points[:, [1, 0, 2]], 0.06), seams)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.02, 0.08), st.floats(0.001, 0.05))
def test_wider_seams_cover_narrower_ones(width: float, more: float) -> None:
    points = points_on_sphere(300)
    assert (basketball_seams(points, width) <= basketball_seams(points, width + more)).all()


def test_the_twelve_patches_are_as_far_apart_as_an_icosahedrons_vertices() -> None:
    assert PENTAGONS.shape == (12, 3)
    cosines = np.sort(PENTAGONS.astype(float) @ PENTAGONS.T.astype(float), axis=1)
    near, far = 1 / math.sqrt(5), -1 / math.sqrt(5)
    expected = [-1, *[far] * 5, *[near] * 5, 1]
    assert np.allclose(cosines, expected, atol=1e-6)


def test_a_soccer_ball_has_patches_about_the_vertices_and_seams_half_way_between() -> None:
    assert (soccer_panels(PENTAGONS, 0.03) == 1).all()
    # cos 20 degrees = 0.940 is in the patch, cos 22 degrees = 0.927 is not
    for degrees, region in ((20, 1), (22, 0)):
        axis = np.cross(PENTAGONS[0], PENTAGONS[1])
        turned = rotation_about(axis / np.linalg.norm(axis), math.radians(degrees)) @ PENTAGONS[0]
        assert soccer_panels(turned, 0.03) == region
    # half way between two neighbours both are as near: a seam
    neighbours = [
        PENTAGONS[i] + PENTAGONS[j] for i in range(12) for j in range(i) if PENTAGONS[i] @ PENTAGONS[j] > 0.4
    ]
    assert len(neighbours) == 30
    middles = np.array(neighbours) / np.linalg.norm(neighbours, axis=1, keepdims=True)
    assert (soccer_panels(middles, 0.03) == 2).all()


def test_a_soccer_ball_turned_a_fifth_about_a_patch_looks_the_same() -> None:
    points = points_on_sphere(4000)
    before = soccer_panels(points, 0.04)
    shares = Counter(before.tolist())
    # twelve caps of cosine 0.935 cover 12 (1 - 0.935) / 2 of the sphere
    assert shares[1] / 4000 == pytest.approx(0.39, abs=0.03)
    assert shares[2] / 4000 > 0.05
    fifth = rotation_about(PENTAGONS[3], 2 * math.pi / 5)
    assert (soccer_panels(points @ fifth.T, 0.04) == before).mean() > 0.998
    tenth = rotation_about(PENTAGONS[3], math.pi / 5)
    assert (soccer_panels(points @ tenth.T, 0.04) == before).mean() < 0.95


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_random_rotations_keep_lengths_and_angles(seed: int) -> None:
    rotation = sports._random_rotation(np.random.default_rng(seed))
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)


# Pictures


@pytest.mark.parametrize("sport", CLASSES)
def test_a_number_always_gives_the_same_picture_and_another_seed_another_one(sport: str) -> None:
    first = picture(sport, "train", 7, seed=1, size=48)
    assert first.shape == (48, 48, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, picture(sport, "train", 7, seed=1, size=48))
    others = [
        picture(sport, "train", 7, seed=2, size=48),
        picture(sport, "train", 8, seed=1, size=48),
        picture(sport, "validation", 7, seed=1, size=48),
    ]
    for other in others:
        assert not np.array_equal(first, other)


def test_an_unknown_sport_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown sport 'cricket'.*basketball, hockey, soccer"):
        render("cricket", np.random.default_rng(0))


# Folders


def test_a_folder_of_any_numbers_is_written_in_the_assignments_layout(tmp_path: Path) -> None:
    assert render_dataset(tmp_path / "s", train=2, validation=1, seed=3, size=40) == tmp_path / "s"
    files = sorted(path.relative_to(tmp_path / "s").as_posix() for path in tmp_path.rglob("*.jpg"))
    expected = [f"train/{sport}/img_000{number}.jpg" for sport in CLASSES for number in (1, 2)]
    assert files == sorted([*expected, *(f"validation/{sport}/img_0001.jpg" for sport in CLASSES)])
    assert read(tmp_path / "s" / files[0]).shape == (40, 40, 3)


def test_more_pictures_of_the_same_seed_begin_with_the_same_bytes(tmp_path: Path) -> None:
    few = render_dataset(tmp_path / "few", train=1, validation=1, size=40)
    more = render_dataset(tmp_path / "more", train=2, validation=1, size=40)
    other = render_dataset(tmp_path / "other", train=1, validation=1, size=40, seed=1)
    for file in few.rglob("*.jpg"):
        name = file.relative_to(few)
        assert file.read_bytes() == (more / name).read_bytes()
        assert file.read_bytes() != (other / name).read_bytes()


def test_a_second_run_writes_what_is_missing_and_leaves_what_is_there(tmp_path: Path) -> None:
    folder = render_dataset(tmp_path, train=1, validation=0, size=40)
    removed, mine = (folder / "train" / sport / "img_0001.jpg" for sport in ("soccer", "hockey"))
    whole = removed.read_bytes()
    removed.unlink()
    mine.write_bytes(b"a photograph of mine")
    render_dataset(tmp_path, train=1, validation=0, size=40)
    assert removed.read_bytes() == whole
    assert mine.read_bytes() == b"a photograph of mine"
    assert not (folder / "validation").exists()


def test_a_photograph_of_the_users_is_never_written_over(tmp_path: Path) -> None:
    photograph = tmp_path / "mine" / "train" / "hockey" / "img_0001.jpg"
    photograph.parent.mkdir(parents=True)
    photograph.write_bytes(b"a photograph")
    with pytest.raises(ValueError, match=r"did not write \(train.hockey.img_0001\.jpg\).*name a new folder"):
        render_dataset(tmp_path / "mine", train=1, validation=1, size=40)
    assert photograph.read_bytes() == b"a photograph"
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [photograph]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train": -1}, "train=-1, validation=32"),
        ({"train": 0, "validation": 0}, "not both 0"),
        ({"size": 31}, "size=31.*at least 32"),
    ],
)
def test_counts_and_sizes_that_make_no_sense_are_refused_before_anything_is_written(
    given: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        render_dataset(tmp_path / "s", **given)
    assert not (tmp_path / "s").exists()


# The committed pictures


def test_the_bundled_folder_holds_200_and_32_pictures_a_class_in_14_megabytes() -> None:
    images = read_folder(BUNDLED)
    assert images.classes == CLASSES
    assert images.problems == ()
    assert np.bincount(images.train.labels).tolist() == [200] * 3
    assert np.bincount(images.validation.labels).tolist() == [32] * 3
    sizes = {read_picture(path).size for path in (*images.train.paths, *images.validation.paths)}
    assert sizes == {(SIZE, SIZE)} == {(299, 299)}
    assert sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()) <= 14_000_000
    # no picture is there twice, least of all once in each half
    contents = {path.read_bytes() for path in BUNDLED.rglob("*.jpg")}
    assert len(contents) == 3 * 232


@pytest.mark.parametrize("sport", CLASSES)
@pytest.mark.parametrize("split", SPLITS)
def test_the_bundled_pictures_render_again(split: str, sport: str) -> None:
    for number in (1, 2):
        committed = read(BUNDLED / split / sport / f"img_{number:04d}.jpg")
        again = read(jpeg(picture(sport, split, number), JPEG_QUALITY))
        difference = np.abs(committed - again)
        # JPEG coders and the processors' roundings differ by a few levels
        assert difference.mean() < 1
        assert np.percentile(difference, 99) <= 6
        other = read(BUNDLED / split / sport / f"img_{number + 2:04d}.jpg")
        assert np.abs(other - again).mean() > 20


def colour_histogram(path: Path) -> np.ndarray:
    """Square roots of the shares of 8 x 8 x 8 colours."""
    red, green, blue = (channel.ravel() // 32 for channel in np.moveaxis(read(path), -1, 0))
    return np.sqrt(np.bincount((red * 8 + green) * 8 + blue, minlength=512) / red.size)


def test_colours_alone_do_not_tell_the_sports_apart() -> None:
    halves = {
        split: (
            np.array([colour_histogram(path) for path in files]),
            [path.parent.name for path in files],
        )
        for split in SPLITS
        for files in [sorted((BUNDLED / split).rglob("*.jpg"))]
    }
    for C in (0.01, 0.1, 1, 10, 100):
        model = LogisticRegression(C=C, max_iter=2000).fit(*halves["train"])
        assert model.score(*halves["validation"]) < 0.45
