"""Effect: identities in cross-attention, through the tokens of an adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ....attention.operators.masked import TextKeys
from ....attention.operators.modes import Layout, attend_to_identities, lay_out, takes_methods
from ....attention.recipes.member_settings import V_ONLY, share_of
from ....attention.recipes.recipe import Recipe
from ....attention.recipes.schedule import Window, shared_window
from ..adapters.adapter_group import (
    AdapterGroup,
    Scaling,
    copies_in,
    group_of,
    lengths_in,
    methods_of,
    repeats_in,
    sources_of,
)
from ..adapters.apply_lora import apply_loras
from ..adapters.keys_values import keys_values_of
from ..adapters.loaded_adapter import LoadedAdapter
from ..layers.in_force import Terms
from ..model.blocks import CrossAttentionBlock, check_fit, grid_at, widening
from ..model.option_keys import RECORDINGS
from ..model.repeated_rows import with_copies
from ..model.rows import Call
from ..progress import Moving
from .attention_recorder import Recorded, column_of
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState
from .entries import Entry, entries_of


@dataclass(frozen=True, eq=False)
class Identities(Effect):
    """Members' identities, each in their own region. An entry is a member with one adapter; some have two.

    groups    : the entries by adapter
    strengths : [E], each entry's times the whole cast's; 0 for one who does not act
    windows   : [E], the part of the schedule in which each acts; behind them, where the released gate boosts a part of
                the schedule, that part
    owners    : [E], the number of the member in the cast
    weights   : [layers][E], what multiplies each entry's attention in a layer
    """

    blocks: tuple[CrossAttentionBlock, ...]
    recipe: Recipe
    groups: tuple[AdapterGroup, ...]
    strengths: tuple[float, ...]
    names: tuple[str, ...]
    owners: tuple[int, ...]
    weights: tuple[tuple[float, ...], ...]
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, given: Given) -> Identities | None:
        """Raises ValueError when an adapter fits neither model, identity nor recipe, or settings not the recipe."""
        entries = entries_of(given.cast, given.adapter, given.strength)
        if not any(entry.strength for entry in entries):
            return None
        recipe, blocks = given.recipe, given.blocks
        for own in dict.fromkeys(entry.adapter for entry in entries):
            _check_adapter(own, given)
        places = tuple(block.key[:2] for block in blocks)
        strengths = [entry.in_layers(places) for entry in entries]
        groups = grouped(given, entries, strengths)
        weights = [
            tuple(share_of(e.settings.scaling, by, block.width) for e, by in zip(entries, layer, strict=True))
            for block, layer in zip(blocks, zip(*strengths, strict=True), strict=True)
        ]
        windows = tuple(shared_window((e.member.start, e.member.end), (recipe.start, recipe.end)) for e in entries)
        boosts = recipe.gate.released and recipe.gate.boost > 0 and recipe.gate.boost_end > 0
        windows += ((0.0, recipe.gate.boost_end),) * boosts
        acting = tuple(entry.strength for entry in entries)
        names, owners = tuple(entry.name for entry in entries), tuple(entry.number for entry in entries)
        return cls(blocks, recipe, groups, acting, names, owners, tuple(weights), windows)

    @property
    def first_steps(self) -> int:
        """Those that the released gate boosts."""
        gate = self.recipe.gate
        return gate.boost_steps if gate.released and gate.boost > 0 else 0

    def install(self, patched: Any) -> None:
        """Apply the LoRAs inside adapter files."""
        apply_loras(patched, [group.adapter for group in self.groups])

    def begin(self, session: Session) -> IdentityRun:
        """Its keys, values and layouts of a run."""
        return IdentityRun(self, session)


class IdentityRun(EffectRun):
    """Keys, values and layouts of one run. Sources are, group by group, its members' photos and then unconditional."""

    def __init__(self, effect: Identities, session: Session) -> None:
        super().__init__()
        self.effect = effect
        self._shares = session.shares
        self._repeats = repeats_in(effect.groups)
        self._beside = (
            methods_of(effect.groups, len(effect.strengths)),
            copies_in(effect.groups),
            lengths_in(effect.groups),
        )

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With what the identities add in this call; nothing in a ControlNet that the recipe does not reach into."""
        recipe = self.effect.recipe
        members = len(self.effect.strengths)
        acting, boosted = state.acting[:members], state.early or any(state.acting[members:])
        active = tuple(strength > 0 and now for strength, now in zip(self.effect.strengths, acting, strict=True))
        if not any(active) or (call.in_control and not recipe.reach):
            return terms
        device, dtype = call.x.device, call.dtype
        kinds = {
            (grid_at(call.x.shape, b.level), w) for b, w in zip(self.effect.blocks, self.effect.weights, strict=True)
        }
        layouts = {kind: self.layout(*kind, call.rows, active, device, dtype) for kind in kinds}
        parts = self, call.rows, active, tuple(self.keys_values(device, dtype).values()), layouts, boosted
        recordings = () if call.in_control else call.options.get(RECORDINGS, ())
        recorded = Recorded(recordings, column_of(call.options, call.x)) if recordings else None
        return replace(terms, identities=(*terms.identities, IdentityTerm(*parts, recorded)))

    def keys_values(self, device: torch.device, dtype: torch.dtype):
        """The keys and values of all sources, [S, T, width] for each layer; projected on the first call of a run."""
        make = keys_values_of
        return self.kept(
            ("keys and values", device, dtype),
            lambda: make(self.effect.groups, self.effect.blocks, device, dtype),
        )

    def layout(
        self,
        grid: tuple[int, int],
        weights: tuple[float, ...],
        call: Call,
        active: tuple[bool, ...],
        device: torch.device,
        dtype: torch.dtype,
    ) -> Layout:
        """Who acts where in the rows of a call, on a layer's grid, with what weights [E]."""

        def made() -> Layout:
            acting = torch.tensor(weights) * torch.tensor(active)
            shares = self._shares.of_rows(grid, call)[..., list(self.effect.owners)]
            sources = sources_of(self.effect.groups, len(acting), call)
            return lay_out(self.effect.recipe, shares, acting, sources, self._repeats, *self._beside)

        return self.kept(("layout", grid, weights, call, active, device, dtype), lambda: made().to(device, dtype))

    def text_keys(self, call: Call, k: Tensor) -> TextKeys:
        """The text's keys [B, L, H*D], with how often each row has its prompt's tokens among them, where that counts.

        ComfyUI repeats prompts of unlike lengths until they are equally long, and so do packs with regional prompts.
        """
        if not self.effect.recipe.one_softmax:
            return TextKeys(k, None)
        repeats = tuple(_repeats(k.shape[1], row.tokens) for row in call.rows for _ in range(call.images))
        if max(repeats) == 1:
            return TextKeys(k, None)
        key = ("repeats of the text", repeats, k.device)
        return TextKeys(k, self.kept(key, lambda: torch.tensor(repeats, dtype=torch.float32, device=k.device)))


@dataclass(frozen=True, eq=False)
class IdentityTerm:
    """What identities add to the cross-attention layers in one call.

    call        : the rows of the call
    active      : [I] which members act
    keys_values : of every layer, [S, T, H*D] each
    layouts     : by grid and weights of the entries
    boosted     : whether the step is one of those that the released gate boosts
    recorded    : where what they add is recorded, or None
    """

    run: IdentityRun
    call: Call
    active: tuple[bool, ...]
    keys_values: tuple[tuple[Tensor, Tensor], ...]
    layouts: Mapping[tuple[tuple[int, int], tuple[float, ...]], Layout]
    boosted: bool
    recorded: Recorded | None = None

    def __call__(
        self, onto: Tensor, q: Tensor, k: Tensor, layer: int, heads: int, grid: tuple[int, int], groups: Sequence[int]
    ) -> Tensor:
        """See layers.in_force.CrossAttentionTerm."""
        effect, call = self.run.effect, self.call
        strength, weights = effect.recipe.layers.of(*effect.blocks[layer].key[:2]), effect.weights[layer]
        if not strength or not any(weights):
            return onto
        layout = self.layouts.get((grid, weights))
        if len(q) != len(call.rows) * call.images:
            call, layout = replace(call, rows=with_copies(call.rows, len(q), call.images, groups)), None
        if layout is None:
            layout = self.run.layout(grid, weights, call, self.active, q.device, q.dtype)
        keys, values = (t.to(q) for t in self.keys_values[layer])
        text = self.run.text_keys(call, k)
        inputs = layout, onto, q, text, keys, values, heads, strength, self.boosted
        if self.recorded is None:
            return attend_to_identities(effect.recipe, *inputs)
        return self.recorded.attend(effect, effect.recipe, inputs, layer, grid, call)


def _check_adapter(adapter: LoadedAdapter, given: Given) -> None:
    if adapter.format.flux:
        raise ValueError(
            f"Troupe: the adapter '{adapter.name}' is PuLID for FLUX.1, and this model is {given.family.name}. Load "
            "FLUX.1, or choose an adapter made for this model (pulid_v1.1 is PuLID for SDXL)."
        )
    spec = adapter.spec
    check_fit(given.blocks, spec.cross_width, spec.layer_widths, adapter.name)
    _check_method(adapter, given.recipe)


def grouped(given: Given, entries: Sequence[Entry], strengths: Sequence[tuple[float, ...]]) -> tuple[AdapterGroup, ...]:
    """Entries by adapter; those whose strengths multiply keys or values too stay apart, with a nobody of their own.

    strengths : [E][layers]
    Raises ValueError when an identity does not have what its adapter reads, or the recipe takes no such scaling.
    """
    together: dict[tuple, list[int]] = {}
    for index, (entry, by) in enumerate(zip(entries, strengths, strict=True)):
        kind = entry.settings.scaling
        if kind != V_ONLY and (given.recipe.mode != "decoupled" or entry.adapter.method.orthogonal):
            raise ValueError(
                f"Troupe, Member Settings: '{entry.name}' has the embeds scaling '{kind}', which recipes of mode "
                f"decoupled take with adapters other than PuLID's fidelity and style. Set it to '{V_ONLY}', or choose "
                "the recipe Troupe or decoupled."
            )
        together.setdefault((entry.adapter, Scaling(kind, () if kind == V_ONLY else by)), []).append(index)
    return tuple(
        group_of(
            adapter,
            indices,
            Moving([entries[index].member.identity for index in indices]),
            [entries[index].settings.photos or given.recipe.photos for index in indices],
            widening(given.model, adapter),
            scaling,
        )
        for (adapter, scaling), indices in together.items()
    )


def groups_by_adapter(given: Given, adapters: Mapping[int, LoadedAdapter]) -> tuple[AdapterGroup, ...]:
    """Members of a cast, by number, with those together that share an adapter.

    Raises ValueError when an identity does not have what its adapter reads.
    """
    members: dict[LoadedAdapter, list[int]] = {}
    for index, own in adapters.items():
        members.setdefault(own, []).append(index)
    return tuple(
        group_of(
            own,
            indices,
            Moving([given.cast[index].identity for index in indices]),
            [given.cast[index].settings.photos or given.recipe.photos for index in indices],
            widening(given.model, own),
        )
        for own, indices in members.items()
    )


def _check_method(adapter: LoadedAdapter, recipe: Recipe) -> None:
    if adapter.method.orthogonal and not takes_methods(recipe):
        raise ValueError(
            f"Troupe: the PuLID file '{adapter.name}' has the method {adapter.settings.method}, which takes out of a "
            f"person what the text says already; in mode {recipe.mode}{' as released' * recipe.gate.released} there is "
            "no attention of their own. Set 'method' in Load Identity Adapter to neutral, or choose a recipe of mode "
            "decoupled (Troupe, MultiID, AnyMS, decoupled)."
        )


def _repeats(length: int, tokens: int | None) -> int:
    return length // tokens if tokens and length % tokens == 0 else 1
