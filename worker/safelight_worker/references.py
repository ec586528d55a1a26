"""Reference pictures, brought to the size of a run."""

from __future__ import annotations

from PIL import Image, ImageOps

from safelight_worker.families import Job, Reference, Refused

MOST_PIXELS = 64_000_000


def opened(reference: Reference, width: int, height: int) -> Image.Image:
    """The picture upright, without transparency (white below), cut in the middle to the shape of the run and resized.

    Refused with `invalid_media` when it cannot be read or has more than 64 megapixels.
    """
    try:
        with Image.open(reference.path, formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Refused("A reference picture has more than 64 megapixels.", "invalid_media")
            upright = ImageOps.exif_transpose(picture) or picture
            upright.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(f"A reference picture cannot be read ({reference.parameter}).", "invalid_media") from error
    return ImageOps.fit(_opaque(upright), (width, height), Image.Resampling.LANCZOS)


def only(job: Job, parameter: str) -> Reference:
    """The one reference of a parameter. Refused when there is none."""
    for reference in job.references:
        if reference.parameter == parameter:
            return reference
    raise Refused(f"The reference picture {parameter} is missing.", "invalid_media")


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    ground = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, layered).convert("RGB")
