"""What the judge sees in pictures, compared with what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sketch_training.labels import COLOURS, POSITIONS, SIZES, SUBJECTS, Scene
from sketch_training.networks.autoencoder import to_input
from sketch_training.networks.judge import SCENE_PARTS, SUBJECT_PARTS, Judge
from sketch_training.stages.label_tensors import scene_labels

_LEAST_CELLS = 2
"""Cells of a connected part below which it is a stray pixel or two, not a second subject."""

Bytes = NDArray[np.uint8]
ROWS = ("backdrop", "time", "weather", "mood", "subject", "colour", "size", "position")


@dataclass
class Tally:
    """Right answers of many pictures, by label; `doubled` one entry per picture of one subject; `bound` one per subject
    of a pair: there, and in its own colour."""

    right: dict[str, list[bool]] = field(default_factory=lambda: {row: [] for row in ROWS})
    doubled: list[bool] = field(default_factory=list)
    bound: list[bool] = field(default_factory=list)

    def percentages(self) -> dict[str, float]:
        """Accuracy of each label in %, `doubled` in % of pictures; labels never seen are left out."""
        lists = {**self.right, "doubled": self.doubled, "bound": self.bound}
        return {name: round(100 * float(np.mean(values)), 1) for name, values in lists.items() if values}


@torch.no_grad()
def judge_pictures(judge: Judge, pictures: Bytes, scenes: list[Scene], tally: Tally) -> None:
    """Adds equal-sized pictures [B, H, W, 3], each asked for as the scene beside it."""
    judge.eval()
    scene_logits, subject_logits, cell_logits = judge(to_input(torch.from_numpy(np.ascontiguousarray(pictures))))
    told = [part.argmax(1) for part in scene_logits.split(SCENE_PARTS, 1)]
    wanted = scene_labels(scenes)
    for place, row in enumerate(ROWS[:4]):
        tally.right[row] += (told[place] == wanted[:, place]).tolist()
    for place, scene in enumerate(scenes):
        _judge_subjects(subject_logits[place], cell_logits[place].argmax(0), scene, tally)


def _judge_subjects(logits: Tensor, cells: Tensor, scene: Scene, tally: Tally) -> None:
    count = len(scene.subjects)
    if count == 0:
        return
    seen = set(logits[:, 0].topk(count).indices.tolist())
    for one in scene.subjects:
        number = SUBJECTS.index(one.name)
        _, colour, size, position = torch.split(logits[number], list(SUBJECT_PARTS))
        there = number in seen
        right_colour = int(colour.argmax()) == COLOURS.index(one.colour)
        tally.right["subject"].append(there)
        tally.right["colour"].append(right_colour)
        tally.right["size"].append(int(size.argmax()) == SIZES.index(one.size))
        tally.right["position"].append(int(position.argmax()) == POSITIONS.index(one.position))
        if count == 2:
            tally.bound.append(there and right_colour)
    if count == 1:
        number = SUBJECTS.index(scene.subjects[0].name) + 1
        tally.doubled.append(connected_parts((cells == number).numpy()) > 1)


def connected_parts(mask: NDArray[np.bool_]) -> int:
    """Parts of a map of cells that touch by side or corner and hold at least two cells."""
    left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    parts = 0
    while left:
        edge, size = [left.pop()], 0
        while edge:
            row, column = edge.pop()
            size += 1
            near = {(row + down, column + along) for down in (-1, 0, 1) for along in (-1, 0, 1)} & left
            left -= near
            edge += near
        parts += size >= _LEAST_CELLS
    return parts
