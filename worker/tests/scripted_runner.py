"""A runner that draws nothing: it takes a few milliseconds and does as the prompt says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from safelight_worker.attempt import Attempt, Finished, RunFailed
from safelight_worker.catalog import CheckedTask
from safelight_worker.contract import Json
from safelight_worker.families import Unavailable
from safelight_worker.files import write_whole
from safelight_worker.store import TaskStore


class ScriptedRunner:
    """Prompts: "wait" runs until it is stopped, "fail" fails, anything else makes a small file."""

    def __init__(self, store: TaskStore, slots: int = 1) -> None:
        self._store = store
        self.slots: Mapping[str, int] = {"image": slots, "video": slots, "total": slots}
        self.missing: Unavailable | None = None
        self.ran: list[tuple[str, int]] = []

    def unavailable(self, model: str, mode: str) -> Unavailable | None:
        return self.missing

    def limits(self, model: str) -> Sequence[Json]:
        return ()

    async def run(self, attempt: Attempt, task: CheckedTask, media: Mapping[str, Path]) -> Finished:
        self.ran.append((attempt.id, attempt.number))
        attempt.tell(stage="denoise", step=1, steps=4, progress=20)
        if task.prompt == "wait":
            await attempt.stop_wanted.wait()
            await asyncio.sleep(0.01)
            raise RunFailed("cancelled", "It was stopped.")
        if task.prompt == "fail":
            raise RunFailed("out_of_memory", "The picture needs 9 GB, 4 GB were free.")
        preview = self._store.preview_path(attempt.id, attempt.number)
        write_whole(preview, b"small")
        attempt.preview = preview
        attempt.tell(preview_version=1)
        path = self._store.result_path(attempt.id, attempt.number, "image/png")
        data = f"{task.prompt} {task.seed}".encode() * 100
        await asyncio.to_thread(write_whole, path, data)
        facts = {
            "content_type": "image/png",
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "width": 512,
            "height": 512,
            "frames": 1,
            "fps": 0,
            "engine": "scripted",
            "engine_version": "1",
            "completed_prompt": None,
        }
        return Finished(facts, path)
