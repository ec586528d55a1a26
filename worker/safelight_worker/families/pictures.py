"""What the two picture families have in common: where a run begins, and the recipe of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from safelight_worker import loading, references
from safelight_worker.families import Frames, Job, Report
from safelight_worker.families.warm import note_unchanged, note_unused_negative
from safelight_worker.loading import Recipe
from safelight_worker.settings import ModelSpec


@dataclass(frozen=True)
class Start:
    """What a run begins with: the kind of pipeline, and the picture and strength among its arguments.

    `unchanged`: the result, where nothing is to be drawn.
    """

    kind: Any
    arguments: dict[str, Any]
    unchanged: Frames | None = None


def start(job: Job, report: Report, from_text: Any, from_picture: Any, guidance: float | None) -> Start:
    """Prepares a run with one of two kinds of pipeline. `guidance`: see note_unused_negative. Errors: Refused."""
    report.stage("encode")
    report.check()
    note_unused_negative(job, report, guidance)
    if job.mode != "img2img":
        return Start(from_text, {})
    reference = references.only(job, "reference_image")
    picture = references.opened(reference, job.whole("width"), job.whole("height"))
    strength = job.number("denoising_strength")
    if strength <= 0:
        note_unchanged(report)
        return Start(from_picture, {}, Frames(numpy.asarray(picture)[None]))
    return Start(from_picture, {"image": picture, "strength": strength})


def recipe_of(spec: ModelSpec, source: str, components: Sequence[str], tokenizers: Sequence[str]) -> Recipe:
    """The recipe of the folder that a source names; components that the settings name lie elsewhere."""
    elsewhere = {name: loading.place_of(spec, name) for name in components if spec.source(name) is not None}
    return loading.folder_recipe(loading.place_of(spec, source), components, tokenizers, elsewhere)
