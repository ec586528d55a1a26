"""Stage 3: scenes drawn and encoded once, because the flow sees each many times.

For every shape and part one file of stills, each with a frame of its motion, and one of passages: a first and a last
still and a frame between them. Scenes are kept as JSON lines, since each time another caption is written for them.
"""

from __future__ import annotations

import dataclasses
import json
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sketch_training.device import mixed, to_array, to_device
from sketch_training.drawing.layout import fits
from sketch_training.drawing.scene import Frame, draw, draw_passage
from sketch_training.labels import FRAMES, MOODS, POSITIONS, SHAPE_SHARES, SHAPES, TIMES, Scene, Subject
from sketch_training.networks.autoencoder import Autoencoder, to_input
from sketch_training.sampling import random_scene

_CHUNK = 64
PASSAGE_SHARE = 0.35
"""Passages per still."""
_LIGHT_CHANGES = 0.2
"""Share of passages in which time of day or mood change instead of a subject's place."""
_OTHER_SEEDS = 0.3
"""Share of the moves in which what no caption names changes as well."""
_OTHER_SCENES = 0.2
"""Share of passages that lead to another scene altogether."""


@dataclass(frozen=True)
class Stills:
    """Scenes of one shape. `still` and `moving` [N, CHANNELS, rows, columns] half floats; `phase` [N] of the moving
    frame; `still_cells` and `moving_cells` [N, rows, columns]."""

    scenes: list[Scene]
    still: Tensor
    moving: Tensor
    phase: Tensor
    still_cells: Tensor
    moving_cells: Tensor


@dataclass(frozen=True)
class Passages:
    """Ways from one still to another. `scenes` are the first ones; `share` [N] how far the frame between is."""

    scenes: list[Scene]
    first: Tensor
    last: Tensor
    between: Tensor
    share: Tensor
    cells: Tensor


def encode(net: Autoencoder, frames: list[Frame]) -> Tensor:
    """Latents of drawn frames, in single precision."""
    with torch.no_grad(), mixed():
        pictures = to_device(np.stack([frame.rgb for frame in frames]))
        latents: Tensor = net.encoder(to_input(pictures)).float()
    return latents


def random_passage(rng: random.Random, shape: tuple[int, int]) -> tuple[Scene, Scene]:
    """Two scenes that differ in one subject's place, in light, or in everything."""
    while True:
        first = random_scene(rng, shape=shape, subjects=rng.choice((1, 1, 1, 2)))
        change = rng.choices(
            (_in_other_light, _other, _elsewhere), (_LIGHT_CHANGES, _OTHER_SCENES, 1 - _LIGHT_CHANGES - _OTHER_SCENES)
        )[0]
        changed = change(rng, first)
        if changed is not None and changed != first:
            return first, changed


def random_move(rng: random.Random, scene: Scene) -> tuple[Scene, Scene]:
    """The scene and the same one with its subject at another place."""
    while True:
        places = [one for one in POSITIONS if one != scene.subjects[0].position]
        moved = replace(scene, subjects=(replace(scene.subjects[0], position=rng.choice(places)), *scene.subjects[1:]))
        if fits(moved.subjects, scene.width):
            return scene, moved


def _elsewhere(rng: random.Random, scene: Scene) -> Scene | None:
    mover = rng.randrange(len(scene.subjects))
    moved = [
        replace(one, position=rng.choice(POSITIONS)) if place == mover else one
        for place, one in enumerate(scene.subjects)
    ]
    if len({one.position for one in moved}) < len(moved) or not fits(moved, scene.width):
        return None
    # Two pictures of one subject that were drawn apart have other clouds and hills.
    seed = rng.randrange(1 << 30) if rng.random() < _OTHER_SEEDS else scene.seed
    return replace(scene, seed=seed, subjects=tuple(moved))


def _other(rng: random.Random, scene: Scene) -> Scene | None:
    return random_scene(rng, shape=(scene.width, scene.height))


def _in_other_light(rng: random.Random, scene: Scene) -> Scene | None:
    if scene.backdrop == "space" or scene.weather not in ("clear", "cloudy"):
        return None
    return replace(scene, time=rng.choice(TIMES), mood=rng.choice(MOODS) if rng.random() < 0.3 else scene.mood)


def _half(latents: list[Tensor]) -> NDArray[np.float16]:
    return to_array(torch.cat(latents).half())


def _cells(frames: list[list[Frame]]) -> NDArray[np.uint8]:
    return np.stack([frame.cells for chunk in frames for frame in chunk])


def _write(path: Path, scenes: list[Scene], arrays: dict[str, Any]) -> None:
    lines = "".join(json.dumps(dataclasses.asdict(scene)) + "\n" for scene in scenes)
    path.with_suffix(".jsonl").write_text(lines)
    beside = path.with_suffix(".new.npz")
    np.savez(beside, **arrays)
    beside.replace(path.with_suffix(".npz"))


def _make_stills(net: Autoencoder, rng: random.Random, shape: tuple[int, int], count: int, path: Path) -> None:
    scenes: list[Scene] = []
    phases: list[float] = []
    latents: tuple[list[Tensor], list[Tensor]] = ([], [])
    frames: tuple[list[list[Frame]], list[list[Frame]]] = ([], [])
    for _ in range(0, count, _CHUNK):
        chunk = [random_scene(rng, shape=shape) for _ in range(_CHUNK)]
        chunk_phases = [rng.randrange(1, FRAMES) / FRAMES for _ in chunk]
        drawn = (
            [draw(scene) for scene in chunk],
            [draw(scene, phase) for scene, phase in zip(chunk, chunk_phases, strict=True)],
        )
        for place in (0, 1):
            latents[place].append(encode(net, drawn[place]))
            frames[place].append(drawn[place])
        scenes += chunk
        phases += chunk_phases
    _write(
        path,
        scenes,
        {
            "still": _half(latents[0]),
            "moving": _half(latents[1]),
            "phase": np.array(phases, np.float32),
            "still_cells": _cells(frames[0]),
            "moving_cells": _cells(frames[1]),
        },
    )


def _make_passages(net: Autoencoder, rng: random.Random, shape: tuple[int, int], count: int, path: Path) -> None:
    scenes: list[Scene] = []
    shares: list[float] = []
    latents: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
    cells: list[list[Frame]] = []
    for _ in range(0, count, _CHUNK):
        pairs = [random_passage(rng, shape) for _ in range(_CHUNK)]
        chunk_shares = [rng.randrange(1, FRAMES) / FRAMES for _ in pairs]
        between = [draw_passage(first, last, share) for (first, last), share in zip(pairs, chunk_shares, strict=True)]
        drawn = ([draw(first) for first, _ in pairs], [draw(last) for _, last in pairs], between)
        for place in range(3):
            latents[place].append(encode(net, drawn[place]))
        cells.append(between)
        scenes += [first for first, _ in pairs]
        shares += chunk_shares
    _write(
        path,
        scenes,
        {
            "first": _half(latents[0]),
            "last": _half(latents[1]),
            "between": _half(latents[2]),
            "share": np.array(shares, np.float32),
            "cells": _cells(cells),
        },
    )


def run(folder: Path, net: Autoencoder, scenes: int, part: int) -> None:
    """Writes one part of the data, `scenes` stills over all shapes, drawn from a seed that is the part's number."""
    torch.set_num_threads(1)
    rng = random.Random(1000 + part)
    (folder / "data").mkdir(exist_ok=True)
    for (width, height), share in zip(SHAPES, SHAPE_SHARES, strict=True):
        name = f"{width}x{height}-{part}"
        count = max(_CHUNK, int(scenes * share))
        _make_stills(net, rng, (width, height), count, folder / "data" / f"stills-{name}")
        _make_passages(net, rng, (width, height), int(count * PASSAGE_SHARE), folder / "data" / f"passages-{name}")
        print(f"part {part}: {name}, {count} scenes", flush=True)


def _scenes(paths: list[Path]) -> list[Scene]:
    found: list[Scene] = []
    for path in paths:
        for line in path.with_suffix(".jsonl").read_text().splitlines():
            fields = json.loads(line)
            subjects = tuple(Subject(**one) for one in fields.pop("subjects"))
            found.append(Scene(**fields, subjects=subjects))
    return found


def _joined(paths: list[Path], name: str) -> Tensor:
    return to_device(np.concatenate([np.load(path)[name] for path in paths]))


def load_stills(folder: Path, shape: tuple[int, int]) -> Stills:
    """All parts of one shape, on the device."""
    paths = sorted((folder / "data").glob(f"stills-{shape[0]}x{shape[1]}-*.npz"))
    names = ("still", "moving", "phase", "still_cells", "moving_cells")
    return Stills(_scenes(paths), *(_joined(paths, name) for name in names))


def load_passages(folder: Path, shape: tuple[int, int]) -> Passages:
    """All parts of one shape, on the device."""
    paths = sorted((folder / "data").glob(f"passages-{shape[0]}x{shape[1]}-*.npz"))
    return Passages(_scenes(paths), *(_joined(paths, name) for name in ("first", "last", "between", "share", "cells")))
