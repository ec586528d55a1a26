"""Wan 2.2 Rapid, the MEGA checkpoints: transformer and text encoder in one file, run by VACE in four steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safelight_worker import loading
from safelight_worker.families import Frames, Job, LoadReport, Placement, Report, Unavailable
from safelight_worker.families.wan import keyframes_of, plan, run_clip, still_clip, text_arguments
from safelight_worker.families.warm import Warm, note_unchanged, note_unused_negative, reason_of
from safelight_worker.keyframes import StillVacePipeline, still_frames, vace_condition, vace_scale
from safelight_worker.latents import LatentMap, video_map
from safelight_worker.loading import Recipe
from safelight_worker.schedulers import beta_levels, first_step, given_levels
from safelight_worker.settings import ModelSpec

MODES = ("t2v", "i2v", "first_last_frame")
HIGH_NOISE = "checkpoint_high_noise"


class LoadedPhr00t:
    """The checkpoint in memory; a second one takes its place when a job asks for the other lighting."""

    def __init__(self, spec: ModelSpec, place: Placement, report: LoadReport) -> None:
        self.spec = spec
        self.place = place
        self.chosen = "checkpoint"
        self.warm: Warm | None = None
        self.colours: LatentMap | None = None
        self._load("checkpoint", report)

    def run(self, job: Job, report: Report) -> Frames:
        """A clip. In i2v `denoising_strength` leaves out first steps, and the clip begins as a still one."""
        warm, colours = self._for(job, report)
        report.stage("encode")
        report.check()
        note_unused_negative(job, report, 1.0)
        steps, frames = job.whole("steps"), job.whole("num_frames")
        keyframes = keyframes_of(job) if job.mode != "t2v" else {}
        strength = job.number("denoising_strength") if job.mode == "i2v" else 1.0
        if strength <= 0:
            note_unchanged(report)
            return still_clip(keyframes, job)
        skipped = first_step(steps, strength)
        levels = beta_levels(steps, self.spec.number("shift", 8.0))[skipped:]
        pipe = warm.pipeline(StillVacePipeline, given_levels(levels, self.spec.number("eta", 1.0), job.seed))
        pipe.still = still_frames(keyframes, frames) if skipped else ()
        arguments: dict[str, Any] = {"num_inference_steps": len(levels)}
        if keyframes:
            width, height = job.whole("width"), job.whole("height")
            video, masks = vace_condition(keyframes, frames, width, height)
            scale = vace_scale(pipe, keyframes, frames, (width // 16) * (height // 16))
            arguments |= {"video": video, "mask": masks, "conditioning_scale": scale}
        arguments |= text_arguments(pipe, job, job.prompt, job.number("cfg_scale"), report)
        try:
            return run_clip(pipe, arguments, job, report, len(levels), colours)
        finally:
            pipe.still = ()

    def unload(self) -> None:
        """Lets go of the weights."""
        if self.warm is not None:
            self.warm.drop()

    def _for(self, job: Job, report: Report) -> tuple[Warm, LatentMap]:
        """The weights of the lighting that the job asks for, or the only ones with a notice."""
        wanted = HIGH_NOISE if job.text("lighting_variant") == "high_noise" else "checkpoint"
        if wanted == HIGH_NOISE and self.spec.source(HIGH_NOISE) is None:
            wanted = "checkpoint"
            report.warn(
                "no_effect", "lighting_variant", "This worker has one variant of the weights; lighting changes nothing."
            )
        if wanted != self.chosen or self.warm is None:
            self._load(wanted, report)
        if self.warm is None or self.colours is None:
            raise RuntimeError("Nothing is loaded")
        return self.warm, self.colours

    def _load(self, name: str, report: LoadReport) -> None:
        report.stage("load")
        recipe = _recipe(self.spec, name)
        findings = recipe.look()
        findings.refuse()
        kept = {}
        if self.warm is not None:
            kept = {
                part: self.warm.parts[part]
                for part in ("vae", "text_encoder", "tokenizer")
                if self._is_shared(recipe, part)
            }
            self.warm.drop()
            self.warm = None
        dtypes, how = plan(recipe, findings.counts, self.place)
        small = loading.eight_bits(how, self.place.device, ("transformer",))
        parts = loading.load_parts(recipe, dtypes, report, have=kept, finish=small)
        warm = Warm({**parts, "transformer_2": None}, how, self.place)
        pipe = warm.pipeline(StillVacePipeline, given_levels((1.0,), 0.0, 0))
        self.colours = self.colours or video_map(pipe.vae)
        self.warm, self.chosen = warm, name

    def _is_shared(self, recipe: Recipe, part: str) -> bool:
        """Whether a component does not come from the checkpoint, so that both variants have the same."""
        names = {one.name: one for one in recipe.parts}
        return part not in names or not names[part].prefix


class Phr00t:
    """The Rapid family."""

    model = "phr00t"

    def modes(self, spec: ModelSpec) -> dict[str, Unavailable | None]:
        """All modes run from one file."""
        reason = reason_of(lambda: _recipe(spec, "checkpoint"))
        if reason is None and spec.source(HIGH_NOISE) is not None:
            reason = reason_of(lambda: _recipe(spec, HIGH_NOISE))
        return dict.fromkeys(MODES, reason)

    def load(self, spec: ModelSpec, place: Placement, report: LoadReport) -> LoadedPhr00t:
        """Loads the checkpoint, component by component, from its 8-bit values to the type that it runs in."""
        return LoadedPhr00t(spec, place, report)


def _recipe(spec: ModelSpec, name: str) -> Recipe:
    place: Path = loading.place_of(spec, name)
    if place.is_dir():
        return loading.folder_recipe(place, ("text_encoder", "transformer", "vae"), ("tokenizer",))
    return loading.all_in_one_recipe(place, loading.place_of(spec, "config"))


family = Phr00t()
