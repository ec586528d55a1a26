"""pony, flux and phr00t: samplers, prompt windows, clip skip, strengths and notices."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from diffusers import FluxPipeline, StableDiffusionXLPipeline
from heard import HEIGHT, WIDTH, Heard
from PIL import Image

from safelight_worker.families import Job, Loaded, Placement, Reference, Refused, family_named
from safelight_worker.keyframes import Keyframe, checked, vace_scale
from safelight_worker.prompts import encode_windows
from safelight_worker.references import opened
from safelight_worker.settings import ModelSpec

LONG = "red boat, " * 40


@pytest.fixture(scope="module")
def library(tiny: dict[str, ModelSpec]) -> Any:
    place = tiny["pony"].sources["checkpoint"].place
    pipe = StableDiffusionXLPipeline.from_pretrained(str(place), local_files_only=True, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize("clip_skip", [1, 2, 3, 4])
def test_short_prompts_are_encoded_as_the_library_does_it(library: Any, clip_skip: int) -> None:
    ours = encode_windows(library, "a red boat", "fog", clip_skip)
    prompt, _, pooled, negative_pooled = library.encode_prompt(
        "a red boat", negative_prompt="fog", do_classifier_free_guidance=True, clip_skip=clip_skip - 2
    )
    assert ours.windows == 1
    assert torch.equal(ours.prompt, prompt)
    assert torch.equal(ours.pooled, pooled)
    assert ours.negative_pooled is not None and torch.equal(ours.negative_pooled, negative_pooled)


def test_clip_skip_holds_for_the_negative_prompt_too(library: Any) -> None:
    one, three = (encode_windows(library, "boat", "fog", clip_skip).negative for clip_skip in (1, 3))
    usual = library.encode_prompt("boat", negative_prompt="fog", do_classifier_free_guidance=True)[1]
    two = encode_windows(library, "boat", "fog", 2).negative
    assert one is not None and two is not None and three is not None
    assert torch.equal(two, usual)
    assert not torch.equal(one, three)


def test_long_prompts_have_as_many_windows_as_the_longer_one_needs(library: Any) -> None:
    encoded = encode_windows(library, "boat", LONG, 2)
    assert encoded.windows > 2
    assert encoded.negative is not None
    assert encoded.prompt.shape == encoded.negative.shape == (1, 77 * encoded.windows, 40)


def test_the_end_of_a_long_prompt_matters(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    first, second = (
        warm("pony").run(job_for("pony", "txt2img", prompt=LONG + end), Heard()).images
        for end in ("at sea", "in a lake")
    )
    assert not numpy.array_equal(first, second)


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M Karras", "DPM++ SDE Karras"])
def test_samplers_with_noise_of_their_own_follow_the_seed(
    sampler: str, warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    heard = Heard()
    job = job_for("pony", "img2img", sampler=sampler, steps=10)
    first, again = (warm("pony").run(job, one).images for one in (Heard(), heard))
    assert numpy.array_equal(first, again)
    assert heard.steps[-1] == (7, 7)
    assert len(heard.previews) > 2


def test_flux_euler_is_the_librarys_own(
    tiny: dict[str, ModelSpec], warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    pipe = FluxPipeline.from_pretrained(str(tiny["flux"].sources["pipeline"].place), local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator("cpu").manual_seed(7)
    theirs = pipe("a boat at sea", height=HEIGHT, width=WIDTH, num_inference_steps=4, generator=generator).images[0]
    ours = warm("flux").run(job_for("flux", "txt2img"), Heard()).images
    assert numpy.array_equal(numpy.asarray(theirs), ours[0])


@pytest.mark.parametrize("model", ["pony", "flux"])
def test_strength_zero_returns_the_picture(
    model: str, warm: Callable[[str], Loaded], job_for: Callable[..., Job], pictures: list[Path]
) -> None:
    heard = Heard()
    frames = warm(model).run(job_for(model, "img2img", denoising_strength=0.0), heard)
    expected = opened(Reference("reference_image", 0, 1.0, pictures[0]), WIDTH, HEIGHT)
    assert numpy.array_equal(frames.images[0], numpy.asarray(expected))
    assert heard.warnings == [("strength_zero", "denoising_strength")]


def test_flux_says_when_a_reference_has_no_effect(
    warm: Callable[[str], Loaded], job_for: Callable[..., Job], pictures: list[Path]
) -> None:
    for strength, expected in ((0.7, []), (0.95, [("no_effect", "reference_image")])):
        made = set()
        for picture in pictures[:2]:
            heard = Heard()
            references = [Reference("reference_image", 0, 1.0, picture)]
            job = job_for("flux", "img2img", denoising_strength=strength, references=references)
            made.add(warm("flux").run(job, heard).images.tobytes())
            assert heard.warnings == expected
        assert len(made) == (1 if expected else 2)


@pytest.mark.parametrize("strength", [0.05, 0.3, 0.95, 1.0])
@pytest.mark.parametrize("model", ["pony", "flux"])
def test_every_strength_of_the_catalog_runs_as_told(
    model: str, strength: float, warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    heard = Heard()
    warm(model).run(job_for(model, "img2img", denoising_strength=strength, steps=20), heard)
    total = heard.steps[0][1]
    assert heard.steps == [(done, total) for done in range(total + 1)]
    assert total == pytest.approx(20 * strength, abs=1)


@pytest.mark.parametrize("strength", [0.03, 1e-17])
@pytest.mark.parametrize(("model", "mode"), [("pony", "img2img"), ("flux", "img2img"), ("phr00t", "i2v")])
def test_a_strength_of_less_than_a_step_runs_one(
    model: str, mode: str, strength: float, warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    heard = Heard()
    warm(model).run(job_for(model, mode, denoising_strength=strength), heard)
    assert heard.steps == [(0, 1), (1, 1)]
    assert heard.warnings == []


def test_a_negative_prompt_without_effect_is_said(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    for model, parameters, expected in (
        ("flux", {}, [("no_effect", "negative_prompt")]),
        ("pony", {"cfg_scale": 1.0}, [("no_effect", "negative_prompt")]),
        ("pony", {"cfg_scale": 1.5}, []),
    ):
        heard = Heard()
        warm(model).run(job_for(model, "txt2img", negative_prompt="fog", **parameters), heard)
        assert heard.warnings == expected


def test_lighting_chooses_between_two_files(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    heard = Heard()
    low, high, again = (
        warm("phr00t").run(job_for("phr00t", "t2v", lighting_variant=variant), heard).images
        for variant in ("low_noise", "high_noise", "low_noise")
    )
    assert not numpy.array_equal(low, high)
    assert numpy.array_equal(low, again)
    assert heard.warnings == []


def test_lighting_without_a_second_file_is_said(tiny: dict[str, ModelSpec], job_for: Callable[..., Job]) -> None:
    spec = tiny["phr00t"]
    one = replace(spec, sources={name: it for name, it in spec.sources.items() if name != "checkpoint_high_noise"})
    loaded = family_named("phr00t").load(one, Placement(), Heard())
    for variant, expected in (("low_noise", []), ("high_noise", [("no_effect", "lighting_variant")])):
        heard = Heard()
        loaded.run(job_for("phr00t", "t2v", lighting_variant=variant), heard)
        assert heard.warnings == expected
    loaded.unload()


def test_strengths_of_phr00t_change_the_clip(
    warm: Callable[[str], Loaded], job_for: Callable[..., Job], pictures: list[Path]
) -> None:
    made = set()
    for strength, denoising in ((1.0, 1.0), (0.95, 1.0), (0.5, 1.0), (1.0, 0.7), (1.0, 0.5)):
        references = [Reference("reference_image", 0, strength, pictures[0])]
        job = job_for("phr00t", "i2v", references=references, denoising_strength=denoising)
        made.add(warm("phr00t").run(job, Heard()).images.tobytes())
    assert len(made) == 5


def test_hints_are_scaled_from_one_keyframes_strength_to_the_next() -> None:
    class Pipe:
        vae_scale_factor_temporal = 4
        transformer = SimpleNamespace(config=SimpleNamespace(vace_layers=[0, 5]))

    picture = Image.new("RGB", (16, 16))
    ends = checked([Keyframe(0, picture, 0.5), Keyframe(8, picture)], 9)
    scale = vace_scale(Pipe(), ends, 9, 2)
    assert isinstance(scale, torch.Tensor)
    assert scale.shape == (2, 1, 6, 1)
    assert scale[1, 0, :, 0].tolist() == [0.5, 0.5, 0.75, 0.75, 1, 1]
    assert vace_scale(Pipe(), checked([Keyframe(0, picture)], 9), 9, 2) == 1.0


def test_references_are_upright_opaque_and_cut_to_shape(tmp_path: Path) -> None:
    turned = Image.new("RGB", (40, 20), "red")
    turned.paste("blue", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    picture = opened(Reference("reference_image", 0, 1.0, tmp_path / "turned.png"), 32, 64)
    assert picture.size == (32, 64)
    assert picture.getpixel((16, 5)) == (0, 0, 255)
    assert picture.getpixel((16, 60)) == (255, 0, 0)
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    clear = opened(Reference("reference_image", 0, 1.0, tmp_path / "clear.png"), 32, 32)
    assert clear.getpixel((3, 3)) == (255, 255, 255)


def huge_png(file: Path, width: int, height: int) -> Path:
    """A picture of these sides by its header, in a few bytes."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b""), b"IEND"]
    parts = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return file


@pytest.mark.parametrize("side", [8001, 12_000, 200_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    file = huge_png(tmp_path / "huge.png", side, side)
    with pytest.raises(Refused) as refused:
        opened(Reference("reference_image", 0, 1.0, file), 64, 64)
    assert refused.value.code == "invalid_media"


@pytest.mark.parametrize("kind", ["no picture", "cut", "gone", "animated", "GIF"])
def test_only_whole_pictures_are_taken(tmp_path: Path, pictures: list[Path], kind: str) -> None:
    file = tmp_path / "x"
    reference = Reference("reference_image", 0, 1.0, file)
    if kind == "no picture":
        file.write_bytes(b"<html>")
    elif kind == "cut":
        file.write_bytes(pictures[0].read_bytes()[:-200])
    elif kind == "GIF":
        Image.new("RGB", (32, 32), "red").save(file, "GIF")
    elif kind == "animated":
        frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
        frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
        assert opened(reference, 32, 32).getpixel((5, 5)) == (255, 0, 0)
        return
    with pytest.raises(Refused) as refused:
        opened(reference, 32, 32)
    assert refused.value.code == "invalid_media"
