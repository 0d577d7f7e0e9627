"""Draw Regions makes masks for those who read them, and for nobody else."""

import io

import numpy as np
import psutil
from pack.attention.regions.region import Region
from pack.nodes.regions.region_nodes import DrawRegions
from pack.nodes.regions.region_value import encode_regions
from PIL import Image

SIDE, COUNT = 2048, 16  # 268 MB of masks
MANY = encode_regions([Region(str(n), x=n / COUNT, width=0.5 / COUNT) for n in range(COUNT)])


def drawn(regions, side, masks=False):
    """A prompt that shows the regions, and their masks where these are asked for."""
    prompt = {
        "1": {"class_type": "Troupe_DrawRegions", "inputs": {"width": side, "height": side, "regions": regions}},
        "2": {
            "class_type": "Troupe_RegionPreview",
            "inputs": {"regions": ["1", 0], "width": 64, "height": 64, "fill": 0.25},
        },
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    if masks:
        prompt["4"] = {"class_type": "MaskToImage", "inputs": {"mask": ["1", 1]}}
        prompt["5"] = {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}}
    return prompt


def test_masks_that_nobody_reads_take_no_memory(server):
    server.post_prompt(drawn(MANY, 64))
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    server.post_prompt(drawn(MANY, SIDE))

    assert process.memory_info().rss - before < 100e6


def test_masks_are_made_once_they_are_linked_after_a_run_without(server):
    left = encode_regions([Region("left", width=0.5)])
    server.post_prompt(drawn(left, 80))
    entry = server.post_prompt(drawn(left, 80, masks=True))

    (file,) = server.images(entry, "5")
    mask = np.asarray(Image.open(io.BytesIO(file)).convert("L"))
    assert (mask[:, :40] == 255).all()
    assert (mask[:, 40:] == 0).all()


def test_outside_of_a_run_masks_are_always_made():
    _, masks = DrawRegions.execute(32, 16, encode_regions([Region("left", width=0.5)])).args

    assert masks.shape == (1, 16, 32)
