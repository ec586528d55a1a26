"""FLUX.1 [dev]: a folder of diffusers, in nf4 where a GPU is."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import FluxImg2ImgPipeline, FluxPipeline

from safelight_worker import loading
from safelight_worker.families import Frames, Job, LoadReport, Placement, Report, Unavailable
from safelight_worker.families.pictures import recipe_of, start
from safelight_worker.families.warm import LONGEST_TEXT, Warm, dtypes_for, note_long_prompt, reason_of
from safelight_worker.latents import LatentMap, picture_map
from safelight_worker.loading import NF4_SHARE, Recipe
from safelight_worker.running import run_pipeline
from safelight_worker.schedulers import flux_scheduler
from safelight_worker.settings import ModelSpec

COMPONENTS = ("text_encoder", "text_encoder_2", "transformer", "vae")
TOKENIZERS = ("tokenizer", "tokenizer_2")
STORED_SMALL = ("transformer", "text_encoder_2")
WORKING = 4_000_000_000
"""Bytes for a run at 1280×1280. An estimate, to be measured."""


class LoadedFlux:
    """FLUX in memory."""

    def __init__(self, warm: Warm, config: dict[str, Any], fixed_shift: float, colours: LatentMap) -> None:
        self.warm = warm
        self.config = config
        self.fixed_shift = fixed_shift
        self.colours = colours

    def run(self, job: Job, report: Report) -> Frames:
        """One picture. In img2img `denoising_strength` of the steps are run, rounded up."""
        begun = start(job, report, FluxPipeline, FluxImg2ImgPipeline, None)
        if begun.unchanged is not None:
            return begun.unchanged
        width, height, steps = job.whole("width"), job.whole("height"), job.whole("steps")
        pipe = self.warm.pipeline(begun.kind, flux_scheduler(job.text("sampler"), self.config, self.fixed_shift))
        note_long_prompt(pipe.tokenizer_2, job.prompt, report)
        with torch.no_grad():
            embeds, pooled, _ = pipe.encode_prompt(prompt=job.prompt, prompt_2=None, max_sequence_length=LONGEST_TEXT)
        arguments = begun.arguments | {
            "prompt_embeds": embeds,
            "pooled_prompt_embeds": pooled,
            "num_inference_steps": steps,
            "guidance_scale": job.number("guidance_scale"),
            "width": width,
            "height": height,
        }
        if "strength" in arguments:
            # One step is run at least, however small the strength.
            arguments["strength"] = max(arguments["strength"], 0.5 / steps)
        left_out = int(max(steps - min(steps * arguments.get("strength", 1.0), steps), 0))
        if "image" in arguments and left_out == 0:
            # The first step of this model begins with nothing but noise.
            report.warn("no_effect", "reference_image", "At this strength the picture is drawn from noise alone.")

        def unpack(latents: torch.Tensor) -> torch.Tensor:
            unpacked: torch.Tensor = FluxPipeline._unpack_latents(latents, height, width, pipe.vae_scale_factor)
            return unpacked

        return Frames(
            run_pipeline(
                pipe, arguments, report, steps=steps - left_out, seed=job.seed, colours=self.colours, unpack=unpack
            )
        )

    def unload(self) -> None:
        """Lets go of the weights."""
        self.warm.drop()


class Flux:
    """The FLUX family."""

    model = "flux"

    def modes(self, spec: ModelSpec) -> dict[str, Unavailable | None]:
        """Both modes run when the weights are in place."""
        reason = reason_of(lambda: _recipe(spec))
        return {"txt2img": reason, "img2img": reason}

    def load(self, spec: ModelSpec, place: Placement, report: LoadReport) -> LoadedFlux:
        """Loads in bfloat16, or the transformer and the large text encoder in 4 bits as they come from the files."""
        report.stage("load")
        recipe = _recipe(spec)
        findings = recipe.look()
        findings.refuse()
        dtypes = dtypes_for(place.device, COMPONENTS, torch.bfloat16)
        on_processor = place.device == "cpu"
        small = {} if on_processor else dict.fromkeys(STORED_SMALL, NF4_SHARE)
        plan = loading.plan_for(
            findings.counts, dtypes, small, 0 if on_processor else WORKING, place, prefer_quantised=True
        )
        quantizations = _four_bits() if plan.quantised else None
        parts = loading.load_parts(recipe, dtypes, report, quantizations)
        config = loading.scheduler_config(recipe)
        warm = Warm(parts, plan, place)
        fixed_shift = spec.number("fixed_shift", 3.0)
        pipe = warm.pipeline(FluxPipeline, flux_scheduler("Euler", config, fixed_shift))
        report.check()
        return LoadedFlux(warm, config, fixed_shift, picture_map(pipe.vae))


def _recipe(spec: ModelSpec) -> Recipe:
    return recipe_of(spec, "pipeline", COMPONENTS, TOKENIZERS)


def _four_bits() -> dict[str, Any]:
    """nf4 for both large components; each library has a configuration class of its own."""
    from diffusers import BitsAndBytesConfig as ForDiffusers
    from transformers import BitsAndBytesConfig as ForTransformers

    values = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": torch.bfloat16}
    return {"transformer": ForDiffusers(**values), "text_encoder_2": ForTransformers(**values)}


family = Flux()
