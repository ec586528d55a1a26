"""The classifier that measures the model: it reads the renderer's labels from a picture.

It never sees a drawn-by-the-model picture in training, and the model never sees it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sketch_training.labels import BACKDROPS, COLOURS, MOODS, POSITIONS, SIZES, SUBJECTS, TIMES, WEATHERS
from sketch_training.networks.autoencoder import Residual

SCENE_PARTS = (len(BACKDROPS), len(TIMES), len(WEATHERS), len(MOODS), 2)
SUBJECT_PARTS = (1, len(COLOURS), len(SIZES), len(POSITIONS))
_OF_SUBJECT = (1, len(COLOURS), len(SIZES) + len(POSITIONS))
_HARDLY_THERE = 0.1
"""Cells; keeps the colour of a subject that is nowhere from being a division by nothing."""
_WIDTH = 128
_COLUMNS = 8


class Judge(nn.Module):
    """Pictures in [-1, 1], [B, 3, H, W], of any shape."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, 96, 3, padding=1),
            Residual(96),
            nn.PixelUnshuffle(2),
            nn.Conv2d(384, _WIDTH, 1),
            Residual(_WIDTH),
            Residual(_WIDTH),
            Residual(_WIDTH),
            nn.SiLU(),
        )
        self.cell_head = nn.Conv2d(_WIDTH, len(SUBJECTS) + 1, 1)
        self.colour_head = nn.Conv2d(_WIDTH, len(COLOURS), 1)
        self.scene_head = nn.Linear(_WIDTH * (_COLUMNS + 1), sum(SCENE_PARTS))
        self.subject_head = nn.Linear(_WIDTH * (_COLUMNS + 1), len(SUBJECTS) * sum(SUBJECT_PARTS))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits: scene [B, parts], subjects [B, subjects, parts], cells [B, subjects + 1, rows, columns]."""
        cells = self.body(pictures).float()
        columns = cells.amax(2)
        if columns.shape[2] != _COLUMNS:
            columns = F.interpolate(columns, _COLUMNS, mode="linear", align_corners=False)
        seen = torch.cat([columns.flatten(1), cells.mean((2, 3))], 1)
        owners = self.cell_head(cells)
        presence, colours, rest = self.subject_head(seen).view(len(seen), len(SUBJECTS), -1).split(_OF_SUBJECT, 2)
        colours = colours + self._colours_where_it_stands(cells, owners)
        return self.scene_head(seen), torch.cat([presence, colours, rest], 2), owners

    def _colours_where_it_stands(self, cells: Tensor, owners: Tensor) -> Tensor:
        """Colour logits [B, subjects, colours] from the cells of each subject: pooled over the whole picture, the
        colours of two subjects are told apart too rarely."""
        shares = owners.softmax(1)[:, 1:].flatten(2)
        told = self.colour_head(cells).flatten(2)
        weighed: Tensor = shares @ told.transpose(1, 2)
        return weighed / (shares.sum(2, keepdim=True) + _HARDLY_THERE)
