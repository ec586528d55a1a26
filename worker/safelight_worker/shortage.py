"""Too little memory, said plainly, and memory given back."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from safelight_worker import memory
from safelight_worker.families import OutOfMemory

_SAID_BY_DEVICES = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""What the libraries below torch say in plain errors when the card is full."""


@contextmanager
def said_plainly(doing: str) -> Iterator[None]:
    """Turns the two forms of too little memory into OutOfMemory with the numbers that are known."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        told = out_of_memory(error, doing)
        if told is None:
            raise
        raise told from error


def out_of_memory(error: BaseException, doing: str) -> OutOfMemory | None:
    """The error as ours if it is about memory, None otherwise."""
    text = str(error)
    on_processor = isinstance(error, MemoryError) or "DefaultCPUAllocator" in text
    on_device = isinstance(error, torch.OutOfMemoryError) or any(words in text for words in _SAID_BY_DEVICES)
    if not on_processor and not on_device:
        return None
    free = memory.free_host_bytes() if on_processor else _free_on_device()
    asked = _asked_for(text)
    wanted = f" {memory.gigabytes(asked)} more were asked for and" if asked else ""
    detail = f"Out of memory while {doing}:{wanted} {memory.gigabytes(free)} are free. Smaller sizes need less."
    return OutOfMemory(detail, asked, free)


def _asked_for(text: str) -> int | None:
    """The size in messages such as 'Tried to allocate 2.50 GiB' or 'you tried to allocate 123 bytes'."""
    words = text.lower().split("tried to allocate ", 1)
    if len(words) < 2:
        return None
    number, unit, *_ = [*words[1].replace(".\n", " ").split(), "", ""]
    scale = {"gib": 1 << 30, "mib": 1 << 20, "kib": 1 << 10}.get(unit.rstrip(".,"), 1)
    try:
        return int(float(number) * scale)
    except ValueError:
        return None


def _free_on_device() -> int:
    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else 0


def give_back_memory() -> None:
    """Lets go of what nobody holds any more, on the device and from the allocator of the process."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
