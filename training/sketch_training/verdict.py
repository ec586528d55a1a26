"""What the judge sees in pictures, compared with what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sketch_training.device import to_device
from sketch_training.labels import COLOURS, POSITIONS, SIZES, SUBJECTS, Scene
from sketch_training.networks.autoencoder import to_input
from sketch_training.networks.judge import SCENE_PARTS, SUBJECT_PARTS, Judge
from sketch_training.stages.label_tensors import scene_labels

_LEAST_CELLS = 2
"""Cells of a connected part below which it is a stray pixel or two, not a second subject."""

Bytes = NDArray[np.uint8]
ROWS = ("backdrop", "time", "weather", "mood", "subject", "colour", "size", "position")
_COUNTED = ("doubled", "second thing", "bound", "both bound", "swapped")
FAULTS = ("doubled", "second thing", "swapped")
"""Where less is better."""


@dataclass
class Tally:
    """Right answers of many pictures, by label, and beside them:

    - doubled, second thing: one entry per picture of one subject; that subject in two parts, or anything beside it
    - bound: one per subject of a pair; there, and in its own colour
    - both bound, swapped: one per pair; both of them, or one that is there in the other's colour
    """

    right: dict[str, list[bool]] = field(default_factory=lambda: {row: [] for row in (*ROWS, *_COUNTED)})

    def percentages(self) -> dict[str, float]:
        """Share of each list in %; what was never asked is left out."""
        return {name: round(100 * float(np.mean(values)), 1) for name, values in self.right.items() if values}


@torch.no_grad()
def judge_pictures(judge: Judge, pictures: Bytes, scenes: list[Scene], tally: Tally) -> None:
    """Adds equal-sized pictures [B, H, W, 3], each asked for as the scene beside it."""
    judge.eval()
    told = judge(to_input(to_device(np.ascontiguousarray(pictures))))
    scene_logits, subject_logits, cell_logits = (logits.cpu() for logits in told)
    answers = [part.argmax(1) for part in scene_logits.split(SCENE_PARTS, 1)]
    wanted = scene_labels(scenes)
    for place, row in enumerate(ROWS[:4]):
        tally.right[row] += (answers[place] == wanted[:, place]).tolist()
    for place, scene in enumerate(scenes):
        judge_subjects(subject_logits[place], cell_logits[place].argmax(0), scene, tally)


def judge_subjects(logits: Tensor, cells: Tensor, scene: Scene, tally: Tally) -> None:
    """Adds what the judge says of one picture: logits [subjects, parts], numbers of the cells [rows, columns]."""
    count = len(scene.subjects)
    if count == 0:
        return
    seen = set(logits[:, 0].topk(count).indices.tolist())
    right = tally.right
    bound, swapped = [], []
    for one, other in zip(scene.subjects, reversed(scene.subjects), strict=True):
        number = SUBJECTS.index(one.name)
        _, colour, size, position = torch.split(logits[number], list(SUBJECT_PARTS))
        there, painted = number in seen, COLOURS[int(colour.argmax())]
        right["subject"].append(there)
        right["colour"].append(painted == one.colour)
        right["size"].append(int(size.argmax()) == SIZES.index(one.size))
        right["position"].append(int(position.argmax()) == POSITIONS.index(one.position))
        bound.append(there and painted == one.colour)
        swapped.append(there and painted == other.colour != one.colour)
    if count == 2:
        right["bound"] += bound
        right["both bound"].append(all(bound))
        right["swapped"].append(any(swapped))
    else:
        number = SUBJECTS.index(scene.subjects[0].name) + 1
        right["doubled"].append(connected_parts((cells == number).numpy()) > 1)
        right["second thing"].append(connected_parts((cells > 0).numpy()) > 1)


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
