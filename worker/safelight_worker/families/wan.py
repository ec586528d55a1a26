"""What the two video families have in common: memory, text, and steps that begin with a still clip."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from safelight_worker import loading, references
from safelight_worker.families import Frames, Job, Placement, Refused, Report
from safelight_worker.families.warm import LONGEST_TEXT, dtypes_for, note_long_prompt
from safelight_worker.keyframes import Keyframe, checked, still_frames
from safelight_worker.latents import LatentMap
from safelight_worker.loading import FP8_SHARE, Recipe
from safelight_worker.memory import Plan
from safelight_worker.running import run_pipeline

EXPERTS = ("transformer", "transformer_2")
LARGEST_TOKENS = 41 * (1280 // 16) * (1280 // 16)
"""Places of the transformer's sequence in the catalog's largest clip."""


def plan(recipe: Recipe, counts: Mapping[str, int], place: Placement) -> tuple[Mapping[str, torch.dtype], Plan]:
    """Types and plan. The autoencoder stays in float32; transformers can be stored in 8 bits."""
    dtypes = dtypes_for(place.device, [part.name for part in recipe.parts], torch.bfloat16, exact=("vae",))
    small = dict.fromkeys(EXPERTS, FP8_SHARE)
    return dtypes, loading.plan_for(counts, dtypes, small, _working(recipe, place), place)


def _working(recipe: Recipe, place: Placement) -> int:
    """Bytes for a run of the largest size: eight layers' worth of activations. An estimate, to be measured."""
    if place.device == "cpu":
        return 0
    folder = next(part.config for part in recipe.parts if part.name == "transformer")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return LARGEST_TOKENS * int(config["num_attention_heads"]) * int(config["attention_head_dim"]) * 2 * 8


def keyframes_of(job: Job) -> dict[int, Keyframe]:
    """The pictures of a job by their frame, at the size of the clip. Refused for none, or for two at one frame."""
    width, height = job.whole("width"), job.whole("height")
    pictures = [Keyframe(one.index, references.opened(one, width, height), one.strength) for one in job.references]
    try:
        return checked(pictures, job.whole("num_frames"))
    except ValueError as error:
        raise Refused(f"{error}.", "invalid_media") from error


def still_clip(keyframes: Mapping[int, Keyframe], job: Job) -> Frames:
    """The clip in which nothing moves."""
    frames = still_frames(keyframes, job.whole("num_frames"))
    return Frames(numpy.stack([numpy.asarray(frame) for frame in frames]), job.number("fps"))


def text_arguments(pipe: Any, job: Job, prompt: str, guidance: float, report: Report) -> dict[str, Any]:
    """The encoded prompts as arguments of the pipeline. The negative one is encoded only when it is used."""
    note_long_prompt(pipe.tokenizer, prompt, report)
    with torch.no_grad():
        embeds, negative = pipe.encode_prompt(
            prompt=prompt,
            negative_prompt=job.negative_prompt,
            do_classifier_free_guidance=guidance > 1,
            max_sequence_length=LONGEST_TEXT,
        )
    return {"prompt_embeds": embeds, "negative_prompt_embeds": negative, "guidance_scale": guidance}


def run_clip(
    pipe: Any, arguments: Mapping[str, Any], job: Job, report: Report, steps: int, colours: LatentMap
) -> Frames:
    """Calls a video pipeline. A preview has one frame for four of the clip, at a quarter of its frame rate."""
    fps = job.number("fps")
    sized = {"width": job.whole("width"), "height": job.whole("height"), "num_frames": job.whole("num_frames")}
    made: NDArray[numpy.uint8] = run_pipeline(
        pipe,
        {**arguments, **sized},
        report,
        steps=steps,
        seed=job.seed,
        colours=colours,
        fps=max(1.0, fps / 4),
    )
    return Frames(made, fps)


def folder_parts(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Folders of components inside a folder."""
    return {name: folder / name for name in names}
