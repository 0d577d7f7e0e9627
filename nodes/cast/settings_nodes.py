"""Member Settings: what other packs' users set per person, for one member of a cast or for everybody."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.adapters.inputs import RULES
from ...attention.recipes.cast import with_settings
from ...attention.recipes.layer_strengths import parse_layer_strengths
from ...attention.recipes.member_settings import SCALINGS, WEIGHT_TYPES, MemberSettings
from ...attention.recipes.recipe import PHOTOS
from ..types import Adapter, Cast

AS_THE_CAST = "as the cast"


class MemberSettingsNode(io.ComfyNode):
    """Set for one person what Apply Cast sets for all."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_MemberSettings",
            display_name="Member Settings",
            category="Troupe",
            description="Settings of one person of a cast, or of everybody, by the names that IPAdapter_plus gives "
            "them: weight type, layers, how several photos combine, embeds scaling; a second adapter, and the strength "
            "of the IdentityNet. Stands between Cast Board or Cast Member and Apply Cast.",
            search_aliases=["weight_type", "style transfer", "embeds_scaling", "combine_embeds", "layer weights"],
            inputs=[
                Cast.Input("cast", tooltip="From Cast Board or Cast Member."),
                io.String.Input(
                    "member", default="", tooltip="Whose settings: the person's name. Empty: everybody's."
                ),
                io.Combo.Input(
                    "weight_type", options=list(WEIGHT_TYPES),
                    tooltip="In which layers the face acts. linear: all. weak and strong name parts of the model. ease"
                    " rises and falls along it; style and composition pick the layers that carry them.",
                ),
                io.Combo.Input(
                    "photos", options=[AS_THE_CAST, *PHOTOS, *RULES],
                    tooltip="How several photos act. As Apply Cast says; average: mean direction; one per picture; "
                    "concatenate: all together. add, subtract, plain average, norm average: as IPAdapter_plus.",
                ),
                io.Combo.Input(
                    "embeds_scaling", options=list(SCALINGS),
                    tooltip="What the strength multiplies. V only: the person's attention. K+V: keys too, so that weak "
                    "people fade less evenly. w/ C penalty: less in narrow layers. For mode decoupled.",
                ),
                io.Float.Input(
                    "identity_net", default=1.0, min=0.0, max=3.0, step=0.05,
                    tooltip="Multiplies the strength of Apply IdentityNet in this person's region.",
                ),
                io.String.Input(
                    "layers", default="", advanced=True,
                    tooltip="Strengths of single layers, for example: input: 0.5, middle: 0, output 3-5: 1.2",
                ),
                Adapter.Input(
                    "second_adapter", optional=True, tooltip="Another adapter that acts for the same person as well."
                ),
                io.Float.Input(
                    "second_strength", default=1.0, min=0.0, max=3.0, step=0.05, advanced=True,
                    tooltip="Of the second adapter, times the member's strength.",
                ),
            ],
            outputs=[Cast.Output(display_name="cast")],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, cast, member, weight_type, photos, embeds_scaling, identity_net, layers, second_strength,
        second_adapter=None,
    ) -> io.NodeOutput:  # fmt: skip
        settings = MemberSettings(
            weight_type,
            parse_layer_strengths(layers),
            "" if photos == AS_THE_CAST else photos,
            embeds_scaling,
            identity_net,
            second_adapter,
            second_strength,
        )
        return io.NodeOutput(with_settings(cast, member, settings))


NODES: list[type[io.ComfyNode]] = [MemberSettingsNode]
