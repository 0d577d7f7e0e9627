"""Regions from Faces: a picture with people in it as a layout, with known people named in it."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.regions.region import rasterise
from ...face.detector import SCORE_THRESHOLD
from ...face.engine import Search
from ..host.images import to_images, to_pictures
from ..host.progress import PASSES, Bar, WatchedEngine
from ..types import FaceEngine, Identity, Regions
from .face_regions import ASSIGN, layout_of, marked

MOST_PEOPLE = 8


class RegionsFromFaces(io.ComfyNode):
    """Make a region of each face of a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_RegionsFromFaces",
            display_name="Regions from Faces",
            category="Troupe/regions",
            description="Make a region of each face on a layout picture, from left to right, with room around it. "
            "Connect identities, and the regions are named after them: leave 'region' empty in Cast Member.",
            search_aliases=["face detection", "group photo", "layout from picture", "auto assign", "face mask"],
            inputs=[
                FaceEngine.Input("engine", tooltip="From Load Face Engine."),
                io.Image.Input("image", tooltip="The layout picture: a group photo, a sketch, an earlier result."),
                Regions.Input("regions", optional=True, tooltip="Regions to put in front of these in the list."),
                io.String.Input(
                    "names",
                    default="",
                    tooltip="Names for the faces from left to right, separated by commas. Faces without one are "
                    "called person 1, person 2 and so on.",
                ),
                io.Combo.Input(
                    "assign",
                    options=list(ASSIGN),
                    tooltip="Which face a connected identity gets: the one most like it, all taken together, or in "
                    "the order in which they are connected.",
                ),
                io.Combo.Input("shape", options=["box", "ellipse"], tooltip="The form of the regions."),
                io.Float.Input(
                    "margin",
                    default=0.25,
                    min=0.0,
                    max=3.0,
                    step=0.05,
                    tooltip="Room around a face's box, in parts of its size, on each side: hair and jaw belong to it.",
                ),
                io.Int.Input(
                    "most", default=0, min=0, max=64, tooltip="At most so many faces, the largest; 0 takes all."
                ),
                io.Float.Input(
                    "threshold",
                    default=SCORE_THRESHOLD,
                    min=0.05,
                    max=0.99,
                    step=0.05,
                    tooltip="The lowest score that counts as a face. Lower finds more, and more that are none.",
                ),
                io.Autogrow.Input(
                    "identities",
                    template=io.Autogrow.TemplatePrefix(
                        Identity.Input("identity", optional=True), prefix="identity_", min=0, max=MOST_PEOPLE
                    ),
                    optional=True,
                    tooltip="People to be found among the faces; their regions get their names.",
                ),
            ],
            outputs=[
                Regions.Output(display_name="regions", tooltip="One per face, from left to right."),
                io.Mask.Output(display_name="masks", tooltip="One mask per region of these faces."),
                io.Image.Output(display_name="preview"),
            ],
        )

    @classmethod
    def execute(
        cls, engine, image, names, assign, shape, margin, most, threshold, regions=None, identities=None
    ) -> io.NodeOutput:
        picture = to_pictures(image[:1])[0]
        people = [person for person in (identities or {}).values() if person is not None]
        layout = layout_of(
            WatchedEngine(engine, Bar(1, PASSES)),
            picture,
            Search(threshold),
            people,
            assign,
            names,
            shape,
            margin,
            most,
            regions or (),
        )
        masks = rasterise(layout.regions, *picture.shape[:2])
        return io.NodeOutput((*(regions or ()), *layout.regions), masks, to_images([marked(picture, layout)]))


NODES: list[type[io.ComfyNode]] = [RegionsFromFaces]
