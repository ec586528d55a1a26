"""Pictures to latents and back: 8 × 8 pixels become one cell of 32 channels, decoded as a choice among palette colours.

Choosing colours instead of painting them keeps the pixels of pixel art crisp.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sketch_training.labels import CELL, SUBJECTS
from sketch_training.palette import COLOURS_IN_PALETTE

CHANNELS = 32
"""Channels of a latent cell."""


class Residual(nn.Module):
    """Two 3 × 3 convolutions that start as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        assert self.second.bias is not None
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.second(F.silu(self.first(F.silu(x))))
        return x + changed


class Encoder(nn.Module):
    """RGB in [-1, 1], [B, 3, H, W], to unit-variance latents [B, CHANNELS, H / 8, W / 8]."""

    def __init__(self) -> None:
        super().__init__()
        last = nn.Conv2d(128, CHANNELS, 1)
        self.deep = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, 80, 3, padding=1),
            Residual(80),
            nn.PixelUnshuffle(2),
            nn.Conv2d(320, 128, 1),
            Residual(128),
            nn.SiLU(),
            last,
        )
        self.linear = nn.Conv2d(3, CHANNELS, CELL, CELL, bias=False)
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.zeros_(last.bias)
        # The statistics of many batches make the variance one; keep it in eval mode once trained.
        self.normal = nn.BatchNorm2d(CHANNELS, affine=False, momentum=0.02)

    def forward(self, x: Tensor) -> Tensor:
        latent: Tensor = self.normal((self.deep(x) + self.linear(x)).float())
        return latent

    @torch.no_grad()
    def start_from_components(self, pictures: Tensor) -> float:
        """Sets the linear path to the principal components of 8 × 8 blocks; answers the share of variance they keep."""
        blocks = F.unfold(pictures, CELL, stride=CELL).transpose(1, 2).flatten(0, 1).float()
        blocks = blocks - blocks.mean(0)
        axes, strengths, _ = torch.linalg.svd(blocks.T @ blocks / len(blocks))
        scale = strengths[:CHANNELS].clamp(min=1e-4).sqrt()
        self.linear.weight.copy_((axes[:, :CHANNELS] / scale).T.reshape(self.linear.weight.shape))
        return float(strengths[:CHANNELS].sum() / strengths.sum())


class Decoder(nn.Module):
    """Latents to logits over the palette, [B, colours, H, W]."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(CHANNELS, 128, 3, padding=1),
            Residual(128),
            Residual(128),
            nn.Conv2d(128, 4 * 88, 1),
            nn.PixelShuffle(2),
            Residual(88),
            Residual(88),
            Residual(88),
            nn.Conv2d(88, 4 * 44, 1),
            nn.PixelShuffle(2),
            Residual(44),
            nn.SiLU(),
            nn.Conv2d(44, 4 * COLOURS_IN_PALETTE, 1),
            nn.PixelShuffle(2),
        )

    def forward(self, latent: Tensor) -> Tensor:
        logits: Tensor = self.net(latent)
        return logits


class Autoencoder(nn.Module):
    """Both halves, and a probe that keeps the subject of each cell readable from its latent (training only)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.probe = nn.Conv2d(CHANNELS, len(SUBJECTS) + 1, 1)


def fast_layout(net: nn.Module) -> None:
    """Weights in the memory layout in which convolutions run fastest on processors."""
    for parameter in net.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def to_input(rgb: Tensor) -> Tensor:
    """Bytes [B, H, W, 3] to the encoder's input [B, 3, H, W] in [-1, 1]."""
    scaled = rgb.permute(0, 3, 1, 2).float() / 127.5 - 1
    return scaled.contiguous(memory_format=torch.channels_last)
