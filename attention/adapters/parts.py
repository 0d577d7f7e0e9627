"""The parts of an adapter file, whatever its container, and a few words for files that are something else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

PARTS = {"image_proj": "image_proj", "ip_adapter": "ip_adapter", "adapter_modules": "ip_adapter"}
PARTS |= {"id_adapter": "image_proj", "id_adapter_attn_layers": "ip_adapter"}  # as PuLID was published
PARTS |= {"pulid_encoder": "image_proj", "pulid_ca": "ip_adapter"}  # and for FLUX.1
PARTS |= {"proj_module": "image_proj", "SAA_module": "ip_adapter"}  # as DynamicID was published
MAP = re.compile(r"(\d+)\.to_([kv])_ip\.weight$")
LORA = re.compile(r"(\d+)\.to_(q|k|v|out)_lora\.(down|up)\.weight$")
PULID_MAP = re.compile(r"(?<=\.)id_to_([kv])(?=\.weight$)")
# What the published projections can be built with besides, and what makes them compute something else.
OTHER_MODULES = re.compile(r"(layers\.\d+\.|pos_emb|to_latents_from_mean_pooled_seq)")
EMA_COPY = re.compile(r"(^|[._])ema([._]|$)")
LONGEST_NAME = 100
AGAIN = "The file may be damaged: download it again."

OTHER_FILES = {
    r"id_encoder": "a PhotoMaker file",
    r"(disentangleNet|entangleNet)\.": "DynamicID's reconfigurer (choose it in Load Reconfigurer)",
    r"blocks\.\d+\.\d+\.conv_block\.": "the key point encoder of DynamicID's reconfigurer",
    r"(double_blocks|single_blocks)\.\d+\.processor|ip_adapter_proj_model\.": "a FLUX IP-Adapter",
    r".*(lora_unet_|lora_te|lora\.|_lora\.|lora_[AB]\.|lora_down|lora_up)": "a LoRA",
    r"(control_model\.|controlnet_|input_hint_block|.*control_add_embedding)": "a ControlNet",
    r"(model\.diffusion_model\.|first_stage_model\.)": "a whole checkpoint",
    r"(down_blocks|up_blocks|mid_block)\.": "a diffusion model or ControlNet in the diffusers layout",
    r"(vision_model|visual)\.": "a CLIP vision encoder, which belongs into models/clip_vision",
}


class AdapterFormatError(ValueError):
    """The file is not an adapter that this version reads."""


def fault_of(tensors: Mapping[str, Tensor]) -> str | None:
    """What makes the first unsound tensor of a file unusable, as a sentence with its name; None where all are sound."""
    for name, tensor in tensors.items():
        if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized:
            kind = "a name without numbers" if tensor.is_meta else "sparse" if not tensor.is_quantized else "quantised"
            return f"its {name} is {kind}, and plain numbers are needed. {AGAIN}"
        if tensor.numel() and not all(bound.isfinite() for bound in _bounds(tensor)):
            return f"its {name} holds numbers that are not finite, which would make every picture black. {AGAIN}"
    return None


def _bounds(tensor: Tensor) -> Sequence[Tensor]:
    """Lowest and highest number; both NaN where one is. Nothing of the tensor's size is made for it."""
    return (tensor.float() if tensor.itemsize == 1 else tensor.detach()).aminmax()


def first_of(keys: Iterable[object], count: int = 3) -> str:
    """The first few names, for a message: a file's names may hold anything, so that no line of a log can be forged."""
    return ", ".join(map(shown, list(keys)[:count]))


def shown(name: object) -> str:
    """A name on one line, cut at 100 characters; what cannot be printed stands as its code."""
    text = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in str(name)[:LONGEST_NAME])
    return text + "..." * (len(str(name)) > LONGEST_NAME)


def split_parts(state: Mapping[str, Any]) -> dict[str, dict[str, Tensor]]:
    """The tensors below `image_proj` and `ip_adapter`, or what others call these parts, without the prefix.

    state : either the two nested dictionaries of a `.bin` or the flat prefixes of a `.safetensors`
    """
    parts: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in state.items():
        prefix, _, rest = str(key).partition(".")
        if prefix not in PARTS:
            continue
        named = {rest: value} if rest else value if isinstance(value, Mapping) else {}
        for name, tensor in named.items():
            if isinstance(tensor, Tensor):
                parts[PARTS[prefix]][PULID_MAP.sub(r"to_\1_ip", str(name))] = tensor
    return parts


def told_by(state: Mapping[str, Any]) -> str:
    """The format that alone gives its parts the names they have in a file; empty where several do."""
    return "dynamicid" if any(str(key).partition(".")[0] == "SAA_module" for key in state) else ""


def of_another_kind(strange: Iterable[str], modules: Collection[str]) -> list[str]:
    """The keys beyond a format's own that make an adapter compute something else; the others are a trainer's leftovers.

    strange : keys of a part that its format does not have
    modules : first names of the format's own keys in that part; whatever else lies below one belongs to it
    (an average of the weights over the training, `ema`, is a copy and has no say)
    """
    return [
        key
        for key in strange
        if not EMA_COPY.search(key) and (OTHER_MODULES.match(key) or key.partition(".")[0] in modules)
    ]


def passed_over(state: Mapping[str, Any], projection: Collection[str]) -> tuple[str, ...]:
    """What a file holds that nothing of an adapter is made from: first names, those inside a part with the part's.

    projection : keys of the `image_proj` part that are used
    """
    found = set()
    for key, value in state.items():
        prefix, _, rest = str(key).partition(".")
        if prefix not in PARTS:
            found.add(prefix)
            continue
        for name in [rest] if rest else map(str, value) if isinstance(value, Mapping) else ():
            name = PULID_MAP.sub(r"to_\1_ip", name)
            own = prefix == "pulid_ca" or MAP.match(name) or LORA.match(name)
            used = name in projection if PARTS[prefix] == "image_proj" else own
            if not used:
                found.add(f"{prefix}.{name.partition('.')[0]}")
    return tuple(sorted(found))


def not_an_adapter(state: Mapping[str, Any], parts: Mapping[str, Mapping[str, Tensor]]) -> str | None:
    """What a file looks like that lacks a part of an adapter; None for one that has both."""
    if all(parts.values()):
        return None
    if any(parts.values()):
        if _of_infinite_you(parts["image_proj"]):
            return (
                "InfiniteYou's image projection (its weights are not for commercial use, and it reads a recogniser "
                "that Troupe does not have)"
            )
        missing = "ip_adapter" if parts["image_proj"] else "image_proj"
        if any(str(key).startswith(("pulid_encoder", "pulid_ca")) for key in state):
            missing = "pulid_ca" if parts["image_proj"] else "pulid_encoder"
            return f"an incomplete PuLID file for FLUX.1 (it has no '{missing}' part)"
        return f"an incomplete IP-Adapter file (it has no '{missing}' part)"
    for sign, name in OTHER_FILES.items():
        if any(re.match(sign, str(key)) for key in state):
            return name
    return "no adapter at all" + (f" (its first keys are {first_of(state)})" if state else "")


def _of_infinite_you(projection: Mapping[str, Tensor]) -> bool:
    """A resampler of face embeddings into FLUX.1's text; no other published file makes that of them."""
    sides = [(projection.get("proj_in.weight"), -1, 512), (projection.get("proj_out.weight"), 0, 4096)]
    return all(tensor is not None and tensor.ndim == 2 and tensor.shape[axis] == size for tensor, axis, size in sides)


def layer_maps(layers: Mapping[str, Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The key and value maps in file order; layer n is stored under the number 2n + 1.

    Raises AdapterFormatError for gaps, for a key without its value, and for keys of another architecture.
    """
    strange = [key for key in layers if not MAP.match(key) and not LORA.match(key)]
    others = of_another_kind(strange, {key.partition(".")[0] for key in layers if key[:1].isdigit()})
    if others:
        raise AdapterFormatError(
            f"its ip_adapter part holds {first_of(others)}, which no IP-Adapter has; it is of another kind, and this "
            "version does not read it."
        )
    numbers = sorted({int(found[1]) for found in map(MAP.match, layers) if found})
    if not numbers or numbers != list(range(1, 2 * len(numbers), 2)):
        raise AdapterFormatError(
            f"its attention layers are numbered {numbers[:4]}..., but an IP-Adapter has 1, 3, 5, ... "
            f"without a gap. {AGAIN}"
        )
    pairs = []
    for number in numbers:
        pair = [layers.get(f"{number}.to_{which}_ip.weight") for which in "kv"]
        if any(weight is None or weight.ndim != 2 for weight in pair) or pair[0].shape != pair[1].shape:
            raise AdapterFormatError(f"its layer {number} does not have key and value weights of one shape. {AGAIN}")
        pairs.append(pair)
    return tuple(key for key, _ in pairs), tuple(value for _, value in pairs)
