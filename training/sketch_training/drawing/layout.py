"""Where subjects stand. Anchors lie on the 8-pixel grid of the latent, so that one thing in one size has few codes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from sketch_training.labels import SKYBORNE, SWIMMERS, Subject

PIXELS = {"small": 16, "medium": 22, "large": 30}
"""Height of one unit of a sprite, in pixels."""
HALF_WIDTHS = {"small": 9, "medium": 12, "large": 17}
"""Half of what most sprites of a size take in width, in pixels."""
ALLOWED_OVERLAP = 3


def column(subject: Subject, width: int, *, paired: bool) -> int:
    """x of the foot, in pixels. Small things and pairs stand nearer to the edge."""
    if width < 64:
        edge = 8 if paired or subject.size == "small" else 16
    elif width > 64:
        edge = 16
    else:
        edge = 8 if subject.size == "small" else 16
    return {"left": edge, "center": width // 2, "right": width - edge}[subject.position]


def fits(subjects: Iterable[Subject], width: int) -> bool:
    """False where two subjects would hide each other."""
    both = list(subjects)
    if len(both) < 2:
        return True
    if width < 64 and any(one.size == "large" for one in both):
        return False
    first, second = (column(one, width, paired=True) for one in both)
    room = HALF_WIDTHS[both[0].size] + HALF_WIDTHS[both[1].size]
    return abs(first - second) >= room - ALLOWED_OVERLAP


def horizon(height: int) -> int:
    """y of the horizon, in pixels from the top."""
    return {64: 40, 80: 52, 48: 28}.get(height, height * 5 // 8)


def row(subject: Subject, backdrop: str, height: int) -> int:
    """y of the foot. One height per size and shape of picture: two, unnamed by the caption, would draw things twice."""
    ground = horizon(height)
    if subject.name in SWIMMERS and backdrop == "sea":
        return min(ground + 16, height - 8) // 8 * 8
    if subject.name in SKYBORNE:
        return {"small": 24, "medium": 32, "large": 40}[subject.size]
    return min((ground + (16 if subject.size == "large" else 8)) // 8 * 8, height - 8)


def _wave(phase: float, turns: float = 1.0, offset: float = 0.0) -> float:
    return math.sin(2 * math.pi * (turns * phase + offset))


def _hop(phase: float) -> float:
    return max(0.0, _wave(phase))


Displacement = Callable[[float], tuple[float, float]]

SWAY: dict[str, Displacement] = {
    "boat": lambda p: (3 * _wave(p), 2 * _wave(p, 2)),
    "balloon": lambda p: (2 * _wave(p), 4 * _wave(p)),
    "ufo": lambda p: (4 * _wave(p), 2 * _wave(p, 2)),
    "rocket": lambda p: (0, 3 - 3 * math.cos(2 * math.pi * p) + 2 * _wave(p)),
    "fish": lambda p: (5 * _wave(p), 2 * _wave(p, 2)),
    "bird": lambda p: (5 * _wave(p), 2 * _wave(p, 2)),
    "car": lambda p: (6 * _wave(p), 0),
    "person": lambda p: (4 * _wave(p), 0),
    "dog": lambda p: (4 * _wave(p), 2 * abs(_wave(p))),
    "robot": lambda p: (3 * _wave(p), 0),
    "dragon": lambda p: (0, 2 * _wave(p)),
    "wizard": lambda p: (0, 3 * _hop(p)),
    "snowman": lambda p: (0, 3 * _hop(p)),
    "mushroom": lambda p: (0, 2 * _hop(p)),
    "train": lambda p: (5 * _wave(p), 0),
    "plane": lambda p: (5 * _wave(p), 2 * _wave(p, 2)),
    "whale": lambda p: (3 * _wave(p), 2 * _wave(p)),
    "rabbit": lambda p: (0, 4 * _hop(p)),
    "penguin": lambda p: (3 * _wave(p), 0),
    "duck": lambda p: (3 * _wave(p), _wave(p, 2)),
    "butterfly": lambda p: (3 * _wave(p), 3 * _wave(p, 2)),
    "ghost": lambda p: (3 * _wave(p), 3 * _wave(p)),
    "octopus": lambda p: (0, 3 * _wave(p)),
    "turtle": lambda p: (3 * _wave(p), 0),
    "astronaut": lambda p: (2 * _wave(p), 3 * _hop(p)),
}
"""How far a whole sprite moves over the loop, in pixels to the right and up. Zero at phase 0."""


def displacement(name: str, phase: float) -> tuple[int, int]:
    """Whole pixels to the right and up at a phase in [0, 1)."""
    sway = SWAY.get(name)
    if sway is None:
        return 0, 0
    right, up = sway(phase)
    return math.floor(right + 0.5), math.floor(up + 0.5)
