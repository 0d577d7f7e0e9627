"""Pose Circles and Key-Point Picture: faces as marks on the pictures that ControlNets read."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.figures.control_marks import key_point_picture
from ...attention.figures.faces import FIGURES
from ...attention.figures.placing import ADULT
from ..faces.face_marks import circled, faces_for
from ..regions.region_tool_nodes import size_inputs
from ..types import Cast, FaceEngine, Regions


def _who_inputs() -> list:
    return [
        Regions.Input(
            "regions",
            optional=True,
            tooltip="Whose faces count. Without a picture of faces: where the faces are to be.",
        ),
        FaceEngine.Input("engine", optional=True, tooltip="Finds the faces on 'faces'; needed with it."),
        io.Image.Input(
            "faces",
            optional=True,
            tooltip="A picture whose faces are taken: all of them from left to right, or with regions the one in each. "
            "Of a picture of another shape, its middle.",
        ),
    ]


def _figure_inputs() -> list:
    return [
        io.Combo.Input(
            "figure",
            options=list(FIGURES),
            tooltip="What regions show, where no picture tells: people as in Depth Layout, or faces alone.",
        ),
        io.Float.Input(
            "heads", default=ADULT, min=2.0, max=10.0, step=0.1, tooltip="As in Depth Layout: people's height in heads."
        ),
    ]


class PoseCircles(io.ComfyNode):
    """Mark the centre of each face on a pose picture with a circle of its own colour."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_PoseCircles",
            display_name="Pose Circles",
            category="Troupe/control",
            is_experimental=True,
            description="Put a coloured circle on each face of a pose picture, as InstantFamily describes it. Its "
            "ControlNet and its colours are not published: these (red, green, cyan, violet, again from red) are ours, "
            "for study.",
            search_aliases=["InstantFamily", "openpose", "face circles"],
            inputs=[
                io.Image.Input("image", tooltip="The pose picture, of one or more frames."),
                *_who_inputs(),
                *_figure_inputs(),
                io.Float.Input(
                    "radius", default=0.2, min=0.01, max=2.0, step=0.01, tooltip="Of a circle, in sides of its face."
                ),
            ],
            outputs=[io.Image.Output(display_name="image")],
        )

    @classmethod
    def execute(cls, image, figure, heads, radius, regions=None, engine=None, faces=None) -> io.NodeOutput:
        height, width = image.shape[1:3]
        found = faces_for("Pose Circles", width / height, figure, heads, regions, engine, faces)
        return io.NodeOutput(circled(image, found, radius))


class KeyPointPicture(io.ComfyNode):
    """Draw the five key points of several faces."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_KeyPointPicture",
            display_name="Key-Point Picture",
            category="Troupe/control",
            description="Draw eyes, nose and mouth corners of one or more faces on black, as InstantID's ControlNet "
            "reads them: the faces of a picture, those of a cast, or generic ones where the regions are.",
            search_aliases=["InstantID", "kps", "face keypoints", "landmarks"],
            inputs=[
                *_who_inputs(),
                *size_inputs("key-point picture"),
                *_figure_inputs(),
                io.Float.Input(
                    "radius",
                    default=10.0,
                    min=1.0,
                    max=100.0,
                    step=0.5,
                    tooltip="Of a dot, in pixels. InstantID was trained with 10 on pictures of about 1024.",
                ),
                Cast.Input(
                    "cast",
                    optional=True,
                    tooltip="Instead of regions: each member's own key points, as on their photo, in their region. "
                    "With a picture of faces it says whose regions count, as regions do.",
                ),
            ],
            outputs=[io.Image.Output(display_name="image")],
        )

    @classmethod
    def execute(
        cls, width, height, figure, heads, radius, regions=None, engine=None, faces=None, cast=None
    ) -> io.NodeOutput:
        found = faces_for("Key-Point Picture", width / height, figure, heads, regions, engine, faces, cast)
        return io.NodeOutput(key_point_picture(found, height, width, radius)[None])


NODES: list[type[io.ComfyNode]] = [PoseCircles, KeyPointPicture]
