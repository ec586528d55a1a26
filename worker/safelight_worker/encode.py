"""Turns what a model has drawn into the file that is delivered. The same frames and recipe make the same bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from PIL import Image

from safelight_worker.families import Frames
from safelight_worker.files import whole_file
from safelight_worker.recipe import LARGEST_JPEG_XMP, Recipe, film_tags, png_texts, xmp_packet

if TYPE_CHECKING:
    from av.container import OutputContainer
    from numpy.typing import NDArray

_BT709 = 1
_PREVIEW_SIDE = 512

#: Codec and options of each clip type. Threads are fixed: their number shows in the bytes. The macroblock tree is left
#: out, as its AVX-512 code gives other bytes from one call to the next: 14 kinds of file in 60 encodes of one clip.
_CODECS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "video/mp4": ("mp4", "libx264", {"preset": "veryfast", "crf": "18", "threads": "4", "x264-params": "mbtree=0"}),
    "video/webm": (
        "webm",
        "libvpx-vp9",
        {"deadline": "realtime", "cpu-used": "8", "crf": "24", "b": "0", "threads": "4", "row-mt": "1"},
    ),
}
CONTENT_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "webm": "video/webm",
}


def missing_encoders() -> tuple[str, ...]:
    """Output formats of the catalog that this machine cannot write."""
    return tuple(
        name
        for name, content_type in CONTENT_TYPES.items()
        if content_type in _CODECS and _CODECS[content_type][1] not in av.codecs_available
    )


def encode(
    frames: Frames,
    content_type: str,
    path: Path,
    recipe: Recipe,
    check: Callable[[], None],
    saving: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Writes the file, whole and synced, and returns its facts: type, bytes, sha256, sides, frames and fps.

    `check` is called before every frame and may raise, as may `saving`, which is called before a picture is written and
    once a clip is put together. Errors: OSError for the disk, ValueError for no frames.
    """
    with whole_file(path) as partial:
        if content_type in _CODECS:
            width, height, count = _write_film(frames, content_type, partial, recipe, check)
            fps = frames.fps
            saving()
        else:
            saving()
            check()
            width, height = _write_picture(frames, content_type, partial, recipe)
            count, fps = 1, 0.0
        digest = _digest(partial)
        size = partial.stat().st_size
        check()
    return {
        "content_type": content_type,
        "bytes": size,
        "sha256": digest,
        "width": width,
        "height": height,
        "frames": count,
        "fps": int(fps) if float(fps).is_integer() else fps,
    }


def preview_webp(images: Sequence[Image.Image], fps: float) -> bytes:
    """A small still picture, or an animation when there are several: WebP, 512 pixels at most on its longer side."""
    small = [_shrunk(image) for image in images]
    out = io.BytesIO()
    if len(small) == 1:
        small[0].save(out, "WEBP", quality=75, method=2)
    else:
        duration = round(1000 / fps) if fps > 0 else 125
        small[0].save(
            out, "WEBP", quality=70, method=0, save_all=True, append_images=small[1:], duration=duration, loop=0
        )
    return out.getvalue()


def _write_picture(frames: Frames, content_type: str, path: Path, recipe: Recipe) -> tuple[int, int]:
    image = Image.fromarray(next(_pixels(frames)))
    with path.open("wb") as file:
        if content_type == "image/png":
            image.save(file, "PNG", compress_level=4, pnginfo=png_texts(recipe))
        elif content_type == "image/jpeg":
            xmp = xmp_packet(recipe).encode()
            # A recipe too large for its segment is left out: the picture matters more.
            extra: dict[str, Any] = {"xmp": xmp} if len(xmp) <= LARGEST_JPEG_XMP else {}
            image.save(file, "JPEG", quality=95, subsampling=0, **extra)
        else:
            image.save(file, "WEBP", quality=92, method=4, xmp=xmp_packet(recipe).encode())
    return image.width, image.height


def _write_film(
    frames: Frames, content_type: str, path: Path, recipe: Recipe, check: Callable[[], None]
) -> tuple[int, int, int]:
    name, codec, options = _CODECS[content_type]
    flags = {"fflags": "+bitexact"}
    if name == "mp4":
        flags["movflags"] = "+faststart"
    count = 0
    size = (0, 0)
    with av.open(str(path), "w", format=name, options=flags) as container:
        for key, value in film_tags(recipe).items():
            container.metadata[key] = value
        stream: VideoStream | None = None
        for pixels in _pixels(frames):
            check()
            if stream is None:
                size = (pixels.shape[1], pixels.shape[0])
                stream = _film_stream(container, codec, options, frames.fps, size)
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            picture.pts = count
            count += 1
            container.mux(stream.encode(picture))
        if stream is None:
            raise ValueError("there are no frames")
        container.mux(stream.encode(None))
    return size[0], size[1], count


def _film_stream(
    container: OutputContainer, codec: str, options: dict[str, str], fps: float, size: tuple[int, int]
) -> VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream(codec, rate=rate, options=dict(options))
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / rate
    context.color_range = ColorRange.MPEG
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.flags |= av.codec.context.Flags.bitexact
    return stream


def _pixels(frames: Frames) -> Iterator[NDArray[numpy.uint8]]:
    for image in frames.images:
        pixels = numpy.asarray(image.convert("RGB") if isinstance(image, Image.Image) else image)
        yield numpy.ascontiguousarray(pixels, dtype=numpy.uint8)


def _shrunk(image: Image.Image) -> Image.Image:
    picture = image.convert("RGB")
    longer = max(picture.size)
    if longer <= _PREVIEW_SIDE:
        return picture
    scale = _PREVIEW_SIDE / longer
    return picture.resize((max(16, round(picture.width * scale)), max(16, round(picture.height * scale))))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
