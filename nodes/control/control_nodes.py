"""Apply ControlNet in Regions: a pose, a depth map or key points for some people, without moving the others."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.regions.edits import index_of
from ..host.control.regional_control import apply_in_regions
from ..regions.region_lists import split_names
from ..types import Regions
from .control_inputs import feather_input, prompt_inputs, prompt_outputs, schedule_inputs


class ApplyControlInRegions(io.ComfyNode):
    """Like the stock Apply ControlNet, but its residuals act inside of regions alone."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ApplyControlInRegions",
            display_name="Apply ControlNet in Regions",
            category="Troupe/control",
            description="Apply a ControlNet inside of regions only; chain one per person, each with its own picture.",
            search_aliases=["masked controlnet", "regional controlnet", "controlnet mask"],
            inputs=[
                *prompt_inputs(),
                io.ControlNet.Input("control_net", tooltip="Any ControlNet of ComfyUI. It is not changed."),
                io.Image.Input("image", tooltip="The hint for the whole picture: pose, depth, key points, lines."),
                Regions.Input("regions", tooltip="From Draw Regions and its kin."),
                io.Vae.Input("vae", optional=True, tooltip="For ControlNets that read latents."),
                io.String.Input("names", default="", tooltip="Regions to act in, by commas; empty for all of them."),
                *schedule_inputs(strength=1.0),
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
        regions,
        names,
        strength,
        start_percent,
        end_percent,
        vae=None,
        feather=0.02,
    ) -> io.NodeOutput:
        if strength == 0:
            return io.NodeOutput(positive, negative)
        hinted = control_net.copy().set_cond_hint(image.movedim(-1, 1), strength, (start_percent, end_percent), vae=vae)
        try:
            acting = [regions[index_of(regions, name)] for name in split_names(names)]
        except ValueError as error:
            raise ValueError(f"Troupe, Apply ControlNet in Regions: {error}") from error
        return io.NodeOutput(*apply_in_regions(positive, negative, hinted, acting or regions, feather))


NODES: list[type[io.ComfyNode]] = [ApplyControlInRegions]
