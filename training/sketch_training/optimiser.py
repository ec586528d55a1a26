"""Muon for matrices, Adam for everything else, and the learning rate's way through a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

_MOMENTUM = 0.95
_WEIGHT_DECAY = 0.01
_ADAM_RATE = 2e-3
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration of Muon (Jordan and others, 2024)."""
_SMALLEST_SIDE = 16


def split_parameters(module: nn.Module, adam: Sequence[str] = ()) -> tuple[list[Tensor], list[Tensor]]:
    """Parameters for Muon and for Adam. Matrices of some size go to Muon, unless their name holds a word of `adam`."""
    matrices: list[Tensor] = []
    rest: list[Tensor] = []
    for name, parameter in module.named_parameters():
        big = parameter.ndim >= 2 and min(parameter.shape[0], parameter.numel() // parameter.shape[0]) >= _SMALLEST_SIDE
        (matrices if big and not any(word in name for word in adam) else rest).append(parameter)
    return matrices, rest


class Muon:
    """Momentum made orthogonal for matrices (convolutions are flattened); Adam for the rest."""

    def __init__(self, matrices: Iterable[Tensor], rest: Iterable[Tensor], rate: float) -> None:
        self._matrices = list(matrices)
        self._rest = list(rest)
        self._rate = rate
        self._momenta = [torch.zeros_like(one) for one in self._matrices]
        self._means = [torch.zeros_like(one) for one in self._rest]
        self._squares = [torch.zeros_like(one) for one in self._rest]
        self._steps = 0

    @torch.no_grad()
    def step(self, scale: float) -> None:
        """One update at `scale` (0 to 1) of the full rate; gradients are cleared."""
        self._steps += 1
        for matrix, momentum in zip(self._matrices, self._momenta, strict=True):
            if matrix.grad is not None:
                self._turn(matrix, matrix.grad, momentum, self._rate * scale)
                matrix.grad = None
        for value, mean, square in zip(self._rest, self._means, self._squares, strict=True):
            if value.grad is not None:
                self._adam(value, value.grad, mean, square, _ADAM_RATE * scale)
                value.grad = None

    def _turn(self, matrix: Tensor, gradient: Tensor, momentum: Tensor, rate: float) -> None:
        momentum.lerp_(gradient, 1 - _MOMENTUM)
        update = _orthogonal(gradient.lerp(momentum, _MOMENTUM).reshape(matrix.shape[0], -1))
        stretch = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
        matrix.mul_(1 - rate * _WEIGHT_DECAY)
        matrix.add_(update.reshape(matrix.shape).to(matrix.dtype), alpha=-rate * stretch)

    def _adam(self, value: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, rate: float) -> None:
        mean.lerp_(gradient, 0.1)
        square.lerp_(gradient * gradient, 0.02)
        fair_mean = mean / (1 - 0.9**self._steps)
        fair_square = square / (1 - 0.98**self._steps)
        value.add_(fair_mean / (fair_square.sqrt() + 1e-8), alpha=-rate)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"momenta": self._momenta, "means": self._means, "squares": self._squares, "steps": self._steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up the state of a checkpoint, beside the parameters wherever they are."""
        self._momenta = _beside(self._matrices, state["momenta"])
        self._means, self._squares = _beside(self._rest, state["means"]), _beside(self._rest, state["squares"])
        self._steps = state["steps"]


def _beside(parameters: list[Tensor], saved: list[Tensor]) -> list[Tensor]:
    return [one.to(parameter.device) for parameter, one in zip(parameters, saved, strict=True)]


def _orthogonal(update: Tensor) -> Tensor:
    """The nearest matrix with singular values about one, by five Newton-Schulz steps in bfloat16."""
    a, b, c = _NEWTON_SCHULZ
    x = update.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    result: Tensor = x.T if tall else x
    return result


def rate_at(progress: float, *, warm: float = 0.02, fall: float = 0.55) -> float:
    """Share of the full rate at `progress` (0 to 1) through a run: up, flat, and down to 0 over the last `fall`."""
    return max(0.0, min(1.0, progress / warm, (1 - progress) / fall))


def follow(average: nn.Module, module: nn.Module, step: int, slowness: float) -> None:
    """Moves the running average of the weights, faster in the first steps."""
    keep = min(slowness, (step + 1) / (step + 30))
    with torch.no_grad():
        for mine, theirs in zip(average.parameters(), module.parameters(), strict=True):
            mine.lerp_(theirs, 1 - keep)
        for kept, new in zip(average.buffers(), module.buffers(), strict=True):
            kept.copy_(new)
