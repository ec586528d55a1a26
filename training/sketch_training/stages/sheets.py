"""Contact sheets of a trained model, to be looked at."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from sketch_training.captions import describe
from sketch_training.drawing.scene import draw
from sketch_training.labels import FRAMES, SHAPES, SUBJECTS, USUAL_COLOURS
from sketch_training.picture_figures import SQUARE
from sketch_training.sampling import random_scene
from sketch_training.sheet import save_sheet
from sketch_training.stages.dataset import random_passage
from sketch_training.studio import Studio, keep_given, open_studio

TERSE = (
    "a red boat at sunset on the sea", "a blue house at night", "a green dragon in the mountains",
    "a white castle in a storm", "a robot in the city at night", "an orange cat in the forest",
    "a yellow car in the desert", "a hot air balloon over the sea at sunset", "a rocket in space",
    "a lighthouse and a boat at night", "a snowman in winter", "a windmill on a green meadow",
    "a red mushroom in the fog", "a wizard and a dragon", "a black dog and a red house", "a ufo over the city",
    "a spooky castle with a ghost", "a cozy cabin in the snow", "a magical owl in the forest",
    "an astronaut on the moon", "a steam train in the mountains",
    "a penguin in the snow", "a whale at sea", "a rabbit in autumn",
)  # fmt: skip


def _twins() -> list[str]:
    """Pairs whose colours must not be swapped."""
    return [
        "a blue wizard on the left and a green dragon on the right in a meadow",
        "a red lighthouse on the left and a white boat on the right at sea",
        "a yellow duck on the left and a pink octopus on the right at sea",
        "a black cat on the left and a white rabbit on the right in the snow",
        "a purple car on the left and an orange robot on the right in the city",
        "a brown owl on the left and a white ghost on the right in the forest at night",
    ]


def _save(studio: Studio, prompts: list[str], shape: tuple[int, int], path: Path, seed: int = 1) -> None:
    save_sheet(list(studio.decode(studio.stills(prompts, shape, seed))), 8, path)


def _clips(studio: Studio, path: Path) -> None:
    """Each row one clip from a prompt, every second frame."""
    rows = []
    for seed, name in enumerate(("boat", "train", "owl", "butterfly", "dragon", "windmill", "whale", "robot")):
        prompt = f"a large {USUAL_COLOURS[name][0]} {name} in the center in a meadow in the day"
        still = studio.stills([prompt], SQUARE, seed)
        drawn = studio.decode(studio.loop(prompt, still, seed))
        rows += list(keep_given(drawn, [(drawn[0], studio.decode(still)[0])])[::2])
    save_sheet(rows, 8, path)


def _followed(studio: Studio, path: Path) -> None:
    """Pairs of rows: the renderer's frames, and what the model makes of the first one."""
    rng, rows = random.Random(4242), []
    for seed in range(4):
        scene = random_scene(rng, shape=SQUARE, subjects=1)
        real = np.stack([studio.quantiser.snap(draw(scene, place / FRAMES).rgb) for place in range(FRAMES)])
        drawn = studio.decode(studio.loop(describe(scene, rng, full=True).text, studio.encode(real[:1]), seed))
        made = keep_given(drawn, [(drawn[0], real[0])])
        rows += [*real[::2], *made[::2]]
    save_sheet(rows, 8, path)


def _passages(studio: Studio, path: Path) -> None:
    """Each row the way from a first to a last picture."""
    rng, rows = random.Random(9), []
    for seed in range(6):
        first, last = random_passage(rng, SQUARE)
        ends = np.stack([studio.quantiser.snap(draw(scene).rgb) for scene in (first, last)])
        latents = studio.encode(ends)
        stills = list(zip(studio.decode(latents), ends, strict=True))
        made = keep_given(studio.decode(studio.way("", latents[:1], latents[1:], seed)), stills)
        rows += [ends[0], *made[1:13:2], ends[1]]
    save_sheet(rows, 8, path)


def run(folder: Path) -> None:
    """Writes the sheets to the folder's "results"."""
    torch.set_num_threads(2)
    target = folder / "results"
    target.mkdir(exist_ok=True)
    studio = open_studio(folder)
    _save(studio, list(TERSE), SQUARE, target / "terse.png")
    _save(studio, [prompt for prompt in _twins() for _ in range(4)], SQUARE, target / "pairs.png")
    full = [f"a large {USUAL_COLOURS[name][0]} {name} in the center in a meadow in the day" for name in SUBJECTS]
    _save(studio, full, SQUARE, target / "subjects.png")
    for shape, name in zip(SHAPES[1:], ("tall", "wide"), strict=True):
        _save(studio, list(TERSE[:16]), shape, target / f"{name}.png")
    _clips(studio, target / "clips.png")
    _followed(studio, target / "followed.png")
    _passages(studio, target / "passages.png")
