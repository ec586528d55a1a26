"""The four families with random weights of a few megabytes, for trying and testing everything without a download.

What is written here is read by the same loader as real weights, in the layouts of the real ones: folders of diffusers
for pony, flux and anisora, and checkpoints in the original key names for phr00t.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLWan,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
    UMT5Config,
    UMT5EncoderModel,
)

from safelight_worker.settings import ModelSpec, read_settings

LETTERS = tuple("abcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"()-_ ")


class PooledWanVae(AutoencoderKLWan):  # type: ignore[misc,unused-ignore]
    """A stand-in for the video autoencoder that pools and repeats: 512×512×49 in a second instead of half a minute.

    Shapes and factors are those of the real one: (B, 3, F, H, W) in -1..1 ↔ (B, 16, (F-1)/4+1, H/8, W/8).
    """

    def encode(self, x: torch.Tensor, return_dict: bool = True) -> SimpleNamespace:
        """Means of 4×8×8 blocks, the colours repeated over the channels."""
        head, tail = x[:, :, :1], x[:, :, 1:]
        small = torch.nn.functional.avg_pool3d(head, (1, 8, 8))
        if tail.shape[2]:
            small = torch.cat([small, torch.nn.functional.avg_pool3d(tail, (4, 8, 8))], 2)
        mean = small[:, [channel % 3 for channel in range(self.config.z_dim)]]
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: mean, sample=lambda _generator=None: mean))

    def decode(self, z: torch.Tensor, return_dict: bool = True) -> tuple[torch.Tensor]:
        """The first three channels, each latent repeated over its block."""
        small = z[:, :3].clamp(-1, 1)
        frames = torch.cat([small[:, :, :1], small[:, :, 1:].repeat_interleave(4, 2)], 2)
        return (frames.repeat_interleave(8, 3).repeat_interleave(8, 4),)


def make_tiny(folder: Path, cheap: bool = True) -> dict[str, ModelSpec]:
    """Writes all four families below `folder` (made if needed) and returns settings that name them.

    `cheap` takes the stand-in for the video autoencoder; without it the real topology is used, which is too slow for
    the catalog's sizes on a processor but shows that everything fits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    makers: Mapping[str, Callable[[Path, bool], dict[str, Path]]] = {
        "pony": _make_pony,
        "flux": _make_flux,
        "phr00t": _make_phr00t,
        "anisora": _make_anisora,
    }
    environment: dict[str, str] = {}
    for model, make in makers.items():
        with _seeded():
            places = make(folder / model, cheap)
        for source, place in places.items():
            environment[f"SAFELIGHT_{model}_{source}".upper()] = str(place)
    return _only_these(read_settings(folder, environment=environment), environment)


def _only_these(specs: Mapping[str, ModelSpec], environment: Mapping[str, str]) -> dict[str, ModelSpec]:
    """Without the sources that nobody made, so that nothing points to a hub."""
    return {
        model: ModelSpec(
            model,
            "Random numbers, no licence",
            "",
            False,
            {
                name: source
                for name, source in spec.sources.items()
                if f"SAFELIGHT_{model}_{name}".upper() in environment
            },
            spec.options,
        )
        for model, spec in specs.items()
    }


@contextmanager
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(20)
        yield


def _make_pony(folder: Path, cheap: bool) -> dict[str, Path]:
    tiny_pony().save_pretrained(folder / "pipeline")
    return {"checkpoint": folder / "pipeline"}


def _make_flux(folder: Path, cheap: bool) -> dict[str, Path]:
    tiny_flux().save_pretrained(folder / "pipeline")
    return {"pipeline": folder / "pipeline"}


def _make_anisora(folder: Path, cheap: bool) -> dict[str, Path]:
    tiny_anisora(cheap).save_pretrained(folder / "pipeline")
    tiny_wan_t2v(cheap).save_pretrained(folder / "t2v")
    return {"pipeline": folder / "pipeline", "t2v": folder / "t2v"}


def _make_phr00t(folder: Path, cheap: bool) -> dict[str, Path]:
    """Two checkpoints in the key names of ComfyUI, and a folder with configurations, tokenizer and autoencoder."""
    config = folder / "config"
    files = {}
    for name in ("checkpoint", "checkpoint_high_noise"):
        pipe = tiny_vace(cheap)
        if name == "checkpoint":
            pipe.save_pretrained(config)
            for weights in (*config.glob("transformer/*.safetensors"), *config.glob("text_encoder/*.safetensors")):
                weights.unlink()
        files[name] = folder / f"{name}.safetensors"
        save_file(all_in_one(pipe), files[name])
    return {**files, "config": config}


def all_in_one(pipe: WanVACEPipeline) -> dict[str, torch.Tensor]:
    """Transformer and text encoder of a pipeline as one dictionary in the key names of ComfyUI's checkpoints."""
    tensors = {
        f"model.diffusion_model.{original_wan_name(key)}": value.contiguous()
        for key, value in pipe.transformer.state_dict().items()
    }
    tensors |= {
        f"text_encoders.umt5xxl.transformer.{key}": value.clone().contiguous()
        for key, value in pipe.text_encoder.state_dict().items()
        if key != "encoder.embed_tokens.weight"
    }
    return tensors


_WAN_NAMES = (
    ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
    ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
    ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
    ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
    ("condition_embedder.time_proj", "time_projection.1"),
    ("to_out.0.", "o."),
    ("to_q.", "q."),
    ("to_k.", "k."),
    ("to_v.", "v."),
    ("ffn.net.0.proj", "ffn.0"),
    ("ffn.net.2", "ffn.2"),
    ("attn1", "self_attn"),
    ("attn2", "cross_attn"),
    ("norm2", "norm__swapped"),
    ("norm3", "norm2"),
    ("norm__swapped", "norm3"),
)


def original_wan_name(key: str) -> str:
    """The name that Wan's own files give a tensor of the diffusers transformer."""
    if key == "scale_shift_table":
        return "head.modulation"
    if key.startswith("proj_out."):
        return key.replace("proj_out", "head.head")
    for ours, theirs in _WAN_NAMES:
        key = key.replace(ours, theirs)
    if key.startswith("vace_blocks."):
        key = key.replace("proj_in", "before_proj").replace("proj_out", "after_proj")
    return key.replace("scale_shift_table", "modulation")


def tiny_pony() -> StableDiffusionXLPipeline:
    """SDXL with a U-Net of three levels; its text encoders differ in size, as the single-file loader needs it."""
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 1, 2),
        projection_class_embeddings_input_dim=6 * 8 + 24,
        cross_attention_dim=16 + 24,
    )
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, timestep_spacing="leading"
    )
    return StableDiffusionXLPipeline(
        vae=_picture_vae(4),
        text_encoder=CLIPTextModel(_clip_config(16)).eval(),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config(24)).eval(),
        tokenizer=_clip_tokenizer("<|endoftext|>"),
        tokenizer_2=_clip_tokenizer("!"),
        unet=unet.eval(),
        scheduler=scheduler,
        add_watermarker=False,
    )


def tiny_flux() -> FluxPipeline:
    """FLUX with one block of each kind."""
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=24,
        pooled_projection_dim=16,
        guidance_embeds=True,
        axes_dims_rope=(4, 4, 8),
    )
    config = T5Config(
        vocab_size=64, d_model=24, d_ff=32, d_kv=8, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=_picture_vae(16),
        text_encoder=CLIPTextModel(_clip_config(16)).eval(),
        tokenizer=_clip_tokenizer("<|endoftext|>"),
        text_encoder_2=T5EncoderModel(config).eval(),
        tokenizer_2=_t5_tokenizer(),
        transformer=transformer.eval(),
    )


def tiny_anisora(cheap: bool = False) -> WanImageToVideoPipeline:
    """Wan 2.2 picture to video: two experts of 36 channels, no image encoder."""
    return WanImageToVideoPipeline(
        tokenizer=_t5_tokenizer(),
        text_encoder=_umt5(),
        vae=_video_vae(cheap),
        scheduler=_unipc(3.0),
        image_processor=None,
        image_encoder=None,
        transformer=_wan_transformer(36),
        transformer_2=_wan_transformer(36),
        boundary_ratio=0.9,
    )


def tiny_wan_t2v(cheap: bool = False) -> WanPipeline:
    """Wan 2.2 text to video: two experts of 16 channels."""
    return WanPipeline(
        tokenizer=_t5_tokenizer(),
        text_encoder=_umt5(),
        vae=_video_vae(cheap),
        scheduler=_unipc(12.0),
        transformer=_wan_transformer(16),
        transformer_2=_wan_transformer(16),
        boundary_ratio=0.875,
    )


def tiny_vace(cheap: bool = False) -> WanVACEPipeline:
    """Wan VACE, one transformer of two layers with a control block on the first."""
    transformer = WanVACETransformer3DModel(**_wan_sizes(16), vace_layers=[0], vace_in_channels=96).eval()
    return WanVACEPipeline(
        tokenizer=_t5_tokenizer(),
        text_encoder=_umt5(),
        vae=_video_vae(cheap),
        scheduler=_unipc(8.0),
        transformer=transformer,
    )


def _wan_sizes(channels: int) -> dict[str, Any]:
    return {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 1,
        "attention_head_dim": 12,
        "in_channels": channels,
        "out_channels": 16,
        "text_dim": 16,
        "freq_dim": 16,
        "ffn_dim": 16,
        "num_layers": 1,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "rope_max_seq_len": 256,
    }


def _wan_transformer(channels: int) -> WanTransformer3DModel:
    return WanTransformer3DModel(**_wan_sizes(channels)).eval()


def _unipc(shift: float) -> UniPCMultistepScheduler:
    return UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=shift
    )


def _video_vae(cheap: bool) -> AutoencoderKLWan:
    kind = PooledWanVae if cheap else AutoencoderKLWan
    return kind(
        base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    ).eval()


def _picture_vae(channels: int) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=[8, 8, 8, 8],
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=channels,
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=64,
        use_quant_conv=channels == 4,
        use_post_quant_conv=channels == 4,
        scaling_factor=0.13025 if channels == 4 else 0.3611,
        shift_factor=None if channels == 4 else 0.1159,
        force_upcast=False,
    ).eval()


def _clip_config(size: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=2 * len(LETTERS) + 2,
        hidden_size=size,
        intermediate_size=2 * size,
        projection_dim=size,
        num_hidden_layers=5,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=2 * len(LETTERS),
        eos_token_id=2 * len(LETTERS) + 1,
        pad_token_id=1,
    )


def _clip_tokenizer(pad: str) -> CLIPTokenizer:
    vocabulary = {letter: index for index, letter in enumerate(LETTERS)}
    vocabulary |= {letter + "</w>": len(LETTERS) + index for index, letter in enumerate(LETTERS)}
    vocabulary |= {"<|startoftext|>": 2 * len(LETTERS), "<|endoftext|>": 2 * len(LETTERS) + 1}
    return CLIPTokenizer(vocab=vocabulary, merges=[], pad_token=pad, model_max_length=77)


def _t5_tokenizer() -> T5Tokenizer:
    pieces = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", -10.0),
        ("\u2581", -2.0),
        *((letter, -3.0) for letter in LETTERS),
    ]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def _umt5() -> UMT5EncoderModel:
    return UMT5EncoderModel(
        UMT5Config(
            vocab_size=64, d_model=16, d_ff=16, d_kv=8, num_layers=1, num_heads=2, feed_forward_proj="gated-gelu"
        )
    ).eval()
