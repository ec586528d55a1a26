"""What can befall a model's process: each ends in one clear error and a worker that takes the next job."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, get_args

import pytest
import scripted_child
from schema import fits
from test_tasks import refused, request

from safelight_worker.attempt import Attempt
from safelight_worker.child import set_environment
from safelight_worker.contract import MODELS
from safelight_worker.families import ModelState, Stage
from safelight_worker.health import create_health
from safelight_worker.host_local import LocalHost
from safelight_worker.settings import ModelSpec
from safelight_worker.store import MediaShelf, TaskStore
from safelight_worker.tasks import Tasks

#: The first process waits for the libraries to be imported, on a busy machine for long.
_PATIENCE = 120
STAGES = [stage for stage in get_args(Stage) if stage != "starting"]
MODES = {"pony": "txt2img", "flux": "txt2img", "phr00t": "t2v", "anisora": "t2v"}


class Stand:
    """A worker on real processes that do as the script says."""

    def __init__(
        self, root: Path, room: int = 100, slots: int = 1, specs: Mapping[str, ModelSpec] | None = None
    ) -> None:
        self.root = root
        self.script = root / "script"
        self.script.write_text("")
        options = {"script": str(self.script), "room": room}
        given = specs or {model: ModelSpec(model, "", "", False, {}, {}) for model in MODES}
        specs = {model: replace(spec, options={**spec.options, **options}) for model, spec in given.items()}
        store = TaskStore(root)
        self.host = LocalHost(store, specs, root / "tiny", slots)
        self.host._states = {
            entry["id"]: ModelState(entry["id"], "in_place", {mode["id"]: None for mode in entry["modes"]})
            for entry in MODELS
        }
        self.host.is_probed = True
        self.tasks = Tasks(self.host, store, MediaShelf(root), 3600)
        self.health = create_health("stand", self.host, self.tasks)

    def begin(self, model: str = "phr00t", **change: Any) -> Attempt:
        """An accepted attempt."""
        body = request(model=model, mode=MODES[model], **change)
        self.tasks.accept(body)
        return self.tasks.find(body["task_id"], body["attempt"])

    async def end(self, attempt: Attempt) -> dict[str, Any]:
        """How it ends; of a failed one nothing but its record is left."""
        await asyncio.wait_for(attempt.over.wait(), _PATIENCE)
        assert self.tasks.busy()["total"] == 0
        fits(attempt.task, "WorkerTask")
        fits(self.health(), "WorkerHealth")
        if attempt.task["error"] is not None:
            left = [path.name for folder in ("results", "previews") for path in (self.root / folder).iterdir()]
            assert [name for name in left if attempt.id in name] == [f"{attempt.id}-{attempt.number}.json"]
        return attempt.task

    async def succeeds(self, model: str = "phr00t") -> None:
        """The next job runs."""
        self.script.write_text("")
        task = await self.end(self.begin(model))
        assert task["state"] == "succeeded", task["error"]

    async def fails(self, script: str, model: str = "phr00t") -> dict[str, Any]:
        """The error of a job under a script."""
        self.script.write_text(script)
        task = await self.end(self.begin(model))
        assert task["state"] == "failed"
        assert str(self.root) not in task["error"]["detail"] and "secret" not in task["error"]["detail"]
        return dict(task["error"])

    async def held(self, stage: str, **change: Any) -> Attempt:
        """A job that stays in a stage."""
        self.script.write_text(f"hold {stage}")
        attempt = self.begin(**change)
        await until(lambda: attempt.task["stage"] == stage)
        fits(attempt.task, "WorkerTask")
        return attempt

    def pids(self) -> dict[str, int | None]:
        """The process of each model."""
        return {process.model: process.pid for process in self.host._children}

    def kill(self, model: str = "phr00t") -> None:
        """As the kernel does it when memory runs out."""
        pid = self.pids()[model]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


class Play(Protocol):
    """Runs a test on a stand."""

    def __call__(self, test: Callable[[Stand], Awaitable[None]], *, room: int = 100, slots: int = 1) -> None:
        """`room`: how many models fit into memory. `slots`: how many jobs run at once."""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    set_environment(1)
    monkeypatch.setattr("safelight_worker.child.serve_model", scripted_child.serve_model)
    # On a busy machine a process may take long to heed a stop; none of these tests is about that.
    monkeypatch.setattr("safelight_worker.host_local._KILL_AFTER", _PATIENCE)

    def run(test: Callable[[Stand], Awaitable[None]], *, room: int = 100, slots: int = 1) -> None:
        async def body() -> None:
            stand = Stand(tmp_path, room, slots)
            try:
                await test(stand)
            finally:
                await stand.tasks.stop()
                await stand.host.stop()

        asyncio.run(body())

    return run


def test_a_process_killed_in_any_stage_is_one_error_and_the_next_job_runs(play: Play) -> None:
    async def test(stand: Stand) -> None:
        for stage in STAGES:
            attempt = await stand.held(stage)
            stand.kill()
            error = (await stand.end(attempt))["error"]
            assert (error["code"], error["retryable"]) == ("worker_lost", True)
            assert stand.pids() == {} and not stand.host.is_warm("phr00t")
        # What the gateway does then: the same task again, as a later attempt.
        stand.script.write_text("")
        again = stand.begin(task_id=attempt.id, attempt=2)
        assert (await stand.end(again))["state"] == "succeeded"

    play(test)


def test_a_cancel_in_any_stage_ends_the_run_and_leaves_its_process(play: Play) -> None:
    async def test(stand: Stand) -> None:
        for stage in STAGES:
            attempt = await stand.held(stage)
            before = stand.pids()
            await stand.tasks.cancel(attempt)
            task = await stand.end(attempt)
            assert (task["error"]["code"], task["stage"]) == ("cancelled", "cancelling")
            assert stand.pids() == before
        await stand.succeeds()
        assert stand.pids() == before

    play(test)


def test_a_deadline_in_any_stage_ends_the_run(play: Play) -> None:
    async def test(stand: Stand) -> None:
        for stage in STAGES:
            stand.script.write_text(f"hold {stage}")
            attempt = stand.begin(deadline_s=0.1)
            error = (await stand.end(attempt))["error"]
            assert (error["code"], error["retryable"]) == ("timed_out", False)
        await stand.succeeds()

    play(test)


@pytest.mark.parametrize(("model", "stage"), [("phr00t", "mux"), ("pony", "save")])
def test_a_disk_that_is_full_when_the_file_is_written(play: Play, model: str, stage: str) -> None:
    async def test(stand: Stand) -> None:
        await stand.succeeds(model)
        before = stand.pids()
        error = await stand.fails(f"full {stage}", model)
        assert (error["code"], error["retryable"]) == ("storage_failed", True)
        await stand.succeeds(model)
        assert stand.pids() == before

    play(test)


#: Where it happens, what happens, the code, whether another attempt has a chance, whether the process stays, words.
FAULTS: Sequence[tuple[str, str, str, bool, bool, str]] = (
    ("denoise", "OutOfMemory", "out_of_memory", True, False, "2.5 GB"),
    ("denoise", "CardOutOfMemory", "out_of_memory", True, False, "2.7 GB more"),
    ("decode", "MemoryError", "out_of_memory", True, False, "GB are free"),
    ("load", "OutOfMemory", "out_of_memory", True, False, "2.5 GB"),
    ("denoise", "NonFinite", "engine_failed", False, True, "not finite"),
    ("load", "WeightsMissing", "engine_failed", False, True, "unet has no weights"),
    ("load", "WeightsDamaged", "engine_failed", False, True, "unet is of another model"),
    ("encode", "Refused", "invalid_media", False, True, "cannot be read"),
    ("denoise", "RuntimeError", "engine_failed", False, False, "could not finish"),
    ("save", "OSError", "storage_failed", True, True, "disk"),
)


def test_whatever_goes_wrong_has_one_code_and_the_next_job_runs(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> None:
        probes.append("probe")

    async def test(stand: Stand) -> None:
        monkeypatch.setattr(stand.host, "probe", nothing)
        for stage, fault, code, retryable, stays, words in FAULTS:
            if stage == "load":
                for model in stand.pids():
                    stand.kill(model)
                await until(lambda: all(process.is_gone for process in stand.host._children))
            else:
                await stand.succeeds()
            error = await stand.fails(f"fail {stage} {fault}")
            assert (fault, error["code"], error["retryable"]) == (fault, code, retryable)
            assert words in error["detail"]
            assert (fault, stage, bool(stand.pids())) == (fault, stage, stays)
        await stand.succeeds()
        # Weights that turned out to be bad are looked at again, so that health learns of it.
        assert probes == ["probe"] * 2

    probes: list[str] = []
    play(test)


def test_the_model_used_longest_ago_leaves_when_memory_is_short(play: Play) -> None:
    async def test(stand: Stand) -> None:
        for model in ("pony", "flux", "pony"):
            await stand.succeeds(model)
        pony = stand.pids()["pony"]
        await stand.succeeds("phr00t")
        assert list(stand.pids()) == ["pony", "phr00t"]
        assert stand.pids()["pony"] == pony
        assert stand.host.is_warm("pony") and not stand.host.is_warm("flux")
        await stand.succeeds("flux")
        assert list(stand.pids()) == ["phr00t", "flux"]

    play(test, room=2)


def test_a_run_that_lacked_memory_leaves_more_of_it_to_the_next(play: Play) -> None:
    async def test(stand: Stand) -> None:
        for model in ("pony", "flux"):
            await stand.succeeds(model)
        error = await stand.fails("fail denoise CardOutOfMemory")
        assert (error["code"], error["retryable"]) == ("out_of_memory", True)
        assert list(stand.pids()) == ["flux"]
        await stand.succeeds()
        assert list(stand.pids()) == ["flux", "phr00t"]

    play(test)


def test_what_runs_does_not_leave_and_the_other_is_told_of_too_little_memory(play: Play) -> None:
    async def test(stand: Stand) -> None:
        running = await stand.held("denoise", model="pony")
        other = stand.begin("flux")
        await asyncio.wait_for(other.over.wait(), _PATIENCE)
        error = other.task["error"]
        assert (error["code"], error["retryable"]) == ("out_of_memory", True)
        assert "1.0 GB are free" in error["detail"]
        stand.script.write_text("")
        assert (await stand.end(running))["state"] == "succeeded"
        await stand.succeeds("flux")
        assert list(stand.pids()) == ["flux"]

    play(test, room=1, slots=2)


def test_a_process_that_dies_between_two_jobs_costs_no_job(play: Play) -> None:
    async def test(stand: Stand) -> None:
        await stand.succeeds()
        before = stand.pids()
        assert stand.host.is_warm("phr00t")
        stand.kill()
        await until(lambda: not stand.host.is_warm("phr00t"))
        await stand.succeeds()
        assert stand.pids() != before

    play(test)


def test_a_process_that_does_not_start_is_one_error(play: Play) -> None:
    async def test(stand: Stand) -> None:
        error = await stand.fails("no start")
        assert (error["code"], error["retryable"]) == ("worker_lost", True)
        assert stand.pids() == {}
        await stand.succeeds()

    play(test)


@pytest.mark.parametrize(("how", "code"), [("cancel", "cancelled"), ("deadline", "timed_out")])
def test_a_process_that_never_stands_does_not_keep_its_slot(
    play: Play, monkeypatch: pytest.MonkeyPatch, how: str, code: str
) -> None:
    monkeypatch.setattr("safelight_worker.host_local._KILL_AFTER", 0.2)

    async def test(stand: Stand) -> None:
        await stand.succeeds("pony")
        stand.script.write_text("slow start")
        attempt = stand.begin(deadline_s=0.3 if how == "deadline" else 60)
        if how == "cancel":
            await until(lambda: None not in stand.pids().values())
            await stand.tasks.cancel(attempt)
        assert (await stand.end(attempt))["error"]["code"] == code
        assert list(stand.pids()) == ["pony"]
        await stand.succeeds()

    play(test)


def test_of_two_jobs_that_race_for_a_slot_one_runs_and_the_other_comes_next(play: Play) -> None:
    async def test(stand: Stand) -> None:
        stand.script.write_text("hold denoise")
        first = stand.begin()
        for model in ("phr00t", "pony"):
            refused("busy", lambda model=model: stand.begin(model))
        await until(lambda: first.task["stage"] == "denoise")
        refused("busy", lambda: stand.begin())
        stand.kill()
        await stand.end(first)
        await stand.succeeds("pony")

    play(test)


def test_two_jobs_of_one_model_have_a_process_each(play: Play) -> None:
    async def test(stand: Stand) -> None:
        one = await stand.held("denoise")
        two = await stand.held("denoise")
        assert len(stand.host._children) == 2
        await stand.tasks.cancel(one)
        assert two.is_running
        stand.script.write_text("")
        assert (await stand.end(two))["state"] == "succeeded"

    play(test, slots=2)


def test_every_stage_is_told_in_its_order(play: Play) -> None:
    async def test(stand: Stand) -> None:
        attempt = await stand.held("load")
        seen = [attempt.task]
        tell = attempt.tell

        def listen(**change: Any) -> None:
            tell(**change)
            seen.append(attempt.task)

        attempt.tell = listen  # type: ignore[method-assign]
        stand.script.write_text("")
        await stand.end(attempt)
        assert list(dict.fromkeys(task["stage"] for task in seen)) == STAGES
        progress = [task["progress"] for task in seen]
        assert progress == sorted(progress) and attempt.task["progress"] == 100

    play(test)
