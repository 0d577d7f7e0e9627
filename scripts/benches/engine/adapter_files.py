"""Adapter files of every published format: the exact keys and shapes, as meta tensors or with small random numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

SD15_WIDTHS = [320] * 2 + [640] * 2 + [1280] * 2 + [1280] * 3 + [640] * 3 + [320] * 3 + [1280]
SDXL_WIDTHS = [640] * 4 + [1280] * 20 + [1280] * 30 + [640] * 6 + [1280] * 10
MOST = 1 << 20
Shapes = dict[str, tuple[int, ...]]
T = TypeVar("T")


def linear(name: str, rows: int, columns: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (rows, columns)} | ({f"{name}.bias": (rows,)} if bias else {})


def norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def plain(cross: int, vision: int) -> Shapes:
    return linear("proj", 4 * cross, vision) | norm("norm", cross)


def full_face(cross: int, vision: int) -> Shapes:
    return linear("proj.0", vision, vision) | linear("proj.2", cross, vision) | norm("proj.3", cross)


def faceid(cross: int, tokens: int = 4, hidden: int = 1024) -> Shapes:
    return linear("proj.0", hidden, 512) | linear("proj.2", tokens * cross, hidden) | norm("norm", cross)


def resampler(width: int, inputs: int, outputs: int, heads: int, prefix: str = "", depth: int = 4) -> Shapes:
    shapes = linear(f"{prefix}proj_in", width, inputs) | linear(f"{prefix}proj_out", outputs, width)
    shapes |= norm(f"{prefix}norm_out", outputs)
    for layer in range(depth):
        at = f"{prefix}layers.{layer}"
        shapes |= norm(f"{at}.0.norm1", width) | norm(f"{at}.0.norm2", width) | norm(f"{at}.1.0", width)
        shapes |= linear(f"{at}.0.to_q", heads * 64, width, bias=False)
        shapes |= linear(f"{at}.0.to_kv", heads * 128, width, bias=False)
        shapes |= linear(f"{at}.0.to_out", width, heads * 64, bias=False)
        shapes |= linear(f"{at}.1.1", 4 * width, width, bias=False) | linear(f"{at}.1.3", width, 4 * width, bias=False)
    return shapes


def plus(width: int, inputs: int, outputs: int, heads: int, latents: int = 16) -> Shapes:
    return {"latents": (1, latents, width)} | resampler(width, inputs, outputs, heads)


def faceid_plus(cross: int, vision: int, tokens: int = 4) -> Shapes:
    return faceid(cross, tokens) | resampler(cross, vision, cross, cross // 64, "perceiver_resampler.")


def mapping(name: str, inputs: int, hidden: int, outputs: int) -> Shapes:
    """Three linear maps with norms between."""
    shapes = linear(f"{name}.0", hidden, inputs) | norm(f"{name}.1", hidden)
    return (
        shapes | linear(f"{name}.3", hidden, hidden) | norm(f"{name}.4", hidden) | linear(f"{name}.6", outputs, hidden)
    )


def id_encoder(cross: int, vision: int = 1024, vector: int = 768, hidden: int = 1024) -> Shapes:
    """PuLID v1's, with five tokens of the face."""
    shapes = mapping("body", 512 + vector, hidden, 5 * cross)
    for scale in range(5):
        shapes |= mapping(f"mapping_{scale}", vision, hidden, cross)
        shapes |= mapping(f"mapping_patch_{scale}", vision, hidden, cross)
    return shapes


def id_former(cross: int, vision: int = 1024, vector: int = 768, width: int = 1024, latents: int = 32) -> Shapes:
    """PuLID v1.1's, with five tokens of the face."""
    asking = resampler(width, 0, 0, width // 64, depth=10)
    shapes = {key: shape for key, shape in asking.items() if key.startswith("layers.")}
    shapes |= {"latents": (1, latents, width), "proj_out": (width, cross)}
    shapes |= mapping("id_embedding_mapping", 512 + vector, width, 5 * width)
    for scale in range(5):
        shapes |= mapping(f"mapping_{scale}", vision, width, width)
    return shapes


def layers(cross: int, widths: Sequence[int]) -> Shapes:
    return {f"{2 * n + 1}.to_{w}_ip.weight": (width, cross) for n, width in enumerate(widths) for w in "kv"}


def loras(cross: int, widths: Sequence[int], rank: int = 128) -> Shapes:
    """A LoRA for every processor: self-attention under even numbers, cross-attention under odd ones."""
    shapes = {}
    for n, width in enumerate(widths):
        for number, context in ((2 * n, width), (2 * n + 1, cross)):
            for part in ("q", "k", "v", "out"):
                inputs = context if part in "kv" else width
                shapes[f"{number}.to_{part}_lora.down.weight"] = (rank, inputs)
                shapes[f"{number}.to_{part}_lora.up.weight"] = (width, rank)
    return shapes


def crossings(cross: int, picture: int, widths: Sequence[int]) -> Shapes:
    """The cross-attentions of PuLID for FLUX.1."""
    shapes = {}
    for n, width in enumerate(widths):
        shapes |= norm(f"{n}.norm1", cross) | norm(f"{n}.norm2", picture)
        shapes |= linear(f"{n}.to_q", width, picture, bias=False) | linear(f"{n}.to_kv", 2 * width, cross, bias=False)
        shapes |= linear(f"{n}.to_out", picture, width, bias=False)
    return shapes


@dataclass(frozen=True)
class Published:
    """One published file: what it should be read as, its tokens, and what it holds."""

    kind: str
    tokens: int
    projection: Shapes
    cross: int
    widths: Sequence[int]
    lora: bool = False
    pulid: bool = False
    picture: int = 0
    saa: bool = False

    def shapes(self) -> Shapes:
        """Flat keys with their shapes; `pulid` and `saa` as PuLID and DynamicID were published,
        `picture` for FLUX.1."""
        if self.picture:
            found = {f"pulid_encoder.{key}": shape for key, shape in self.projection.items()}
            own = crossings(self.cross, self.picture, self.widths)
            return found | {f"pulid_ca.{key}": shape for key, shape in own.items()}
        found = {f"image_proj.{key}": shape for key, shape in self.projection.items()}
        maps = layers(self.cross, self.widths) | (loras(self.cross, self.widths) if self.lora else {})
        found |= {f"ip_adapter.{key}": shape for key, shape in maps.items()}
        if self.saa:
            return as_saa(found)
        return {_as_pulid(key): shape for key, shape in found.items()} if self.pulid else found


def _as_pulid(key: str) -> str:
    part, _, rest = key.partition(".")
    if part == "image_proj":
        return f"id_adapter.{rest}"
    return f"id_adapter_attn_layers.{rest.replace('to_k_ip', 'id_to_k').replace('to_v_ip', 'id_to_v')}"


def as_saa(flat: Mapping[str, T]) -> dict[str, T]:
    """The same under the names of DynamicID's file."""
    names = {"image_proj": "proj_module", "ip_adapter": "SAA_module"}
    return {
        f"{names[part]}.{rest}": value for part, _, rest, value in ((*k.partition("."), v) for k, v in flat.items())
    }


def _sd15(kind: str, tokens: int, projection: Shapes, lora: bool = False) -> Published:
    return Published(kind, tokens, projection, 768, SD15_WIDTHS, lora)


def _sdxl(kind: str, tokens: int, projection: Shapes, lora: bool = False) -> Published:
    return Published(kind, tokens, projection, 2048, SDXL_WIDTHS, lora)


PUBLISHED = {
    "ip-adapter_sd15": _sd15("ip-adapter", 4, plain(768, 1024)),
    "ip-adapter_sd15_light": _sd15("ip-adapter", 4, plain(768, 1024)),
    "ip-adapter_sd15_vit-G": _sd15("ip-adapter", 4, plain(768, 1280)),
    "ip-adapter_sdxl": _sdxl("ip-adapter", 4, plain(2048, 1280)),
    "ip-adapter_sdxl_vit-h": _sdxl("ip-adapter", 4, plain(2048, 1024)),
    "ip-adapter-plus_sd15": _sd15("ip-adapter plus", 16, plus(768, 1280, 768, 12)),
    "ip-adapter-plus-face_sd15": _sd15("ip-adapter plus", 16, plus(768, 1280, 768, 12)),
    "ip_plus_composition_sd15": _sd15("ip-adapter plus", 16, plus(768, 1280, 768, 12)),
    "ip-adapter-plus_sdxl_vit-h": _sdxl("ip-adapter plus", 16, plus(1280, 1280, 2048, 20)),
    "ip-adapter-plus-face_sdxl_vit-h": _sdxl("ip-adapter plus", 16, plus(1280, 1280, 2048, 20)),
    "ip-adapter-full-face_sd15": _sd15("ip-adapter full-face", 0, full_face(768, 1280)),
    "ip-adapter-faceid_sd15": _sd15("faceid", 4, faceid(768), lora=True),
    "ip-adapter-faceid_sdxl": _sdxl("faceid", 4, faceid(2048), lora=True),
    "ip-adapter-faceid-portrait-v11_sd15": _sd15("faceid", 16, faceid(768, 16)),
    "ip-adapter-faceid-portrait_sdxl": _sdxl("faceid", 16, faceid(2048, 16)),
    "ip-adapter-faceid-portrait_sdxl_unnorm": _sdxl("faceid portrait unnorm", 16, plus(1280, 512, 2048, 20)),
    "ip-adapter-faceid-plus_sd15": _sd15("faceid plus v2", 4, faceid_plus(768, 1280), lora=True),
    "ip-adapter-faceid-plusv2_sd15": _sd15("faceid plus v2", 4, faceid_plus(768, 1280), lora=True),
    "ip-adapter-faceid-plusv2_sdxl": _sdxl("faceid plus v2", 4, faceid_plus(2048, 1280), lora=True),
    "SAA": replace(_sd15("dynamicid", 4, faceid_plus(768, 1280), lora=True), saa=True),  # DynamicID's
    "ip-adapter": _sdxl("faceid portrait unnorm", 16, plus(1280, 512, 2048, 20)),  # InstantID's: the same layout
    "Kolors-IP-Adapter-Plus": _sdxl("kolors plus", 16, plus(2048, 1024, 2048, 12)),
    "Kolors-IP-Adapter-FaceID-Plus": _sdxl("kolors faceid plus", 6, faceid_plus(4096, 1024, 6)),
    "ip-adapter_pulid_sdxl_fp16": _sdxl("pulid", 10, id_encoder(2048)),
    "pulid_v1": replace(_sdxl("pulid", 10, id_encoder(2048)), pulid=True),
    "pulid_v1.1": replace(_sdxl("pulid v1.1", 32, id_former(2048)), pulid=True),
    "pulid_flux_v0.9.0": Published("pulid flux", 32, id_former(2048), 2048, [2048] * 20, picture=3072),
    "pulid_flux_v0.9.1": Published("pulid flux", 32, id_former(2048), 2048, [2048] * 20, picture=3072),
}


def on_meta(shapes: Shapes) -> dict[str, torch.Tensor]:
    """Tensors of full size that take no memory."""
    return {key: torch.empty(shape, device="meta", dtype=torch.float16) for key, shape in shapes.items()}


def random_state(shapes: Shapes, seed: int = 1, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """Numbers of variance 1 / fan-in; norms are near 1, and a LoRA is small. Large tensors repeat a million numbers."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, shape in shapes.items():
        count = math.prod(shape)
        value = torch.randn(min(count, MOST), generator=generator).to(dtype) / (shape[-1] if shape else 1) ** 0.5
        value = value.repeat(-(-count // MOST))[:count].view(shape)
        if len(shape) == 1 and key.endswith("weight"):
            value = 1 + 0.1 * value
        state[key] = (value * (0.3 if "_lora." in key else 1)).to(dtype)
    return state


def nested(state: dict[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """The two dictionaries of a `.bin`."""
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in state.items():
        part, _, rest = key.partition(".")
        parts.setdefault(part, {})[rest] = value
    return parts
