"""The published file of EVA02-CLIP-L-14-336: the exact keys and shapes of its picture half, at any width."""

from __future__ import annotations

from .adapter_files import Shapes, linear, norm


def eva(width: int = 1024, depth: int = 24, hidden: int = 2730, outputs: int = 768, cells: int = 24) -> Shapes:
    """Keys with their shapes, as in EVA02_CLIP_L_336_psz14_s6B.pt, rotary buffers included."""
    places, head = cells * cells, 64
    shapes: Shapes = {"cls_token": (1, 1, width), "pos_embed": (1, places + 1, width)}
    shapes |= {"patch_embed.proj.weight": (width, 3, 14, 14), "patch_embed.proj.bias": (width,)}
    shapes |= {"rope.freqs_cos": (places, head), "rope.freqs_sin": (places, head)}
    for block in range(depth):
        at = f"blocks.{block}"
        shapes |= norm(f"{at}.norm1", width) | norm(f"{at}.norm2", width)
        shapes |= {f"{at}.attn.q_bias": (width,), f"{at}.attn.v_bias": (width,)}
        for part in ("q_proj", "k_proj", "v_proj"):
            shapes |= linear(f"{at}.attn.{part}", width, width, bias=False)
        shapes |= {f"{at}.attn.rope.freqs_cos": (places, head), f"{at}.attn.rope.freqs_sin": (places, head)}
        shapes |= norm(f"{at}.attn.inner_attn_ln", width) | linear(f"{at}.attn.proj", width, width)
        shapes |= linear(f"{at}.mlp.w1", hidden, width) | linear(f"{at}.mlp.w2", hidden, width)
        shapes |= norm(f"{at}.mlp.ffn_ln", hidden) | linear(f"{at}.mlp.w3", width, hidden)
    shapes |= norm("norm", width) | linear("head", outputs, width)
    return {f"visual.{key}": shape for key, shape in shapes.items()}


def eva_clip(**sizes: int) -> Shapes:
    """The same with a few keys of the other half, which belongs to the file."""
    return eva(**sizes) | {"logit_scale": (), "text.positional_embedding": (77, 8), "text.ln_final.weight": (8,)}
