"""Cast Member and Apply Cast: who stands where, and the patch that makes it so."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ...attention.recipes.cast import with_member
from ...attention.recipes.recipe_book import RECIPE_BOOK, recipe_named
from ..host.cast.chosen_adapter import adapter_for
from ..host.cast.model_patch import patch_cast
from ..host.effects.prompts import unused_prompts
from ..host.model.families import family_of
from ..types import Adapter, Cast, Identity, Regions
from .advanced_inputs import ADAPTER_TOOLTIP, MODEL_TOOLTIP


def _fraction(name: str, default: float, tooltip: str) -> io.Float.Input:
    """Optional, because prompts saved before there was such an input do not have it."""
    return io.Float.Input(
        name, default=default, min=0.0, max=1.0, step=0.01, optional=True, advanced=True, tooltip=tooltip
    )


class CastMember(io.ComfyNode):
    """Give an identity a region, and add it to a cast."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_CastMember",
            display_name="Cast Member",
            category="Troupe",
            description="Put one person into one region. Chain several to build a cast; where regions overlap, "
            "earlier members stand in front.",
            search_aliases=[
                "cast",
                "person",
                "character",
                "regional identity",
                "two people",
                "several people",
                "multiple characters",
                "couple",
                "consistent character",
            ],
            inputs=[
                Identity.Input("identity", tooltip="Who: from Extract Identity."),
                Regions.Input("regions", tooltip="The regions to choose from: from Draw Regions."),
                Cast.Input("cast", optional=True, tooltip="The members so far; leave empty for the first one."),
                io.Conditioning.Input(
                    "prompt",
                    optional=True,
                    tooltip="What this person wears and does, for their region. Recipes AnyMS, DynamicID and "
                    "InstantFamily do not use it; in MultiID the main prompt keeps a fifth there, in Troupe nothing.",
                ),
                Adapter.Input("adapter", optional=True, tooltip="For this member alone, instead of Apply Cast's."),
                io.String.Input(
                    "region",
                    default="",
                    extra_dict={"widgetType": "TROUPE_REGION_CHOICE"},  # a list of them, by web/region_choice.js
                    tooltip="The name of this member's region, as in Draw Regions. "
                    "Empty: the region that is named like the person, else the next one that nobody has.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=3.0,
                    step=0.05,
                    tooltip="How strongly this person's face acts in the region. 0 keeps the place and draws nobody.",
                ),
                _fraction("start", 0.0, "Where in the schedule this person begins to act; 0 is the first step."),
                _fraction("end", 1.0, "Where in the schedule this person ceases to act; 1 is the last step."),
                io.Conditioning.Input(
                    "negative",
                    optional=True,
                    tooltip="What is not wanted in this person's region, beside the picture's negative prompt. Acts "
                    "where 'prompt' would, in models with cross-attention (SD1.5, SDXL).",
                ),
            ],
            outputs=[Cast.Output(display_name="cast")],
        )

    @classmethod
    def execute(
        cls, identity, regions, region, strength, cast=None, prompt=None, adapter=None, start=0.0, end=1.0,
        negative=None,
    ) -> io.NodeOutput:  # fmt: skip
        parts = identity, regions, region, strength, prompt, adapter, start, end, negative
        return io.NodeOutput(with_member(cast or (), *parts))


class ApplyCast(io.ComfyNode):
    """Patch a model so that each member of a cast appears inside their own region."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ApplyCast",
            display_name="Apply Cast",
            category="Troupe",
            description="Draw each member of the cast inside their own region.",
            search_aliases=[
                "multi identity",
                "multiple people",
                "ipadapter",
                "faceid",
                "apply identity",
                "two people",
                "several people",
                "multiple characters",
                "couple",
                "group portrait",
                "face swap",
                "consistent character",
            ],
            inputs=[
                io.Model.Input("model", tooltip=MODEL_TOOLTIP),
                Cast.Input("cast", tooltip="The members: from Cast Member."),
                Adapter.Input("adapter", optional=True, tooltip=ADAPTER_TOOLTIP),
                io.Combo.Input(
                    "recipe",
                    options=list(RECIPE_BOOK),
                    tooltip="Troupe: our own. MultiID, AnyMS, DynamicID, InstantFamily: those papers' attention, with "
                    "the adapter at hand, not their own weights; DynamicID (released): the form of its code, for its "
                    "files. MultiID needs the VAE. decoupled, masked, gated: people beside the text, in one softmax "
                    "with it, or scaled by how each point responds, and nothing else.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=3.0,
                    step=0.05,
                    tooltip="Multiplies every member's strength. 0 leaves the model as it is.",
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="The model's. Needed by FLUX and like models, which take people from their photos (FLUX.1 "
                    "with PuLID can do without), and by recipes in which people attend to their photos (MultiID).",
                ),
            ],
            outputs=[io.Model.Output(display_name="model")],
        )

    @classmethod
    def execute(cls, model, cast, recipe, strength, adapter=None, vae=None) -> io.NodeOutput:
        chosen = recipe_named(recipe)
        found = adapter_for(model, cast, adapter, chosen, strength, vae)
        patched = patch_cast(model, cast, found.adapter, chosen, strength, vae)
        unused = unused_prompts(cast, chosen, family_of(model).kind)
        said = "\n".join([*found.lines, *filter(None, [unused])])
        return io.NodeOutput(patched, ui=ui.PreviewText(said) if said else None)


NODES: list[type[io.ComfyNode]] = [CastMember, ApplyCast]
