"""One attempt at a task, from its acceptance until it is forgotten, and how its run can end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from safelight_worker.contract import Json, task_error

StopReason = Literal["cancel", "superseded", "deadline", "stopping"]


class RunFailed(Exception):
    """A run ended without a result. `code` is a task error of the contract, the text is shown to people."""

    def __init__(self, code: str, detail: str, retryable: bool | None = None) -> None:
        super().__init__(detail)
        self.error = task_error(code, detail, retryable)


class RunGoesOn(Exception):
    """This process ends, the run does not: who starts next takes it up with `Tasks.adopt`. No end is told."""


class Finished:
    """What a run made: the facts of the contract's WorkerResult, and where the file lies."""

    def __init__(self, facts: Mapping[str, Any], path: Path) -> None:
        self.facts = dict(facts)
        self.path = path


class Attempt:
    """One attempt from its acceptance until it is forgotten: what the gateway is told.

    `deadline` and `ended` are times of `time.monotonic()`, which nobody sets.
    """

    def __init__(
        self, task: Mapping[str, Any], media_type: str, media: Sequence[str] = (), deadline_s: float = 0
    ) -> None:
        self.task: dict[str, Any] = dict(task)
        self.type = media_type
        self.media = tuple(media)
        self.deadline = time.monotonic() + deadline_s
        self.ended = 0.0
        self.result: Path | None = None
        self.preview: Path | None = None
        self.stop_reason: StopReason | None = None
        self.stop_wanted = asyncio.Event()
        self.over = asyncio.Event()
        self._changed = asyncio.Event()

    @property
    def id(self) -> str:
        """The gateway's id of the task."""
        return str(self.task["task_id"])

    @property
    def number(self) -> int:
        """Which attempt this is, from 1."""
        return int(self.task["attempt"])

    @property
    def is_running(self) -> bool:
        """Whether the gateway has not yet been told of an end."""
        return bool(self.task["state"] == "running")

    def stop(self, reason: StopReason) -> None:
        """Asks the run to stop; the first reason counts."""
        if not self.is_running:
            return
        if self.stop_reason is None:
            self.stop_reason = reason
        self.stop_wanted.set()
        self.tell(stage="cancelling")

    def tell(self, **change: Any) -> None:
        """Takes over what a run reports. Progress never falls, an ended attempt changes no more."""
        if not self.is_running:
            return
        if self.stop_reason is not None and "stage" in change:
            change["stage"] = "cancelling"
        if "progress" in change:
            change["progress"] = max(self.task["progress"], min(int(change["progress"]), 99))
        if all(self.task.get(name) == value for name, value in change.items()):
            return
        self._replace({**self.task, **change, "version": self.task["version"] + 1})

    def ending(self, result: Json | None, error: Json | None) -> dict[str, Any]:
        """The state as it will be once the attempt has ended so; nobody is told yet."""
        return {
            **self.task,
            "state": "failed" if result is None else "succeeded",
            "version": self.task["version"] + 1,
            "progress": self.task["progress"] if result is None else 100,
            "error": None if error is None else dict(error),
            "result": None if result is None else dict(result),
            "ended_at": now(),
        }

    def end(self, task: Mapping[str, Any]) -> None:
        """Tells the end, which by now is on disk."""
        self.ended = time.monotonic()
        self._replace(dict(task))

    async def changed(self, after: int, seconds: float, until: asyncio.Event) -> None:
        """Returns when `version` is above `after`, at the end, when the time is over or `until` is set."""
        ends = time.monotonic() + seconds
        stopping = asyncio.ensure_future(until.wait())
        try:
            while self.is_running and self.task["version"] <= after and not until.is_set():
                left = ends - time.monotonic()
                if left <= 0:
                    return
                change = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait({change, stopping}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                change.cancel()
        finally:
            stopping.cancel()

    def _replace(self, task: dict[str, Any]) -> None:
        self.task = task
        self._changed.set()
        self._changed = asyncio.Event()


def now() -> str:
    """This moment by the clock of the wall, in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
