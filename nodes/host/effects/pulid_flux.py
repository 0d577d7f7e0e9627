"""Effect: identities in FLUX.1 by PuLID, whose people are added to the picture's tokens behind some of its blocks.

The rows of everybody are gathered once per file and block, so its cost follows the area of the regions and not
the number of people. Text and references are never touched; beside routing the face comes from here, the rest of a
person from their photo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from ....attention.operators.packed_rows import pack_rows
from ....attention.operators.picture_rows import PictureRows, add_to_rows, in_sequence
from ....attention.recipes.schedule import Window, shared_window
from ..adapters.adapter_group import AdapterGroup, sources_of
from ..adapters.keys_values import keys_values_of
from ..adapters.loaded_adapter import LoadedAdapter
from ..layers.in_force import Terms
from ..layers.picture_layer import UNTOLD, Place
from ..model.blocks import unet_of
from ..model.family import JOINT
from ..model.joint_stream import JointFamily
from ..model.repeated_rows import with_copies
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState
from .identities import groups_by_adapter

MODELS = "troupe pulid flux"  # under which a patched model has the weights loaded beside it


class Crossing(NamedTuple):
    """A cross-attention: the block that it stands behind, and numbers per query."""

    key: Place
    width: int


@dataclass(frozen=True, eq=False)
class PulidFlux(Effect):
    """Members whose adapter is PuLID for FLUX.1, each in their own region.

    groups    : these members by file
    strengths : [M] of the whole cast, times the cast's own; 0 for one who does not act here
    windows   : [M], the part of the schedule in which each member acts
    """

    kinds: ClassVar[frozenset[str]] = frozenset({JOINT})
    family: JointFamily
    groups: tuple[AdapterGroup, ...]
    strengths: tuple[float, ...]
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, given: Given) -> PulidFlux | None:
        """Raises ValueError when a file does not fit the model or an identity lacks what it reads."""
        members = {
            number: member.adapter or given.adapter
            for number, member in enumerate(given.cast)
            if by_pulid_flux(member.adapter or given.adapter) and member.strength * given.strength
        }
        if not members:
            return None
        for adapter in dict.fromkeys(members.values()):
            _check_fit(given, adapter)
        strengths = tuple(
            member.strength * given.strength if number in members else 0.0 for number, member in enumerate(given.cast)
        )
        recipe = given.recipe
        windows = tuple(shared_window((m.start, m.end), (recipe.start, recipe.end)) for m in given.cast)
        return cls(given.family, groups_by_adapter(given, members), strengths, windows)

    def install(self, patched: Any) -> None:
        """Have the cross-attentions loaded and freed together with the model; each block asks them in every step."""
        patched.set_additional_models(MODELS, [group.adapter.patcher.clone() for group in self.groups])

    def begin(self, session: Session) -> PulidFluxRun:
        """Its keys, values and rows of a run."""
        return PulidFluxRun(self, session)


class PulidFluxRun(EffectRun):
    """Keys, values and rows of one run."""

    def __init__(self, effect: PulidFlux, session: Session) -> None:
        super().__init__()
        self.effect = effect
        self._shares = session.shares

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With what the people add in this call; a ControlNet has no such blocks."""
        acting = tuple(
            strength if now else 0.0 for strength, now in zip(self.effect.strengths, state.acting, strict=True)
        )
        if not any(acting) or call.in_control:
            return terms
        return replace(terms, pictures=(*terms.pictures, PictureTerm(self, call, acting)))

    def keys_values(self, group: AdapterGroup, network: Any, device: torch.device, dtype: torch.dtype):
        """Keys and values of everybody in a group, [S, T, width] for each block; projected once in a run."""

        def made() -> Mapping:
            widths = group.adapter.spec.layer_widths
            places = self.effect.family.picture_places(network)
            crossings = [Crossing(place, width) for place, width in zip(places, widths, strict=True)]
            return keys_values_of([group], crossings, device, dtype)

        return tuple(self.kept(("keys and values", group, device, dtype), made).values())

    def rows(self, group: AdapterGroup, call: ModelCall, acting: tuple, sequence: Tensor, first: int) -> PictureRows:
        """Who is added to which tokens of sequences in which the picture begins at token `first`."""
        rows, device, dtype = call.rows, sequence.device, sequence.dtype
        if len(sequence) != len(rows.rows) * rows.images:
            told = call.options.get("cond_or_uncond", ())
            rows = replace(rows, rows=with_copies(rows.rows, len(sequence), rows.images, told))

        def made() -> PictureRows:
            network = unet_of(call.base)
            grid = self.effect.family.grid(network, call.x.shape)
            strengths = torch.tensor([s if m in group.members else 0.0 for m, s in enumerate(acting)])
            share = self._shares.of_rows(grid, rows) * strengths
            packed = pack_rows(share, rows.images, sources_of([group], len(acting), rows))
            return in_sequence(packed, grid[0] * grid[1], sequence.shape[1], first)

        key = ("rows", group, rows, tuple(call.x.shape[-2:]), acting, sequence.shape[1], first, device, dtype)
        return self.kept(key, lambda: made().to(device, dtype))


@dataclass(frozen=True, eq=False)
class PictureTerm:
    """Adds the people of a run to the picture in one call of the model.

    acting : [M], their strengths now
    beyond : tokens of the picture and its references, as the call's double blocks have them
    """

    run: PulidFluxRun
    call: ModelCall
    acting: tuple[float, ...]
    beyond: list[int] = field(default_factory=list)

    def __call__(self, sequence: Tensor, layer: int, first: int) -> Tensor:
        """The sequence [B, L, C] behind a block, in which the picture begins at token `first`."""
        network = unet_of(self.call.base)
        if first == 0:
            self.beyond[:] = [sequence.shape[1]]
        elif first == UNTOLD:
            first = sequence.shape[1] - self._told()
        for group in self.run.effect.groups:
            picture = self.run.rows(group, self.call, self.acting, sequence, first)
            keys, values = self.run.keys_values(group, network, sequence.device, sequence.dtype)[layer]
            sequence = add_to_rows(sequence, picture, _answer(group, layer, picture, keys, values))
        return sequence

    def _told(self) -> int:
        if not self.beyond:
            raise RuntimeError(
                "Troupe: another pack runs the blocks of FLUX.1 on its own and left out the first of them, so PuLID's "
                "people cannot be added: where the picture is among the tokens is not known. Take that pack's node off "
                "this model."
            )
        return self.beyond[0]


def _answer(group: AdapterGroup, layer: int, picture: PictureRows, keys: Tensor, values: Tensor):
    crossing = group.adapter.module.crossings[layer]
    return lambda rows: crossing(rows, keys, values, picture.counts)


def by_pulid_flux(adapter: LoadedAdapter | None) -> bool:
    """Whether an adapter is PuLID for FLUX.1."""
    return adapter is not None and adapter.format.flux


def _check_fit(given: Given, adapter: LoadedAdapter) -> None:
    network, spec = unet_of(given.model.model), adapter.spec
    places = given.family.picture_places(network)
    if not places:
        raise ValueError(
            f"Troupe: the adapter '{adapter.name}' is PuLID for FLUX.1, and this model is {given.family.name}. Load "
            "FLUX.1, or take the adapter off: this model takes people from their photos."
        )
    found = len(places), given.family.picture_width(network)
    needed = len(spec.layer_widths), spec.picture_width
    if found != needed:
        raise ValueError(
            f"Troupe: the adapter '{adapter.name}' does not fit this FLUX.1 model: it stands behind {needed[0]} blocks "
            f"of width {needed[1]}, and the model has {found[0]} such places of width {found[1]}. Load FLUX.1 itself "
            "or a model with as many blocks."
        )
