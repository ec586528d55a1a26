"""The tasks of a worker. One attempt of each is known, the newest.

What is decided about a request (known? stale? a slot free?) is decided in one go on the event loop, without waiting, so
that two that race cannot both be right.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from safelight_worker.attempt import Attempt, Finished, RunFailed, RunGoesOn, StopReason, now
from safelight_worker.catalog import CheckedTask, check_task
from safelight_worker.contract import Json, Refusal, task_error
from safelight_worker.families import Unavailable
from safelight_worker.store import KeptTask, MediaShelf, TaskStore

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 600.0
_CANCEL_WAIT = 10.0
_LAST_STORES = 5.0


class Runner(Protocol):
    """What runs attempts: processes on this machine, or functions elsewhere."""

    def unavailable(self, model: str, mode: str) -> Unavailable | None:
        """Why a mode cannot run now, None when it can. Answers from memory."""

    def limits(self, model: str) -> Sequence[Json]:
        """Options that cannot be honoured here, as notices."""

    @property
    def slots(self) -> Mapping[str, int]:
        """How many tasks fit at once: `image`, `video` and `total`."""

    async def run(self, attempt: Attempt, task: CheckedTask, media: Mapping[str, Path]) -> Finished:
        """Runs an attempt to its end and heeds `attempt.stop`. The result then is in its place.

        Errors: RunFailed, RunGoesOn.
        """


class Tasks:
    """Accepts attempts, finds them, and takes each through its run."""

    def __init__(self, runner: Runner, store: TaskStore, shelf: MediaShelf, keep_seconds: float) -> None:
        self.runner = runner
        self.store = store
        self.shelf = shelf
        self.keep_seconds = keep_seconds
        self.stopping = asyncio.Event()
        self._attempts: dict[str, Attempt] = {}
        self._work: set[asyncio.Task[None]] = set()
        for kept in store.load():
            attempt = Attempt(kept.task, "image")
            attempt.result = None if kept.result is None else store.root / kept.result
            attempt.preview = None if kept.preview is None else store.root / kept.preview
            attempt.ended = time.monotonic() - _age(kept.task["ended_at"])
            attempt.over.set()
            self._attempts[attempt.id] = attempt

    def accept(self, body: Json) -> tuple[Mapping[str, Any], bool]:
        """Accepts an attempt, or finds the one known already: its state, and whether it is new. Errors: Refusal."""
        earlier = self._attempts.get(body["task_id"])
        number = body["attempt"]
        checked = self._check(body, earlier)
        if checked is None:
            assert earlier is not None
            return earlier.task, False
        if earlier is not None and earlier.number > number:
            raise _superseded()
        if self.stopping.is_set():
            raise Refusal("stopping", "The worker is being stopped.")
        reason = self.runner.unavailable(checked.model, checked.mode)
        if reason is not None:
            raise Refusal("model_unavailable", reason.detail)
        self._require_slot(checked.type, earlier)
        media = self._require_media(body["media"])
        attempt = Attempt(_first_state(body), checked.type, tuple(media), float(body["deadline_s"]))
        self._attempts[attempt.id] = attempt
        self._begin(attempt, lambda: self.runner.run(attempt, checked, media), earlier)
        return attempt.task, True

    def adopt(self, attempt: Attempt, finish: Callable[[], Awaitable[Finished]]) -> None:
        """Goes on with an attempt that was begun before this process; `finish` is what Runner.run is for others."""
        self._attempts[attempt.id] = attempt
        self._begin(attempt, finish, None)

    def find(self, task_id: str, number: int | None) -> Attempt:
        """The attempt that is meant, the newest without a number. Errors: `task_not_found`, `attempt_superseded`."""
        attempt = self._attempts.get(task_id)
        if attempt is None or (number is not None and number > attempt.number):
            raise Refusal("task_not_found", "There is no such attempt of such a task here.")
        if number is not None and number < attempt.number:
            raise _superseded()
        return attempt

    async def cancel(self, attempt: Attempt) -> None:
        """Returns when the run has stopped and its slot is free, or after ten seconds."""
        attempt.stop("cancel")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(attempt.over.wait(), _CANCEL_WAIT)

    async def remove(self, attempt: Attempt) -> None:
        """Forgets an ended attempt. Errors: `task_not_ended`, OSError."""
        if attempt.is_running:
            raise Refusal("task_not_ended", "The task is still running.")
        await asyncio.to_thread(self.store.remove, attempt.id, attempt.number)
        if self._attempts.get(attempt.id) is attempt:
            del self._attempts[attempt.id]

    def busy(self) -> dict[str, int]:
        """How many slots are taken, by type and in all."""
        running = self._running()
        images = sum(attempt.type == "image" for attempt in running)
        return {"image": images, "video": len(running) - images, "total": len(running)}

    async def sweep(self, at: float | None = None) -> None:
        """Forgets what ended long ago, and pictures that nobody needs. `at` is a time of `time.monotonic()`."""
        moment = time.monotonic() if at is None else at
        for attempt in list(self._attempts.values()):
            if not attempt.is_running and moment - attempt.ended > self.keep_seconds:
                await self.remove(attempt)
        in_use = {media_id for attempt in self._running() for media_id in attempt.media}
        await asyncio.to_thread(self.shelf.sweep, in_use, moment)

    async def keep_sweeping(self) -> None:
        """Sweeps now and then, for as long as it is not cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self.sweep()
            except OSError as error:
                log.warning("old tasks could not be swept away: %s", error)

    async def stop(self) -> None:
        """Takes nothing new and stops what runs; a result that is being stored is stored."""
        self.stopping.set()
        for attempt in self._running():
            attempt.stop("stopping")
        if self._work:
            await asyncio.wait(set(self._work), timeout=_LAST_STORES)

    def _check(self, body: Json, earlier: Attempt | None) -> CheckedTask | None:
        """None for an attempt that is known: the first body counts, whatever a later one says."""
        if earlier is not None and earlier.number == body["attempt"]:
            return None
        return check_task(body, self.runner.limits)

    def _running(self) -> list[Attempt]:
        return [attempt for attempt in self._attempts.values() if attempt.is_running]

    def _require_slot(self, media_type: str, earlier: Attempt | None) -> None:
        slots = self.runner.slots
        others = [attempt for attempt in self._running() if attempt is not earlier]
        same = sum(attempt.type == media_type for attempt in others)
        if len(others) >= slots["total"] or same >= slots[media_type]:
            raise Refusal("busy", f"Every slot for {media_type} tasks is taken.")

    def _require_media(self, media: Sequence[Json]) -> dict[str, Path]:
        paths = {one["id"]: self.shelf.path_of(one["id"]) for one in media}
        missing = [
            {"field": f"media[{at}]", "code": "unknown_media", "message": f"{one['id']} is not here."}
            for at, one in enumerate(media)
            if paths[one["id"]] is None
        ]
        if missing:
            raise Refusal("media_missing", "Pictures of the task are not here.", missing)
        return {media_id: path for media_id, path in paths.items() if path is not None}

    def _begin(self, attempt: Attempt, run: Callable[[], Awaitable[Finished]], earlier: Attempt | None) -> None:
        work = asyncio.get_running_loop().create_task(self._perform(attempt, run, earlier))
        self._work.add(work)
        work.add_done_callback(self._work.discard)

    async def _perform(self, attempt: Attempt, run: Callable[[], Awaitable[Finished]], earlier: Attempt | None) -> None:
        """Takes an attempt through its run and leaves its end on disk before it is told. Never raises."""
        timer = asyncio.get_running_loop().call_at(
            asyncio.get_running_loop().time() + max(0.0, attempt.deadline - time.monotonic()),
            lambda: attempt.stop("deadline"),
        )
        try:
            if earlier is not None:
                await self._supersede(earlier)
            ending = await self._run(attempt, run)
        except RunGoesOn:
            attempt.over.set()
            return
        finally:
            timer.cancel()
        if attempt.stop_reason != "superseded":
            await self._keep(attempt, ending)
        attempt.end(ending)
        attempt.over.set()

    async def _run(self, attempt: Attempt, run: Callable[[], Awaitable[Finished]]) -> dict[str, Any]:
        try:
            if attempt.stop_reason is not None:
                raise RunFailed("worker_lost", "The run was stopped.")
            finished = await run()
        except RunGoesOn:
            raise
        except RunFailed as failure:
            return attempt.ending(None, _stop_error(attempt.stop_reason) or failure.error)
        except Exception:
            log.exception("a run ended in an unforeseen way")
            error = task_error("engine_failed", "The engine could not finish the task.")
            return attempt.ending(None, _stop_error(attempt.stop_reason) or error)
        # A wish to stop that comes once the end is certain comes too late; before that it counts.
        stopped = _stop_error(attempt.stop_reason)
        if stopped is not None:
            return attempt.ending(None, stopped)
        attempt.result = finished.path
        return attempt.ending(finished.facts, None)

    async def _keep(self, attempt: Attempt, ending: dict[str, Any]) -> None:
        succeeded = ending["result"] is not None
        if not succeeded:
            # Whatever the run has left goes: a stopped one may have been stopped while its file was written.
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self.store.remove, attempt.id, attempt.number)
            attempt.preview = None if attempt.preview is None or not attempt.preview.exists() else attempt.preview
        if attempt.stop_reason == "stopping" and not succeeded:
            return
        kept = KeptTask(
            ending,
            None if attempt.result is None or not succeeded else self.store.name_of(attempt.result),
            None if attempt.preview is None else self.store.name_of(attempt.preview),
        )
        try:
            await asyncio.to_thread(self.store.put, kept)
        except OSError as error:
            log.warning("the end of a task could not be stored: %s", error)
            if not succeeded:
                return
            attempt.result = None
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self.store.remove, attempt.id, attempt.number)
            lost = task_error("storage_failed", "The result could not be stored.")
            ending.update(state="failed", result=None, error=lost, progress=attempt.task["progress"])

    async def _supersede(self, earlier: Attempt) -> None:
        """The later attempt needs the slot of the earlier one, so it waits until that has let go."""
        earlier.stop("superseded")
        await earlier.over.wait()
        try:
            await asyncio.to_thread(self.store.remove, earlier.id, earlier.number)
        except OSError as error:
            log.warning("an earlier attempt could not be tidied away: %s", error)


def _stop_error(reason: StopReason | None) -> dict[str, Any] | None:
    if reason is None:
        return None
    if reason == "cancel":
        return task_error("cancelled", "The task was cancelled.")
    if reason == "deadline":
        return task_error("timed_out", "The task did not end within its deadline.")
    return task_error("worker_lost", "The run was stopped.")


def _superseded() -> Refusal:
    return Refusal("attempt_superseded", "A later attempt of this task is here.")


def _first_state(body: Json) -> dict[str, Any]:
    return {
        **{name: body[name] for name in ("task_id", "attempt", "model", "mode", "seed")},
        "state": "running",
        "version": 1,
        "stage": "starting",
        "stage_detail": None,
        "step": None,
        "steps": None,
        "progress": 0,
        "preview_version": 0,
        "warnings": [],
        "error": None,
        "result": None,
        "accepted_at": now(),
        "ended_at": None,
    }


def _age(moment: str) -> float:
    """Seconds since a moment by the clock of the wall; 0 for one that is still to come."""
    return max(0.0, time.time() - datetime.fromisoformat(moment).timestamp())
