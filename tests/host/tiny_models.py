"""Tiny real models with random weights: ComfyUI's own UNet in SD1.5's block structure, and an adapter that fits it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.samplers
import comfy.supported_models
import comfy.utils
import torch
from comfy.model_base import ModelType
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe_book import recipe_named
from pack.attention.regions.region import Region
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.adapters.loaded_adapter import LoadedAdapter
from pack.nodes.host.cast.model_patch import patch_cast
from safetensors.torch import save_file

CONTEXT = 64
ADAPTER_LAYERS = [("input", block, 0) for block in (1, 2, 4, 5, 7, 8)]
ADAPTER_LAYERS += [("output", block, 0) for block in range(3, 12)] + [("middle", 0, 0)]
WIDTHS = [32] * 2 + [64] * 2 + [128] * 2 + [128] * 3 + [64] * 3 + [32] * 3 + [128]

UNET = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "num_res_blocks": [2, 2, 2, 2],
    "channel_mult": [1, 2, 4, 4],
    "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
    "transformer_depth_output": [1] * 9 + [0] * 3,
    "transformer_depth_middle": 1,
    "use_spatial_transformer": True,
    "context_dim": CONTEXT,
    "use_linear_in_transformer": False,
    "legacy": False,
    "adm_in_channels": None,
    "use_temporal_attention": False,
    "use_temporal_resblock": False,
    "num_classes": None,
    "use_checkpoint": False,
}


class TinySD15(comfy.supported_models.SD15):
    """SD1.5's structure with a tenth of its width."""

    unet_config = {
        "context_dim": CONTEXT,
        "model_channels": 32,
        "use_linear_in_transformer": False,
        "adm_in_channels": None,
        "use_temporal_attention": False,
    }
    unet_extra_config = {"num_heads": 4, "num_head_channels": -1}
    supported_inference_dtypes = [torch.float32]
    memory_usage_factor = 0.1


def tiny_model(
    seed: int = 0, dtype: torch.dtype = torch.float32, kind: ModelType = ModelType.EPS, **changes
) -> comfy.model_patcher.ModelPatcher:
    """A model patcher around a UNet with random weights of variance 1 / fan-in; `kind` is what it predicts."""
    config = TinySD15({**UNET, **changes})
    config.model_type = lambda *_: kind
    config.set_inference_dtype(dtype, None)
    model = config.get_model({}, "", device=torch.device("cpu"))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.diffusion_model.named_parameters():
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / fan_in**0.5)
            else:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
    return comfy.model_patcher.CoreModelPatcher(
        model,
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )


def adapter_state(tokens: int = 4, cross: int = CONTEXT, widths=WIDTHS, hidden: int = 32, seed: int = 1) -> dict:
    """A flat IP-Adapter FaceID file with random weights."""
    generator = torch.Generator().manual_seed(seed)

    def weight(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) / shape[-1] ** 0.5

    state = {
        "image_proj.proj.0.weight": weight(hidden, 512) * 20,  # unit vectors of 512 numbers are small ones
        "image_proj.proj.0.bias": weight(hidden),
        "image_proj.proj.2.weight": weight(tokens * cross, hidden),
        "image_proj.proj.2.bias": weight(tokens * cross),
        "image_proj.norm.weight": 1 + 0.1 * weight(cross),
        "image_proj.norm.bias": weight(cross),
    }
    for layer, width in enumerate(widths):
        for which in "kv":
            state[f"ip_adapter.{2 * layer + 1}.to_{which}_ip.weight"] = weight(width, cross)
    return state


def tiny_adapter(folder: Path, **shape) -> LoadedAdapter:
    """An adapter loaded from a real file in `folder`; arguments as for `adapter_state`."""
    path = folder / f"tiny-{len(list(folder.iterdir()))}.safetensors"
    save_file(adapter_state(**shape), path)
    return load_adapter(path, path.name)


def conditioning(seed: int, **values) -> list:
    """A prompt as ComfyUI passes it between nodes, with random text tokens."""
    return [[torch.randn(1, 77, CONTEXT, generator=torch.Generator().manual_seed(seed)), dict(values)]]


POSITIVE = conditioning(11)
NEGATIVE = conditioning(12)


def person(name: str, seed: int, recognisers=("only",)) -> SimpleNamespace:
    """An identity with random embeddings, two photos."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(1, 512, generator=generator) + 0.3 * torch.randn(2, 512, generator=generator)
    return SimpleNamespace(name=name, embeddings={key: rows.numpy() * 20 for key in recognisers})


ADA, BOB, CY = person("Ada", 21), person("Bob", 22), person("Cy", 23)
EVERYWHERE = Region("everywhere")
LEFT, RIGHT = Region("left", width=0.5), Region("right", x=0.5, width=0.5)
TWO = (Member(ADA, LEFT), Member(BOB, RIGHT))


# Every way of Apply Cast to bring a cast into a picture: what keeps working keeps working with each of them.
MODES = ["decoupled", "masked", "gated"]


def apply(model, cast, adapter=None, strength=1.0, mode="decoupled"):
    """Patch a model with the recipe of that mode."""
    return patch_cast(model, tuple(cast), adapter, recipe_named(mode), strength)


def starting_noise(batch=1, size=(8, 8), seed=5) -> torch.Tensor:
    """[batch, 4, *size]; a smaller batch begins like a larger one."""
    return torch.randn(batch, 4, *size, generator=torch.Generator().manual_seed(seed))


@torch.inference_mode()
def sample(
    model,
    positive=POSITIVE,
    negative=NEGATIVE,
    size=(8, 8),
    cfg=4.0,
    steps=2,
    batch=1,
    guider=None,
    noise=None,
    latent=None,
    **options,
):
    """Latents [batch, 4, *size] from a few real sampling steps, float32.

    noise  : the noise to start from instead of that of `batch` and `size`
    latent : the picture to start from, in latent cells; `options` go to the guider
    """
    noise = starting_noise(batch, size) if noise is None else noise
    latent = torch.zeros_like(noise) if latent is None else latent
    if guider is None:
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(positive, negative)
        guider.set_cfg(cfg)
    sampling = model.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(sampling, "simple", steps)
    sampler = comfy.samplers.sampler_object("euler")
    return guider.sample(noise, latent, sampler, sigmas, disable_pbar=True, seed=5, **options)


def assert_same(latents: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-4) -> None:
    """Equal up to the rounding of another order of the same sums, in units of the expected spread."""
    assert latents.isfinite().all()
    assert ((latents - expected).abs().max() / expected.std()).item() < tolerance


def assert_different(latents: torch.Tensor, expected: torch.Tensor, least: float = 1e-2) -> None:
    """Further apart than rounding could bring them."""
    assert latents.isfinite().all()
    assert ((latents - expected).abs().max() / expected.std()).item() > least
