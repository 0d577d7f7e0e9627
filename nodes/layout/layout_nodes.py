"""Depth Layout: regions become a depth map of people for any depth ControlNet."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.figures.depth_layout import SHOWN, Look
from ...attention.figures.placing import ADULT
from ..regions.region_tool_nodes import size_inputs
from ..types import Regions
from .layout_pictures import layout_of, poses_by_name


def _brightness(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, advanced=True, tooltip=tooltip)


class DepthLayout(io.ComfyNode):
    """Put people where the regions are, nearer ones in front."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_DepthLayout",
            display_name="Depth Layout",
            category="Troupe/control",
            description="Turn regions into a depth map of people for any depth ControlNet, in the regions' order. With "
            "a depth map of a reference picture, find its people in the regions instead. Where regions overlap, "
            "every pixel goes to whoever is seen there.",
            search_aliases=["depth map", "layout", "controlnet depth", "silhouette", "who is in front"],
            inputs=[
                Regions.Input("regions", tooltip="Where people are; a smaller order is nearer."),
                io.Image.Input(
                    "depth",
                    optional=True,
                    tooltip="A depth map of a reference picture, near is bright. It goes through unchanged, its size "
                    "replaces width and height, and the regions' order is read from it.",
                ),
                *size_inputs("depth map"),
                io.Combo.Input(
                    "pose",
                    options=list(SHOWN),
                    tooltip="How people are shown. auto: all of a person in a slim region, a bust in a broad one. "
                    "as painted: the region itself is the outline, for masks of people.",
                ),
                io.String.Input(
                    "poses",
                    default="",
                    tooltip="Other poses of single regions, for instance Ada: sitting, Ben: bust.",
                ),
                io.Float.Input(
                    "heads",
                    default=ADULT,
                    min=2.0,
                    max=10.0,
                    step=0.1,
                    tooltip="How many times the height of their head people are tall: 7.5 adults, 5 small children, "
                    "3 cartoon figures and the people of the demo world.",
                ),
                _brightness("near", 0.85, "Brightness of the nearest person."),
                _brightness("far", 0.45, "Brightness of the farthest person."),
                _brightness("ground", 0.2, "Brightness of the ground at the lower edge; 0 leaves it away."),
            ],
            outputs=[
                io.Image.Output(display_name="depth", tooltip="For Apply ControlNet with a depth ControlNet."),
                io.Mask.Output(display_name="visible", tooltip="What is seen of each person, one mask per region."),
                Regions.Output(
                    display_name="regions",
                    tooltip="The regions with their order; overlapping ones no longer overlap, whatever the recipe.",
                ),
            ],
        )

    @classmethod
    def execute(cls, regions, width, height, pose, poses, heads, near, far, ground, depth=None) -> io.NodeOutput:
        look = Look(pose, poses_by_name(poses, regions), heads, near, far, ground)
        return io.NodeOutput(*layout_of(regions, height, width, look, depth))


NODES: list[type[io.ComfyNode]] = [DepthLayout]
