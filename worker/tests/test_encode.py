"""Files: what is asked for, the same bytes each time, with the recipe in its places."""

from __future__ import annotations

import hashlib
import io
import json
import resource
import signal
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
from PIL import Image

from safelight_worker.encode import CONTENT_TYPES, encode, missing_encoders, preview_webp
from safelight_worker.families import Cancelled, Frames
from safelight_worker.recipe import xmp_packet

RECIPE = {"prompt": 'Лодка & "море" <tag>', "seed": 7, "note": "\x07"}


def nothing() -> None:
    pass


def clip(frames: int = 9, width: int = 64, height: int = 48) -> Frames:
    pixels = numpy.zeros((frames, height, width, 3), numpy.uint8)
    for index in range(frames):
        pixels[index, :, : (index + 1) * 4] = (200, 40, 30)
    return Frames(pixels, 16)


def picture() -> Frames:
    return Frames([Image.fromarray(clip().images[3])])


@pytest.mark.parametrize("name", list(CONTENT_TYPES))
def test_a_file_is_what_its_facts_say_and_the_same_each_time(tmp_path: Path, name: str) -> None:
    content_type = CONTENT_TYPES[name]
    frames = clip() if content_type.startswith("video/") else picture()
    one = encode(frames, content_type, tmp_path / f"one.{name}", RECIPE, nothing)
    two = encode(frames, content_type, tmp_path / f"two.{name}", RECIPE, nothing)
    assert one == two
    data = (tmp_path / f"one.{name}").read_bytes()
    assert (one["bytes"], one["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (one["width"], one["height"]) == (64, 48)
    assert (one["frames"], one["fps"]) == ((9, 16) if content_type.startswith("video/") else (1, 0))
    assert {path.name for path in tmp_path.iterdir()} == {f"one.{name}", f"two.{name}"}


@pytest.mark.parametrize("name", ["mp4", "webm"])
def test_a_clip_of_many_shades_is_the_same_each_time(tmp_path: Path, name: str) -> None:
    shades = numpy.random.default_rng(2).integers(0, 255, (16, 17, 3), dtype=numpy.uint8)
    still = numpy.kron(shades, numpy.ones((16, 16, 1), numpy.uint8))
    frames = Frames(numpy.stack([numpy.roll(still, index * 3, 1) for index in range(17)]), 16)
    kinds = {encode(frames, CONTENT_TYPES[name], tmp_path / "x", RECIPE, nothing)["sha256"] for _ in range(20)}
    assert len(kinds) == 1


@pytest.mark.parametrize("name", ["mp4", "webm"])
def test_a_clip_has_all_its_frames_in_colour_and_its_recipe(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"clip.{name}"
    encode(clip(), CONTENT_TYPES[name], path, RECIPE, nothing)
    with av.open(str(path)) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        rate = container.streams.video[0].average_rate
    assert json.loads(tags["comment"]) == RECIPE
    assert tags["title"] == RECIPE["prompt"]
    assert len(frames) == 9
    assert rate == 16
    assert numpy.abs(frames[-1][24, 4].astype(int) - (200, 40, 30)).max() < 30


def test_a_png_holds_the_recipe_as_text_and_as_a_packet(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    encode(picture(), "image/png", path, RECIPE, nothing)
    with Image.open(path) as image:
        texts: dict[str, Any] = dict(image.text)  # type: ignore[attr-defined]
    assert json.loads(texts["safelight"]) == RECIPE
    assert texts["XML:com.adobe.xmp"] == xmp_packet(RECIPE)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_other_pictures_hold_the_packet(tmp_path: Path, name: str) -> None:
    path = tmp_path / "one"
    encode(picture(), CONTENT_TYPES[name], path, RECIPE, nothing)
    with Image.open(path) as image:
        assert image.info["xmp"].decode() == xmp_packet(RECIPE)


def test_a_recipe_too_large_for_a_jpeg_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "one"
    encode(picture(), "image/jpeg", path, {"prompt": "x" * 70_000}, nothing)
    with Image.open(path) as image:
        assert "xmp" not in image.info
        image.load()


def test_a_stop_while_a_clip_is_written_leaves_nothing(tmp_path: Path) -> None:
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        encode(clip(), "video/mp4", tmp_path / "clip.mp4", RECIPE, stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["png", "mp4", "webm"])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    noise = numpy.random.default_rng(1).integers(0, 255, (9, 240, 320, 3), dtype=numpy.uint8)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    try:
        with pytest.raises(OSError, match=r"."):
            encode(Frames(noise, 16), CONTENT_TYPES[name], tmp_path / f"one.{name}", RECIPE, nothing)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_previews_are_small_and_move() -> None:
    large = [Image.new("RGB", (1280, 720), (index * 20, 0, 0)) for index in range(5)]
    with Image.open(io.BytesIO(preview_webp(large, 4))) as image:
        assert image.size == (512, 288)
        assert image.n_frames == 5  # type: ignore[attr-defined]
    with Image.open(io.BytesIO(preview_webp(large[:1], 0))) as image:
        assert getattr(image, "n_frames", 1) == 1


def test_this_machine_has_every_encoder() -> None:
    assert missing_encoders() == ()
