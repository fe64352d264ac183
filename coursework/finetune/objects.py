"""The things that the bundled weights were trained on: outlines times surfaces, by formula.

None of them is a ball, a puck, a stick or a goal. A picture shows one to three of them on a stage of
`scenes`, in colours that say nothing about what they are; its labels are which outline and which
surface stands where. (Formula-driven supervised learning: Kataoka et al., "Pre-training without
Natural Images", ACCV 2020.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coursework.finetune.scenes import (
    OVERSAMPLE,
    Array,
    Point,
    Regions,
    Stage,
    arc_on_ground,
    clutter,
    colour_apart,
    empty_stage,
    people,
    photograph,
    shadow,
    stamp,
)

Mask = NDArray[np.bool_]


def _box(u: Array, v: Array, half_u: float, half_v: float, u0: float = 0.0, v0: float = 0.0) -> Mask:
    inside: Mask = (np.abs(u - u0) < half_u) & (np.abs(v - v0) < half_v)
    return inside


def _radius(u: Array, v: Array) -> Array:
    return np.hypot(u, v)


#: Which points (u, v) of [-1, 1]^2 belong to an object of that name.
OUTLINES: dict[str, Callable[[Array, Array], Mask]] = {
    "disc": lambda u, v: _radius(u, v) < 0.98,
    "lens": lambda u, v: u**2 + (v / 0.42) ** 2 < 0.98,
    "square": lambda u, v: _box(u, v, 0.7, 0.7),
    "triangle": lambda u, v: (v < 0.6) & (v > 1.85 * np.abs(u) - 0.95),
    "ell": lambda u, v: _box(u, v, 0.7, 0.7) & ((u < -0.25) | (v > 0.25)),
    "tee": lambda u, v: _box(u, v, 0.8, 0.2, 0, -0.55) | _box(u, v, 0.22, 0.7, 0, 0.1),
    "cross": lambda u, v: _box(u, v, 0.26, 0.9) | _box(u, v, 0.9, 0.26),
    "ring": lambda u, v: (_radius(u, v) < 0.98) & (_radius(u, v) > 0.55),
    "star": lambda u, v: _radius(u, v) < 0.64 + 0.33 * np.cos(5 * np.arctan2(u, -v)),
    "crescent": lambda u, v: (_radius(u, v) < 0.98) & (_radius(u - 0.45, v) > 0.75),
    "bar": lambda u, v: _box(u, v, 0.96, 0.17),
    "hexagon": lambda u, v: np.maximum(np.abs(u), np.abs(u) / 2 + 0.866 * np.abs(v)) < 0.85,
    "frame": lambda u, v: _box(u, v, 0.72, 0.72) & ~_box(u, v, 0.5, 0.5),
    "arch": lambda u, v: _box(u, v, 0.9, 0.95) & ~_box(u, v, 0.62, 0.8, 0, 0.35),
    "hook": lambda u, v: (
        _box(u, v, 0.15, 0.65, 0.4, -0.25) | ((np.abs(_radius(u, v - 0.4) - 0.4) < 0.15) & (v > 0.4))
    ),
    "dumbbell": lambda u, v: (_radius(np.abs(u) - 0.6, v) < 0.38) | _box(u, v, 0.6, 0.13),
}


def _part(x: Array) -> Array:
    """Return the fractional part, in [0, 1)."""
    return x - np.floor(x)


def _odd(x: Array) -> Mask:
    odd: Mask = np.floor(x).astype(np.intp) % 2 == 1
    return odd


#: Which of three colours a point has, given the point, a count of repeats and a phase in [0, 1).
SURFACES: dict[str, Callable[[Array, Array, float, float], NDArray[np.bool_] | Regions]] = {
    "plain": lambda u, v, k, p: np.zeros(u.shape, np.intp),
    "stripes": lambda u, v, k, p: _odd(u * k + p),
    "dots": lambda u, v, k, p: (
        (_part(u * k / 1.4 + p) - 0.5) ** 2 + (_part(v * k / 1.4 + p) - 0.5) ** 2 < 0.1
    ),
    "checks": lambda u, v, k, p: _odd(u * k * 0.8 + p) ^ _odd(v * k * 0.8 + p),
    "rays": lambda u, v, k, p: _odd((np.arctan2(v, u) / (2 * math.pi) + p) * 2 * round(k)),
    "plus": lambda u, v, k, p: (np.abs(u) < 0.11) | (np.abs(v) < 0.11),
    "rings": lambda u, v, k, p: _odd(_radius(u, v) * k * 1.2 + p),
    "waves": lambda u, v, k, p: _part(v * k * 0.8 + p + 0.22 * np.sin(2 * math.pi * u)) < 0.3,
    "honeycomb": lambda u, v, k, p: _honeycomb(u * k * 0.8 + p, v * k * 0.8 + p) < 0.1,
    "blobs": lambda u, v, k, p: (
        np.cos(k * 1.5 * u + 7 * p)
        + np.cos(k * 1.5 * (0.5 * u + 0.87 * v) - 3 * p)
        + np.cos(k * 1.5 * (0.5 * u - 0.87 * v) + 5 * p)
        > 0.9
    ),
    "spiral": lambda u, v, k, p: _odd(_radius(u, v) * k * 0.8 + 2 * (np.arctan2(v, u) / (2 * math.pi) + p)),
    "halves": lambda u, v, k, p: u > (p - 0.5) * 0.6,
    "net": lambda u, v, k, p: (_part(u * k + p) < 0.2) | (_part(v * k + p) < 0.2),
    "bands": lambda u, v, k, p: (v > -0.25).astype(np.intp) + (v > 0.25),
    "meridians": lambda u, v, k, p: (
        _part(np.arcsin(np.clip(u / np.sqrt(np.maximum(1.02 - v * v, 0.05)), -1, 1)) / math.pi * k + p) < 0.2
    ),
    "target": lambda u, v, k, p: _radius(u - (p - 0.5) * 0.5, v) < 0.45,
}


def _honeycomb(x: Array, y: Array) -> Array:
    """Return the distance to the nearest edge of a hexagonal tiling, in tiles."""
    root3 = math.sqrt(3)
    ax, ay = x - np.round(x), y - root3 * np.round(y / root3)
    bx, by = x - 0.5 - np.round(x - 0.5), y - root3 / 2 - root3 * np.round((y - root3 / 2) / root3)
    nearer = (ax**2 + ay**2) < (bx**2 + by**2)
    qx, qy = np.where(nearer, ax, bx), np.where(nearer, ay, by)
    edge: Array = 0.5 - np.maximum(np.abs(qx), np.abs(qx) / 2 + root3 / 2 * np.abs(qy))
    return edge


#: The largest radius of an object, as a share of the picture's side.
_LARGEST_SHARE = 0.38


@dataclass(frozen=True)
class Labelled:
    """One training picture.

    Attributes
    ----------
    pixels : (size, size, 3), uint8.
    owner : (size, size), uint8: 0 for the stage, else 1 + the number of the object seen there.
    outlines, surfaces : for each object, its number in `OUTLINES` and in `SURFACES`.
    """

    pixels: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    outlines: tuple[int, ...]
    surfaces: tuple[int, ...]


def picture_of_objects(
    size: int,
    rng: np.random.Generator,
    difficulty: float = 1.0,
    *,
    smallest_px: float = 8,
    largest_px: float = 36,
) -> Labelled:
    """Return a picture of `size` pixels with one to three objects of radius `smallest_px` to `largest_px`.

    The stage is drawn up to 1.6 times as large and cut, so that people and lines come as large as in
    a bigger picture. At a `difficulty` of 0 there is nothing but large objects on an empty stage; from
    there crowds, people, clutter and small objects come in step by step.

    Raises
    ------
    ValueError : the objects wanted do not fit; at the defaults 22 pixels of radius at a `difficulty` of 0,
        for which the picture needs 58, and 8 at 1, for which it needs 22.
    """
    smallest_px += (1 - difficulty) * 0.5 * (largest_px - smallest_px)
    largest_px = min(largest_px, size * _LARGEST_SHARE)
    if smallest_px > largest_px:
        raise ValueError(
            f"size={size}: objects of radius {smallest_px:g} (difficulty={difficulty:g}) do not fit; "
            f"give at least {math.ceil(smallest_px / _LARGEST_SHARE)} pixels, or smaller objects"
        )
    whole = round(size * float(rng.uniform(1.0, 1.6)))
    stage = empty_stage(whole, rng, crowd=0.6 * difficulty)
    if rng.random() < difficulty:
        _floor_lines(stage)
        people(stage, int(rng.integers(0, 3)))
        clutter(stage, int(rng.integers(0, 5)))
    left, top = (int(v) for v in rng.integers(0, whole - size + 1, 2))
    owner = Image.new("L", stage.image.size, 0)
    outlines: list[int] = []
    surfaces: list[int] = []
    placed: list[tuple[float, float, float]] = []
    wanted = int(rng.integers(1, 4))
    for _ in range(4 * wanted):
        if len(placed) == wanted:
            break
        r_px = math.exp(float(rng.uniform(math.log(smallest_px), math.log(largest_px))))
        x, y = (float(v) for v in rng.uniform(0.55 * r_px, size - 0.55 * r_px, 2))
        if any(math.hypot(x - a, y - b) < 0.9 * (r_px + c) for a, b, c in placed):
            continue
        placed.append((x, y, r_px))
        outline, surface = int(rng.integers(len(OUTLINES))), int(rng.integers(len(SURFACES)))
        mask, corner = _draw_object(
            stage, ((left + x) / whole, (top + y) / whole), r_px / whole, outline, surface
        )
        owner.paste(len(placed), corner, mask)
        outlines.append(outline)
        surfaces.append(surface)
    pixels = photograph(stage)[top : top + size, left : left + size]
    seen = np.asarray(owner)[OVERSAMPLE // 2 :: OVERSAMPLE, OVERSAMPLE // 2 :: OVERSAMPLE]
    return Labelled(
        np.ascontiguousarray(pixels),
        np.ascontiguousarray(seen[top : top + size, left : left + size]),
        tuple(outlines),
        tuple(surfaces),
    )


def _draw_object(
    stage: Stage, centre: Point, radius: float, outline: int, surface: int
) -> tuple[Image.Image, tuple[int, int]]:
    """Draw one object; return its mask and the mask's corner on the canvas."""
    rng = stage.rng
    inside = list(OUTLINES.values())[outline]
    regions = list(SURFACES.values())[surface]
    ground = stage.floor if centre[1] > stage.horizon else stage.wall
    base = colour_apart(rng, ground, gap=80)
    second = colour_apart(rng, base, gap=100)
    palette = [base, second, colour_apart(rng, base, second, gap=80)]
    # the smaller the object, the fewer repeats, so that the surface can be made out at all
    repeats = float(rng.uniform(1.5, 1.8 + min(3.2, radius * stage.size / 9)))
    phase, twist = float(rng.random()), float(rng.uniform(0, 2 * math.pi))
    # a bent disc would be a ball, and there shall be none
    bent = rng.random() < 0.5 and outline != list(OUTLINES).index("disc")

    def surface_at(u: Array, v: Array) -> Regions:
        c, s = np.float32(math.cos(twist)), np.float32(math.sin(twist))
        if bent:  # as if wrapped round a ball: finer towards the rim
            r = np.minimum(np.hypot(u, v), 1.0)
            stretch = np.arcsin(r) / np.maximum(r, 1e-3)
            u, v = u * stretch, v * stretch
        return np.asarray(regions(c * u + s * v, -s * u + c * v, repeats, phase)).astype(np.intp)

    if rng.random() < 0.4:
        shadow(stage, (centre[0], centre[1] + radius * 0.9), radius * 0.8)
    mask = stamp(
        stage,
        centre,
        radius,
        inside,
        surface_at,
        palette,
        turn=float(rng.uniform(-0.5, 0.5)),
        squash=float(rng.uniform(0.7, 1.0)),
        bulge=float(rng.uniform(0.3, 1.0)) if bent else 0.0,
    )
    assert mask is not None  # centres lie on the stage
    r_px = max(3, round(radius * stage.side))
    return mask, (round(centre[0] * stage.side) - r_px, round(centre[1] * stage.side) - r_px)


def _floor_lines(stage: Stage) -> None:
    """Draw a few lines and arcs on the floor that belong to no game."""
    rng = stage.rng
    colour = colour_apart(rng, stage.floor, gap=60)
    for _ in range(int(rng.integers(0, 4))):
        width = float(rng.uniform(0.004, 0.015))
        if rng.random() < 0.5:
            points = [stage.ground(*(float(v) for v in rng.uniform((-1.5, 0), (1.5, 3)))) for _ in range(2)]
        else:
            centre = (float(rng.uniform(-1, 1)), float(rng.uniform(0.2, 2)))
            points = arc_on_ground(
                stage, centre, float(rng.uniform(0.2, 0.9)), 0.0, float(rng.uniform(0.2, 1))
            )
        stage.line(points, colour, width)
