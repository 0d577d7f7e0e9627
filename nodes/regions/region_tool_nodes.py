"""Region Masks, Region Preview and Edit Region: what regions look like elsewhere, and changes to one of them."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.regions.compositors import COMPOSITORS
from ...attention.regions.edits import DEPTHS, Edit, edited
from ..host.images import to_images
from ..types import Regions
from .region_pictures import AS_DRAWN, region_masks, region_preview


def size_inputs(what: str) -> list[io.Int.Input]:
    """Width and height in pixels, as Draw Regions has them."""
    return [
        io.Int.Input(
            side, default=512, min=16, max=16384, step=8, tooltip=f"{side.capitalize()} of the {what}, in pixels."
        )
        for side in ("width", "height")
    ]


class RegionMasks(io.ComfyNode):
    """Hand regions to any node that takes masks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_RegionMasks",
            display_name="Region Masks",
            category="Troupe/regions",
            description="Turn regions into stock masks, for inpainting, Conditioning (Set Mask) and other packs.",
            search_aliases=["region to mask", "mask from region"],
            inputs=[
                Regions.Input("regions", tooltip="From Draw Regions and its kin."),
                io.Image.Input("image", optional=True, tooltip="When connected, its size replaces width and height."),
                *size_inputs("masks"),
                io.String.Input(
                    "names",
                    default="",
                    tooltip="Which regions, by name, separated by commas, in this order. Empty takes all of them.",
                ),
                io.Combo.Input(
                    "overlaps",
                    options=[AS_DRAWN, *(name for name in COMPOSITORS if name != "sum")],
                    tooltip="as drawn lets masks overlap. The others share pixels among all regions: normalise evenly, "
                    "priority to the first in the list, depth to the nearest.",
                ),
                io.Float.Input(
                    "feather",
                    default=0.0,
                    min=0.0,
                    max=0.25,
                    step=0.005,
                    tooltip="Softness of the edges, in parts of the picture's shorter side.",
                ),
            ],
            outputs=[
                io.Mask.Output(display_name="masks", tooltip="One mask per region."),
                io.Mask.Output(display_name="everybody", tooltip="All of these regions in one mask."),
            ],
        )

    @classmethod
    def execute(cls, regions, width, height, names, overlaps, feather, image=None) -> io.NodeOutput:
        height, width = image.shape[1:3] if image is not None else (height, width)
        return io.NodeOutput(*region_masks(regions, height, width, names, overlaps, feather))


class RegionPreview(io.ComfyNode):
    """Show regions on a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_RegionPreview",
            display_name="Region Preview",
            category="Troupe/regions",
            description="Draw the outlines of regions with their names and their order in depth, 0 being the nearest.",
            search_aliases=["show regions", "draw boxes", "region overlay"],
            inputs=[
                Regions.Input("regions", tooltip="From Draw Regions and its kin."),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="What to draw on. When connected, its size replaces width and height.",
                ),
                *size_inputs("preview"),
                io.Float.Input(
                    "fill", default=0.25, min=0.0, max=1.0, step=0.05, tooltip="How opaque the regions' colours are."
                ),
            ],
            outputs=[io.Image.Output(display_name="preview")],
        )

    @classmethod
    def execute(cls, regions, width, height, fill, image=None) -> io.NodeOutput:
        return io.NodeOutput(to_images(region_preview(regions, image, height, width, fill)))


def _float(name: str, default: float, reach: float, tooltip: str, low: float | None = None) -> io.Float.Input:
    return io.Float.Input(
        name, default=default, min=-reach if low is None else low, max=reach, step=0.01, tooltip=tooltip
    )


class EditRegion(io.ComfyNode):
    """Change one region by its name."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_EditRegion",
            display_name="Edit Region",
            category="Troupe/regions",
            description="Move, resize, turn, rename or reorder one region, and bring it to the front or back.",
            search_aliases=["move region", "rename region", "region order", "region depth"],
            inputs=[
                Regions.Input("regions", tooltip="From Draw Regions and its kin."),
                io.String.Input("region", default="left", tooltip="The name of the region to change."),
                io.String.Input("rename", default="", tooltip="Its new name; empty keeps the old one."),
                _float("right", 0.0, 2.0, "How far it moves to the right, in parts of the picture's width."),
                _float("down", 0.0, 2.0, "How far it moves down, in parts of the picture's height."),
                _float("wider", 1.0, 8.0, "Factor of its width, about its centre.", low=0.05),
                _float("taller", 1.0, 8.0, "Factor of its height, about its centre.", low=0.05),
                io.Float.Input(
                    "turn", default=0.0, min=-180.0, max=180.0, step=1.0, tooltip="Degrees it turns clockwise."
                ),
                io.Combo.Input("depth", options=list(DEPTHS), tooltip="Its place in depth among all regions."),
                io.Int.Input(
                    "position",
                    default=0,
                    min=0,
                    max=64,
                    tooltip="Its new place in the list, from 1; 0 keeps it. Masks come in the order of the list.",
                ),
            ],
            outputs=[Regions.Output(display_name="regions")],
        )

    @classmethod
    def execute(cls, regions, region, **changes) -> io.NodeOutput:
        try:
            return io.NodeOutput(edited(regions, region, Edit(**changes)))
        except ValueError as error:
            raise ValueError(f"Troupe, Edit Region: {error}") from error


NODES: list[type[io.ComfyNode]] = [RegionMasks, RegionPreview, EditRegion]
