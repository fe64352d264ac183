"""The bundled pictures: basketball, hockey and soccer, rendered by formula.

Each picture shows the sport's own things on a stage of `scenes`: its ball (or a puck at the blade of a
stick), often its hoop or goal, often its lines. All colours are drawn without regard to the sport: an
orange ball on grass, a green court, a basketball on an ice-white floor. What the picture is of can be
told from shapes and surfaces only.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from coursework._common.files import write_atomic
from coursework.finetune.rendered import claim
from coursework.finetune.scenes import (
    Array,
    Colour,
    Point,
    Regions,
    Stage,
    any_colour,
    arc_on_ground,
    clutter,
    colour_apart,
    disc,
    empty_stage,
    jpeg,
    people,
    photograph,
    shaded,
    shadow,
    stamp,
)

CLASSES = ("basketball", "hockey", "soccer")
SPLITS = ("train", "validation")
SIZE = 299
JPEG_QUALITY = 82


# --- balls, a puck and a stick -------------------------------------------------------------------


def _random_rotation(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a rotation matrix, uniform over all rotations (QR of a normal matrix)."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    rotation: NDArray[np.float32] = (q * np.sign(np.diag(r))).astype(np.float32)
    return rotation


def _on_sphere(u: Array, v: Array, rotation: NDArray[np.float32]) -> Array:
    """Return the points of the unit sphere seen at (u, v), rotated; (..., 3)."""
    w = np.sqrt(np.maximum(0.0, 1.0 - u * u - v * v))
    points: Array = np.stack([u, v, w], -1).astype(np.float32) @ rotation
    return points


def _icosahedron() -> NDArray[np.float32]:
    """Return the 12 unit vectors to the vertices of an icosahedron: the middles of the pentagons."""
    golden = (1 + math.sqrt(5)) / 2
    corners = [(0.0, s, t * golden) for s in (-1.0, 1.0) for t in (-1.0, 1.0)]
    corners += [(s, t * golden, 0.0) for s in (-1.0, 1.0) for t in (-1.0, 1.0)]
    corners += [(t * golden, 0.0, s) for s in (-1.0, 1.0) for t in (-1.0, 1.0)]
    vectors = np.array(corners, np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


PENTAGONS = _icosahedron()


def basketball_seams(points: Array, width: float) -> Regions:
    """Return 1 on the seams of a basketball, 0 elsewhere.

    Two great circles at right angles, and two small circles that bulge towards each other.
    """
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    seam = (np.abs(x) < width) | (np.abs(y) < width) | (np.abs(np.abs(z) - 0.62) < 0.9 * width)
    return seam.astype(np.intp)


def soccer_panels(points: Array, width: float) -> Regions:
    """Return 1 on twelve round patches, 2 on the seams between them, 0 elsewhere.

    The patches stand for the pentagons: points within 20.8 degrees of one of the 12 icosahedron vertices
    (cosine over 0.935), as far out as a truncated icosahedron's corners. A seam is where the two nearest
    vertices are about as near: the edges of the dodecahedron, three of which meet between three patches.
    """
    nearness = np.sort(points @ PENTAGONS.T, axis=-1)
    first, second = nearness[..., -1], nearness[..., -2]
    seam = first - second < width
    return np.where(first > 0.935, 1, np.where(seam, 2, 0)).astype(np.intp)


def draw_ball(stage: Stage, sport: str, centre: Point, radius: float) -> None:
    """Draw a basketball or a soccer ball of any colours, turned any way."""
    rng = stage.rng
    ground = stage.floor if centre[1] > stage.horizon else stage.wall
    rotation = _random_rotation(rng)
    if sport == "basketball":
        skin = colour_apart(rng, ground, gap=80)
        marks = colour_apart(rng, skin, gap=120)
        palette = [skin, marks]
        width = float(rng.uniform(0.05, 0.085))

        def regions(u: Array, v: Array) -> Regions:
            return basketball_seams(_on_sphere(u, v, rotation), width)
    else:
        skin = colour_apart(rng, ground, gap=80)
        marks = colour_apart(rng, skin, gap=130)
        palette = [skin, marks, shaded(skin, 0.6)]
        width = float(rng.uniform(0.03, 0.05))

        def regions(u: Array, v: Array) -> Regions:
            return soccer_panels(_on_sphere(u, v, rotation), width)

    stamp(stage, centre, radius, disc, regions, palette, bulge=float(rng.uniform(0.3, 0.9)))


def draw_puck(stage: Stage, centre: Point, half_width: float) -> None:
    """Draw a puck: a short upright cylinder, seen from a little above."""
    rng = stage.rng
    top = colour_apart(rng, stage.floor, gap=100)
    side = shaded(top, 0.7)
    flat = half_width * float(rng.uniform(0.28, 0.42))
    thick = half_width * float(rng.uniform(0.45, 0.6))
    x, y = centre
    shadow(stage, (x, y + thick + flat * 0.4), half_width * 1.15)
    stage.ellipse((x, y + thick), half_width, flat, side)
    stage.polygon(
        [(x - half_width, y), (x + half_width, y), (x + half_width, y + thick), (x - half_width, y + thick)],
        side,
    )
    stage.ellipse((x, y), half_width, flat, top)
    stage.ellipse((x, y), half_width * 0.82, flat * 0.78, shaded(top, 1.15))


def draw_stick(stage: Stage, heel: Point, hand: Point, length: float) -> None:
    """Draw a hockey stick: a long shaft from `hand` to the heel, then a taped blade along the floor."""
    rng = stage.rng
    shaft = colour_apart(rng, stage.floor, stage.wall, gap=70)
    side = 1.0 if hand[0] < heel[0] else -1.0
    stage.line([hand, heel], shaft, length * 0.05)
    toe = (heel[0] + side * length * 0.32, heel[1] - length * float(rng.uniform(-0.02, 0.05)))
    blade = length * 0.085
    corners = [
        (heel[0] - side * blade * 0.3, heel[1] - blade * 0.5),
        (toe[0], toe[1] - blade * 0.7),
        (toe[0] + side * blade * 0.25, toe[1] + blade * 0.1),
        (toe[0], toe[1] + blade * 0.5),
        (heel[0], heel[1] + blade * 0.5),
    ]
    stage.polygon(corners, shaft)
    if rng.random() < 0.7:
        tape = colour_apart(rng, shaft, gap=90)
        for share in (0.35, 0.6, 0.85):
            x, y = heel[0] + share * (toe[0] - heel[0]), heel[1] + share * (toe[1] - heel[1])
            stage.line([(x, y - blade * 0.55), (x, y + blade * 0.5)], tape, length * 0.025)


# --- hoops and goals -----------------------------------------------------------------------------


def _net(
    stage: Stage, corners: tuple[Point, Point, Point, Point], cells: tuple[int, int], colour: Colour
) -> None:
    """Draw a net between four corners (top left, top right, bottom right, bottom left)."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners

    def inside(s: float, t: float) -> Point:
        return (
            (1 - t) * ((1 - s) * ax + s * bx) + t * ((1 - s) * dx + s * cx),
            (1 - t) * ((1 - s) * ay + s * by) + t * ((1 - s) * dy + s * cy),
        )

    for s in np.linspace(0, 1, cells[0] + 1):
        stage.line([inside(s, 0), inside(s, 1)], colour, 0.0035)
    for t in np.linspace(0, 1, cells[1] + 1):
        stage.line([inside(0, t), inside(1, t)], colour, 0.0035)


def _goal_back(
    stage: Stage,
    foot: Point,
    half: float,
    height: float,
    *,
    back: float,
    lift: float,
    cells: tuple[int, int],
) -> tuple[Colour, Colour, float]:
    """Draw the net between a goal's crossbar and the rear edge on the floor.

    Parameters
    ----------
    half, height : half the width of the opening, and its height. back : half the width of the rear edge.
    lift : how far above `foot` the rear edge is seen, as a share of the height.

    Returns
    -------
    The colours of frame and net, and the height at which the rear edge is seen.
    """
    frame = colour_apart(stage.rng, stage.wall, stage.floor, gap=90)
    net = colour_apart(stage.rng, stage.floor, gap=60)
    x, y = foot
    back_y = y - height * lift
    _net(
        stage,
        ((x - half, y - height), (x + half, y - height), (x + back, back_y), (x - back, back_y)),
        cells,
        net,
    )
    return frame, net, back_y


def draw_hoop(stage: Stage, centre: Point, width: float) -> None:
    """Draw a backboard with its square, a rim and a tapering net, on a pole or hanging."""
    rng = stage.rng
    x, y = centre
    board = colour_apart(rng, stage.wall, gap=80)
    marks = colour_apart(rng, board, gap=100)
    rim = colour_apart(rng, board, gap=90)
    height = width * 0.62
    if rng.random() < 0.6:
        stage.line([(x, y), (x, max(y + height, stage.horizon + 0.12))], any_colour(rng), width * 0.07)
    stage.polygon(
        [
            (x - width / 2, y - height / 2),
            (x + width / 2, y - height / 2),
            (x + width / 2, y + height / 2),
            (x - width / 2, y + height / 2),
        ],
        board,
    )
    for half_w, half_h, y0 in ((width / 2, height / 2, y), (width * 0.17, height * 0.2, y + height * 0.12)):
        box = [
            (x - half_w, y0 - half_h),
            (x + half_w, y0 - half_h),
            (x + half_w, y0 + half_h),
            (x - half_w, y0 + half_h),
            (x - half_w, y0 - half_h),
        ]
        stage.line(box, marks, width * 0.03)
    rim_y, half = y + height * 0.42, width * 0.17
    net = colour_apart(rng, board, gap=80)
    for slant in np.linspace(-1, 1, 5):
        stage.line(
            [(x + slant * half, rim_y), (x + slant * half * 0.5 + half * 0.25, rim_y + half * 1.5)],
            net,
            0.004,
        )
        stage.line(
            [(x + slant * half, rim_y), (x + slant * half * 0.5 - half * 0.25, rim_y + half * 1.5)],
            net,
            0.004,
        )
    s = stage.side
    stage.draw.ellipse(
        [(x - half) * s, (rim_y - half * 0.28) * s, (x + half) * s, (rim_y + half * 0.28) * s],
        outline=rim,
        width=max(2, round(width * 0.035 * s)),
    )


def draw_hockey_goal(stage: Stage, foot: Point, width: float) -> None:
    """Draw a hockey goal: small, with round upper corners, a bar in the middle of the back and a fine net."""
    x, y = foot
    half, height = width / 2, width * 0.68
    back = half * 0.8
    pipe, _, back_y = _goal_back(stage, foot, half, height, back=back, lift=0.14, cells=(11, 8))
    stage.line([(x - half, y), (x - back, back_y), (x + back, back_y), (x + half, y)], pipe, width * 0.025)
    round_px = [x - half, y - height]
    bend = width * 0.13
    left = [(x - half, y), (x - half, y - height + bend)]
    arc_l = [
        (x - half + bend - bend * math.cos(a), y - height + bend - bend * math.sin(a))
        for a in np.linspace(0, math.pi / 2, 6)
    ]
    arc_r = [
        (x + half - bend + bend * math.sin(a), y - height + bend - bend * math.cos(a))
        for a in np.linspace(0, math.pi / 2, 6)
    ]
    stage.line(
        [*left, *arc_l, (round_px[0] + width / 2, y - height), *arc_r, (x + half, y)], pipe, width * 0.05
    )


def draw_soccer_goal(stage: Stage, foot: Point, width: float) -> None:
    """Draw a soccer goal: wide and low, square corners, a coarse net that slopes back."""
    x, y = foot
    half, height = width / 2, width * 0.36
    back = half * 0.93
    post, net, back_y = _goal_back(stage, foot, half, height, back=back, lift=0.25, cells=(16, 7))
    for sign in (-1, 1):
        stage.line(
            [(x + sign * half, y - height), (x + sign * back, back_y), (x + sign * half, y)], net, 0.004
        )
    stage.line(
        [(x - half, y), (x - half, y - height), (x + half, y - height), (x + half, y)], post, width * 0.022
    )


# --- lines on the floor --------------------------------------------------------------------------


def draw_lines(stage: Stage, sport: str) -> None:
    """Draw part of the sport's markings on the floor."""
    rng = stage.rng
    colour = colour_apart(rng, stage.floor, gap=70)
    x, depth = float(rng.uniform(-0.5, 0.5)), float(rng.uniform(0.4, 1.4))
    width = float(rng.uniform(0.006, 0.012))
    if sport == "basketball":  # the key with its circle, and the three-point arc
        half, length = 0.28, 0.8
        key = [(x - half, depth + length), (x - half, depth), (x + half, depth), (x + half, depth + length)]
        stage.line([stage.ground(px, max(0.0, d)) for px, d in key], colour, width)
        stage.line(arc_on_ground(stage, (x, depth), half, 0.0, 1.0), colour, width)
        stage.line(arc_on_ground(stage, (x, depth + length), 1.05, 0.5, 1.0), colour, width)
    elif sport == "hockey":  # a face-off circle with its dot and hash marks, and a broad line
        other = colour_apart(rng, stage.floor, gap=70)
        (_, y0), (_, y1) = stage.ground(0, depth + 0.9), stage.ground(0, depth + 1.15)
        stage.polygon([(0, y0), (1, y0), (1, y1), (0, y1)], other)
        stage.line(arc_on_ground(stage, (x, depth), 0.5, 0.0, 1.0), colour, width)
        stage.polygon(arc_on_ground(stage, (x, depth), 0.09, 0.0, 1.0), colour)
        for sign in (-1, 1):
            for offset in (-0.1, 0.1):
                marks = [(x + offset, depth + sign * 0.5), (x + offset, depth + sign * 0.68)]
                stage.line([stage.ground(px, max(0.0, d)) for px, d in marks], colour, width)
    else:  # two boxes, one in the other, the arc before them and the spot
        for half, length in ((1.0, 1.1), (0.5, 0.45)):
            box = [(x - half, 2.2), (x - half, 2.2 - length), (x + half, 2.2 - length), (x + half, 2.2)]
            stage.line([stage.ground(px, d) for px, d in box], colour, width)
        stage.line([stage.ground(-6, 2.2), stage.ground(6, 2.2)], colour, width)
        stage.line(arc_on_ground(stage, (x, 1.1), 0.35, 0.5, 1.0), colour, width)
        stage.polygon(arc_on_ground(stage, (x, 1.45), 0.05, 0.0, 1.0), colour)


# --- whole pictures ------------------------------------------------------------------------------


def _gear(stage: Stage, sport: str) -> None:
    rng = stage.rng
    x = float(rng.uniform(0.15, 0.85))
    if sport == "basketball":
        draw_hoop(stage, (x, float(rng.uniform(0.12, 0.35))), float(rng.uniform(0.18, 0.4)))
    else:
        foot = (x, stage.horizon + float(rng.uniform(0.02, 0.25)))
        if sport == "hockey":
            draw_hockey_goal(stage, foot, float(rng.uniform(0.2, 0.4)))
        else:
            draw_soccer_goal(stage, foot, float(rng.uniform(0.35, 0.75)))


def _main_thing(stage: Stage, sport: str, hands: list[tuple[Point, Point]]) -> None:
    """Draw the ball, or the puck and the sticks."""
    rng = stage.rng
    if sport == "hockey":
        spot = (float(rng.uniform(0.15, 0.85)), float(rng.uniform(max(0.5, stage.horizon + 0.15), 0.9)))
        sticks = int(rng.integers(1, 3))
        half = math.exp(float(rng.uniform(math.log(0.035), math.log(0.09))))
        for number in range(sticks):
            length = float(rng.uniform(0.35, 0.75))
            angle = float(rng.uniform(0.35, 1.1)) * (1 if (number + int(rng.integers(2))) % 2 else -1)
            heel = (
                spot[0] - math.copysign(half + length * 0.3, -angle) * float(rng.uniform(0.6, 1.1)),
                spot[1] + half * 0.5,
            )
            hand = (
                heel[0] - math.copysign(length * math.sin(abs(angle)), -angle),
                heel[1] - length * math.cos(angle),
            )
            draw_stick(stage, heel, hand, length)
        for left, right in hands[:2]:
            foot = (left[0] + float(rng.normal(0, 0.05)), left[1] + 0.25)
            draw_stick(stage, foot, right, max(0.15, math.dist(foot, right) * 0.8))
        draw_puck(stage, spot, half)
        return
    radius = math.exp(float(rng.uniform(math.log(0.06), math.log(0.19))))
    centre = (float(rng.uniform(radius, 1 - radius)), float(rng.uniform(max(0.2, radius), 1 - radius)))
    if centre[1] > stage.horizon and rng.random() < 0.6:
        shadow(stage, (centre[0], centre[1] + radius * 0.95), radius * 0.9)
    draw_ball(stage, sport, centre, radius)


def render(sport: str, rng: np.random.Generator, size: int = SIZE) -> NDArray[np.uint8]:
    """Return one picture of `sport`: (size, size, 3), uint8.

    Raises
    ------
    ValueError : `sport` is none of `CLASSES`.
    """
    if sport not in CLASSES:
        raise ValueError(f"unknown sport {sport!r}; the bundled pictures are of {', '.join(CLASSES)}")
    stage = empty_stage(size, rng)
    if rng.random() < 0.6:
        draw_lines(stage, sport)
    if rng.random() < 0.6:
        _gear(stage, sport)
    hands = people(stage, int(rng.integers(0, 4)))
    clutter(stage, int(rng.integers(0, 4)))
    _main_thing(stage, sport, hands)
    return photograph(stage)


def picture(sport: str, split: str, number: int, *, seed: int = 0, size: int = SIZE) -> NDArray[np.uint8]:
    """Return picture `number` (from 1) of a sport and a split: always the same for the same seed."""
    rng = np.random.default_rng([seed, SPLITS.index(split), CLASSES.index(sport), number])
    return render(sport, rng, size)


def render_dataset(
    folder: Path,
    *,
    train: int = 200,
    validation: int = 32,
    seed: int = 0,
    size: int = SIZE,
    progress: Callable[..., Iterable[tuple[str, str, int]]] = tqdm,
) -> Path:
    """Write `folder/{train,validation}/{class}/img_NNNN.jpg`; return `folder`.

    Pictures are written one by one, each whole or not at all, and a file that is there is never
    replaced: a second run writes what is missing after a first one that was cut short or smaller.

    Parameters
    ----------
    train, validation : pictures per class. seed : of all pictures. size : side in pixels.

    Raises
    ------
    ValueError : a count is negative, both are zero, `size` is under 32, or `folder` holds pictures that
        were not rendered, or from another seed or size (see `claim`).
    """
    if train < 0 or validation < 0 or train + validation == 0:
        raise ValueError(f"train={train}, validation={validation}: give counts of at least 0, not both 0")
    if size < 32:
        raise ValueError(f"size={size}: pictures need at least 32 pixels a side to show anything")
    jobs = [
        (split, sport, number)
        for split, count in zip(SPLITS, (train, validation), strict=True)
        for sport in CLASSES
        for number in range(1, count + 1)
    ]
    claim(folder, SPLITS, seed=seed, size=size)
    for split, sport, number in progress(jobs, desc="rendering", unit="picture"):
        file = folder / split / sport / f"img_{number:04d}.jpg"
        if not os.path.lexists(file):
            pixels = picture(sport, split, number, seed=seed, size=size)
            write_atomic(file, jpeg(pixels, JPEG_QUALITY))
    return folder
