"""Looks at weights before a byte of them is read: headers and configurations only, a few hundredths of a second."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safelight_worker.families import WeightsDamaged, WeightsMissing

Rename = Callable[[Iterable[str]], dict[str, str]]
"""Names as they stand in the files (without prefix) to the names of the class."""

LONGEST_HEADER = 100_000_000

_BITS = {"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16, "U16": 16}


@dataclass(frozen=True)
class Tensor:
    """One entry of a header. `size` is in bytes."""

    kind: str
    shape: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Part:
    """One component of a pipeline: its class, the folder of its configuration, and the files that hold its tensors.

    `prefix` stands before its names in these files; `rename` turns what is left into names of the class.
    """

    name: str
    kind: Any
    config: Path
    files: tuple[Path, ...]
    prefix: str = ""
    rename: Rename | None = None


@dataclass(frozen=True)
class Findings:
    """What was found. `missing` and `damaged` are sentences for people; `counts` are numbers of values by component."""

    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def refuse(self) -> None:
        """WeightsMissing or WeightsDamaged when anything is wrong, naming the first three."""
        for problems, error in ((self.missing, WeightsMissing), (self.damaged, WeightsDamaged)):
            if problems:
                more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
                raise error("; ".join(problems[:3]) + more + ".")


def read_header(file: Path) -> dict[str, Tensor]:
    """Names and shapes of a safetensors file. WeightsMissing, or WeightsDamaged with size and expected size."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else LONGEST_HEADER
            if length >= LONGEST_HEADER or length > size:
                raise WeightsDamaged(f"{file.name} is no safetensors file ({size} bytes)")
            header = json.loads(stream.read(length))
    except FileNotFoundError as error:
        raise WeightsMissing(f"{file.name} is missing", [file.name]) from error
    except (OSError, ValueError) as error:
        raise WeightsDamaged(f"{file.name} cannot be read") from error
    return _entries(file.name, header, size - 8 - length)


def _entries(name: str, header: object, room: int) -> dict[str, Tensor]:
    if not isinstance(header, dict):
        raise WeightsDamaged(f"{name} is no safetensors file")
    entries, end = {}, 0
    try:
        for key, entry in header.items():
            if key == "__metadata__":
                continue
            first, last = entry["data_offsets"]
            entries[key] = Tensor(str(entry["dtype"]), tuple(int(side) for side in entry["shape"]), last - first)
            end = max(end, last)
            bits = _BITS.get(entry["dtype"], 8)
            if math.prod(entries[key].shape) * bits // 8 != last - first:
                raise WeightsDamaged(f"{name} contradicts itself about {key}")
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsDamaged(f"{name} is no safetensors file") from error
    if end != room:
        raise WeightsDamaged(f"{name} is damaged: it holds {room} bytes of weights and should hold {end}")
    return entries


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a component's folder: those of its index, else the usual name, else all of them.

    WeightsMissing when there is none; files in other formats are never taken.
    """
    usual_names = ("diffusion_pytorch_model.safetensors", "model.safetensors")
    usual_first = [folder / f"{name}.index.json" for name in usual_names if (folder / f"{name}.index.json").is_file()]
    for index in usual_first or sorted(folder.glob("*.safetensors.index.json")):
        try:
            names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise WeightsDamaged(f"{folder.name}/{index.name} cannot be read") from error
        return tuple(folder / Path(str(name)).name for name in names)
    for usual in usual_names:
        if (folder / usual).is_file():
            return (folder / usual,)
    found = tuple(sorted(folder.glob("*.safetensors")))
    if found:
        return found
    others = [file.name for pattern in ("*.bin", "*.ckpt", "*.pt", "*.pth") for file in folder.glob(pattern)]
    reason = f"{folder.name} has only files that are not safetensors" if others else f"{folder.name} has no weights"
    raise WeightsMissing(reason, [folder.name])


def look(parts: Sequence[Part], tokenizers: Sequence[Path] = (), configs: Sequence[Path] = ()) -> Findings:
    """Examines components, folders of tokenizers, and configuration files that have to be there and be JSON."""
    missing = [f"{folder.name} has no vocabulary" for folder in tokenizers if not holds_vocabulary(folder)]
    damaged: list[str] = []
    counts: dict[str, int] = {}
    for config in configs:
        try:
            json.loads(config.read_text("utf-8"))
        except OSError:
            missing.append(f"{config.parent.name}/{config.name} is missing")
        except ValueError:
            damaged.append(f"{config.parent.name}/{config.name} cannot be read")
    for part in parts:
        try:
            counts[part.name] = look_at(part)
        except WeightsMissing as error:
            missing.append(str(error))
        except WeightsDamaged as error:
            damaged.append(str(error))
    return Findings(tuple(missing), tuple(damaged), counts)


def look_at(part: Part) -> int:
    """How many values a component has. WeightsMissing or WeightsDamaged for the first thing that is wrong with it."""
    found: dict[str, Tensor] = {}
    for file in part.files:
        found |= {
            key.removeprefix(part.prefix): entry
            for key, entry in read_header(file).items()
            if key.startswith(part.prefix)
        }
    if not found:
        raise WeightsDamaged(f"{_names(part.files)} holds no {part.name}")
    names = part.rename(found) if part.rename is not None else {key: _today(part, key) for key in found}
    return compared(part, {names[key]: entry.shape for key, entry in found.items() if key in names})


def compared(part: Part, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many values a component has, when `shapes` are those of its class with its configuration."""
    expected = expected_shapes(part)
    for group, shape in expected:
        held = next((name for name in group if name in shapes), None)
        if held is None:
            raise WeightsDamaged(
                f"{part.name} lacks {min(group)}: these are not all of its weights, or those of another model"
            )
        if shapes[held] != shape:
            there, wanted = list(shapes[held]), list(shape)
            raise WeightsDamaged(f"{part.name} is of another model: {held} is {there} and should be {wanted}")
    return sum(math.prod(shape) for _, shape in expected)


def _today(part: Part, name: str) -> str:
    """The name that a class gives a tensor now: published text encoders have a prefix that it has since lost."""
    return name.removeprefix("text_model.") if part.kind.__name__ == "CLIPTextModel" else name


def expected_shapes(part: Part) -> list[tuple[frozenset[str], tuple[int, ...]]]:
    """Every tensor of a class with this configuration, by all the names that it has (shared ones have several)."""
    groups: dict[int, tuple[set[str], tuple[int, ...]]] = {}
    model = empty_model(part)
    for name, tensor in model.state_dict(keep_vars=True).items():
        groups.setdefault(id(tensor), (set(), tuple(tensor.shape)))[0].add(name)
    return [(frozenset(names), shape) for names, shape in groups.values()]


def empty_model(part: Part) -> Any:
    """The component without its weights. WeightsMissing without a configuration, WeightsDamaged with a wrong one."""
    from accelerate import init_empty_weights

    file = part.config / "config.json"
    try:
        config = json.loads(file.read_text("utf-8"))
        with init_empty_weights():
            if hasattr(part.kind, "from_config"):
                return part.kind.from_config(config)
            model = part.kind(part.kind.config_class.from_dict(config))
        model.tie_weights()
        return model
    except OSError as error:
        raise WeightsMissing(f"{part.name} has no config.json", [f"{part.name}/config.json"]) from error
    except Exception as error:
        raise WeightsDamaged(f"The configuration of {part.name} cannot be used") from error


def holds_vocabulary(folder: Path) -> bool:
    """Whether a tokenizer's folder holds what words are cut by. Without it a tokenizer of two words loads, silently."""
    files = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("spiece.model",))
    return any(all((folder / name).is_file() and (folder / name).stat().st_size for name in names) for names in files)


def family_of(names: Iterable[str]) -> str | None:
    """Which family a single file belongs to by the names of its tensors: sdxl, flux, vace, wan, or None."""
    known = set(names)
    marks = {
        "sdxl": ("conditioner.embedders.1.model.",),
        "flux": ("double_blocks.", "model.diffusion_model.double_blocks."),
        "vace": ("vace_blocks.", "model.diffusion_model.vace_blocks."),
        "wan": ("blocks.0.self_attn.", "model.diffusion_model.blocks.0.self_attn."),
    }
    for family, starts in marks.items():
        if any(name.startswith(starts) for name in known):
            return family
    return None


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files[:2]) + ("…" if len(files) > 2 else "")
