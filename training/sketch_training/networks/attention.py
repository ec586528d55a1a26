"""Attention as both networks use it."""

from __future__ import annotations

import torch
from torch import Tensor

_SHARPNESS = 3.0
"""Queries and keys have unit length per head, so this is the largest score times √width."""


def attend(queries: Tensor, keys: Tensor, values: Tensor, heads: int, bias: Tensor | None = None) -> Tensor:
    """Multi-head attention, [B, T, width] each. `bias` is added to the scores and is broadcast to [B, heads, Tq, Tk].

    Written as plain products: the fused kernel has a slow backward pass on processors.
    """
    q, k, v = (_split(each, heads) for each in (queries, keys, values))
    scores = _unit(q) @ _unit(k).transpose(2, 3) * (_SHARPNESS * q.shape[-1] ** -0.5)
    if bias is not None:
        scores = scores + bias
    mixed: Tensor = (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)
    return mixed


def _split(x: Tensor, heads: int) -> Tensor:
    batch, length, width = x.shape
    return x.view(batch, length, heads, width // heads).transpose(1, 2)


def _unit(x: Tensor) -> Tensor:
    return x * torch.rsqrt((x.float() ** 2).mean(-1, keepdim=True) + 1e-6).to(x.dtype)
