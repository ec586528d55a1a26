"""What is below the horizon and on it, one painter for each backdrop."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ImageDraw

from sketch_training.drawing.materials import NUMBERS
from sketch_training.drawing.pen import wave
from sketch_training.labels import Scene


@dataclass(frozen=True)
class Plot:
    """A picture's ground while it is painted. Lengths in pixels, the horizon counted from the top."""

    canvas: ImageDraw.ImageDraw
    scene: Scene
    phase: float
    horizon: int
    light_x: int
    rng: random.Random

    @property
    def width(self) -> int:
        return self.scene.width

    @property
    def height(self) -> int:
        return self.scene.height

    def floor(self, top: int, material: str) -> None:
        """Fills everything below a row."""
        self.canvas.rectangle([0, top, self.width, self.height], fill=NUMBERS[material])

    def mound(self, left: int, top: int, right: int, bottom: int, material: str) -> None:
        self.canvas.ellipse([left, top, right, bottom], fill=NUMBERS[material])

    def triangle(self, x: int, base: int, half: float, rise: float, material: str) -> None:
        points = [(x - half, base), (x, base - rise), (x + half, base)]
        self.canvas.polygon(points, fill=NUMBERS[material])

    def dashes(self, count: int, below: int, length: int, material: str) -> None:
        """Short strokes strewn over the ground, on even places."""
        for _ in range(count):
            x = 2 * self.rng.randrange(self.width // 2)
            y = self.rng.randrange(self.horizon + below, self.height - 1, 2)
            self.canvas.line([x, y, x + length, y], fill=NUMBERS[material])


def _sea(plot: Plot) -> None:
    depth = plot.height - plot.horizon
    for share, material in ((0.0, "water far"), (0.3, "water middle"), (0.65, "water near")):
        plot.floor(plot.horizon + int(share * depth), material)
    if plot.rng.random() < 0.25:
        x = plot.rng.randint(4, plot.width - 4)
        plot.mound(x - 9, plot.horizon - 3, x + 9, plot.horizon + 3, "grass dark")
        plot.canvas.rectangle([0, plot.horizon + 1, plot.width, plot.horizon + 3], fill=NUMBERS["water far"])
    for place, y in enumerate(range(plot.horizon + 2, plot.height, 4)):
        start = 4 * plot.rng.randrange(4)
        drift = round(16 * plot.phase) * (1 if place % 2 else -1)
        for x in range(-16, plot.width + 16, 16):
            plot.canvas.line([x + start + drift, y, x + start + drift + 2 + place // 2, y], fill=NUMBERS["foam"])
    if plot.scene.light:
        for y in range(plot.horizon + 1, plot.height, 3):
            half = 2 + round(wave(plot.phase, 2, y * 0.17))
            colour = NUMBERS["moon" if plot.scene.time == "night" else "sun"]
            plot.canvas.line([plot.light_x - half, y, plot.light_x + half, y], fill=colour)


def _mountains(plot: Plot) -> None:
    room = plot.horizon - 8
    ranges = (("rock far", "rock", min(26, room), 3, True), ("rock", "rock dark", min(17, room - 6), 4, False))
    for material, shade, rise, count, capped in ranges:
        peaks = max(2, count * plot.width // 64)
        for peak in range(peaks):
            x = int((peak + plot.rng.choice((0.3, 0.5, 0.7))) * plot.width / peaks)
            tall = rise + plot.rng.choice((-4, 0, 4))
            half = int(tall * 0.95)
            plot.triangle(x, plot.horizon + 2, half, tall, material)
            right = [(x, plot.horizon - tall), (x + half, plot.horizon + 2), (x + half // 4, plot.horizon + 2)]
            plot.canvas.polygon(right, fill=NUMBERS[shade])
            if capped:
                plot.triangle(x, plot.horizon - int(tall * 0.7), half * 0.3, tall * 0.3, "ice")
    plot.floor(plot.horizon, "grass")
    plot.floor(plot.horizon + 12, "grass dark")
    plot.dashes(8, 2, 2, "grass light")


def _desert(plot: Plot) -> None:
    if plot.rng.random() < 0.4:
        x, rise = plot.rng.randint(8, plot.width - 8), plot.rng.choice((10, 14))
        plot.triangle(x, plot.horizon + 2, rise, rise, "sand")
        shaded = [(x, plot.horizon - rise), (x + rise, plot.horizon + 2), (x + 3, plot.horizon + 2)]
        plot.canvas.polygon(shaded, fill=NUMBERS["sand dark"])
    plot.floor(plot.horizon, "sand light")
    for layer in range(3):
        x, y = 8 * plot.rng.randint(0, plot.width // 8), plot.horizon + 6 + 8 * layer
        plot.mound(x - 26, y - 4, x + 26, y + 18, "sand light" if layer % 2 else "sand")
    plot.dashes(5, 3, 3, "sand dark")


def _forest(plot: Plot) -> None:
    for layer, (material, rise, gap) in enumerate((("pine dark", 20, 8), ("pine", 15, 9))):
        start = 2 * plot.rng.randint(0, 3)
        foot = plot.horizon + 2 + 2 * layer
        for x in range(start - 4, plot.width + 6, gap):
            tall = rise + plot.rng.choice((-3, 0, 3))
            sway = round(0.6 * wave(plot.phase, 1, x * 0.07))
            for share in (0.0, 0.33, 0.62):
                half = 5 * (1 - share * 0.6)
                low, high = foot - tall * share, foot - tall * min(1.0, share + 0.52)
                points = [(x - half, low), (x + sway, high), (x + half, low)]
                plot.canvas.polygon(points, fill=NUMBERS[material])
    plot.floor(plot.horizon + 2, "grass dark")
    plot.floor(plot.horizon + 13, "pine")
    plot.dashes(8, 4, 1, "grass")


def _meadow(plot: Plot) -> None:
    for material, lift in (("grass dark", -5), ("grass", -1), ("grass light", 5)):
        x = 4 * plot.rng.randint(1, plot.width // 4 - 1)
        plot.mound(x - 44, plot.horizon + lift, x + 44, plot.horizon + 70, material)
        plot.floor(plot.horizon + lift + 9, material)
    for _ in range(10):
        x = 2 * plot.rng.randrange(plot.width // 2)
        y = plot.rng.randrange(plot.horizon + 10, plot.height - 1, 2)
        sway = round(0.6 * wave(plot.phase, 1, x * 0.1))
        plot.canvas.point((x + sway, y), fill=NUMBERS[plot.rng.choice(("petal red", "petal yellow", "foam"))])


def _snow(plot: Plot) -> None:
    x = 4 * plot.rng.randint(1, plot.width // 4 - 1)
    plot.mound(x - 30, plot.horizon - 6, x + 30, plot.horizon + 20, "snow dark")
    plot.floor(plot.horizon, "snow")
    x = 4 * plot.rng.randint(1, plot.width // 4 - 1)
    plot.mound(x - 40, plot.horizon + 5, x + 40, plot.horizon + 60, "snow light")
    for _ in range(plot.rng.randint(2, 4)):
        x, foot = 4 * plot.rng.randrange(plot.width // 4), plot.horizon + 2
        plot.triangle(x, foot, 4, 10, "pine")
        plot.triangle(x, foot - 6, 2, 5, "snow light")


def _city(plot: Plot) -> None:
    for layer, material in enumerate(("wall far", "wall")):
        x = -2 * plot.rng.randint(0, 2)
        while x < plot.width:
            broad, tall = plot.rng.choice((7, 10)), plot.rng.randrange(10, 29, 4) - 6 * layer
            plot.canvas.rectangle([x, plot.horizon - tall, x + broad, plot.horizon + 2], fill=NUMBERS[material])
            _windows(plot, x, broad, tall)
            x += broad + (2 if layer == 0 else plot.rng.choice((3, 7)))
    plot.floor(plot.horizon + 1, "kerb")
    plot.floor(plot.horizon + 7, "road")
    for x in range(-8, plot.width, 16):
        top = plot.horizon + 15
        plot.canvas.rectangle([x + 4, top, x + 11, top + 1], fill=NUMBERS["road line"])


def _windows(plot: Plot, x: int, broad: int, tall: int) -> None:
    """Lit windows by one of three patterns of a house, not window by window."""
    pattern = plot.rng.randrange(3)
    for floor, y in enumerate(range(plot.horizon - tall + 2, plot.horizon - 1, 4)):
        for place, u in enumerate(range(x + 2, x + broad - 1, 3)):
            if (floor + place + pattern) % 3:
                plot.canvas.line([u, y, u, y + 1], fill=NUMBERS["window"])


def _space(plot: Plot) -> None:
    plot.floor(plot.horizon + 2, "lunar")
    x = 4 * plot.rng.randint(1, plot.width // 4 - 1)
    plot.mound(x - 40, plot.horizon - 3, x + 40, plot.horizon + 40, "lunar light")
    for _ in range(4):
        x = 2 * plot.rng.randrange(plot.width // 2)
        y, half = plot.rng.randrange(plot.horizon + 6, plot.height - 3, 2), plot.rng.choice((3, 5))
        plot.mound(x - half, y - half // 2, x + half, y + half // 2, "lunar dark")


GROUNDS: dict[str, Callable[[Plot], None]] = {
    "sea": _sea,
    "mountains": _mountains,
    "desert": _desert,
    "forest": _forest,
    "meadow": _meadow,
    "snow": _snow,
    "city": _city,
    "space": _space,
}
