"""The life of tasks: attempts, slots, stopping, and what a restart keeps."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scripted_runner import ScriptedRunner

from safelight_worker.attempt import Attempt
from safelight_worker.contract import Refusal
from safelight_worker.families import Unavailable
from safelight_worker.store import MediaShelf, TaskStore
from safelight_worker.tasks import Tasks


def request(prompt: str = "a red boat", **change: Any) -> dict[str, Any]:
    body = {
        "task_id": str(uuid.uuid4()),
        "attempt": 1,
        "model": "flux",
        "mode": "txt2img",
        "prompt": prompt,
        "negative_prompt": "",
        "parameters": {},
        "seed": 7,
        "deadline_s": 60,
        "media": [],
    }
    return {**body, **change}


def open_tasks(root: Path, slots: int = 1) -> Tasks:
    store = TaskStore(root)
    return Tasks(ScriptedRunner(store, slots), store, MediaShelf(root), 3600)


def run(test: Callable[[Tasks], Awaitable[None]], root: Path, slots: int = 1) -> None:
    async def body() -> None:
        tasks = open_tasks(root, slots)
        try:
            await test(tasks)
        finally:
            await tasks.stop()

    asyncio.run(body())


async def end_of(tasks: Tasks, body: dict[str, Any]) -> Attempt:
    attempt = tasks.find(body["task_id"], body["attempt"])
    await asyncio.wait_for(attempt.over.wait(), 60)
    return attempt


def refused(code: str, action: Callable[[], object]) -> None:
    with pytest.raises(Refusal) as refusal:
        action()
    assert refusal.value.code == code


def test_a_task_succeeds_and_is_the_same_after_a_restart(tmp_path: Path) -> None:
    body = request()

    async def first(tasks: Tasks) -> None:
        task, is_new = tasks.accept(body)
        assert (is_new, task["state"], task["version"]) == (True, "running", 1)
        attempt = await end_of(tasks, body)
        assert attempt.task["state"] == "succeeded"
        assert attempt.task["progress"] == 100
        told.append(attempt.task)

    async def second(tasks: Tasks) -> None:
        attempt = tasks.find(body["task_id"], None)
        assert attempt.task == told[0]
        assert attempt.result is not None
        assert attempt.result.read_bytes().startswith(b"a red boat 7")
        assert attempt.preview is not None
        assert tasks.accept(body) == (told[0], False)

    told: list[dict[str, Any]] = []
    run(first, tmp_path)
    run(second, tmp_path)


def test_a_running_task_is_unknown_after_a_restart_and_leaves_no_file(tmp_path: Path) -> None:
    body = request("wait")

    async def first(tasks: Tasks) -> None:
        tasks.accept(body)
        await asyncio.sleep(0.05)

    async def second(tasks: Tasks) -> None:
        refused("task_not_found", lambda: tasks.find(body["task_id"], None))

    run(first, tmp_path)
    (tmp_path / "results" / f".{body['task_id']}-1.png.part").write_bytes(b"half")
    (tmp_path / "previews" / f"{body['task_id']}-1.webp").write_bytes(b"small")
    run(second, tmp_path)
    assert list((tmp_path / "results").iterdir()) == []
    assert list((tmp_path / "previews").iterdir()) == []


def test_a_record_that_was_cut_off_is_no_record(tmp_path: Path) -> None:
    body = request()

    async def first(tasks: Tasks) -> None:
        tasks.accept(body)
        await end_of(tasks, body)

    async def second(tasks: Tasks) -> None:
        refused("task_not_found", lambda: tasks.find(body["task_id"], None))

    run(first, tmp_path)
    record = tmp_path / "results" / f"{body['task_id']}-1.json"
    record.write_bytes(record.read_bytes()[:-20])
    run(second, tmp_path)
    assert list((tmp_path / "results").iterdir()) == []


def test_of_attempts_that_race_one_starts(tmp_path: Path) -> None:
    async def test(tasks: Tasks) -> None:
        body = request("wait")
        answers = [tasks.accept(body) for _ in range(8)]
        assert [is_new for _, is_new in answers] == [True] + [False] * 7
        await asyncio.sleep(0.02)
        assert isinstance(tasks.runner, ScriptedRunner)
        assert tasks.runner.ran == [(body["task_id"], 1)]
        refused("busy", lambda: tasks.accept(request()))
        assert tasks.busy() == {"image": 1, "video": 0, "total": 1}

    run(test, tmp_path)


def test_a_later_attempt_takes_the_slot_of_the_earlier(tmp_path: Path) -> None:
    async def test(tasks: Tasks) -> None:
        body = request("wait")
        tasks.accept(body)
        await asyncio.sleep(0.02)
        second = {**body, "attempt": 2}
        third = {**body, "attempt": 3, "prompt": "a boat"}
        assert tasks.accept(second)[1]
        assert tasks.accept(third)[1]
        assert (await end_of(tasks, third)).task["state"] == "succeeded"
        for stale in (body, second):
            refused("attempt_superseded", lambda stale=stale: tasks.accept(stale))
            refused("attempt_superseded", lambda stale=stale: tasks.find(stale["task_id"], stale["attempt"]))
        refused("task_not_found", lambda: tasks.find(body["task_id"], 4))
        assert tasks.busy()["total"] == 0
        assert {path.name for path in (tmp_path / "results").glob("*.json")} == {f"{body['task_id']}-3.json"}

    run(test, tmp_path)


@pytest.mark.parametrize(("how", "code"), [("cancel", "cancelled"), ("deadline", "timed_out")])
def test_a_stopped_task_fails_and_frees_its_slot(tmp_path: Path, how: str, code: str) -> None:
    async def test(tasks: Tasks) -> None:
        body = request("wait", deadline_s=0.2 if how == "deadline" else 60)
        tasks.accept(body)
        await asyncio.sleep(0.05)
        attempt = tasks.find(body["task_id"], 1)
        if how == "cancel":
            await tasks.cancel(attempt)
        await end_of(tasks, body)
        error = attempt.task["error"]
        assert (error["code"], error["retryable"]) == (code, False)
        assert attempt.task["stage"] == "cancelling"
        before = attempt.task
        await tasks.cancel(attempt)
        assert attempt.task == before
        assert tasks.accept(request())[1]

    run(test, tmp_path)


@pytest.mark.parametrize("moment", [4_000_000_000.0, 0.0], ids=["forward", "back"])
def test_a_clock_that_is_set_ends_no_run_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: float
) -> None:
    async def test(tasks: Tasks) -> None:
        done, running = request(), request("wait", deadline_s=60)
        tasks.accept(done)
        await end_of(tasks, done)
        partial = tasks.shelf.partial_path("x")
        partial.write_bytes(b"picture")
        tasks.shelf.take("0" * 64, "image/png", partial)
        tasks.accept(running)
        attempt = tasks.find(running["task_id"], 1)
        version = attempt.task["version"]
        monkeypatch.setattr(time, "time", lambda: moment)
        await attempt.changed(version, 0.05, asyncio.Event())
        await tasks.sweep()
        assert attempt.is_running
        assert tasks.find(done["task_id"], 1).result is not None
        assert tasks.shelf.path_of(f"sha256-{'0' * 64}") is not None
        short = request("wait", deadline_s=0.1, task_id=running["task_id"], attempt=2)
        tasks.accept(short)
        assert (await end_of(tasks, short)).task["error"]["code"] == "timed_out"

    run(test, tmp_path)
    # Started again under that clock: what has no age yet is kept.
    if moment == 0:
        assert len(open_tasks(tmp_path)._attempts) == 2


def test_what_ended_before_a_restart_grows_old_from_its_end(tmp_path: Path) -> None:
    body = request()

    async def first(tasks: Tasks) -> None:
        tasks.accept(body)
        await end_of(tasks, body)

    async def second(tasks: Tasks) -> None:
        await tasks.sweep(time.monotonic() + 3599 - 1800)
        assert tasks.find(body["task_id"], 1).result is not None
        await tasks.sweep(time.monotonic() + 3601 - 1800)
        refused("task_not_found", lambda: tasks.find(body["task_id"], 1))

    run(first, tmp_path)
    record = tmp_path / "results" / f"{body['task_id']}-1.json"
    kept = json.loads(record.read_text())
    kept["task"]["ended_at"] = datetime.fromtimestamp(time.time() - 1800, UTC).isoformat()
    record.write_text(json.dumps(kept))
    run(second, tmp_path)


def test_waiting_ends_with_a_change_and_with_the_end(tmp_path: Path) -> None:
    async def test(tasks: Tasks) -> None:
        body = request("wait")
        tasks.accept(body)
        attempt = tasks.find(body["task_id"], 1)
        never = asyncio.Event()
        await asyncio.wait_for(attempt.changed(1, 120, never), 60)
        assert attempt.task["version"] > 1
        waiting = asyncio.create_task(attempt.changed(attempt.task["version"], 120, never))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await tasks.cancel(attempt)
        await asyncio.wait_for(waiting, 60)
        await asyncio.wait_for(attempt.changed(99, 120, never), 60)

    run(test, tmp_path)


def test_progress_never_falls_and_reaches_100_only_at_the_end() -> None:
    async def body() -> None:
        attempt = Attempt({"state": "running", "progress": 0, "version": 1, "stage": "starting"}, "image")
        seen = []
        for progress in (10, 5, 200, 50):
            attempt.tell(progress=progress)
            seen.append(attempt.task["progress"])
        assert seen == [10, 10, 99, 99]
        assert attempt.task["version"] == 3

    asyncio.run(body())


def test_what_is_not_available_is_refused_and_starts_nothing(tmp_path: Path) -> None:
    async def test(tasks: Tasks) -> None:
        assert isinstance(tasks.runner, ScriptedRunner)
        tasks.runner.missing = Unavailable("weights_missing", "2 of 9 files are not in place yet.")
        body = request()
        refused("model_unavailable", lambda: tasks.accept(body))
        refused("task_not_found", lambda: tasks.find(body["task_id"], None))

    run(test, tmp_path)


def test_a_failure_is_kept_and_deleted(tmp_path: Path) -> None:
    async def test(tasks: Tasks) -> None:
        body = request("fail")
        tasks.accept(body)
        attempt = await end_of(tasks, body)
        assert attempt.task["error"]["code"] == "out_of_memory"
        await tasks.remove(attempt)
        refused("task_not_found", lambda: tasks.find(body["task_id"], 1))
        assert list((tmp_path / "results").iterdir()) == []

    run(test, tmp_path)


def test_a_result_that_cannot_be_recorded_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(tasks: Tasks) -> None:
        def full(_kept: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tasks.store, "put", full)
        body = request()
        tasks.accept(body)
        attempt = await end_of(tasks, body)
        assert (attempt.task["state"], attempt.task["error"]["code"]) == ("failed", "storage_failed")
        assert attempt.task["error"]["retryable"]
        assert list((tmp_path / "results").iterdir()) == []
        monkeypatch.undo()
        again = request()
        tasks.accept(again)
        assert (await end_of(tasks, again)).task["state"] == "succeeded"

    run(test, tmp_path)


def test_old_results_and_pictures_are_swept_away(tmp_path: Path) -> None:
    async def test(tasks: Tasks) -> None:
        body = request()
        tasks.accept(body)
        await end_of(tasks, body)
        partial = tasks.shelf.partial_path("x")
        partial.write_bytes(b"picture")
        tasks.shelf.take("0" * 64, "image/png", partial)
        await tasks.sweep(time.monotonic() + 3500)
        assert tasks.find(body["task_id"], 1).task["state"] == "succeeded"
        assert tasks.shelf.path_of(f"sha256-{'0' * 64}") is not None
        await tasks.sweep(time.monotonic() + 25 * 3600)
        refused("task_not_found", lambda: tasks.find(body["task_id"], 1))
        assert tasks.shelf.path_of(f"sha256-{'0' * 64}") is None

    run(test, tmp_path)
