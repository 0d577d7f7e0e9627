"""Keys and values of everybody in a cast, made once from what they are made of and kept between runs of the graph.

Each weight of an adapter is needed once for that and then not again, so it is not loaded beside the model: ComfyUI's
operations bring one layer's weights at a time to the device. What remains is a few megabytes per person, on the CPU.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ....attention.adapters.identity_adapter import join_sources
from ....attention.adapters.inputs import AdapterInputs
from ....attention.recipes.member_settings import V_ONLY, scaled
from ..model.blocks import BlockKey, CrossAttentionBlock
from .adapter_group import AdapterGroup

KeysValues = Mapping[BlockKey, tuple[Tensor, Tensor]]


def keys_values_of(
    groups: Sequence[AdapterGroup], blocks: Sequence[CrossAttentionBlock], device: torch.device, dtype: torch.dtype
) -> KeysValues:
    """Keys and values of all sources of all groups, [S, T, width] for each layer."""
    widths = [width for block in blocks for width in (block.width, block.width)]
    kinds = [group.adapter.method.orthogonal for group in groups]
    sources = join_sources([_sources(group, blocks, device, dtype) for group in groups], kinds)
    parts = [part.contiguous() for part in sources.split(widths, -1)]
    return {block.key: (parts[2 * i], parts[2 * i + 1]) for i, block in enumerate(blocks)}


def _sources(
    group: AdapterGroup, blocks: Sequence[CrossAttentionBlock], device: torch.device, dtype: torch.dtype
) -> Tensor:
    """The sources of a group with the keys and values of all layers side by side, [S, T, sum of widths]."""
    runs = _runs(group, blocks, device, dtype)
    (width,) = {part.shape[-1] for part in runs.values()}
    zeros = [torch.zeros(group.adapter.zero_tokens, width, device=device, dtype=dtype)]
    whole = [torch.cat([runs[run] for run in source] + zeros) for source in group.runs]
    sources = torch.stack([part.repeat(group.tokens // len(part), 1) for part in whole])
    return sources if group.scaling.kind == V_ONLY else _scaled(group, sources, blocks)


def _scaled(group: AdapterGroup, sources: Tensor, blocks: Sequence[CrossAttentionBlock]) -> Tensor:
    """Keys and values of all layers side by side, [S, T, sum of widths], times the strengths of a group's members."""
    parts = sources.split([width for block in blocks for width in (block.width, block.width)], -1)
    pairs = zip(parts[::2], parts[1::2], group.scaling.strengths, strict=True)
    return torch.cat([part for keys, values, by in pairs for part in scaled(group.scaling.kind, keys, values, by)], -1)


def _runs(
    group: AdapterGroup, blocks: Sequence[CrossAttentionBlock], device: torch.device, dtype: torch.dtype
) -> dict[tuple[int, ...], Tensor]:
    """Keys and values of all layers of each run, [T, sum of widths]; those that were kept are not made again."""
    kept = group.adapter.kept
    widen = None if group.widen is None else weakref.ref(group.widen)
    digests = [group.rows.digest(row) for row in range(len(group.rows))]
    runs = dict.fromkeys(run for source in group.runs for run in source)
    keys = {run: (tuple(digests[row] for row in run), dtype, widen) for run in runs}
    found = {key: kept.get(key) for key in keys.values()}
    missing = [run for run in runs if found[keys[run]] is None]
    alone = [run for run in missing if len(run) == 1]
    batches = [(alone, group.rows.rows([row for (row,) in alone]))] if alone else []
    for run in missing:
        if len(run) > 1:
            inputs = group.rows.rows(run)
            batches.append(([run], inputs.together() if group.adapter.format.joins else inputs))
    for batch, inputs in batches:
        projected = _project(group, inputs, blocks, device, dtype)
        if len(projected) > len(batch):  # photos of one person, each reconfigured by itself: linear in the tokens
            projected = (projected * inputs.turned[:, 1, None, None].to(projected)).sum(0, keepdim=True)
        for run, made in zip(batch, projected, strict=True):
            found[keys[run]] = made
            kept.put(keys[run], made)
    return {run: found[key].to(device) for run, key in keys.items()}


def _project(
    group: AdapterGroup,
    inputs: AdapterInputs,
    blocks: Sequence[CrossAttentionBlock],
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """Keys and values of all layers of some rows, [R, T, sum of widths]; computed in float32, as the inputs are."""
    module = group.adapter.module
    tokens = module.tokens(inputs.to(device))
    if inputs.motions is not None:
        tokens = group.adapter.reconfigurer(tokens, inputs.motions, inputs.turned[:, 0])
    if group.widen is not None:
        tokens = group.widen(tokens.to(group.widen.weight.dtype)).float()
    parts = []
    for layer, block in enumerate(blocks):
        keys, values = module.keys_and_values(tokens, layer)
        dead = group.adapter.settings.peers and block.key[0] == "middle"  # older packs never reach the middle block
        parts += [keys.to(dtype), values.to(dtype) * (0 if dead else 1)]
    return torch.cat(parts, -1)
