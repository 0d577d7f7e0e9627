"""See what every cross-attention layer of a real UNet computed without and with Troupe, in one and the same run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

import comfy.ldm.modules.attention as attention
from pack.nodes.host.model.blocks import transformer_at
from pack.tests.host.tiny_models import ADAPTER_LAYERS
from torch import Tensor


@dataclass
class LayerCall:
    """One call of a layer: [B, N, C] before and after Troupe's term, the token grid, and each group's list position."""

    key: tuple
    before: Tensor
    grid: tuple[int, int]
    groups: list[int]
    after: Tensor | None = None

    def change(self, group: int) -> Tensor:
        """[images, H, W, C]: what Troupe added in the rows of the group at that list position."""
        index = self.groups.index(group)
        return (self.after - self.before).chunk(len(self.groups))[index].unflatten(1, self.grid)


def attn2(model, key: tuple):
    """The cross-attention module at a block key."""
    unet = model.model.diffusion_model
    block = unet.middle_block if key[0] == "middle" else getattr(unet, f"{key[0]}_blocks")[key[1]]
    transformer = next(layer for layer in block if hasattr(layer, "transformer_blocks"))
    return transformer.transformer_blocks[key[2]].attn2


@contextmanager
def hooked(hooks: list):
    """Remove hooks of modules in the end."""
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def record_layers(model):
    """A clone of `model` to patch and sample, and the list of layer calls that fills while sampling it.

    The clone has a replacement on every layer that attends to the text as ComfyUI does and notes the outcome, which
    Troupe wraps; a hook on the module behind it notes what arrives there.
    """
    calls: list[LayerCall] = []
    clone = model.clone()

    def replacement(key):
        def text(q, k, v, options):
            out = attention.optimized_attention(q, k, v, options["n_heads"], attn_precision=options["attn_precision"])
            grid = tuple(options["activations_shape"][-2:])
            calls.append(LayerCall(key, out.clone(), grid, list(options["cond_or_uncond"])))
            return out

        return text

    def arrived(_module, inputs):
        calls[-1].after = inputs[0].clone()

    hooks = [attn2(model, key).to_out.register_forward_pre_hook(arrived) for key in ADAPTER_LAYERS]
    for key in ADAPTER_LAYERS:
        clone.set_model_attn2_replace(replacement(key), *key)
    try:
        yield clone, calls
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def self_attention_layers(model, rows: int = 2):
    """What the self-attention layers get and give in the first call with so many rows of a model that is not a clone:
    (key, "to_q" | "to_k" | "to_v" | "out") -> [rows, N, C]."""
    seen: dict[tuple, Tensor] = {}

    def note(key, name, values):
        if len(values) == rows:
            seen.setdefault((key, name), values.detach().clone())

    hooks = []
    for key in ADAPTER_LAYERS:
        layer = transformer_at(model.model, key).attn1
        for name in ("to_q", "to_k", "to_v"):
            hooks.append(getattr(layer, name).register_forward_hook(lambda _, __, out, at=(key, name): note(*at, out)))
        hooks.append(layer.to_out.register_forward_pre_hook(lambda _, inputs, key=key: note(key, "out", inputs[0])))
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
