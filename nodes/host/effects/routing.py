"""Effect: people in models whose one attention holds text, picture and references, each bound to their own place.

Members' photos join the references of every conditioning of the run, members' prompts the text of the positive one.
Each layer's attention is then answered in groups: who sees whom is attention.routing.policies, whose each token is
comes from the call itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ....attention.isolation.token_groups import owners
from ....attention.recipes.recipe import Isolation, Routing
from ....attention.recipes.schedule import Window, shared_window
from ....attention.routing.policies import APART, BOUND, CLOSED, FREE, Odds, RoutedGroup, routed_groups
from ....attention.routing.token_map import token_map
from ..layers.in_force import Terms
from ..layers.joint_attention import Counts, JointAttention, Patch, RoutedStage, RowPart
from ..layers.reference_places import EachFirst, KeptTokens
from ..model.blocks import unet_of
from ..model.family import JOINT
from ..model.joint_stream import Forward, JointFamily, Stage
from ..model.rows import Area
from .control_reach import ReachRun
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState
from .member_references import MemberReference, member_references
from .prompts import prompts_of
from .pulid_flux import by_pulid_flux
from .routed_control import RoutedControls, forward_of
from .routing_report import report, report_control

log = logging.getLogger(__name__)
ALWAYS = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Route(Effect):
    """Who sees whom.

    references : members' photos as latents, in the order of the cast
    prompts    : [M], text tokens [L, width] of each member's prompt, or None
    strengths  : [M], each member's times the whole cast's
    names      : [M]
    windows    : [M] of the members, then isolation's and that of `apart`; ALWAYS for what is not asked for
    """

    kinds: ClassVar[frozenset[str]] = frozenset({JOINT})
    family: JointFamily
    routing: Routing
    isolation: Isolation
    references: tuple[MemberReference, ...]
    prompts: tuple[Tensor | None, ...]
    strengths: tuple[float, ...]
    names: tuple[str, ...]
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, given: Given) -> Route | None:
        """Raises ValueError for a recipe that needs cross-attention, and as `member_references` and `prompts_of` do."""
        recipe, cast = given.recipe, given.cast
        if not given.strength or not cast:
            return None
        _check_recipe(given)
        width = given.family.text_width(unet_of(given.model.model))
        prompts = prompts_of(cast, width) if recipe.prompts else (None,) * len(cast)
        photos = _from_photos(given)
        strengths = tuple(member.strength * given.strength * photos for member in cast)
        if not any(strengths) and all(own is None for own in prompts):
            return None
        if any(strengths) and not given.family.takes_photos(unet_of(given.model.model)):
            raise ValueError(
                f"Troupe: this {given.family.name} model reads no photos. Set the strength of every Cast Member to 0: "
                "their prompts still act in their regions. Or load a model that reads photos."
            )
        references = member_references(given, recipe.routing) if photos else ()
        _check_cut(given, references)
        _warn_of_many(given, len(references))
        isolation = recipe.isolation
        windows = [shared_window((member.start, member.end), (recipe.start, recipe.end)) for member in cast]
        windows += [
            (isolation.start, isolation.end) if isolation.eta < 1 else ALWAYS,
            (0.0, recipe.routing.apart_until) if recipe.routing.apart_until else ALWAYS,
        ]
        names = tuple(member.identity.name for member in cast)
        parts = references, prompts, strengths, names, tuple(windows)
        return cls(given.family, recipe.routing, isolation, *parts)

    def begin(self, session: Session) -> RouteRun:
        """Its groups of a run."""
        return RouteRun(self, session)

    @property
    def each_first(self) -> bool:
        """Whether every member's reference gets the place of the first one."""
        place, policy = self.routing.place, self.routing.policy
        wanted = place == "each first" or (place == "auto" and self.family.first_places)
        return wanted and policy in (CLOSED, APART) and len(self.references) > 1


class RouteRun(EffectRun):
    """Who sees whom in one run, for every layout of tokens that it meets."""

    always = True  # places and prompts stay people's own in steps in which nobody's photo acts

    def __init__(self, effect: Route, session: Session) -> None:
        super().__init__()
        self.effect = effect
        self.counts, self.in_control = Counts(), Counts()
        self._controls = ReachRun(RoutedControls(effect.family).rebuild, session.terms_in_control)
        self._shares = session.shares
        self._own = tuple(0 if prompt is None else len(prompt) for prompt in effect.prompts)
        self._people = tuple(frozenset([reference.member]) for reference in effect.references)
        masks = [reference.kept for reference in effect.references]
        self._kept_tokens = masks if any(mask is not None for mask in masks) else []
        self._told: tuple[Stage, Sequence[RoutedGroup]] | None = None

    def given_conds(self, conds: Mapping[str, list[dict]]) -> Mapping[str, list[dict]]:
        """With the members' photos in all of them, so that they still share a batch, and their prompts in the positive.

        Raises RuntimeError for a conditioning whose attention mask leaves no room for references.
        """
        return {role: [self._with(cond, role == "positive") for cond in listed] for role, listed in conds.items()}

    def _with(self, cond: dict, positive: bool) -> dict:
        if "attention_mask_img_shape" in cond:
            raise RuntimeError(
                "Troupe: a prompt has an attention mask over text and picture (from Apply Style Model with a strength "
                "below 1 or from a pack for regional prompts), and the model cannot read references beside one. Take "
                "that node out; give members prompts of their own instead."
            )
        latents = [reference.latent for reference in self.effect.references]
        cond = {**cond, "reference_latents": [*(cond.get("reference_latents") or ()), *latents]}
        own = [prompt for prompt in self.effect.prompts if prompt is not None]
        text = cond.get("cross_attn")
        if positive and own and text is not None:
            cond["cross_attn"] = torch.cat([text, *(part.to(text).expand(len(text), -1, -1) for part in own)], 1)
            mask = cond.get("attention_mask")
            if mask is not None:
                cond["attention_mask"] = torch.cat([mask, mask.new_ones(*mask.shape[:-1], sum(self._own))], -1)
        return cond

    def conds(self, conds: Sequence[list[dict] | None]) -> Sequence[list[dict] | None]:
        """With stand-ins for ControlNets, in which people are routed too."""
        return self._controls.conds(conds)

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With the answer to the attention of this call, or of a ControlNet."""
        network = unet_of(call.base)
        if call.in_control:
            stages = self._routed(network, call, state, lambda own: forward_of(call.x, call.rest, own))[0]
            return replace(terms, joint=JointAttention(stages, len(call.x), self.in_control))
        if call.text is None:
            return terms
        latents = call.rest.get("ref_latents") or ()
        if len(latents) < len(self._people):
            self.counts.lost += 1
            return terms
        sizes = tuple((latent.shape[-2], latent.shape[-1]) for latent in latents)
        stages, forward = self._routed(network, call, state, lambda own: self._forward(call, sizes, own))
        patches = self._patches(network, forward)
        return replace(terms, joint=JointAttention(stages, len(call.x), self.counts, patches))

    def _routed(
        self, network: Any, call: ModelCall, state: StepState, forward_of: Callable[[tuple[int, ...]], Forward]
    ) -> tuple[list[RoutedStage], Forward]:
        """The stages of a call, and what one of its rows is; `forward_of` says that by tokens of members' prompts."""
        rows = call.rows.rows_by(lambda row: (row.positive and any(self._own), row.area))
        forwards = {kind: forward_of(self._own if kind[0] else (0,) * len(self._own)) for kind in rows}
        staged = {kind: self._stages(network, forward) for kind, forward in forwards.items()}
        policy, odds = self._now(state)
        stages = []
        for number, stage in enumerate(next(iter(staged.values()))):
            parts = []
            for kind, numbers in rows.items():
                index = torch.tensor(numbers, device=call.x.device) if len(rows) > 1 else None
                layout = (network, staged[kind][number], forwards[kind].size, kind[1])
                parts.append(RowPart(index, self._groups(layout, call, policy, odds)))
            stages.append(RoutedStage(sum(span.length for span in stage.spans), tuple(parts), stage.calls))
        return stages, next(iter(forwards.values()))

    def _forward(self, call: ModelCall, sizes: tuple, own: tuple[int, ...]) -> Forward:
        contexts = tuple(text.shape[1] for text in call.rest.get("ref_contexts") or ())
        visions = tuple(seen.shape[1] * seen.shape[2] for seen in call.rest.get("siglip_feats") or ())
        kept = tuple(None if mask is None else int(mask.sum()) for mask in self._kept_tokens)
        size = tuple(call.x.shape[-2:])
        return Forward(size, call.text.shape[1], own, sizes, self._people, contexts, visions, kept)

    def _stages(self, network: Any, forward: Forward) -> tuple[Stage, ...]:
        return self.kept(("stages", forward), lambda: self.effect.family.stages(network, forward))

    def _now(self, state: StepState) -> tuple[str, Odds]:
        """The policy of a step, and what weighs tokens in it."""
        *members, isolated, apart = state.acting
        references = tuple(
            strength if acting else 0.0 for strength, acting in zip(self.effect.strengths, members, strict=True)
        )
        isolation = self.effect.isolation
        odds = Odds(references, isolation.eta if isolated else 1.0, isolation.background)
        routing = self.effect.routing
        return APART if apart and routing.apart_until else routing.policy, odds

    def _groups(self, layout: tuple, call: ModelCall, policy: str, odds: Odds):
        network, stage, size, area = layout
        device = call.x.device

        def made(queries: int) -> Sequence[RoutedGroup]:
            owned = self.kept(("owners", size, area), lambda: self._owners(network, size, call, area))
            tokens = token_map(stage.spans, owned)
            groups = routed_groups(tokens, policy, odds, queries)
            self._told = self._told or (None if call.in_control else (stage, groups))
            return [group.to(device) for group in groups]

        key = ("groups", stage, area, policy, odds, device, call.in_control)
        return lambda queries: self.kept((*key, queries), lambda: made(queries))

    def _owners(self, network: Any, size: Sequence[int], call: ModelCall, area: Area | None) -> Tensor:
        """[N, M] bool: whose each token of the picture is. Raises RuntimeError where a member has none."""
        grid = self.effect.family.grid(network, size)
        owned = owners(self._shares.of(grid, call.rows.latent, area))
        if area is None:
            for name, cells in zip(self.effect.names, owned.T, strict=True):
                if not cells.any():
                    raise RuntimeError(
                        f"Troupe: in a picture of {grid[1]} x {grid[0]} tokens the region of '{name}' has none of its "
                        "own: it is smaller than half a token, or lies behind others. Draw it larger or a larger "
                        "picture, or put the member further to the front of the cast."
                    )
        return owned

    def _patches(self, network: Any, forward: Forward) -> tuple[Patch, ...]:
        """What changes the model's sequence before its first layer."""
        spans = self._stages(network, replace(forward, kept=()))[-1].spans
        patches = []
        if self.effect.each_first:
            patches.append(self.kept(("places", spans), lambda: EachFirst(spans, len(self._people))))
        if self._kept_tokens:
            patches.append(self.kept(("tokens", spans), lambda: KeptTokens(spans, self._kept_tokens)))
        return tuple(patches)

    def close(self) -> None:
        """Say what was done, and let go of every tensor."""
        dropped = sum(int((~mask).sum()) for mask in self._kept_tokens if mask is not None)
        report(log, self.effect.family, self.counts, self._told, dropped)
        report_control(log, self.in_control)
        self._told = None
        self._controls.close()
        super().close()


def _check_recipe(given: Given) -> None:
    recipe, name = given.recipe, given.family.name
    if recipe.routing is None:
        raise ValueError(
            f"Troupe: this recipe (mode {recipe.mode}) adds people to cross-attention, and {name} has none: its one "
            "attention reads text, picture and photos together. Choose the recipe Troupe."
        )
    if recipe.isolation.covers_everything:
        raise ValueError(
            f"Troupe: 'apart_in' is everything, and {name} has no convolutions or group norms to keep people apart in. "
            "Set 'routing' to apart, which keeps them apart in everything there is."
        )
    if given.adapter is not None and not by_pulid_flux(given.adapter):
        log.info("Troupe: the adapter '%s' is for models with cross-attention; %s takes people from their photos.",
                 given.adapter.name, name)  # fmt: skip


def _check_cut(given: Given, references: Sequence[MemberReference]) -> None:
    """Raises ValueError where tokens were to be taken out of photos and ComfyUI has no place to do so."""
    cut = any(reference.kept is not None for reference in references)
    if cut and not (given.family.cuts and hasattr(given.model, "set_model_post_input_patch")):
        raise ValueError(
            f"Troupe: no tokens can be taken out of photos in {given.family.name} here. Set 'photo_tokens' of Apply "
            "Cast (Advanced) to all; 'photo_crop' head and a lower 'photo_size' save as much."
        )


def _from_photos(given: Given) -> bool:
    """Whether people come from photos too: PuLID alone brings everybody where no VAE was given to encode photos."""
    acting = [member for member in given.cast if member.strength]
    return given.vae is not None or not all(by_pulid_flux(member.adapter or given.adapter) for member in acting)


def _warn_of_many(given: Given, count: int) -> None:
    family, policy = given.family, given.recipe.routing.policy
    if policy in (FREE, BOUND) and count > family.together:
        log.warning(
            "Troupe: %d reference photos, and %s was made for %d where everybody sees them all ('%s'). Set 'routing' "
            "to closed, which gives each person their own alone.", count, family.name, family.together, policy,
        )  # fmt: skip
