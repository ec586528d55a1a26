"""Drawing with materials: a pen in a sprite's own coordinates."""

from __future__ import annotations

import math

from PIL import ImageDraw

from sketch_training.drawing.materials import NUMBERS

Point = tuple[float, float]


def wave(phase: float, turns: float = 1.0, offset: float = 0.0) -> float:
    """Sine of a phase in [0, 1): zero at phase 0 unless offset (in turns)."""
    return math.sin(2 * math.pi * (turns * phase + offset))


class Pen:
    """Coordinates: u to the right and v up from the sprite's foot, 1 unit = the sprite's nominal height in pixels."""

    def __init__(self, canvas: ImageDraw.ImageDraw, x: int, y: int, unit: int) -> None:
        self._canvas = canvas
        self._x = x
        self._y = y
        self.unit = unit

    def box(self, left: float, bottom: float, right: float, top: float, material: str) -> None:
        """A filled rectangle."""
        x0, y0 = self._pixel(left, top)
        x1, y1 = self._pixel(right, bottom)
        self._canvas.rectangle([x0, y0, max(x0, x1), max(y0, y1)], fill=NUMBERS[material])

    def oval(self, u: float, v: float, half_width: float, half_height: float, material: str) -> None:
        """A filled ellipse around (u, v)."""
        x0, y0 = self._pixel(u - half_width, v + half_height)
        x1, y1 = self._pixel(u + half_width, v - half_height)
        self._canvas.ellipse([x0, y0, max(x0, x1), max(y0, y1)], fill=NUMBERS[material])

    def shape(self, material: str, *points: Point) -> None:
        """A filled polygon."""
        self._canvas.polygon([self._pixel(*point) for point in points], fill=NUMBERS[material])

    def line(self, material: str, thickness: float, *points: Point) -> None:
        """A stroke through the points; thickness in units, at least a pixel."""
        width = max(1, round(thickness * self.unit))
        self._canvas.line([self._pixel(*point) for point in points], fill=NUMBERS[material], width=width)

    def dot(self, u: float, v: float, material: str) -> None:
        """One pixel."""
        self._canvas.point(self._pixel(u, v), fill=NUMBERS[material])

    def _pixel(self, u: float, v: float) -> tuple[int, int]:
        return math.floor(self._x + u * self.unit + 0.5), math.floor(self._y - v * self.unit + 0.5)
