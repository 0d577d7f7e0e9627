"""Load Identity Adapter: published weights that turn a face, or any picture, into attention tokens."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ...attention.adapters.formats import FORMATS
from ...attention.operators.orthogonal import METHODS
from ..host.adapters.adapter_model import ADAPTER_CROPS, load_adapter
from ..host.adapters.loaded_adapter import AdapterSettings
from ..host.adapters.reconfigurer_model import with_reconfigurer
from ..host.faces.recognisers import RECOGNISERS
from ..host.file_names import listed
from ..host.model_folders import adapter_files, adapter_path, lack_of_adapter, same_file
from ..types import Adapter, Reconfigurer

NO_FILE = "(no adapter found: put an IP-Adapter FaceID file into models/ipadapter)"
FORMAT_NAMES = ["auto", "faceid", *(name for name in FORMATS if name != "faceid")]


def _later_inputs() -> list:
    """Inputs that prompts saved by older versions do not have."""
    return [
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="From Load CLIP Vision, for adapters that look at the picture. Left empty, the first encoder of "
            "the right shape in models/clip_vision is taken.",
        ),
        io.Float.Input(
            "lora_strength", default=1.0, min=0.0, max=2.0, step=0.05, optional=True,
            tooltip="Of the LoRA inside FaceID files, which Apply Cast puts on the model: 1 as it was trained, 0 "
            "leaves it out. It acts on the whole picture. The separate LoRA file is not needed; where it was "
            "loaded, it is not added again.",
        ),
        io.Float.Input(
            "structure", default=1.0, min=0.0, max=3.0, step=0.05, optional=True, advanced=True,
            tooltip="FaceID-plus v2 only: how much the photo's own look is added to the face embedding.",
        ),
        io.Combo.Input(
            "crop", options=list(ADAPTER_CROPS), default="auto", optional=True, advanced=True,
            tooltip="What an adapter that reads pictures sees of a photo. auto: what its format defines. Choose face "
            "for the plus-face files, whose format is that of plus.",
        ),
        io.Combo.Input(
            "recogniser", options=list(RECOGNISERS), default="auto", optional=True, advanced=True,
            tooltip="The face pack whose embeddings the adapter was trained with. auto: its format's, so that another "
            "is an error. any: whichever the identity has.",
        ),
        io.Boolean.Input(
            "peer_compatible", default=False, optional=True, advanced=True,
            tooltip="Do as IPAdapter_plus and its kin do where they differ from the published code, to bring back old "
            "pictures: negative prompts see a black picture, the middle block is dead, FaceID-plus on SDXL sees a "
            "wider face, PuLID's fidelity is one number for the whole picture. For mode decoupled. Leave it off for "
            "pictures by InstantID Patch Attention, where the middle block acts.",
        ),
        io.Float.Input(
            "noise", default=0.0, min=0.0, max=1.0, step=0.05, optional=True, advanced=True,
            tooltip="InstantID only: noise instead of no face in negative prompts, against burnt pictures. 0 is the "
            "published code, 0.35 what ComfyUI_InstantID takes.",
        ),
    ]  # fmt: skip


def _pulid_inputs() -> list:
    """How people of PuLID act."""
    return [
        io.Combo.Input(
            "method", options=list(METHODS), default="fidelity", optional=True, advanced=True,
            tooltip="PuLID for SDXL only: how much is taken out of a person that the text says already. fidelity "
            "keeps most of the likeness, style most of the text's style, neutral takes out nothing. regional: judged "
            "inside the person's own region, for several people. Mode masked takes neutral alone.",
        ),
        io.Int.Input(
            "zero_tokens", default=-1, min=-1, max=80, optional=True, advanced=True,
            tooltip="PuLID for SDXL only: empty tokens beside a person's, which weaken them. -1 takes the method's "
            "own: for v1 8 in fidelity and 16 in style, for v1.1 20 and 40, none in neutral.",
        ),
    ]  # fmt: skip


class LoadAdapter(io.ComfyNode):
    """Load published weights that turn an identity into attention tokens."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_LoadAdapter",
            display_name="Load Identity Adapter",
            category="Troupe",
            description="Load the weights that carry a face or a subject into the picture: IP-Adapter (plain, plus, "
            "full-face), FaceID (plain, portrait, plus, plus v2), InstantID, PuLID (v1, v1.1, for FLUX.1), DynamicID "
            "and Kolors' own, as .safetensors or .bin, from models/ipadapter, models/instantid or models/pulid.",
            search_aliases=[
                "ipadapter",
                "faceid",
                "identity",
                "load adapter",
                "ip-adapter plus",
                "instantid",
                "pulid",
                "pulid flux",
                "kolors",
            ],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=adapter_files() or [NO_FILE],
                    tooltip="An adapter made for the checkpoint's family, from models/ipadapter, models/instantid or "
                    "models/pulid.",
                ),
                io.Combo.Input(
                    "format",
                    options=FORMAT_NAMES,
                    default="auto",
                    tooltip="auto reads the format from the file itself, never from its name. Where files look alike: "
                    "choose 'faceid plus' for the first FaceID-plus file of SD1.5, which auto reads as v2, and "
                    "'instantid' for a converted file of InstantID (the official one is known). plus-face: see crop.",
                ),
                *_later_inputs(),
                *_pulid_inputs(),
                Reconfigurer.Input(
                    "reconfigurer",
                    optional=True,
                    tooltip="From Load Reconfigurer, where the adapter has one: lets Reconfigure Identity ask for "
                    "another expression or view than the photo's.",
                ),
            ],
            outputs=[
                Adapter.Output(display_name="adapter"),
                io.String.Output(display_name="report", tooltip="What the file was read as, why, and what it needs."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        names = adapter_files() or [NO_FILE]
        known = listed(file, names, "adapter file", "") is True or bool(same_file(file, names))
        return known or lack_of_adapter(file)

    @classmethod
    def execute(
        cls, file: str, format: str, clip_vision=None, peer_compatible: bool = False, reconfigurer=None, **later
    ) -> io.NodeOutput:
        if file == NO_FILE:
            raise ValueError(
                "Troupe: there is no identity adapter to load. Put an IP-Adapter FaceID file (for instance "
                "ip-adapter-faceid_sd15.bin) into models/ipadapter, press R in ComfyUI and choose it in "
                "Load Identity Adapter."
            )
        settings = AdapterSettings(format=format, peers=peer_compatible, **later)
        adapter = load_adapter(adapter_path(file), file, settings, clip_vision)
        if reconfigurer is not None:
            adapter = with_reconfigurer(adapter, reconfigurer)
        return io.NodeOutput(adapter, adapter.report, ui=ui.PreviewText(adapter.report))


NODES: list[type[io.ComfyNode]] = [LoadAdapter]
