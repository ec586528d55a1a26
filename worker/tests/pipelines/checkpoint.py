"""Writes a tiny SDXL pipeline as one checkpoint in the original key names, the way the real one is published."""

from __future__ import annotations

import re
from typing import Any

import torch

_RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("time_emb_proj", "emb_layers.1"),
    ("conv_shortcut", "skip_connection"),
)


def sdxl_checkpoint(pipe: Any) -> dict[str, torch.Tensor]:
    """All tensors of the pipeline by their original names."""
    layers = pipe.unet.config.layers_per_block
    tensors = {f"model.diffusion_model.{_unet(key, layers)}": value for key, value in pipe.unet.state_dict().items()}
    levels = len(pipe.vae.config.block_out_channels)
    for key, value in pipe.vae.state_dict().items():
        name = _vae(key, levels)
        is_attention = ".attn_1." in name and name.endswith("weight") and "norm" not in name
        tensors[f"first_stage_model.{name}"] = value[:, :, None, None] if is_attention else value
    for key, value in pipe.text_encoder.state_dict().items():
        tensors[f"conditioner.embedders.0.transformer.text_model.{key.removeprefix('text_model.')}"] = value
    for key, value in _open_clip(pipe.text_encoder_2.state_dict()).items():
        tensors[f"conditioner.embedders.1.model.{key}"] = value
    return {key: value.clone().contiguous() for key, value in tensors.items()}


def _unet(key: str, layers: int) -> str:
    for ours, theirs in (
        ("time_embedding.linear_1", "time_embed.0"),
        ("time_embedding.linear_2", "time_embed.2"),
        ("add_embedding.linear_1", "label_emb.0.0"),
        ("add_embedding.linear_2", "label_emb.0.2"),
        ("conv_in.", "input_blocks.0.0."),
        ("conv_norm_out", "out.0"),
        ("conv_out.", "out.2."),
    ):
        if key.startswith(ours):
            return key.replace(ours, theirs, 1)
    if "resnets" in key:
        for ours, theirs in _RESNET:
            key = key.replace(ours, theirs)
    key = re.sub(r"^mid_block\.resnets\.0", "middle_block.0", key)
    key = re.sub(r"^mid_block\.attentions\.0", "middle_block.1", key)
    key = re.sub(r"^mid_block\.resnets\.1", "middle_block.2", key)

    def down(found: re.Match[str]) -> str:
        block, kind, layer = int(found[1]), found[2], int(found[3])
        if kind == "downsamplers":
            return f"input_blocks.{(layers + 1) * (block + 1)}.0.op"
        return f"input_blocks.{(layers + 1) * block + layer + 1}.{int(kind == 'attentions')}"

    def up(found: re.Match[str]) -> str:
        block, kind, layer = int(found[1]), found[2], int(found[3])
        if kind == "upsamplers":
            return f"output_blocks.{(layers + 1) * block + layers}.{2 if block == 0 else 1}.conv"
        return f"output_blocks.{(layers + 1) * block + layer}.{int(kind == 'attentions')}"

    key = re.sub(r"^down_blocks\.(\d+)\.(\w+)\.(\d+)(?:\.conv(?=\.(?:weight|bias)$))?", down, key)
    return re.sub(r"^up_blocks\.(\d+)\.(\w+)\.(\d+)(?:\.conv(?=\.(?:weight|bias)$))?", up, key)


def _vae(key: str, levels: int) -> str:
    key = key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    key = key.replace("mid_block.attentions.0.", "mid.attn_1.")
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", key)
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda found: f"up.{levels - 1 - int(found[1])}.block", key)
    key = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda found: f"up.{levels - 1 - int(found[1])}.upsample", key)
    if ".attn_1." in key:
        for ours, theirs in (
            ("group_norm", "norm"),
            ("to_q", "q"),
            ("to_k", "k"),
            ("to_v", "v"),
            ("to_out.0", "proj_out"),
        ):
            key = key.replace(ours, theirs)
    return key


def _open_clip(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for key, value in state.items():
        name = key.removeprefix("text_model.")
        for ours, theirs in (
            ("embeddings.token_embedding.weight", "token_embedding.weight"),
            ("embeddings.position_embedding.weight", "positional_embedding"),
            ("final_layer_norm", "ln_final"),
            ("encoder.layers", "transformer.resblocks"),
            ("layer_norm1", "ln_1"),
            ("layer_norm2", "ln_2"),
            ("mlp.fc1", "mlp.c_fc"),
            ("mlp.fc2", "mlp.c_proj"),
            ("self_attn.out_proj", "attn.out_proj"),
        ):
            name = name.replace(ours, theirs)
        if name == "text_projection.weight":
            tensors["text_projection"] = value.T
        elif (part := re.search(r"self_attn\.([qkv])_proj\.(weight|bias)$", name)) is not None:
            if part[1] == "q":
                whole = [state[key.replace("q_proj", f"{letter}_proj")] for letter in "qkv"]
                tensors[name.replace(f"self_attn.q_proj.{part[2]}", f"attn.in_proj_{part[2]}")] = torch.cat(whole)
        else:
            tensors[name] = value
    return tensors
