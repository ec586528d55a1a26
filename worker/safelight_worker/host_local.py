"""Runs models in processes of their own on this machine. The serving process imports no torch.

A process belongs to one model and keeps its weights warm; it can be killed at any moment and is back quickly, as the
libraries are imported once, by the fork server.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from safelight_worker import __version__, child, messages
from safelight_worker.attempt import Attempt, Finished, RunFailed
from safelight_worker.catalog import CheckedTask, model_entry
from safelight_worker.contract import Json
from safelight_worker.encode import CONTENT_TYPES, missing_encoders
from safelight_worker.families import Job, ModelState, Reference, Unavailable
from safelight_worker.model_process import ModelChild, ProcessDied
from safelight_worker.settings import ModelSpec
from safelight_worker.store import TaskStore

log = logging.getLogger(__name__)

_KILL_AFTER = 6.0
_PROBE_AGAIN = 60.0
_PROBE_SOON = 5.0
ENGINE_NAME = "diffusers"
SHARES: Mapping[str, int] = {"starting": 0, "load": 1, "encode": 5, "denoise": 8, "decode": 90, "mux": 95, "save": 98}


class LocalHost:
    """A Runner on this machine; `slots` attempts run at once.

    `specs` are the settings of the models, None makes tiny ones in the folder `tiny`. `offered` names the models to be
    offered, None for all.
    """

    def __init__(
        self,
        store: TaskStore,
        specs: Mapping[str, ModelSpec] | None,
        tiny: Path,
        slots: int = 1,
        offered: Sequence[str] | None = None,
    ) -> None:
        self._store = store
        self._specs = specs
        self._tiny = tiny
        self._slots = slots
        self._offered = offered
        self._states: dict[str, ModelState] = {}
        self._children: list[ModelChild] = []
        self._idle: list[ModelChild] = []
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(child.PRELOAD))
        self._missing = missing_encoders()
        self._probing: asyncio.Task[None] | None = None
        self._probe_lock = asyncio.Lock()
        self.gpus: Sequence[messages.Gpu] = ()
        self.engine_version = engine_version()
        self.is_probed = False

    @property
    def slots(self) -> Mapping[str, int]:
        """See Runner."""
        return {"image": self._slots, "video": self._slots, "total": self._slots}

    async def start(self) -> None:
        """Begins to look at the models; health says that nothing is available until that is done."""
        self._probing = asyncio.create_task(self._keep_probing())

    async def stop(self) -> None:
        """Ends every process."""
        if self._probing is not None:
            self._probing.cancel()
        await asyncio.gather(*(one.kill() for one in list(self._children)))
        self._children.clear()
        self._idle.clear()

    def models(self) -> list[ModelState]:
        """What is known of each model that has settings and is offered."""
        return [state for state in self._states.values() if self._offered is None or state.model in self._offered]

    def is_warm(self, model: str) -> bool:
        """Whether a process holds its weights."""
        return any(one.model == model and one.warm and not one.is_gone for one in self._children)

    def unavailable(self, model: str, mode: str) -> Unavailable | None:
        """See Runner."""
        state = next((one for one in self.models() if one.model == model), None)
        if state is None:
            if not self.is_probed:
                return Unavailable("starting", "The worker is still looking at its models.")
            return Unavailable("not_offered", f"This worker does not have {model}.")
        return state.modes.get(mode, Unavailable("not_configured", f"This worker does not have {mode} of {model}."))

    def limits(self, model: str) -> Sequence[Json]:
        """See Runner."""
        return limits_of(model, self._missing)

    async def probe(self) -> None:
        """Looks at the models again. Afterwards `models` is up to date; when that fails it stays as it was."""
        async with self._probe_lock:
            answer = await self._ask_probe()
        if not isinstance(answer, messages.Probed):
            return
        if not self.is_probed:
            for state in answer.models:
                log.info("%s: weights %s, licence: %s", state.model, state.weights.replace("_", " "), state.licence)
        self._states = {state.model: state for state in answer.models}
        self._specs = answer.specs
        self.gpus = answer.gpus
        self.is_probed = True

    async def run(self, attempt: Attempt, task: CheckedTask, media: Mapping[str, Path]) -> Finished:
        """See Runner."""
        order = make_order(self._store, attempt, task, media, self.engine_version)
        while True:
            process = await self._take(task.model, attempt)
            try:
                outcome = await self._follow(process, order, attempt)
            except ProcessDied:
                await self._drop(process)
                raise RunFailed("worker_lost", "The process of the model died.") from None
            except BaseException:
                await self._drop(process)
                raise
            if isinstance(outcome, messages.NoRoom):
                await self._drop(process)
                if await self._make_room():
                    continue
                raise RunFailed("out_of_memory", outcome.detail, retryable=True)
            return await self._settle(process, outcome, attempt, order)

    async def _settle(
        self, process: ModelChild, outcome: messages.Done | messages.Failed, attempt: Attempt, order: messages.RunOrder
    ) -> Finished:
        if isinstance(outcome, messages.Done):
            self._rest(process)
            self.gpus = outcome.gpus or self.gpus
            attempt.preview = order.preview if order.preview.exists() else None
            return Finished(outcome.facts, order.result)
        if outcome.spoilt:
            await self._drop(process)
        else:
            self._rest(process)
        if outcome.code == "out_of_memory":
            # The next attempt then finds more memory than this one did.
            await self._make_room()
        if outcome.weights:
            self._look_again()
        raise RunFailed(outcome.code, outcome.detail, outcome.retryable)

    async def _take(self, model: str, attempt: Attempt) -> ModelChild:
        """An idle process of the model, else a new one."""
        await self._bury()
        process = next((one for one in self._idle if one.model == model), None)
        if process is not None:
            self._idle.remove(process)
            return process
        assert self._specs is not None
        process = ModelChild(self._specs[model], self._context)
        self._children.append(process)
        attempt.tell(stage="starting")
        try:
            await self._start(process, attempt)
        except (ProcessDied, OSError, EOFError):
            await self._drop(process)
            raise RunFailed("worker_lost", "The process of the model could not be started.") from None
        return process

    async def _start(self, process: ModelChild, attempt: Attempt) -> None:
        """Waits for a process to stand, but not for long once the run is to stop. Errors: ProcessDied, OSError."""
        starting = asyncio.create_task(process.start())
        stopping = asyncio.create_task(attempt.stop_wanted.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            done, _ = await asyncio.wait({starting}, timeout=_KILL_AFTER)
            if not done:
                raise ProcessDied
            starting.result()
        finally:
            stopping.cancel()
            starting.cancel()

    async def _follow(
        self, process: ModelChild, order: messages.RunOrder, attempt: Attempt
    ) -> messages.Done | messages.Failed | messages.NoRoom:
        """Passes on what the process tells until it ends the run. A wish to stop that it does not heed kills it."""
        process.cancel.clear()
        process.send(order)
        stopping = asyncio.create_task(attempt.stop_wanted.wait())
        receiving = asyncio.create_task(process.receive())
        patience: float | None = None
        try:
            while True:
                waits = {receiving} if patience is not None else {receiving, stopping}
                done, _ = await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if receiving in done:
                    message = receiving.result()
                    if isinstance(message, messages.Done | messages.Failed | messages.NoRoom):
                        return message
                    self._tell(process, attempt, message)
                    receiving = asyncio.create_task(process.receive())
                elif patience is not None:
                    log.warning("a run of %s did not stop in time: its process is ended", process.model)
                    raise ProcessDied
                if stopping.done() and patience is None:
                    process.cancel.set()
                    patience = _KILL_AFTER
        finally:
            stopping.cancel()
            receiving.cancel()

    def _tell(self, process: ModelChild, attempt: Attempt, message: messages.FromModel) -> None:
        match message:
            case messages.Told(stage, detail):
                attempt.tell(stage=stage, stage_detail=detail, progress=SHARES[stage])
            case messages.Stepped(done, total):
                share = SHARES["denoise"] + (SHARES["decode"] - SHARES["denoise"]) * done / max(total, 1)
                attempt.tell(stage="denoise", stage_detail=None, step=done, steps=total, progress=share)
            case messages.Previewed(version):
                attempt.preview = self._store.preview_path(attempt.id, attempt.number)
                attempt.tell(preview_version=version)
            case messages.Warned(notice):
                attempt.tell(warnings=[*attempt.task["warnings"], dict(notice)])
            case messages.Loaded(seconds, cards):
                process.warm = True
                self.gpus = cards or self.gpus
                log.info("%s is loaded in %.1f s", process.model, seconds)

    def _rest(self, process: ModelChild) -> None:
        process.used_at = time.monotonic()
        self._idle.append(process)

    async def _bury(self) -> None:
        """Lets go of idle processes that have died: somebody killed them, or the machine ran out of memory."""
        gone = [one for one in self._idle if one.is_gone]
        self._idle = [one for one in self._idle if not one.is_gone]
        for process in gone:
            log.warning("the process of %s has died between two runs", process.model)
            await self._drop(process)

    async def _drop(self, process: ModelChild) -> None:
        if process in self._children:
            self._children.remove(process)
        await process.kill()

    async def _make_room(self) -> bool:
        """Ends the idle process that was used longest ago; False when there is none."""
        await self._bury()
        if not self._idle:
            return False
        oldest = min(self._idle, key=lambda one: one.used_at)
        self._idle.remove(oldest)
        log.info("%s leaves to make room", oldest.model)
        await self._drop(oldest)
        return True

    def _look_again(self) -> None:
        """Looks at the models now, and goes on until all are in place: who fetches them again starts nothing anew."""
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._keep_probing())
        else:
            asyncio.get_running_loop().create_task(self.probe())

    async def _keep_probing(self) -> None:
        while True:
            await self.probe()
            waits = [state for state in self.models() if state.weights != "in_place"]
            if self.is_probed and not waits:
                return
            is_soon = not self.is_probed or any(state.weights == "fetching" for state in waits)
            await asyncio.sleep(_PROBE_SOON if is_soon else _PROBE_AGAIN)

    async def _ask_probe(self) -> object:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=child.probe, args=(theirs, self._specs, self._tiny), daemon=True, name="probe"
        )
        try:
            await asyncio.to_thread(process.start)
        except (OSError, EOFError) as error:
            log.warning("the models could not be looked at: %s", error)
            ours.close()
            return None
        finally:
            theirs.close()
        try:
            return await asyncio.to_thread(_receive_or_none, ours)
        finally:
            ours.close()
            process.kill()
            await asyncio.to_thread(process.join)


def _receive_or_none(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError):
        return None


def make_order(
    store: TaskStore, attempt: Attempt, task: CheckedTask, media: Mapping[str, Path], version: str
) -> messages.RunOrder:
    """The order for an attempt; its files belong into the store."""
    content_type = CONTENT_TYPES[str(task.parameters["output_format"])]
    job = Job(
        task_id=attempt.id,
        attempt=attempt.number,
        model=task.model,
        mode=task.mode,
        prompt=task.prompt,
        negative_prompt=task.negative_prompt,
        parameters=dict(task.parameters),
        seed=task.seed,
        references=[Reference(one.parameter, one.index, one.strength, media[one.media_id]) for one in task.pictures],
        deadline=attempt.deadline,
    )
    return messages.RunOrder(
        job=job,
        content_type=content_type,
        result=store.result_path(attempt.id, attempt.number, content_type),
        preview=store.preview_path(attempt.id, attempt.number),
        recipe=dict(task.recipe),
        engine=ENGINE_NAME,
        engine_version=version,
    )


def limits_of(model: str, missing: Sequence[str]) -> Sequence[Json]:
    """The notice about output formats of a model that cannot be written here; none when there are none."""
    entry = model_entry(model)
    options = [] if entry is None else next(p["options"] for p in entry["parameters"] if p["name"] == "output_format")
    affected = [option for option in options if option in missing]
    if not affected:
        return ()
    detail = f"This machine has no encoder for {', '.join(affected)}."
    notice = {"code": "format_unavailable", "parameter": "output_format", "options": affected}
    return ({**notice, "detail": detail},)


def engine_version() -> str:
    """The worker's version and that of the library that draws: both decide which bytes a seed makes."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{__version__}+diffusers.{version('diffusers')}"
    except PackageNotFoundError:
        return __version__
