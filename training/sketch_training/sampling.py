"""Random scenes, in the proportions the model is trained on."""

from __future__ import annotations

import random

from sketch_training.drawing.layout import fits
from sketch_training.labels import (
    BACKDROPS,
    COLOURS,
    HOMES,
    MOODS,
    POSITIONS,
    SHAPE_SHARES,
    SHAPES,
    SIZES,
    SKYBORNE,
    SUBJECTS,
    SWIMMERS,
    TIMES,
    USUAL_COLOURS,
    WEATHERS,
    Scene,
    Subject,
    held_out,
)

AFLOAT = ("boat", "lighthouse", "palm", "duck", "turtle", "penguin")
"""Things that may stand on the sea; most others would look lost there."""


def random_scene(
    rng: random.Random,
    *,
    shape: tuple[int, int] | None = None,
    subjects: int | None = None,
    allow_held_out: bool = False,
) -> Scene:
    """A scene of the given (width, height) and number of subjects, both drawn at random when left out."""
    while True:
        scene = _draw(rng, shape or rng.choices(SHAPES, SHAPE_SHARES)[0], subjects)
        if scene is not None and (allow_held_out or not held_out(scene)):
            return scene


def _draw(rng: random.Random, shape: tuple[int, int], wanted: int | None) -> Scene | None:
    backdrop = rng.choice(BACKDROPS)
    time = rng.choices(TIMES, (0.42, 0.25, 0.33))[0]
    weather = rng.choices(WEATHERS, (0.46, 0.18, 0.12, 0.12, 0.12))[0]
    mood = "plain"
    if backdrop == "space":
        time, weather = "night", "clear"
    elif weather in ("clear", "cloudy") and rng.random() < 0.4:
        mood = rng.choice(MOODS[1:])
    light = backdrop != "space" and weather in ("clear", "cloudy") and rng.random() < 0.6
    count = rng.choices((0, 1, 2), (0.03, 0.57, 0.40))[0] if wanted is None else wanted
    places = rng.sample(POSITIONS, 2) if count == 2 else [rng.choice(POSITIONS)]
    chosen: list[Subject] = []
    for place in places[:count]:
        name = _name(rng, backdrop)
        if any(other.name == name for other in chosen):
            return None
        usual = rng.random() < 0.35
        colour = rng.choice(USUAL_COLOURS[name] if usual else COLOURS)
        size = rng.choices(SIZES, (0.2, 0.35, 0.45) if count == 1 else (0.35, 0.45, 0.2))[0]
        chosen.append(Subject(name, colour, size, place))
    width, height = shape
    if not fits(chosen, width):
        return None
    return Scene(rng.randrange(1 << 30), width, height, backdrop, time, weather, mood, light, tuple(chosen))


def _name(rng: random.Random, backdrop: str) -> str:
    if rng.random() < 0.2:
        at_home = [name for name in SUBJECTS if backdrop in HOMES.get(name, ())]
        if at_home:
            return rng.choice(at_home)
    name = rng.choice(SUBJECTS)
    if backdrop == "sea" and name not in (*AFLOAT, *SKYBORNE, *SWIMMERS) and rng.random() < 0.5:
        return rng.choice(("boat", "lighthouse", "fish", "bird", "balloon", "whale", "duck", "octopus"))
    return name
