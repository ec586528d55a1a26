"""Stage 1: palette and autoencoder, on freshly drawn frames of every shape."""

from __future__ import annotations

import copy
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sketch_training.device import DEVICE, mixed, to_array, to_device
from sketch_training.drawing.scene import draw
from sketch_training.labels import FRAMES, SHAPE_SHARES, SHAPES
from sketch_training.networks.autoencoder import Autoencoder, fast_layout, to_input
from sketch_training.optimiser import Muon, follow, rate_at, split_parameters
from sketch_training.palette import COLOURS_IN_PALETTE, Quantiser, find_palette, load_palette, save_palette
from sketch_training.run import Length, Team, load_checkpoint, load_saved, save_atomically, wait_while_paused
from sketch_training.sampling import random_scene
from sketch_training.sheet import save_sheet

Bytes = NDArray[np.uint8]

RATE = 0.015
_NOISE = 0.25
"""Most noise laid on a latent in training, so that the decoder forgives what the flow gets slightly wrong."""
_SUBJECT_WEIGHT = 4.0
"""Pixels of subjects count 1 + this: they are few, and what one looks at."""
_RARE_COLOUR_POWER = -0.35
_PROBE_WEIGHT = 0.05
_REPORT_STEPS = 50
_SAVE_SECONDS = 240.0


@dataclass
class _Batch:
    rgb: Bytes
    cells: Tensor
    covered: Tensor


def _draw_batch(count: int, rng: random.Random, shape: tuple[int, int]) -> _Batch:
    frames = [draw(random_scene(rng, shape=shape), rng.randrange(FRAMES) / FRAMES) for _ in range(count)]
    return _Batch(
        np.stack([frame.rgb for frame in frames]),
        torch.from_numpy(np.stack([frame.cells for frame in frames])).long(),
        torch.from_numpy(np.stack([frame.covered for frame in frames])).float(),
    )


def _colour_weights(quantiser: Quantiser, scenes: int) -> Tensor:
    """Weight of each palette colour: rare ones count more, one on average."""
    rng = random.Random(3)
    counts = np.full(COLOURS_IN_PALETTE, 200.0)
    for shape in SHAPES:
        numbers = quantiser.numbers(_draw_batch(scenes, rng, shape).rgb)
        counts += np.bincount(numbers.ravel(), minlength=COLOURS_IN_PALETTE)
    shares = counts / counts.sum()
    weights = shares**_RARE_COLOUR_POWER
    return torch.from_numpy(weights / (weights * shares).sum()).float()


class _Trainer:
    def __init__(self, folder: Path, team: Team, quantiser: Quantiser, rate: float) -> None:
        self.team, self.folder, self.quantiser = team, folder, quantiser
        torch.manual_seed(team.rank)
        self.net = Autoencoder()
        if (folder / "autoencoder.start.pt").exists():
            self.net.load_state_dict(load_saved(folder / "autoencoder.start.pt"))
        else:
            rng = random.Random(0)
            shown = np.stack([draw(random_scene(rng, shape=SHAPES[0]), 0.3).rgb for _ in range(800)])
            self.net.encoder.start_from_components(to_input(torch.from_numpy(shown)))
        team.agree(self.net)
        fast_layout(self.net)
        self.net.to(DEVICE)
        self.average = copy.deepcopy(self.net)
        self.optimiser = Muon(*split_parameters(self.net, ("linear",)), rate=rate)
        self.weights = to_device(_colour_weights(quantiser, 150))
        self.step = 0

    def resume(self, length: Length) -> None:
        saved = load_checkpoint(self.folder / "autoencoder.checkpoint")
        if saved is None:
            return
        self.net.load_state_dict(saved["net"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.restore(saved["optimiser"])
        self.step, length.done = saved["step"], saved["progress"]

    def save(self, progress: float) -> None:
        save_atomically(self.average.state_dict(), self.folder / "autoencoder.pt")
        save_atomically(
            {
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state(),
                "step": self.step,
                "progress": progress,
            },
            self.folder / "autoencoder.checkpoint",
        )

    def loss(self, batch: _Batch) -> Tensor:
        target = to_device(self.quantiser.numbers(batch.rgb)).long()
        cells, covered = to_device(batch.cells), to_device(batch.covered)
        with mixed():
            latent = self.net.encoder(to_input(to_device(batch.rgb)))
            noise = torch.rand(len(latent), 1, 1, 1, device=latent.device) * _NOISE
            noisy = latent + noise * torch.randn_like(latent)
            logits, probed = self.net.decoder(noisy), self.net.probe(noisy)
        weight = self.weights[target] * (1 + _SUBJECT_WEIGHT * covered)
        pixels = F.cross_entropy(logits.float(), target, reduction="none")
        return (pixels * weight).sum() / weight.sum() + _PROBE_WEIGHT * F.cross_entropy(probed.float(), cells)


def exact_pixels(net: Autoencoder, rgb: Bytes, noise: float) -> Bytes:
    """The pictures after encoding and decoding, as palette numbers."""
    with torch.no_grad(), mixed():
        latent = net.encoder(to_input(to_device(rgb)))
        numbers = net.decoder(latent + noise * torch.randn_like(latent)).argmax(1).byte()
    return to_array(numbers)


def measure(net: Autoencoder, quantiser: Quantiser, folder: Path) -> str:
    """Share of exact pixels over all, and over subjects, without and with noise, for each shape; and a sheet."""
    rng, results = random.Random(99), []
    net.eval()
    for shape, count in zip(SHAPES, (48, 24, 24), strict=True):
        batch = _draw_batch(count, rng, shape)
        target, covered = quantiser.numbers(batch.rgb), batch.covered.numpy() > 0
        clean = exact_pixels(net, batch.rgb, 0.0)
        noisy = exact_pixels(net, batch.rgb, 0.2)
        rights = [(clean == target).mean(), (noisy == target).mean(), (clean == target)[covered].mean()]
        results.append(f"{shape[0]}x{shape[1]} " + " ".join(f"{100 * right:.1f}" for right in rights))
        if shape == SHAPES[0]:
            trios = [picture for k in range(12) for picture in _trio(quantiser, batch.rgb[k], clean[k], noisy[k])]
            save_sheet(trios, 12, folder / "autoencoder.png")
    net.train()
    return "exact % (all, with noise, subjects): " + "; ".join(results)


def _trio(quantiser: Quantiser, rgb: Bytes, clean: Bytes, noisy: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    return rgb, quantiser.palette[clean], quantiser.palette[noisy]


def run(folder: Path, length: Length, batch: int = 20, rate: float = RATE, palette_scenes: int = 6000) -> None:
    """Trains until `length` is reached; writes palette.json, autoencoder.pt and a checkpoint to the folder.

    Weights in autoencoder.start.pt, if there are any, are where it starts."""
    team = Team()
    palette_path = folder / "palette.json"
    if team.leads and not palette_path.exists():
        save_palette(find_palette(palette_scenes), palette_path)
    while not palette_path.exists():
        time.sleep(1)
    quantiser = Quantiser(load_palette(palette_path))
    trainer = _Trainer(folder, team, quantiser, rate)
    trainer.resume(length)
    rng, shapes = random.Random(5 + 1000 * team.rank + trainer.step), random.Random(1 + trainer.step)
    parameters = list(trainer.net.parameters())
    progress, saved_at, losses = length.progress(trainer.step), time.monotonic(), []
    started = time.monotonic()
    while progress < 1:
        wait_while_paused(folder)
        began = time.monotonic()
        loss = trainer.loss(_draw_batch(batch, rng, shapes.choices(SHAPES, SHAPE_SHARES)[0]))
        loss.backward()  # type: ignore[no-untyped-call]
        progress = team.average_gradients(parameters, length.progress(trainer.step + 1))
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        trainer.optimiser.step(rate_at(progress, fall=0.5))
        trainer.step += 1
        length.worked(time.monotonic() - began)
        follow(trainer.average, trainer.net, trainer.step, 0.995)
        if not team.leads:
            continue
        losses.append(loss.item())
        if trainer.step % _REPORT_STEPS == 0:
            speed = _REPORT_STEPS * batch * team.world / (time.monotonic() - started)
            recent = np.mean(losses[-_REPORT_STEPS:])
            print(f"{trainer.step} {progress:.3f} loss {recent:.4f} {speed:.0f}/s", flush=True)
            started = time.monotonic()
        if progress >= 1 or time.monotonic() - saved_at > _SAVE_SECONDS:
            trainer.save(progress)
            print("  " + measure(trainer.average, quantiser, folder), flush=True)
            saved_at = started = time.monotonic()
