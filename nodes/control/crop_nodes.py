"""Follow Crops and Detailer Hook: casts in packs that sample one part of a picture at a time."""

from __future__ import annotations

from comfy_api.latest import io

from ..host.control.detailer_hook import DetailerHook as Hook
from ..host.model.crops import WHOLE, Crop, follow_crops
from ..types import BoundingBox
from .control_inputs import prompt_inputs, prompt_outputs

Segs = io.Custom("SEGS")
DetailerHookSocket = io.Custom("DETAILER_HOOK")


class FollowCrops(io.ComfyNode):
    """Prompts that tell Apply Cast which part of the picture a run draws."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_FollowCrops",
            display_name="Follow Crops",
            category="Troupe",
            description="Keep people in place while an upscaler or a crop node draws the picture part by part.",
            search_aliases=["ultimate sd upscale", "tiled upscale", "crop", "inpaint crop"],
            inputs=[
                *prompt_inputs(),
                io.Image.Input("image", optional=True, tooltip="The whole picture that 'crop_region' is a part of."),
                BoundingBox.Input(
                    "crop_region", optional=True, tooltip="The part that is drawn, as Image Crop takes it, in pixels."
                ),
            ],
            outputs=prompt_outputs(),
        )

    @classmethod
    def execute(cls, positive, negative, image=None, crop_region=None) -> io.NodeOutput:
        if crop_region is None:
            return io.NodeOutput(*follow_crops((positive, negative)))
        if image is None:
            raise ValueError(
                "Troupe, Follow Crops: 'crop_region' is connected and 'image' is not, so it is not known what it is a "
                "part of. Connect the whole picture."
            )
        return io.NodeOutput(*follow_crops((positive, negative), crop_of(crop_region, *image.shape[1:3])))


class DetailerHook(io.ComfyNode):
    """A hook for Impact Pack's detailers that keeps people in place."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_DetailerHook",
            display_name="Detailer Hook",
            category="Troupe",
            description="Keep people in place in Impact Pack's detailers: connect it to their 'detailer_hook'.",
            search_aliases=["face detailer", "impact pack", "detailer"],
            inputs=[
                Segs.Input(
                    "segs", optional=True, tooltip="The detailer's segments, where it does not detect them by itself."
                )
            ],
            outputs=[DetailerHookSocket.Output(display_name="detailer_hook")],
        )

    @classmethod
    def execute(cls, segs=None) -> io.NodeOutput:
        return io.NodeOutput(Hook(segs))


def crop_of(box: dict, height: int, width: int) -> Crop:
    """A box in pixels as a part of a picture of that size; what lies outside of the picture is cut off."""
    left, top = max(0, box.get("x", 0)), max(0, box.get("y", 0))
    right = min(width, box.get("x", 0) + box.get("width", width))
    bottom = min(height, box.get("y", 0) + box.get("height", height))
    if right <= left or bottom <= top:
        raise ValueError(
            f"Troupe, Follow Crops: the crop {box} does not lie in the picture of {width} x {height} pixels. Choose a "
            "part of it."
        )
    crop = Crop(top / height, left / width, (bottom - top) / height, (right - left) / width)
    return WHOLE if crop == WHOLE else crop


NODES: list[type[io.ComfyNode]] = [FollowCrops, DetailerHook]
