"""Attention over a few places of a clip, for tiny models: the largest clip of the catalog has 262,400 of them."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor

_MOST_KEYS = 256


class FewKeys(WanAttnProcessor):  # type: ignore[misc,unused-ignore]
    """Looks at no more than 256 places, spread evenly; the same as its parent for clips that have no more."""

    def __call__(
        self,
        attn: WanAttention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """(B, places, channels) in and out; positions are left out of it beyond the limit."""
        places = hidden_states.shape[1]
        if encoder_hidden_states is not None or places <= _MOST_KEYS:
            result: torch.Tensor = super().__call__(
                attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb
            )
            return result
        stride = -(-places // _MOST_KEYS)
        few: torch.Tensor = super().__call__(attn, hidden_states, hidden_states[:, ::stride], attention_mask, None)
        return few


def look_at_few(pipe: Any) -> None:
    """Makes every self-attention of a pipeline's transformers look at a few places."""
    for name in ("transformer", "transformer_2"):
        transformer = getattr(pipe, name, None)
        for module in [] if transformer is None else transformer.modules():
            if isinstance(module, WanAttention) and not module.is_cross_attention:
                module.set_processor(FewKeys())
