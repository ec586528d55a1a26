"""Labels of scenes and captions as tensors, on the processor."""

from __future__ import annotations

import torch
from torch import Tensor

from sketch_training.captions import Caption, Tokenizer
from sketch_training.labels import BACKDROPS, COLOURS, MOODS, POSITIONS, SIZES, SUBJECTS, TIMES, WEATHERS, Scene
from sketch_training.networks.text import TextLabels

ABSENT = -1
MOST_SUBJECTS = 2


def scene_labels(scenes: list[Scene]) -> Tensor:
    """[B, 5]: backdrop, time, weather, mood, light."""
    return torch.tensor(
        [
            [
                BACKDROPS.index(scene.backdrop),
                TIMES.index(scene.time),
                WEATHERS.index(scene.weather),
                MOODS.index(scene.mood),
                int(scene.light),
            ]
            for scene in scenes
        ]
    )


def subject_labels(scenes: list[Scene]) -> Tensor:
    """[B, MOST_SUBJECTS, 4]: name, colour, size, position; ABSENT where there is no such subject."""
    found = torch.full((len(scenes), MOST_SUBJECTS, 4), ABSENT)
    for row, scene in enumerate(scenes):
        for place, one in enumerate(scene.subjects):
            found[row, place] = torch.tensor(
                [
                    SUBJECTS.index(one.name),
                    COLOURS.index(one.colour),
                    SIZES.index(one.size),
                    POSITIONS.index(one.position),
                ]
            )
    return found


def text_labels(tokenizer: Tokenizer, scenes: list[Scene], captions: list[Caption]) -> TextLabels:
    """What the captions' words should know of the scenes."""
    owners = torch.tensor([tokenizer.owners(caption) for caption in captions])
    return TextLabels(scene_labels(scenes), owners, subject_labels(scenes))


def cell_colours(cells: Tensor, scenes: list[Scene]) -> Tensor:
    """[B, rows, columns] numbers of subjects (0 none) to numbers of their colours (0 none), on the same device."""
    table = torch.zeros(len(scenes), len(SUBJECTS) + 1, dtype=torch.long)
    for row, scene in enumerate(scenes):
        for one in scene.subjects:
            table[row, SUBJECTS.index(one.name) + 1] = COLOURS.index(one.colour) + 1
    return table.to(cells.device).gather(1, cells.flatten(1)).view(cells.shape)
