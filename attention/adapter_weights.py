"""What an adapter file holds, read from its keys and shapes and never from its name: format, tokens, widths, layers.

Read so far: IP-Adapter FaceID (one ArcFace embedding in, 4 or, for the portrait files, 16 tokens out). The other
formats are recognised well enough to say what the file is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

PARTS = {"image_proj": "image_proj", "ip_adapter": "ip_adapter", "adapter_modules": "ip_adapter"}
FACEID_SHAPES = ("proj.0.weight", "proj.0.bias", "proj.2.weight", "proj.2.bias", "norm.weight", "norm.bias")
MATRICES = ("proj.0.weight", "proj.2.weight")


class AdapterFormatError(ValueError):
    """The file is not an adapter that this version reads."""


@dataclass(frozen=True)
class AdapterSpec:
    """The shape of an adapter.

    kind            : "faceid"
    embedding_width : numbers in the face embedding it reads
    hidden          : width between the two linear maps of its projection
    tokens          : tokens per identity
    cross_width     : numbers per token; equals the width of the model's text tokens
    layer_widths    : output width of each pair of key and value maps, in file order
    lora            : the file also carries LoRA weights for the model, which are not part of the adapter
    """

    kind: str
    embedding_width: int
    hidden: int
    tokens: int
    cross_width: int
    layer_widths: tuple[int, ...]
    lora: bool = False


@dataclass(frozen=True, eq=False)
class AdapterWeights:
    """An adapter's tensors by purpose.

    projection : keys as `attention.projections.FaceIDProjection` names them
    keys       : [layers] of [layer width, cross width]
    values     : [layers] of [layer width, cross width]
    """

    spec: AdapterSpec
    projection: Mapping[str, Tensor]
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]


def read_adapter(state: Mapping[str, Any]) -> AdapterWeights:
    """Sort a loaded file: either the two nested dictionaries of a `.bin` or the flat prefixes of a `.safetensors`.

    Raises AdapterFormatError with a sentence that says what the file looks like.
    """
    parts = split_parts(state)
    projection, layers = parts["image_proj"], parts["ip_adapter"]
    found = describe(state)
    if found != "faceid":
        raise AdapterFormatError(
            f"it looks like {found}, which this version does not read. Choose an IP-Adapter FaceID file "
            "(ip-adapter-faceid_sd15, ip-adapter-faceid_sdxl or a portrait file)."
        )
    keys, values = _layers(layers)
    spec = _faceid_spec(projection, keys, lora=any("_lora." in key for key in layers))
    return AdapterWeights(spec, {key: projection[key] for key in FACEID_SHAPES}, keys, values)


def split_parts(state: Mapping[str, Any]) -> dict[str, dict[str, Tensor]]:
    """The tensors below `image_proj` and `ip_adapter` (or `adapter_modules`), without the prefix."""
    parts: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in state.items():
        prefix, _, rest = str(key).partition(".")
        if prefix not in PARTS:
            continue
        if isinstance(value, Tensor) and rest:
            parts[PARTS[prefix]][rest] = value
        elif isinstance(value, Mapping):
            parts[PARTS[prefix]].update({str(k): v for k, v in value.items() if isinstance(v, Tensor)})
    return parts


def describe(state: Mapping[str, Any]) -> str:
    """`faceid` for the format this version reads, else a few words for what the file looks like."""
    parts = split_parts(state)
    projection = parts["image_proj"]
    if projection and parts["ip_adapter"]:
        return _describe_projection(projection)
    if projection or parts["ip_adapter"]:
        missing = "ip_adapter" if projection else "image_proj"
        return f"an incomplete IP-Adapter file (it has no '{missing}' part)"
    signs = {
        r"(id_adapter|pulid_encoder|id_encoder)": "a PuLID file",
        r"(double_blocks|single_blocks)\.\d+\.processor": "a FLUX IP-Adapter",
        r"(lora_unet_|lora_te|unet\.|transformer\.).*(lora|down|up)": "a LoRA",
        r"(control_model\.|controlnet_|input_hint_block|.*control_add_embedding)": "a ControlNet",
        r"(model\.diffusion_model\.|first_stage_model\.)": "a whole checkpoint",
        r"(down_blocks|up_blocks|mid_block)\.": "a diffusion model or ControlNet in the diffusers layout",
    }
    for sign, name in signs.items():
        if any(re.match(sign, str(key)) for key in state):
            return name
    return "no adapter at all" + (f" (its first keys are {', '.join(map(str, list(state)[:3]))})" if state else "")


def _describe_projection(projection: Mapping[str, Tensor]) -> str:
    def columns(key: str) -> int:
        return projection[key].shape[-1]

    if "perceiver_resampler.proj_in.weight" in projection:
        return "an IP-Adapter FaceID Plus file"
    if "proj.3.weight" in projection:
        return "an IP-Adapter full-face file"
    if "latents" in projection and "proj_in.weight" in projection:
        return (
            "an InstantID or FaceID portrait-unnorm file"
            if columns("proj_in.weight") == 512
            else "an IP-Adapter Plus file"
        )
    if "proj.0.weight" in projection and columns("proj.0.weight") == 512:
        return "faceid"
    if "proj.weight" in projection:
        return "a plain IP-Adapter that reads CLIP Vision instead of a face"
    return f"an unknown kind of IP-Adapter (its image_proj holds {', '.join(list(projection)[:3])})"


def _layers(layers: Mapping[str, Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The key and value maps in file order; layer n is stored under the number 2n + 1."""
    numbers = sorted({int(key.split(".")[0]) for key in layers if re.match(r"\d+\.to_[kv]_ip\.weight$", key)})
    if not numbers or numbers != list(range(1, 2 * len(numbers), 2)):
        raise AdapterFormatError(
            f"its attention layers are numbered {numbers[:4]}..., but an IP-Adapter has 1, 3, 5, ... "
            "without a gap. The file may be damaged: download it again."
        )
    pairs = []
    for number in numbers:
        pair = [layers.get(f"{number}.to_{which}_ip.weight") for which in "kv"]
        if any(weight is None or weight.ndim != 2 for weight in pair) or pair[0].shape != pair[1].shape:
            raise AdapterFormatError(
                f"its layer {number} does not have key and value weights of one shape. "
                "The file may be damaged: download it again."
            )
        pairs.append(pair)
    return tuple(key for key, _ in pairs), tuple(value for _, value in pairs)


def _faceid_spec(projection: Mapping[str, Tensor], keys: tuple[Tensor, ...], lora: bool) -> AdapterSpec:
    missing = [key for key in FACEID_SHAPES if key not in projection]
    if missing:
        raise AdapterFormatError(f"its image_proj part lacks {', '.join(missing)}. Download the file again.")
    if not all(weight.is_floating_point() for weight in (*projection.values(), *keys)):
        raise AdapterFormatError("its weights are whole numbers (quantised). Choose a file in float16 or float32.")
    flat = [key for key in FACEID_SHAPES if projection[key].ndim != (2 if key in MATRICES else 1)]
    if flat:
        raise AdapterFormatError(f"its {', '.join(flat)} have the wrong number of dimensions. Download the file again.")
    hidden, embedding_width = projection["proj.0.weight"].shape
    cross_width = projection["norm.weight"].shape[0]
    rows = projection["proj.2.weight"].shape[0]
    expected = {"proj.0.bias": (hidden,), "proj.2.weight": (rows, hidden), "proj.2.bias": (rows,)}
    expected["norm.bias"] = (cross_width,)
    wrong = [key for key, shape in expected.items() if tuple(projection[key].shape) != shape]
    widths = {key.shape[1] for key in keys}
    if wrong or not cross_width or rows % cross_width or widths != {cross_width}:
        raise AdapterFormatError(
            f"its shapes contradict each other (image_proj ends in {rows} numbers of width {cross_width}, the layers "
            f"read width {sorted(widths)}{', ' if wrong else ''}{', '.join(wrong)}). "
            "The file may be damaged: download it again."
        )
    return AdapterSpec(
        kind="faceid",
        embedding_width=embedding_width,
        hidden=hidden,
        tokens=rows // cross_width,
        cross_width=cross_width,
        layer_widths=tuple(key.shape[0] for key in keys),
        lora=lora,
    )
