"""Refine Cast: a second pass that redraws each member's small face in close-up."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ...attention.recipes.recipe_book import recipe_named
from ..host.images import to_images, to_pictures, with_changes
from ..host.refine.redrawing import RefineSettings
from .refine_inputs import close_ups, latent_size, likeness, sampling, sockets
from .refine_report import before_and_after
from .refining import refine_pictures


class RefineCast(io.ComfyNode):
    """Redraw each member's small face in close-up, with their identity alone, and paste it back."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_RefineCast",
            display_name="Refine Cast",
            category="Troupe",
            description="A face detailer for several known people: find each member's face on the finished picture, "
            "draw it anew in close-up with this member's identity alone, and paste it back within their region. For "
            "groups, whose faces are too small to be anybody's. One sampling for each face.",
            search_aliases=[
                "face detailer",
                "adetailer",
                "fix faces",
                "small faces",
                "inpaint faces",
                "second pass",
                "face swap",
            ],
            inputs=[*sockets(), *likeness(), *sampling(), *close_ups()],
            outputs=[
                io.Image.Output(
                    display_name="images",
                    tooltip="The pictures with the faces redrawn; all other pixels are as they were, bit by bit.",
                ),
                io.Image.Output(display_name="close-ups", tooltip="Every redrawn face, before and after."),
                io.String.Output(
                    display_name="report", tooltip="What was done for each member, and the likeness before and after."
                ),
            ],
        )

    @classmethod
    def execute(cls, model, vae, engine, images, cast, positive, negative, adapter=None, **widgets) -> io.NodeOutput:
        widgets["recipe"], widgets["size"] = recipe_named(widgets["recipe"]), latent_size(widgets["size"])
        settings = RefineSettings(positive, negative, **widgets)
        refined = refine_pictures(to_pictures(images), cast, model, vae, engine, adapter, settings)
        return io.NodeOutput(
            with_changes(images, refined.pictures, refined.changed),
            to_images(before_and_after(refined)),
            refined.report,
            ui=ui.PreviewText(refined.report),
        )


NODES = [RefineCast]
