"""What an adapter file holds, read from its keys and shapes and never from its name: format, tokens, widths, layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .formats import FORMATS, choose_format
from .lora import LoraPair, lora_pairs
from .parts import (
    AGAIN,
    AdapterFormatError,
    fault_of,
    first_of,
    layer_maps,
    not_an_adapter,
    of_another_kind,
    passed_over,
    split_parts,
    told_by,
)
from .projections import projection_of
from .pulid_flux import check_crossings, crossing_maps, has_crossings, picture_width
from .sizes import spec_of
from .spec import AdapterSpec


@dataclass(frozen=True, eq=False)
class AdapterWeights:
    """An adapter's tensors by purpose.

    projection : keys as the modules of `attention.adapters.projections` name them
    keys       : [layers] of [layer width, cross width]
    values     : [layers] of [layer width, cross width]
    reason     : why the file was taken for this format
    lora       : LoRA for the model itself, empty where the file has none
    crossings  : in PuLID for FLUX.1, what else its cross-attentions are made of; else empty
    extras     : names of what else the file holds, which nothing is made from
    """

    spec: AdapterSpec
    projection: Mapping[str, Tensor]
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    reason: str = ""
    lora: tuple[LoraPair, ...] = field(default=(), repr=False)
    extras: tuple[str, ...] = ()
    crossings: Mapping[str, Tensor] = field(default_factory=dict, repr=False)


def read_adapter(state: Mapping[str, Any], override: str = "auto") -> AdapterWeights:
    """Sort a loaded file: either the two nested dictionaries of a `.bin` or the flat prefixes of a `.safetensors`.

    override : a name of attention.adapters.formats.FORMATS, to decide where formats look alike
    What trainers leave in a file beside the adapter is passed over and named in `extras`.
    Raises AdapterFormatError with a sentence that says what the file looks like and what was expected.
    """
    parts = split_parts(state)
    other = not_an_adapter(state, parts)
    if other:
        raise AdapterFormatError(
            f"it looks like {other}, which this version does not read. Choose a file of IP-Adapter, FaceID, InstantID "
            "or PuLID (for instance ip-adapter-faceid-plusv2_sd15, ip-adapter-plus_sdxl_vit-h or pulid_v1.1)."
        )
    projection, layers = parts["image_proj"], parts["ip_adapter"]
    flux = has_crossings(layers)
    choice = choose_format(projection, override, "pulid flux" if flux else told_by(state))
    keys, values, crossings = crossing_maps(layers) if flux else (*layer_maps(layers), {})
    lora = lora_pairs(layers, len(keys))
    spec = spec_of(choice.kind, projection, keys, bool(lora), picture_width(crossings) if flux else 0)
    expected = _shapes_of(spec)
    _check_numbers([*(projection[key] for key in expected if key in projection), *keys, *values, *crossings.values()])
    _check_shapes(spec, projection, expected)
    _check_layers(spec, keys)
    check_crossings(spec, crossings)
    used = {key: projection[key] for key in expected}
    return AdapterWeights(spec, used, keys, values, choice.reason, lora, passed_over(state, used), crossings)


def _shapes_of(spec: AdapterSpec) -> dict[str, tuple[int, ...]]:
    """Every key of the projection, with the shape that its format has at these sizes."""
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in projection_of(spec).state_dict().items()}


def _check_numbers(tensors: list[Tensor]) -> None:
    if not all(tensor.is_floating_point() for tensor in tensors):
        raise AdapterFormatError("its weights are whole numbers (quantised). Choose a file in float16 or float32.")


def _check_shapes(spec: AdapterSpec, projection: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Hold every tensor of the projection to the shape that its format has at these sizes."""
    missing = [key for key in expected if key not in projection]
    if missing:
        raise AdapterFormatError(
            f"it looks like a file of format {spec.kind}, but its {FORMATS[spec.kind].part} part lacks "
            f"{first_of(missing)}{' and more' * (len(missing) > 3)}. {AGAIN}"
        )
    modules = {key.partition(".")[0] for key in expected}
    strange = of_another_kind([key for key in projection if key not in expected], modules)
    if strange:
        raise AdapterFormatError(
            f"it looks like a file of format {spec.kind}, but its {FORMATS[spec.kind].part} part also holds "
            f"{first_of(strange)}, which that format does not have; it is of another kind, and this version does not "
            "read it."
        )
    for key, shape in expected.items():
        found = tuple(projection[key].shape)
        if found != shape:
            turned = " It is transposed." if found == shape[::-1] else ""
            raise AdapterFormatError(
                f"its shapes contradict each other: {key} is {list(found)}, and a file of format {spec.kind} with "
                f"tokens of width {spec.projected_width} has {list(shape)}.{turned} {AGAIN}"
            )


def _check_layers(spec: AdapterSpec, keys: tuple[Tensor, ...]) -> None:
    widths = sorted({key.shape[1] for key in keys})
    if widths != [spec.cross_width] or not spec.cross_width:
        raise AdapterFormatError(
            f"its shapes contradict each other: image_proj makes tokens of width {spec.cross_width}, and the layers "
            f"read width {' and '.join(map(str, widths))}. {AGAIN}"
        )


def check_numbers(weights: AdapterWeights) -> None:
    """Look at every number that is used, once. Raises AdapterFormatError with the name of the first unsound tensor."""
    used = {f"{FORMATS[weights.spec.kind].part}.{key}": tensor for key, tensor in weights.projection.items()}
    for which, maps in (("k", weights.keys), ("v", weights.values)):
        used |= {_name_of(weights, layer, which): tensor for layer, tensor in enumerate(maps)}
    used |= {f"pulid_ca.{key}": tensor for key, tensor in weights.crossings.items()}
    for pair in weights.lora:
        name = f"ip_adapter.{2 * pair.layer + pair.cross}.to_{pair.part}_lora"
        used |= {f"{name}.down.weight": pair.down, f"{name}.up.weight": pair.up}
    fault = fault_of(used)
    if fault:
        raise AdapterFormatError(fault)


def _name_of(weights: AdapterWeights, layer: int, which: str) -> str:
    """What a map to keys or values is called in the file; in PuLID for FLUX.1 it is a half of one."""
    if weights.crossings:
        return f"pulid_ca.{layer}.to_kv.weight ({which})"
    return f"ip_adapter.{2 * layer + 1}.to_{which}_ip.weight"


def describe(spec: AdapterSpec, reason: str, extras: Sequence[str] = ()) -> str:
    """A sentence or two for the user: what the file was taken for, why, what it needs, and what was passed over."""
    own = FORMATS[spec.kind]
    needs = [f"face embeddings of {' or '.join(own.recognisers)}"] if own.face else []
    needs += ["a CLIP vision encoder"] if own.vision not in ("", "eva") else []
    needs += ["a file of EVA02-CLIP-L-14-336"] if own.vision == "eva" else []
    count = f"{spec.tokens} tokens" if spec.tokens else "a token per image feature"
    return (
        f"Read as {spec.kind} ({count} of width {spec.cross_width}, {len(spec.layer_widths)} layers"
        f"{', with a LoRA' if spec.lora else ''}), because {reason}. It reads {' and '.join(needs)}."
        + f" The file also holds {_some(extras)}, which no adapter of this format has: passed over."
        * bool(extras)
    )


def _some(names: Sequence[str], count: int = 5) -> str:
    """The first few names, and how many more."""
    return first_of(names, count) + f" and {len(names) - count} more" * (len(names) > count)
