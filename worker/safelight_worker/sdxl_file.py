"""SDXL as it is published most often: one checkpoint in the original names, a folder of configurations beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from safelight_worker.families import WeightsDamaged, WeightsMissing
from safelight_worker.preflight import Part, compared, empty_model, family_of, holds_vocabulary, read_header
from safelight_worker.shortage import said_plainly

KINDS: Mapping[str, Any] = {
    "text_encoder": CLIPTextModel,
    "text_encoder_2": CLIPTextModelWithProjection,
    "unet": UNet2DConditionModel,
    "vae": AutoencoderKL,
}
TOKENIZERS = ("tokenizer", "tokenizer_2")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was looked at. `counts`: values by component."""

    file: Path
    config: Path
    counts: Mapping[str, int]


def looked_at(file: Path, config: Path) -> Checkpoint:
    """The preflight: headers and configurations. WeightsMissing or WeightsDamaged for the first thing that is wrong.

    The library's own converters are run over tensors without contents, so that names and shapes can be compared.
    """
    header = read_header(file)
    family = family_of(header)
    if family != "sdxl":
        raise WeightsDamaged(f"{file.name} is no SDXL checkpoint" + (f" but of the {family} family" if family else ""))
    for name in TOKENIZERS:
        if not holds_vocabulary(config / name):
            raise WeightsMissing(f"{name} has no vocabulary", [name])
    hollow = {name: torch.empty(entry.shape, device="meta") for name, entry in header.items()}
    counts = {}
    for name, kind in KINDS.items():
        part = Part(name, kind, config / name, (file,))
        converted = _converted(part, hollow)
        counts[name] = compared(part, {key: tuple(tensor.shape) for key, tensor in converted.items()})
    return Checkpoint(file, config, counts)


def _converted(part: Part, hollow: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """The tensors of a component under the names of its class."""
    model = empty_model(part)
    own = dict(hollow)
    try:
        if part.name == "unet":
            return dict(convert_ldm_unet_checkpoint(own, model.config))
        if part.name == "vae":
            return dict(convert_ldm_vae_checkpoint(own, model.config))
        if part.name == "text_encoder_2":
            return dict(convert_open_clip_checkpoint(model, own, prefix="conditioner.embedders.1.model."))
        found = convert_ldm_clip_checkpoint(own)
        return {key.removeprefix("text_model."): tensor for key, tensor in found.items()}
    except (KeyError, IndexError, AttributeError, RuntimeError) as error:
        raise WeightsDamaged(f"{part.files[0].name} does not hold all of {part.name}") from error


def load(checkpoint: Checkpoint, dtype: torch.dtype) -> tuple[dict[str, Any], dict[str, Any]]:
    """Components and tokenizers by name, and the configuration of the scheduler."""
    with said_plainly("loading the checkpoint"):
        pipe = StableDiffusionXLPipeline.from_single_file(
            str(checkpoint.file),
            config=str(checkpoint.config),
            local_files_only=True,
            dtype=dtype,
            add_watermarker=False,
        )
    parts = {name: pipe.components[name] for name in (*KINDS, *TOKENIZERS)}
    for name in KINDS:
        if any(tensor.is_meta for tensor in parts[name].state_dict().values()):
            raise WeightsDamaged(f"{checkpoint.file.name} does not hold all of {name}")
        parts[name].eval()
    return parts, dict(pipe.scheduler.config)
