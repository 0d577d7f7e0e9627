"""Prompts that carry an IdentityNet and the face tokens that it reads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import comfy.model_management
import torch
from comfy.cldm.cldm import ControlNet as ControlModel
from comfy.conds import CONDCrossAttn
from torch import Tensor

from ....attention.adapters.formats import INSTANTID_KINDS
from ....attention.recipes.cast import Cast
from ....attention.regions.compositors import default_compositor
from ..adapters.adapter_group import group_of
from ..adapters.loaded_adapter import LoadedAdapter
from ..model.blocks import control_blocks
from .identity_net import IdentityNet, Places
from .regional_control import apply_in_regions

PACK = "antelopev2"


def apply_identity_net(
    positive: list, negative: list, control: Any, cast: Cast, adapter: LoadedAdapter | None, feather: float
) -> tuple[list, list]:
    """Prompts with an IdentityNet for all InstantID members of a cast; those given do not change.

    control : a ControlNet of the host, with its hint, strength and schedule set
    adapter : for members that bring none of their own
    Members with another kind of adapter, or of strength 0, keep their place, in which the net sees nobody. Its
    residuals act inside of the regions of the others.
    Raises ValueError when there is no such member, when an identity lacks what the adapter reads, or when the
    ControlNet is of another kind or of another model's width.
    """
    read_as = {own: _instantid(own) for member in cast if (own := member.adapter or adapter) is not None}
    reading = [read_as.get(member.adapter or adapter) if member.strength > 0 else None for member in cast]
    acting = [index for index, own in enumerate(reading) if own is not None]
    if not acting:
        raise ValueError(_nobody_reads(cast, adapter))
    _check_control(control, [reading[index] for index in acting])
    tokens = _tokens(cast, reading)
    regions = tuple(member.region for member in cast)
    net = IdentityNet(
        control, Places(regions, default_compositor(regions), feather), f"troupe_faces_{uuid.uuid4().hex}"
    )
    nobody = tokens[-1:].expand_as(tokens)
    prompts = (_with(positive, net.key, tokens), _with(negative, net.key, nobody))
    weights = [cast[index].settings.control for index in acting]
    return apply_in_regions(*prompts, net, [regions[index] for index in acting], feather, weights)


def _instantid(adapter: LoadedAdapter | None) -> LoadedAdapter | None:
    """The adapter, reading InstantID's recogniser, where it can be InstantID's; else None."""
    if adapter is None or adapter.spec.kind not in INSTANTID_KINDS:
        return None
    if not adapter.packs:  # of any recogniser
        return adapter
    return replace(adapter, packs=(PACK,)) if PACK in adapter.packs else None


def _nobody_reads(cast: Cast, adapter: LoadedAdapter | None) -> str:
    found = {own.name: own.spec.kind for member in cast if (own := member.adapter or adapter) is not None}
    listed = " and ".join(f"'{name}' of format {kind}" for name, kind in found.items()) or "no adapter"
    return (
        "Troupe, Apply IdentityNet: nobody in this cast has a strength above 0 and an InstantID adapter, whose face "
        f"tokens the IdentityNet reads (found {listed}). Load InstantID's ip-adapter.bin in Load Identity Adapter with "
        "format instantid, and connect it here."
    )


def _check_control(control: Any, adapters: Sequence[LoadedAdapter]) -> None:
    model = getattr(control, "control_model", None)
    if not isinstance(model, ControlModel):
        raise ValueError(
            f"Troupe, Apply IdentityNet: this ControlNet is a {type(model or control).__name__}, and IdentityNet is a "
            "ControlNet of Stable Diffusion's own structure. Load InstantID's ControlNet with Load ControlNet Model."
        )
    widths = {block.context for block in control_blocks(model)}
    for adapter in adapters:
        if widths != {adapter.spec.cross_width}:
            raise ValueError(
                f"Troupe, Apply IdentityNet: the ControlNet reads tokens of width {' and '.join(map(str, widths))}, "
                f"and the adapter '{adapter.name}' makes tokens of width {adapter.spec.cross_width}. Load the "
                "ControlNet and the ip-adapter.bin that were published together."
            )
        if adapter.spec.tokens != adapters[0].spec.tokens:
            raise ValueError(
                f"Troupe, Apply IdentityNet: the adapters '{adapters[0].name}' and '{adapter.name}' make "
                f"{adapters[0].spec.tokens} and {adapter.spec.tokens} tokens. Use one InstantID adapter for all."
            )


def _tokens(cast: Cast, reading: Sequence[LoadedAdapter | None]) -> Tensor:
    """Face tokens of every member, and last nobody's, float32 [I + 1, T, width] on the CPU."""
    device = comfy.model_management.get_torch_device()
    found: dict[int, Tensor] = {}
    for adapter in dict.fromkeys(own for own in reading if own is not None):
        members = [index for index, own in enumerate(reading) if own is adapter]
        group = group_of(adapter, members, [cast[index].identity for index in members], "average")
        with torch.no_grad():
            *people, nobody = adapter.module.tokens(group.rows.to(device)).cpu()
        found.update(zip(members, people, strict=True))
    return torch.stack([*(found.get(index, nobody) for index in range(len(cast))), nobody])


def _with(prompt: list, key: str, tokens: Tensor) -> list:
    """A prompt that holds these tokens, side by side, for every row of its calls."""
    faces = CONDCrossAttn(tokens.flatten(0, 1)[None])
    return [[text, {**values, "model_conds": {**values.get("model_conds", {}), key: faces}}] for text, values in prompt]
