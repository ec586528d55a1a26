"""Stage 2: the text encoder alone, from captions to labels. It needs no pictures and takes a few minutes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from sketch_training.captions import describe
from sketch_training.device import DEVICE, mixed
from sketch_training.optimiser import Muon, rate_at, split_parameters
from sketch_training.run import Length, save_atomically, wait_while_paused
from sketch_training.sampler import Sketch, start_from
from sketch_training.sampling import random_scene
from sketch_training.stages.label_tensors import text_labels

NOT_MATRICES = ("embedding", "position", "labels", "cells_in", "cells_out", "probe", "offsets")
"""Parameters that Adam trains better than Muon."""
_BATCH = 96
_RATE = 0.02


def run(folder: Path, length: Length) -> None:
    """Writes text.pt."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = random.Random(3)
    model = Sketch()
    start_from(folder, model)
    model.to(DEVICE)
    optimiser = Muon(*split_parameters(model.text, NOT_MATRICES), rate=_RATE)
    losses: list[float] = []
    steps = length.steps or int(length.minutes * 400)
    for step in range(steps):
        wait_while_paused(folder)
        scenes = [random_scene(rng) for _ in range(_BATCH)]
        captions = [describe(scene, rng, full=rng.random() < 0.3) for scene in scenes]
        with mixed():
            text = model.read([caption.text for caption in captions])
            loss = model.text.label_loss(text, text_labels(model.tokenizer, scenes, captions))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step(rate_at(step / steps))
        losses.append(loss.item())
        if step % 100 == 99:
            print(f"{step + 1} loss {np.mean(losses[-100:]):.4f}", flush=True)
    save_atomically(model.text.state_dict(), folder / "text.pt")
