"""Where networks and their data live: a CUDA GPU when there is one, otherwise the processor.

DEVICE in the environment (cpu, cuda or cuda:1) decides otherwise. Networks are made on the processor, so that a seed
gives the same first weights everywhere, and then moved; files are read to the processor.
"""

from __future__ import annotations

import os
import re
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def choose(asked: str, rank: int = 0, world: int = 1) -> torch.device:
    """The device for process `rank` (from 0) of `world`: each has a GPU of its own where there are that many, otherwise
    they share the first. `asked` is empty for the best there is.

    Raises:
        SystemExit: `asked` names no device, or one that is not here.
    """
    named = re.fullmatch(r"(cpu|cuda)?|cuda:(\d+)", asked)
    if named is None:
        raise SystemExit(f"DEVICE={asked}: it can be cpu, cuda, or one of several GPUs as in cuda:1")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "cpu" or (not asked and not count):
        return torch.device("cpu")
    number = int(named[2]) if named[2] else rank if 1 < world <= count else 0
    if number >= count:
        raise SystemExit(f"DEVICE={asked}: torch sees {count or 'no'} CUDA GPU{'s' * (count > 1)} here")
    return torch.device("cuda", number)


DEVICE = choose(os.environ.get("DEVICE", ""), int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD", "1")))
"""Of this process."""


def mixed() -> torch.autocast:
    """Products in bfloat16, sums in single precision."""
    return torch.autocast(DEVICE.type, torch.bfloat16)


def to_device(value: Tensor | NDArray[Any]) -> Tensor:
    """The same numbers on DEVICE; on the processor nothing is copied."""
    tensor = value if isinstance(value, Tensor) else torch.from_numpy(value)
    return tensor.to(DEVICE)


def to_array(tensor: Tensor) -> NDArray[Any]:
    """The same numbers for numpy, wherever they are; of a tensor without a gradient."""
    found: NDArray[Any] = tensor.cpu().numpy()
    return found
