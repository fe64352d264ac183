"""The things of the pre-training pictures, and that their labels are where and what they are."""

import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.finetune import objects
from coursework.finetune.objects import OUTLINES, SURFACES, _honeycomb, picture_of_objects
from coursework.finetune.scenes import OVERSAMPLE, Stage


@pytest.mark.parametrize(("difficulty", "smallest"), [(0, 58), (0.5, 40), (1, 22)])
def test_a_picture_too_small_for_its_objects_is_refused_by_the_size_it_needs(
    difficulty: float, smallest: int
) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=rf"size={smallest - 1}: .* give at least {smallest} pixels"):
        picture_of_objects(smallest - 1, rng, difficulty)
    assert picture_of_objects(smallest, rng, difficulty).pixels.shape == (smallest, smallest, 3)


LINE = np.linspace(-1, 1, 201, dtype=np.float32)
GRID = np.meshgrid(LINE, LINE)


class Watch:
    """Records what `picture_of_objects` stamps and what the camera sees of the whole stage."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stamps: list[dict[str, Any]] = []
        self.whole = np.zeros(0)
        stamp, photograph = objects.stamp, objects.photograph

        def watched_stamp(
            stage: Stage, centre: Any, radius: float, inside: Any, *rest: Any, **how: Any
        ) -> Any:
            self.stamps.append({"centre": centre, "radius": radius, "inside": inside, **how})
            return stamp(stage, centre, radius, inside, *rest, **how)

        def watched_photograph(stage: Stage) -> Any:
            self.whole = photograph(stage)
            return self.whole

        monkeypatch.setattr(objects, "stamp", watched_stamp)
        monkeypatch.setattr(objects, "photograph", watched_photograph)

    def corner(self, pixels: np.ndarray) -> tuple[int, int]:
        """Where `pixels` was cut from the whole picture: (top, left)."""
        spare = len(self.whole) - len(pixels) + 1
        found = [
            (top, left)
            for top in range(spare)
            for left in range(spare)
            if np.array_equal(self.whole[top : top + len(pixels), left : left + len(pixels)][:8], pixels[:8])
        ]
        assert len(found) == 1
        return found[0]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


# Names and formulas


def test_no_object_is_one_of_the_sports() -> None:
    names = [*OUTLINES, *SURFACES]
    assert len(set(names)) == len(names) == 32
    for name in names:
        assert not any(
            word in name for word in ("puck", "stick", "goal", "hoop", "soccer", "basket", "hockey")
        )
        assert not name.endswith("ball")


@pytest.mark.parametrize("name", OUTLINES)
def test_an_outline_has_an_inside_and_an_outside_and_touches_no_edge(name: str) -> None:
    inside = OUTLINES[name](*GRID)
    assert inside.shape == (201, 201)
    assert inside.dtype == bool
    assert 0.1 < inside.mean() < 0.85
    for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert not edge.any()


def test_no_two_outlines_are_nearly_the_same() -> None:
    masks = [inside(*GRID) for inside in OUTLINES.values()]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            assert (first & second).sum() / (first | second).sum() < 0.9


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_has_as_many_regions_as_colours_at_most_and_only_plain_has_one(name: str) -> None:
    for repeats in (1.5, 2.5, 5.0):
        for phase in (0.0, 0.3, 0.9):
            regions = np.asarray(SURFACES[name](*GRID, repeats, phase)).astype(int)
            assert regions.shape == (201, 201)
            shares = np.bincount(regions.ravel(), minlength=3) / regions.size
            assert len(shares) == 3
            if name == "plain":
                assert shares[0] == 1
            else:
                assert shares.max() < 0.96


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("ring", (0.0, 0.8), (0.0, 0.0)),
        ("disc", (0.0, 0.0), (0.7, 0.7)),
        ("cross", (0.8, 0.0), (0.5, 0.5)),
        ("ell", (-0.5, -0.5), (0.3, -0.3)),
        ("frame", (0.6, 0.0), (0.0, 0.0)),
        ("crescent", (-0.8, 0.0), (0.45, 0.0)),
        ("star", (0.0, -0.95), (0.0, 0.95)),
    ],
)
def test_outlines_at_points_that_tell_them_apart(
    name: str, inside: tuple[float, float], outside: tuple[float, float]
) -> None:
    for point, expected in ((inside, True), (outside, False)):
        u, v = (np.array([value]) for value in point)
        assert bool(OUTLINES[name](u, v)[0]) is expected


@settings(deadline=None, max_examples=30)
@given(st.floats(-5, 5), st.floats(-5, 5))
def test_the_honeycomb_repeats_and_no_point_is_farther_than_half_a_tile_from_an_edge(
    x: float, y: float
) -> None:
    def at(x: float, y: float) -> float:
        return float(_honeycomb(np.array([x]), np.array([y]))[0])

    assert -1e-9 <= at(x, y) <= 0.5
    assert at(x + 1, y) == pytest.approx(at(x, y), abs=1e-9)
    assert at(x + 0.5, y + math.sqrt(3) / 2) == pytest.approx(at(x, y), abs=1e-9)


def test_the_honeycomb_at_a_centre_an_edge_and_a_corner() -> None:
    x = np.array([0.0, 0.5, 0.25, 0.0])
    y = np.array([0.0, 0.0, 0.0, 1 / math.sqrt(3)])
    assert _honeycomb(x, y) == pytest.approx([0.5, 0.0, 0.25, 0.0], abs=1e-9)


# Pictures and their labels


@pytest.mark.parametrize("seed", range(6))
def test_labels_name_the_outlines_that_stand_where_the_owner_map_says(seed: int, watch: Watch) -> None:
    size = 56
    picture = picture_of_objects(size, np.random.default_rng(seed), 0.7, largest_px=20)
    assert picture.pixels.shape == (size, size, 3)
    assert picture.owner.shape == (size, size)
    assert (picture.pixels.dtype, picture.owner.dtype) == (np.uint8, np.uint8)
    assert len(picture.outlines) == len(picture.surfaces) == len(watch.stamps)
    top, left = watch.corner(picture.pixels)
    whole = len(watch.whole)
    assert size <= whole <= round(1.6 * size)
    # where each object should be seen, worked out anew from what was stamped
    expected = np.zeros_like(picture.owner)
    y, x = np.mgrid[0:size, 0:size]
    for number, stamped in enumerate(watch.stamps, 1):
        assert stamped["inside"] is list(OUTLINES.values())[picture.outlines[number - 1]]
        u0 = ((x + left + 0.5) / whole - stamped["centre"][0]) / stamped["radius"]
        v0 = ((y + top + 0.5) / whole - stamped["centre"][1]) / stamped["radius"]
        angle = 2 * math.pi * stamped["turn"]
        u = math.cos(angle) * u0 + math.sin(angle) * v0
        v = (-math.sin(angle) * u0 + math.cos(angle) * v0) / stamped["squash"]
        in_patch = (np.abs(u0) <= 1) & (np.abs(v0) <= 1)
        expected[stamped["inside"](u, v) & in_patch] = number
        assert (expected == number).sum() > 10
    # rounding moves an edge by up to a pixel; so count agreement away from no edge at all
    agreement = (expected == picture.owner).mean()
    assert agreement > 0.93
    both = (expected > 0) & (picture.owner > 0)
    assert both.sum() > 0.75 * ((expected > 0) | (picture.owner > 0)).sum()
    assert (expected == picture.owner)[both].mean() > 0.98


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 1.0]))
def test_there_are_one_to_three_objects_with_known_names(seed: int, difficulty: float) -> None:
    picture = picture_of_objects(64, np.random.default_rng(seed), difficulty)
    assert 1 <= len(picture.outlines) == len(picture.surfaces) <= 3
    assert set(picture.outlines) <= set(range(len(OUTLINES)))
    assert set(picture.surfaces) <= set(range(len(SURFACES)))
    assert picture.owner.max() <= len(picture.outlines)
    assert (picture.owner > 0).any()


def test_the_same_seed_draws_the_same_picture() -> None:
    first, second, other = (picture_of_objects(48, np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.owner, second.owner)
    assert (first.outlines, first.surfaces) == (second.outlines, second.surfaces)
    assert not np.array_equal(first.pixels, other.pixels)


def test_discs_stay_flat_so_that_there_are_no_balls_while_other_outlines_bulge(watch: Watch) -> None:
    rng = np.random.default_rng(0)
    for _ in range(90):
        picture_of_objects(40, rng, 0.5)
    discs = [s["bulge"] for s in watch.stamps if s["inside"] is OUTLINES["disc"]]
    others = [s["bulge"] for s in watch.stamps if s["inside"] is not OUTLINES["disc"]]
    assert len(discs) >= 5
    assert set(discs) == {0.0}
    assert 0.3 < np.mean(np.array(others) > 0) < 0.7


def refuse(what: str) -> Callable[..., NoReturn]:
    def refused(*arguments: object) -> NoReturn:
        raise AssertionError(f"{what} on an empty stage")

    return refused


def test_at_difficulty_0_large_objects_stand_on_an_empty_stage(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("people", "clutter", "_floor_lines"):
        monkeypatch.setattr(objects, name, refuse(name))
    crowds: list[float] = []
    empty_stage = objects.empty_stage

    def watched(size: int, rng: np.random.Generator, crowd: float) -> Stage:
        crowds.append(crowd)
        return empty_stage(size, rng, crowd)

    monkeypatch.setattr(objects, "empty_stage", watched)
    radii = []
    for seed in range(15):
        picture_of_objects(96, np.random.default_rng(seed), 0.0, smallest_px=8, largest_px=36)
        radii += [stamped["radius"] * len(watch.whole) for stamped in watch.stamps]
        watch.stamps.clear()
    assert set(crowds) == {0.0}
    # half-way from 8 to 36 is 22
    assert min(radii) == pytest.approx(22, abs=1)
    assert max(radii) < 36.01


def test_at_difficulty_1_people_clutter_and_small_objects_come_in(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    for name in ("people", "clutter", "_floor_lines"):
        monkeypatch.setattr(objects, name, lambda *arguments, name=name: drawn.append(name))
    radii = []
    for seed in range(15):
        picture_of_objects(96, np.random.default_rng(seed), 1.0, smallest_px=8, largest_px=36)
        radii += [stamped["radius"] * len(watch.whole) for stamped in watch.stamps]
        watch.stamps.clear()
    assert drawn.count("people") == drawn.count("clutter") == drawn.count("_floor_lines") == 15
    assert 7.99 < min(radii) < 15
    assert OVERSAMPLE == 2  # the owner map is read at every second canvas pixel


def test_colours_say_nothing_about_the_outline() -> None:
    rng = np.random.default_rng(1)
    disc, bar = list(OUTLINES).index("disc"), list(OUTLINES).index("bar")
    means: dict[int, list[np.ndarray]] = {}
    while min(len(means.get(label, [])) for label in (disc, bar)) < 25:
        picture = picture_of_objects(40, rng, 0.0, largest_px=15)
        for number, label in enumerate(picture.outlines, 1):
            if label in (disc, bar) and (picture.owner == number).any():
                means.setdefault(label, []).append(picture.pixels[picture.owner == number].mean(axis=0))
    first, second = (np.array(means[label][:25]) for label in (disc, bar))
    error = np.sqrt(first.var(axis=0) / 25 + second.var(axis=0) / 25)
    assert (np.abs(first.mean(axis=0) - second.mean(axis=0)) < 4 * error).all()
