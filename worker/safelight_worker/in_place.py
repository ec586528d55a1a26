"""Whether the weights of a model are here, by names, lengths and manifests. Imports no torch."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight_worker.families import WeightsState
from safelight_worker.settings import ModelSpec, Source

MANIFEST = "manifest.json"
LOCK = "fetch.lock"


@dataclass(frozen=True)
class InPlace:
    """Whether the weights of a model are here. `have` of `wanted` files or folders; `wanted` is at least 1."""

    state: WeightsState
    have: int
    wanted: int

    @property
    def detail(self) -> str:
        """One sentence for people."""
        if self.state == "in_place":
            return "All files are in place."
        doing = "are being fetched" if self.state == "fetching" else "are not in place yet"
        return f"{self.wanted - self.have} of {self.wanted} files {doing}."


def in_place(spec: ModelSpec) -> InPlace:
    """Looks at names, lengths and manifests only. A source that was never listed counts as one file."""
    have = wanted = 0
    fetching = False
    for source in spec.sources.values():
        if not source.named:
            continue
        noted = manifest_of(source.folder) if source.path is None else {}
        if noted:
            wanted += len(noted["wanted"])
            have += sum(_has_size(source.folder / name, entry["bytes"]) for name, entry in noted["files"].items())
        else:
            wanted += 1
            have += _seems_whole(source)
        fetching = fetching or _is_locked(source.folder)
    whole = have == wanted
    return InPlace("in_place" if whole else "fetching" if fetching else "missing", have, max(1, wanted))


def _seems_whole(source: Source) -> bool:
    place = source.place
    if source.file is not None and source.path is None and source.bytes is not None:
        return _has_size(place, source.bytes)
    if not place.is_dir():
        return place.is_file()
    return any(child.name not in (LOCK, MANIFEST) for child in place.iterdir()) and not _is_half_fetched(place)


def _is_half_fetched(folder: Path) -> bool:
    return any(folder.rglob("*.part"))


def _has_size(file: Path, size: object) -> bool:
    try:
        return file.stat().st_size == size
    except OSError:
        return False


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("r", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def manifest_of(folder: Path) -> dict[str, Any]:
    """What was noted about a folder of fetched files: `wanted` names, and `files` with bytes and hashes by name."""
    found = read_json(folder / MANIFEST)
    return found if isinstance(found, dict) else {}


def read_json(file: Path) -> Any:
    """The content of a JSON file, None when there is none or it is broken."""
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_json(file: Path, content: object) -> None:
    """Writes beside, syncs and renames, so that nobody reads half of it."""
    partial = file.with_name(f".{file.name}.new")
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
