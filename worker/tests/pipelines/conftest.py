"""Tiny models, written once and read by the real loader, and a report that remembers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from heard import FRAMES, HEIGHT, PARAMETERS, WIDTH, Heard
from PIL import Image

from safelight_worker import loading
from safelight_worker.families import Job, Loaded, Placement, Reference, family_named
from safelight_worker.settings import ModelSpec
from safelight_worker.tiny import make_tiny


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Two threads on busy cores are slower than one, and the bytes must not depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    loading.quiet()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModelSpec]]:
    """All four families, with the quick stand-in for the autoencoder of videos."""
    folder = tmp_path_factory.mktemp("tiny")
    yield make_tiny(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def tiny_exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModelSpec]]:
    """All four families with the real topology throughout."""
    folder = tmp_path_factory.mktemp("exact")
    yield make_tiny(folder, cheap=False)
    shutil.rmtree(folder)


def _loader(specs: dict[str, ModelSpec]) -> Iterator[Callable[[str], Loaded]]:
    loaded: dict[str, Loaded] = {}

    def get(model: str) -> Loaded:
        if model not in loaded:
            loaded[model] = family_named(model).load(specs[model], Placement(), Heard())
        return loaded[model]

    yield get


@pytest.fixture(scope="session")
def warm(tiny: dict[str, ModelSpec]) -> Iterator[Callable[[str], Loaded]]:
    """Loaded models, each loaded once."""
    yield from _loader(tiny)


@pytest.fixture(scope="session")
def warm_exact(tiny_exact: dict[str, ModelSpec]) -> Iterator[Callable[[str], Loaded]]:
    """The same with the real topology throughout."""
    yield from _loader(tiny_exact)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three pictures that differ, none of them of the size of a run."""
    folder = tmp_path_factory.mktemp("pictures")
    files = []
    for number, (colour, kind) in enumerate((("red", "PNG"), ("blue", "JPEG"), ("green", "WEBP"))):
        files.append(folder / f"{number}.{kind.lower()}")
        light = Image.radial_gradient("L").convert("RGB").resize((300, 200))
        Image.blend(light, Image.new("RGB", light.size, colour), 0.5).save(files[-1], kind)
    return files


@pytest.fixture(scope="session")
def job_for(pictures: list[Path]) -> Callable[..., Job]:
    """Makes a job of a model and mode; `named` overrides fields of it, or parameters when it has no such field."""

    def make(model: str, mode: str, **named: Any) -> Job:
        parameters: dict[str, int | float | str] = {"width": WIDTH, "height": HEIGHT, **PARAMETERS[model]}
        references: list[Reference] = []
        if mode in ("i2v", "img2img"):
            references = [Reference("reference_image", 0, 1.0, pictures[0])]
            parameters["denoising_strength"] = 0.7
        elif mode == "first_last_frame":
            references = [
                Reference("first_frame_image", 0, 1.0, pictures[0]),
                Reference("last_frame_image", FRAMES - 1, 1.0, pictures[1]),
            ]
        elif mode == "arbitrary_frame":
            references = [Reference("arbitrary_frames", index, 0.85, pictures[n]) for n, index in enumerate((0, 5, 8))]
            parameters |= {"denoising_strength": 1.0, "reference_strength": 0.85}
        job = Job("task", 1, model, mode, "a boat at sea", "", parameters, 7, references, 1e12)
        fields = {name: value for name, value in named.items() if name in Job.__dataclass_fields__}
        rest = {name: value for name, value in named.items() if name not in fields}
        return replace(job, parameters={**job.parameters, **rest}, **fields)

    return make
