"""Stage 5: the judge, on the renderer's own pictures and labels."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sketch_training.device import DEVICE, mixed, to_device
from sketch_training.drawing.scene import draw
from sketch_training.labels import FRAMES, SHAPE_SHARES, SHAPES, SUBJECTS, Scene
from sketch_training.networks.autoencoder import fast_layout, to_input
from sketch_training.networks.judge import SCENE_PARTS, SUBJECT_PARTS, Judge
from sketch_training.optimiser import Muon, rate_at, split_parameters
from sketch_training.palette import Quantiser, load_palette
from sketch_training.run import Length, load_checkpoint, save_atomically, wait_while_paused
from sketch_training.sampling import random_scene
from sketch_training.stages.label_tensors import ABSENT, scene_labels, subject_labels

_BATCH = 48
_RATE = 0.02
_PRESENCE_WEIGHT = 12.0
_SAVE_STEPS = 500


def judge_loss(judge: Judge, pictures: Tensor, cells: Tensor, scenes: list[Scene]) -> Tensor:
    """Cross-entropy of every label of a batch: bytes [B, H, W, 3] and [B, rows, columns], both where the judge is."""
    device = cells.device
    with mixed():
        scene_logits, subject_logits, cell_logits = judge(to_input(pictures))
    wanted = scene_labels(scenes).to(device)
    loss = F.cross_entropy(cell_logits.float(), cells)
    for place, part in enumerate(scene_logits.float().split(SCENE_PARTS, 1)):
        loss = loss + F.cross_entropy(part, wanted[:, place])
    subjects = subject_labels(scenes)
    rows, places = (subjects[..., 0] != ABSENT).nonzero(as_tuple=True)
    present = torch.zeros(len(scenes), len(SUBJECTS))
    names = subjects[rows, places, 0]
    present[rows, names] = 1
    told = subject_logits.float()
    loss = loss + _PRESENCE_WEIGHT * F.binary_cross_entropy_with_logits(told[..., 0], present.to(device))
    of_present = told[rows.to(device), names.to(device)].split(SUBJECT_PARTS, 1)[1:]
    for place, part in enumerate(of_present, start=1):
        loss = loss + F.cross_entropy(part, subjects[rows, places, place].to(device))
    return loss


def run(folder: Path, length: Length) -> None:
    """Writes judge.pt."""
    torch.manual_seed(11)
    torch.set_num_threads(1)
    rng = random.Random(11)
    quantiser = Quantiser(load_palette(folder / "palette.json"))
    judge = Judge()
    fast_layout(judge)
    judge.to(DEVICE)
    optimiser = Muon(*split_parameters(judge, ("head",)), rate=_RATE)
    step = 0
    saved = load_checkpoint(folder / "judge.checkpoint")
    if saved is not None:
        judge.load_state_dict(saved["judge"])
        optimiser.restore(saved["optimiser"])
        step, length.done = saved["step"], saved["progress"]
        rng.seed(11 + step)
    losses: list[float] = []
    progress = length.progress(step)
    while progress < 1:
        wait_while_paused(folder)
        began = time.monotonic()
        shape = rng.choices(SHAPES, SHAPE_SHARES)[0]
        scenes = [random_scene(rng, shape=shape, allow_held_out=True) for _ in range(_BATCH)]
        frames = [draw(scene, rng.choice((0.0, rng.randrange(FRAMES) / FRAMES))) for scene in scenes]
        pictures = to_device(np.stack([quantiser.snap(frame.rgb) for frame in frames]))
        cells = to_device(np.stack([frame.cells for frame in frames])).long()
        loss = judge_loss(judge, pictures, cells, scenes)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 3.0)
        step += 1
        length.worked(time.monotonic() - began)
        progress = length.progress(step)
        optimiser.step(rate_at(progress, fall=0.6))
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"{step} {progress:.3f} loss {np.mean(losses[-100:]):.4f}", flush=True)
        if step % _SAVE_STEPS == 0:
            state = {"judge": judge.state_dict(), "optimiser": optimiser.state(), "step": step, "progress": progress}
            save_atomically(state, folder / "judge.checkpoint")
    save_atomically(judge.state_dict(), folder / "judge.pt")
