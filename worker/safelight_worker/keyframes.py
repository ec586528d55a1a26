"""Known frames of a clip: conditions of video weights at any frames, and runs that begin with a still clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from diffusers import WanImageToVideoPipeline, WanVACEPipeline
from PIL import Image


@dataclass(frozen=True)
class Keyframe:
    """A picture of the clip's size at a frame (0-based), held with `strength` 0..1."""

    index: int
    picture: Image.Image
    strength: float = 1.0


def checked(keyframes: Sequence[Keyframe], frames: int) -> dict[int, Keyframe]:
    """Keyframes by index, in order; -1 is the last frame. ValueError for none, two at one frame, or one outside."""
    result: dict[int, Keyframe] = {}
    for keyframe in keyframes:
        index = keyframe.index + frames if keyframe.index < 0 else keyframe.index
        if not 0 <= index < frames:
            raise ValueError(f"Frame {keyframe.index} lies outside of {frames} frames")
        if index in result:
            raise ValueError(f"Two pictures for frame {index}")
        result[index] = keyframe
    if not result:
        raise ValueError("There is no keyframe")
    return dict(sorted(result.items()))


def still_frames(keyframes: Mapping[int, Keyframe], frames: int) -> list[Image.Image]:
    """A clip of `frames` frames in which nothing moves: every frame is its nearest keyframe, the earlier of two."""
    return [
        keyframes[min(keyframes, key=lambda index, frame=frame: (abs(index - frame), index))].picture  # type: ignore[misc]
        for frame in range(frames)
    ]


def latent_statistics(vae: Any, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and reciprocal deviation of the latents, (1, C, 1, 1, 1), computed as the library's pipelines do."""
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(like.device, like.dtype)
    inverse = 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(like.device, like.dtype)
    return mean, inverse


def mixed_with_still(
    pipe: Any, still: Sequence[Image.Image], noise: torch.Tensor, height: int, width: int
) -> torch.Tensor:
    """Latents of a still clip at the noise level of the scheduler's first step. `noise`: (1, C, f, h, w), float32."""
    level = float(pipe.scheduler.sigmas[0])
    clip = torch.stack([pipe.video_processor.preprocess(frame, height=height, width=width)[0] for frame in still], 1)
    encoded = pipe.vae.encode(clip.unsqueeze(0).to(noise.device, pipe.vae.dtype)).latent_dist.mode()
    mean, inverse = latent_statistics(pipe.vae, noise)
    mixed: torch.Tensor = (1 - level) * ((encoded.to(noise.device, noise.dtype) - mean) * inverse) + level * noise
    return mixed


class KeyframePipeline(WanImageToVideoPipeline):  # type: ignore[misc,unused-ignore]
    """Picture to video with pictures at any frames.

    One picture at frame 0 is the library's picture to video, one at either end its first-and-last-frame, byte for byte.
    Set `keyframes`, and `still` for a run that begins with a still clip, before the call; both are of one call.
    """

    keyframes: Mapping[int, Keyframe] = {}
    still: Sequence[Image.Image] = ()

    def prepare_latents(
        self,
        image: torch.Tensor,
        batch_size: int,
        num_channels_latents: int = 16,
        height: int = 480,
        width: int = 832,
        num_frames: int = 81,
        dtype: torch.dtype | None = None,
        device: torch.device | None = None,
        generator: torch.Generator | None = None,
        latents: torch.Tensor | None = None,
        last_image: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Noise, and the condition: a mask of four channels and the latents of a clip empty but for the keyframes."""
        rows, columns = height // self.vae_scale_factor_spatial, width // self.vae_scale_factor_spatial
        per_latent = self.vae_scale_factor_temporal
        shape = (1, num_channels_latents, (num_frames - 1) // per_latent + 1, rows, columns)
        if latents is None:
            place = "cpu" if generator is None else generator.device
            latents = torch.randn(shape, generator=generator, device=place, dtype=dtype)
        latents = latents.to(device=device, dtype=dtype)
        video = torch.zeros(1, 3, num_frames, height, width, device=device)
        mask = torch.zeros(1, 1, num_frames, rows, columns)
        for index, keyframe in self.keyframes.items():
            video[:, :, index] = self.video_processor.preprocess(keyframe.picture, height=height, width=width)[0].to(
                device
            )
            mask[:, :, index] = keyframe.strength
        mean, inverse = latent_statistics(self.vae, latents)
        encoded = self.vae.encode(video.to(self.vae.dtype)).latent_dist.mode()
        condition = (encoded.to(device=device, dtype=dtype) - mean) * inverse
        mask = torch.cat([mask[:, :, :1].repeat_interleave(per_latent, 2), mask[:, :, 1:]], 2)
        mask = mask.view(1, -1, per_latent, rows, columns).transpose(1, 2).to(device=device, dtype=dtype)
        if self.still:
            latents = mixed_with_still(self, self.still, latents, height, width)
        return latents, torch.cat([mask, condition], 1)


class StillVacePipeline(WanVACEPipeline):  # type: ignore[misc,unused-ignore]
    """The library's VACE pipeline that can begin with a still clip. Set `still` before the call."""

    still: Sequence[Image.Image] = ()

    def prepare_latents(
        self,
        batch_size: int,
        num_channels_latents: int,
        height: int,
        width: int,
        num_frames: int,
        *rest: Any,
        **named: Any,
    ) -> torch.Tensor:
        """Noise, or the still clip at the noise level of the first step."""
        latents: torch.Tensor = super().prepare_latents(
            batch_size, num_channels_latents, height, width, num_frames, *rest, **named
        )
        return mixed_with_still(self, self.still, latents, height, width) if self.still else latents


GREY = (128, 128, 128)


def vace_condition(
    keyframes: Mapping[int, Keyframe], frames: int, width: int, height: int
) -> tuple[list[Image.Image], list[Image.Image]]:
    """Control video and masks for VACE: known frames with a black mask, else grey and white."""
    empty, free = Image.new("RGB", (width, height), GREY), Image.new("L", (width, height), 255)
    known = Image.new("L", (width, height), 0)
    video, masks = [empty] * frames, [free] * frames
    for index, keyframe in keyframes.items():
        video[index], masks[index] = keyframe.picture, known
    return video, masks


def vace_scale(pipe: Any, keyframes: Mapping[int, Keyframe], frames: int, places: int) -> float | torch.Tensor:
    """How far VACE's hints are followed: each keyframe's strength at its frame, straight lines between them.

    1.0 where every strength is 1, else (layers, 1, latent frames · places, 1); `places` are those of a latent frame.
    The library cuts masks to black and white and passes over that of the first frame, so they cannot say it.
    """
    strengths = [keyframe.strength for keyframe in keyframes.values()]
    if all(strength == 1 for strength in strengths):
        return 1.0
    apart = pipe.vae_scale_factor_temporal
    held = numpy.interp(range(0, frames, apart), list(keyframes), strengths)
    row = torch.tensor(held, dtype=torch.float32).repeat_interleave(places).view(1, 1, -1, 1)
    return row.repeat(len(pipe.transformer.config.vace_layers), 1, 1, 1)
