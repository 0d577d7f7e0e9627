"""The pack's node list, in the order of the graph a user draws."""

from comfy_api.latest import ComfyExtension, io

from .board import board_nodes
from .cast import adapter_nodes, advanced_nodes, attention_nodes, cast_nodes, settings_nodes
from .control import control_nodes, crop_nodes, identity_net_nodes
from .faces import face_cache_nodes, face_nodes, identity_nodes, motion_nodes, subject_nodes
from .host.faces.demo_photos import put_demo_photos
from .host.faces.identity_pictures import register_identity_pictures
from .host.host_abilities import say_what_is_lacking
from .host.model_folders import register_model_folders
from .layout import control_picture_nodes, layout_nodes
from .refine import refine_nodes
from .regions import face_region_nodes, region_nodes, region_source_nodes, region_tool_nodes
from .scores import compare_nodes, pick_nodes, score_nodes
from .setup import demo_nodes, doctor_nodes

NODES = [
    *face_nodes.NODES,
    *subject_nodes.NODES,
    *identity_nodes.NODES,
    *motion_nodes.NODES,
    *face_cache_nodes.NODES,
    *board_nodes.NODES,
    *region_nodes.NODES,
    *region_source_nodes.NODES,
    *face_region_nodes.NODES,
    *region_tool_nodes.NODES,
    *layout_nodes.NODES,
    *control_picture_nodes.NODES,
    *control_nodes.NODES,
    *adapter_nodes.NODES,
    *cast_nodes.NODES,
    *settings_nodes.NODES,
    *advanced_nodes.NODES,
    *attention_nodes.NODES,
    *identity_net_nodes.NODES,
    *crop_nodes.NODES,
    *refine_nodes.NODES,
    *score_nodes.NODES,
    *pick_nodes.NODES,
    *compare_nodes.NODES,
    *doctor_nodes.NODES,
    *demo_nodes.NODES,
]


class Troupe(ComfyExtension):
    """Several known people in one picture, each of them themselves."""

    async def on_load(self) -> None:
        register_model_folders()
        register_identity_pictures()
        put_demo_photos()
        say_what_is_lacking()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
