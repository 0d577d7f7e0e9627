"""The cross-attention layers of a loaded UNet, in the order in which adapter files number them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comfy.cldm.cldm import ControlNet as ControlModel
from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import Downsample, UNetModel, Upsample
from torch import nn

BlockKey = tuple[str, int, int]


@dataclass(frozen=True)
class CrossAttentionBlock:
    """One cross-attention layer.

    key     : where ComfyUI looks its replacement up: ("input" | "output" | "middle", block, transformer)
    width   : numbers per query
    context : numbers per text token
    level   : how often the picture was halved before this layer
    """

    key: BlockKey
    width: int
    context: int
    level: int


def unet_of(base: Any) -> nn.Module:
    """The network of a model as ComfyUI runs it (a BaseModel); some packs leave a compiled module in its place."""
    return getattr(base.diffusion_model, "_orig_mod", base.diffusion_model)


def cross_attention_blocks(model) -> list[CrossAttentionBlock]:
    """The cross-attention layers of a model patcher's UNet: input, then output, then middle blocks.

    That is the order in which adapter files number their layers, because the library they were trained with registers
    its blocks so. Raises ValueError for a model that is not a UNet of this family.
    """
    unet = unet_of(model.model)
    if not isinstance(unet, UNetModel):
        raise ValueError(
            f"Troupe: this model is a {type(unet).__name__}, and Apply Cast needs a UNet with cross-attention "
            "(Stable Diffusion 1.5 or SDXL and their fine-tunes). Load such a checkpoint."
        )
    blocks, middle, level = _down_to_the_middle(unet)
    for index, block in enumerate(unet.output_blocks):
        blocks += _in_block(block, ("output", index), level)
        level -= _count(block, Upsample)
    return blocks + middle


def control_blocks(control: ControlModel) -> list[CrossAttentionBlock]:
    """The cross-attention layers of a ControlNet's model: input, then middle blocks, as far as it has them."""
    blocks, middle, _ = _down_to_the_middle(control)
    return blocks + middle


def _down_to_the_middle(
    unet: UNetModel | ControlModel,
) -> tuple[list[CrossAttentionBlock], list[CrossAttentionBlock], int]:
    """The layers of the input blocks, those of the middle block, and the level reached there."""
    blocks, level = [], 0
    for index, block in enumerate(unet.input_blocks):
        level += _count(block, Downsample)
        blocks += _in_block(block, ("input", index), level)
    return blocks, _in_block(unet.middle_block or (), ("middle", 0), level), level


def transformer_at(base: Any, key: BlockKey) -> nn.Module:
    """The transformer at a key of `cross_attention_blocks`, of a model as ComfyUI runs it (a BaseModel)."""
    unet = unet_of(base)
    block = unet.middle_block if key[0] == "middle" else getattr(unet, f"{key[0]}_blocks")[key[1]]
    return next(layer for layer in block if isinstance(layer, SpatialTransformer)).transformer_blocks[key[2]]


def grid_at(size: Sequence[int], level: int) -> tuple[int, int]:
    """Rows and columns of the tokens of a layer, from those of the latent (the last two of `size`)."""
    return -(-size[-2] >> level), -(-size[-1] >> level)


def _count(block, kind: type) -> int:
    return sum(isinstance(layer, kind) for layer in block)


def _in_block(block, name: tuple[str, int], level: int) -> list[CrossAttentionBlock]:
    found = []
    for layer in block:
        if not isinstance(layer, SpatialTransformer):
            continue
        for index, transformer in enumerate(layer.transformer_blocks):
            if transformer.attn2 is not None:
                to_q, to_k = transformer.attn2.to_q, transformer.attn2.to_k
                found.append(CrossAttentionBlock((*name, index), to_q.out_features, to_k.in_features, level))
    return found


def widening(model, adapter) -> nn.Module | None:
    """The model's own map to its text tokens, for an adapter whose tokens are of another width (Kolors FaceID)."""
    if not adapter.spec.token_width:
        return None
    found = getattr(model.model.diffusion_model, "encoder_hid_proj", None)
    if not isinstance(found, nn.Linear) or found.in_features != adapter.spec.token_width:
        raise ValueError(
            f"Troupe: the adapter '{adapter.name}' makes tokens of width {adapter.spec.token_width}, which a Kolors "
            "model maps to its own width by its 'encoder_hid_proj'; this model has none. Load a Kolors model with a "
            "loader that keeps it, or choose an adapter made for this model."
        )
    return found


def check_fit(blocks: list[CrossAttentionBlock], cross_width: int, layer_widths: tuple[int, ...], name: str) -> None:
    """Raise ValueError when an adapter's layers are not those of a model; `name` is the adapter's file."""
    contexts = sorted({block.context for block in blocks})
    widths = tuple(block.width for block in blocks)
    if contexts == [cross_width] and widths == layer_widths:
        return
    raise ValueError(
        f"Troupe: the adapter '{name}' does not fit this model. The adapter has {_layout(layer_widths)} that read "
        f"tokens of width {cross_width} ({_family(cross_width, layer_widths)}); the model has {_layout(widths)} that "
        f"read width {' and '.join(map(str, contexts))} ({_family(contexts[-1] if contexts else 0, widths)}). "
        "Choose an adapter made for the model's family, or another checkpoint."
    )


def _layout(widths: tuple[int, ...]) -> str:
    return f"{len(widths)} cross-attention layers" + (f" {widths[0]} to {max(widths)} wide" if widths else "")


def _family(cross_width: int, widths: tuple[int, ...]) -> str:
    """A name for a person to recognise; nothing is decided by it."""
    families = {(768, 16): "Stable Diffusion 1.5", (1024, 16): "Stable Diffusion 2", (2048, 70): "SDXL"}
    return families.get((cross_width, len(widths)), "another family")
