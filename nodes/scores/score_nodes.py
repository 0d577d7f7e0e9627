"""Score Cast: does the picture show the people it should, where it should?"""

from comfy_api.latest import io, ui

from ...measure.report import as_text
from ..host.images import to_images, to_pictures
from ..types import Cast, FaceEngine
from .cast_scoring import score_cast


class ScoreCast(io.ComfyNode):
    """Find the cast on finished pictures and measure how well each member is met."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ScoreCast",
            display_name="Score Cast",
            category="Troupe",
            description="Find faces on finished pictures and compare them with the cast: likeness to oneself and to "
            "the others, right place, right number of people.",
            search_aliases=["face similarity", "identity score", "evaluate"],
            is_output_node=True,
            inputs=[
                FaceEngine.Input(
                    "engine",
                    tooltip="The engine that judges. One with another recogniser than the adapter's gives the fairer "
                    "figure; the references are described by it again.",
                ),
                io.Image.Input("images", tooltip="Finished pictures; each is scored by itself."),
                Cast.Input("cast", tooltip="Who should be in the pictures, and where."),
            ],
            outputs=[
                io.Float.Output(
                    display_name="likeness",
                    tooltip="Mean similarity of the members to their own faces; a missing face counts as 0.",
                ),
                io.String.Output(display_name="scores", tooltip="All figures as JSON, one entry per picture."),
                io.Image.Output(
                    display_name="marked",
                    tooltip="The pictures with found faces, names, similarities and the members' regions.",
                ),
            ],
        )

    @classmethod
    def execute(cls, engine, images, cast) -> io.NodeOutput:
        result = score_cast(engine, to_pictures(images), cast)
        scores = as_text(result.report)
        return io.NodeOutput(result.report["own"], scores, to_images(result.marked), ui=ui.PreviewText(scores))


NODES = [ScoreCast]
