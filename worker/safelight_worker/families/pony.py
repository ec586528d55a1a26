"""Pony Diffusion V6 XL: SDXL, from a folder or from its one checkpoint file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

from safelight_worker import loading, sdxl_file
from safelight_worker.families import (
    Frames,
    Job,
    LoadReport,
    Placement,
    Report,
    Unavailable,
    WeightsDamaged,
    WeightsMissing,
)
from safelight_worker.families.pictures import recipe_of, start
from safelight_worker.families.warm import Warm, dtypes_for, reason, reason_of
from safelight_worker.latents import LatentMap, picture_map
from safelight_worker.loading import Recipe
from safelight_worker.prompts import encode_windows
from safelight_worker.running import run_pipeline
from safelight_worker.schedulers import sdxl_scheduler
from safelight_worker.sdxl_file import Checkpoint
from safelight_worker.settings import ModelSpec

COMPONENTS = ("text_encoder", "text_encoder_2", "unet", "vae")
TOKENIZERS = ("tokenizer", "tokenizer_2")
WORKING = 4_000_000_000
"""Bytes for a run at 1280×1280 in half precision. An estimate, to be measured."""


class LoadedPony:
    """SDXL in memory."""

    def __init__(self, warm: Warm, config: Mapping[str, Any], colours: LatentMap) -> None:
        self.warm = warm
        self.config = config
        self.colours = colours

    def run(self, job: Job, report: Report) -> Frames:
        """One picture. In img2img `denoising_strength` of the steps are run."""
        guidance = job.number("cfg_scale")
        begun = start(job, report, StableDiffusionXLPipeline, StableDiffusionXLImg2ImgPipeline, guidance)
        if begun.unchanged is not None:
            return begun.unchanged
        steps = job.whole("steps")
        pipe = self.warm.pipeline(
            begun.kind, sdxl_scheduler(job.text("sampler"), self.config, job.seed), add_watermarker=False
        )
        negative = job.negative_prompt if guidance > 1 else None
        text = encode_windows(pipe, job.prompt, negative, job.whole("clip_skip"))
        arguments = begun.arguments | {
            "prompt_embeds": text.prompt,
            "negative_prompt_embeds": text.negative,
            "pooled_prompt_embeds": text.pooled,
            "negative_pooled_prompt_embeds": text.negative_pooled,
            "num_inference_steps": steps,
            "guidance_scale": guidance,
        }
        if job.mode != "img2img":
            arguments |= {"width": job.whole("width"), "height": job.whole("height")}
        if "strength" in arguments:
            # The library rounds down, and breaks off where no step is left: at a small strength one is run.
            arguments["strength"] = min(1.0, max(arguments["strength"], 1.5 / steps))
        told = max(1, min(int(steps * arguments.get("strength", 1)), steps))
        return Frames(run_pipeline(pipe, arguments, report, steps=told, seed=job.seed, colours=self.colours))

    def unload(self) -> None:
        """Lets go of the weights."""
        self.warm.drop()


class Pony:
    """The SDXL family."""

    model = "pony"

    def modes(self, spec: ModelSpec) -> dict[str, Unavailable | None]:
        """Both modes run when the weights are in place."""
        found = reason_of(lambda: _recipe(spec)) if not _is_file(spec) else _reason_of_file(spec)
        return {"txt2img": found, "img2img": found}

    def load(self, spec: ModelSpec, place: Placement, report: LoadReport) -> LoadedPony:
        """Loads a folder of diffusers or a checkpoint with a folder of configurations beside it."""
        report.stage("load")
        dtypes = dtypes_for(place.device, COMPONENTS, torch.float16)
        working = WORKING if place.device != "cpu" else 0
        if _is_file(spec):
            checkpoint = _checkpoint(spec)
            plan = loading.plan_for(checkpoint.counts, dtypes, {}, working, place)
            report.check()
            parts, config = sdxl_file.load(checkpoint, dtypes["unet"])
        else:
            recipe = _recipe(spec)
            findings = recipe.look()
            findings.refuse()
            plan = loading.plan_for(findings.counts, dtypes, {}, working, place)
            config = loading.scheduler_config(recipe)
            parts = loading.load_parts(recipe, dtypes, report)
        warm = Warm(parts, plan, place)
        pipe = warm.pipeline(StableDiffusionXLPipeline, sdxl_scheduler("Euler a", config, 0), add_watermarker=False)
        report.check()
        return LoadedPony(warm, config, picture_map(pipe.vae))


def _is_file(spec: ModelSpec) -> bool:
    source = spec.source("checkpoint")
    return source is not None and source.place.suffix == ".safetensors"


def _recipe(spec: ModelSpec) -> Recipe:
    return recipe_of(spec, "checkpoint", COMPONENTS, TOKENIZERS)


def _reason_of_file(spec: ModelSpec) -> Unavailable | None:
    try:
        _checkpoint(spec)
    except (WeightsMissing, WeightsDamaged) as error:
        return reason(error)
    return None


def _checkpoint(spec: ModelSpec) -> Checkpoint:
    return sdxl_file.looked_at(loading.place_of(spec, "checkpoint"), loading.place_of(spec, "config"))


family = Pony()
