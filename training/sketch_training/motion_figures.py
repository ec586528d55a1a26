"""Figures of motion, in % of pixels or of frames: what follows from a still, how a loop closes, ways between stills."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from sketch_training.captions import describe
from sketch_training.device import to_array, to_device
from sketch_training.drawing.scene import Frame, draw, draw_passage
from sketch_training.labels import CELL, FRAMES, Scene
from sketch_training.networks.autoencoder import to_input
from sketch_training.networks.judge import Judge
from sketch_training.picture_figures import SQUARE, write_within
from sketch_training.sampling import random_scene
from sketch_training.stages.dataset import random_move, random_passage
from sketch_training.studio import SHARES, Studio, keep_given

Bytes = NDArray[np.uint8]
_FAR = slice(FRAMES // 4, 3 * FRAMES // 4 + 1)
"""Frames that are farthest from the still."""
_NEAR = CELL
"""Pixels by which a travelling subject may miss its place and still count as there."""


class _Notes:
    """Means of named values."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self._values.setdefault(name, []).append(100 * float(value))

    def means(self) -> dict[str, float]:
        return {name: round(float(np.mean(values)), 2) for name, values in self._values.items()}


def measure_motion(
    studio: Studio,
    judge: Judge,
    count: int,
    words: frozenset[str] | None = None,
    snap: Callable[[Bytes], Bytes] | None = None,
) -> dict[str, float]:
    """Of `count` scenes each; with `words`, of scenes that can be told in them. `snap` brings pictures into the colours
    the judge knows."""
    rng = random.Random(4242)
    notes = _Notes()
    cells = _Cells(judge, snap or studio.quantiser.snap)
    for seed in range(count):
        scene, prompt = _told(rng, 1 + seed % 2, words)
        _note_loop(studio, cells, scene, prompt, seed, notes)
        first, last = random_passage(rng, SQUARE)
        _note_passage(studio, (first, last), seed, notes)
    for seed in range(count):
        scene, prompt = _told(rng, 1, words)
        _note_travel(studio, cells, random_move(rng, scene), prompt, seed, notes)
    return notes.means()


def _told(rng: random.Random, subjects: int, words: frozenset[str] | None) -> tuple[Scene, str]:
    while True:
        scene = random_scene(rng, shape=SQUARE, subjects=subjects)
        prompt = write_within(scene, rng, lambda one, rng: describe(one, rng, full=True).text, words)
        if prompt is not None:
            return scene, prompt


class _Cells:
    """Which subject the judge sees in each cell."""

    def __init__(self, judge: Judge, snap: Callable[[Bytes], Bytes]) -> None:
        self._judge, self._snap = judge.eval(), snap

    def __call__(self, pictures: Bytes) -> Bytes:
        with torch.no_grad():
            _, _, cells = self._judge(to_input(to_device(np.ascontiguousarray(self._snap(pictures)))))
        return to_array(cells.argmax(1)).astype(np.uint8)


def _note_loop(studio: Studio, cells: _Cells, scene: Scene, prompt: str, seed: int, notes: _Notes) -> None:
    frames = [draw(scene, place / FRAMES) for place in range(FRAMES)]
    real = _snapped(studio, frames)
    subject = np.stack([frame.covered for frame in frames])
    moved = subject.any(0)
    latents = studio.encode(real)
    drawn = studio.decode(studio.loop(prompt, latents[:1], seed))
    clip = keep_given(drawn, [(drawn[0], real[0])])
    again = studio.decode(latents)
    wrong, wrong_again = (clip != real).any(-1), (again != real).any(-1)
    notes.add("image to clip, wrong", wrong[1:].mean())
    notes.add("image to clip, wrong on subjects", wrong[1:][:, moved].mean())
    notes.add("image to clip as drawn, nothing kept, wrong", (drawn != real).any(-1)[1:].mean())
    notes.add("autoencoder alone, wrong", wrong_again[1:].mean())
    notes.add("autoencoder alone, wrong on subjects", wrong_again[1:][:, moved].mean())
    notes.add("still repeated, wrong", (real[:1] != real[1:]).any(-1).mean())
    notes.add("sprite, wrong in far frames", wrong[_FAR][subject[_FAR]].mean())
    true = np.stack([frame.cells for frame in frames])
    for name, pictures in (("real", real), ("made", clip)):
        seen = (cells(pictures) == true) & (true > 0)
        notes.add(f"sprite cells recognised in far frames, {name}", seen[_FAR].sum() / max(1, (true[_FAR] > 0).sum()))
    steps = [(clip[place] != clip[(place + 1) % FRAMES]).any(-1).mean() for place in range(FRAMES)]
    notes.add("loop: seam", steps[-1])
    notes.add("loop: largest other step", max(steps[:-1]))
    notes.add("loop: mean step", float(np.mean(steps[:-1])))
    notes.add("loops whose seam is no larger than another step", steps[-1] <= max(steps[:-1]))


def _snapped(studio: Studio, frames: list[Frame]) -> Bytes:
    return np.stack([studio.quantiser.snap(frame.rgb) for frame in frames])


def _ways(studio: Studio, ends: tuple[Scene, Scene], prompt: str, seed: int) -> tuple[list[Frame], dict[str, Bytes]]:
    """The renderer's frames at SHARES, and pictures of them: its own, the model's, and a cross-fade of the latents."""
    frames = [draw_passage(*ends, share) for share in SHARES]
    given = [_snapped(studio, [draw(scene)]) for scene in ends]
    first, last = (studio.encode(still) for still in given)
    stills = [(studio.decode(latent)[0], still[0]) for latent, still in zip((first, last), given, strict=True)]
    drawn = studio.decode(studio.way(prompt, first, last, seed))
    near_last = [share > 1 / 2 for share in SHARES]
    way = torch.tensor(SHARES, device=first.device)[:, None, None, None]
    pictures = {
        "real": _snapped(studio, frames),
        "made": np.stack(
            [keep_given(one, stills[::-1] if late else stills) for one, late in zip(drawn, near_last, strict=True)]
        ),
        "cross-fade": studio.decode((1 - way) * first + way * last),
    }
    return frames, pictures


def _note_passage(studio: Studio, ends: tuple[Scene, Scene], seed: int, notes: _Notes) -> None:
    frames, pictures = _ways(studio, ends, "", seed)
    covered = np.stack([frame.covered for frame in frames])
    for name in ("made", "cross-fade"):
        wrong = (pictures[name] != pictures["real"]).any(-1)
        notes.add(f"any passage, wrong on subjects, {name}", wrong[covered].mean())


def _note_travel(
    studio: Studio, cells: _Cells, ends: tuple[Scene, Scene], prompt: str, seed: int, notes: _Notes
) -> None:
    """One subject that moves from one place to another: is it where it should be, and nowhere else?"""
    frames, pictures = _ways(studio, ends, prompt, seed)
    covered = np.stack([frame.covered for frame in frames])
    middle = slice(len(SHARES) // 4, len(SHARES) - len(SHARES) // 4)
    true = np.stack([frame.cells for frame in frames])[middle]
    for name in pictures:
        wrong = (pictures[name] != pictures["real"]).any(-1)
        notes.add(f"one mover, wrong on it, {name}", wrong[covered].mean())
        seen = cells(pictures[name][middle])
        there = [_is_there(one, wanted) for one, wanted in zip(seen, true, strict=True)]
        notes.add(f"one mover, half way in its place, {name}", float(np.mean(there)))


def _is_there(seen: Bytes, wanted: Bytes) -> bool:
    """The subject's cells lie about where they should, and none of them far away."""
    number = wanted.max()
    places, aims = np.argwhere(seen == number), np.argwhere(wanted == number)
    if len(places) == 0 or len(aims) == 0:
        return False
    if np.abs(places.mean(0) - aims.mean(0)).max() * CELL > _NEAR:
        return False
    return bool(np.abs(places[:, None] - aims[None]).max(-1).min(1).max() * CELL <= 2 * _NEAR)
