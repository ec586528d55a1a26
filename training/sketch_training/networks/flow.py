"""The flow-matching transformer: the velocity from noise to a latent picture, for any grid of cells.

One network draws stills from text, the motion of a still, and the way from one still to another: what is given beside
the noisy latent decides.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sketch_training.labels import COLOURS, SUBJECTS
from sketch_training.networks.attention import attend
from sketch_training.networks.autoencoder import CHANNELS
from sketch_training.networks.text import TEXT_WIDTH

_WIDTH = 192
_DEPTH = 6
_SELF_HEADS = 3
_CROSS_HEADS = 6
_CONDITION_WIDTH = 64
_FARTHEST = 10
"""Offsets between cells beyond this share one bias."""
_TIME_WAVES = 32
_HIGHEST_WAVE = 64.0
_PHASE_WAVES = 4
_PLACE_WAVES = (1, 2, 3, 4, 6, 8)
_PLACE_FEATURES = 4 * len(_PLACE_WAVES) + 8
_PROBED_BLOCK = 2


class _Block(nn.Module):
    """Self-attention with a learned bias by offset, attention to the words, and a mixing layer, all modulated by the
    condition."""

    def __init__(self) -> None:
        super().__init__()
        self.normal = nn.LayerNorm(_WIDTH, elementwise_affine=False)
        self.qkv = nn.Linear(_WIDTH, 3 * _WIDTH, bias=False)
        self.joined = nn.Linear(_WIDTH, _WIDTH)
        self.word_queries = nn.Linear(_WIDTH, _WIDTH, bias=False)
        self.word_keys_values = nn.Linear(TEXT_WIDTH, 2 * _WIDTH, bias=False)
        self.word_joined = nn.Linear(_WIDTH, _WIDTH)
        self.widen, self.narrow = nn.Linear(_WIDTH, 4 * _WIDTH), nn.Linear(4 * _WIDTH, _WIDTH)
        self.modulation = nn.Linear(_CONDITION_WIDTH, 6 * _WIDTH)
        # The same drawing works at every place and in every grid, because only offsets are learned.
        self.offsets = nn.Parameter(torch.zeros((2 * _FARTHEST + 1) ** 2, _SELF_HEADS))
        for layer in (self.joined, self.word_joined, self.narrow, self.modulation):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.modulation.bias[2 * _WIDTH : 3 * _WIDTH] = 1
            self.modulation.bias[5 * _WIDTH :] = 1

    def forward(self, x: Tensor, condition: Tensor, states: Tensor, mask: Tensor, pairs: Tensor) -> Tensor:
        scale1, shift1, gate1, scale2, shift2, gate2 = self.modulation(condition)[:, None].chunk(6, -1)
        cells = x.shape[1]
        bias = F.embedding(pairs, self.offsets).view(cells, cells, -1).permute(2, 0, 1)[None]
        queries, keys, values = self.qkv(self.normal(x) * (1 + scale1) + shift1).chunk(3, -1)
        x = x + gate1 * self.joined(attend(queries, keys, values, _SELF_HEADS, bias))
        keys, values = self.word_keys_values(states).chunk(2, -1)
        x = x + self.word_joined(attend(self.word_queries(self.normal(x)), keys, values, _CROSS_HEADS, mask))
        mixed: Tensor = self.narrow(F.gelu(self.widen(self.normal(x) * (1 + scale2) + shift2), approximate="tanh"))
        result: Tensor = x + gate2 * mixed
        return result


def grid_features(rows: int, columns: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Fixed features of every cell, [cells, features]: waves of its relative place, its distances to the edges and the
    grid's shape; and for every pair of cells the index of their offset, [cells × cells]."""
    y = torch.arange(rows, device=device).float()[:, None].expand(rows, columns).reshape(-1)
    x = torch.arange(columns, device=device).float()[None].expand(rows, columns).reshape(-1)
    # As tensors, so that a traced graph keeps them free.
    high, broad = torch.ones(1, device=device) * rows, torch.ones(1, device=device) * columns
    u, v, one = (x + 0.5) / broad, (y + 0.5) / high, torch.ones_like(x)
    features = [
        part(math.pi * turns * place) for place in (u, v) for turns in _PLACE_WAVES for part in (torch.sin, torch.cos)
    ]
    features += [u * 2 - 1, v * 2 - 1, x / 8 - 0.5, y / 8 - 0.5]
    features += [(broad - 1 - x) / 8 - 0.5, (high - 1 - y) / 8 - 0.5, one * (broad / 8 - 1), one * (high / 8 - 1)]
    down = (y[:, None] - y[None]).clamp(-_FARTHEST, _FARTHEST) + _FARTHEST
    along = (x[:, None] - x[None]).clamp(-_FARTHEST, _FARTHEST) + _FARTHEST
    return torch.stack(features, 1), (down * (2 * _FARTHEST + 1) + along).long().reshape(-1)


def _time_waves(time: Tensor) -> Tensor:
    turns = torch.exp(torch.linspace(0, math.log(_HIGHEST_WAVE), _TIME_WAVES, device=time.device)) * math.pi
    angles = time[:, None] * turns
    return torch.cat([angles.sin(), angles.cos()], 1)


def _phase_waves(phase: Tensor) -> Tensor:
    angle = 2 * math.pi * phase[:, None]
    return torch.cat([part(angle * turn) for turn in range(1, _PHASE_WAVES + 1) for part in (torch.sin, torch.cos)], 1)


class Flow(nn.Module):
    """Velocity of a latent picture on its way from noise (time 0) to data (time 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.cells_in = nn.Linear(3 * CHANNELS, _WIDTH)
        self.place_in = nn.Linear(_PLACE_FEATURES, _WIDTH)
        self.time_in, self.time_mixed = nn.Linear(2 * _TIME_WAVES, _WIDTH), nn.Linear(_WIDTH, _WIDTH)
        self.phase_in = nn.Linear(2 * _PHASE_WAVES, _WIDTH)
        self.text_in = nn.Linear(TEXT_WIDTH, _WIDTH)
        self.still_flag = nn.Parameter(torch.zeros(_WIDTH))
        self.last_flag = nn.Parameter(torch.zeros(_WIDTH))
        self.condition = nn.Linear(_WIDTH, _CONDITION_WIDTH)
        self.blocks = nn.ModuleList(_Block() for _ in range(_DEPTH))
        self.normal = nn.LayerNorm(_WIDTH, elementwise_affine=False)
        self.last_modulation = nn.Linear(_CONDITION_WIDTH, 2 * _WIDTH)
        self.cells_out = nn.Linear(_WIDTH, CHANNELS)
        # Training only: which subject and which colour a cell will hold, read from the middle of the network.
        self.probe = nn.Linear(_WIDTH, len(SUBJECTS) + 1 + len(COLOURS) + 1)
        for layer in (self.cells_out, self.last_modulation):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, *given: Tensor) -> Tensor:
        """The velocity, shaped as x; takes what `probed` takes."""
        return self.probed(*given)[0]

    def probed(
        self,
        x: Tensor,
        t: Tensor,
        states: Tensor,
        mask: Tensor,
        pooled: Tensor,
        phase: Tensor,
        ref: Tensor,
        has_ref: Tensor,
        last: Tensor,
        has_last: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """x, ref, last: [B, CHANNELS, rows, columns]; t, phase, has_ref, has_last: [B]; the rest as TextStates.
        `ref` is the still a motion starts from, `last` the one it arrives at. Answers the velocity, shaped as x, and
        the states of the middle block, [B, cells, width]."""
        given = [x, ref * has_ref[:, None, None, None], last * has_last[:, None, None, None]]
        features, pairs = grid_features(x.shape[2], x.shape[3], x.device)
        condition = self.time_mixed(F.silu(self.time_in(_time_waves(t)))) + self.text_in(pooled)
        condition = condition + self.phase_in(_phase_waves(phase))
        condition = condition + has_ref[:, None] * self.still_flag + has_last[:, None] * self.last_flag
        condition = self.condition(F.silu(condition))
        cells = self.cells_in(torch.cat(given, 1).flatten(2).transpose(1, 2)) + self.place_in(features)
        middle = cells
        for place, block in enumerate(self.blocks):
            cells = block(cells, condition, states, mask, pairs)
            if place == _PROBED_BLOCK:
                middle = cells
        scale, shift = self.last_modulation(condition)[:, None].chunk(2, -1)
        velocity = self.cells_out(self.normal(cells) * (1 + scale) + shift)
        return velocity.transpose(1, 2).reshape(x.shape), middle

    def probe_loss(self, middle: Tensor, subjects: Tensor, colours: Tensor) -> Tensor:
        """Cross-entropy of subject and colour of every cell; both [B, cells], 0 where there is none."""
        told = self.probe(middle).float().flatten(0, 1)
        split = len(SUBJECTS) + 1
        loss = F.cross_entropy(told[:, :split], subjects.flatten())
        return loss + 0.6 * F.cross_entropy(told[:, split:], colours.flatten())
