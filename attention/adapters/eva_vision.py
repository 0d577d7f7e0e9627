"""The picture half of EVA02-CLIP, for inference: a vision transformer with rotary positions, sub-norms and SwiGLU.

(EVA-02, arXiv 2303.11331, and EVA-CLIP, arXiv 2303.15389: architecture; the layout of the published file
EVA02_CLIP_L_336_psz14_s6B.pt: 24 blocks, 1024 numbers per feature, 336 pixels.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD = 64  # numbers per head in every published file
EPSILON = 1e-6  # in norms
CELLS = 16  # along a side of the pictures it was first trained on; finer grids lie between the same positions
AFTER = (4, 8, 12, 16, 20)  # blocks after which PuLID reads the features (arXiv 2404.16022's released code)


@dataclass(frozen=True)
class EvaShape:
    """Sizes of the encoder.

    width   : numbers per feature
    depth   : blocks
    hidden  : width inside a block's feed-forward part
    outputs : numbers in the vector of the whole picture
    patch   : pixels along a side of a patch
    cells   : patches along a side of the picture
    """

    width: int = 1024
    depth: int = 24
    hidden: int = 2730
    outputs: int = 768
    patch: int = 14
    cells: int = 24

    @property
    def side(self) -> int:
        """Pixels along a side of the picture it sees."""
        return self.patch * self.cells

    @property
    def features(self) -> int:
        """Features of a picture: one of the whole, then one of each patch."""
        return self.cells**2 + 1


def rotation(cells: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angle by which each pair of a head's numbers is turned, float32 [1 + cells², HEAD] each.

    The first half of a head tells rows, the second columns; pair j of each turns by place * 10000^(-2j / (HEAD / 2)).
    The feature of the whole picture, the first, is not turned.
    """
    half = HEAD // 2
    speeds = 10000.0 ** (-torch.arange(0, half, 2, dtype=torch.float64) / half)
    place = torch.arange(cells, dtype=torch.float64) / cells * CELLS
    angle = (place[:, None] * speeds).repeat_interleave(2, -1)  # [cells, half]
    rows, columns = (part.expand(cells, cells, half) for part in (angle[:, None], angle[None]))
    grid = torch.cat([rows, columns], -1).flatten(0, 1)
    whole = torch.cat([torch.zeros(1, HEAD, dtype=grid.dtype), grid])
    return whole.cos().float(), whole.sin().float()


def turned(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """[B, H, L, HEAD] with each pair of numbers (a, b) turned: (a cos - b sin, b cos + a sin)."""
    a, b = heads.unflatten(-1, (-1, 2)).unbind(-1)
    return heads * cosine + torch.stack([-b, a], -1).flatten(-2) * sine


class EvaAttention(nn.Module):
    """Self-attention on turned queries and keys, with a norm before the last linear map (sub-LN)."""

    def __init__(self, shape: EvaShape, operations: Any, dtype: torch.dtype | None) -> None:
        super().__init__()
        width = shape.width
        for name in ("q_proj", "k_proj", "v_proj"):
            self.add_module(name, operations.Linear(width, width, bias=False, dtype=dtype))
        self.q_bias = nn.Parameter(torch.zeros(width, dtype=dtype))
        self.v_bias = nn.Parameter(torch.zeros(width, dtype=dtype))
        self.inner_attn_ln = operations.LayerNorm(width, eps=EPSILON, dtype=dtype)
        self.proj = operations.Linear(width, width, dtype=dtype)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        q, k, v = self.q_proj(x) + self.q_bias.to(x), self.k_proj(x), self.v_proj(x) + self.v_bias.to(x)
        q, k, v = (part.unflatten(-1, (-1, HEAD)).transpose(1, 2) for part in (q, k, v))
        out = F.scaled_dot_product_attention(turned(q, cosine, sine), turned(k, cosine, sine), v)
        return self.proj(self.inner_attn_ln(out.transpose(1, 2).flatten(2)))


class SwiGLU(nn.Module):
    """A feed-forward part: one linear map gates another, with a norm before the last one."""

    def __init__(self, shape: EvaShape, operations: Any, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.w1 = operations.Linear(shape.width, shape.hidden, dtype=dtype)
        self.w2 = operations.Linear(shape.width, shape.hidden, dtype=dtype)
        self.ffn_ln = operations.LayerNorm(shape.hidden, eps=EPSILON, dtype=dtype)
        self.w3 = operations.Linear(shape.hidden, shape.width, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.w3(self.ffn_ln(F.silu(self.w1(x)) * self.w2(x)))


class EvaBlock(nn.Module):
    """A block of the transformer."""

    def __init__(self, shape: EvaShape, operations: Any, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.norm1 = operations.LayerNorm(shape.width, eps=EPSILON, dtype=dtype)
        self.attn = EvaAttention(shape, operations, dtype)
        self.norm2 = operations.LayerNorm(shape.width, eps=EPSILON, dtype=dtype)
        self.mlp = SwiGLU(shape, operations, dtype)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x), cosine, sine)
        return x + self.mlp(self.norm2(x))


class EvaVision(nn.Module):
    """The encoder; parameters are named as in the published file, below its `visual.`."""

    def __init__(self, shape: EvaShape, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.shape = shape
        patches = operations.Conv2d(3, shape.width, shape.patch, stride=shape.patch, dtype=dtype)
        self.patch_embed = nn.ModuleDict({"proj": patches})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, shape.width, dtype=dtype))
        self.pos_embed = nn.Parameter(torch.zeros(1, shape.features, shape.width, dtype=dtype))
        self.blocks = nn.ModuleList(EvaBlock(shape, operations, dtype) for _ in range(shape.depth))
        self.norm = operations.LayerNorm(shape.width, eps=EPSILON, dtype=dtype)
        self.head = operations.Linear(shape.width, shape.outputs, dtype=dtype)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """What it sees.

        pixels : [B, 3, side, side], normalised
        returns the vector of each picture [B, outputs], and the features after the blocks of AFTER
                [B, 5, 1 + cells², width]
        """
        patches = self.patch_embed["proj"](pixels).flatten(2).mT
        x = torch.cat([self.cls_token.to(patches).expand(len(patches), -1, -1), patches], 1)
        x = x + self.pos_embed.to(x)
        cosine, sine = (part.to(x) for part in rotation(self.shape.cells))
        seen = []
        for number, block in enumerate(self.blocks, 1):
            x = block(x, cosine, sine)
            if number in AFTER:
                seen.append(x)
        return self.head(self.norm(x)[:, 0]), torch.stack(seen, 1)
