"""Keys and values of everybody in a cast, made once from what they are made of and kept between runs of the graph.

Each weight of an adapter is needed once for that and then not again, so it is not loaded beside the model: ComfyUI's
operations bring one layer's weights at a time to the device. What remains is a few megabytes per person, on the CPU.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ....attention.projections import join_sources
from ..cast.blocks import BlockKey, CrossAttentionBlock
from ..cast.troop import Troop

KeysValues = Mapping[BlockKey, tuple[Tensor, Tensor]]


def keys_values_of(
    troops: Sequence[Troop], blocks: Sequence[CrossAttentionBlock], device: torch.device, dtype: torch.dtype
) -> KeysValues:
    """Keys and values of all sources of all troops, [S, T, width] for each layer."""
    widths = [width for block in blocks for width in (block.width, block.width)]
    sources = join_sources([_sources(troop, blocks, device, dtype) for troop in troops])
    parts = [part.contiguous() for part in sources.split(widths, -1)]
    return {block.key: (parts[2 * i], parts[2 * i + 1]) for i, block in enumerate(blocks)}


def _sources(troop: Troop, blocks: Sequence[CrossAttentionBlock], device: torch.device, dtype: torch.dtype) -> Tensor:
    """The sources of a troop with the keys and values of all layers side by side, [S, T, sum of widths]."""
    rows = _rows(troop, blocks, device, dtype)
    zeros = [rows[0].new_zeros(troop.adapter.zero_tokens, rows[0].shape[-1])]
    whole = [torch.cat([rows[row] for row in source] + zeros) for source in troop.sources]
    return torch.stack([part.repeat(troop.tokens // len(part), 1) for part in whole])


def _rows(
    troop: Troop, blocks: Sequence[CrossAttentionBlock], device: torch.device, dtype: torch.dtype
) -> list[Tensor]:
    """Every row's keys and values of all layers, [T, sum of widths] each; those that were kept are not made again."""
    kept = troop.adapter.kept
    widen = None if troop.widen is None else weakref.ref(troop.widen)
    keys = [(troop.rows.digest(row), dtype, widen) for row in range(len(troop.rows))]
    found = {key: kept.get(key) for key in set(keys)}
    missing = [row for row, key in enumerate(keys) if found[key] is None]
    if missing:
        for row, made in zip(missing, _project(troop, missing, blocks, device, dtype), strict=True):
            found[keys[row]] = made
            kept.put(keys[row], made)
    return [found[key].to(device) for key in keys]


def _project(
    troop: Troop, rows: list[int], blocks: Sequence[CrossAttentionBlock], device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Keys and values of all layers of some rows, [R, T, sum of widths]; computed in float32, as the inputs are."""
    module = troop.adapter.module
    tokens = module.tokens(troop.rows.rows(rows).to(device))
    if troop.widen is not None:
        tokens = troop.widen(tokens.to(troop.widen.weight.dtype)).float()
    parts = []
    for layer, block in enumerate(blocks):
        keys, values = module.keys_and_values(tokens, layer)
        dead = troop.adapter.settings.peers and block.key[0] == "middle"  # older packs never reach the middle block
        parts += [keys.to(dtype), values.to(dtype) * (0 if dead else 1)]
    return torch.cat(parts, -1)
