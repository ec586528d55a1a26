"""Runs attempts in functions on Modal's graphics cards. Imports no modal: `Remote` is what the app file gives.

The serving container has no graphics card. It starts a call, follows it through a dictionary that both sides see, and
reads the file from a volume once the call has ended. Which call belongs to which attempt is written down, so that the
next container goes on following when this one ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from safelight_worker import messages
from safelight_worker.attempt import Attempt, Finished, RunFailed, RunGoesOn
from safelight_worker.call_modal import call_key, preview_key, run_key, stop_key, warm_key
from safelight_worker.catalog import CheckedTask, model_entry
from safelight_worker.child import probe_models
from safelight_worker.contract import Json
from safelight_worker.encode import missing_encoders
from safelight_worker.families import ModelState, Unavailable
from safelight_worker.files import write_whole
from safelight_worker.host_local import engine_version, limits_of, make_order
from safelight_worker.settings import ModelSpec
from safelight_worker.store import KeptTask, TaskStore

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_STOP_PATIENCE = 8.0
_MOST_SILENT = 60.0
_LOOK_SECONDS = 20.0
_LOOKS_BETWEEN_PROBES = 3
#: Versions that are left free for what was told before a restart: they must not fall.
_VERSIONS_BEFORE = 1_000_000
_REMOTE_ERRORS = "The graphics cards could not be asked for too long."


class FilesOpen(OSError):
    """The volume cannot be brought up to date while files of it are open here."""


class Remote(Protocol):
    """The other side, as Modal's package gives it. Every method may raise OSError when it cannot be reached."""

    async def spawn(self, order: messages.RunOrder, seconds: float) -> str:
        """Starts a call that may take so long and answers its id."""

    async def outcome(self, call: str) -> messages.Done | messages.Failed | messages.NoRoom | None:
        """How a call has ended, None while it goes on. Errors: RunFailed when it was lost."""

    async def cancel(self, call: str) -> None:
        """Ends a call and its container."""

    async def read(self, key: str) -> Any:
        """A value of the dictionary, None without one."""

    async def write(self, key: str, value: Any) -> None:
        """Puts a value into the dictionary."""

    async def forget(self, key: str) -> None:
        """Takes a value out of the dictionary; there need not be one."""

    async def reload(self) -> None:
        """Lets this container see what others have committed to the volume of results. Errors: FilesOpen."""

    async def reload_weights(self) -> None:
        """The same for the volume of weights."""

    async def copy(self, name: str, target: Path) -> None:
        """Gets a committed file of the volume of results without bringing the volume up to date."""

    async def commit(self) -> None:
        """Lets others and later starts see what this container has written to the volume of results."""


class RunningStore(TaskStore):
    """A store that also remembers the attempts that run, for the container that comes after this one.

    `left`: those that ran when the container before this one ended, known after `load`.
    """

    left: Sequence[KeptTask] = ()

    def begin(self, task: Mapping[str, Any], result: Path) -> None:
        """Writes down that an attempt runs and what its file will be called. Errors: OSError."""
        super().put(KeptTask(task, self.name_of(result), None))

    def load(self) -> list[KeptTask]:
        """See TaskStore; what ran stands in `left`, and its file stays if it has come meanwhile."""
        known = super().load()
        self.left = [kept for kept in known if kept.task["state"] == "running"]
        return [kept for kept in known if kept.task["state"] != "running"]


class ModalHost:
    """A Runner whose runs are calls. `slots`: how many containers of graphics cards there may be."""

    def __init__(self, store: RunningStore, specs: Mapping[str, ModelSpec], remote: Remote, slots: int) -> None:
        self._store = store
        self._specs = specs
        self._remote = remote
        self._slots = slots
        self._states: dict[str, ModelState] = {}
        self._warm_until: dict[str, float] = {}
        self._missing = missing_encoders()
        #: The cards of the container that ran last; nobody is woken to be asked.
        self.gpus: Sequence[messages.Gpu] = ()
        self.engine_version = engine_version()

    @property
    def slots(self) -> Mapping[str, int]:
        """See Runner."""
        return {"image": self._slots, "video": self._slots, "total": self._slots}

    async def probe(self) -> None:
        """Looks at the weights on the volume, in this container."""
        states = await asyncio.to_thread(probe_models, self._specs)
        self._states = {state.model: state for state in states}

    async def keep_looking(self) -> None:
        """Until it is cancelled: which models are warm, and what has been fetched meanwhile."""
        looks = 0
        while True:
            if looks % _LOOKS_BETWEEN_PROBES == 0 and not self._has_all():
                with contextlib.suppress(OSError):
                    await self._remote.reload_weights()
                await self.probe()
            await self.look_who_is_warm()
            looks += 1
            await asyncio.sleep(_LOOK_SECONDS)

    async def look_who_is_warm(self) -> None:
        """Asks the dictionary, where containers say until when they keep their model."""
        for model in self._specs:
            with contextlib.suppress(OSError):
                self._warm_until[model] = await self._read_warm(model)

    def models(self) -> list[ModelState]:
        """What is known of each model."""
        return list(self._states.values())

    def is_warm(self, model: str) -> bool:
        """Whether a container holds its weights: the last one that ran it has said until when."""
        return time.time() < self._warm_until.get(model, 0.0)

    def unavailable(self, model: str, mode: str) -> Unavailable | None:
        """See Runner."""
        state = self._states.get(model)
        if state is None:
            return Unavailable("starting", "The worker is still looking at its models.")
        return state.modes.get(mode, Unavailable("not_configured", f"This worker does not have {mode} of {model}."))

    def limits(self, model: str) -> Sequence[Json]:
        """See Runner."""
        return limits_of(model, self._missing)

    async def run(self, attempt: Attempt, task: CheckedTask, media: Mapping[str, Path]) -> Finished:
        """See Runner."""
        order = make_order(self._store, attempt, task, media, self.engine_version)
        seconds = max(1.0, attempt.deadline - time.monotonic())
        try:
            await self._end_earlier_call(attempt.id)
            await asyncio.to_thread(self._store.begin, attempt.task, order.result)
            # The record, and what the pictures' senders have written, must be seen over there.
            await self._remote.commit()
            call = await self._remote.spawn(order, seconds)
            await self._remote.write(
                call_key(attempt.id), {"call": call, "attempt": attempt.number, "ends": time.time() + seconds}
            )
        except OSError as error:
            log.warning("a run could not be started: %s", error)
            raise RunFailed("worker_lost", "The run could not be started on the graphics cards.") from error
        return await self._finish(call, attempt, order.result)

    async def adopted(self, left: KeptTask) -> tuple[Attempt, Callable[[], Awaitable[Finished]]]:
        """An attempt that ran when this container's predecessor ended, and what waits for its end.

        The call goes on by itself. One that was never written down cannot be found again: that attempt fails, and is
        kept from being run.
        """
        entry = model_entry(left.task["model"])
        known: Any = None
        with contextlib.suppress(OSError):
            known = await self._remote.read(call_key(left.task["task_id"]))
        if known is not None and known["attempt"] != left.task["attempt"]:
            known = None
        seconds = 0.0 if known is None else max(0.0, known["ends"] - time.time())
        task = {**left.task, "version": left.task["version"] + _VERSIONS_BEFORE}
        attempt = Attempt(task, "video" if entry is None else entry["type"], (), 60.0 if known is None else seconds)

        async def finish() -> Finished:
            if known is None or left.result is None:
                with contextlib.suppress(OSError):
                    await self._remote.write(stop_key(run_key(attempt.id, attempt.number)), True)
                raise RunFailed("worker_lost", "The worker was started anew before the run had begun.")
            return await self._finish(known["call"], attempt, self._store.root / left.result)

        return attempt, finish

    async def _finish(self, call: str, attempt: Attempt, result: Path) -> Finished:
        """Follows a call to its end and brings its file here. RunGoesOn when this container is stopped before."""
        key = run_key(attempt.id, attempt.number)
        try:
            outcome = await self._follow(call, key, attempt)
            if isinstance(outcome, messages.NoRoom):
                raise RunFailed("out_of_memory", outcome.detail, retryable=True)
            if isinstance(outcome, messages.Failed):
                raise RunFailed(outcome.code, outcome.detail, outcome.retryable)
            self.gpus = outcome.gpus or self.gpus
            await self._bring(result)
        except RunFailed:
            await self._tidy(key, attempt)
            raise
        await self._tidy(key, attempt)
        return Finished(outcome.facts, result)

    async def _tidy(self, key: str, attempt: Attempt) -> None:
        with contextlib.suppress(OSError):
            self._warm_until[attempt.task["model"]] = await self._read_warm(attempt.task["model"])
            for name in (key, preview_key(key), stop_key(key), call_key(attempt.id)):
                await self._remote.forget(name)

    async def _bring(self, result: Path) -> None:
        """Makes a committed file visible here. Errors: RunFailed when it is not there."""
        try:
            try:
                await self._remote.reload()
            except FilesOpen:
                # Somebody is being sent another result; this one is copied beside it.
                await self._remote.copy(self._store.name_of(result), result)
        except OSError as error:
            raise RunFailed("worker_lost", "The file of the result could not be brought here.") from error
        if not await asyncio.to_thread(result.exists):
            raise RunFailed("worker_lost", "The file of the result did not arrive.")

    async def _follow(self, call: str, key: str, attempt: Attempt) -> messages.Done | messages.Failed | messages.NoRoom:
        ends: float | None = None
        heard = time.monotonic()
        while True:
            if attempt.stop_reason == "stopping":
                raise RunGoesOn
            try:
                outcome = await self._remote.outcome(call)
                if outcome is not None:
                    # Written before the end and maybe not seen yet: the last of it, warnings among it.
                    with contextlib.suppress(OSError):
                        await self._take_over(key, attempt)
                    return outcome
                await self._take_over(key, attempt)
                if ends is None and attempt.stop_wanted.is_set():
                    ends = time.monotonic() + _STOP_PATIENCE
                    await self._remote.write(stop_key(key), True)
                if ends is not None and time.monotonic() > ends:
                    await self._remote.cancel(call)
                    raise RunFailed("worker_lost", "The run did not stop in time and was ended.")
                heard = time.monotonic()
            except OSError as error:
                if time.monotonic() - heard > _MOST_SILENT:
                    raise RunFailed("worker_lost", _REMOTE_ERRORS) from error
            await asyncio.sleep(_POLL_SECONDS)

    async def _take_over(self, key: str, attempt: Attempt) -> None:
        """Tells what the call has written since the last time."""
        told = await self._remote.read(key)
        if told is None or attempt.stop_reason is not None:
            return
        if told["stage"] not in ("starting", "load"):
            # It draws, so its weights are in memory; until when, its container says at the end.
            model = attempt.task["model"]
            self._warm_until[model] = max(self._warm_until.get(model, 0.0), time.time() + _LOOK_SECONDS)
        if told["preview_version"] > attempt.task["preview_version"]:
            preview = await self._remote.read(preview_key(key))
            if preview is not None:
                path = self._store.preview_path(attempt.id, attempt.number)
                await asyncio.to_thread(write_whole, path, preview)
                attempt.preview = path
        names = ("stage", "stage_detail", "step", "steps", "progress", "preview_version", "warnings")
        attempt.tell(**{name: told[name] for name in names})

    async def _end_earlier_call(self, task_id: str) -> None:
        """A call of the same task that nobody follows any more does not go on."""
        left = await self._remote.read(call_key(task_id))
        if left is not None:
            await self._remote.cancel(left["call"])

    async def _read_warm(self, model: str) -> float:
        found = await self._remote.read(warm_key(model))
        return 0.0 if found is None else float(found["until"])

    def _has_all(self) -> bool:
        return len(self._states) > 0 and all(state.weights == "in_place" for state in self._states.values())
