"""Colours, perspective, stamps and the camera."""

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from coursework.finetune.scenes import (
    OVERSAMPLE,
    Stage,
    any_colour,
    arc_on_ground,
    clutter,
    colour_apart,
    disc,
    empty_stage,
    jpeg,
    people,
    person,
    photograph,
    shaded,
    stamp,
)

GREY = (128, 128, 128)
RED = (255, 0, 0)
BLUE = (0, 0, 255)


def plain_stage(size: int = 32, seed: int = 0) -> Stage:
    """A grey canvas with the horizon in the middle."""
    side = size * OVERSAMPLE
    image = Image.new("RGB", (side, side), GREY)
    return Stage(size, np.random.default_rng(seed), image, ImageDraw.Draw(image), 0.45, GREY, GREY)


def canvas(stage: Stage) -> np.ndarray:
    return np.asarray(stage.image).copy()


def count_of(stage: Stage, colour: tuple[int, int, int]) -> int:
    return int((canvas(stage) == colour).all(axis=-1).sum())


# Colours


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_a_colour_has_three_channels_from_0_to_255(seed: int) -> None:
    colour = any_colour(np.random.default_rng(seed))
    assert len(colour) == 3
    assert all(isinstance(channel, int) and 0 <= channel <= 255 for channel in colour)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_a_colour_apart_keeps_its_distance_from_all_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    others = (any_colour(rng), any_colour(rng))
    colour = colour_apart(rng, *others, gap=50)
    assert min(math.dist(colour, other) for other in others) >= 50


def test_where_no_colour_is_far_enough_the_farthest_draw_is_taken() -> None:
    chosen = colour_apart(np.random.default_rng(3), GREY, gap=1000)
    rng = np.random.default_rng(3)
    any_colour(rng)  # the first draw only stands in until there is another
    draws = [any_colour(rng) for _ in range(40)]
    assert math.dist(chosen, GREY) == max(math.dist(draw, GREY) for draw in draws)


@pytest.mark.parametrize(
    ("colour", "factor", "expected"),
    [
        ((100, 200, 250), 1.2, (120, 240, 255)),
        ((100, 201, 7), 0.5, (50, 100, 3)),
        ((9, 9, 9), 0.0, (0, 0, 0)),
    ],
)
def test_a_shaded_colour_is_scaled_and_clipped(
    colour: tuple[int, int, int], factor: float, expected: tuple[int, int, int]
) -> None:
    assert shaded(colour, factor) == expected


# Perspective


@pytest.mark.parametrize(
    ("x", "depth", "expected"),
    [
        (0.0, 0.0, (0.5, 1.05)),
        (0.5, 0.0, (1.0, 1.05)),
        (0.5, 1.0, (0.75, 0.75)),  # half as far from the middle; half of 1.05 - 0.45 under the horizon
        (-3.0, 2.0, (-0.5, 0.65)),
        (7.0, 1e9, (0.5, 0.45)),
    ],
)
def test_a_point_of_the_floor_nears_the_middle_of_the_horizon_with_depth(
    x: float, depth: float, expected: tuple[float, float]
) -> None:
    assert plain_stage().ground(x, depth) == pytest.approx(expected, abs=1e-8)


def test_a_circle_on_the_floor_is_seen_between_its_nearest_and_farthest_point() -> None:
    stage = plain_stage()
    points = arc_on_ground(stage, (0.0, 2.0), 0.5, 0.0, 1.0)
    assert points[0] == pytest.approx(points[-1])
    assert points[0] == pytest.approx(stage.ground(0.5, 2.0))
    heights = [y for _, y in points]
    assert max(heights) == pytest.approx(stage.ground(0, 1.5)[1], abs=0.002)
    assert min(heights) == pytest.approx(stage.ground(0, 2.5)[1], abs=0.002)


def test_an_arc_never_comes_nearer_than_the_near_edge() -> None:
    stage = plain_stage()
    assert max(y for _, y in arc_on_ground(stage, (0.0, 0.1), 1.0, 0.5, 1.0)) == pytest.approx(1.05)


# Stages


@pytest.mark.parametrize("seed", range(5))
def test_an_empty_stage_without_a_crowd_shows_its_wall_at_the_top(seed: int) -> None:
    stage = empty_stage(40, np.random.default_rng(seed), crowd=0.0)
    assert stage.image.size == (40 * OVERSAMPLE, 40 * OVERSAMPLE)
    assert (canvas(stage)[0] == stage.wall).all()
    assert math.dist(stage.floor, stage.wall) >= 50


def test_a_crowd_sits_in_front_of_the_wall_only() -> None:
    without = empty_stage(64, np.random.default_rng(2), crowd=0.0)
    crowded = empty_stage(64, np.random.default_rng(2), crowd=1.0)
    assert (without.horizon, without.wall) == (crowded.horizon, crowded.wall)
    wall = round(0.5 * crowded.horizon * crowded.side)
    assert (canvas(without)[:wall] == without.wall).all()
    assert (canvas(crowded)[:wall] != crowded.wall).any(axis=-1).mean() > 0.2


def test_clutter_and_people_draw_as_many_things_as_asked() -> None:
    stage = plain_stage()
    before = canvas(stage)
    clutter(stage, 0)
    assert people(stage, 0) == []
    assert np.array_equal(canvas(stage), before)
    clutter(stage, 3)
    cluttered = canvas(stage)
    assert not np.array_equal(cluttered, before)
    assert len(people(stage, 3)) == 3
    assert not np.array_equal(canvas(stage), cluttered)


def test_a_person_stands_above_the_feet_with_the_hands_within_reach() -> None:
    stage = plain_stage(64)
    hands = person(stage, (0.5, 0.9), 0.6)
    rows, columns = np.nonzero((canvas(stage) != GREY).any(axis=-1))
    assert rows.min() / stage.side == pytest.approx(0.9 - 0.6, abs=0.06)
    assert rows.max() / stage.side == pytest.approx(0.9, abs=0.06)
    assert abs(columns.mean() / stage.side - 0.5) < 0.15
    for x, y in hands:
        assert math.hypot(x - 0.5, y - 0.5) < 0.6


# Stamps


def stamp_halves(stage: Stage, **options: float) -> Image.Image | None:
    """A disc, red where u < 0 and blue elsewhere, of radius a quarter of the side in its middle."""
    return stamp(stage, (0.5, 0.5), 0.25, disc, lambda u, v: (u >= 0).astype(np.intp), [RED, BLUE], **options)


def test_a_stamp_paints_the_regions_inside_the_outline_and_nothing_else() -> None:
    stage = plain_stage(32)
    mask = stamp_halves(stage)
    assert mask is not None
    assert mask.size == (33, 33)  # a radius of 16 canvas pixels on either side of the middle one
    picture = canvas(stage)
    rows, columns = np.mgrid[0:64, 0:64]
    inside = (rows - 32) ** 2 + (columns - 32) ** 2 <= 16**2
    assert (picture[~inside] == GREY).all()
    assert (picture[inside & (columns < 32)] == RED).all()
    assert (picture[inside & (columns >= 32)] == BLUE).all()
    assert int((np.asarray(mask) > 0).sum()) == int(inside.sum())


def test_a_quarter_turn_moves_the_left_half_up() -> None:
    stage = plain_stage(32)
    stamp_halves(stage, turn=0.25)
    picture = canvas(stage)
    assert tuple(picture[32 - 8, 32]) == RED
    assert tuple(picture[32 + 8, 32]) == BLUE


def test_squashing_takes_height_and_leaves_the_width() -> None:
    stage = plain_stage(32)
    mask = stamp_halves(stage, squash=0.5)
    rows, columns = np.nonzero(np.asarray(mask))
    assert columns.max() - columns.min() == 32
    assert rows.max() - rows.min() == 16


def test_a_bulge_lights_one_side_and_darkens_the_other() -> None:
    stage = plain_stage(32)
    palette = [GREY, GREY]
    stamp(stage, (0.5, 0.5), 0.25, disc, lambda u, v: np.zeros(u.shape, np.intp), palette, bulge=1.0)
    light = canvas(stage)[..., 0]
    # 1 +- 0.55 of 128 at the rim; the middle keeps its colour
    assert light.max() == pytest.approx(128 * 1.55, abs=6)
    assert light.min() == pytest.approx(128 * 0.45, abs=6)
    assert light[32, 32] == 128


def test_what_is_off_the_stage_leaves_no_mark() -> None:
    stage = plain_stage(32)
    before = canvas(stage)
    whole = (disc, lambda u, v: np.zeros(u.shape, np.intp), [RED])
    assert stamp(stage, (1.6, 0.5), 0.25, *whole) is None
    assert stamp(stage, (0.5, -0.3), 0.25, *whole) is None
    assert np.array_equal(canvas(stage), before)
    assert stamp(stage, (1.1, 0.5), 0.25, *whole) is not None
    assert count_of(stage, RED) > 0


# The camera


def test_a_photograph_has_the_finished_size_and_shows_what_was_drawn() -> None:
    stage = plain_stage(48)
    stage.polygon([(0, 0), (0.5, 0), (0.5, 1), (0, 1)], (240, 240, 240))
    seen = photograph(stage)
    assert seen.shape == (48, 48, 3)
    assert seen.dtype == np.uint8
    assert seen[:, :20].mean() > seen[:, 28:].mean() + 30


def test_the_same_seed_takes_the_same_photograph() -> None:
    first, second, other = (photograph(plain_stage(32, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_jpeg_keeps_size_and_colours() -> None:
    pixels = photograph(empty_stage(64, np.random.default_rng(0)))
    with Image.open(io.BytesIO(jpeg(pixels, 90))) as picture:
        assert picture.format == "JPEG"
        read = np.asarray(picture)
    assert read.shape == pixels.shape
    assert np.abs(read.astype(int) - pixels).mean() < 6
    assert len(jpeg(pixels, 30)) < len(jpeg(pixels, 90))
