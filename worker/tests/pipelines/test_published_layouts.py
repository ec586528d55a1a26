"""Files in the names and sizes in which models are published: the whole way for tiny ones, headers for real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from checkpoint import sdxl_checkpoint
from diffusers import AutoencoderKL, AutoencoderKLWan, UNet2DConditionModel, WanVACETransformer3DModel
from heard import Heard
from original_names import on_meta, shapes_of, wan_vae_originals, write_hollow
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    UMT5Config,
    UMT5EncoderModel,
)

from safelight_worker import loading, sdxl_file
from safelight_worker.families import Placement, Unavailable, family_named
from safelight_worker.settings import ModelSpec, Source
from safelight_worker.tiny import all_in_one, original_wan_name, tiny_pony, tiny_vace

GIGABYTE = 1_000_000_000


def at(spec: ModelSpec, **places: Path) -> ModelSpec:
    """The settings with some sources elsewhere."""
    moved = {name: Source(name, place.parent, path=place) for name, place in places.items()}
    return replace(spec, sources={**spec.sources, **moved})


def reasons(spec: ModelSpec) -> set[str]:
    found = family_named(spec.model).modes(spec).values()
    return {reason.detail for reason in found if isinstance(reason, Unavailable)}


@pytest.fixture(scope="module")
def vace() -> Any:
    """A tiny VACE pipeline whose autoencoder has the topology of the real one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        pipe = tiny_vace(cheap=False)
        pipe.vae = AutoencoderKLWan(
            base_dim=4, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=2, temperal_downsample=[False, True, True]
        )
    return pipe


@pytest.fixture(scope="module")
def one_file(vace: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Everything in one file in original names, and the folder of configurations beside it."""
    folder = tmp_path_factory.mktemp("one-file")
    vace.save_pretrained(folder / "config")
    for weights in (folder / "config").glob("*/*.safetensors"):
        weights.unlink()
    originals = wan_vae_originals(vace.vae.state_dict())
    tensors = all_in_one(vace)
    for name, value in vace.vae.state_dict().items():
        tensors[f"first_stage_model.{originals[name]}"] = value.contiguous()
    # What such files hold beside weights: the tokenizer as bytes.
    tensors["text_encoders.umt5xxl.spiece_model"] = torch.zeros(64, dtype=torch.uint8)
    save_file(tensors, folder / "one.safetensors")
    return folder / "one.safetensors", folder / "config"


def test_every_tensor_of_the_autoencoder_has_an_original_name(vace: Any) -> None:
    names = vace.vae.state_dict()
    originals = wan_vae_originals(names)
    assert set(originals) == set(names)
    assert len(set(originals.values())) == len(names)
    assert originals["encoder.conv_in.weight"] == "encoder.conv1.weight"
    assert originals["quant_conv.weight"] == "conv1.weight"


@pytest.mark.parametrize("prefix", ["first_stage_model.", "vae."])
def test_one_file_with_everything_is_loaded_bit_by_bit(
    prefix: str, vace: Any, one_file: tuple[Path, Path], tiny: dict[str, ModelSpec], tmp_path: Path
) -> None:
    file, config = one_file
    if prefix != "first_stage_model.":
        tensors = {name.replace("first_stage_model.", prefix): value for name, value in load_file(file).items()}
        file = tmp_path / "renamed.safetensors"
        save_file(tensors, file)
    spec = at(tiny["phr00t"], checkpoint=file, checkpoint_high_noise=file, config=config)
    assert reasons(spec) == set()
    loaded: Any = family_named("phr00t").load(spec, Placement(), Heard())
    for name in ("transformer", "text_encoder", "vae"):
        ours, theirs = loaded.warm.parts[name].state_dict(), getattr(vace, name).state_dict()
        assert set(ours) == set(theirs)
        for key, value in theirs.items():
            assert torch.equal(ours[key].float(), value.float()), f"{name}.{key}"
    loaded.unload()


@pytest.mark.parametrize(
    ("gone", "component"),
    [
        ("first_stage_model.decoder.upsamples.3.resample.1.weight", "vae"),
        ("model.diffusion_model.vace_blocks.0.before_proj.weight", "transformer"),
        ("text_encoders.umt5xxl.transformer.shared.weight", "text_encoder"),
    ],
)
def test_one_file_that_lacks_a_tensor_is_found_by_its_header(
    gone: str, component: str, one_file: tuple[Path, Path], tiny: dict[str, ModelSpec], tmp_path: Path
) -> None:
    tensors = load_file(one_file[0])
    del tensors[gone]
    save_file(tensors, tmp_path / "one.safetensors")
    (said,) = reasons(at(tiny["phr00t"], checkpoint=tmp_path / "one.safetensors", config=one_file[1]))
    assert said.startswith(f"{component} lacks ")


# What SDXL files carry beside the weights of their four components.
BESIDE = {
    "conditioner.embedders.0.transformer.text_model.embeddings.position_ids": (1, 77),
    "conditioner.embedders.1.model.logit_scale": (),
}


def test_an_sdxl_file_may_carry_more_than_its_weights(
    tmp_path: Path, tiny: dict[str, ModelSpec], warm: Callable[[str], Any]
) -> None:
    pipe = tiny_pony()
    more = {name: torch.zeros(shape) for name, shape in BESIDE.items()}
    # Trained files bring these along as well.
    more |= {"denoiser.sigmas": torch.zeros(1000), "model_ema.decay": torch.zeros(())}
    file = tmp_path / "pony.safetensors"
    save_file({**sdxl_checkpoint(pipe), **more}, file)
    spec = at(tiny["pony"], checkpoint=file, config=tiny["pony"].sources["checkpoint"].place)
    assert reasons(spec) == set()
    loaded: Any = family_named("pony").load(spec, Placement(), Heard())
    for name in sdxl_file.KINDS:
        theirs = getattr(pipe, name).state_dict()
        for key, value in loaded.warm.parts[name].state_dict().items():
            assert torch.equal(value.float(), theirs[key].float()), f"{name}.{key}"
    loaded.unload()


def real_sdxl() -> Any:
    """Every component of SDXL 1.0 at its size, without weights."""
    text = CLIPTextConfig(hidden_act="quick_gelu", projection_dim=768, hidden_size=768, intermediate_size=3072)
    text.num_hidden_layers, text.num_attention_heads = 12, 12
    large = CLIPTextConfig(hidden_act="gelu", projection_dim=1280, hidden_size=1280, intermediate_size=5120)
    large.num_hidden_layers, large.num_attention_heads = 32, 20
    unet = UNet2DConditionModel
    return on_meta(
        lambda: SimpleNamespace(
            unet=unet(
                sample_size=128,
                block_out_channels=(320, 640, 1280),
                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                transformer_layers_per_block=(1, 2, 10),
                attention_head_dim=(5, 10, 20),
                cross_attention_dim=2048,
                addition_embed_type="text_time",
                addition_time_embed_dim=256,
                projection_class_embeddings_input_dim=2816,
                use_linear_projection=True,
            ),
            vae=AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                layers_per_block=2,
                latent_channels=4,
            ),
            text_encoder=CLIPTextModel(text),
            text_encoder_2=CLIPTextModelWithProjection(large),
        )
    )


def write_configs(folder: Path, models: dict[str, Any], tokenizers: tuple[str, ...]) -> None:
    for name, model in models.items():
        (folder / name).mkdir(parents=True)
        config = model.config.to_dict() if hasattr(model.config, "to_dict") else json.loads(model.to_json_string())
        (folder / name / "config.json").write_text(json.dumps(config))
    for name in tokenizers:
        (folder / name).mkdir()
        (folder / name / "tokenizer.json").write_text("{}")


def test_sdxl_at_its_real_size_by_its_header(tmp_path: Path) -> None:
    pipe = real_sdxl()
    write_configs(tmp_path / "config", {name: getattr(pipe, name) for name in sdxl_file.KINDS}, sdxl_file.TOKENIZERS)
    shapes = {name: tuple(value.shape) for name, value in sdxl_checkpoint(pipe).items()} | BESIDE
    # As published: 1680 of the U-Net, 248 of the autoencoder, 197 and 390 of the text encoders.
    assert len(shapes) == 2515
    assert sum(name.startswith("model.diffusion_model.") for name in shapes) == 1680
    assert sum(name.startswith("first_stage_model.") for name in shapes) == 248
    write_hollow(tmp_path / "sdxl.safetensors", shapes)
    looked = sdxl_file.looked_at(tmp_path / "sdxl.safetensors", tmp_path / "config")
    assert looked.counts["unet"] == 2_567_463_684
    assert 6.9 * GIGABYTE < 2 * sum(looked.counts.values()) < 7.0 * GIGABYTE


def test_rapid_at_its_real_size_by_its_header(tmp_path: Path) -> None:
    transformer = on_meta(
        lambda: WanVACETransformer3DModel(
            num_attention_heads=40,
            attention_head_dim=128,
            ffn_dim=13824,
            num_layers=40,
            vace_layers=[0, 5, 10, 15, 20, 25, 30, 35],
            vace_in_channels=96,
        )
    )
    text = UMT5Config(vocab_size=256_384, d_model=4096, d_kv=64, d_ff=10_240, num_layers=24, num_heads=64)
    text.feed_forward_proj, text.is_gated_act, text.dense_act_fn = "gated-gelu", True, "gelu_new"
    models = {
        "transformer": transformer,
        "text_encoder": on_meta(lambda: UMT5EncoderModel(text)),
        "vae": on_meta(AutoencoderKLWan),
    }
    write_configs(tmp_path / "config", models, ("tokenizer",))
    index = {"transformer": ["diffusers", "WanVACETransformer3DModel"], "vae": ["diffusers", "AutoencoderKLWan"]}
    index["text_encoder"] = ["transformers", "UMT5EncoderModel"]
    (tmp_path / "config" / "model_index.json").write_text(json.dumps(index))
    (tmp_path / "config" / "scheduler").mkdir()
    (tmp_path / "config" / "scheduler" / "scheduler_config.json").write_text("{}")
    originals = wan_vae_originals(models["vae"].state_dict())
    encoder = shapes_of(models["text_encoder"], lambda name: f"text_encoders.umt5xxl.transformer.{name}")
    encoder.pop("text_encoders.umt5xxl.transformer.encoder.embed_tokens.weight")
    shapes = {
        **shapes_of(transformer, lambda name: f"model.diffusion_model.{original_wan_name(name)}"),
        **encoder,
        **shapes_of(models["vae"], lambda name: f"first_stage_model.{originals[name]}"),
    }
    write_hollow(tmp_path / "rapid.safetensors", shapes, "F8_E4M3", 1)
    recipe = loading.all_in_one_recipe(tmp_path / "rapid.safetensors", tmp_path / "config")
    found = recipe.look()
    found.refuse()
    # In 8 bits, with embedding and autoencoder in 16, that is as long as the published file: 24,334,498,767 bytes.
    length = sum(found.counts.values()) + 256_384 * 4096 + found.counts["vae"]
    assert abs(length - 24_334_498_767) < 0.001 * length
