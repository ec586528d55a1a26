"""A training run: its folder, its processes, its length, its checkpoints.

Two single-threaded processes that average their gradients train faster on two cores than one process with two threads,
so every stage can be started by several processes (RANK and WORLD in the environment, as torch names them).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as distributed
from torch import Tensor, nn


@dataclass
class Team:
    """The processes of one run. Alone when WORLD is not set."""

    rank: int = field(default_factory=lambda: int(os.environ.get("RANK", "0")))
    world: int = field(default_factory=lambda: int(os.environ.get("WORLD", "1")))

    def __post_init__(self) -> None:
        torch.set_num_threads(int(os.environ.get("THREADS", "1")))
        if self.world > 1:
            address = f"tcp://127.0.0.1:{os.environ.get('PORT', '29511')}"
            distributed.init_process_group("gloo", init_method=address, rank=self.rank, world_size=self.world)

    @property
    def leads(self) -> bool:
        """This process writes files and speaks."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[Tensor], progress: float) -> float:
        """Averages all gradients in place and answers the leader's progress, so that all end at the same step.

        They travel through the processor's memory, which works for any number of processes on any number of GPUs."""
        if self.world == 1:
            return progress
        gradients = [one.grad for one in parameters if one.grad is not None]
        mine = torch.tensor([progress * self.world if self.leads else 0.0])
        mine = mine.to(gradients[0].device)
        shared = torch.cat([*(gradient.reshape(-1).float() for gradient in gradients), mine]).cpu()
        distributed.all_reduce(shared)
        shared /= self.world
        flat = shared.to(mine.device)
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()
        return float(shared[-1])

    def agree(self, module: nn.Module) -> None:
        """Gives every process the leader's weights; of a module that is still on the processor."""
        if self.world > 1:
            for tensor in [*module.parameters(), *module.buffers()]:
                distributed.broadcast(tensor.data, 0)


@dataclass
class Length:
    """How far a run is: by steps when their number is given, otherwise by minutes of work. Pauses do not count."""

    minutes: float
    steps: int = 0
    done: float = 0.0
    _spent: float = 0.0

    def progress(self, step: int) -> float:
        """0 at the start, 1 at the end."""
        if self.steps:
            return step / self.steps
        return self.done + (1 - self.done) * self._spent / max(self.minutes * 60, 1e-9)

    def worked(self, seconds: float) -> None:
        """Counts the time of one step."""
        self._spent += seconds


def wait_while_paused(folder: Path) -> None:
    """Stands still as long as a file named "pause" lies in the folder."""
    while (folder / "pause").exists():
        time.sleep(1)


def save_atomically(value: Any, path: Path) -> None:
    """Writes with torch.save beside the place and renames, so that a killed run leaves the old file."""
    beside = path.with_suffix(".new")
    torch.save(value, beside)
    beside.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """A checkpoint of this run, or None where there is none yet."""
    return load_saved(path) if path.exists() else None


def load_saved(path: Path) -> dict[str, Any]:
    """What torch.save wrote, on the processor, wherever it was written."""
    found: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return found
