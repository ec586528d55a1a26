"""What survives a restart: ended tasks with their files, and reference pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight_worker.files import PARTIAL, write_whole
from safelight_worker.request import SHA256

EXTENSIONS: Mapping[str, str] = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
_DAY = 24 * 60 * 60
_MOST_MEDIA_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class KeptTask:
    """An ended attempt: what the gateway is told, and the names of its files below the store, None without one."""

    task: Mapping[str, Any]
    result: str | None
    preview: str | None


class TaskStore:
    """Ended attempts on disk. Files come first, then the record that names them.

    A record that can be read promises that its files were whole. What a kill leaves without a record goes at the next
    start. Methods block; callers put them into threads where that matters.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results = root / "results"
        self.previews = root / "previews"
        for folder in (self.results, self.previews):
            folder.mkdir(parents=True, exist_ok=True)

    def result_path(self, task_id: str, attempt: int, content_type: str) -> Path:
        """Where the result of an attempt belongs."""
        return self.results / f"{task_id}-{attempt}.{EXTENSIONS[content_type]}"

    def preview_path(self, task_id: str, attempt: int) -> Path:
        """Where the newest preview of an attempt belongs: a WebP file."""
        return self.previews / f"{task_id}-{attempt}.webp"

    def load(self) -> list[KeptTask]:
        """Every attempt on disk, the newest of each task; all other files are removed."""
        newest: dict[str, KeptTask] = {}
        for path in self.results.glob("*.json"):
            kept = self._read(path)
            if kept is None:
                continue
            other = newest.get(kept.task["task_id"])
            if other is None or other.task["attempt"] < kept.task["attempt"]:
                newest[kept.task["task_id"]] = kept
        named = {name for kept in newest.values() for name in self._names(kept)}
        for path in (*self.results.iterdir(), *self.previews.iterdir()):
            if path.relative_to(self.root).as_posix() not in named:
                path.unlink(missing_ok=True)
        return list(newest.values())

    def put(self, kept: KeptTask) -> None:
        """Writes the record of an attempt whose files are in their places. Errors: OSError."""
        record = {"task": dict(kept.task), "result": kept.result, "preview": kept.preview}
        write_whole(self._record_path(kept.task), json.dumps(record, ensure_ascii=False).encode())

    def remove(self, task_id: str, attempt: int) -> None:
        """Forgets an attempt and all its files, the record first. Errors: OSError."""
        stem = f"{task_id}-{attempt}."
        (self.results / f"{stem}json").unlink(missing_ok=True)
        for folder in (self.results, self.previews):
            for path in (*folder.glob(f"{stem}*"), *folder.glob(f".{stem}*{PARTIAL}")):
                path.unlink(missing_ok=True)

    def name_of(self, path: Path) -> str:
        """A path of this store as records name it."""
        return path.relative_to(self.root).as_posix()

    def _names(self, kept: KeptTask) -> Iterator[str]:
        yield self.name_of(self._record_path(kept.task))
        yield from (name for name in (kept.result, kept.preview) if name is not None)

    def _record_path(self, task: Mapping[str, Any]) -> Path:
        return self.results / f"{task['task_id']}-{task['attempt']}.json"

    def _read(self, path: Path) -> KeptTask | None:
        try:
            record = json.loads(path.read_bytes())
            kept = KeptTask(record["task"], record["result"], record["preview"])
            return kept if self._record_path(kept.task) == path else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


@dataclass
class _Medium:
    """`used_at` is a time of `time.monotonic()`: a clock that is set must not make pictures look old."""

    path: Path
    size: int
    used_at: float


class MediaShelf:
    """Reference pictures on disk, named by their hash. What is there is known without asking the disk."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "media"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, _Medium] = {}
        for path in self._folder.iterdir():
            stat = path.stat()
            if SHA256.fullmatch(path.stem):
                age = max(0.0, time.time() - stat.st_mtime)
                self._known[path.stem] = _Medium(path, stat.st_size, time.monotonic() - age)
            else:
                path.unlink()

    def size_of(self, sha256: str) -> int | None:
        """Bytes of a picture that is here, which counts as used now; None when it is not."""
        known = self._known.get(sha256)
        if known is None:
            return None
        known.used_at = time.monotonic()
        return known.size

    def partial_path(self, name: str) -> Path:
        """Where a picture on its way in is written; `name` must be unique."""
        return self._folder / f".{name}{PARTIAL}"

    def take(self, sha256: str, content_type: str, partial: Path) -> int:
        """Puts a synced file with this hash into its place. Resolves races of two senders. Errors: OSError."""
        path = self._folder / f"{sha256}.{EXTENSIONS[content_type]}"
        size = partial.stat().st_size
        partial.replace(path)
        self._known[sha256] = _Medium(path, size, time.monotonic())
        return size

    def path_of(self, media_id: str) -> Path | None:
        """The file of `sha256-<hex>`, which counts as used now; None when it is not here."""
        known = self._known.get(media_id.removeprefix("sha256-"))
        if known is None:
            return None
        known.used_at = time.monotonic()
        return known.path

    def sweep(self, in_use: Collection[str], now: float | None = None) -> None:
        """Removes pictures that nobody has used for a day, and beyond 4 GiB those that were used longest ago.

        `now` is a time of `time.monotonic()`.
        """
        moment = time.monotonic() if now is None else now
        total = sum(known.size for known in self._known.values())
        for sha256, known in sorted(self._known.items(), key=lambda item: item[1].used_at):
            if f"sha256-{sha256}" in in_use:
                continue
            if moment - known.used_at < _DAY and total <= _MOST_MEDIA_BYTES:
                continue
            del self._known[sha256]
            total -= known.size
            known.path.unlink(missing_ok=True)
