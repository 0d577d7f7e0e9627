"""Subject from Image and Weigh Photos: identities that are no faces, and how much each photo of a person counts."""

from __future__ import annotations

from comfy_api.latest import io

from ...face.identity import subject_from_pictures, with_weights
from ..host.images import to_pictures
from ..types import Identity


class SubjectFromImage(io.ComfyNode):
    """Turn one or more pictures of anything into an identity without a face."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_IdentityFromImage",
            display_name="Subject from Image",
            category="Troupe/identities",
            description="Make a subject for the cast from pictures of anything: a pet, a thing, a drawing. For "
            "adapters that read pictures (IP-Adapter, IP-Adapter Plus); no face is looked for. Nothing is written to "
            "disk.",
            search_aliases=["subject", "object reference", "ip-adapter image", "pet", "style reference"],
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="A picture that the subject fills; its largest square in the middle is what the adapter "
                    "sees. A batch is taken as several pictures of this one subject.",
                ),
                io.String.Input("name", default="subject", tooltip="What the subject is called in messages."),
            ],
            outputs=[Identity.Output(display_name="identity")],
        )

    @classmethod
    def execute(cls, image, name: str) -> io.NodeOutput:
        return io.NodeOutput(subject_from_pictures(name, to_pictures(image)))


class WeighPhotos(io.ComfyNode):
    """Say how much each photo of an identity counts where they are averaged."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_WeighPhotos",
            display_name="Weigh Photos",
            category="Troupe/identities",
            description="Say how much each photo of an identity counts where they are averaged. A photo of weight 0 "
            "is left out everywhere.",
            search_aliases=["photo weights", "average faces", "weighted identity"],
            inputs=[
                Identity.Input("identity", tooltip="A person or subject with several photos."),
                io.String.Input(
                    "weights",
                    default="1, 1",
                    tooltip="One number for each photo, in the order of the batch, for example: 1, 0.5, 0",
                ),
            ],
            outputs=[Identity.Output(display_name="identity")],
        )

    @classmethod
    def execute(cls, identity, weights: str) -> io.NodeOutput:
        return io.NodeOutput(with_weights(identity, weights))


NODES: list[type[io.ComfyNode]] = [SubjectFromImage, WeighPhotos]
