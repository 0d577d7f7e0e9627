"""Tiny real FLUX.1, FLUX.2, Qwen-Image and Z-Image models with random weights, their VAEs, people with photos."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.samplers
import comfy.sd
import comfy.supported_models
import numpy as np
import torch
from comfy.ldm.flux.model import Flux
from comfy.ldm.wan.vae import WanVAE
from comfy.taesd.taesd import TAESD

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe import Recipe, Routing
from ....attention.regions.region import Region
from ....nodes.host.cast.model_patch import patch_cast

TEXT = 128  # numbers per token of text, as the offline world's encoder makes them
FLUX = {"vec_in_dim": None, "context_in_dim": TEXT, "guidance_embed": False}
SHAPES = {
    "FLUX.1": {
        "image_model": "flux", "in_channels": 16, "out_channels": 16, "axes_dim": [16, 56, 56], "mlp_ratio": 4.0,
        "theta": 10000, "patch_size": 2, "qkv_bias": True, "txt_ids_dims": [],
    },
    "FLUX.2": {
        "image_model": "flux2", "in_channels": 128, "out_channels": 128, "axes_dim": [32] * 4, "mlp_ratio": 3.0,
        "theta": 2000, "patch_size": 1, "qkv_bias": False, "ops_bias": False, "txt_ids_dims": [3],
        "global_modulation": True, "mlp_silu_act": True, "default_ref_method": "index", "ref_index_scale": 10.0,
    },
}  # fmt: skip
FAMILIES = ["FLUX.1", "FLUX.2", "Qwen", "Z-Image"]
LAYERS = 3  # attention calls of one forward


def randomised(network: torch.nn.Module, seed: int = 0, spread: float = 0.08) -> torch.nn.Module:
    """The same network with random weights that keep its numbers of a size."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator) * (spread if parameter.ndim > 1 else 0.1)
            parameter.copy_(noise + ("norm" in name and parameter.ndim == 1))
    return network


def tiny_flux(
    name: str, hidden: int = 256, dtype: torch.dtype = torch.float32, depth: tuple[int, int] = (1, 2), **options
):
    """A model patcher of so many double and single blocks, found and loaded from a plain state dict.

    options : of ComfyUI's loader, such as custom_operations
    """
    network = Flux(
        **FLUX, **SHAPES[name], hidden_size=hidden, num_heads=hidden // 128, depth=depth[0],
        depth_single_blocks=depth[1], dtype=dtype, device="cpu", operations=comfy.ops.disable_weight_init,
    )  # fmt: skip
    state = {key: value.clone() for key, value in randomised(network).state_dict().items()}
    return comfy.sd.load_diffusion_model_state_dict(state, model_options={"dtype": dtype, **options})


QWEN = {
    "image_model": "qwen_image", "patch_size": 2, "in_channels": 64, "out_channels": 16, "num_layers": LAYERS,
    "attention_head_dim": 128, "num_attention_heads": 2, "joint_attention_dim": TEXT, "axes_dims_rope": (16, 56, 56),
}  # fmt: skip


Z_IMAGE = {
    "image_model": "lumina2", "patch_size": 2, "in_channels": 16, "dim": 256, "n_layers": 2, "n_refiner_layers": 1,
    "n_heads": 4, "n_kv_heads": 4, "ffn_dim_multiplier": 2.0, "qk_norm": True, "cap_feat_dim": TEXT,
    "axes_dims": [16, 24, 24], "axes_lens": [512, 128, 128], "z_image_modulation": True, "time_scale": 1000.0,
    "pad_tokens_multiple": 32,
}  # fmt: skip


def tiny_zimage(dtype: torch.dtype = torch.float32, omni: bool = True):
    """The same of Z-Image's; with a part for features of pictures, as Omni models have it, or without."""
    return _made(comfy.supported_models.ZImage({**Z_IMAGE, **({"siglip_feat_dim": 16} if omni else {})}), dtype, 0.06)


def tiny_qwen(dtype: torch.dtype = torch.float32):
    """A model patcher around Qwen-Image's network; its loader knows one width, the published one."""
    return _made(comfy.supported_models.QwenImage(dict(QWEN)), dtype)


def _made(config, dtype: torch.dtype, spread: float = 0.08):
    config.set_inference_dtype(dtype, None)
    model = config.get_model({}, "", device=torch.device("cpu"))
    randomised(model.diffusion_model, spread=spread)
    return comfy.model_patcher.CoreModelPatcher(
        model,
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )


@cache
def tiny_vae(channels: int, frames: bool = False):
    """A VAE with random weights that makes latents of so many channels; with frames, as Qwen-Image's."""
    generator = torch.Generator().manual_seed(3)
    made = WanVAE(8, 16) if frames else TAESD(latent_channels=channels)
    state = made.state_dict()
    for name, weights in state.items():
        spread = weights[0].numel() ** -0.5 if weights.ndim > 1 else 0.0
        weights.copy_(torch.randn(weights.shape, generator=generator) * spread)
        if name == "vae_scale" or name.endswith("gamma"):
            weights.fill_(1.0)
    return comfy.sd.VAE(sd=state, metadata=None if frames else {"tae_latent_channels": channels})


def pictured(name: str, seed: int, count: int = 1) -> SimpleNamespace:
    """An identity with photos and no face packs."""
    generator = np.random.default_rng(seed)
    photos = tuple(generator.integers(0, 255, (48, 40, 3), dtype=np.uint8) for _ in range(count))
    boxes = np.tile(np.float32([12, 14, 28, 34]), (count, 1))
    return SimpleNamespace(name=name, embeddings={}, photos=photos, boxes=boxes)


def text(seed: int, tokens: int = 6, **values) -> list:
    """A prompt as ComfyUI passes it between nodes."""
    return [[torch.randn(1, tokens, TEXT, generator=torch.Generator().manual_seed(seed)), dict(values)]]


def strips(count: int, bottom: float = 0.75) -> list[Region]:
    """Regions side by side, with a strip of background under them."""
    return [Region(f"place {i}", x=i / count, width=1 / count, height=bottom) for i in range(count)]


def tiny(name: str, dtype: torch.dtype = torch.float32):
    """A model of a family by its name."""
    if name in ("Qwen", "Z-Image"):
        return (tiny_qwen if name == "Qwen" else tiny_zimage)(dtype)
    return tiny_flux(name, 256 if name == "FLUX.1" else 128, dtype)


def cast_of(count: int, photos=(), prompts=(), **settings) -> tuple[Member, ...]:
    """People side by side; seeds of their photos and prompts may be given."""
    photos, prompts = photos or range(100, 100 + count), prompts or range(200, 200 + count)
    return tuple(
        Member(pictured(f"P{i}", photo), region, prompt=None if prompt is None else text(prompt, 3), **settings)
        for i, (region, photo, prompt) in enumerate(zip(strips(count), photos, prompts, strict=True))
    )


def routed(model, cast, policy: str = "closed", strength: float = 1.0, **settings):
    """The model with a cast; reference photos of 64 pixels. Settings beside Routing's go to the recipe."""
    of_recipe = {key: settings.pop(key) for key in ("isolation", "prompts", "start", "end") if key in settings}
    recipe = Recipe("decoupled", routing=Routing(policy, **{"size": 64, **settings}), **of_recipe)
    return patch_cast(model, tuple(cast), None, recipe, strength, vae_of(model))


def vae_of(model):
    """The VAE that belongs to a model."""
    latents = model.model.latent_format
    return tiny_vae(latents.latent_channels, latents.latent_dimensions == 3)


@torch.inference_mode()
def sample(model, positive=None, negative=None, cfg=1.0, steps=2, size=None, batch=1, guider=None, seed=5):
    """Latents [batch, C, *size] from a few real steps; with a guider, of its model."""
    model = model if guider is None else guider.model_patcher
    latents = model.model.latent_format
    size = size or ((4, 4) if latents.latent_channels == 128 else (8, 8))
    frames = (1,) * (latents.latent_dimensions - 2)
    noise = torch.randn(batch, latents.latent_channels, *frames, *size, generator=torch.Generator().manual_seed(seed))
    if guider is None:
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(positive or text(1), negative or text(2))
        guider.set_cfg(cfg)
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "simple", steps)
    sampler = comfy.samplers.sampler_object("euler")
    return guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=seed)
