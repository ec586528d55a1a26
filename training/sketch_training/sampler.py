"""From noise to pictures: Euler steps along the flow, as the engine takes them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sketch_training.captions import Tokenizer, vocabulary
from sketch_training.networks.autoencoder import CHANNELS
from sketch_training.networks.flow import Flow
from sketch_training.networks.text import TextEncoder, TextStates
from sketch_training.run import load_saved

PICTURE_POWER = 2.0
"""A still's times are (step / steps) to this power: its layout is decided very early."""
RAMP_END = 0.3
"""Guidance grows from 1 to its full scale until this time; in full from the start it doubles subjects."""
RAMP_START = 0.02
BRIDGE_NOISE = 0.2
"""Noise laid on a still where its motion starts."""


class Sketch(nn.Module):
    """The two networks that are trained together; `words` are those of a model of another vocabulary."""

    def __init__(self, words: list[str] | None = None) -> None:
        super().__init__()
        words = words or vocabulary()
        self.tokenizer = Tokenizer(words)
        self.text = TextEncoder(len(words))
        self.flow = Flow()

    def read(self, prompts: list[str]) -> TextStates:
        """Encoded prompts, where the weights are."""
        numbers = [self.tokenizer.encode(prompt) for prompt in prompts]
        return self.text.read(torch.tensor(numbers, device=self.text.position.device))


def start_from(folder: Path, model: Sketch) -> None:
    """Takes the weights of flow.start.pt, if there are any."""
    path = folder / "flow.start.pt"
    if path.exists():
        model.load_state_dict(load_saved(path))


@dataclass(frozen=True)
class Given:
    """What a motion is drawn from: stills [B, CHANNELS, rows, columns], phases [B], and the still to arrive at."""

    still: Tensor
    phases: Tensor
    last: Tensor | None = None


def draw_stills(
    model: Sketch,
    prompts: list[str],
    noise: Tensor,
    *,
    steps: int = 16,
    guidance: float = 3.0,
    avoided: str = "",
    initial: Tensor | None = None,
    strength: float = 1.0,
) -> Tensor:
    """Latents of stills, guided away from `avoided`. With `initial`, the way starts at that latent, `strength` (0 to 1)
    of it away."""
    start_at = 1 - strength
    start = noise
    if initial is not None:
        share = start_at**PICTURE_POWER
        start = (1 - share) * noise + share * initial
    count = max(1, round(steps * strength))
    times = [(start_at + (1 - start_at) * step / count) ** PICTURE_POWER for step in range(count + 1)]
    empty = torch.zeros(len(noise), device=noise.device)
    given = Given(torch.zeros_like(noise), empty)
    return _flow(model, prompts, start, times, guidance, given, has_still=empty, avoided=avoided)


def draw_motion(model: Sketch, prompts: list[str], noise: Tensor, given: Given, *, steps: int = 8) -> Tensor:
    """Latents of the stills' motion at their phases; with `last`, of the way to it. Phase is the share of the way."""
    start = given.still
    if given.last is not None:
        share = given.phases[:, None, None, None]
        start = (1 - share) * given.still + share * given.last
    times = [step / steps for step in range(steps + 1)]
    moves = torch.ones(len(noise), device=noise.device)
    return _flow(model, prompts, start + BRIDGE_NOISE * noise, times, 1.0, given, has_still=moves)


@torch.no_grad()
def _flow(
    model: Sketch,
    prompts: list[str],
    start: Tensor,
    times: list[float],
    guidance: float,
    given: Given,
    *,
    has_still: Tensor,
    avoided: str = "",
) -> Tensor:
    guided = guidance != 1
    branches = 2 if guided else 1
    text = model.read(prompts + [avoided] * len(prompts) if guided else prompts)
    last = torch.zeros_like(start) if given.last is None else given.last
    has_last = torch.full((len(start),), 0.0 if given.last is None else 1.0, device=start.device)
    x = start
    for now, then in itertools.pairwise(times):
        asked = torch.full((len(start) * branches,), now, device=start.device)
        velocity = model.flow(
            x.repeat(branches, 1, 1, 1),
            asked,
            text.states,
            text.mask,
            text.pooled,
            given.phases.repeat(branches),
            given.still.repeat(branches, 1, 1, 1),
            has_still.repeat(branches),
            last.repeat(branches, 1, 1, 1),
            has_last.repeat(branches),
        ).float()
        if guided:
            wanted, unwanted = velocity.chunk(2)
            scale = 1 + (guidance - 1) * min(1.0, (now + RAMP_START) / RAMP_END)
            velocity = unwanted + scale * (wanted - unwanted)
        x = x + (then - now) * velocity
    return x


def noise_for(count: int, rows: int, columns: int, seed: int) -> Tensor:
    """Seeded noise [count, CHANNELS, rows, columns], on the processor: a seed's noise is the same for all devices."""
    return torch.randn(count, CHANNELS, rows, columns, generator=torch.Generator().manual_seed(seed))
