"""The fixtures themselves: a real server with the pack in it, and the same host in this process."""

import io

import pytest
from pack.scripts.hosting.client import PromptRefused
from PIL import Image


def grey_picture(server, value, workflow=None):
    return server.post_prompt(
        {
            "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": value}},
            "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "grey"}},
        },
        workflow,
    )


def test_the_server_runs_a_prompt_and_embeds_the_workflow(server):
    entry = grey_picture(server, 0x808080, workflow={"nodes": [], "links": [], "note": "mine"})

    picture = Image.open(io.BytesIO(server.images(entry, "2")[0]))

    assert picture.size == (64, 48)
    assert picture.getpixel((3, 3)) == (128, 128, 128)
    assert '"mine"' in picture.info["workflow"]


def test_the_server_loaded_every_node_of_the_pack(server):
    import pack.nodes

    ids = {node.GET_SCHEMA().node_id for node in pack.nodes.NODES}
    assert ids
    assert ids <= set(server.object_info())


def test_a_refused_prompt_says_why_and_the_server_lives_on(server):
    without_width = {
        "1": {"class_type": "EmptyImage", "inputs": {"height": 48, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "grey"}},
    }
    with pytest.raises(PromptRefused, match="EmptyImage.*width"):
        server.post_prompt(without_width)
    assert server.alive()
    assert grey_picture(server, 0x102030)["status"]["completed"]


def test_the_core_nodes_run_in_this_process(core_nodes):
    assert {"KSampler", "CLIPTextEncode", "PreviewAny", "SamplerCustomAdvanced"} <= set(core_nodes)
