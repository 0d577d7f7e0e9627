"""Apply the LoRA that a FaceID file carries, through ComfyUI's own LoRA code."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import comfy.lora
import torch
from comfy.ldm.modules.attention import SpatialTransformer

from ....attention.adapters.lora import LoraPair
from ..model.blocks import BlockKey, cross_attention_blocks
from .loaded_adapter import LoadedAdapter

log = logging.getLogger(__name__)
APPLIED = "troupe_loras"  # attachment of a model: names of the files whose LoRA it has
PARTS = {"q": "to_q", "k": "to_k", "v": "to_v", "out": "to_out.0"}


def apply_loras(patched: Any, adapters: Sequence[LoadedAdapter]) -> None:
    """Add to a cloned model the LoRA of each adapter that has one: once, however many casts and members use it.

    A LoRA that the model has already, from the separate file and Load LoRA, is not added again.
    Raises ValueError when a LoRA does not fit the model.
    """
    applied = set(patched.get_attachment(APPLIED) or ())
    for adapter in adapters:
        if not adapter.lora or adapter.module in applied:
            continue
        lora, keys = as_host_lora(patched, adapter)
        if _is_there(patched, adapter, keys):
            log.info("Troupe: the LoRA inside '%s' is on the model already, so it is not added again.", adapter.name)
            continue
        patched.add_patches(comfy.lora.load_lora(lora, keys), adapter.settings.lora_strength)
        applied.add(adapter.module)
    patched.set_attachments(APPLIED, frozenset(applied))


def as_host_lora(model: Any, adapter: LoadedAdapter) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The LoRA as comfy.lora.load_lora reads it: tensors by name, and the model's weights by the same names."""
    names = transformer_names(model)
    blocks = [names[block.key] for block in cross_attention_blocks(model)]
    weights = model.model_state_dict("diffusion_model.")
    lora, keys = {}, {}
    for number, pair in enumerate(adapter.lora):
        target = _target(blocks, pair)
        shape = tuple(weights[target].shape[:2]) if target in weights else None
        if shape != (pair.up.shape[0], pair.down.shape[1]):
            raise ValueError(
                f"Troupe: the LoRA inside '{adapter.name}' does not fit this model: it changes {target} of shape "
                f"{[pair.up.shape[0], pair.down.shape[1]]}, and the model has {list(shape or [])} there. Choose an "
                "adapter made for the model's family, or set 'lora_strength' in Load Identity Adapter to 0."
            )
        lora[f"{number}.lora_up.weight"], lora[f"{number}.lora_down.weight"] = pair.up, pair.down
        keys[f"{number}"] = target
    return lora, keys


def transformer_names(model: Any) -> dict[BlockKey, str]:
    """Where each transformer block of a UNet lies among the model's weights, by its key for replacements."""
    unet = model.model.diffusion_model
    unet = getattr(unet, "_orig_mod", unet)
    sections = [("input_blocks", "input"), ("output_blocks", "output")]
    blocks = [(f"{at}.{i}", (key, i), block) for at, key in sections for i, block in enumerate(getattr(unet, at))]
    blocks.append(("middle_block", ("middle", 0), unet.middle_block or ()))
    return {
        (*key, index): f"diffusion_model.{name}.{place}.transformer_blocks.{index}"
        for name, key, block in blocks
        for place, layer in enumerate(block)
        if isinstance(layer, SpatialTransformer)
        for index in range(len(layer.transformer_blocks))
    }


def _target(blocks: Sequence[str], pair: LoraPair) -> str:
    return f"{blocks[pair.layer]}.attn{2 if pair.cross else 1}.{PARTS[pair.part]}.weight"


def _is_there(model: Any, adapter: LoadedAdapter, keys: dict[str, str]) -> bool:
    """Whether the model carries the first of the LoRA's matrices already."""
    for patch in model.patches.get(keys["0"], ()):
        weights = getattr(patch[1], "weights", ())
        if len(weights) > 1 and all(isinstance(part, torch.Tensor) for part in weights[:2]):
            found, own = weights[:2], (adapter.lora[0].up, adapter.lora[0].down)
            if all(
                a.shape == b.shape and torch.equal(a.cpu().float(), b.float()) for a, b in zip(found, own, strict=True)
            ):
                return True
    return False
