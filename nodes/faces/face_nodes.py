"""Load Face Engine and Extract Identity: from a photo to a person the other nodes know."""

from __future__ import annotations

import logging

from comfy_api.latest import io, ui

from ...face.detector import SCORE_THRESHOLD
from ...face.engine import Search
from ...face.extraction import extract_identity
from ...face.extraction_words import DAMAGED, NO_FACE, TAKE
from ...face.providers import CHOICES
from ...face.selection import LEFT_TO_RIGHT, NEAREST, POLICIES, SIMILAR, Selection
from ..host.faces.face_cache import CACHES, MEMORY
from ..host.faces.face_packs import BUILT_IN, lack_of_pack, libraries, load_pack, pack_names
from ..host.faces.photo_file import flaw_of, loaded_file, unmirrored
from ..host.images import to_images, to_pictures
from ..host.progress import watched
from ..marks import face_marks
from ..types import SHOWN_AGAIN, FaceEngine, Identity, Regions

log = logging.getLogger(__name__)


class LoadFaceEngine(io.ComfyNode):
    """Load what finds faces and tells people apart."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_LoadFaceEngine",
            display_name="Load Face Engine",
            category="Troupe/identities",
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
                io.Combo.Input(
                    "library",
                    options=libraries(),
                    default=BUILT_IN,
                    optional=True,
                    advanced=True,
                    tooltip="What reads the pack. 'built-in' needs onnxruntime and OpenCV alone; 'insightface' is "
                    "offered where that package is installed. Both find the same faces and give the same embeddings.",
                ),
                io.Combo.Input(
                    "cache",
                    options=list(CACHES),
                    default=MEMORY,
                    optional=True,
                    advanced=True,
                    tooltip="Where the analysis of a photo is kept, so that it is made once. 'memory' forgets when "
                    "ComfyUI ends. 'memory and disk' also writes embeddings and face crops into user/troupe/"
                    "face-cache, at most 256 MB; Clear Face Cache or deleting that folder forgets them.",
                ),
            ],
            outputs=[FaceEngine.Output(display_name="engine")],
        )

    @classmethod
    def validate_inputs(cls, pack: str | None = None) -> bool | str:
        return pack is None or lack_of_pack(pack) or True

    @classmethod
    def execute(cls, pack: str, provider: str, library: str = BUILT_IN, cache: str = MEMORY) -> io.NodeOutput:
        return io.NodeOutput(load_pack(pack, provider, library, cache))


class ExtractIdentity(io.ComfyNode):
    """Turn one or more photos of a person into their identity."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ExtractIdentity",
            display_name="Extract Identity",
            category="Troupe/identities",
            description="Find a person's face on one or more photos and keep what makes them recognisable. "
            "That is written to disk only where the engine's cache says so; the preview lies in ComfyUI's temporary "
            "folder.",
            search_aliases=[
                "face embedding",
                "faceid",
                "reference face",
                "select face",
                "no face detected",
                "face swap",
                "consistent character",
            ],
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
                    f"largest first, and names the one that was taken. '{LEFT_TO_RIGHT}' goes by 'index', "
                    f"'{NEAREST}' by 'place' or x and y, '{SIMILAR}' by 'like'.",
                ),
                *_selection_inputs(),
                *_search_inputs(),
            ],
            outputs=[
                Identity.Output(display_name="identity"),
                io.Image.Output(display_name="preview"),
                io.String.Output(
                    display_name="report",
                    tooltip="What was found on each photo and how, and a warning when one shows someone else.",
                ),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.unique_id],
            **SHOWN_AGAIN,
        )

    @classmethod
    def execute(
        cls, engine, image, name, select, like=None, place=None, index=1, x=0.5, y=0.5,
        no_face=NO_FACE[0], threshold=SCORE_THRESHOLD, ladder=True, damaged=DAMAGED[0],
    ) -> io.NodeOutput:  # fmt: skip
        photos = to_pictures(image)
        selection = Selection(select, index, (x, y) if place is None else box_of(place), like)
        file = loaded_file(cls.hidden, "image")
        flaw = flaw_of(file) if file is not None else ""
        if file is not None and len(photos) == 1 and (photo := unmirrored(file)) is not None:
            photos = [photo]
        looking, moving = watched(engine, photos)
        search = Search(threshold, ladder)
        extraction = extract_identity(looking, moving, name, selection, search, no_face, damaged, flaw)
        if extraction.warning:
            log.warning("Troupe, Extract Identity: %s", extraction.warning)
        report = "\n".join([*extraction.report, *filter(None, [extraction.warning])])
        marked = to_images(face_marks(photos, extraction))
        shows = {**ui.PreviewImage(marked).as_dict(), "troupe_line": extraction.report}
        return io.NodeOutput(extraction.identity, marked, report, ui=shows)


def box_of(regions) -> tuple[float, float, float, float]:
    """The box around the first region, in fractions of the picture; ValueError without a region."""
    if not regions:
        raise ValueError("Troupe, Extract Identity: 'place' holds no region. Draw one, or leave 'place' empty.")
    region = regions[0]
    return region.x, region.y, region.x + region.width, region.y + region.height


def _selection_inputs() -> list:
    """What some policies need; optional, because prompts saved before there were such inputs do not have them."""
    return [
        Identity.Input("like", optional=True, tooltip=f"For '{SIMILAR}': the person to look for."),
        Regions.Input("place", optional=True, tooltip=f"For '{NEAREST}': the box of its first region."),
        io.Int.Input(
            "index", default=1, min=-99, max=99, optional=True,
            tooltip=f"For '{LEFT_TO_RIGHT}': 1 is the leftmost face, 2 the next, -1 the rightmost.",
        ),
        _fraction("x", f"For '{NEAREST}' without a place: the point, 0 at the left edge and 1 at the right."),
        _fraction("y", f"For '{NEAREST}' without a place: the point, 0 at the top and 1 at the bottom."),
    ]  # fmt: skip


def _search_inputs() -> list:
    return [
        io.Combo.Input(
            "no_face", options=list(NO_FACE), default=NO_FACE[0], optional=True,
            tooltip="What to do with a photo without a face: stop and say which photo it is, leave it out, or take its "
            "middle square as it is (for faces no detector knows, such as animals and drawings).",
        ),
        io.Float.Input(
            "threshold", default=SCORE_THRESHOLD, min=0.05, max=0.99, step=0.05, optional=True, advanced=True,
            tooltip="The lowest score that counts as a face. Lower finds more, and more that are none.",
        ),
        io.Boolean.Input(
            "ladder", default=True, optional=True, advanced=True,
            tooltip="Where one detection pass is not sure of a face, search at other sizes, with a margin, brightened "
            "if it is dark, and turned.",
        ),
        io.Combo.Input(
            "damaged", options=list(DAMAGED), default=DAMAGED[0], optional=True, advanced=True,
            tooltip="What to do with a photo whose file breaks off or cannot be read whole (known where Load Image is "
            f"linked directly): stop and say so, leave the photo out, or '{TAKE}' with a warning.",
        ),
    ]  # fmt: skip


def _fraction(name: str, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=0.5, min=0.0, max=1.0, step=0.01, optional=True, advanced=True, tooltip=tooltip)


NODES = [LoadFaceEngine, ExtractIdentity]
