"""Index-AniSora V3.2: two experts in the layout of Wan 2.2 picture to video, with pictures at any frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers import WanPipeline

from safelight_worker import loading
from safelight_worker.families import Frames, Job, LoadReport, Placement, Report, Unavailable, WeightsMissing
from safelight_worker.families.wan import EXPERTS, keyframes_of, plan, run_clip, still_clip, text_arguments
from safelight_worker.families.warm import Warm, note_unchanged, note_unused_negative, reason_of
from safelight_worker.keyframes import KeyframePipeline, still_frames
from safelight_worker.latents import LatentMap, video_map
from safelight_worker.loading import Recipe
from safelight_worker.schedulers import first_step, unipc
from safelight_worker.settings import ModelSpec

COMPONENTS = ("text_encoder", *EXPERTS, "vae")
PICTURE_MODES = ("i2v", "first_last_frame", "arbitrary_frame")
USUAL_MOTION, USUAL_STRENGTH = 3.0, 0.85
"""Defaults of the catalog: nobody chose them, so nothing is said when they have no effect."""


def motion_prompt(prompt: str, motion_score: float) -> str:
    """The prompt with the suffix that the model was trained with. `motion_score` 0 to 5; 2 to 4 is advised."""
    return f"{prompt.rstrip()} aesthetic score: 5.5. motion score: {motion_score:.1f}. There is no text in the video."


class LoadedAnisora:
    """Text encoder, autoencoder, and one pair of experts: AniSora's, or the base model's for text to video."""

    def __init__(self, spec: ModelSpec, place: Placement, report: LoadReport) -> None:
        self.spec = spec
        self.place = place
        self.kind = ""
        self.warm: Warm | None = None
        self.colours: LatentMap | None = None
        self.config: dict[str, Any] = {}
        self._load("pictures" if _reason(spec, "pictures") is None else "t2v", report)

    def run(self, job: Job, report: Report) -> Frames:
        """A clip of eight steps at shift 5."""
        warm, colours = self._for("t2v" if job.mode == "t2v" else "pictures", report)
        report.stage("encode")
        report.check()
        guidance = job.number("guidance_scale")
        note_unused_negative(job, report, guidance)
        if job.mode == "t2v":
            return self._from_text(warm, colours, job, report, guidance)
        return self._from_pictures(warm, colours, job, report, guidance)

    def _from_text(self, warm: Warm, colours: LatentMap, job: Job, report: Report, guidance: float) -> Frames:
        if job.number("motion_score") != USUAL_MOTION:
            report.warn(
                "no_effect", "motion_score", "Text to video runs on the base model, which does not know motion scores."
            )
        steps = job.whole("steps")
        pipe = warm.pipeline(
            WanPipeline,
            unipc(self.config, self.spec.number("shift", 5.0)),
            boundary_ratio=self.spec.number("t2v_boundary", 0.875),
        )
        arguments = text_arguments(pipe, job, job.prompt, guidance, report)
        return run_clip(pipe, {**arguments, "num_inference_steps": steps}, job, report, steps, colours)

    def _from_pictures(self, warm: Warm, colours: LatentMap, job: Job, report: Report, guidance: float) -> Frames:
        steps, frames = job.whole("steps"), job.whole("num_frames")
        keyframes = keyframes_of(job)
        if job.mode == "arbitrary_frame" and job.number("reference_strength") != USUAL_STRENGTH:
            report.warn("no_effect", "reference_strength", "Every key frame has a strength of its own.")
        strength = job.number("denoising_strength") if job.mode != "first_last_frame" else 1.0
        if strength <= 0:
            note_unchanged(report)
            return still_clip(keyframes, job)
        skipped = first_step(steps, strength)
        scheduler = unipc(self.config, self.spec.number("shift", 5.0), skipped)
        pipe = warm.pipeline(KeyframePipeline, scheduler, boundary_ratio=self.spec.number("boundary", 0.9))
        prompt = motion_prompt(job.prompt, job.number("motion_score"))
        arguments = text_arguments(pipe, job, prompt, guidance, report)
        pipe.keyframes, pipe.still = keyframes, still_frames(keyframes, frames) if skipped else ()
        first = next(iter(keyframes.values())).picture
        try:
            return run_clip(
                pipe, {**arguments, "image": first, "num_inference_steps": steps}, job, report, steps - skipped, colours
            )
        finally:
            pipe.keyframes, pipe.still = {}, ()

    def unload(self) -> None:
        """Lets go of the weights."""
        if self.warm is not None:
            self.warm.drop()

    def _for(self, kind: str, report: Report) -> tuple[Warm, LatentMap]:
        if self.kind != kind or self.warm is None:
            self._load(kind, report)
        if self.warm is None or self.colours is None:
            raise RuntimeError("Nothing is loaded")
        return self.warm, self.colours

    def _load(self, kind: str, report: LoadReport) -> None:
        """Loads one pair of experts in place of the other; text encoder and autoencoder stay where they are."""
        report.stage("load")
        recipe = _recipe(self.spec, kind)
        findings = recipe.look()
        findings.refuse()
        kept = {}
        if self.warm is not None:
            kept = {name: self.warm.parts[name] for name in ("text_encoder", "tokenizer", "vae")}
            self.warm.drop()
            self.warm = None
        dtypes, how = plan(recipe, findings.counts, self.place)
        small = loading.eight_bits(how, self.place.device, EXPERTS)
        parts = loading.load_parts(recipe, dtypes, report, have=kept, finish=small)
        self.config = loading.scheduler_config(recipe)
        if kind == "pictures":
            parts |= {"image_encoder": None, "image_processor": None}
        warm = Warm(parts, how, self.place)
        pipe = warm.pipeline(
            KeyframePipeline if kind == "pictures" else WanPipeline,
            unipc(self.config, 5.0),
            boundary_ratio=self.spec.number(*(("boundary", 0.9) if kind == "pictures" else ("t2v_boundary", 0.875))),
        )
        self.colours = self.colours or video_map(pipe.vae)
        self.warm, self.kind = warm, kind


class Anisora:
    """The AniSora family."""

    model = "anisora"

    def modes(self, spec: ModelSpec) -> dict[str, Unavailable | None]:
        """The three modes with pictures, and text to video when the settings name experts for it."""
        reason = _reason(spec, "pictures")
        if spec.source("t2v") is None:
            detail = "AniSora has no weights for text to video, and the settings name none of the base model."
            text: Unavailable | None = Unavailable("not_configured", detail)
        else:
            text = _reason(spec, "t2v")
        return {"t2v": text, **dict.fromkeys(PICTURE_MODES, reason)}

    def load(self, spec: ModelSpec, place: Placement, report: LoadReport) -> LoadedAnisora:
        """Loads the experts for pictures; those for text take their place when a job asks for them."""
        return LoadedAnisora(spec, place, report)


def _reason(spec: ModelSpec, kind: str) -> Unavailable | None:
    return reason_of(lambda: _recipe(spec, kind))


def _recipe(spec: ModelSpec, kind: str) -> Recipe:
    """AniSora's experts over the base model's folder, or (t2v) others with their own configuration in their place."""
    base = loading.place_of(spec, "pipeline")
    others = ("text_encoder", "vae")
    if kind == "t2v":
        folder: Path = loading.place_of(spec, "t2v")
        experts = loading.folder_recipe(folder, EXPERTS, ())
        rest = loading.folder_recipe(base, others, ("tokenizer",))
        return Recipe((*rest.parts, *experts.parts), rest.tokenizers, rest.scheduler)
    elsewhere = {name: loading.place_of(spec, name) for name in EXPERTS if spec.source(name) is not None}
    if len(elsewhere) == 1:
        raise WeightsMissing("The settings name one expert of two", list(set(EXPERTS) - set(elsewhere)))
    return loading.folder_recipe(base, COMPONENTS, ("tokenizer",), elsewhere)


family = Anisora()
