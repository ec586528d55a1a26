"""Measures what the worker costs beside the models: `.venv-worker/bin/python worker/bench.py`.

Tiny weights, one thread. A step and a job are compared with the library's own loop over the same weights in the same
run: no checks, no previews, no file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "tests")]

STEPS = 60
ROUNDS = 8
PARAMETERS = {"width": 512, "height": 512, "steps": STEPS}


class Silent:
    """A report that nobody listens to."""

    def stage(self, name: str, detail: str | None = None) -> None:
        pass

    def step(self, done: int, total: int) -> None:
        pass

    def preview(self, images: Any, fps: float) -> None:
        pass

    def warn(self, code: str, parameter: str | None, detail: str) -> None:
        pass

    def check(self) -> None:
        pass


def bare_pipeline(specs: Any) -> tuple[Any, Any]:
    """The loaded family, and the library's own pipeline over its weights."""
    from diffusers import StableDiffusionXLPipeline

    from safelight_worker.families import Placement, family_named
    from safelight_worker.schedulers import sdxl_scheduler

    loaded: Any = family_named("pony").load(specs["pony"], Placement("cpu", 8 << 30), Silent())
    pipe = loaded.warm.pipeline(StableDiffusionXLPipeline, sdxl_scheduler("Euler a", loaded.config, 7))
    return loaded, pipe


def rounds(specs: Any) -> list[int]:
    """Bytes in use after each of ten rounds of loading, running a job and unloading."""
    from safelight_worker.families import Job

    parameters = {"steps": 20, "width": 512, "height": 512, "cfg_scale": 6, "sampler": "Euler a", "clip_skip": 2}
    job = Job("x", 1, "pony", "txt2img", "a red boat", "", parameters, 7, [], time.monotonic() + 600)
    used = []
    for _ in range(10):
        loaded, pipe = bare_pipeline(specs)
        loaded.run(job, Silent())
        loaded.unload()
        del loaded, pipe
        used.append(resident())
    return used


def drawn(pipe: Any) -> tuple[float, list[float]]:
    """Seconds that the pipeline takes for a picture, and when its steps were done."""
    import torch

    times: list[float] = []

    def keep(_pipe: Any, _index: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
        times.append(time.perf_counter())
        return values

    began = time.perf_counter()
    pipe(
        "a red boat",
        negative_prompt="",
        width=512,
        height=512,
        num_inference_steps=STEPS,
        guidance_scale=6,
        generator=torch.Generator("cpu").manual_seed(7),
        callback_on_step_end=keep,
    )
    return time.perf_counter() - began, times


def median_step(times: list[float]) -> float:
    return statistics.median(after - before for before, after in pairwise(times))


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Figures:
    """Seconds: of the median step and of the whole, by the worker and by the bare loop, round by round."""

    steps: list[float] = field(default_factory=list)
    jobs: list[float] = field(default_factory=list)
    bare_steps: list[float] = field(default_factory=list)
    bare_pictures: list[float] = field(default_factory=list)


async def served(folder: Path) -> tuple[Figures, list[float], Any]:
    """Jobs through the worker and bare loops by turns, so that both see the same machine; seconds after a kill."""
    from test_tasks import request

    from safelight_worker.child import prepare
    from safelight_worker.host_local import LocalHost
    from safelight_worker.model_process import ModelChild
    from safelight_worker.store import MediaShelf, TaskStore
    from safelight_worker.tasks import Tasks

    store = TaskStore(folder)
    host = LocalHost(store, None, folder / "tiny", offered=("pony",))
    tasks = Tasks(host, store, MediaShelf(folder), 3600)
    await host.probe()
    prepare()
    _, pipe = bare_pipeline(host._specs)
    figures = Figures()
    for turn in range(ROUNDS + 1):
        body = request(model="pony", parameters=PARAMETERS)
        began = time.perf_counter()
        tasks.accept(body)
        attempt = tasks.find(body["task_id"], 1)
        times: list[float] = []
        seen = 0
        while attempt.is_running:
            await attempt.changed(attempt.task["version"], 10, asyncio.Event())
            if (attempt.task["step"] or 0) > seen:
                seen = attempt.task["step"]
                times.append(time.perf_counter())
        await attempt.over.wait()
        job = time.perf_counter() - began
        picture, bare_times = await asyncio.to_thread(drawn, pipe)
        if turn == 0:
            # Weights were loaded, and much was done for the first time.
            continue
        figures.jobs.append(job)
        figures.steps.append(median_step(times))
        figures.bare_pictures.append(picture)
        figures.bare_steps.append(median_step(bare_times))
    assert host._specs is not None
    back = []
    for _ in range(ROUNDS):
        child = ModelChild(host._specs["pony"], host._context)
        began = time.perf_counter()
        await child.start()
        back.append(time.perf_counter() - began)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await child.kill()
    await tasks.stop()
    await host.stop()
    return figures, back, host._specs


def difference(ones: list[float], others: list[float]) -> float:
    """Milliseconds between the quickest rounds of both: those in which the machine did least beside them."""
    return (min(ones) - min(others)) * 1000


def main() -> None:
    from safelight_worker.child import set_environment

    set_environment(1)
    with tempfile.TemporaryDirectory() as folder:
        told, back, specs = asyncio.run(served(Path(folder)))
        used = rounds(specs)
    over = difference(told.steps, told.bare_steps)
    figures = {
        "bare_step_ms": [round(one * 1000, 2) for one in told.bare_steps],
        "worker_step_ms": [round(one * 1000, 2) for one in told.steps],
        "overhead_ms_per_step": round(over, 2),
        "share_of_a_50_ms_step": round(over / 50, 4),
        "bare_picture_s": [round(one, 2) for one in told.bare_pictures],
        "job_s": [round(one, 2) for one in told.jobs],
        "overhead_ms_per_job": round(difference(told.jobs, told.bare_pictures)),
        "killed_to_ready_s": [round(one, 3) for one in back],
        "resident_mb_after_rounds": [one >> 20 for one in used],
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
