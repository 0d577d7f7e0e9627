"""Load Identity Adapter: published weights that turn a face into attention tokens."""

from __future__ import annotations

from comfy_api.latest import io

from .host.adapter_model import load_adapter
from .host.model_folders import adapter_files, adapter_path
from .types import Adapter

NO_FILE = "(no adapter found: put an IP-Adapter FaceID file into models/ipadapter)"
FORMATS = ["auto", "faceid"]


class LoadAdapter(io.ComfyNode):
    """Load published weights that turn an identity into attention tokens."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_LoadAdapter",
            display_name="Load Identity Adapter",
            category="Troupe",
            description="Load the weights that carry a face into the picture. Reads IP-Adapter FaceID files "
            "(.safetensors or .bin) from models/ipadapter; the LoRA inside some of them is not applied.",
            search_aliases=["ipadapter", "faceid", "identity", "load adapter"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=adapter_files() or [NO_FILE],
                    tooltip="An adapter made for the checkpoint's family, from models/ipadapter.",
                ),
                io.Combo.Input(
                    "format",
                    options=FORMATS,
                    default="auto",
                    tooltip="auto reads the format from the file itself, never from its name.",
                ),
            ],
            outputs=[Adapter.Output(display_name="adapter")],
        )

    @classmethod
    def execute(cls, file: str, format: str) -> io.NodeOutput:
        if file == NO_FILE:
            raise ValueError(
                "Troupe: there is no identity adapter to load. Put an IP-Adapter FaceID file (for instance "
                "ip-adapter-faceid_sd15.bin) into models/ipadapter, press R in ComfyUI and choose it in "
                "Load Identity Adapter."
            )
        return io.NodeOutput(load_adapter(adapter_path(file), file))


NODES: list[type[io.ComfyNode]] = [LoadAdapter]
