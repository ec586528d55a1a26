"""Runs attempts in functions on Modal's graphics cards. Imports no modal: `Remote` is what the app file gives.

The serving container has no graphics card. It starts a call, follows it through a dictionary that both sides see, and
reads the file from a volume once the call has ended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from safelight_worker import messages
from safelight_worker.catalog import CheckedTask
from safelight_worker.child import ModelRunner, prepare, probe_models
from safelight_worker.contract import Json
from safelight_worker.encode import missing_encoders, preview_webp
from safelight_worker.families import Cancelled, ModelState, Stage, TimedOut, Unavailable
from safelight_worker.files import write_whole
from safelight_worker.host_local import SHARES, engine_version, limits_of, make_order
from safelight_worker.settings import ModelSpec
from safelight_worker.store import TaskStore
from safelight_worker.tasks import Attempt, Finished, RunFailed

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_TELL_SECONDS = 0.4
_ASK_SECONDS = 1.0
_PREVIEW_SECONDS = 2.0
_STOP_PATIENCE = 8.0


class Remote(Protocol):
    """The other side, as the app file knows it."""

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
        """Lets this container see what others have committed to the volume."""

    async def commit(self) -> None:
        """Lets others and later starts see what this container has written to the volume."""


class ModalHost:
    """A Runner whose runs are calls. `slots`: how many containers of graphics cards there may be."""

    gpus: Sequence[messages.Gpu] = ()

    def __init__(self, store: TaskStore, specs: Mapping[str, ModelSpec], remote: Remote, slots: int) -> None:
        self._store = store
        self._specs = specs
        self._remote = remote
        self._slots = slots
        self._states: dict[str, ModelState] = {}
        self._missing = missing_encoders()
        self.engine_version = engine_version()

    @property
    def slots(self) -> Mapping[str, int]:
        """See Runner."""
        return {"image": self._slots, "video": self._slots, "total": self._slots}

    async def probe(self) -> None:
        """Looks at the weights on the volume, in this container."""
        states = await asyncio.to_thread(probe_models, self._specs)
        self._states = {state.model: state for state in states}

    def models(self) -> list[ModelState]:
        """What is known of each model."""
        return list(self._states.values())

    def is_warm(self, model: str) -> bool:
        """Nobody here knows which containers are awake, and asking would wake one."""
        del model
        return False

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
        key = progress_key(order)
        await self._end_earlier_call(attempt.id)
        # What the pictures' senders have written must be seen over there.
        await self._remote.commit()
        call = await self._remote.spawn(order, seconds)
        await self._remote.write(_call_key(attempt.id), call)
        try:
            outcome = await self._follow(call, key, attempt)
        finally:
            for name in (key, _stop_key(key), _call_key(attempt.id)):
                await self._remote.forget(name)
        if isinstance(outcome, messages.NoRoom):
            raise RunFailed("out_of_memory", outcome.detail, retryable=True)
        if isinstance(outcome, messages.Failed):
            raise RunFailed(outcome.code, outcome.detail, outcome.retryable)
        await self._remote.reload()
        return Finished(outcome.facts, order.result)

    async def _follow(self, call: str, key: str, attempt: Attempt) -> messages.Done | messages.Failed | messages.NoRoom:
        ends: float | None = None
        while True:
            outcome = await self._remote.outcome(call)
            if outcome is not None:
                return outcome
            await self._take_over(key, attempt)
            if ends is None and attempt.stop_wanted.is_set():
                ends = time.monotonic() + _STOP_PATIENCE
                await self._remote.write(_stop_key(key), True)
            if ends is not None and time.monotonic() > ends:
                await self._remote.cancel(call)
                raise RunFailed("worker_lost", "The run did not stop in time and was ended.")
            await asyncio.sleep(_POLL_SECONDS)

    async def _take_over(self, key: str, attempt: Attempt) -> None:
        """Tells what the call has written since the last time."""
        told = await self._remote.read(key)
        if told is None or attempt.stop_reason is not None:
            return
        preview = told.get("preview")
        if preview is not None and told["preview_version"] > attempt.task["preview_version"]:
            path = self._store.preview_path(attempt.id, attempt.number)
            await asyncio.to_thread(write_whole, path, preview)
            attempt.preview = path
        names = ("stage", "stage_detail", "step", "steps", "progress", "preview_version", "warnings")
        attempt.tell(**{name: told[name] for name in names})

    async def _end_earlier_call(self, task_id: str) -> None:
        """A serving container that was lost may have left a call of the same task behind."""
        left = await self._remote.read(_call_key(task_id))
        if left is not None:
            await self._remote.cancel(left)


class SharedReport:
    """Report of a run inside a call: writes to the dictionary, seldom enough not to slow the run down."""

    def __init__(self, shared: MutableMapping[str, Any], key: str, seconds: float) -> None:
        self._shared = shared
        self._key = key
        self._ends = time.monotonic() + seconds
        self._told: dict[str, Any] = {
            "stage": "starting",
            "stage_detail": None,
            "step": None,
            "steps": None,
            "progress": 0,
            "preview_version": 0,
            "preview": None,
            "warnings": [],
        }
        self._written = self._asked = self._previewed = 0.0

    def stage(self, name: Stage, detail: str | None = None) -> None:
        """See Report."""
        self.check()
        self._tell(stage=name, stage_detail=detail, progress=max(self._told["progress"], SHARES[name]))

    def step(self, done: int, total: int) -> None:
        """See Report."""
        self.check()
        share = SHARES["denoise"] + (SHARES["decode"] - SHARES["denoise"]) * done // max(total, 1)
        self._tell(stage="denoise", stage_detail=None, step=done, steps=total, progress=share)

    def preview(self, images: Sequence[Image], fps: float) -> None:
        """See Report."""
        self.check()
        now = time.monotonic()
        if len(images) == 0 or now - self._previewed < _PREVIEW_SECONDS:
            return
        self._previewed = now
        self._tell(preview=preview_webp(images, fps), preview_version=self._told["preview_version"] + 1)

    def warn(self, code: str, parameter: str | None, detail: str) -> None:
        """See Report."""
        notice = {"code": code, "detail": detail, **({} if parameter is None else {"parameter": parameter})}
        if notice not in self._told["warnings"]:
            self._told["warnings"] = [*self._told["warnings"], notice]

    def check(self) -> None:
        """See LoadReport."""
        now = time.monotonic()
        if now > self._ends:
            raise TimedOut
        if now - self._asked >= _ASK_SECONDS:
            self._asked = now
            if self._shared.get(_stop_key(self._key)):
                raise Cancelled

    def flush(self) -> None:
        """Writes what is known now."""
        self._written = time.monotonic()
        self._shared[self._key] = dict(self._told)

    def _tell(self, **change: Any) -> None:
        self._told.update(change)
        if time.monotonic() - self._written >= _TELL_SECONDS:
            self.flush()


class CallRunner:
    """Runs orders inside a container that has a graphics card; it holds one model."""

    def __init__(self, spec: ModelSpec) -> None:
        prepare()
        self._runner = ModelRunner(spec, lambda loaded: log.info("loaded in %.1f s", loaded.seconds))

    def run(
        self, order: messages.RunOrder, seconds: float, shared: MutableMapping[str, Any]
    ) -> messages.Done | messages.Failed | messages.NoRoom:
        """Runs an order; its file is on the volume afterwards, to be committed by the caller."""
        report = SharedReport(shared, progress_key(order), seconds)
        outcome = self._runner.answer(order_here(order, seconds), report)
        report.flush()
        return outcome


def order_here(order: messages.RunOrder, seconds: float) -> messages.RunOrder:
    """The order with its deadline by this machine's clock."""
    return replace(order, job=replace(order.job, deadline=time.monotonic() + seconds))


def progress_key(order: messages.RunOrder) -> str:
    """Where the dictionary holds what a run tells."""
    return f"run/{order.job.task_id}/{order.job.attempt}"


def _stop_key(key: str) -> str:
    return f"{key}/stop"


def _call_key(task_id: str) -> str:
    return f"call/{task_id}"
