"""An adapter's layers as published: one person, everywhere, on both halves of the batch, written from the formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import comfy.ldm.modules.attention as attention
import torch
from pack.tests.host.tiny_models import ADAPTER_LAYERS
from torch import Tensor


def with_plain_layers(model, tokens: Sequence[Tensor], weight: Mapping[str, Tensor], strength: float = 1.0):
    """A clone of `model` whose layers add softmax(q K^T / sqrt(d)) V of the tokens to their attention to the text.

    tokens : [T, width] of the positive and of the negative prompt
    weight : the adapter's maps, by the keys of a file's ip_adapter
    """

    def replacement(number):
        def text_and_face(q, k, v, options):
            out = attention.optimized_attention(q, k, v, options["n_heads"])
            context = torch.stack([tokens[index] for index in options["cond_or_uncond"]])
            keys, values = (context @ weight[f"{number}.to_{which}_ip.weight"].T for which in "kv")
            q, keys, values = (t.unflatten(-1, (options["n_heads"], -1)).transpose(1, 2) for t in (q, keys, values))
            scores = (q @ keys.mT / q.shape[-1] ** 0.5).softmax(-1)
            return out + strength * (scores @ values).transpose(1, 2).flatten(2)

        return text_and_face

    clone = model.clone()
    for index, key in enumerate(ADAPTER_LAYERS):
        clone.set_model_attn2_replace(replacement(2 * index + 1), *key)
    return clone
