"""What a scene can hold, and which pairs are kept out of training to test composition."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

BACKDROPS: Final = ("sea", "mountains", "desert", "forest", "meadow", "snow", "city", "space")
TIMES: Final = ("day", "sunset", "night")
WEATHERS: Final = ("clear", "cloudy", "storm", "snowfall", "fog")
MOODS: Final = ("plain", "warm", "spooky", "dreamy", "gloomy", "autumn", "vivid")
COLOURS: Final = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "brown")
SIZES: Final = ("small", "medium", "large")
POSITIONS: Final = ("left", "center", "right")

# Colours a thing has when nobody names one; a prompt that is completed takes one of them.
USUAL_COLOURS: Final[dict[str, tuple[str, ...]]] = {
    "house": ("red", "brown", "white", "blue"),
    "castle": ("white", "purple", "brown"),
    "lighthouse": ("red",),
    "boat": ("red", "brown", "blue"),
    "rocket": ("white", "red"),
    "tree": ("green",),
    "palm": ("green",),
    "cactus": ("green",),
    "cat": ("orange", "black", "white"),
    "dog": ("brown", "black", "white"),
    "bird": ("blue", "red", "black"),
    "fish": ("orange", "blue"),
    "robot": ("blue", "white"),
    "dragon": ("green", "red"),
    "car": ("red", "blue", "yellow"),
    "balloon": ("red", "yellow", "orange"),
    "flower": ("red", "pink", "yellow"),
    "mushroom": ("red", "brown"),
    "windmill": ("white", "brown"),
    "ufo": ("green", "purple"),
    "snowman": ("red", "blue"),
    "tent": ("orange", "blue"),
    "wizard": ("blue", "purple"),
    "person": ("red", "blue", "green"),
    "train": ("red", "green", "black"),
    "plane": ("white", "red", "blue"),
    "whale": ("blue", "black"),
    "rabbit": ("white", "brown"),
    "penguin": ("black", "blue"),
    "duck": ("yellow", "white", "brown"),
    "butterfly": ("orange", "blue", "purple"),
    "owl": ("brown", "white"),
    "pumpkin": ("orange",),
    "ghost": ("white",),
    "octopus": ("purple", "pink", "red"),
    "elephant": ("blue", "brown"),
    "turtle": ("green",),
    "astronaut": ("white", "orange"),
}
SUBJECTS: Final = tuple(USUAL_COLOURS)

SKYBORNE: Final = frozenset({"bird", "balloon", "ufo", "rocket", "fish", "plane", "butterfly", "ghost"})
SWIMMERS: Final = frozenset({"fish", "whale", "octopus"})
# Where a thing is met more often than elsewhere.
HOMES: Final[dict[str, tuple[str, ...]]] = {
    "boat": ("sea",),
    "fish": ("sea",),
    "whale": ("sea",),
    "octopus": ("sea",),
    "duck": ("sea", "meadow"),
    "turtle": ("sea", "desert"),
    "lighthouse": ("sea",),
    "palm": ("desert", "sea"),
    "cactus": ("desert",),
    "snowman": ("snow",),
    "penguin": ("snow",),
    "ufo": ("space", "city"),
    "rocket": ("space",),
    "astronaut": ("space",),
    "car": ("city", "desert"),
    "train": ("mountains", "city"),
    "plane": ("city", "mountains"),
    "owl": ("forest",),
    "pumpkin": ("meadow", "forest"),
    "ghost": ("forest", "city"),
    "butterfly": ("meadow",),
    "rabbit": ("meadow", "forest"),
}

# Width and height in pixels: square, tall and wide; 64, 60 and 60 cells of 8 × 8.
SHAPES: Final = ((64, 64), (48, 80), (80, 48))
SHAPE_SHARES: Final = (0.6, 0.2, 0.2)
CELL: Final = 8
FRAMES: Final = 16
"""Phases of the closed loop of motion that are drawn and trained: k / 16."""


@dataclass(frozen=True)
class Subject:
    name: str
    colour: str
    size: str
    position: str


@dataclass(frozen=True)
class Scene:
    """Everything that decides a picture: the labels, and a seed for what no caption names (clouds, hills, windows)."""

    seed: int
    width: int
    height: int
    backdrop: str
    time: str
    weather: str
    mood: str
    light: bool
    """Sun or moon is to be seen."""
    subjects: tuple[Subject, ...]


def _one_in_sixteen(text: str) -> bool:
    return zlib.crc32(text.encode()) % 16 == 3


def colour_held_out(subject: str, colour: str) -> bool:
    """True for the pairs of thing and colour that never occur in training; usual colours always do."""
    return colour not in USUAL_COLOURS[subject] and _one_in_sixteen(f"{subject}/{colour}")


def backdrop_held_out(subject: str, backdrop: str) -> bool:
    """True for the pairs of thing and backdrop that never occur in training; a thing's home always does."""
    return backdrop not in HOMES.get(subject, ()) and _one_in_sixteen(f"{subject}@{backdrop}")


def held_out(scene: Scene) -> bool:
    """True where some pair of the scene is kept out of training."""
    return any(
        colour_held_out(one.name, one.colour) or backdrop_held_out(one.name, scene.backdrop) for one in scene.subjects
    )
