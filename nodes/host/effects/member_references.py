"""Photos of members as reference latents, for models that take references beside the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ....attention.recipes.recipe import Routing
from ....face.cut_out import Cut, part_of, square, whole
from ..model.blocks import unet_of
from ..model.joint_stream import JointFamily
from ..progress import Moving
from .effect import Given

AROUND = {"head": 2.0, "bust": 3.5}  # side of the crop in lengths of the face's box; "photo" is not cut


@dataclass(frozen=True, eq=False)
class MemberReference:
    """One photo of a member.

    member : number in the cast
    latent : [1, C, ...] as the VAE gives it, on the CPU
    kept   : [N] bool, which of its tokens the model reads, or None for all of them
    """

    member: int
    latent: Tensor
    kept: Tensor | None = None


@torch.inference_mode()
def member_references(given: Given, routing: Routing) -> tuple[MemberReference, ...]:
    """Every photo of every member with any strength, in the order of the cast.

    Raises ValueError for a member without a photo, where no VAE is given, or where it is another model's.
    """
    acting = [member for member in given.cast if member.strength * given.strength]
    if acting and given.vae is None:
        raise ValueError(
            f"Troupe: {given.family.name} takes people from their photos, which have to be encoded first. Connect the "
            "model's VAE to the input 'vae' of Apply Cast."
        )
    found = []
    for number, member in Moving(list(enumerate(given.cast))):
        if not member.strength * given.strength:
            continue
        cuts = list(_cuts(member.identity, routing))
        if not cuts:
            raise ValueError(
                f"Troupe: '{member.identity.name}' has no photo (a file of an identity keeps none), and "
                f"{given.family.name} takes people from photos. Extract the identity from a photo, or set the member's "
                "strength to 0."
            )
        for cut in cuts:
            latent = given.vae.encode(torch.from_numpy(cut.picture)[None].float() / 255)
            _check_channels(latent, given)
            found.append(MemberReference(number, latent.clone().cpu(), _kept(cut, latent, given)))
    return tuple(found)


def _cuts(identity: Any, routing: Routing) -> Iterator[Cut]:
    photos = getattr(identity, "photos", ())
    boxes = identity.boxes if len(getattr(identity, "boxes", ())) == len(photos) else [None] * len(photos)
    for photo, box in zip(photos, boxes, strict=True):
        if box is None or routing.crop not in AROUND:
            yield whole(photo, box, routing.size)
        else:
            yield square(photo, box, routing.size, AROUND[routing.crop])


def _kept(cut: Cut, latent: Tensor, given: Given) -> Tensor | None:
    """Tokens that the wanted part of the person touches; None where that is all of them."""
    part = given.recipe.routing.tokens
    if part == "all":
        return None
    family: JointFamily = given.family
    grid = family.grid(unet_of(given.model.model), latent.shape[-2:])
    kept = F.adaptive_max_pool2d(torch.from_numpy(part_of(cut, part))[None].float(), grid).flatten() > 0
    return None if kept.all() or not kept.any() else kept


def _check_channels(latent: Tensor, given: Given) -> None:
    wanted = given.model.model.latent_format.latent_channels
    if latent.shape[1] != wanted:
        family: JointFamily = given.family
        raise ValueError(
            f"Troupe: the VAE makes latents of {latent.shape[1]} channels, and this {family.name} model reads "
            f"{wanted}. Connect the VAE that belongs to the model to the input 'vae' of Apply Cast."
        )
