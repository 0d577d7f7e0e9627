"""ComfyUI's Flux transformer with FLUX.2's features, forward as in the host but fit for gradients.

The host's blocks add to their inputs in place, which gradients do not survive; here are the same sums out of place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .host_models import matrix_attention


@dataclass(frozen=True)
class Reference:
    """Pictures that a batch is shown: latent [B, C, h, w], and place [B] among its references, 10 for the first."""

    latent: Tensor
    place: Tensor


@dataclass(frozen=True)
class Blocks:
    """The two forwards that cost, to be replaced by compiled ones."""

    double: Callable[..., tuple[Tensor, Tensor]]
    single: Callable[..., Tensor]


def double_block(block: nn.Module, img: Tensor, txt: Tensor, mods: tuple, pe: tuple) -> tuple[Tensor, Tensor]:
    """DoubleStreamBlock: img [B, N, C] and txt [B, T, C], each with its own weights, attending together."""
    (img_mod, img_mod2), (txt_mod, txt_mod2) = mods
    parts = [
        _heads(txt, block.txt_norm1, block.txt_attn, txt_mod, block.num_heads),
        _heads(img, block.img_norm1, block.img_attn, img_mod, block.num_heads),
    ]
    q, k, v = (torch.cat(both, 2) for both in zip(*parts, strict=True))
    attended = _attention(q, k, v, pe)
    txt = txt + block.txt_attn.proj(attended[:, : txt.shape[1]]) * txt_mod.gate
    img = img + block.img_attn.proj(attended[:, -img.shape[1] :]) * img_mod.gate
    img = img + block.img_mlp(_modulated(block.img_norm2(img), img_mod2)) * img_mod2.gate
    txt = txt + block.txt_mlp(_modulated(block.txt_norm2(txt), txt_mod2)) * txt_mod2.gate
    return img, txt


def single_block(block: nn.Module, x: Tensor, mod, pe: tuple) -> Tensor:
    """SingleStreamBlock: x [B, T + N, C], attention and MLP side by side."""
    widths = [3 * block.hidden_size, block.mlp_hidden_dim_first]
    qkv, mlp = block.linear1(_modulated(block.pre_norm(x), mod)).split(widths, -1)
    q, k, v = qkv.unflatten(-1, (3, block.num_heads, -1)).permute(2, 0, 3, 1, 4)
    q, k = block.norm(q, k, v)
    return x + block.linear2(torch.cat([_attention(q, k, v, pe), block.mlp_act(mlp)], -1)) * mod.gate


PLAIN = Blocks(double_block, single_block)


def velocity(
    model: nn.Module,
    x: Tensor,
    time: Tensor,
    text: Tensor,
    references: Sequence[Reference] = (),
    text_start: Tensor | None = None,
    blocks: Blocks = PLAIN,
) -> Tensor:
    """What the model's own forward answers: x [B, C, h, w], time [B] in 0..1, text [B, T, C] -> [B, C, h, w].

    text_start : [B] the place of the first word, 0 in the host; a text that stands behind another starts later
    """
    parts = [model.process_img(x)]
    for reference in references:
        tokens, ids = model.process_img(reference.latent)
        first_axis = reference.place[:, None, None] * torch.tensor([1.0, 0.0, 0.0, 0.0])
        parts.append((tokens, ids + first_axis))
    words = torch.zeros(*text.shape[:2], 4)
    words[..., 3] = torch.arange(text.shape[1])
    if text_start is not None:
        words[..., 3] += text_start[:, None]
    pe = _rotations(model, torch.cat([words, *(ids for _, ids in parts)], 1))
    own = parts[0][0].shape[1]
    img, txt = model.img_in(torch.cat([tokens for tokens, _ in parts], 1)), model.txt_in(text)
    vec = model.time_in(_time_embedding(time))
    mods = model.double_stream_modulation_img(vec), model.double_stream_modulation_txt(vec)
    for block in model.double_blocks:
        img, txt = blocks.double(block, img, txt, mods, pe)
    both = torch.cat([txt, img], 1)
    mod, _ = model.single_stream_modulation(vec)
    for block in model.single_blocks:
        both = blocks.single(block, both, mod, pe)
    out = model.final_layer(both[:, text.shape[1] : text.shape[1] + own], vec)
    rows, columns, patch = x.shape[2] // model.patch_size, x.shape[3] // model.patch_size, model.patch_size
    out = out.unflatten(1, (rows, columns)).unflatten(-1, (-1, patch, patch))
    return out.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def _time_embedding(time: Tensor) -> Tensor:
    from comfy.ldm.flux.layers import timestep_embedding

    return timestep_embedding(time, 256)


def _rotations(model: nn.Module, ids: Tensor) -> Tensor:
    """The rotary embedding of ids [B, L, 4] as the host has it: [B, 1, L, D / 2, 2, 2]."""
    return model.pe_embedder(ids)


def _modulated(x: Tensor, mod) -> Tensor:
    return torch.addcmul(mod.shift, x, 1 + mod.scale)


def _heads(x: Tensor, norm: nn.Module, attention: nn.Module, mod, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of one stream: [B, N, C] -> three times [B, H, N, D]."""
    q, k, v = attention.qkv(_modulated(norm(x), mod)).unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    return (*attention.norm(q, k, v), v)


def _attention(q: Tensor, k: Tensor, v: Tensor, pe: Tensor) -> Tensor:
    return matrix_attention(_rotated(q, pe), _rotated(k, pe), v, q.shape[1], skip_reshape=True)


def _rotated(x: Tensor, pe: Tensor) -> Tensor:
    """Rotary embedding of pairs of channels, [B, H, L, D], as the host computes it while it trains."""
    pairs = x.to(pe.dtype).unflatten(-1, (-1, 1, 2))
    out = pe[..., 0] * pairs[..., 0]
    return torch.addcmul(out, pe[..., 1], pairs[..., 1]).flatten(-2).type_as(x)
