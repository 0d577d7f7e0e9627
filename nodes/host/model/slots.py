"""The places where ComfyUI keeps attention replacements, which Troupe shares with other packs.

ComfyUI has one place per layer, and packs disagree about how to share it: some overwrite it, some call a method of
whatever they find there, some use the key of the block and some the key of the transformer in it. Troupe therefore
leaves the places alone. Its own term is put around what stands there at the moment the model is called, so that it
does not matter who patched first, and nobody can find an object of Troupe's to change.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import comfy.ldm.modules.attention as attention
from torch import Tensor, nn

from .blocks import BlockKey

Replacement = Callable[[Tensor, Tensor, Tensor, dict], Tensor]
"""(q, k, v, extra options) -> attention output, [B, N, H*D]."""

# What packs call on a replacement they find, to join it.
JOINING = ("add", "set_new_condition")


def text_attention(q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
    """What ComfyUI itself computes in a layer that nobody replaced, bit for bit."""
    return attention.optimized_attention(
        q,
        k,
        v,
        extra_options["n_heads"],
        attn_precision=extra_options["attn_precision"],
        transformer_options=extra_options,
    )


def wrap_layers(
    transformer_options: dict,
    keys: Iterable[BlockKey],
    wrap: Callable[[int, Replacement], Replacement],
    kind: str = "attn2",
) -> dict:
    """Transformer options with `wrap(number, what stands there)` at every key; those given do not change.

    kind : "attn1" for self-attention, "attn2" for cross-attention
    """
    replaced = transformer_options.get("patches_replace", {})
    present: Mapping[Any, Replacement] = replaced.get(kind, {})
    layers = dict(present)
    for number, key in enumerate(keys):
        layers[key] = wrap(number, present.get(key) or present.get(key[:2]) or text_attention)
    return {**transformer_options, "patches_replace": {**replaced, kind: layers}}


def keep_replacements_apart(patcher: Any) -> None:
    """Give a cloned model its own copies of the replacements that other packs may join later.

    ComfyUI clones share these objects, and a pack that joins one in a clone would change every model upstream, more
    with each run of the graph.
    """
    present = patcher.model_options.get("transformer_options", {}).get("patches_replace", {}).get("attn2", {})
    copies = {id(patch): _own_copy(patch) for patch in present.values() if _can_be_joined(patch)}
    for key, patch in present.items():
        if id(patch) in copies:
            present[key] = copies[id(patch)]


def _can_be_joined(patch: Any) -> bool:
    if isinstance(patch, (type, nn.Module)) or not hasattr(patch, "__dict__"):
        return False
    return any(callable(getattr(type(patch), name, None)) for name in JOINING)


def _own_copy(patch: Any) -> Any:
    own = copy.copy(patch)
    for name, value in vars(own).items():
        if isinstance(value, (list, dict)):
            setattr(own, name, value.copy())
    return own
