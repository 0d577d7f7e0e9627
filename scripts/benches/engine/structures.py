"""The UNets and adapters that the engine is measured on: ComfyUI's own classes in real shapes, with random weights."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....attention.recipes.cast import Member
from ....attention.regions.region import Region

TOKENS = 16  # per person, as FaceID-portrait and InstantID adapters have
TEXT = 77
EMBEDDING = 512
HIDDEN = 1024  # of the projection, in every published FaceID file
SAME_FOR_ALL = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "use_spatial_transformer": True,
    "legacy": False,
    "use_temporal_attention": False,
    "use_temporal_resblock": False,
    "use_checkpoint": False,
}


@dataclass(frozen=True)
class Structure:
    """A model family's UNet.

    family : the class in comfy.supported_models
    unet   : its configuration, as ComfyUI finds it in a checkpoint
    pooled : numbers of the pooled text that conditionings bring along, 0 for none
    """

    name: str
    family: str
    unet: dict[str, Any] = field(repr=False)
    pooled: int = 0

    @property
    def context(self) -> int:
        """Numbers per text token."""
        return self.unet["context_dim"]

    def narrow(self) -> Structure:
        """The same layers a tenth as wide: for what depends on the layers and not on their width."""
        return replace(self, unet={**self.unet, "model_channels": 32, "context_dim": 64})


SD15 = Structure(
    "SD1.5",
    "SD15",
    {
        **SAME_FOR_ALL,
        "model_channels": 320,
        "num_res_blocks": [2, 2, 2, 2],
        "channel_mult": [1, 2, 4, 4],
        "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
        "transformer_depth_output": [1] * 9 + [0] * 3,
        "transformer_depth_middle": 1,
        "context_dim": 768,
        "use_linear_in_transformer": False,
        "adm_in_channels": None,
        "num_classes": None,
    },
)
SDXL = Structure(
    "SDXL",
    "SDXL",
    {
        **SAME_FOR_ALL,
        "model_channels": 320,
        "num_res_blocks": [2, 2, 2],
        "channel_mult": [1, 2, 4],
        "transformer_depth": [0, 0, 2, 2, 10, 10],
        "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
        "transformer_depth_middle": 10,
        "context_dim": 2048,
        "use_linear_in_transformer": True,
        "adm_in_channels": 2816,
        "num_classes": "sequential",
        "num_head_channels": 64,
    },
    pooled=1280,
)


@torch.inference_mode()
def random_model(structure: Structure, dtype: torch.dtype) -> Any:
    """A MODEL with weights of variance 1 / fan-in, made where the host would run it."""
    import comfy.model_management as management
    import comfy.model_patcher
    import comfy.supported_models

    device = management.get_torch_device()
    config = getattr(comfy.supported_models, structure.family)(structure.unet)
    config.set_inference_dtype(dtype, None)
    # Outside of inference mode, or the host could not move the weights later.
    with torch.inference_mode(False), torch.no_grad():
        model = config.get_model({}, "", device=device)
        model.to(device)
        generator = torch.Generator(device).manual_seed(0)
        for name, weight in model.diffusion_model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, weight[0].numel() ** -0.5, generator=generator)
            else:
                weight.fill_(1.0 if name.endswith("weight") else 0.0)
    offload = management.unet_offload_device()
    return comfy.model_patcher.CoreModelPatcher(model, load_device=device, offload_device=offload)


def random_vae() -> Any:
    """A VAE in TAESD's format with the four latent channels of SD1.5 and SDXL, and random weights."""
    import comfy.sd
    from comfy.taesd.taesd import TAESD

    generator = torch.Generator().manual_seed(4)
    state = TAESD().state_dict()
    for name, weight in state.items():
        if weight.ndim > 1:
            state[name] = torch.randn(weight.shape, generator=generator) * weight[0].numel() ** -0.5
        else:
            state[name] = torch.full_like(weight, float(name == "vae_scale"))
    return comfy.sd.VAE(sd=state)


def random_adapter(structure: Structure, model: Any) -> Any:
    """An adapter with 16 tokens that fits the model, loaded from a file with the keys of the published FaceID ones."""
    from safetensors.torch import save_file

    from ....nodes.host.adapters.adapter_model import load_adapter
    from ....nodes.host.adapters.loaded_adapter import AdapterSettings
    from ....nodes.host.model.blocks import cross_attention_blocks

    widths = [block.width for block in cross_attention_blocks(model)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random-faceid-portrait.safetensors"
        save_file(_adapter_state(structure.context, widths), path)
        return load_adapter(path, path.name, AdapterSettings(recogniser="any"))


def _adapter_state(cross: int, widths: list[int]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)

    def weight(*shape: int) -> Tensor:
        return (torch.randn(shape, generator=generator) / shape[-1] ** 0.5).half()

    state = {
        "image_proj.proj.0.weight": weight(HIDDEN, EMBEDDING) * 20,  # unit vectors of 512 numbers are small ones
        "image_proj.proj.0.bias": weight(HIDDEN),
        "image_proj.proj.2.weight": weight(TOKENS * cross, HIDDEN),
        "image_proj.proj.2.bias": weight(TOKENS * cross),
        "image_proj.norm.weight": torch.ones(cross).half(),
        "image_proj.norm.bias": weight(cross),
    }
    for layer, width in enumerate(widths):
        for which in "kv":
            state[f"ip_adapter.{2 * layer + 1}.to_{which}_ip.weight"] = weight(width, cross)
    return state


def random_conditioning(structure: Structure, seed: int) -> list:
    """A prompt of one chunk as nodes pass it, of random numbers."""
    generator = torch.Generator().manual_seed(seed)
    extra = {"pooled_output": torch.randn(1, structure.pooled, generator=generator)} if structure.pooled else {}
    return [[torch.randn(1, TEXT, structure.context, generator=generator), extra]]


def random_person(seed: int) -> Any:
    """An identity whose embedding is random."""
    rows = torch.randn(1, EMBEDDING, generator=torch.Generator().manual_seed(seed)).numpy()
    return SimpleNamespace(name=f"person {seed}", embeddings={"random": rows.astype(np.float32)})


def side_by_side(people: int) -> tuple[Member, ...]:
    """A cast of random people in equal upright strips."""
    strips = [Region(f"{i + 1}", x=i / people, width=1 / people) for i in range(people)]
    return tuple(Member(random_person(seed), strip) for seed, strip in enumerate(strips))
