"""The process of one model: loads it when the first job comes, runs jobs one after another, writes their files."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight_worker import messages
from safelight_worker.catalog import model_entry
from safelight_worker.encode import encode, preview_webp
from safelight_worker.families import (
    Cancelled,
    FamilyError,
    Loaded,
    ModelState,
    NonFinite,
    OutOfMemory,
    Placement,
    Refused,
    Report,
    Stage,
    TimedOut,
    Unavailable,
    WeightsDamaged,
    WeightsMissing,
    WeightsState,
    family_named,
    model_names,
)
from safelight_worker.in_place import in_place
from safelight_worker.settings import ModelSpec

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

#: A preview costs a few milliseconds; more of them than this are no use to anybody.
_PREVIEW_SECONDS = 0.4
_PREVIEW_SHARE = 20
_MOST_WARNINGS = 50
#: What the fork server imports before the first process is made. Nothing here may touch a GPU.
PRELOAD = (
    "torch",
    "diffusers",
    "transformers",
    "safelight_worker.encode",
    "diffusers.pipelines.wan.pipeline_wan",
    "diffusers.pipelines.wan.pipeline_wan_i2v",
    "diffusers.pipelines.wan.pipeline_wan_vace",
    "diffusers.pipelines.flux.pipeline_flux_img2img",
    "diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img",
)


def set_environment(threads: int | None) -> None:
    """Sets what libraries read when they are imported. To be called before any process is made."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)


class PipeReport:
    """Report of a run that tells the serving process over the pipe. Cancelling is seen by a flag of shared memory."""

    def __init__(self, pipe: Connection, cancel: Event, deadline: float, preview: Path) -> None:
        self._pipe = pipe
        self._cancel = cancel
        self._deadline = deadline
        self._preview = preview
        self._previews = 0
        self._next_preview = 0.0
        self._warned: set[tuple[str, str | None]] = set()
        self._parent = os.getppid()

    def stage(self, name: Stage, detail: str | None = None) -> None:
        """See Report."""
        self.check()
        self._pipe.send(messages.Told(name, detail))

    def step(self, done: int, total: int) -> None:
        """See Report."""
        self.check()
        self._pipe.send(messages.Stepped(done, total))

    def preview(self, images: Sequence[Image], fps: float) -> None:
        """See Report. Pictures that follow each other too quickly are left out; one that cannot be stored too."""
        self.check()
        began = time.monotonic()
        if began < self._next_preview or len(images) == 0:
            return
        partial = self._preview.with_name(f".{self._preview.name}.part")
        try:
            partial.write_bytes(preview_webp(images, fps))
            partial.replace(self._preview)
        except OSError as error:
            log.warning("a preview could not be stored: %s", error)
            return
        self._previews += 1
        self._pipe.send(messages.Previewed(self._previews))
        now = time.monotonic()
        self._next_preview = now + max(_PREVIEW_SECONDS, (now - began) * _PREVIEW_SHARE)

    def warn(self, code: str, parameter: str | None, detail: str) -> None:
        """See Report."""
        if (code, parameter) in self._warned or len(self._warned) >= _MOST_WARNINGS:
            return
        self._warned.add((code, parameter))
        notice = {"code": code, "detail": detail}
        if parameter is not None:
            notice["parameter"] = parameter
        self._pipe.send(messages.Warned(notice))

    def check(self) -> None:
        """See LoadReport."""
        if self._cancel.is_set():
            raise Cancelled
        if time.monotonic() > self._deadline:
            raise TimedOut
        if os.getppid() != self._parent:
            # Nobody is left who would want the result, and the memory is needed by those who come next.
            os._exit(1)


class ModelRunner:
    """Holds a model once it is loaded, and runs orders on it."""

    def __init__(self, spec: ModelSpec, on_load: Callable[[messages.Loaded], None]) -> None:
        self._spec = spec
        self._on_load = on_load
        self._loaded: Loaded | None = None

    def answer(self, order: messages.RunOrder, report: Report) -> messages.Done | messages.Failed | messages.NoRoom:
        """Runs an order to its end, whatever that is."""
        try:
            if self._loaded is None:
                self._load(report)
            return self._run(order, report)
        except Exception as error:
            return failure_of(error, loading=self._loaded is None)

    def _load(self, report: Report) -> None:
        began = time.monotonic()
        report.stage("load")
        self._loaded = family_named(self._spec.model).load(self._spec, placement(), report)
        self._on_load(messages.Loaded(time.monotonic() - began, gpus()))

    def _run(self, order: messages.RunOrder, report: Report) -> messages.Done:
        assert self._loaded is not None
        frames = self._loaded.run(order.job, report)
        if order.content_type.startswith("video/"):
            report.stage("mux")
        recipe = recipe_of(order, frames.completed_prompt)
        try:
            facts = encode(frames, order.content_type, order.result, recipe, report.check, lambda: report.stage("save"))
        except OSError as error:
            raise StorageFailed from error
        own = {name: recipe[name] for name in ("engine", "engine_version", "completed_prompt")}
        return messages.Done({**facts, **own}, gpus())


class StorageFailed(Exception):
    """The file could not be written."""


def recipe_of(order: messages.RunOrder, completed_prompt: str | None) -> dict[str, Any]:
    """What is embedded in the file."""
    made = {"engine": order.engine, "engine_version": order.engine_version, "completed_prompt": completed_prompt}
    return {**order.recipe, **made}


def failure_of(error: Exception, loading: bool) -> messages.Failed | messages.NoRoom:
    """What went wrong, in the contract's codes. Texts of errors that are not foreseen stay in the log."""
    if isinstance(error, Cancelled):
        return messages.Failed("cancelled", "The task was cancelled.")
    if isinstance(error, TimedOut):
        return messages.Failed("timed_out", "The task did not end within its deadline.")
    from safelight_worker.shortage import out_of_memory

    short = error if isinstance(error, OutOfMemory) else out_of_memory(error, "loading" if loading else "drawing")
    if short is not None:
        if loading:
            return messages.NoRoom(str(short), short.needed, short.free)
        return messages.Failed("out_of_memory", str(short), retryable=True, spoilt=True)
    if isinstance(error, WeightsMissing | WeightsDamaged):
        return messages.Failed("engine_failed", str(error), weights=True)
    if isinstance(error, Refused):
        return messages.Failed(error.code, str(error))
    if isinstance(error, NonFinite | FamilyError):
        return messages.Failed("engine_failed", str(error))
    if isinstance(error, StorageFailed):
        log.error("a result could not be stored", exc_info=error)
        return messages.Failed("storage_failed", "The result could not be stored: is the disk full?")
    log.error("a run failed", exc_info=error)
    return messages.Failed("engine_failed", "The engine could not finish the task.", spoilt=True)


def placement() -> Placement:
    """Where models go: the first graphics card, else the main memory, with what is free there now."""
    import torch

    if torch.cuda.is_available():
        return Placement("cuda:0", torch.cuda.mem_get_info(0)[0])
    return Placement("cpu", memory()["free_bytes"])


def gpus() -> list[messages.Gpu]:
    """The graphics cards and what is free on them now; empty without one."""
    import torch

    if not torch.cuda.is_available():
        return []
    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        found.append(messages.Gpu(torch.cuda.get_device_name(index), total, free))
    return found


def memory() -> dict[str, int]:
    """Main memory of this machine in bytes, `total_bytes` and `free_bytes`."""
    facts: Mapping[str, int] = {
        name: int(value.split()[0]) * 1024
        for name, value in (line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        if value.endswith("kB")
    }
    return {"total_bytes": facts["MemTotal"], "free_bytes": facts.get("MemAvailable", facts["MemFree"])}


def probe_models(specs: Mapping[str, ModelSpec]) -> list[ModelState]:
    """What can be run with the weights that are in place. Reads headers and configurations only."""
    return [_probe_model(specs[model]) for model in model_names() if model in specs]


def _probe_model(spec: ModelSpec) -> ModelState:
    try:
        modes = family_named(spec.model).modes(spec)
    except Exception as error:
        log.error("%s could not be looked at", spec.model, exc_info=error)
        entry = model_entry(spec.model)
        reason = Unavailable("weights_damaged", "The weights could not be looked at.")
        modes = {} if entry is None else {mode["id"]: reason for mode in entry["modes"]}
    here = in_place(spec)
    if here.state == "fetching":
        # What is half there looks missing or damaged until it is whole.
        coming = Unavailable("weights_missing", here.detail)
        modes = {mode: coming if is_about_weights(reason) else reason for mode, reason in modes.items()}
    runs = any(reason is None for reason in modes.values())
    state: WeightsState = "in_place" if runs else "fetching" if here.state == "fetching" else "missing"
    return ModelState(spec.model, state, modes, spec.licence)


def is_about_weights(reason: Unavailable | None) -> bool:
    """Whether files are the reason."""
    return reason is not None and reason.code in ("weights_missing", "weights_damaged")


def serve_model(pipe: Connection, cancel: Event, spec: ModelSpec) -> None:
    """Where the process of a model begins."""
    # An interrupt from the keyboard goes to every process; the serving one decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
    runner = ModelRunner(spec, pipe.send)
    pipe.send(messages.Ready(os.getpid()))
    while True:
        try:
            order = pipe.recv()
        except EOFError:
            return
        report = PipeReport(pipe, cancel, order.job.deadline, order.preview)
        pipe.send(runner.answer(order, report))


def probe(pipe: Connection, specs: Mapping[str, ModelSpec] | None, tiny: Path) -> None:
    """Where the process begins that looks at what is there. Without specs it makes the tiny models in `tiny`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
    try:
        used = specs
        if used is None:
            from safelight_worker.tiny import make_tiny

            used = make_tiny(tiny)
        pipe.send(messages.Probed(probe_models(used), gpus(), used))
    except Exception as error:
        log.error("the models could not be looked at", exc_info=error)
        pipe.send(messages.ProbeFailed("The models could not be looked at."))


def prepare() -> None:
    """Sets up the libraries in a process that runs models."""
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    import torch
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads is not None:
        torch.set_num_threads(int(threads))
