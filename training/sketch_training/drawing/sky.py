"""What is above the horizon: bands of colour, stars, sun and moon, clouds."""

from __future__ import annotations

import math
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sketch_training.drawing.materials import NUMBERS, SKY_BANDS
from sketch_training.drawing.pen import wave
from sketch_training.labels import CELL, Scene

_BAND_ENDS = (0.22, 0.44, 0.64, 0.82)
_CLOUDS = {"cloudy": 3, "storm": 4, "snowfall": 3, "fog": 1}


def bands(width: int, height: int, horizon: int) -> Image.Image:
    """An upright gradient in steps, with a dithered row between them."""
    rows: NDArray[np.uint8] = np.full((height, width), NUMBERS["sky 0"], np.uint8)
    for band, end in enumerate(_BAND_ENDS, start=1):
        top = int(end * horizon)
        rows[top:] = NUMBERS[f"sky {min(band, SKY_BANDS - 1)}"]
        rows[top, ::2] = NUMBERS[f"sky {band - 1}"]
    return Image.fromarray(rows)


def draw_sky(canvas: ImageDraw.ImageDraw, scene: Scene, phase: float, horizon: int, rng: random.Random) -> int:
    """Stars, sun, moon, planet, clouds and lightning; answers the x of sun or moon."""
    in_space = scene.backdrop == "space"
    if in_space or (scene.time == "night" and scene.weather in ("clear", "cloudy")):
        _stars(canvas, scene.width, horizon, phase, 20 if in_space else 12, rng)
    light_x = rng.choice((12, 20, scene.width - 20, scene.width - 12))
    if in_space:
        _planet(canvas, light_x, 12)
    if scene.light:
        _sun_or_moon(canvas, scene.time, light_x, phase, horizon)
    clouds = 0 if in_space else _CLOUDS.get(scene.weather, rng.choice((0, 1)))
    for _ in range(clouds):
        x, y = CELL * rng.randrange(scene.width // CELL), rng.choice((6, 10, 14))
        size = rng.choice((8, 10)) + (3 if scene.weather == "storm" else 0)
        _cloud(canvas, x + round(5 * wave(phase)), y, size)
    if scene.weather == "storm":
        x = rng.randint(10, scene.width - 10)
        if phase < 0.3:
            canvas.line([(x, 12), (x - 3, 20), (x + 1, 21), (x - 3, 31)], fill=NUMBERS["bolt"], width=2)
    return light_x


def _stars(canvas: ImageDraw.ImageDraw, width: int, horizon: int, phase: float, count: int, rng: random.Random) -> None:
    """Stars keep to every fourth pixel; a free place would cost the latent more than it gives the picture."""
    for _ in range(count):
        x, y = 4 * rng.randrange(width // 4) + 1, 4 * rng.randrange(max(1, (horizon - 4) // 4)) + 1
        offset = rng.choice((0.0, 0.25, 0.5))
        if wave(phase, offset=offset) > -0.8:
            canvas.point((x, y), fill=NUMBERS["star"])


def _planet(canvas: ImageDraw.ImageDraw, x: int, y: int) -> None:
    canvas.ellipse([x - 7, y - 7, x + 7, y + 7], fill=NUMBERS["planet"])
    canvas.rectangle([x - 5, y, x + 5, y + 1], fill=NUMBERS["planet band"])
    canvas.line([x - 11, y + 3, x + 11, y - 3], fill=NUMBERS["planet ring"])


def _sun_or_moon(canvas: ImageDraw.ImageDraw, time: str, at: int, phase: float, horizon: int) -> None:
    x = at + round(2 * wave(phase))
    if time == "night":
        y = 10
        canvas.ellipse([x - 5, y - 5, x + 5, y + 5], fill=NUMBERS["moon"])
        canvas.ellipse([x - 3, y - 2, x - 1, y], fill=NUMBERS["moon spot"])
        canvas.ellipse([x + 1, y + 1, x + 2, y + 2], fill=NUMBERS["moon spot"])
        return
    radius, y = (5, 10) if time == "day" else (8, horizon - 7 + round(wave(phase, offset=0.25) - 1))
    canvas.ellipse([x - radius, y - radius, x + radius, y + radius], fill=NUMBERS["sun"])
    inner = radius - 2
    canvas.ellipse([x - inner, y - inner, x + inner, y + inner], fill=NUMBERS["sun core"])


def _cloud(canvas: ImageDraw.ImageDraw, x: int, y: int, size: int) -> None:
    for material, lower in (("cloud shade", 1), ("cloud", 0)):
        for u, v, share in ((-0.55, 0.1, 0.3), (0, -0.15, 0.45), (0.5, 0.12, 0.32)):
            middle, base, radius = x + u * size, y + v * size * 0.6 + lower, share * size
            box = [middle - radius, base - radius * 0.6, middle + radius, base + radius * 0.5]
            canvas.ellipse([math.floor(edge) for edge in box], fill=NUMBERS[material])
