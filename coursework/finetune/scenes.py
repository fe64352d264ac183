"""A stage drawn by formula: floor, wall, crowd, lines, people, clutter, and the camera that sees it.

Everything here is the same for every class of the bundled pictures and for the objects that the
bundled weights were trained on, so nothing here says which sport, or which object, is shown. Colours
are drawn independently of everything else. Lengths are fractions of the picture's side unless a name
ends in `_px`; the picture is drawn at twice its size and halved at the end, which smooths the edges.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]
Array = NDArray[np.floating[Any]]

OVERSAMPLE = 2


def any_colour(rng: np.random.Generator) -> Colour:
    """Return a random colour: two in three any colour at all, else a grey from black to white."""
    if rng.random() < 0.67:
        r, g, b = (int(value) for value in rng.integers(0, 256, 3))
        return r, g, b
    grey = int(rng.integers(10, 250))
    r, g, b = (int(value) for value in np.clip(grey + rng.integers(-12, 13, 3), 0, 255))
    return r, g, b


def colour_apart(rng: np.random.Generator, *others: Colour, gap: float = 110.0) -> Colour:
    """Return a random colour at a Euclidean RGB distance of at least `gap` from all `others`.

    Where none of forty draws is that far off, the farthest of them is returned.
    """
    best, best_distance = any_colour(rng), -1.0
    for _ in range(40):
        candidate = any_colour(rng)
        distance = min(math.dist(candidate, other) for other in others)
        if distance >= gap:
            return candidate
        if distance > best_distance:
            best, best_distance = candidate, distance
    return best


def shaded(colour: Colour, factor: float) -> Colour:
    """Return `colour` with each channel multiplied by `factor` and clipped to 0..255."""
    r, g, b = (int(min(255, max(0, channel * factor))) for channel in colour)
    return r, g, b


@dataclass
class Stage:
    """A picture being drawn.

    Attributes
    ----------
    size : side of the finished picture in pixels.
    rng : the only source of chance.
    image, draw : the oversampled canvas, `OVERSAMPLE * size` pixels square.
    horizon : height of the line between wall and floor, as a fraction from the top.
    floor, wall : their base colours.
    """

    size: int
    rng: np.random.Generator
    image: Image.Image
    draw: ImageDraw.ImageDraw
    horizon: float
    floor: Colour
    wall: Colour

    @property
    def side(self) -> int:
        """Side of the canvas in canvas pixels."""
        return self.size * OVERSAMPLE

    def at(self, points: Sequence[Point]) -> list[Point]:
        """Return points given as fractions of the side in canvas pixels."""
        return [(x * self.side, y * self.side) for x, y in points]

    def ground(self, x: float, depth: float) -> Point:
        """Return where a point of the floor is seen, as fractions of the side.

        `x` is measured from the middle in picture widths at the near edge, `depth` from 0 (near
        edge) upwards; the perspective divides both by 1 + depth.
        """
        near = 1.05
        return 0.5 + x / (1.0 + depth), self.horizon + (near - self.horizon) / (1.0 + depth)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draw a polyline with rounded joints; `width` is a fraction of the side."""
        self.draw.line(self.at(points), fill=colour, width=max(1, round(width * self.side)), joint="curve")

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self.draw.polygon(self.at(points), fill=colour)

    def ellipse(self, centre: Point, rx: float, ry: float, colour: Colour) -> None:
        """Fill an axis-parallel ellipse."""
        (x, y), s = centre, self.side
        self.draw.ellipse([(x - rx) * s, (y - ry) * s, (x + rx) * s, (y + ry) * s], fill=colour)


def empty_stage(size: int, rng: np.random.Generator, crowd: float = 0.6) -> Stage:
    """Return a stage with floor and wall in colours of their own; `crowd`: probability of a crowd."""
    floor = any_colour(rng)
    wall = colour_apart(rng, floor, gap=50)
    horizon = float(rng.uniform(0.08, 0.5))
    side = size * OVERSAMPLE
    image = Image.new("RGB", (side, side), floor)
    stage = Stage(size, rng, image, ImageDraw.Draw(image), horizon, floor, wall)
    _texture_floor(stage)
    stage.polygon([(0, 0), (1, 0), (1, horizon), (0, horizon)], wall)
    if rng.random() < crowd:
        _crowd(stage)
    if rng.random() < 0.6:  # boards, or a band of advertisements, at the foot of the wall
        top = horizon - float(rng.uniform(0.02, 0.08))
        edges = [0.0, *sorted(float(x) for x in rng.uniform(0, 1, int(rng.integers(0, 5)))), 1.0]
        for left, right in pairwise(edges):
            stage.polygon([(left, top), (right, top), (right, horizon), (left, horizon)], any_colour(rng))
    return stage


def _texture_floor(stage: Stage) -> None:
    """Draw planks, mown stripes, tiles or nothing: chosen without regard to what will stand there."""
    rng, floor = stage.rng, stage.floor
    other = shaded(floor, float(rng.uniform(0.82, 1.2)))
    kind = int(rng.integers(0, 4))
    if kind == 0:  # bands across the view
        edges = np.cumsum(rng.uniform(0.1, 0.5, 30))
        for near, far in zip(edges[::2], edges[1::2], strict=False):
            (_, y0), (_, y1) = stage.ground(0, near), stage.ground(0, far)
            stage.polygon([(0, y0), (1, y0), (1, y1), (0, y1)], other)
    elif kind == 1:  # bands that run away from the viewer
        step = float(rng.uniform(0.08, 0.4))
        for x in np.arange(-8, 8, 2 * step):
            corners = [(x, 0.0), (x + step, 0.0), (x + step, 20.0), (x, 20.0)]
            stage.polygon([stage.ground(*corner) for corner in corners], other)
    elif kind == 2:  # joints between planks or tiles
        for x in np.arange(-6, 6, float(rng.uniform(0.1, 0.3))):
            stage.line([stage.ground(x, 0.0), stage.ground(x, 20.0)], other, 0.003)


def _crowd(stage: Stage) -> None:
    """Fill part of the wall with rows of heads over shoulders."""
    rng = stage.rng
    bottom = stage.horizon * float(rng.uniform(0.6, 1.0))
    head = float(rng.uniform(0.008, 0.02))
    clothes = [any_colour(rng) for _ in range(24)]
    for y in np.arange(0.0, bottom, head * 3.2):
        seats = np.arange(float(rng.uniform(-head, head)), 1.0, head * 2.8)
        taken = rng.random(len(seats)) < 0.8
        worn = rng.integers(0, len(clothes), (len(seats), 2))
        for x, here, (first, second) in zip(seats.tolist(), taken, worn, strict=True):
            if here:
                shirt, skin = clothes[first], clothes[second]
                stage.ellipse((x, y + head * 1.8), head * 1.3, head * 1.2, shirt)
                stage.ellipse((x, y), head * 0.8, head, skin)


def arc_on_ground(stage: Stage, centre: Point, radius: float, start: float, stop: float) -> list[Point]:
    """Return an arc of a circle on the floor, as seen: angles in turns, 0 to the right."""
    angles = np.linspace(start, stop, 28) * 2 * math.pi
    return [
        stage.ground(centre[0] + radius * math.cos(a), max(0.0, centre[1] + radius * math.sin(a)))
        for a in angles
    ]


def _between(start: Point, end: Point, share: float) -> Point:
    """Return the point at `share` of the way from start to end."""
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def person(stage: Stage, foot: Point, height: float) -> tuple[Point, Point]:
    """Draw a person of `height` who stands or runs at `foot`; return the two hands' positions."""
    rng = stage.rng
    shirt = colour_apart(rng, stage.floor, stage.wall, gap=60)
    trousers, skin = any_colour(rng), any_colour(rng)
    lean = float(rng.normal(0, 0.12))
    x, y = foot
    hip = (x + lean * height * 0.4, y - 0.47 * height)
    neck = (hip[0] + lean * height * 0.5, y - 0.82 * height)
    head = (neck[0] + lean * height * 0.1, y - 0.92 * height)
    limb = 0.065 * height
    for sign in (-1, 1):
        swing = float(rng.uniform(0.02, 0.22)) * sign * height
        knee = (hip[0] + swing * 0.8, y - 0.25 * height)
        sole = (
            hip[0] + swing * float(rng.uniform(0.5, 1.4)),
            y - max(0.0, float(rng.normal(0, 0.05))) * height,
        )
        stage.line([hip, knee], trousers, limb * 1.2)
        stage.line([knee, sole], skin if rng.random() < 0.5 else trousers, limb)
    wide, slim = 0.12 * height, 0.09 * height
    torso = [
        (neck[0] - wide, neck[1]),
        (neck[0] + wide, neck[1]),
        (hip[0] + slim, hip[1]),
        (hip[0] - slim, hip[1]),
    ]
    stage.polygon(torso, shirt)
    if rng.random() < 0.4:  # a stripe or a number's patch on the shirt
        a, b = sorted(float(v) for v in rng.uniform(0, 1, 2))
        patch = [_between(torso[0], torso[3], a), _between(torso[1], torso[2], a)]
        patch += [_between(torso[1], torso[2], b), _between(torso[0], torso[3], b)]
        stage.polygon(patch, any_colour(rng))
    hands = []
    for sign in (-1, 1):
        shoulder = (neck[0] + sign * wide, neck[1] + limb / 2)
        angle = float(rng.uniform(-0.6, 2.4))
        elbow = (
            shoulder[0] + sign * 0.16 * height * math.sin(angle),
            shoulder[1] + 0.16 * height * math.cos(angle),
        )
        angle += float(rng.uniform(-0.8, 0.8))
        hand = (elbow[0] + sign * 0.16 * height * math.sin(angle), elbow[1] + 0.16 * height * math.cos(angle))
        stage.line([shoulder, elbow], shirt, limb * 0.9)
        stage.line([elbow, hand], skin, limb * 0.75)
        hands.append(hand)
    stage.ellipse(head, 0.055 * height, 0.07 * height, skin)
    if rng.random() < 0.7:  # hair, a cap or a helmet
        box = [c * stage.side for c in (head[0] - 0.06 * height, head[1] - 0.08 * height)]
        box += [c * stage.side for c in (head[0] + 0.06 * height, head[1] + 0.06 * height)]
        stage.draw.pieslice(box, 180, 360, fill=any_colour(rng))
    return hands[0], hands[1]


def people(stage: Stage, count: int) -> list[tuple[Point, Point]]:
    """Draw `count` people, far ones first; return the hands of each."""
    depths = sorted((float(d) for d in stage.rng.uniform(0.15, 3.0, count)), reverse=True)
    hands = []
    for depth in depths:
        foot = stage.ground(float(stage.rng.uniform(-0.45, 0.45)) * (1 + depth), depth)
        hands.append(person(stage, foot, float(stage.rng.uniform(0.6, 0.85)) / (1 + depth)))
    return hands


def clutter(stage: Stage, count: int) -> None:
    """Draw `count` things that mean nothing: boxes, cones, poles, boards, bottles."""
    rng = stage.rng
    for _ in range(count):
        x, y = (float(v) for v in rng.uniform(0, 1, 2))
        w, h = (float(v) for v in rng.uniform(0.02, 0.14, 2))
        fill, other = any_colour(rng), any_colour(rng)
        kind = int(rng.integers(0, 5))
        if kind == 0:
            stage.polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], fill)
            stage.polygon([(x, y), (x + w, y), (x + w, y + h * 0.3), (x, y + h * 0.3)], other)
        elif kind == 1:
            stage.polygon([(x - w / 3, y + h), (x + w / 3, y + h), (x, y)], fill)
        elif kind == 2:
            stage.line([(x, y), (x + float(rng.normal(0, 0.02)), y + 3 * h)], fill, 0.012)
        elif kind == 3:
            stage.polygon([(x, y), (x + 2 * w, y), (x + 2 * w, y + h), (x, y + h)], fill)
            for step in (0.25, 0.5, 0.75):
                stage.line([(x + 0.1 * w, y + h * step), (x + 1.9 * w, y + h * step)], other, 0.006)
        else:
            stage.polygon([(x, y), (x + w / 3, y), (x + w / 3, y + h), (x, y + h)], fill)
            stage.polygon(
                [(x + w / 9, y - h / 3), (x + 2 * w / 9, y - h / 3), (x + 2 * w / 9, y), (x + w / 9, y)],
                other,
            )


Regions = NDArray[np.intp]


def stamp(
    stage: Stage,
    centre: Point,
    radius: float,
    inside: Callable[[Array, Array], NDArray[np.bool_]],
    regions: Callable[[Array, Array], Regions],
    palette: Sequence[Colour],
    *,
    turn: float = 0.0,
    squash: float = 1.0,
    bulge: float = 0.0,
) -> Image.Image | None:
    """Draw an object given by two formulas over u, v in [-1, 1] and return its mask, or None if off stage.

    Parameters
    ----------
    centre, radius : where, as fractions of the side.
    inside : which points (u, v) belong to the object.
    regions : number of the palette's colour at each point.
    turn : rotation in turns. squash : height over width before the rotation.
    bulge : strength of the shading from one side, 0 (flat) to 1.
    """
    r_px = max(3, round(radius * stage.side))
    x_px, y_px = round(centre[0] * stage.side), round(centre[1] * stage.side)
    if not (-r_px < x_px < stage.side + r_px and -r_px < y_px < stage.side + r_px):
        return None
    line = (np.arange(-r_px, r_px + 1, dtype=np.float32)) / np.float32(r_px)
    u0, v0 = np.meshgrid(line, line)
    c, s = math.cos(turn * 2 * math.pi), math.sin(turn * 2 * math.pi)
    u, v = c * u0 + s * v0, (-s * u0 + c * v0) / np.float32(squash)
    mask = Image.fromarray(inside(u, v).astype(np.uint8) * 255)
    colours = np.asarray(palette, np.float32)[regions(u, v)]
    if bulge:
        light = float(stage.rng.uniform(0, 2 * math.pi))
        shade = 1.0 + bulge * 0.55 * (u0 * math.cos(light) + v0 * math.sin(light))
        colours = colours * shade[..., None].astype(np.float32)
    patch = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
    stage.image.paste(patch, (x_px - r_px, y_px - r_px), mask)
    return mask


def disc(u: Array, v: Array) -> NDArray[np.bool_]:
    """Return which points lie in the unit disc."""
    inside: NDArray[np.bool_] = u * u + v * v <= 1.0
    return inside


def shadow(stage: Stage, foot: Point, rx: float) -> None:
    """Darken the floor under an object."""
    stage.ellipse(foot, rx, rx * 0.3, shaded(stage.floor, 0.6))


def photograph(stage: Stage) -> NDArray[np.uint8]:
    """Return what the camera sees: light, colour cast, gamma, blur and noise; (size, size, 3), uint8."""
    rng, size = stage.rng, stage.size
    image = stage.image.reduce(OVERSAMPLE)
    blur = float(rng.uniform(0.0, 1.1)) * size / 299 * (rng.random() < 0.6)
    if blur > 0.2:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    pixels = np.asarray(image, np.float32) / np.float32(255)
    line = np.linspace(-1, 1, size, dtype=np.float32)
    tilt_x, tilt_y = (np.float32(v) for v in rng.normal(0, 0.14, 2))
    light = 1 + tilt_x * line[None, :] + tilt_y * line[:, None]
    cast = rng.uniform(0.85, 1.1, 3).astype(np.float32)
    contrast, lift = np.float32(rng.uniform(0.7, 1.05)), np.float32(rng.uniform(-0.06, 0.1))
    pixels = pixels * light[..., None] * cast
    pixels = (pixels - np.float32(0.5)) * contrast + np.float32(0.5) + lift
    noise = np.float32(rng.uniform(0.0, 0.03))
    pixels += rng.standard_normal(pixels.shape, dtype=np.float32) * noise
    seen: NDArray[np.uint8] = np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8)
    return seen


def jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """Return a picture as JPEG bytes with 4:2:0 chroma and optimized tables."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
