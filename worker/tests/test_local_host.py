"""Processes of models on this machine: real ones, with tiny weights. What can befall them: test_process_faults.py."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_tasks import request

from safelight_worker.child import set_environment
from safelight_worker.host_local import LocalHost
from safelight_worker.store import MediaShelf, TaskStore
from safelight_worker.tasks import Tasks

#: The first process waits for the libraries to be imported, on a busy machine for long.
_PATIENCE = 120
_SLOW: dict[str, Any] = {"width": 1024, "height": 1024, "steps": 50}
_QUICK: dict[str, Any] = {"width": 512, "height": 512, "steps": 15}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    set_environment(1)
    yield tmp_path_factory.mktemp("worker")


def talk(test: Callable[[LocalHost, Tasks], Awaitable[None]], folder: Path) -> None:
    async def body() -> None:
        store = TaskStore(folder)
        host = LocalHost(store, None, folder / "tiny", offered=("flux", "pony"))
        tasks = Tasks(host, store, MediaShelf(folder), 3600)
        await host.probe()
        try:
            await test(host, tasks)
        finally:
            await tasks.stop()
            await host.stop()

    asyncio.run(body())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def succeeded(tasks: Tasks, body: dict[str, Any]) -> str:
    tasks.accept(body)
    attempt = tasks.find(body["task_id"], body["attempt"])
    await asyncio.wait_for(attempt.over.wait(), _PATIENCE)
    assert attempt.task["state"] == "succeeded", attempt.task["error"]
    return str(attempt.task["result"]["sha256"])


def test_the_serving_process_imports_no_torch(folder: Path) -> None:
    code = "import sys, safelight_worker.serve; sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    assert os.spawnve(os.P_WAIT, sys.executable, [sys.executable, "-c", code], environment) == 0


def test_a_process_killed_while_it_draws_is_one_clear_error_and_the_next_job_runs(folder: Path) -> None:
    async def test(host: LocalHost, tasks: Tasks) -> None:
        body = request(parameters=_SLOW)
        tasks.accept(body)
        attempt = tasks.find(body["task_id"], 1)
        await until(lambda: attempt.task["stage"] == "denoise")
        [process] = host._children
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.wait_for(attempt.over.wait(), _PATIENCE)
        assert attempt.task["error"]["code"] == "worker_lost"
        assert attempt.task["error"]["retryable"]
        assert not host.is_warm("flux")
        await succeeded(tasks, request(parameters=_QUICK))

    talk(test, folder)


def test_a_cancelled_run_leaves_the_model_warm_and_the_same_bytes(folder: Path) -> None:
    async def test(host: LocalHost, tasks: Tasks) -> None:
        wanted = await succeeded(tasks, request(parameters=_QUICK))
        body = request(parameters=_SLOW)
        tasks.accept(body)
        attempt = tasks.find(body["task_id"], 1)
        await until(lambda: (attempt.task["step"] or 0) >= 2)
        await tasks.cancel(attempt)
        assert attempt.task["error"]["code"] == "cancelled"
        assert host.is_warm("flux")
        assert await succeeded(tasks, request(parameters=_QUICK)) == wanted

    talk(test, folder)
    assert list(folder.glob("results/.*")) == []


def test_a_process_that_does_not_heed_a_stop_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight_worker.host_local._KILL_AFTER", 0.3)

    async def test(host: LocalHost, tasks: Tasks) -> None:
        await succeeded(tasks, request(parameters=_QUICK))
        body = request(parameters=_SLOW)
        tasks.accept(body)
        attempt = tasks.find(body["task_id"], 1)
        await until(lambda: (attempt.task["step"] or 0) >= 1)
        [process] = host._children
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        await tasks.cancel(attempt)
        assert attempt.task["error"]["code"] == "cancelled"
        assert host._children == []

    talk(test, folder)


def test_damaged_weights_are_told_and_health_learns_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight_worker.host_local._PROBE_AGAIN", 0.2)

    async def test(host: LocalHost, tasks: Tasks) -> None:
        weights = next((folder / "tiny" / "flux").rglob("transformer/*.safetensors"))
        whole = weights.read_bytes()
        weights.write_bytes(whole[:-10])
        try:
            body = request(parameters=_QUICK)
            tasks.accept(body)
            attempt = tasks.find(body["task_id"], 1)
            await asyncio.wait_for(attempt.over.wait(), _PATIENCE)
            error = attempt.task["error"]
            assert error["code"] == "engine_failed"
            assert str(folder) not in error["detail"]
            await until(lambda: host.unavailable("flux", "txt2img") is not None)
            await succeeded(tasks, request(model="pony", parameters={**_QUICK, "steps": 20}))
        finally:
            weights.write_bytes(whole)
        # Put back, they are found without a restart.
        await until(lambda: host.unavailable("flux", "txt2img") is None)
        await succeeded(tasks, request(parameters=_QUICK))

    talk(test, folder)
