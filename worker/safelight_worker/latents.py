"""Pictures from latents by a linear map, fitted to the loaded autoencoder: fast enough for every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from PIL import Image

PREVIEW_SIDE = 384
"""Longer side of a preview in pixels, at most."""

Pixels = NDArray[numpy.float32]


@dataclass(frozen=True)
class LatentMap:
    """Weights (C, 3) and bias (3) from normalised latents to colours in -1..1."""

    weights: Pixels
    bias: Pixels

    def pictures(self, latents: torch.Tensor) -> list[Image.Image]:
        """One small RGB picture per latent frame. `latents`: (C, h, w) or (C, f, h, w), as the sampler sees them."""
        frames = latents.unsqueeze(1) if latents.ndim == 3 else latents
        values = frames.detach().to("cpu", torch.float32).permute(1, 2, 3, 0).numpy()
        colours = values @ self.weights + self.bias
        pixels = (numpy.nan_to_num(colours).clip(-1, 1) * 127.5 + 127.5).round().astype(numpy.uint8)
        return [_enlarged(Image.fromarray(frame)) for frame in pixels]


def _enlarged(picture: Image.Image) -> Image.Image:
    factor = max(1, min(4, PREVIEW_SIDE // max(picture.size)))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.BICUBIC)


def fit_map(latents: Pixels, colours: Pixels) -> LatentMap:
    """The least-squares map. `latents` (N, C), `colours` (N, 3) in -1..1."""
    known = numpy.concatenate([latents, numpy.ones((len(latents), 1), numpy.float32)], 1)
    solved = numpy.linalg.lstsq(known, colours, rcond=None)[0].astype(numpy.float32)
    return LatentMap(solved[:-1], solved[-1])


def picture_map(vae: Any, size: int = 64) -> LatentMap:
    """The map of a picture autoencoder with `scaling_factor` and maybe `shift_factor`."""
    shift = vae.config.shift_factor or 0.0
    device, usual = _where(vae)
    # Some autoencoders overflow in half precision and say so; their pipelines lift them for a moment too.
    dtype = torch.float32 if usual == torch.float16 and vae.config.force_upcast else usual
    samples = _test_pictures(size)
    vae.to(dtype)
    with torch.no_grad():
        raw = vae.encode(samples.to(device, dtype)).latent_dist.mode()
        made = vae.decode(raw, return_dict=False)[0]
    vae.to(usual)
    return _fitted((raw - shift) * vae.config.scaling_factor, made)


def video_map(vae: Any, size: int = 64) -> LatentMap:
    """The map of a video autoencoder with `latents_mean` and `latents_std`, from clips of one frame."""
    device, dtype = _where(vae)
    samples = _test_pictures(size).unsqueeze(2)
    with torch.no_grad():
        raw = vae.encode(samples.to(device, dtype)).latent_dist.mode()
        made = vae.decode(raw, return_dict=False)[0]
    mean, std = (torch.tensor(values, device=raw.device).view(1, -1, 1, 1) for values in _statistics(vae))
    return _fitted((raw[:, :, 0].float() - mean) / std, made[:, :, 0])


def _statistics(vae: Any) -> tuple[Any, Any]:
    return vae.config.latents_mean, vae.config.latents_std


def _where(vae: Any) -> tuple[torch.device, torch.dtype]:
    """Device and type that the autoencoder runs with; one that is held elsewhere between runs says so by its hook."""
    hook = getattr(vae, "_hf_hook", None)
    device = getattr(hook, "execution_device", None)
    return torch.device(device if device is not None else vae.device), vae.dtype


def _fitted(latents: torch.Tensor, made: torch.Tensor) -> LatentMap:
    small = torch.nn.functional.adaptive_avg_pool2d(made.float(), (latents.shape[-2], latents.shape[-1]))
    flat = latents.float().permute(0, 2, 3, 1).reshape(-1, latents.shape[1]).cpu().numpy()
    colours = small.permute(0, 2, 3, 1).reshape(-1, 3).cpu().numpy()
    sound = numpy.isfinite(flat).all(1) & numpy.isfinite(colours).all(1)
    return fit_map(flat[sound], colours[sound])


def _test_pictures(size: int) -> torch.Tensor:
    """Sixteen pictures with gradients, waves and patches of every colour: (16, 3, size, size) in -1..1."""
    line = torch.linspace(-1, 1, size)
    down, across = torch.meshgrid(line, line, indexing="ij")
    pictures = []
    for index in range(16):
        angle = index * math.pi / 8
        slope = across * math.cos(angle) + down * math.sin(angle)
        channels = [
            torch.sin((slope + channel * 0.7) * (1 + index % 4)) * 0.8 + (0.2 if (index >> channel) & 1 else -0.2)
            for channel in range(3)
        ]
        pictures.append(torch.stack(channels))
    return torch.stack(pictures).clamp(-1, 1)
