"""Measures what the worker costs beside the models: `.venv-worker/bin/python worker/bench.py`.

Tiny weights, one thread. A step is compared with a bare loop over the same loaded family in the same process tree.
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
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "tests")]

STEPS = 60
ROUNDS = 5
PARAMETERS = {"width": 512, "height": 512, "steps": STEPS}


class Silent:
    """A report that nobody listens to; keeps when steps were done."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def stage(self, name: str, detail: str | None = None) -> None:
        pass

    def step(self, done: int, total: int) -> None:
        self.times.append(time.perf_counter())

    def preview(self, images: Any, fps: float) -> None:
        pass

    def warn(self, code: str, parameter: str | None, detail: str) -> None:
        pass

    def check(self) -> None:
        pass


def bare(specs: Any) -> tuple[float, list[int]]:
    """Median seconds of a step of the bare loop, and bytes in use after each of ten rounds of loading and unloading."""
    from safelight_worker.child import prepare
    from safelight_worker.families import Job, Placement, family_named

    prepare()
    parameters = {"steps": STEPS, "width": 512, "height": 512, "cfg_scale": 6, "sampler": "Euler a", "clip_skip": 2}
    job = Job("x", 1, "pony", "txt2img", "a red boat", "", parameters, 7, [], time.monotonic() + 600)
    family = family_named("pony")
    used, medians = [], []
    for _ in range(10):
        loaded = family.load(specs["pony"], Placement("cpu", 8 << 30), Silent())
        report = Silent()
        loaded.run(job, report)
        medians.append(median_step(report.times))
        loaded.unload()
        del loaded
        used.append(resident())
    return statistics.median(medians), used


def median_step(times: list[float]) -> float:
    return statistics.median(after - before for before, after in pairwise(times))


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def served(folder: Path) -> tuple[float, list[float], list[float], Any]:
    """Median seconds of a step through the worker, seconds of whole jobs, and of coming back after a kill."""
    from test_tasks import request

    from safelight_worker.host_local import LocalHost
    from safelight_worker.model_process import ModelChild
    from safelight_worker.store import MediaShelf, TaskStore
    from safelight_worker.tasks import Tasks

    store = TaskStore(folder)
    host = LocalHost(store, None, folder / "tiny", offered=("pony",))
    tasks = Tasks(host, store, MediaShelf(folder), 3600)
    await host.probe()
    medians, jobs = [], []
    for _ in range(ROUNDS):
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
        jobs.append(time.perf_counter() - began)
        medians.append(median_step(times))
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
    return statistics.median(medians), jobs, back, host._specs


def main() -> None:
    from safelight_worker.child import set_environment

    set_environment(1)
    with tempfile.TemporaryDirectory() as folder:
        step, jobs, back, specs = asyncio.run(served(Path(folder)))
        bare_step, used = bare(specs)
    over = (step - bare_step) * 1000
    figures = {
        "bare_step_ms": round(bare_step * 1000, 2),
        "worker_step_ms": round(step * 1000, 2),
        "overhead_ms_per_step": round(over, 2),
        "share_of_a_50_ms_step": round(over / 50, 4),
        "job_s": [round(one, 2) for one in jobs],
        "killed_to_ready_s": [round(one, 3) for one in back],
        "resident_mb_after_rounds": [one >> 20 for one in used],
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
