"""From files to a pipeline: one loader for what a hub delivered, a local folder, and a single checkpoint file.

Safetensors only, no network, and only classes that are named here: a folder cannot bring code of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLWan,
    FluxTransformer2DModel,
    UNet2DConditionModel,
    WanTransformer3DModel,
    WanVACETransformer3DModel,
)
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers, convert_wan_vae_to_diffusers
from safetensors import safe_open
from transformers import (
    AutoTokenizer,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5EncoderModel,
    UMT5EncoderModel,
)

from safelight_worker import memory
from safelight_worker.families import LoadReport, Placement, WeightsDamaged, WeightsMissing
from safelight_worker.few_keys import look_at_few
from safelight_worker.preflight import (
    Findings,
    Part,
    empty_model,
    expected_shapes,
    family_of,
    look,
    read_header,
    weight_files,
)
from safelight_worker.settings import ModelSpec, Source
from safelight_worker.shortage import said_plainly
from safelight_worker.tiny import PooledWanVae

KINDS: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (
        AutoencoderKL,
        AutoencoderKLWan,
        CLIPTextModel,
        CLIPTextModelWithProjection,
        FluxTransformer2DModel,
        PooledWanVae,
        T5EncoderModel,
        UMT5EncoderModel,
        UNet2DConditionModel,
        WanTransformer3DModel,
        WanVACETransformer3DModel,
    )
}

FP8_SHARE = 0.52
NF4_SHARE = 0.3


@dataclass(frozen=True)
class Recipe:
    """What a pipeline is made of: components with weights, tokenizers by name, and the folder of the scheduler."""

    parts: tuple[Part, ...]
    tokenizers: Mapping[str, Path]
    scheduler: Path

    def look(self) -> Findings:
        """The preflight of all of it."""
        return look(self.parts, tuple(self.tokenizers.values()), (self.scheduler / "scheduler_config.json",))


def place_of(spec: ModelSpec, name: str) -> Path:
    """Where a source lies: a folder or file of this machine, or a snapshot in a hub's cache. Else WeightsMissing."""
    source = spec.source(name)
    if source is None:
        raise WeightsMissing(f"The settings name no {name}", [name])
    if source.place.exists():
        return source.place
    cached = _in_hub_cache(source)
    if cached is None:
        how = "" if source.path is not None else f"; safelight-worker fetch {spec.model} gets it"
        raise WeightsMissing(f"{name} is not in place{how}", [name])
    return cached


def _in_hub_cache(source: Source) -> Path | None:
    """What the hub's own tool has fetched already. Nothing is asked for over the network."""
    if source.repo is None:
        return None
    from huggingface_hub.constants import HF_HUB_CACHE

    kept = Path(HF_HUB_CACHE) / f"models--{source.repo.replace('/', '--')}"
    commit = source.revision
    with suppress(OSError):
        commit = (kept / "refs" / source.revision).read_text("ascii").strip()
    found = kept / "snapshots" / commit
    found = found / (source.file or source.subfolder or "")
    return found if found.exists() else None


def folder_recipe(
    folder: Path, components: Sequence[str], tokenizers: Sequence[str], elsewhere: Mapping[str, Path] | None = None
) -> Recipe:
    """The recipe of a folder of diffusers. `elsewhere` names folders or files with the weights of single components.

    WeightsMissing without the folder or without files of a component.
    """
    if not folder.is_dir():
        raise WeightsMissing(f"{folder.name} is not in place", [folder.name])
    index = _json(folder / "model_index.json")
    parts = []
    for name in components:
        place = (elsewhere or {}).get(name)
        if place is None:
            parts.append(Part(name, _kind(folder, name, index), folder / name, weight_files(folder / name)))
        else:
            parts.append(_part_elsewhere(name, _kind(folder, name, index), folder / name, place))
    return Recipe(tuple(parts), {name: folder / name for name in tokenizers}, folder / "scheduler")


def _part_elsewhere(name: str, kind: Any, config: Path, place: Path) -> Part:
    """A component whose weights lie apart from its configuration, in names of the library or in Wan's own."""
    files = (place,) if place.is_file() else weight_files(place)
    names = read_header(files[0])
    original = family_of(names) in ("wan", "vace")
    prefix = "model.diffusion_model." if any(key.startswith("model.diffusion_model.") for key in names) else ""
    return Part(name, kind, config, files, prefix, wan_names if original else None)


def _kind(folder: Path, name: str, index: Mapping[str, Any]) -> Any:
    """The class of a component by its own configuration, or by the index. WeightsDamaged for one that is not known."""
    entry = index.get(name)
    named = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    with suppress(WeightsMissing):
        named = _json(folder / name / "config.json").get("_class_name", named)
    if not isinstance(named, str) or named not in KINDS:
        raise WeightsDamaged(f"{name} is of a kind that is not used here ({named})")
    return KINDS[named]


def all_in_one_recipe(file: Path, config: Path) -> Recipe:
    """The recipe of one checkpoint in ComfyUI's names with a folder of configurations and the tokenizer.

    Components that the file lacks are taken from the folder. WeightsDamaged for a file of another family.
    """
    names = read_header(file)
    family = family_of(names)
    if family != "vace":
        raise WeightsDamaged(f"{file.name} holds no VACE transformer" + (f" but {family}" if family else ""))
    index = _json(config / "model_index.json")
    prefixes = {
        "transformer": ("model.diffusion_model.",),
        "text_encoder": ("text_encoders.umt5xxl.transformer.",),
        "vae": ("first_stage_model.", "vae."),
    }
    renames = {"transformer": wan_names, "text_encoder": None, "vae": wan_vae_names}
    parts = []
    for name, starts in prefixes.items():
        kind = _kind(config, name, index)
        prefix = next((start for start in starts if any(key.startswith(start) for key in names)), None)
        if prefix is None:
            parts.append(Part(name, kind, config / name, weight_files(config / name)))
        else:
            parts.append(Part(name, kind, config / name, (file,), prefix, renames[name]))
    return Recipe(tuple(parts), {"tokenizer": config / "tokenizer"}, config / "scheduler")


def wan_names(names: Iterable[str]) -> dict[str, str]:
    """Wan's own names of a transformer's tensors to the library's; both forms are taken."""
    return _through(convert_wan_transformer_to_diffusers, names)


def wan_vae_names(names: Iterable[str]) -> dict[str, str]:
    """Wan's own names of an autoencoder's tensors to the library's."""
    return _through(convert_wan_vae_to_diffusers, names)


def _through(convert: Any, names: Iterable[str]) -> dict[str, str]:
    """The library's converters only rename: given names in place of tensors, they tell which became which."""
    plain = [name for name in names if not name.endswith(".scale_weight") and name != "scaled_fp8"]
    return {before: after for after, before in convert({name: name for name in plain}).items()}


def load_part(part: Part, dtype: torch.dtype, quantization: Any = None) -> Any:
    """A component with its weights in main memory, in evaluation mode and without gradients."""
    folder = {file.parent for file in part.files}
    if part.rename is None and not part.prefix and folder == {part.config}:
        named: dict[str, Any] = {"use_safetensors": True, "local_files_only": True, "dtype": dtype}
        if quantization is not None:
            named["quantization_config"] = quantization
        return part.kind.from_pretrained(str(part.config), **named).eval()
    return _filled(part, dtype)


def _filled(part: Part, dtype: torch.dtype) -> Any:
    """Tensor by tensor, so that only the result lies in memory. Values stored in 8 bits with a scale are multiplied."""
    model = empty_model(part)
    aliases = {name: names for names, _ in expected_shapes(part) for name in names}
    exact = tuple(getattr(model, "_keep_in_fp32_modules", None) or ())
    state: dict[str, torch.Tensor] = {}
    for file in part.files:
        with safe_open(str(file), framework="pt", device="cpu") as opened:
            held = {key.removeprefix(part.prefix): key for key in opened.keys() if key.startswith(part.prefix)}  # noqa: SIM118
            names = part.rename(held) if part.rename is not None else {key: key for key in held}
            for before, name in names.items():
                if name not in aliases:
                    continue
                tensor = opened.get_tensor(held[before])
                scale = held.get(before.removesuffix("weight") + "scale_weight")
                if scale is not None and before.endswith(".weight"):
                    tensor = tensor.float() * opened.get_tensor(scale).float()
                kept = torch.float32 if any(f".{piece}." in f".{name}." for piece in exact) else dtype
                state |= dict.fromkeys(aliases[name], tensor.to(kept, copy=True))
    model.load_state_dict(state, strict=False, assign=True)
    if any(tensor.is_meta for tensor in model.state_dict().values()):
        raise WeightsDamaged(f"{part.name} is not complete")
    return model.requires_grad_(False).eval()


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder; the kind that it names is taken when it is a usual one."""
    kind = CLIPTokenizer if _tokenizer_class(folder).startswith("CLIP") else AutoTokenizer
    return kind.from_pretrained(str(folder), local_files_only=True)


def _tokenizer_class(folder: Path) -> str:
    with suppress(WeightsMissing):
        return str(_json(folder / "tokenizer_config.json").get("tokenizer_class", ""))
    return ""


def plan_for(
    counts: Mapping[str, int],
    dtypes: Mapping[str, torch.dtype],
    small: Mapping[str, float],
    working: int,
    place: Placement,
    prefer_quantised: bool = False,
) -> memory.Plan:
    """How the components fit. `counts`: values by component, `small`: share of their size when stored small."""
    parts = {name: count * dtypes[name].itemsize for name, count in counts.items()}
    demand = memory.Demand(
        parts, {name: int(parts[name] * share) for name, share in small.items() if name in parts}, working
    )
    on_processor = place.device == "cpu"
    host = memory.free_host_bytes()
    return memory.choose(
        demand,
        place.free_bytes or (host if on_processor else 0),
        host,
        on_processor=on_processor,
        prefer_quantised=prefer_quantised,
        wanted=place.memory_mode,
    )


def load_parts(
    recipe: Recipe,
    dtypes: Mapping[str, torch.dtype],
    report: LoadReport,
    quantizations: Mapping[str, Any] | None = None,
    have: Mapping[str, Any] | None = None,
    finish: Callable[[str, Any], None] | None = None,
) -> dict[str, Any]:
    """Every component and tokenizer by name. `have`: those loaded already. `finish` is called with each.

    Asks in between whether to go on.
    """
    loaded: dict[str, Any] = dict(have or {})
    for number, part in enumerate(recipe.parts, 1):
        report.check()
        if part.name in loaded:
            continue
        report.stage("load", f"{part.name} ({number} of {len(recipe.parts)})")
        with said_plainly(f"loading {part.name}"):
            loaded[part.name] = load_part(part, dtypes[part.name], (quantizations or {}).get(part.name))
            if finish is not None:
                finish(part.name, loaded[part.name])
    for name, folder in recipe.tokenizers.items():
        if name not in loaded:
            loaded[name] = load_tokenizer(folder)
    report.check()
    return loaded


def scheduler_config(recipe: Recipe) -> dict[str, Any]:
    """The configuration of the model's own scheduler."""
    return _json(recipe.scheduler / "scheduler_config.json")


def eight_bits(plan: memory.Plan, device: str, names: Sequence[str]) -> Callable[[str, Any], None]:
    """What stores a loaded component in 8 bits if it is among `names` and the plan says so, and computes as before."""
    compute = torch.float32 if device == "cpu" else torch.bfloat16

    def store(name: str, component: Any) -> None:
        if plan.quantised and name in names:
            component.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=compute)

    return store


def settle(pipe: Any, plan: memory.Plan, device: str) -> None:
    """Brings a pipeline to where it runs."""
    pipe.set_progress_bar_config(disable=True)
    if isinstance(pipe.vae, PooledWanVae):
        look_at_few(pipe)
    if device == "cpu":
        return
    if plan.offload or plan.quantised:
        pipe.vae.enable_tiling()
    with said_plainly("placing the model"):
        if plan.offload:
            pipe.enable_model_cpu_offload(device=device)
        else:
            pipe.to(device)


def quiet() -> None:
    """No progress bars, no advice on the error stream, no network. Call it once before the first load."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import diffusers.utils.logging as diffusers_log
    import transformers.utils.logging as transformers_log

    for log in (diffusers_log, transformers_log):
        log.set_verbosity_error()
        log.disable_progress_bar()


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise WeightsMissing(f"{file.parent.name}/{file.name} is missing", [file.name]) from error
    except ValueError as error:
        raise WeightsDamaged(f"{file.parent.name}/{file.name} cannot be read") from error
    if not isinstance(content, dict):
        raise WeightsDamaged(f"{file.parent.name}/{file.name} cannot be read")
    return content
