"""The pack's node list, in the order of the graph a user draws."""

from comfy_api.latest import ComfyExtension, io

from . import adapter_nodes, cast_advanced, cast_nodes, demo_nodes, face_nodes, region_nodes, score_nodes
from .host.model_folders import register_model_folders

NODES = [
    *face_nodes.NODES,
    *region_nodes.NODES,
    *adapter_nodes.NODES,
    *cast_nodes.NODES,
    *cast_advanced.NODES,
    *score_nodes.NODES,
    *demo_nodes.NODES,
]


class Troupe(ComfyExtension):
    """Several known people in one picture, each of them themselves."""

    async def on_load(self) -> None:
        register_model_folders()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
