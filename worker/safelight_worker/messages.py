"""What the serving process and the processes of the models say to each other, over a pipe. Frames never travel here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight_worker.families import Job, ModelState, Stage
from safelight_worker.settings import ModelSpec


@dataclass(frozen=True)
class RunOrder:
    """Run a job; write the file to `result` and step pictures to `preview` (WebP).

    `recipe` is embedded as it is, with engine, engine_version and completed_prompt added.
    """

    job: Job
    content_type: str
    result: Path
    preview: Path
    recipe: Mapping[str, Any]
    engine: str
    engine_version: str


@dataclass(frozen=True)
class Ready:
    """The process of a model stands; nothing is loaded yet."""

    pid: int


@dataclass(frozen=True)
class Gpu:
    """A graphics card, sizes in bytes."""

    name: str
    memory_bytes: int
    memory_free_bytes: int | None


@dataclass(frozen=True)
class Told:
    """A stage of the run has begun."""

    stage: Stage
    detail: str | None


@dataclass(frozen=True)
class Stepped:
    """`done` of `total` steps are done."""

    done: int
    total: int


@dataclass(frozen=True)
class Previewed:
    """The step picture with this number, from 1, is in its place."""

    version: int


@dataclass(frozen=True)
class Warned:
    """A notice for the result."""

    notice: Mapping[str, str]


@dataclass(frozen=True)
class Loaded:
    """The weights are in memory."""

    seconds: float
    gpus: Sequence[Gpu]


@dataclass(frozen=True)
class NoRoom:
    """The weights did not fit; another try may, once other models have left. Sizes in bytes."""

    detail: str
    needed: int | None
    free: int | None


@dataclass(frozen=True)
class Done:
    """The file is in its place: the facts of the contract's WorkerResult."""

    facts: Mapping[str, Any]
    gpus: Sequence[Gpu]


@dataclass(frozen=True)
class Failed:
    """The run has ended without a file. `code` is a task error of the contract.

    `weights`: the weights were at fault, so what is known of them is out of date. `spoilt`: the process should go.
    """

    code: str
    detail: str
    retryable: bool | None = None
    weights: bool = False
    spoilt: bool = False


@dataclass(frozen=True)
class Probed:
    """What this machine can run, and the settings of every model by which it was found out."""

    models: Sequence[ModelState]
    gpus: Sequence[Gpu]
    specs: Mapping[str, ModelSpec]


@dataclass(frozen=True)
class ProbeFailed:
    """The models could not be looked at."""

    detail: str


FromModel = Ready | Told | Stepped | Previewed | Warned | Loaded | NoRoom | Done | Failed
