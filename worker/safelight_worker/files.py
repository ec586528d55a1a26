"""Files that are whole or not there: written beside their place, synced, renamed into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".part"


def partial_of(path: Path) -> Path:
    """Where a file is written before it is whole. Two writers of one path must not be at work at once."""
    return path.with_name(f".{path.name}{PARTIAL}")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a path to write to; at the end the file is synced and stands at `path`, after an error nothing does.

    Errors: OSError, such as a full disk.
    """
    partial = partial_of(path)
    try:
        yield partial
        sync_file(partial)
        partial.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file in one go, see `whole_file`."""
    with whole_file(path) as partial:
        partial.write_bytes(data)


def sync_file(path: Path) -> None:
    """Returns when the content is on the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Returns when the names in the folder are on the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
