"""From a scene to pixels, at any phase of its loop, or on the way from one scene to another."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sketch_training.drawing import layout
from sketch_training.drawing.ground import GROUNDS, Plot
from sketch_training.drawing.materials import NUMBERS, colours
from sketch_training.drawing.pen import Pen
from sketch_training.drawing.sky import bands, draw_sky
from sketch_training.drawing.sprites import SPRITES
from sketch_training.drawing.weather import mist, rain, snowfall
from sketch_training.labels import CELL, SIZES, SUBJECTS, Scene, Subject

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

LEAST_COVERED = 15
"""Pixels of a cell, of 64, that a subject must cover to count as its subject."""
_LUMINOUS = ("glow", "puff")
"""Light and smoke have no outline."""


@dataclass(frozen=True)
class Frame:
    """A drawn picture. `rgb` height × width × 3; `cells` one number per cell, 0 or 1 + index of its subject;
    `covered` the pixels that belong to any subject, outline included."""

    rgb: Bytes
    cells: Bytes
    covered: Mask


def draw(scene: Scene, phase: float = 0.0) -> Frame:
    """The scene at a phase of its closed loop; phases 0 and 1 are the same picture."""
    return draw_between(scene, scene, 0.0, phase)


def draw_passage(first: Scene, last: Scene, share: float) -> Frame:
    """The picture `share` (0 to 1) of the way between two stills, one loop of motion long.

    Two moments of one story (same backdrop, same subjects) pass into each other; to another one it is wiped from
    the left.
    """
    if _story(first) == _story(last):
        return draw_between(first, last, share, share)
    before, after = draw(first, share), draw(last, share)
    new = np.arange(first.width) < share * first.width
    covered = np.where(new, after.covered, before.covered)
    cells = np.where(new[CELL // 2 :: CELL], after.cells, before.cells)
    return Frame(np.where(new[:, None], after.rgb, before.rgb), cells, covered)


def _story(scene: Scene) -> tuple[str, ...]:
    return scene.backdrop, *((one.name + one.colour + one.size) for one in scene.subjects)


def draw_between(first: Scene, last: Scene, share: float, phase: float) -> Frame:
    """The picture `share` (0 to 1) of the way from one scene to another at a phase of their loop.

    The two may differ in positions of subjects, time of day and mood: subjects travel, light changes by degrees.
    """
    scene = first if share < 0.5 else last
    phase %= 1.0
    rng = random.Random(scene.seed)
    horizon = layout.horizon(scene.height)
    image = bands(scene.width, scene.height, horizon)
    canvas = ImageDraw.Draw(image)
    light_x = draw_sky(canvas, scene, phase, horizon, rng)
    GROUNDS[scene.backdrop](Plot(canvas, scene, phase, horizon, light_x, rng))
    picture: Bytes = np.array(image)
    owners = np.zeros(picture.shape, np.uint8)
    for one, foot in _far_to_near(first, last, share):
        _stamp(picture, owners, one, foot, phase, lit=scene.time == "night")
    picture = _weather(picture, scene, horizon, phase, rng)
    before = colours(first.time, first.weather, first.mood, first.backdrop == "space").astype(np.float32)
    after = colours(last.time, last.weather, last.mood, last.backdrop == "space").astype(np.float32)
    table = np.round(before * (1 - share) + after * share).astype(np.uint8)
    return Frame(table[picture], _cells(owners), owners > 0)


def _far_to_near(first: Scene, last: Scene, share: float) -> list[tuple[Subject, tuple[int, int]]]:
    feet = []
    for start, end in zip(first.subjects, last.subjects, strict=True):
        (x0, y0), (x1, y1) = _foot(start, first), _foot(end, last)
        feet.append((start, (round(x0 + (x1 - x0) * share), round(y0 + (y1 - y0) * share))))
    return sorted(feet, key=lambda pair: -SIZES.index(pair[0].size))


def _foot(subject: Subject, scene: Scene) -> tuple[int, int]:
    x = layout.column(subject, scene.width, paired=len(scene.subjects) > 1)
    return x, layout.row(subject, scene.backdrop, scene.height)


def _stamp(picture: Bytes, owners: Bytes, subject: Subject, foot: tuple[int, int], phase: float, *, lit: bool) -> None:
    """Paints one subject with a dark outline, so that it stands out from any backdrop."""
    height, width = picture.shape
    layer = Image.new("L", (width, height), 0)
    right, up = layout.displacement(subject.name, phase)
    pen = Pen(ImageDraw.Draw(layer), foot[0] + right, foot[1] - up, layout.PIXELS[subject.size])
    SPRITES[subject.name](pen, subject.colour, phase, lit)
    painted = np.asarray(layer)
    shape = painted > 0
    solid = shape & ~np.isin(painted, [NUMBERS[name] for name in _LUMINOUS])
    outlined = shape.copy()
    outlined[1:] |= solid[:-1]
    outlined[:-1] |= solid[1:]
    outlined[:, 1:] |= solid[:, :-1]
    outlined[:, :-1] |= solid[:, 1:]
    picture[outlined & ~shape] = NUMBERS["ink"]
    picture[shape] = painted[shape]
    owners[outlined] = SUBJECTS.index(subject.name) + 1


def _weather(picture: Bytes, scene: Scene, horizon: int, phase: float, rng: random.Random) -> Bytes:
    image = Image.fromarray(picture)
    canvas = ImageDraw.Draw(image)
    if scene.weather == "storm":
        rain(canvas, scene.width, scene.height, phase, rng)
    elif scene.weather == "snowfall":
        snowfall(canvas, scene.width, scene.height, phase, rng)
    result: Bytes = np.array(image)
    if scene.weather == "fog":
        mist(result, horizon, phase, rng)
    return result


def _cells(owners: Bytes) -> Bytes:
    rows, columns = owners.shape[0] // CELL, owners.shape[1] // CELL
    blocks = owners.reshape(rows, CELL, columns, CELL).transpose(0, 2, 1, 3).reshape(rows * columns, CELL * CELL)
    result = np.zeros(rows * columns, np.uint8)
    for cell in np.flatnonzero((blocks > 0).sum(1) >= LEAST_COVERED):
        result[cell] = np.bincount(blocks[cell][blocks[cell] > 0]).argmax()
    return result.reshape(rows, columns)
