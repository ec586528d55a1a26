"""The ways to the same weights: folder, single file, original names, eight bits; and what is said to bad ones."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from checkpoint import sdxl_checkpoint
from heard import Heard
from safetensors.torch import load_file, save_file

from safelight_worker import loading, sdxl_file
from safelight_worker.families import (
    Cancelled,
    Job,
    OutOfMemory,
    Placement,
    Unavailable,
    WeightsDamaged,
    WeightsMissing,
    family_named,
)
from safelight_worker.preflight import family_of, read_header
from safelight_worker.settings import ModelSpec, Source
from safelight_worker.tiny import all_in_one, original_wan_name, tiny_anisora, tiny_pony, tiny_vace


def at(spec: ModelSpec, **places: Path) -> ModelSpec:
    """The settings with some sources elsewhere."""
    moved = {name: Source(name, place.parent, path=place) for name, place in places.items()}
    return replace(spec, sources={**spec.sources, **moved})


@pytest.fixture
def copied(tiny: dict[str, ModelSpec], tmp_path: Path) -> Callable[[str, str], tuple[ModelSpec, Path]]:
    """A model's folder to spoil, and the settings that name it."""

    def copy(model: str, source: str) -> tuple[ModelSpec, Path]:
        folder = tmp_path / model / source
        shutil.copytree(tiny[model].sources[source].place, folder)
        return at(tiny[model], **{source: folder}), folder

    return copy


@pytest.fixture(scope="module")
def checkpoint(tiny: dict[str, ModelSpec], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny SDXL model as one file."""
    from diffusers import StableDiffusionXLPipeline

    pipe = StableDiffusionXLPipeline.from_pretrained(str(tiny["pony"].sources["checkpoint"].place))
    file = tmp_path_factory.mktemp("file") / "pony.safetensors"
    save_file(sdxl_checkpoint(pipe), file)
    return file


def reasons(spec: ModelSpec) -> set[str]:
    """What each mode that cannot run says, as `code: detail`."""
    found = family_named(spec.model).modes(spec).values()
    return {f"{reason.code}: {reason.detail}" for reason in found if isinstance(reason, Unavailable)}


def test_one_file_draws_what_the_folder_draws(
    tiny: dict[str, ModelSpec],
    checkpoint: Path,
    tmp_path: Path,
    warm: Callable[[str], Any],
    job_for: Callable[..., Job],
) -> None:
    spec = at(tiny["pony"], checkpoint=checkpoint, config=configurations(tiny, tmp_path))
    assert reasons(spec) == set()
    loaded = family_named("pony").load(spec, Placement(), Heard())
    ours = loaded.run(job_for("pony", "txt2img"), Heard()).images.astype(int)
    theirs = warm("pony").run(job_for("pony", "txt2img"), Heard()).images.astype(int)
    assert numpy.abs(ours - theirs).max() <= 1
    loaded.unload()


def configurations(tiny: dict[str, ModelSpec], folder: Path) -> Path:
    """The folder beside a checkpoint: everything but weights."""
    target = folder / "config"
    ignore = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(tiny["pony"].sources["checkpoint"].place, target, ignore=ignore, dirs_exist_ok=True)
    return target


@pytest.mark.parametrize(
    ("gone", "component"),
    [
        ("model.diffusion_model.out.2.weight", "unet"),
        ("first_stage_model.decoder.conv_out.bias", "vae"),
        ("conditioner.embedders.0.transformer.text_model.final_layer_norm.weight", "text_encoder"),
        ("conditioner.embedders.1.model.transformer.resblocks.1.attn.in_proj_weight", "text_encoder_2"),
        ("conditioner.embedders.1.model.text_projection", "text_encoder_2"),
    ],
)
def test_a_checkpoint_that_lacks_a_tensor_is_found_by_its_header(
    gone: str, component: str, tiny: dict[str, ModelSpec], checkpoint: Path, tmp_path: Path
) -> None:
    file = tmp_path / "pony.safetensors"
    save_file({name: tensor for name, tensor in load_file(checkpoint).items() if name != gone}, file)
    spec = at(tiny["pony"], checkpoint=file, config=configurations(tiny, tmp_path))
    (said,) = reasons(spec)
    assert said.startswith(f"weights_damaged: {component} lacks ") or f"does not hold all of {component}" in said
    cut(file)
    assert reasons(spec).pop().startswith("weights_damaged: pony.safetensors is damaged")


def test_a_checkpoint_is_loaded_in_the_type_that_it_runs_in(
    tiny: dict[str, ModelSpec], checkpoint: Path, tmp_path: Path
) -> None:
    looked = sdxl_file.looked_at(checkpoint, configurations(tiny, tmp_path))
    parts, _ = sdxl_file.load(looked, torch.float16)
    assert {parts[name].dtype for name in sdxl_file.KINDS} == {torch.float16}


def test_a_checkpoint_without_memory_for_it_is_not_read(
    tiny: dict[str, ModelSpec], checkpoint: Path, tmp_path: Path
) -> None:
    spec = at(tiny["pony"], checkpoint=checkpoint, config=configurations(tiny, tmp_path))
    with pytest.raises(OutOfMemory):
        family_named("pony").load(spec, Placement(free_bytes=1000), Heard())


def test_a_file_of_another_family_is_named(tiny: dict[str, ModelSpec], checkpoint: Path) -> None:
    vace = tiny["phr00t"].sources["checkpoint"].place
    wrong = at(tiny["pony"], checkpoint=vace, config=tiny["pony"].sources["checkpoint"].place)
    assert reasons(wrong) == {"weights_damaged: checkpoint.safetensors is no SDXL checkpoint but of the vace family."}
    wrong = at(tiny["phr00t"], checkpoint=checkpoint)
    assert reasons(wrong) == {"weights_damaged: pony.safetensors holds no VACE transformer but sdxl."}
    with pytest.raises(WeightsDamaged):
        family_named("phr00t").load(wrong, Placement(), Heard())
    assert family_of(["double_blocks.0.img_mod.lin.weight"]) == "flux"
    assert family_of(["blocks.0.self_attn.q.weight"]) == "wan"
    assert family_of(["something"]) is None


def test_experts_in_wans_own_names_and_several_files_are_the_same(
    tiny: dict[str, ModelSpec], tmp_path: Path, warm: Callable[[str], Any], job_for: Callable[..., Job]
) -> None:
    pipeline = tiny["anisora"].sources["pipeline"].place
    places = {}
    for name in ("transformer", "transformer_2"):
        state = load_file(pipeline / name / "diffusion_pytorch_model.safetensors")
        names = sorted(state)
        places[name] = tmp_path / name
        places[name].mkdir()
        for part, some in enumerate((names[::2], names[1::2])):
            renamed = {original_wan_name(key): state[key].contiguous() for key in some}
            save_file(renamed, places[name] / f"model_part{part}.safetensors")
    spec = at(tiny["anisora"], **places)
    assert reasons(spec) == set()
    loaded = family_named("anisora").load(spec, Placement(), Heard())
    ours = loaded.run(job_for("anisora", "i2v"), Heard()).images
    theirs = warm("anisora").run(job_for("anisora", "i2v"), Heard()).images
    assert numpy.abs(ours.astype(int) - theirs).max() <= 1
    loaded.unload()


def test_values_of_eight_bits_are_scaled_as_the_file_says(tiny: dict[str, ModelSpec], tmp_path: Path) -> None:
    state = all_in_one(tiny_vace())
    plain = {key: value.to(torch.float8_e4m3fn) if value.ndim > 1 else value for key, value in state.items()}
    scaled = dict(plain)
    key = next(name for name in sorted(state) if name.endswith("self_attn.q.weight"))
    scaled[key] = (state[key] / 2.0).to(torch.float8_e4m3fn)
    scaled[key.removesuffix("weight") + "scale_weight"] = torch.tensor(2.0)
    scaled["scaled_fp8"] = torch.zeros(2, dtype=torch.float8_e4m3fn)
    parts = {}
    for name, tensors in (("plain", plain), ("scaled", scaled)):
        save_file(tensors, tmp_path / f"{name}.safetensors")
        recipe = loading.all_in_one_recipe(tmp_path / f"{name}.safetensors", tiny["phr00t"].sources["config"].place)
        recipe.look().refuse()
        dtypes = dict.fromkeys(("transformer", "text_encoder", "vae"), torch.float32)
        parts[name] = loading.load_parts(recipe, dtypes, Heard())
    for one, other in zip(
        parts["plain"]["transformer"].parameters(), parts["scaled"]["transformer"].parameters(), strict=True
    ):
        assert torch.allclose(one, other, rtol=0.15, atol=0.01)


def test_what_has_to_be_exact_stays_in_float32(tiny: dict[str, ModelSpec]) -> None:
    recipe = loading.all_in_one_recipe(
        tiny["phr00t"].sources["checkpoint"].place, tiny["phr00t"].sources["config"].place
    )
    part = next(part for part in recipe.parts if part.name == "transformer")
    model = loading.load_part(part, torch.bfloat16)
    assert model.scale_shift_table.dtype == torch.float32
    assert model.condition_embedder.time_embedder.linear_1.weight.dtype == torch.float32
    assert model.blocks[0].attn1.to_q.weight.dtype == torch.bfloat16
    assert not any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()])


def test_quantised_weights_take_half_and_draw_nearly_the_same(
    tiny: dict[str, ModelSpec], warm: Callable[[str], Any], job_for: Callable[..., Job]
) -> None:
    loaded = family_named("anisora").load(tiny["anisora"], Placement(memory_mode="quantised"), Heard())
    assert loaded.warm.plan.quantised
    stored = {parameter.dtype for parameter in loaded.warm.parts["transformer"].blocks.parameters()}
    assert torch.float8_e4m3fn in stored
    ours = loaded.run(job_for("anisora", "i2v"), Heard()).images.astype(int)
    theirs = warm("anisora").run(job_for("anisora", "i2v"), Heard()).images
    assert numpy.abs(ours - theirs).mean() < 8
    loaded.unload()


def test_too_little_memory_is_refused_before_loading(tiny: dict[str, ModelSpec]) -> None:
    for model in tiny:
        heard = Heard()
        with pytest.raises(OutOfMemory) as short:
            family_named(model).load(tiny[model], Placement(free_bytes=1000), heard)
        assert short.value.free == 1000
        assert short.value.needed is not None and short.value.needed > 10_000
        assert heard.stages == ["load"]


def test_loading_can_be_stopped(tiny: dict[str, ModelSpec]) -> None:
    for model in tiny:
        for stop_at in (1, 3):
            with pytest.raises(Cancelled):
                family_named(model).load(tiny[model], Placement(), Heard(stop_at))


def test_text_encoders_are_taken_under_the_names_that_they_are_published_with(
    copied: Callable[[str, str], Any], warm: Callable[[str], Any], job_for: Callable[..., Job]
) -> None:
    spec, folder = copied("flux", "pipeline")
    weights = folder / "text_encoder" / "model.safetensors"
    state = {f"text_model.{name.removeprefix('text_model.')}": tensor for name, tensor in load_file(weights).items()}
    save_file({**state, "text_model.embeddings.position_ids": torch.arange(77)}, weights, {"format": "pt"})
    assert reasons(spec) == set()
    loaded = family_named("flux").load(spec, Placement(), Heard())
    ours = loaded.run(job_for("flux", "txt2img"), Heard()).images
    assert numpy.abs(ours.astype(int) - warm("flux").run(job_for("flux", "txt2img"), Heard()).images).max() <= 1
    loaded.unload()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def page(file: Path) -> None:
    file.write_text("<html>Sign in</html>" * 50, "utf-8")


def empty(file: Path) -> None:
    file.write_bytes(b"")


def without_one_tensor(file: Path) -> None:
    state = load_file(file)
    save_file({key: value.clone() for key, value in sorted(state.items())[1:]}, file)


def other_shape(file: Path) -> None:
    state = load_file(file)
    key = max(state, key=lambda name: state[name].numel())
    save_file({**state, key: torch.zeros(3, 3)}, file)


def huge_header(file: Path) -> None:
    file.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


@pytest.mark.parametrize("spoil", [cut, page, empty, without_one_tensor, other_shape, huge_header])
@pytest.mark.parametrize(("model", "source", "name"), [("pony", "checkpoint", "unet"), ("anisora", "pipeline", "vae")])
def test_damaged_files_are_found_before_they_are_read(
    spoil: Callable[[Path], None], model: str, source: str, name: str, copied: Callable[[str, str], Any]
) -> None:
    spec, folder = copied(model, source)
    spoil(folder / name / "diffusion_pytorch_model.safetensors")
    found = reasons(spec)
    assert len(found) == 1
    assert found.pop().startswith("weights_damaged: ")
    with pytest.raises(WeightsDamaged) as damaged:
        family_named(model).load(spec, Placement(), Heard())
    assert str(folder.parent) not in str(damaged.value)


def test_what_is_missing_is_named(copied: Callable[[str, str], Any]) -> None:
    for missing, said in (
        ("tokenizer_2", "tokenizer_2 has no vocabulary"),
        ("text_encoder_2", "text_encoder_2 has no weights"),
        ("unet/diffusion_pytorch_model.safetensors", "unet has no weights"),
        ("model_index.json", "checkpoint/model_index.json is missing"),
        ("scheduler", "scheduler/scheduler_config.json is missing"),
    ):
        spec, folder = copied("pony", "checkpoint")
        place = folder / missing
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        found = reasons(spec)
        assert len(found) == 1 and said in found.pop()
        with pytest.raises(WeightsMissing):
            family_named("pony").load(spec, Placement(), Heard())
        shutil.rmtree(folder)


def test_files_that_are_not_safetensors_are_not_taken(copied: Callable[[str, str], Any]) -> None:
    spec, folder = copied("flux", "pipeline")
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    assert reasons(spec) == {"weights_missing: transformer has only files that are not safetensors."}


def test_a_folder_brings_no_code_of_its_own(copied: Callable[[str, str], Any]) -> None:
    spec, folder = copied("flux", "pipeline")
    config = folder / "vae" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text("utf-8")), "_class_name": "os"}), "utf-8")
    assert reasons(spec) == {"weights_damaged: vae is of a kind that is not used here (os)."}


def test_a_missing_shard_is_named(copied: Callable[[str, str], Any]) -> None:
    spec, folder = copied("flux", "pipeline")
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    names = list(load_file(weights))
    pattern = "diffusion_pytorch_model-0000{}-of-00002.safetensors"
    shards = {name: pattern.format(1 + number % 2) for number, name in enumerate(names)}
    index = folder / "transformer" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": shards}), "utf-8")
    state = load_file(weights)
    for file in set(shards.values()):
        save_file({name: state[name] for name in names if shards[name] == file}, weights.parent / file)
    weights.unlink()
    assert reasons(spec) == set()
    gone = "diffusion_pytorch_model-00002-of-00002.safetensors"
    (weights.parent / gone).unlink()
    assert reasons(spec) == {f"weights_missing: {gone} is missing."}


def test_a_picture_model_in_place_of_the_video_one_is_refused(tiny: dict[str, ModelSpec], tmp_path: Path) -> None:
    pipe = tiny_anisora()
    pipe.save_pretrained(tmp_path / "mixed")
    shutil.rmtree(tmp_path / "mixed" / "transformer_2")
    shutil.copytree(tiny["anisora"].sources["t2v"].place / "transformer", tmp_path / "mixed" / "transformer_2")
    config = tmp_path / "mixed" / "transformer_2" / "config.json"
    shutil.copy(tmp_path / "mixed" / "transformer" / "config.json", config)
    found = reasons(at(tiny["anisora"], pipeline=tmp_path / "mixed"))
    assert any("transformer_2 is of another model" in reason for reason in found)


def test_headers_give_names_and_shapes(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(4, dtype=torch.bfloat16)}, tmp_path / "x.safetensors")
    header = read_header(tmp_path / "x.safetensors")
    assert {name: (entry.kind, entry.shape, entry.size) for name, entry in header.items()} == {
        "a": ("F32", (2, 3), 24),
        "b": ("BF16", (4,), 8),
    }
    with pytest.raises(WeightsMissing):
        read_header(tmp_path / "y.safetensors")


def test_what_a_hub_has_fetched_before_is_found(
    tiny: dict[str, ModelSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    cache = tmp_path / "models--someone--flux"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("abc123", "ascii")
    shutil.copytree(tiny["flux"].sources["pipeline"].place, cache / "snapshots" / "abc123")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    source = Source("pipeline", tmp_path / "nowhere", repo="someone/flux")
    spec = replace(tiny["flux"], sources={"pipeline": source})
    assert reasons(spec) == set()
    assert reasons(replace(spec, sources={"pipeline": replace(source, repo="someone/else")})) == {
        "weights_missing: pipeline is not in place; safelight-worker fetch flux gets it."
    }


def test_tiny_pony_has_encoders_of_different_sizes() -> None:
    pipe = tiny_pony()
    assert pipe.text_encoder.config.hidden_size != pipe.text_encoder_2.config.hidden_size
