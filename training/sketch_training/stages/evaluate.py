"""Stage 6: figures and sheets of a trained model. 512 prompts a row by default."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sketch_training.captions import describe
from sketch_training.drawing.scene import draw, draw_passage
from sketch_training.labels import CELL, FRAMES, SHAPES, Scene, held_out
from sketch_training.networks.autoencoder import Autoencoder, fast_layout, to_input
from sketch_training.networks.judge import Judge
from sketch_training.palette import Quantiser, load_palette
from sketch_training.sampler import Given, Sketch, draw_motion, draw_stills, noise_for
from sketch_training.sampling import random_scene
from sketch_training.stages.dataset import random_passage
from sketch_training.verdict import Tally, judge_pictures

Bytes = NDArray[np.uint8]
_CHUNK = 64
SQUARE = SHAPES[0]


@dataclass
class Studio:
    """Trained networks, ready to draw."""

    model: Sketch
    autoencoder: Autoencoder
    quantiser: Quantiser
    judge: Judge | None

    def decode(self, latents: Tensor) -> Bytes:
        """Latents to pictures [B, H, W, 3]."""
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            numbers = self.autoencoder.decoder(latents.contiguous(memory_format=torch.channels_last)).argmax(1)
        pictures: Bytes = self.quantiser.palette[numbers.numpy()]
        return pictures

    def encode(self, pictures: Bytes) -> Tensor:
        """Pictures to latents."""
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            latents: Tensor = self.autoencoder.encoder(
                to_input(torch.from_numpy(np.ascontiguousarray(pictures)))
            ).float()
        return latents

    def stills(
        self, prompts: list[str], shape: tuple[int, int], seed: int, steps: int = 16, guidance: float = 3.0
    ) -> Tensor:
        """Latents of pictures drawn from prompts."""
        found = []
        for start in range(0, len(prompts), _CHUNK):
            chunk = prompts[start : start + _CHUNK]
            noise = noise_for(len(chunk), shape[1] // CELL, shape[0] // CELL, seed + start)
            with torch.autocast("cpu", torch.bfloat16):
                found.append(draw_stills(self.model, chunk, noise, steps=steps, guidance=guidance).float())
        return torch.cat(found)

    def loop(self, prompt: str, still: Tensor, seed: int, steps: int = 8, last: Tensor | None = None) -> Tensor:
        """Latents of all frames of a clip from a still [1, …]: a closed loop, or the way to `last`."""
        phases = torch.arange(FRAMES) / (FRAMES if last is None else FRAMES - 1)
        noise = noise_for(1, still.shape[2], still.shape[3], seed).expand(FRAMES, -1, -1, -1)
        goal = None if last is None else last.expand(FRAMES, -1, -1, -1)
        given = Given(still.expand(FRAMES, -1, -1, -1), phases, goal)
        with torch.autocast("cpu", torch.bfloat16):
            return draw_motion(self.model, [prompt] * FRAMES, noise, given, steps=steps).float()


def open_studio(folder: Path) -> Studio:
    """Reads what the stages before wrote."""
    model, autoencoder = Sketch(), Autoencoder()
    fast_layout(autoencoder)
    model.load_state_dict(torch.load(folder / "flow.pt", weights_only=True))
    autoencoder.load_state_dict(torch.load(folder / "autoencoder.pt", weights_only=True))
    judge = None
    if (folder / "judge.pt").exists():
        judge = Judge()
        judge.load_state_dict(torch.load(folder / "judge.pt", weights_only=True))
    return Studio(
        model.eval(),
        autoencoder.eval(),
        Quantiser(load_palette(folder / "palette.json")),
        judge,
    )


def _pick(rng: random.Random, count: int, shape: tuple[int, int], wanted: Callable[[Scene], bool]) -> list[Scene]:
    found: list[Scene] = []
    while len(found) < count:
        scene = random_scene(rng, shape=shape, allow_held_out=True)
        if scene.subjects and wanted(scene):
            found.append(scene)
    return found


def _rows(count: int) -> Iterator[tuple[str, list[Scene], bool]]:
    """Name, scenes, and whether captions name every label."""
    rng = random.Random(31337)

    def known(scene: Scene) -> bool:
        return not held_out(scene)

    yield "square", _pick(rng, count, SQUARE, known), True
    yield "square, pairs never trained on", _pick(rng, count, SQUARE, held_out), True
    yield "square, one subject", _pick(rng, count, SQUARE, lambda s: len(s.subjects) == 1 and known(s)), True
    yield "square, two subjects", _pick(rng, count, SQUARE, lambda s: len(s.subjects) == 2 and known(s)), True
    for shape in SHAPES[1:]:
        yield f"{shape[0]} x {shape[1]}", _pick(rng, count, shape, known), True
    yield "square, one subject, terse", _pick(rng, count, SQUARE, lambda s: len(s.subjects) == 1 and known(s)), False


def measure_pictures(studio: Studio, count: int) -> dict[str, dict[str, float]]:
    """Accuracy of every label in %, for real pictures and generated ones, a row for each kind of prompt."""
    assert studio.judge is not None
    table: dict[str, dict[str, float]] = {}
    for name, scenes, full in _rows(count):
        rng = random.Random(5)
        shape = scenes[0].width, scenes[0].height
        prompts = [describe(scene, rng, full=full).text for scene in scenes]
        real = np.stack([studio.quantiser.snap(draw(scene).rgb) for scene in scenes])
        made = studio.decode(studio.stills(prompts, shape, seed=9))
        for kind, pictures in (("real", real), ("made", made)):
            tally = Tally()
            judge_pictures(studio.judge, pictures, scenes, tally)
            table[f"{name}: {kind}"] = tally.percentages()
            print(f"{name}: {kind}", table[f"{name}: {kind}"], flush=True)
    return table


def measure_motion(studio: Studio, count: int) -> dict[str, float]:
    """In % of pixels: image to clip against the renderer's own frames, a loop's seam against its other steps, and
    passages against a cross-fade."""
    rng = random.Random(4242)
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(100 * float(value))

    for seed in range(count):
        scene = random_scene(rng, shape=SQUARE, subjects=1 + seed % 2)
        frames = [draw(scene, place / FRAMES) for place in range(FRAMES)]
        real = np.stack([studio.quantiser.snap(frame.rgb) for frame in frames])
        subject = np.stack([frame.covered for frame in frames]).any(0)
        latents = studio.encode(real)
        clip = studio.decode(studio.loop(describe(scene, rng, full=True).text, latents[:1], seed))
        again = studio.decode(latents)
        wrong, wrong_again = (clip != real).any(-1), (again != real).any(-1)
        note("image to clip, wrong", wrong[1:].mean())
        note("image to clip, wrong on subjects", wrong[1:][:, subject].mean())
        note("autoencoder alone, wrong", wrong_again[1:].mean())
        note("still repeated, wrong", (real[:1] != real[1:]).any(-1).mean())
        steps = [(clip[place] != clip[(place + 1) % FRAMES]).any(-1).mean() for place in range(FRAMES)]
        note("loop: seam", steps[-1])
        note("loop: largest other step", max(steps[:-1]))
        note("loop: mean step", float(np.mean(steps[:-1])))
        _note_passage(studio, rng, seed, note)
    return {name: round(float(np.mean(values)), 2) for name, values in found.items()}


def _note_passage(studio: Studio, rng: random.Random, seed: int, note: Callable[[str, float], None]) -> None:
    first, last = random_passage(rng, SQUARE)
    shares = [place / (FRAMES - 1) for place in range(FRAMES)]
    frames = [draw_passage(first, last, share) for share in shares]
    real = np.stack([studio.quantiser.snap(frame.rgb) for frame in frames])
    latents = studio.encode(real)
    made = studio.decode(studio.loop("", latents[:1], seed, last=latents[-1:]))
    way = torch.tensor(shares)[:, None, None, None]
    faded = studio.decode((1 - way) * latents[:1] + way * latents[-1:])
    covered = np.stack([frame.covered for frame in frames])[1:-1]
    note("passage, wrong on subjects", (made != real).any(-1)[1:-1][covered].mean())
    note("cross-fade, wrong on subjects", (faded != real).any(-1)[1:-1][covered].mean())


def run(folder: Path, count: int) -> None:
    """Prints the figures and writes figures.json."""
    torch.set_num_threads(2)
    studio = open_studio(folder)
    motion = measure_motion(studio, max(4, count // 16))
    print(motion, flush=True)
    table = measure_pictures(studio, count) if studio.judge else {}
    (folder / "figures.json").write_text(json.dumps({"motion": motion, "pictures": table}, indent=1))
