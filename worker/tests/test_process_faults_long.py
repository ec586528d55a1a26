"""The faults of a model's process with real models of tiny weights, and many of them at random moments."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
import scripted_child
from test_process_faults import MODES, STAGES, Stand, until

from safelight_worker.child import set_environment
from safelight_worker.settings import ModelSpec

pytestmark = pytest.mark.long

CLIPS: dict[str, Any] = {"width": 512, "height": 512, "num_frames": 49}
PICTURES: dict[str, Any] = {"width": 512, "height": 512, "steps": 20}


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, ModelSpec]]:
    set_environment(1)
    from safelight_worker.tiny import make_tiny

    yield make_tiny(tmp_path_factory.mktemp("tiny"))


def play(
    test: Callable[[Stand], Awaitable[None]], root: Path, specs: Mapping[str, ModelSpec], patch: pytest.MonkeyPatch
) -> None:
    patch.setattr("safelight_worker.child.serve_model", scripted_child.serve_tiny_model)

    async def body() -> None:
        stand = Stand(root, specs=specs)
        try:
            await test(stand)
        finally:
            await stand.tasks.stop()
            await stand.host.stop()

    asyncio.run(body())


def sizes(model: str) -> dict[str, Any]:
    return PICTURES if model in ("pony", "flux") else CLIPS


async def drawn(stand: Stand, model: str) -> str:
    """The hash of what a model draws when nothing is in its way."""
    stand.script.write_text("")
    task = await stand.end(stand.begin(model, parameters=sizes(model)))
    assert task["state"] == "succeeded", task["error"]
    return str(task["result"]["sha256"])


@pytest.mark.parametrize("model", list(MODES))
def test_a_model_that_is_killed_or_stopped_in_any_stage_draws_the_same_afterwards(
    model: str, tmp_path: Path, specs: Mapping[str, ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(stand: Stand) -> None:
        wanted = await drawn(stand, model)
        stages = [stage for stage in STAGES if stage != "mux" or model not in ("pony", "flux")]
        for stage in stages:
            if stage != "load":
                attempt = await stand.held(stage, model=model, parameters=sizes(model))
                await stand.tasks.cancel(attempt)
                assert (await stand.end(attempt))["error"]["code"] == "cancelled"
                assert await drawn(stand, model) == wanted
                attempt = await stand.held(stage, model=model, parameters=sizes(model))
                stand.kill(model)
                assert (await stand.end(attempt))["error"]["code"] == "worker_lost"
                continue
            for end in ("cancel", "kill"):
                if model in stand.pids():
                    stand.kill(model)
                    await until(lambda: all(process.is_gone for process in stand.host._children))
                attempt = await stand.held(stage, model=model, parameters=sizes(model))
                await stand.tasks.cancel(attempt) if end == "cancel" else stand.kill(model)
                error = (await stand.end(attempt))["error"]
                assert error["code"] == ("cancelled" if end == "cancel" else "worker_lost")
        assert await drawn(stand, model) == wanted

    play(test, tmp_path, specs, monkeypatch)


def test_kills_at_any_moment_leave_a_worker_that_draws(
    tmp_path: Path, specs: Mapping[str, ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(11)

    async def test(stand: Stand) -> None:
        wanted = {model: await drawn(stand, model) for model in ("pony", "phr00t")}
        ended = []
        for _ in range(40):
            model = draw.choice(list(wanted))
            attempt = stand.begin(model, parameters=sizes(model))
            await asyncio.sleep(draw.random() * 0.8)
            if stand.pids().get(model) is not None:
                stand.kill(model)
            task = await stand.end(attempt)
            ended.append("done" if task["error"] is None else task["error"]["code"])
        assert set(ended) <= {"done", "worker_lost"}
        assert {model: await drawn(stand, model) for model in wanted} == wanted

    play(test, tmp_path, specs, monkeypatch)


def test_the_server_of_forks_that_is_killed_is_made_anew(
    tmp_path: Path, specs: Mapping[str, ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(stand: Stand) -> None:
        wanted = await drawn(stand, "pony")
        server: Any = forkserver._forkserver  # type: ignore[attr-defined]
        attempt = await stand.held("denoise", model="pony", parameters=PICTURES)
        os.kill(server._forkserver_pid, signal.SIGKILL)
        # Whoever it has made ends with it: nobody would be told of its end.
        assert (await stand.end(attempt))["error"]["code"] == "worker_lost"
        assert await drawn(stand, "pony") == wanted

    play(test, tmp_path, specs, monkeypatch)
