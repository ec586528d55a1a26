"""A trained model, ready to draw: this run's own, or another one to compare it with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sketch_training.captions import vocabulary
from sketch_training.device import DEVICE, mixed, to_array, to_device
from sketch_training.labels import CELL, FRAMES
from sketch_training.networks.autoencoder import Autoencoder, fast_layout, to_input
from sketch_training.palette import Quantiser, load_palette
from sketch_training.run import load_saved
from sketch_training.sampler import Given, Sketch, draw_motion, draw_stills, noise_for

Bytes = NDArray[np.uint8]
_CHUNK = 64
SHARES = tuple(place / FRAMES for place in range(1, FRAMES))
"""Shares of the way between two stills that are drawn: those that are trained."""


@dataclass
class Studio:
    """Trained networks, and the words they know."""

    model: Sketch
    autoencoder: Autoencoder
    quantiser: Quantiser
    words: frozenset[str]

    def decode(self, latents: Tensor) -> Bytes:
        """Latents to pictures [B, H, W, 3]."""
        with torch.no_grad(), mixed():
            numbers = self.autoencoder.decoder(latents.contiguous(memory_format=torch.channels_last)).argmax(1)
        pictures: Bytes = self.quantiser.palette[to_array(numbers)]
        return pictures

    def encode(self, pictures: Bytes) -> Tensor:
        """Pictures to latents."""
        with torch.no_grad(), mixed():
            given = to_input(to_device(np.ascontiguousarray(pictures)))
            latents: Tensor = self.autoencoder.encoder(given).float()
        return latents

    def stills(
        self, prompts: list[str], shape: tuple[int, int], seed: int, steps: int = 16, guidance: float = 3.0
    ) -> Tensor:
        """Latents of pictures drawn from prompts."""
        found = []
        for start in range(0, len(prompts), _CHUNK):
            chunk = prompts[start : start + _CHUNK]
            noise = to_device(noise_for(len(chunk), shape[1] // CELL, shape[0] // CELL, seed + start))
            with mixed():
                found.append(draw_stills(self.model, chunk, noise, steps=steps, guidance=guidance).float())
        return torch.cat(found)

    def loop(self, prompt: str, still: Tensor, seed: int, steps: int = 8) -> Tensor:
        """Latents of all frames of the closed loop of a still [1, …], its start included."""
        return self._moved(prompt, still, torch.arange(FRAMES) / FRAMES, None, seed, steps)

    def way(self, prompt: str, first: Tensor, last: Tensor, seed: int, steps: int = 8) -> Tensor:
        """Latents at SHARES of the way from one still [1, …] to another."""
        return self._moved(prompt, first, torch.tensor(SHARES), last, seed, steps)

    def _moved(self, prompt: str, still: Tensor, phases: Tensor, last: Tensor | None, seed: int, steps: int) -> Tensor:
        count = len(phases)
        noise = noise_for(1, still.shape[2], still.shape[3], seed).to(still.device).expand(count, -1, -1, -1)
        goal = None if last is None else last.expand(count, -1, -1, -1)
        given = Given(still.expand(count, -1, -1, -1), phases.to(still.device), goal)
        with mixed():
            return draw_motion(self.model, [prompt] * count, noise, given, steps=steps).float()


def keep_given(drawn: Bytes, stills: list[tuple[Bytes, Bytes]]) -> Bytes:
    """Pictures [B, H, W, 3] as they are shown: what the model draws as it draws a still is taken from that still.

    `stills`: of each, the model's own drawing of it and the picture that was given, both [H, W, 3] in palette colours.
    Where several of them agree with a pixel, the first one counts. The engine does the same (`run/kept-pictures.ts`).
    """
    shown = drawn
    for rendered, given in reversed(stills):
        unchanged = (drawn == rendered).all(-1, keepdims=True)
        shown = np.where(unchanged, given, shown)
    return shown


def open_studio(folder: Path) -> Studio:
    """Reads what the stages before, or `restore`, wrote. A model of other words brings its own vocab.json."""
    listed = folder / "vocab.json"
    words: list[str] = json.loads(listed.read_text()) if listed.exists() else vocabulary()
    model, autoencoder = Sketch(words), Autoencoder()
    fast_layout(autoencoder)
    model.load_state_dict(load_saved(folder / "flow.pt"))
    autoencoder.load_state_dict(load_saved(folder / "autoencoder.pt"))
    quantiser = Quantiser(load_palette(folder / "palette.json"))
    return Studio(model.to(DEVICE).eval(), autoencoder.to(DEVICE).eval(), quantiser, frozenset(words))
