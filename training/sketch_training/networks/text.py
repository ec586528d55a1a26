"""Words to states. Each word of a subject's phrase learns to know that subject's colour, size and place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sketch_training.captions import NOBODY, TEXT_LENGTH
from sketch_training.labels import BACKDROPS, COLOURS, MOODS, POSITIONS, SIZES, SUBJECTS, TIMES, WEATHERS
from sketch_training.networks.attention import attend

TEXT_WIDTH = 128
_BLOCKS = 3
_HEADS = 4
_SCENE_PARTS = (len(BACKDROPS), len(TIMES), len(WEATHERS), len(MOODS), 2)
_OWNER_PARTS = (len(SUBJECTS), len(COLOURS), len(SIZES), len(POSITIONS))


@dataclass(frozen=True)
class TextStates:
    """`states` [B, TEXT_LENGTH, TEXT_WIDTH]; `mask` [B, 1, 1, TEXT_LENGTH], 0 for words and -1e4 for padding;
    `pooled` [B, TEXT_WIDTH]."""

    states: Tensor
    mask: Tensor
    pooled: Tensor


@dataclass(frozen=True)
class TextLabels:
    """What captions speak of. `scene` [B, 5]: backdrop, time, weather, mood, light. `owners` [B, TEXT_LENGTH]: index of
    the subject each word speaks of, or NOBODY. `subjects` [B, 2, 4]: name, colour, size, position; -1 where absent.
    They are on the processor, which sorts them out faster than a GPU would."""

    scene: Tensor
    owners: Tensor
    subjects: Tensor


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_mix = nn.LayerNorm(TEXT_WIDTH), nn.LayerNorm(TEXT_WIDTH)
        self.qkv = nn.Linear(TEXT_WIDTH, 3 * TEXT_WIDTH)
        self.joined = nn.Linear(TEXT_WIDTH, TEXT_WIDTH)
        self.widen, self.narrow = nn.Linear(TEXT_WIDTH, 3 * TEXT_WIDTH), nn.Linear(3 * TEXT_WIDTH, TEXT_WIDTH)
        nn.init.zeros_(self.joined.weight)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        queries, keys, values = self.qkv(self.before_attention(x)).chunk(3, -1)
        x = x + self.joined(attend(queries, keys, values, _HEADS, mask))
        mixed: Tensor = self.narrow(F.gelu(self.widen(self.before_mix(x)), approximate="tanh"))
        return x + mixed


class TextEncoder(nn.Module):
    """Word numbers [B, TEXT_LENGTH] (1 opens, 0 pads) to TextStates."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, TEXT_WIDTH)
        self.position = nn.Parameter(torch.randn(TEXT_LENGTH, TEXT_WIDTH) * 0.02)
        self.blocks = nn.ModuleList(_Block() for _ in range(_BLOCKS))
        self.normal = nn.LayerNorm(TEXT_WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.3)
        # Training only.
        self.scene_labels = nn.Linear(TEXT_WIDTH, sum(_SCENE_PARTS))
        self.owner_labels = nn.Linear(TEXT_WIDTH, sum(_OWNER_PARTS))

    def forward(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States, mask and pooled vector; a tuple because that is what a graph can answer."""
        mask = (numbers > 0).float()[:, None, None] * 1e4 - 1e4
        x = self.embedding(numbers) + self.position[: numbers.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        x = self.normal(x)
        return x, mask, x[:, 0]

    def read(self, numbers: Tensor) -> TextStates:
        """The same with names."""
        return TextStates(*self(numbers))

    def label_loss(self, text: TextStates, labels: TextLabels) -> Tensor:
        """Cross-entropy of everything the captions' words should know; a mean over labels."""
        device = text.pooled.device
        told, wanted = self.scene_labels(text.pooled).float().split(_SCENE_PARTS, 1), labels.scene.to(device)
        losses = [F.cross_entropy(part, wanted[:, place]) for place, part in enumerate(told)]
        rows, places = (labels.owners != NOBODY).nonzero(as_tuple=True)
        if len(rows):
            spoken = text.states[rows.to(device), places.to(device)]
            told = self.owner_labels(spoken).float().split(_OWNER_PARTS, 1)
            wanted = labels.subjects[rows, labels.owners[rows, places]].to(device)
            losses += [F.cross_entropy(part, wanted[:, place]) for place, part in enumerate(told)]
        return torch.stack(losses).mean()
