"""Tiny real FLUX.1 and FLUX.2 models with random weights, as ComfyUI's own loader makes them, their VAEs and people."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import comfy.ops
import comfy.samplers
import comfy.sd
import numpy as np
import torch
from comfy.ldm.flux.model import Flux
from comfy.taesd.taesd import TAESD
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Recipe, Routing
from pack.attention.regions.region import Region
from pack.nodes.host.cast.model_patch import patch_cast

TEXT = 128  # numbers per token of text
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
CHANNELS = {"FLUX.1": 16, "FLUX.2": 128}
CELLS = {"FLUX.1": 8, "FLUX.2": 4}  # rows and columns of the tests' latents: 4 x 4 tokens
LAYERS = 3  # attention calls of one forward


def randomised(network: torch.nn.Module, seed: int = 0, spread: float = 0.08) -> torch.nn.Module:
    """The same network with random weights that keep its numbers of a size."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator) * (spread if parameter.ndim > 1 else 0.1)
            parameter.copy_(noise + ("norm" in name and parameter.ndim == 1))
    return network


def tiny_flux(name: str, hidden: int = 256, dtype: torch.dtype = torch.float32):
    """A model patcher of one double and two single blocks, found and loaded from a plain state dict."""
    network = Flux(
        **FLUX, **SHAPES[name], hidden_size=hidden, num_heads=hidden // 128, depth=1, depth_single_blocks=2,
        dtype=dtype, device="cpu", operations=comfy.ops.disable_weight_init,
    )  # fmt: skip
    state = {key: value.clone() for key, value in randomised(network).state_dict().items()}
    return comfy.sd.load_diffusion_model_state_dict(state)


@cache
def tiny_vae(channels: int):
    """A VAE with random weights that makes latents of so many channels."""
    generator = torch.Generator().manual_seed(3)
    state = TAESD(latent_channels=channels).state_dict()
    for name, weights in state.items():
        spread = weights[0].numel() ** -0.5 if weights.ndim > 1 else 0.0
        weights.copy_(torch.randn(weights.shape, generator=generator) * spread)
        if name == "vae_scale":
            weights.fill_(1.0)
    return comfy.sd.VAE(sd=state, metadata={"tae_latent_channels": channels})


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
    channels = model.model.latent_format.latent_channels
    return patch_cast(model, tuple(cast), None, recipe, strength, tiny_vae(channels))


@torch.inference_mode()
def sample(model, positive=None, negative=None, cfg=1.0, steps=2, size=None, batch=1, guider=None, seed=5):
    """Latents [batch, C, *size] from a few real steps."""
    channels = model.model.latent_format.latent_channels
    size = size or ({16: (8, 8), 128: (4, 4)}[channels])
    noise = torch.randn(batch, channels, *size, generator=torch.Generator().manual_seed(seed))
    if guider is None:
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(positive or text(1), negative or text(2))
        guider.set_cfg(cfg)
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "simple", steps)
    sampler = comfy.samplers.sampler_object("euler")
    return guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=seed)
