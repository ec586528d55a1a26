"""Figures of stills: what the judge reads from them against what the prompts named, a row for each kind of prompt."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sketch_training import phrases
from sketch_training.captions import describe, words_of
from sketch_training.drawing.scene import draw
from sketch_training.labels import SHAPES, Scene, held_out
from sketch_training.networks.judge import Judge
from sketch_training.palette import Quantiser
from sketch_training.sampling import random_scene
from sketch_training.studio import Studio
from sketch_training.verdict import Tally, judge_pictures

Bytes = NDArray[np.uint8]
SQUARE = SHAPES[0]
_UNNAMED = ("subject", "doubled", "second thing")
"""What can be judged where a prompt leaves colour, size and place open."""
_TRIES = 400

Writer = Callable[[Scene, random.Random], str]


@dataclass(frozen=True)
class Row:
    """Scenes of one shape and the prompts that ask for them."""

    name: str
    scenes: list[Scene]
    prompts: list[str]
    judged: tuple[str, ...] | None
    """Labels that count; None for all."""

    @property
    def shape(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.scenes[0].width, self.scenes[0].height


def _full(scene: Scene, rng: random.Random) -> str:
    return describe(scene, rng, full=True).text


def _terse(scene: Scene, rng: random.Random) -> str:
    return describe(scene, rng).text


def _bare(scene: Scene, rng: random.Random) -> str:
    """A thing, and in every second prompt where it is: as beginners write, and without completion."""
    thing = "a " + rng.choice(phrases.SUBJECT_PHRASES[scene.subjects[0].name])
    return thing if rng.random() < 0.5 else f"{thing} {rng.choice(phrases.BACKDROP_PHRASES[scene.backdrop])}"


def rows(count: int, words: frozenset[str] | None = None) -> Iterator[Row]:
    """`count` prompts each; with `words`, of these words alone."""
    rng = random.Random(31337)

    def known(scene: Scene) -> bool:
        return not held_out(scene)

    def row(
        name: str,
        wanted: Callable[[Scene], bool],
        write: Writer = _full,
        shape: tuple[int, int] = SQUARE,
        judged: tuple[str, ...] | None = None,
    ) -> Row:
        scenes, prompts = _pick(rng, count, shape, wanted, write, words)
        return Row(name, scenes, prompts, judged)

    yield row("square", known)
    yield row("square, pairs never trained on", held_out)
    yield row("square, one subject", lambda scene: known(scene) and len(scene.subjects) == 1)
    yield row("square, two subjects", lambda scene: known(scene) and len(scene.subjects) == 2)
    for shape in SHAPES[1:]:
        yield row(f"{shape[0]} x {shape[1]}", known, shape=shape)
    for name, write in (("terse", _terse), ("named alone", _bare)):
        yield row(f"square, one subject, {name}", lambda scene: len(scene.subjects) == 1, write, judged=_UNNAMED)


def _pick(
    rng: random.Random,
    count: int,
    shape: tuple[int, int],
    wanted: Callable[[Scene], bool],
    write: Writer,
    words: frozenset[str] | None,
) -> tuple[list[Scene], list[str]]:
    scenes: list[Scene] = []
    prompts: list[str] = []
    while len(scenes) < count:
        scene = random_scene(rng, shape=shape, allow_held_out=True)
        if not scene.subjects or not wanted(scene):
            continue
        prompt = write_within(scene, rng, write, words)
        if prompt is not None:
            scenes.append(scene)
            prompts.append(prompt)
    return scenes, prompts


def write_within(scene: Scene, rng: random.Random, write: Writer, words: frozenset[str] | None) -> str | None:
    """A prompt for the scene of the given words alone; None where they have none."""
    named = [word for text in phrases.MOOD_PHRASES[scene.mood] for word in words_of(text)]
    named += [word for one in scene.subjects for word in words_of(one.name)]
    if words is not None and (not all(one.name in words for one in scene.subjects) or not set(named) <= words):
        return None
    for _ in range(_TRIES):
        prompt = write(scene, rng)
        if words is None or set(words_of(prompt)) <= words:
            return prompt
    return None


def score(judge: Judge, row: Row, pictures: Bytes) -> dict[str, float]:
    """Accuracy of every label that counts, in %."""
    tally = Tally()
    judge_pictures(judge, pictures, row.scenes, tally)
    found = tally.percentages()
    return found if row.judged is None else {name: found[name] for name in row.judged if name in found}


def real_pictures(row: Row, quantiser: Quantiser) -> Bytes:
    """What the renderer draws for the row."""
    return np.stack([quantiser.snap(draw(scene).rgb) for scene in row.scenes])


def measure_pictures(studio: Studio, judge: Judge, count: int) -> Iterator[tuple[str, dict[str, float]]]:
    """For each row real pictures, the same through the autoencoder, and those the model makes of its prompts."""
    for row in rows(count):
        real = real_pictures(row, studio.quantiser)
        yield f"{row.name}: real", score(judge, row, real)
        yield f"{row.name}: through the autoencoder", score(judge, row, studio.decode(studio.encode(real)))
        made = studio.decode(studio.stills(row.prompts, row.shape, seed=9))
        yield f"{row.name}: made", score(judge, row, made)


def compare_pictures(
    studio: Studio, other: Studio, judge: Judge, count: int
) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """Both models' figures on the same prompts, of words that both know, by the same judge."""
    for row in rows(count, studio.words & other.words):
        made = {}
        for name, one in (("this", studio), ("other", other)):
            pictures = one.decode(one.stills(row.prompts, row.shape, seed=9))
            # In the palette the judge knows.
            made[name] = score(judge, row, studio.quantiser.snap(pictures))
        yield row.name, made
