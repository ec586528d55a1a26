"""AniSora: keyframes, strengths, the motion suffix, and text to video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from diffusers import WanImageToVideoPipeline
from heard import FRAMES, HEIGHT, WIDTH, Heard
from PIL import Image

from safelight_worker.families import Cancelled, Job, Loaded, Reference, Refused, Unavailable, family_named
from safelight_worker.families.anisora import motion_prompt
from safelight_worker.keyframes import Keyframe, KeyframePipeline, checked, still_frames
from safelight_worker.references import opened
from safelight_worker.running import pixels
from safelight_worker.schedulers import unipc
from safelight_worker.settings import ModelSpec


@pytest.fixture(scope="module")
def both(tiny_exact: dict[str, ModelSpec]) -> tuple[Any, Any]:
    """The library's own pipeline and ours over the same loaded components."""
    place = tiny_exact["anisora"].sources["pipeline"].place
    theirs = WanImageToVideoPipeline.from_pretrained(str(place), local_files_only=True, use_safetensors=True)
    theirs.set_progress_bar_config(disable=True)
    ours = KeyframePipeline(**theirs.components, boundary_ratio=theirs.config.boundary_ratio)
    ours.set_progress_bar_config(disable=True)
    return theirs, ours


@pytest.fixture(scope="module")
def stills(pictures: list[Path]) -> list[Image.Image]:
    return [Image.open(file).convert("RGB").resize((WIDTH, HEIGHT)) for file in pictures]


def clip(pipe: Any, first: Image.Image, last: Image.Image | None = None, guidance: float = 1.0) -> numpy.ndarray:
    made: numpy.ndarray = pipe(
        image=first,
        last_image=last,
        prompt="a boat",
        negative_prompt="fog",
        height=HEIGHT,
        width=WIDTH,
        num_frames=FRAMES,
        num_inference_steps=4,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(3),
        output_type="np",
    ).frames
    return made


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_one_picture_at_the_start_is_the_librarys_picture_to_video(
    both: tuple[Any, Any], stills: list[Image.Image], guidance: float
) -> None:
    theirs, ours = both
    ours.keyframes = {0: Keyframe(0, stills[0])}
    assert clip(theirs, stills[0], None, guidance).tobytes() == clip(ours, stills[0], None, guidance).tobytes()


def test_one_picture_at_either_end_is_the_librarys_first_and_last_frame(
    both: tuple[Any, Any], stills: list[Image.Image]
) -> None:
    theirs, ours = both
    ours.keyframes = checked([Keyframe(0, stills[0]), Keyframe(-1, stills[1])], FRAMES)
    expected = clip(theirs, stills[0], stills[1])
    assert expected.tobytes() == clip(ours, stills[0]).tobytes()
    assert expected.tobytes() != clip(theirs, stills[0]).tobytes()


@pytest.mark.parametrize("mode", ["i2v", "first_last_frame"])
def test_a_whole_job_at_full_strength_is_the_librarys_own_run(
    mode: str, both: tuple[Any, Any], warm_exact: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    job = job_for("anisora", mode, denoising_strength=1.0, guidance_scale=3.0, negative_prompt="fog")
    ours = warm_exact("anisora").run(job, Heard()).images
    usual = both[0]
    theirs = WanImageToVideoPipeline(**{**usual.components, "scheduler": unipc(usual.scheduler.config, 5.0)})
    theirs.register_to_config(boundary_ratio=0.9)
    theirs.set_progress_bar_config(disable=True)
    stills = [opened(reference, WIDTH, HEIGHT) for reference in job.references]
    made = theirs(
        image=stills[0],
        last_image=stills[1] if len(stills) > 1 else None,
        prompt=motion_prompt(job.prompt, 3.0),
        negative_prompt="fog",
        height=HEIGHT,
        width=WIDTH,
        num_frames=FRAMES,
        num_inference_steps=8,
        guidance_scale=3.0,
        generator=torch.Generator("cpu").manual_seed(job.seed),
        output_type="pt",
    ).frames[0]
    assert numpy.array_equal(ours, pixels(made))


def test_place_and_strength_of_a_keyframe_change_the_clip(both: tuple[Any, Any], stills: list[Image.Image]) -> None:
    _, ours = both
    made = []
    for frames in ([(0, 1.0), (4, 1.0)], [(0, 1.0), (5, 1.0)], [(0, 1.0), (5, 0.5)], [(3, 1.0), (5, 0.5)]):
        ours.keyframes = checked([Keyframe(index, stills[0], strength) for index, strength in frames], FRAMES)
        made.append(clip(ours, stills[0]).tobytes())
    assert len(set(made)) == 4


def test_keyframes_outside_twice_or_missing_are_refused(stills: list[Image.Image]) -> None:
    for wrong in ([], [Keyframe(9, stills[0])], [Keyframe(8, stills[0]), Keyframe(-1, stills[1])]):
        with pytest.raises(ValueError):
            checked(wrong, FRAMES)


def test_a_still_clip_shows_the_nearest_keyframe(stills: list[Image.Image]) -> None:
    frames = still_frames(checked([Keyframe(1, stills[0]), Keyframe(5, stills[1])], FRAMES), FRAMES)
    assert [frame is stills[0] for frame in frames] == [True] * 4 + [False] * 5


def test_denoising_strength_leaves_out_first_steps(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    loaded, made = warm("anisora"), []
    for strength, steps in ((1.0, 8), (0.7, 6), (0.25, 2), (0.05, 1)):
        heard = Heard()
        made.append(loaded.run(job_for("anisora", "i2v", denoising_strength=strength), heard).images.tobytes())
        assert heard.steps[-1] == (steps, steps)
    assert len(set(made)) == 4


def test_strength_zero_gives_the_picture_back(
    warm: Callable[[str], Loaded], job_for: Callable[..., Job], pictures: list[Path]
) -> None:
    heard = Heard()
    frames = warm("anisora").run(job_for("anisora", "i2v", denoising_strength=0.0), heard)
    assert frames.images.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert numpy.array_equal(frames.images[0], frames.images[-1])
    assert heard.warnings == [("strength_zero", "denoising_strength")]


def test_the_motion_score_is_the_models_suffix(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    assert (
        motion_prompt("a boat. ", 2.5)
        == "a boat. aesthetic score: 5.5. motion score: 2.5. There is no text in the video."
    )
    calm = warm("anisora").run(job_for("anisora", "i2v", motion_score=0.0), Heard())
    lively = warm("anisora").run(job_for("anisora", "i2v", motion_score=5.0), Heard())
    assert not numpy.array_equal(calm.images, lively.images)


def test_what_has_no_effect_is_said(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    loaded = warm("anisora")
    for job, expected in (
        (job_for("anisora", "t2v", motion_score=4.0), [("no_effect", "motion_score")]),
        (job_for("anisora", "arbitrary_frame", reference_strength=0.4), [("no_effect", "reference_strength")]),
        (job_for("anisora", "i2v", negative_prompt="fog"), [("no_effect", "negative_prompt")]),
        (job_for("anisora", "i2v", negative_prompt="fog", guidance_scale=3.0), []),
        (job_for("anisora", "i2v", prompt="abc " * 300), [("prompt_too_long", "prompt")]),
    ):
        heard = Heard()
        loaded.run(job, heard)
        assert heard.warnings == expected


def test_a_negative_prompt_acts_above_guidance_one(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    for guidance, differ in ((1.0, False), (3.0, True)):
        with_it, without = (
            warm("anisora")
            .run(job_for("anisora", "i2v", negative_prompt=text, guidance_scale=guidance), Heard())
            .images
            for text in ("fog and rain", "")
        )
        assert numpy.array_equal(with_it, without) != differ


def test_text_to_video_needs_experts_that_the_settings_name(tiny: dict[str, ModelSpec]) -> None:
    spec = tiny["anisora"]
    without = replace(spec, sources={name: source for name, source in spec.sources.items() if name != "t2v"})
    modes = family_named("anisora").modes(without)
    assert isinstance(modes["t2v"], Unavailable)
    assert modes["t2v"].code == "not_configured"
    assert modes["i2v"] is None


def test_two_pictures_at_one_frame_and_broken_ones_are_refused(
    warm: Callable[[str], Loaded], job_for: Callable[..., Job], pictures: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(pictures[0].read_bytes()[:200])
    twice = [Reference("arbitrary_frames", 0, 1.0, file) for file in pictures[:2]]
    for references in (twice, [Reference("reference_image", 0, 1.0, broken)], []):
        with pytest.raises(Refused) as refused:
            warm("anisora").run(job_for("anisora", "i2v", references=references), Heard())
        assert refused.value.code == "invalid_media"


@pytest.mark.parametrize(
    ("model", "first", "second"),
    [
        ("anisora", {"mode": "i2v"}, {"mode": "t2v"}),
        ("phr00t", {"mode": "t2v"}, {"mode": "t2v", "lighting_variant": "high_noise"}),
    ],
)
def test_a_stop_while_other_weights_are_loaded_leaves_a_model_that_runs(
    model: str, first: Any, second: Any, warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    loaded = warm(model)
    before = loaded.run(job_for(model, **first), Heard()).images
    for stop_at in (1, 3):
        with pytest.raises(Cancelled):
            loaded.run(job_for(model, **second), Heard(stop_at))
    after = loaded.run(job_for(model, **first), Heard()).images
    assert numpy.array_equal(before, after)
    other = loaded.run(job_for(model, **second), Heard()).images
    assert not numpy.array_equal(after, other)
