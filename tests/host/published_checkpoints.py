"""Model files with the published keys under the published names, full of random numbers, for workflows to be run on.

Every key is there. Text and image encoders have their full size, because ComfyUI knows them by it; UNets, ControlNets
and the adapters' layers are 320 wide throughout, so that a step is a matter of seconds.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import comfy.clip_model
import comfy.ldm.models.autoencoder
import comfy.ops
import numpy as np
import torch
from comfy.cldm.cldm import ControlNet as ControlModel
from comfy.ldm.flux.model import Flux
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from pack.scripts.benches.engine.adapter_files import (
    PUBLISHED,
    Published,
    Shapes,
    id_encoder,
    id_former,
    nested,
    random_state,
)
from pack.scripts.benches.engine.eva_file import eva_clip
from pack.scripts.benches.engine.joint_models import SHAPES, TEXT
from pack.scripts.benches.engine.structures import SD15, SDXL, Structure
from safetensors.torch import save_file

WIDTH = 320
EVA_WIDTH, EVA_VECTOR = 128, 32
FLUX_WIDTH = 256
CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12}
CLIP_L |= {"hidden_act": "quick_gelu", "max_position_embeddings": 77, "vocab_size": 49408, "eos_token_id": 49407}
VAE = {"double_z": True, "z_channels": 4, "resolution": 256, "in_channels": 3, "out_ch": 3, "ch": 128}
VAE |= {"ch_mult": [1, 2, 4, 4], "num_res_blocks": 2, "attn_resolutions": [], "dropout": 0.0}
PLACES = {"dtype": torch.float16, "device": "meta", "operations": comfy.ops.disable_weight_init}


def write_sd15(path: Path) -> None:
    """A Stable Diffusion 1.5 checkpoint."""
    text = prefixed("cond_stage_model.transformer.", shapes_of(comfy.clip_model.CLIPTextModel(CLIP_L, **PLACES)))
    text.pop("cond_stage_model.transformer.text_projection.weight", None)
    write_random(path, unet(SD15) | vae() | text)


def write_sdxl(path: Path) -> None:
    """An SDXL base checkpoint."""
    text = prefixed("conditioner.embedders.0.transformer.", shapes_of(comfy.clip_model.CLIPTextModel(CLIP_L, **PLACES)))
    text.pop("conditioner.embedders.0.transformer.text_projection.weight", None)
    write_random(path, unet(SDXL) | vae() | text | prefixed("conditioner.embedders.1.model.", open_clip_text(1280, 32)))


def write_sdxl_control(path: Path) -> None:
    """A ControlNet for SDXL, in the layout of the original code: of diffusers' ComfyUI reads full widths alone."""
    hint = {"hint_channels": 3} | {key: value for key, value in narrow(SDXL).items() if key != "out_channels"}
    write_random(path, prefixed("control_model.", shapes_of(ControlModel(**hint, **PLACES))))


def write_vit_h(path: Path) -> None:
    """The image encoder of most adapters."""
    config = json.loads((Path(comfy.__path__[0]) / "clip_vision_config_h.json").read_text(encoding="utf-8"))
    write_random(path, shapes_of(comfy.clip_model.CLIPVisionModelProjection(config, **PLACES)))


def write_adapter(path: Path, published: Published) -> None:
    """An adapter for the narrow models, as `.bin` or `.safetensors` by its name."""
    state = random_state(replace(published, widths=[WIDTH] * len(published.widths)).shapes(), dtype=torch.float16)
    if path.suffix == ".bin":
        torch.save(nested(state), path)
    else:
        save_file(state, path)


def write_eva(path: Path) -> None:
    """EVA02-CLIP, an eighth as wide: Troupe knows it by its keys."""
    torch.save(random_state(eva_clip(width=EVA_WIDTH, hidden=341, outputs=EVA_VECTOR), dtype=torch.float16), path)


def write_pulid(path: Path) -> None:
    """PuLID v1 for that encoder and the narrow models, under the keys of its conversion."""
    projection = id_encoder(2048, EVA_WIDTH, EVA_VECTOR, 64)
    published = replace(PUBLISHED["ip-adapter_pulid_sdxl_fp16"], projection=projection, widths=[WIDTH] * 70)
    state = random_state(published.shapes(), dtype=torch.float16)
    for key in [key for key in state if key.endswith("to_v_ip.weight")]:
        state[key] *= 8  # the method's empty tokens would leave less of random values than a step of eight bits shows
    save_file(state, path)


def write_flux(path: Path) -> None:
    """FLUX.1 with all of its blocks, two heads wide, for text of the offline world's width."""
    sizes = {**SHAPES["FLUX.1"], "vec_in_dim": TEXT, "context_in_dim": TEXT, "guidance_embed": True}
    blocks = {"hidden_size": FLUX_WIDTH, "num_heads": FLUX_WIDTH // 128, "depth": 19, "depth_single_blocks": 38}
    write_random(path, shapes_of(Flux(**sizes, **blocks, **PLACES)))


def write_pulid_flux(path: Path) -> None:
    """PuLID 0.9.1 for that encoder and that FLUX.1."""
    projection = id_former(256, EVA_WIDTH, EVA_VECTOR, 64)
    made = replace(
        PUBLISHED["pulid_flux_v0.9.1"], projection=projection, cross=256, widths=[256] * 20, picture=FLUX_WIDTH
    )
    save_file(random_state(made.shapes(), dtype=torch.float16), path)


def unet(structure: Structure) -> Shapes:
    """All keys of a UNet of that structure, `WIDTH` wide."""
    return prefixed("model.diffusion_model.", shapes_of(UNetModel(**narrow(structure), **PLACES)))


def narrow(structure: Structure) -> dict[str, Any]:
    """The configuration of that structure's UNet, `WIDTH` wide."""
    config = {**structure.unet, "channel_mult": [1] * len(structure.unet["channel_mult"])}
    return config if "num_head_channels" in config else {**config, "num_heads": 8}


def vae() -> Shapes:
    """All keys of the autoencoder."""
    with torch.device("meta"):
        made = comfy.ldm.models.autoencoder.AutoencoderKL(ddconfig=VAE, embed_dim=4)
    return prefixed("first_stage_model.", shapes_of(made))


def open_clip_text(width: int, blocks: int) -> Shapes:
    """All keys of SDXL's second text encoder, in the layout of its publisher."""
    shapes = {"token_embedding.weight": (49408, width), "positional_embedding": (77, width)}
    shapes |= {"text_projection": (width, width), "ln_final.weight": (width,), "ln_final.bias": (width,)}
    for block in range(blocks):
        at = f"transformer.resblocks.{block}"
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{at}.{norm}.weight": (width,), f"{at}.{norm}.bias": (width,)}
        shapes |= {f"{at}.attn.in_proj_weight": (3 * width, width), f"{at}.attn.in_proj_bias": (3 * width,)}
        parts = {"attn.out_proj": (width, width), "mlp.c_fc": (4 * width, width), "mlp.c_proj": (width, 4 * width)}
        for part, (rows, columns) in parts.items():
            shapes |= {f"{at}.{part}.weight": (rows, columns), f"{at}.{part}.bias": (rows,)}
    return shapes


def shapes_of(module: torch.nn.Module) -> Shapes:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + key: shape for key, shape in shapes.items()}


def write_random(path: Path, shapes: Shapes) -> None:
    """Half-precision numbers of variance 1 / fan-in, norms of 1; the same million numbers over and over, for speed."""
    noise = np.random.default_rng(0).standard_normal(1 << 20).astype(np.float32)
    one, zero = (np.full(1 << 16, value, np.float16).tobytes() for value in (1, 0))

    @cache
    def scaled(fan_in: int) -> bytes:
        return (noise / fan_in**0.5).astype(np.float16).tobytes()

    with path.open("wb") as file:
        file.write(header_of(shapes))
        for key, shape in shapes.items():
            flat = one if key.endswith("weight") else zero
            write_over_and_over(file, scaled(math.prod(shape[1:])) if len(shape) > 1 else flat, 2 * math.prod(shape))


def write_over_and_over(file: BinaryIO, content: bytes, size: int) -> None:
    """`size` bytes of a content that is repeated."""
    while size > 0:
        size -= file.write(content[:size] if size < len(content) else content)


def header_of(shapes: Shapes) -> bytes:
    """What a `.safetensors` file of half-precision tensors begins with."""
    header, end = {}, 0
    for key, shape in shapes.items():
        begin, end = end, end + 2 * math.prod(shape)
        header[key] = {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text
