"""Regions from Masks and Regions from Colours: regions that were painted or segmented elsewhere."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ...attention.regions.region import SHAPES
from ..types import Regions
from .region_lists import regions_from_colours, regions_from_masks, report_on_masks

AS_PAINTED = "mask"


def _shape_input() -> io.Combo.Input:
    return io.Combo.Input(
        "shape",
        options=[AS_PAINTED, *(shape for shape in SHAPES if shape != AS_PAINTED)],
        tooltip="mask keeps what is painted; box and ellipse take the space around it.",
    )


class RegionsFromMasks(io.ComfyNode):
    """Name the masks of a batch, so that members of a cast can stand in them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_RegionsFromMasks",
            display_name="Regions from Masks",
            category="Troupe/regions",
            description="Make a region of each mask of a batch, for instance of those that a segmenting pack found.",
            search_aliases=["mask to region", "segmentation", "SAM", "person mask"],
            inputs=[
                io.Mask.Input(
                    "masks",
                    tooltip="One mask per person, all of the picture's size. The frames of a clip make a person each.",
                ),
                Regions.Input("regions", optional=True, tooltip="Regions to put in front of these in the list."),
                io.String.Input(
                    "names",
                    default="",
                    multiline=True,
                    tooltip="A name per mask, separated by commas or line breaks. Masks without one are called "
                    "person 1, person 2 and so on, by their place in the list.",
                ),
                _shape_input(),
            ],
            outputs=[
                Regions.Output(display_name="regions", tooltip="The named regions, for Cast Member."),
                io.String.Output(
                    display_name="report",
                    tooltip="Who was made of the masks, and a warning when they look like the frames of a clip.",
                ),
            ],
        )

    @classmethod
    def execute(cls, masks, names, shape, regions=None) -> io.NodeOutput:
        made = regions_from_masks(masks, names, shape, regions or ())
        report = report_on_masks(made, masks)
        return io.NodeOutput((*(regions or ()), *made), report, ui=ui.PreviewText(report))


class RegionsFromColours(io.ComfyNode):
    """Read regions from a picture in which every person is painted in a colour of their own."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_RegionsFromColours",
            display_name="Regions from Colours",
            category="Troupe/regions",
            description="Make a region of each colour of a picture, painted in any drawing program or by a "
            "segmenting pack.",
            search_aliases=["color mask", "colour-coded", "segmentation map", "regions from picture"],
            inputs=[
                io.Image.Input("image", tooltip="Flat colours, one per person."),
                io.String.Input(
                    "people",
                    default="",
                    multiline=True,
                    tooltip="Who has which colour: Ada: red, Ben: #00ff00. Left empty, every colour but the "
                    "background's makes a region, from left to right, with the colour's name.",
                ),
                io.String.Input(
                    "background",
                    default="auto",
                    tooltip="The colour where nobody is; auto takes the commonest one on the picture's edge. "
                    "It counts only while 'people' is empty.",
                ),
                io.Float.Input(
                    "tolerance",
                    default=0.1,
                    min=0.0,
                    max=0.5,
                    step=0.01,
                    tooltip="How far a pixel may be from its colour, in parts of full brightness; more for JPEGs.",
                ),
                _shape_input(),
            ],
            outputs=[Regions.Output(display_name="regions", tooltip="The named regions, for Cast Member.")],
        )

    @classmethod
    def execute(cls, image, people, background, tolerance, shape) -> io.NodeOutput:
        return io.NodeOutput(regions_from_colours(image, people, background, tolerance, shape))


NODES: list[type[io.ComfyNode]] = [RegionsFromMasks, RegionsFromColours]
