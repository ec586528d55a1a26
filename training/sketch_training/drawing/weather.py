"""What is in the air in front of everything: rain, snow, mist. All on a lattice that falls or drifts as one."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from sketch_training.drawing.materials import NUMBERS
from sketch_training.drawing.pen import wave

_LATTICE = 8


def rain(canvas: ImageDraw.ImageDraw, width: int, height: int, phase: float, rng: random.Random) -> None:
    """Slanted strokes that fall 16 pixels over the loop."""
    start = 2 * rng.randrange(_LATTICE // 2)
    fall = round(2 * _LATTICE * phase)
    for row in range(-2, height // _LATTICE + 1):
        y = row * _LATTICE + fall
        for x in range(start + (row % 2) * 6 - 12, width + 12, 12):
            canvas.line([x, y, x - 1, y + 3], fill=NUMBERS["rain"])


def snowfall(canvas: ImageDraw.ImageDraw, width: int, height: int, phase: float, rng: random.Random) -> None:
    """Flakes that fall 16 pixels over the loop and sway."""
    start = 2 * rng.randrange(_LATTICE // 2)
    fall = round(2 * _LATTICE * phase)
    sway = round(2 * wave(phase))
    for row in range(-2, height // _LATTICE + 1):
        y = row * _LATTICE + fall
        for x in range(start + (row % 2) * 5 - 10, width + 10, 10):
            canvas.point((x + sway * (1 if row % 2 else -1), y), fill=NUMBERS["flake"])


def mist(picture: NDArray[np.uint8], horizon: int, phase: float, rng: random.Random) -> None:
    """Streaks of mist around the horizon, painted into the picture."""
    height, width = picture.shape
    for layer in range(3):
        y = min(height - 2, horizon - 8 + 8 * layer)
        start = 4 * rng.randrange(width // 4) + round(6 * wave(phase, 1, layer / 3))
        columns = np.arange(start, start + rng.choice((28, 40))) % width
        picture[y, columns] = NUMBERS["mist"]
        picture[y + 1, columns[3:-5]] = NUMBERS["mist"]
        picture[y - 1, columns[6::2]] = NUMBERS["mist"]
