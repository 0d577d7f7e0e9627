"""Adapters in the published IP-Adapter form (arXiv 2308.06721): FaceID, and plain ones that read CLIP vision."""

import torch
from torch import Tensor, nn

from ..form import CONTEXT
from .host_models import matrix_attention

TOKENS = 4


def cross_attentions(unet: nn.Module) -> list[tuple[tuple[str, int], int]]:
    """Block keys and widths of all attn2 in the order of published adapters: input, output, then middle."""
    found = []
    for name, blocks in (("input", unet.input_blocks), ("output", unet.output_blocks), ("middle", [unet.middle_block])):
        for number, block in enumerate(blocks):
            for module in block.modules():
                if type(module).__name__ == "BasicTransformerBlock":
                    found.append(((name, number), module.attn2.to_k.weight.shape[0]))
    return found


def _faceid_projection() -> nn.Module:
    return nn.Sequential(nn.Linear(512, 1024), nn.GELU(), nn.Linear(1024, TOKENS * CONTEXT))


class Adapter(nn.Module):
    """`image_proj` and `ip_adapter` with the key names of published files.

    blocks : keys and widths of the attn2 layers, from `cross_attentions`
    width  : of the image embeddings that a plain adapter reads; without it, the adapter is a FaceID one
    """

    def __init__(self, blocks: list[tuple[tuple[str, int], int]], width: int | None = None):
        super().__init__()
        self.blocks = [key for key, _ in blocks]
        self.image_proj = nn.Module()
        self.image_proj.proj = _faceid_projection() if width is None else nn.Linear(width, TOKENS * CONTEXT)
        self.image_proj.norm = nn.LayerNorm(CONTEXT)
        self.ip_adapter = nn.ModuleDict()
        for n, (_, width) in enumerate(blocks):
            pair = nn.Module()
            pair.to_k_ip = nn.Linear(CONTEXT, width, bias=False)
            pair.to_v_ip = nn.Linear(CONTEXT, width, bias=False)
            nn.init.zeros_(pair.to_v_ip.weight)
            self.ip_adapter[str(2 * n + 1)] = pair

    def tokens(self, embedding: Tensor) -> Tensor:
        """Normed face embeddings [B, 512], or image embeddings [B, width] as they are -> tokens [B, 4, CONTEXT]."""
        return self.image_proj.norm(self.image_proj.proj(embedding).unflatten(-1, (TOKENS, CONTEXT)))

    def attention_patches(self, tokens: Tensor, plain: int = 0) -> dict:
        """Replacements for attn2, by block, that add the identity's own attention to the text's (ibid., eq. 5).

        tokens : [B, 4, CONTEXT], of the rows of a batch after the first `plain` ones, which have the text alone
        """
        patches = {}
        for n, key in enumerate(self.blocks):
            pair = self.ip_adapter[str(2 * n + 1)]

            def attend(q, k, v, extra, pair=pair):
                heads = extra["n_heads"]
                own = matrix_attention(q[plain:], pair.to_k_ip(tokens), pair.to_v_ip(tokens), heads)
                text = matrix_attention(q, k, v, heads)
                return torch.cat([text[:plain], text[plain:] + own])

            patches[key] = attend
        return patches
