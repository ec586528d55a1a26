"""Names as the projects of the models give them, found by turning the library's own converters round."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers


def wan_vae_originals(ours: Iterable[str]) -> dict[str, str]:
    """The library's names of an autoencoder's tensors to Wan's own.

    Every name that Wan's modules can have is put through the converter; those that become a wanted name are kept.
    """
    wanted, found = set(ours), {}
    for name in _wan_vae_candidates():
        for after in convert_wan_vae_to_diffusers({name: name}):
            if after in wanted:
                found[after] = name
    return found


def _wan_vae_candidates() -> Iterator[str]:
    residual = ("0.gamma", "2.weight", "2.bias", "3.gamma", "6.weight", "6.bias")
    sides = ("weight", "bias")
    for part, blocks, count in (("encoder", "downsamples", 11), ("decoder", "upsamples", 15)):
        yield from (f"{part}.conv1.{side}" for side in sides)
        yield from (f"{part}.middle.{block}.residual.{layer}" for block in (0, 2) for layer in residual)
        yield from (f"{part}.middle.1.{layer}.{side}" for layer in ("to_qkv", "proj") for side in sides)
        yield from (
            f"{part}.middle.1.norm.gamma",
            f"{part}.head.0.gamma",
            f"{part}.head.2.weight",
            f"{part}.head.2.bias",
        )
        for block in range(count):
            yield from (f"{part}.{blocks}.{block}.residual.{layer}" for layer in residual)
            for layer in ("shortcut", "resample.1", "time_conv"):
                yield from (f"{part}.{blocks}.{block}.{layer}.{side}" for side in sides)
    yield from (f"conv{number}.{side}" for number in (1, 2) for side in sides)


def write_hollow(file: Path, shapes: Mapping[str, tuple[int, ...]], dtype: str = "F16", item: int = 2) -> None:
    """A safetensors file of the right length whose tensors were never written: a header before a hole."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = item
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    encoded = json.dumps(header).encode()
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(encoded)) + encoded)
        stream.truncate(8 + len(encoded) + end)


def shapes_of(model: Any, rename: Callable[[str], str]) -> dict[str, tuple[int, ...]]:
    """Shapes of a model's tensors by other names."""
    return {rename(key): tuple(value.shape) for key, value in model.state_dict().items()}


def on_meta(make: Callable[[], Any]) -> Any:
    """A model of any size, without its weights."""
    with torch.device("meta"):
        return make()
