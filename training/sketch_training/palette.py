"""The colours the model can paint with: the best few for all pictures of the renderer."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sketch_training.drawing.scene import draw
from sketch_training.labels import FRAMES
from sketch_training.sampling import random_scene

Bytes = NDArray[np.uint8]

COLOURS_IN_PALETTE = 128
_ROUNDS = 40
_GRID_SHIFT = 2
_GRID_SIDE = 256 >> _GRID_SHIFT


def find_palette(scenes: int, seed: int = 1) -> Bytes:
    """[COLOURS_IN_PALETTE, 3] by k-means over the pixels of random scenes, rare colours lifted by a square root."""
    rng = random.Random(seed)
    counts: Counter[int] = Counter()
    for _ in range(scenes):
        rgb = draw(random_scene(rng, allow_held_out=True), rng.randrange(FRAMES) / FRAMES).rgb.astype(np.int64)
        codes, times = np.unique(rgb @ np.array((65536, 256, 1)), return_counts=True)
        counts.update(dict(zip(codes.tolist(), times.tolist(), strict=True)))
    codes = np.array(list(counts))
    weights = np.array(list(counts.values()), np.float64) ** 0.5
    points = np.stack((codes >> 16, codes >> 8 & 255, codes & 255), 1).astype(np.float64)
    centres = _spread_out(points, weights)
    for _ in range(_ROUNDS):
        nearest = _nearest(points, centres)
        for place in range(COLOURS_IN_PALETTE):
            mine = nearest == place
            if mine.any():
                centres[place] = np.average(points[mine], axis=0, weights=weights[mine])
    return centres.round().astype(np.uint8)


def _spread_out(points: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Starting centres, each chosen far from those before it (k-means++)."""
    rng = np.random.default_rng(0)
    centres = [points[weights.argmax()]]
    distance = ((points - centres[0]) ** 2).sum(1)
    while len(centres) < COLOURS_IN_PALETTE:
        chance = distance * weights
        centres.append(points[rng.choice(len(points), p=chance / chance.sum())])
        distance = np.minimum(distance, ((points - centres[-1]) ** 2).sum(1))
    return np.array(centres)


def _nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    found = np.empty(len(points), np.int64)
    for start in range(0, len(points), 16384):
        block = points[start : start + 16384, None]
        found[start : start + 16384] = ((block - centres) ** 2).sum(2).argmin(1)
    return found


def save_palette(palette: Bytes, path: Path) -> None:
    """Writes [[red, green, blue], …] as JSON."""
    path.write_text(json.dumps(palette.tolist()))


def load_palette(path: Path) -> Bytes:
    """Reads what `save_palette` wrote."""
    return np.array(json.loads(path.read_text()), np.uint8)


class Quantiser:
    """RGB to the number of the nearest palette colour, through a table over every fourth shade."""

    def __init__(self, palette: Bytes) -> None:
        self.palette = palette
        shades = np.arange(_GRID_SIDE) * (1 << _GRID_SHIFT) + (1 << _GRID_SHIFT >> 1)
        cube = np.stack(np.meshgrid(shades, shades, shades, indexing="ij"), -1).reshape(-1, 3)
        self._table = _nearest(cube.astype(np.float64), palette.astype(np.float64)).astype(np.uint8)

    def numbers(self, rgb: Bytes) -> Bytes:
        """[…, 3] bytes to […] palette numbers."""
        coarse = rgb.astype(np.int64) >> _GRID_SHIFT
        found: Bytes = self._table[coarse @ np.array((_GRID_SIDE * _GRID_SIDE, _GRID_SIDE, 1))]
        return found

    def snap(self, rgb: Bytes) -> Bytes:
        """The picture in palette colours alone."""
        snapped: Bytes = self.palette[self.numbers(rgb)]
        return snapped
