"""Load Reconfigurer, Face Motion and Reconfigure Identity: who somebody is, apart from what their face does."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ...face.motion import EXPRESSIONS, VIEWS
from ..host.adapters.reconfigurer_model import load_reconfigurer, reconfigurer_files
from ..host.file_names import listed
from ..host.images import to_images, to_pictures
from ..host.model_folders import adapter_path
from ..types import FaceEngine, Identity, Motion, Reconfigurer
from .moving_faces import motion_on, reconfigured_identity

KEEP = "keep"
NO_FILE = "(no reconfigurer found: put IMR.bin and key_point_encoder.bin into models/ipadapter)"


class LoadReconfigurer(io.ComfyNode):
    """Load what changes the face that an adapter draws."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_LoadReconfigurer",
            display_name="Load Reconfigurer",
            category="Troupe/identities",
            description="Load DynamicID's reconfigurer, for Load Identity Adapter: it tells who somebody is from what "
            "their face does on the photo, so that Reconfigure Identity can ask for another expression or view.",
            search_aliases=["dynamicid", "imr", "expression", "facial motion", "emotion"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=_files(),
                    tooltip="The reconfigurer that was trained with the adapter, from models/ipadapter (DynamicID's "
                    "IMR.bin). Its key point encoder lies beside it (key_point_encoder.bin).",
                ),
            ],
            outputs=[
                Reconfigurer.Output(display_name="reconfigurer"),
                io.String.Output(display_name="report", tooltip="What the two files were read as."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        return listed(file, _files(), "reconfigurer", "Put it into models/ipadapter and press R.")

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        if file == NO_FILE:
            raise ValueError(
                "Troupe: there is no reconfigurer to load. Put DynamicID's IMR.bin and key_point_encoder.bin into "
                "models/ipadapter, press R in ComfyUI and choose the first in Load Reconfigurer."
            )
        loaded = load_reconfigurer(adapter_path(file), file)
        return io.NodeOutput(loaded, loaded.report, ui=ui.PreviewText(loaded.report))


def _files() -> list[str]:
    return reconfigurer_files() or [NO_FILE]


class FaceMotion(io.ComfyNode):
    """Read what a face does on a photo."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_FaceMotion",
            display_name="Face Motion",
            category="Troupe/identities",
            description="Read what the largest face of a photo does, as 106 points and whether it is turned aside, for "
            "Reconfigure Identity. Whose face it is is not kept.",
            search_aliases=["expression transfer", "face pose", "landmarks", "106 points", "live portrait"],
            inputs=[
                FaceEngine.Input(
                    "engine", tooltip="From Load Face Engine; a pack with a landmark model: buffalo_l or antelopev2."
                ),
                io.Image.Input("image", tooltip="A photo of anybody whose face does what is wanted. One photo."),
            ],
            outputs=[
                Motion.Output(display_name="motion"),
                io.Image.Output(display_name="preview", tooltip="The photo with the points that were found."),
            ],
        )

    @classmethod
    def execute(cls, engine, image) -> io.NodeOutput:
        motion, preview = motion_on(engine, to_pictures(image)[0])
        return io.NodeOutput(motion, to_images([preview]))


class ReconfigureIdentity(io.ComfyNode):
    """Ask for another expression or view than the photo's."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ReconfigureIdentity",
            display_name="Reconfigure Identity",
            category="Troupe/identities",
            description="The same person with another expression or view than on the photo, for an adapter with a "
            "reconfigurer. Costs nothing per step. One identity can go into several of these nodes.",
            search_aliases=["expression", "emotion", "smile", "head pose", "dynamicid", "face editing"],
            inputs=[
                Identity.Input("identity", tooltip="Who: with the photos, from Extract Identity or the Cast Board."),
                FaceEngine.Input(
                    "engine", tooltip="From Load Face Engine; a pack with a landmark model: buffalo_l or antelopev2."
                ),
                io.Clip.Input("clip", tooltip="The checkpoint's: turns the words below into what the file reads."),
                io.Combo.Input(
                    "expression", options=[KEEP, *EXPRESSIONS], default="happy",
                    tooltip="What the face shall show. keep: what 'source_words' say of the photo.",
                ),
                io.Combo.Input(
                    "view", options=[KEEP, *VIEWS], default=KEEP,
                    tooltip="Where the face shall look. keep: as on the photo, or as on that of 'motion'.",
                ),
                io.Float.Input(
                    "strength", default=1.0, min=0.0, max=1.0, step=0.05,
                    tooltip="0 leaves the person as on the photo, 1 is the reconfigured face; between, their mean.",
                ),
                Motion.Input(
                    "motion", optional=True,
                    tooltip="From Face Motion: the face takes the points of that photo. Left empty, those of its own.",
                ),
                io.String.Input(
                    "words", default="", optional=True, advanced=True,
                    tooltip="What is wanted in your own words, in place of expression and view, for example: in a "
                    "happy expression, in front view",
                ),
                io.String.Input(
                    "source_words", default="", optional=True, advanced=True,
                    tooltip="What the face does on the photo. Left empty: a neutral expression, and front or side view "
                    "as its key points say. Type it where the photo smiles.",
                ),
            ],
            outputs=[Identity.Output(display_name="identity")],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, identity, engine, clip, expression, view, strength, motion=None, words="", source_words=""
    ) -> io.NodeOutput:
        wanted = ("" if expression == KEEP else expression, "" if view == KEEP else view, words.strip())
        return io.NodeOutput(
            reconfigured_identity(identity, engine, clip, wanted, source_words.strip(), motion, strength)
        )


NODES: list[type[io.ComfyNode]] = [LoadReconfigurer, FaceMotion, ReconfigureIdentity]
