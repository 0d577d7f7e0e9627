"""Apply IdentityNet: InstantID's ControlNet for several people in one call, each face in its own region."""

from __future__ import annotations

from comfy_api.latest import io

from ..host.control.identity_prompts import apply_identity_net
from ..types import Adapter, Cast
from .control_inputs import feather_input, prompt_inputs, prompt_outputs, schedule_inputs


class ApplyIdentityNet(io.ComfyNode):
    """InstantID's ControlNet: key points for all, and each person's face tokens inside their region."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ApplyIdentityNet",
            display_name="Apply IdentityNet",
            category="Troupe/control",
            description="Apply InstantID's ControlNet for all people of a cast at once: it reads each person's face "
            "inside of their region, and no text. Apply Cast with the same cast and adapter is the other half.",
            search_aliases=["InstantID", "apply instantid", "face controlnet"],
            inputs=[
                *prompt_inputs(),
                io.ControlNet.Input("control_net", tooltip="InstantID's, from Load ControlNet Model. Not changed."),
                io.Image.Input("image", tooltip="The key points of all faces, from Key-Point Picture."),
                Cast.Input("cast", tooltip="The members: from Cast Member. Their start and end do not count here."),
                Adapter.Input(
                    "adapter",
                    optional=True,
                    tooltip="InstantID's, used by members that bring none of their own. Members with an adapter of "
                    "another kind are left out.",
                ),
                *schedule_inputs(strength=0.8),
                feather_input(),
            ],
            outputs=prompt_outputs(),
        )

    @classmethod
    def execute(
        cls,
        positive,
        negative,
        control_net,
        image,
        cast,
        strength,
        start_percent,
        end_percent,
        adapter=None,
        feather=0.02,
    ) -> io.NodeOutput:
        if strength == 0:
            return io.NodeOutput(positive, negative)
        hinted = control_net.copy().set_cond_hint(image.movedim(-1, 1), strength, (start_percent, end_percent))
        return io.NodeOutput(*apply_identity_net(positive, negative, hinted, cast, adapter, feather))


NODES: list[type[io.ComfyNode]] = [ApplyIdentityNet]
