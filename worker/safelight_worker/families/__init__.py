"""What a model family is to the rest of the worker.

A family knows how to load one model of the catalog and how to run a job on it. It runs in a process of its own and
reports through the protocols below; it neither encodes files nor speaks HTTP. This module imports no torch: the serving
process reads it too. The modules of the families import what they like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray
    from PIL.Image import Image

    from safelight_worker.settings import ModelSpec

Stage = Literal["starting", "load", "encode", "denoise", "decode", "mux", "save"]
WeightsState = Literal["in_place", "missing", "fetching"]
MemoryMode = Literal["full", "offload", "quantised"]

_MODULES: Mapping[str, str] = {
    "pony": "safelight_worker.families.pony",
    "flux": "safelight_worker.families.flux",
    "anisora": "safelight_worker.families.anisora",
    "phr00t": "safelight_worker.families.phr00t",
}


@dataclass(frozen=True)
class Unavailable:
    """Why a mode or model cannot run here. `code` is stable and translated, `detail` one English sentence, no paths.

    Codes in use: `weights_missing`, `weights_damaged`, `not_configured`, `no_memory`.
    """

    code: str
    detail: str


@dataclass(frozen=True)
class Placement:
    """Where and how weights are to lie.

    `device`: "cpu" or "cuda:<n>". `free_bytes`: memory free on it before loading. `memory_mode`: None lets the family
    decide by the rule in memory.py.
    """

    device: str = "cpu"
    free_bytes: int = 0
    memory_mode: MemoryMode | None = None


@dataclass(frozen=True)
class Reference:
    """A picture of a job. `index`: its frame, 0-based; `strength` 0..1; `path`: PNG, JPEG or WebP file.

    `parameter` is the catalog name: reference_image, first_frame_image, last_frame_image or arbitrary_frames.
    """

    parameter: str
    index: int
    strength: float
    path: Path


@dataclass(frozen=True)
class Job:
    """One attempt at a task, judged against the catalog.

    `parameters` hold every parameter of the mode under its catalog name with defaults filled in, without prompts, seed
    and pictures; whole numbers are int. `deadline` is a time of `time.monotonic()` in seconds.
    """

    task_id: str
    attempt: int
    model: str
    mode: str
    prompt: str
    negative_prompt: str
    parameters: Mapping[str, int | float | str]
    seed: int
    references: Sequence[Reference]
    deadline: float

    def number(self, name: str) -> float:
        """A numeric parameter. KeyError without it, TypeError when it is text."""
        value = self.parameters[name]
        if isinstance(value, str):
            raise TypeError(f"{name} is text")
        return float(value)

    def whole(self, name: str) -> int:
        """A whole-number parameter, see `number`."""
        return int(self.number(name))

    def text(self, name: str) -> str:
        """A text parameter. KeyError without it, TypeError when it is a number."""
        value = self.parameters[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} is a number")
        return value


@dataclass(frozen=True)
class Frames:
    """What a run made. `images`: one picture or all frames in order, as PIL RGB pictures or a uint8 array (F, H, W, 3).

    `fps` is 0 for a picture. `completed_prompt`: the prompt as the model completed it, if it did.
    """

    images: Sequence[Image] | NDArray[numpy.uint8]
    fps: float = 0
    completed_prompt: str | None = None


class LoadReport(Protocol):
    """What loading tells and asks."""

    def stage(self, name: Stage, detail: str | None = None) -> None:
        """Says what is being done; `detail` is one short English phrase without paths."""

    def check(self) -> None:
        """Raises Cancelled or TimedOut when the work is no longer wanted. Cheap: call it often."""


class Report(LoadReport, Protocol):
    """What a run tells and asks."""

    def step(self, done: int, total: int) -> None:
        """Says that `done` of `total` denoising steps are done; 0 before the first."""

    def preview(self, images: Sequence[Image], fps: float) -> None:
        """Shows what is being drawn: one small picture, or several with `fps` above 0. Encoded by the receiver."""

    def warn(self, code: str, parameter: str | None, detail: str) -> None:
        """Adds a notice to the result, such as `no_effect` of a parameter. Repeated ones are told once."""


class Loaded(Protocol):
    """A model with its weights in memory. One job at a time."""

    def run(self, job: Job, report: Report) -> Frames:
        """Runs a job. Errors: those of this module. Afterwards it takes the next job, whatever happened."""

    def unload(self) -> None:
        """Lets go of the weights; the object is of no use afterwards."""


class Family(Protocol):
    """One model of the catalog. Its methods are called in a child process, never in the serving one."""

    model: str

    def modes(self, spec: ModelSpec) -> dict[str, Unavailable | None]:
        """Every catalog mode of the model, None where it can run. Reads headers and configurations only."""

    def load(self, spec: ModelSpec, place: Placement, report: LoadReport) -> Loaded:
        """Loads the model. Errors: WeightsMissing, WeightsDamaged, OutOfMemory, Cancelled, TimedOut."""


class Cancelled(Exception):
    """Somebody asked for the run to stop."""


class TimedOut(Exception):
    """The deadline of the job has passed."""


class FamilyError(Exception):
    """Base of what can go wrong in a family. The text is shown to people: no paths, no stack."""


class OutOfMemory(FamilyError):
    """There was too little memory. `needed` and `free` are bytes, None when not known."""

    def __init__(self, detail: str, needed: int | None = None, free: int | None = None) -> None:
        super().__init__(detail)
        self.needed = needed
        self.free = free


class WeightsMissing(FamilyError):
    """Files that the model needs are not in place. `files` names them, relative to the model."""

    def __init__(self, detail: str, files: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.files = tuple(files)


class WeightsDamaged(FamilyError):
    """A file is cut off, is no safetensors file, or belongs to another model."""


class NonFinite(FamilyError):
    """The run made numbers that are not finite: the picture would be black."""


class Refused(FamilyError):
    """The job cannot be run as it is, such as a picture that cannot be read. `code` is one of the task errors."""

    def __init__(self, detail: str, code: Literal["invalid_media", "engine_failed", "content_refused"]) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True)
class ModelState:
    """What health says of a model: whether its weights are here, and each mode's reason for not running."""

    model: str
    weights: WeightsState
    modes: Mapping[str, Unavailable | None]
    licence: str = ""
    notes: Sequence[str] = field(default_factory=tuple)


def family_named(model: str) -> Family:
    """The family of a catalog model: the object `family` of its module, imported at first use. Errors: KeyError."""
    module = import_module(_MODULES[model])
    found: Family = module.family
    return found


def model_names() -> tuple[str, ...]:
    """Every model that has a family here, in the order of the catalog's families."""
    return tuple(_MODULES)
