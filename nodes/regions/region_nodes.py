"""Draw Regions: where the people of a picture stand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from comfy_api.latest import io, ui

from ...attention.regions.region import Region, rasterise
from ..host.images import picture_size
from ..host.linked_outputs import is_linked, not_made
from ..types import SHOWN_AGAIN, Regions
from .region_value import decode_regions, encode_regions

MASKS = 1  # the place of that output
TWO_SIDES = encode_regions(
    [
        Region("left", x=0.04, y=0.08, width=0.44, height=0.9),
        Region("right", x=0.52, y=0.08, width=0.44, height=0.9),
    ]
)


class DrawRegions(io.ComfyNode):
    """Name the parts of the picture that members of a cast can stand in."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_DrawRegions",
            display_name="Draw Regions",
            category="Troupe/regions",
            description="Draw, paint and name the parts of the picture where people stand. "
            "Cast Member refers to a region by its name.",
            search_aliases=[
                "regions",
                "boxes",
                "layout",
                "mask",
                "area",
                "multiple people",
                "two people",
                "group portrait",
            ],
            inputs=[
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="A picture to draw on. When connected, its size replaces width and height.",
                ),
                io.Int.Input(
                    "width",
                    default=512,
                    min=16,
                    max=16384,
                    step=8,
                    tooltip="Width of the picture and masks, in pixels.",
                ),
                io.Int.Input(
                    "height",
                    default=512,
                    min=16,
                    max=16384,
                    step=8,
                    tooltip="Height of the picture and masks, in pixels.",
                ),
                io.String.Input(
                    "regions",
                    default=TWO_SIDES,
                    multiline=True,
                    socketless=True,
                    extra_dict={"widgetType": "TROUPE_REGION_CANVAS"},  # drawn by web/region_editor.js
                    tooltip="The regions as JSON. x, y, width and height are fractions of the picture from its "
                    "top left corner, shape is box, ellipse or mask, rotation is in degrees, and a smaller order "
                    "is nearer.",
                ),
                size_from_latent(),
            ],
            outputs=[
                Regions.Output(display_name="regions", tooltip="The named regions, for Cast Member."),
                io.Mask.Output(display_name="masks", tooltip="One mask per region, in the order of the list."),
            ],
            **SHOWN_AGAIN,
        )

    @classmethod
    def execute(
        cls, width: int, height: int, regions: str, image: torch.Tensor | None = None, latent=None
    ) -> io.NodeOutput:
        width, height = picture_size(width, height, image, latent)
        drawn = decode_regions(regions, width / height)
        masks = _masks(drawn, height, width) if is_linked(MASKS) else not_made("Draw Regions", "masks")
        shows = {"troupe_size": [[width, height]], **({} if image is None else _background(image))}
        return io.NodeOutput(drawn, masks, ui=shows)

    @classmethod
    def fingerprint_inputs(cls, **inputs) -> bool:
        return is_linked(MASKS)


def size_from_latent() -> io.Input:
    """The input of canvases that was added after `image`; optional, so that prompts saved before run on."""
    return io.Latent.Input(
        "latent",
        optional=True,
        tooltip="The latent that the sampler gets. When connected, its picture's size replaces width and height, "
        "unless a picture is connected.",
    )


def _masks(regions: Sequence[Region], height: int, width: int) -> torch.Tensor:
    return rasterise(regions, height, width) if regions else torch.zeros(1, height, width)


def _background(image: torch.Tensor) -> dict[str, list]:
    """The first picture, for the canvas to draw on; ComfyUI clears its temporary folder when it starts."""
    return {"troupe_background": ui.PreviewImage(image[:1]).as_dict()["images"]}


NODES: list[type[io.ComfyNode]] = [DrawRegions]
