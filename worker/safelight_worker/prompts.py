"""Prompts of the SDXL family: in windows when longer than 77 tokens, read from the layer that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

WINDOW = 75
"""Tokens of a window, without its begin and end."""


@dataclass(frozen=True)
class Encoded:
    """What the U-Net is given. `prompt`, `negative`: (1, 77·windows, 2048 in the real model); pooled: (1, 1280)."""

    prompt: torch.Tensor
    negative: torch.Tensor | None
    pooled: torch.Tensor
    negative_pooled: torch.Tensor | None
    windows: int


def encode_windows(pipe: Any, prompt: str, negative: str | None, clip_skip: int) -> Encoded:
    """Encodes both prompts with both text encoders, in as many windows as the longer one needs.

    `clip_skip` counts the layers from the end: 1 is the last, 2 the one that SDXL was trained with. It holds for both
    prompts. A prompt of one window with 2 is encoded exactly as the library does it. `negative` None: no guidance.
    """
    wanted = _ids(pipe.tokenizer, prompt)
    unwanted = None if negative is None else _ids(pipe.tokenizer, negative)
    windows = max(_windows(wanted), 0 if unwanted is None else _windows(unwanted))
    embeds, pooled = _encode(pipe, wanted, windows, clip_skip)
    if unwanted is None:
        return Encoded(embeds, None, pooled, None, windows)
    negative_embeds, negative_pooled = _encode(pipe, unwanted, windows, clip_skip)
    return Encoded(embeds, negative_embeds, pooled, negative_pooled, windows)


def token_count(tokenizer: Any, prompt: str) -> int:
    """How many tokens a prompt has, begin and end included."""
    return len(tokenizer(prompt, truncation=False, verbose=False).input_ids)


def _ids(tokenizer: Any, prompt: str) -> list[int]:
    return list(tokenizer(prompt, add_special_tokens=False, truncation=False, verbose=False).input_ids)


def _windows(ids: list[int]) -> int:
    return max(1, -(-len(ids) // WINDOW))


def _encode(pipe: Any, ids: list[int], windows: int, clip_skip: int) -> tuple[torch.Tensor, torch.Tensor]:
    parts: list[list[torch.Tensor]] = []
    pooled: torch.Tensor | None = None
    device = pipe._execution_device
    pairs = ((pipe.tokenizer, pipe.text_encoder), (pipe.tokenizer_2, pipe.text_encoder_2))
    for tokenizer, encoder in pairs:
        rows = []
        for window in range(windows):
            chunk = ids[window * WINDOW : (window + 1) * WINDOW]
            row = [tokenizer.bos_token_id, *chunk, tokenizer.eos_token_id]
            row += [tokenizer.pad_token_id] * (WINDOW + 2 - len(row))
            with torch.no_grad():
                out = encoder(torch.tensor([row], device=device), output_hidden_states=True)
            rows.append(out.hidden_states[-clip_skip])
            if encoder is pipe.text_encoder_2 and window == 0:
                pooled = out[0]
        parts.append(rows)
    if pooled is None:
        raise RuntimeError("The second text encoder gave nothing")
    joined = torch.cat([torch.cat(rows, 1) for rows in parts], -1)
    dtype = pipe.text_encoder_2.dtype
    return joined.to(device, dtype), pooled.to(device, dtype)
