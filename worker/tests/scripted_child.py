"""A model's process with a family of a few lines: real processes, pipes, signals and files, and no model.

What it is to do stands in a file, the script, which is read at every stage: `hold encode` stays in that stage until
the script changes, `fail denoise NonFinite` raises there, `full mux` lets no file grow any more.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy
import torch
from PIL import Image

from safelight_worker import child
from safelight_worker.families import (
    Frames,
    Job,
    LoadReport,
    NonFinite,
    OutOfMemory,
    Placement,
    Refused,
    Report,
    Stage,
    WeightsDamaged,
    WeightsMissing,
)
from safelight_worker.settings import ModelSpec

FAULTS: Mapping[str, Callable[[], Exception]] = {
    "OutOfMemory": lambda: OutOfMemory("2.5 GB more were asked for and 1.0 GB are free.", 2_500_000_000, 1_000_000_000),
    "CardOutOfMemory": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB."),
    "MemoryError": MemoryError,
    "NonFinite": lambda: NonFinite("The model made numbers that are not finite."),
    "WeightsMissing": lambda: WeightsMissing("unet has no weights", ["unet"]),
    "WeightsDamaged": lambda: WeightsDamaged("unet is of another model"),
    "Refused": lambda: Refused("A reference picture cannot be read.", "invalid_media"),
    "RuntimeError": lambda: RuntimeError("/a/secret/path"),
    "OSError": lambda: OSError(5, "Input/output error", "/a/secret/path"),
}


class ScriptedReport(child.PipeReport):
    """Tells its stages, then does what the script says of them."""

    script: Path

    def stage(self, name: Stage, detail: str | None = None) -> None:
        super().stage(name, detail)
        words = self.script.read_text().split()
        largest = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (100 if words == ["full", name] else largest, largest))
        if words[:2] == ["fail", name]:
            raise FAULTS[words[2]]()
        while words == ["hold", name]:
            self.check()
            time.sleep(0.005)
            words = self.script.read_text().split()


class ScriptedModel:
    """Draws a grey picture or clip in two steps."""

    def run(self, job: Job, report: Report) -> Frames:
        """See Loaded."""
        report.stage("encode")
        report.stage("denoise")
        for done in range(3):
            report.step(done, 2)
        report.preview([Image.new("RGB", (16, 16))], 0)
        report.stage("decode")
        is_clip = "num_frames" in job.parameters
        noise = numpy.random.default_rng(job.seed).integers(0, 255, (5 if is_clip else 1, 64, 64, 3), numpy.uint8)
        return Frames(noise, 16 if is_clip else 0)

    def unload(self) -> None:
        """See Loaded."""


class ScriptedFamily:
    """Fits into memory as often as `room` says, counted by a file of each process that lives."""

    def __init__(self, spec: ModelSpec) -> None:
        self.model = spec.model

    def modes(self, spec: ModelSpec) -> dict[str, Any]:
        """See Family."""
        return {}

    def load(self, spec: ModelSpec, _place: Placement, report: LoadReport) -> ScriptedModel:
        """See Family."""
        report.check()
        folder = Path(str(spec.options["script"])).parent / "loaded"
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            if not Path(f"/proc/{file.name}").exists():
                file.unlink()
        if len(list(folder.iterdir())) >= spec.number("room", 100):
            raise FAULTS["OutOfMemory"]()
        (folder / str(os.getpid())).touch()
        return ScriptedModel()


def serve_model(pipe: Connection, cancel: Event, spec: ModelSpec) -> None:
    """In place of the real one; runs the real one with the family above."""
    ScriptedReport.script = Path(str(spec.options["script"]))
    if ScriptedReport.script.read_text() == "no start":
        sys.exit(1)
    while ScriptedReport.script.read_text() == "slow start":
        time.sleep(0.005)
    child.PipeReport = ScriptedReport  # type: ignore[misc]
    child.family_named = lambda _model: ScriptedFamily(spec)  # type: ignore[assignment, return-value]
    child.serve_model(pipe, cancel, spec)


def serve_tiny_model(pipe: Connection, cancel: Event, spec: ModelSpec) -> None:
    """In place of the real one; runs the real one with the real family, which stays in stages as the script says."""
    ScriptedReport.script = Path(str(spec.options["script"]))
    child.PipeReport = ScriptedReport  # type: ignore[misc]
    child.serve_model(pipe, cancel, spec)
