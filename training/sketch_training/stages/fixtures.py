"""What torch draws with exported graphs' weights, from the engine's own noise: pictures that the engine must draw too.

Also the renderer's way of one boat from left to right, against which a passage drawn by the engine is held.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sketch_training.drawing.scene import draw, draw_passage
from sketch_training.labels import CELL, FRAMES, Scene, Subject
from sketch_training.networks.autoencoder import CHANNELS, to_input
from sketch_training.palette import Quantiser, load_palette
from sketch_training.sampler import Given, draw_motion, draw_stills
from sketch_training.stages.restore import restored
from sketch_training.studio import SHARES

Bytes = NDArray[np.uint8]
BOAT = "a large red boat on the left at sea at sunset"
STILLS: tuple[dict[str, Any], ...] = (
    {"name": "square", "width": 64, "height": 64, "prompt": BOAT, "negativePrompt": "",
     "seed": 3, "steps": 16, "guidance": 3},
    {"name": "tall", "width": 48, "height": 80, "prompt": "a large green dragon in the center in the mountains",
     "negativePrompt": "night", "seed": 7, "steps": 8, "guidance": 5},
    {"name": "wide", "width": 80, "height": 48, "prompt": "a large blue robot on the right in the city at night",
     "negativePrompt": "", "seed": 11, "steps": 12, "guidance": 1},
)  # fmt: skip
REDRAWN: dict[str, Any] = {
    "prompt": "a large red boat in the center at sea at night", "seed": 5, "steps": 20, "guidance": 3, "strength": 0.65,
}  # fmt: skip
MOVED: dict[str, Any] = {"prompt": BOAT, "seed": 3, "steps": 8}
PASSED: dict[str, Any] = {"prompt": "a red boat at sea in the day", "seed": 4, "steps": 8}


def engine_noise(seed: int, length: int) -> NDArray[np.float32]:
    """The engine's seeded noise: mulberry32 and the Box-Muller transform."""
    whole = 0xFFFFFFFF
    state = seed & whole

    def random() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & whole
        bits = (state ^ (state >> 15)) * (state | 1) & whole
        bits ^= (bits + ((bits ^ (bits >> 7)) * (bits | 61) & whole)) & whole
        return float(((bits ^ (bits >> 14)) & whole) + 0.5) / 2**32

    found = np.empty(length, np.float32)
    for place in range(length):
        radius = math.sqrt(-2 * math.log(random()))
        found[place] = radius * math.cos(2 * math.pi * random())
    return found


def _noise(seed: int, width: int, height: int) -> Tensor:
    rows, columns = height // CELL, width // CELL
    return torch.from_numpy(engine_noise(seed, CHANNELS * rows * columns)).view(1, CHANNELS, rows, columns)


def _boats() -> tuple[Scene, Scene]:
    boat = Subject("boat", "red", "medium", "left")
    first = Scene(7, 64, 64, "sea", "day", "clear", "plain", False, (boat,))
    return first, replace(first, subjects=(replace(boat, position="right"),))


def _save(picture: Bytes, path: Path) -> None:
    Image.fromarray(picture).save(path, optimize=True)


def _strip(pictures: Bytes) -> Bytes:
    return np.concatenate(list(pictures), axis=1)


class _Artist:
    """The restored networks in single precision, as the graphs compute."""

    def __init__(self, graphs: Path) -> None:
        self.model, self.net = restored(graphs)
        self.quantiser = Quantiser(load_palette(graphs / "palette.json"))

    @torch.no_grad()
    def encode(self, picture: Bytes) -> Tensor:
        latent: Tensor = self.net.encoder(to_input(torch.from_numpy(picture[None])))
        return latent

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Bytes:
        pictures: Bytes = self.quantiser.palette[self.net.decoder(latents).argmax(1).numpy()]
        return pictures

    def move(self, asked: dict[str, Any], first: Tensor, last: Tensor | None, phases: list[float]) -> Bytes:
        count = len(phases)
        noise = _noise(asked["seed"], first.shape[3] * CELL, first.shape[2] * CELL).expand(count, -1, -1, -1)
        goal = None if last is None else last.expand(count, -1, -1, -1)
        given = Given(first.expand(count, -1, -1, -1), torch.tensor(phases), goal)
        prompts = [asked["prompt"]] * count
        return self.decode(draw_motion(self.model, prompts, noise, given, steps=asked["steps"]))


def run(folder: Path, graphs: Path) -> None:
    """Writes the pictures, and requests.json with what they were asked for."""
    torch.set_num_threads(1)
    artist = _Artist(graphs)
    for one in STILLS:
        noise = _noise(one["seed"], one["width"], one["height"])
        asked = {"steps": one["steps"], "guidance": float(one["guidance"]), "avoided": one["negativePrompt"]}
        drawn = artist.decode(draw_stills(artist.model, [one["prompt"]], noise, **asked))[0]
        _save(drawn, folder / f"{one['name']}.png")
        if one["name"] == "square":
            square = artist.encode(drawn)
    asked = {name: REDRAWN[name] for name in ("steps", "strength")} | {"guidance": float(REDRAWN["guidance"])}
    latent = draw_stills(artist.model, [REDRAWN["prompt"]], _noise(REDRAWN["seed"], 64, 64), initial=square, **asked)
    _save(artist.decode(latent)[0], folder / "from-picture.png")
    _save(_strip(artist.move(MOVED, square, None, [place / FRAMES for place in range(FRAMES)])), folder / "motion.png")
    _write_way(folder, artist)
    requests = {"stills": STILLS, "redrawn": REDRAWN, "moved": MOVED, "passed": PASSED}
    (folder / "requests.json").write_text(json.dumps(requests, indent=2) + "\n")


def _write_way(folder: Path, artist: _Artist) -> None:
    """first.png and last.png; at SHARES of the way between them way.png as torch draws it, true-way.png as the renderer
    does, and subject.png, white where the boat is."""
    ends = _boats()
    first, last = (artist.quantiser.snap(draw(scene).rgb) for scene in ends)
    _save(first, folder / "first.png")
    _save(last, folder / "last.png")
    _save(_strip(artist.move(PASSED, artist.encode(first), artist.encode(last), list(SHARES))), folder / "way.png")
    frames = [draw_passage(*ends, share) for share in SHARES]
    _save(_strip(np.stack([artist.quantiser.snap(frame.rgb) for frame in frames])), folder / "true-way.png")
    subject = np.stack([frame.covered for frame in frames])
    _save(_strip((subject[..., None] * np.full(3, 255)).astype(np.uint8)), folder / "subject.png")
