"""Load Face Engine and Extract Identity: from a photo to a person the other nodes know."""

from comfy_api.latest import io

from ..face.extraction import extract_identity
from ..face.providers import CHOICES
from ..face.selection import POLICIES
from .host.face_packs import load_pack, pack_names
from .host.images import to_images, to_pictures
from .marks import face_marks
from .types import FaceEngine, Identity


class LoadFaceEngine(io.ComfyNode):
    """Load what finds faces and tells people apart."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_LoadFaceEngine",
            display_name="Load Face Engine",
            category="Troupe",
            description="Load a face pack: a detector that finds faces and a recogniser that tells people apart.",
            search_aliases=["insightface", "buffalo_l", "antelopev2", "face analysis", "arcface"],
            inputs=[
                io.Combo.Input(
                    "pack",
                    options=pack_names(),
                    tooltip="A folder with a detector and a recogniser in models/insightface/models. The adapter "
                    "decides which one: IP-Adapter FaceID needs buffalo_l, InstantID and PuLID need antelopev2, the "
                    "demo's adapter needs troupe-demo.",
                ),
                io.Combo.Input(
                    "provider",
                    options=list(CHOICES),
                    default="auto",
                    tooltip="Where faces are analysed. 'auto' takes a GPU if the installed onnxruntime can use one, "
                    "else the CPU. 'CPU' is fast enough for a few photos and leaves the GPU's memory to the picture.",
                ),
            ],
            outputs=[FaceEngine.Output(display_name="engine")],
        )

    @classmethod
    def execute(cls, pack: str, provider: str) -> io.NodeOutput:
        return io.NodeOutput(load_pack(pack, provider))


class ExtractIdentity(io.ComfyNode):
    """Turn one or more photos of a person into their identity."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ExtractIdentity",
            display_name="Extract Identity",
            category="Troupe",
            description="Find a person's face on one or more photos and keep what makes them recognisable. "
            "Nothing is written to disk.",
            search_aliases=["face embedding", "faceid", "reference face"],
            inputs=[
                FaceEngine.Input(
                    "engine", tooltip="From Load Face Engine; the pack that the adapter was trained with."
                ),
                io.Image.Input(
                    "image",
                    tooltip="A photo of the person. A batch is taken as several photos of this one person.",
                ),
                io.String.Input(
                    "name",
                    default="Ada",
                    tooltip="What this person is called in scores, previews and messages.",
                ),
                io.Combo.Input(
                    "select",
                    options=list(POLICIES),
                    default="largest",
                    tooltip="Which face to take where a photo shows several. The preview numbers all of them, "
                    "largest first, and names the one that was taken.",
                ),
            ],
            outputs=[Identity.Output(display_name="identity"), io.Image.Output(display_name="preview")],
        )

    @classmethod
    def execute(cls, engine, image, name: str, select: str) -> io.NodeOutput:
        photos = to_pictures(image)
        extraction = extract_identity(engine, photos, name, select)
        return io.NodeOutput(extraction.identity, to_images(face_marks(photos, extraction)))


NODES = [LoadFaceEngine, ExtractIdentity]
