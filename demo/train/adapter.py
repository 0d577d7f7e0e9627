"""The identity adapter in the published IP-Adapter FaceID form (arXiv 2308.06721), and what its training needs."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ..form import CONTEXT
from .corpus import Corpus
from .faces import face_crops
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


class Adapter(nn.Module):
    """`image_proj` and `ip_adapter` with the key names of published files.

    blocks : keys and widths of the attn2 layers, from `cross_attentions`
    """

    def __init__(self, blocks: list[tuple[tuple[str, int], int]]):
        super().__init__()
        self.blocks = [key for key, _ in blocks]
        self.image_proj = nn.Module()
        self.image_proj.proj = nn.Sequential(nn.Linear(512, 1024), nn.GELU(), nn.Linear(1024, TOKENS * CONTEXT))
        self.image_proj.norm = nn.LayerNorm(CONTEXT)
        self.ip_adapter = nn.ModuleDict()
        for n, (_, width) in enumerate(blocks):
            pair = nn.Module()
            pair.to_k_ip = nn.Linear(CONTEXT, width, bias=False)
            pair.to_v_ip = nn.Linear(CONTEXT, width, bias=False)
            nn.init.zeros_(pair.to_v_ip.weight)
            self.ip_adapter[str(2 * n + 1)] = pair

    def tokens(self, embedding: Tensor) -> Tensor:
        """Normed embeddings [B, 512] -> identity tokens [B, 4, CONTEXT]."""
        return self.image_proj.norm(self.image_proj.proj(embedding).unflatten(-1, (TOKENS, CONTEXT)))

    def attention_patches(self, tokens: Tensor) -> dict:
        """Replacements for attn2, by block, that add the identity's own attention to the text's (ibid., eq. 5)."""
        patches = {}
        for n, key in enumerate(self.blocks):
            pair = self.ip_adapter[str(2 * n + 1)]

            def attend(q, k, v, extra, pair=pair):
                heads = extra["n_heads"]
                own = matrix_attention(q, pair.to_k_ip(tokens), pair.to_v_ip(tokens), heads)
                return matrix_attention(q, k, v, heads) + own

            patches[key] = attend
        return patches


def face_weight(boxes: Tensor, cells: int, weight: float = 4.0) -> Tensor:
    """How much each latent cell counts in a loss: `weight` inside heads, 1 elsewhere, [B, 1, cells, cells].

    boxes : [B, P, 4] face boxes in fractions of the picture, zeros where there is no figure
    """
    line = (torch.arange(cells) + 0.5) / cells
    centre, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3) / 2 * 1.35
    x = ((line - centre[..., :1]) / half[..., :1]).square()
    y = ((line - centre[..., 1:]) / half[..., 1:]).square()
    inside = (y[..., :, None] + x[..., None, :] < 1).any(1)
    return 1 + (weight - 1) * inside[:, None].float()


@torch.no_grad()
def face_embeddings(corpus: Corpus, recogniser: nn.Module, folder: Path) -> Tensor:
    """Raw embeddings of all faces of the corpus, fp16 [F, 512], kept on disk."""
    path = folder / "embeddings.pt"
    mark = [len(corpus.face_who), float(recogniser.out[1].weight.abs().sum())]
    if path.exists():
        state = torch.load(path, weights_only=True)
        if state["mark"] == mark:
            return state["embeddings"]
    rows = []
    for faces in torch.arange(len(corpus.face_who)).split(128):
        with torch.autocast("cpu", torch.bfloat16):
            crops = face_crops(corpus, faces).contiguous(memory_format=torch.channels_last)
            rows.append(recogniser(crops * 2 - 1).half())
    embeddings = torch.cat(rows)
    torch.save({"mark": mark, "embeddings": embeddings}, path)
    return embeddings
