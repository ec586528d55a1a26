"""Every model and mode of the catalog, saved, loaded by the real loader, and run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from heard import FRAMES, HEIGHT, WIDTH, Heard

from safelight_worker.families import (
    Cancelled,
    Frames,
    Job,
    Loaded,
    Placement,
    family_named,
    flux,
    model_names,
    pony,
    wan,
)
from safelight_worker.settings import ModelSpec

CATALOG = json.loads((Path(__file__).parents[3] / "catalog" / "inference_settings.json").read_text("utf-8"))
PAIRS = [(entry["id"], mode) for entry in CATALOG["models"] for mode in entry["modes"]]
VIDEO = {entry["id"] for entry in CATALOG["models"] if entry["type"] == "video"}


def run(loaded: Loaded, job: Job) -> tuple[Frames, Heard]:
    heard = Heard()
    return loaded.run(job, heard), heard


def test_there_are_eleven_pairs_and_every_model_has_a_family() -> None:
    assert len(PAIRS) == 11
    assert sorted(model_names()) == sorted(entry["id"] for entry in CATALOG["models"])


@pytest.mark.parametrize("model", model_names())
def test_tiny_models_run_in_all_modes_of_the_catalog(model: str, tiny: dict[str, ModelSpec]) -> None:
    modes = family_named(model).modes(tiny[model])
    assert modes == dict.fromkeys((mode for one, mode in PAIRS if one == model))


@pytest.mark.parametrize(("model", "mode"), PAIRS)
def test_makes_what_was_asked_for_and_tells_how_far_it_is(
    model: str, mode: str, warm_exact: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    frames, heard = run(warm_exact(model), job_for(model, mode))
    count = FRAMES if model in VIDEO else 1
    assert isinstance(frames.images, numpy.ndarray)
    assert frames.images.shape == (count, HEIGHT, WIDTH, 3)
    assert frames.images.dtype == numpy.uint8
    assert frames.fps == (16 if model in VIDEO else 0)
    assert frames.images.std() > 5
    total = heard.steps[0][1]
    assert heard.steps == [(done, total) for done in range(total + 1)]
    assert 1 < total <= job_for(model, mode).whole("steps")
    assert [name for name in heard.stages if name != "load"] == ["encode", "denoise", "decode"]
    assert len(heard.previews) >= 2
    for images, fps in heard.previews:
        assert len(images) == ((FRAMES - 1) // 4 + 1 if model in VIDEO else 1)
        assert (fps > 0) == (model in VIDEO)
        assert images[0].width / images[0].height == WIDTH / HEIGHT


@pytest.mark.parametrize(("model", "mode"), PAIRS)
def test_stops_within_a_step_and_draws_the_same_bytes_afterwards(
    model: str, mode: str, warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    loaded, job = warm(model), job_for(model, mode)
    first, _ = run(loaded, job)
    again, heard = run(loaded, job)
    assert numpy.array_equal(first.images, again.images)
    assert heard.checks > 2 * heard.steps[-1][0]
    for stop_at in (1, heard.checks // 2, heard.checks):
        stopped = Heard(stop_at)
        with pytest.raises(Cancelled):
            loaded.run(job, stopped)
        assert stopped.checks == stop_at
    after, _ = run(loaded, job)
    assert numpy.array_equal(first.images, after.images)
    other, _ = run(loaded, job_for(model, mode, seed=8))
    assert not numpy.array_equal(first.images, other.images)


@pytest.mark.parametrize("model", model_names())
def test_a_second_load_draws_the_same_bytes(
    model: str, tiny: dict[str, ModelSpec], warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    mode = next(mode for one, mode in PAIRS if one == model)
    fresh = family_named(model).load(tiny[model], Placement(), Heard())
    first, _ = run(fresh, job_for(model, mode))
    fresh.unload()
    second, _ = run(warm(model), job_for(model, mode))
    assert numpy.array_equal(first.images, second.images)


@pytest.mark.parametrize("model", model_names())
def test_runs_in_the_types_that_a_graphics_card_would_have(
    model: str, tiny: dict[str, ModelSpec], job_for: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_card(_device: str, names: Sequence[str], usual: torch.dtype, exact: Sequence[str] = ()) -> Any:
        return {name: torch.float32 if name in exact else usual for name in names}

    for module in (pony, flux, wan):
        monkeypatch.setattr(module, "dtypes_for", on_a_card)
    loaded: Any = family_named(model).load(tiny[model], Placement(), Heard())
    kinds = {part.dtype for part in loaded.warm.parts.values() if isinstance(part, torch.nn.Module)}
    assert kinds & {torch.float16, torch.bfloat16}
    mode = {"pony": "img2img", "flux": "img2img", "phr00t": "i2v", "anisora": "arbitrary_frame"}[model]
    first, heard = run(loaded, job_for(model, mode))
    again, _ = run(loaded, job_for(model, mode))
    assert numpy.array_equal(first.images, again.images)
    assert len(heard.previews) >= 2
    loaded.unload()
