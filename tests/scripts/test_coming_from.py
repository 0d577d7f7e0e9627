"""The page for users of other packs names every node that they have there, and `layers` that can be read."""

import re

import pytest
from pack.attention.recipes.layer_strengths import parse_layer_strengths
from pack.scripts.bootstrap.places import ROOT

PAGE = (ROOT / "docs" / "coming-from-other-packs.md").read_text(encoding="utf-8")
# As these packs display them, at the commits that the page names.
IPADAPTER_PLUS = """\
IPAdapter Advanced|IPAdapter Batch|IPAdapter FaceID|IPAdapter FaceID Kolors|IPAdapter FaceID Batch
IPAdapter Tiled|IPAdapter Embeds|IPAdapter Embeds Batch|IPAdapter Style & Composition SDXL
IPAdapter Mad Scientist|ClipVision Enhancer|IPAdapter from Params|Precise Style Transfer
Precise Composition|IPAdapter Unified Loader|IPAdapter Model Loader|IPAdapter InsightFace Loader
IPAdapter Encoder|Combine Embeds|IPAdapter Noise|Prep Image For ClipVision|IPAdapter Save Embeds
Load Embeds|IPAdapter Weights|Weights From Strategy|Prompt Schedule From Weights Strategy
Combine Weights|IPAdapter Regional Conditioning|IPAdapter Combine Params"""
INSTANTID = """Load InstantID Model|InstantID Face Analysis|Apply InstantID|Apply InstantID Advanced
Face Keypoints Preprocessor|InstantID Attention Patch|Apply InstantID ControlNet"""
PULID = "Load PuLID Model|Load InsightFace (PuLID)|Load Eva Clip (PuLID)|Apply PuLID|Apply PuLID Advanced"
WEIGHT_TYPES = (
    "linear", "ease in", "ease out", "ease in-out", "reverse in-out", "weak input", "weak output", "weak middle",
    "strong middle", "style transfer", "composition", "strong style transfer", "style and composition",
    "style transfer precise", "composition precise",
)  # fmt: skip


@pytest.mark.parametrize("names", [IPADAPTER_PLUS, INSTANTID, PULID], ids=["IPAdapter_plus", "InstantID", "PuLID"])
def test_every_node_of_the_pack_is_mapped(names):
    assert [name for name in re.split(r"[|\n]", names) if name not in PAGE] == []


def weight_rows():
    table = PAGE.split("| `weight_type` | `layers` for SDXL |")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def test_every_weight_type_has_a_row():
    assert [name for name in WEIGHT_TYPES if not any(f"`{name}`" in row[0] for row in weight_rows())] == []


# Transformers in the order in which IPAdapter_plus counts them: part and block.
SDXL = [("input", n) for n in (4, 5, 7, 8)] + [("middle", 0)] + [("output", n) for n in range(6)]
SD15 = [("input", n) for n in (1, 2, 4, 5, 7, 8)] + [("middle", 0)] + [("output", n) for n in range(3, 12)]
STRENGTHS = {  # of its weight types: by the number of the transformer, at weight 1
    "style transfer": ({6: 1.0}, dict.fromkeys((0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15), 1.0)),
    "composition": ({3: 1.0}, {4: 0.25, 5: 1.0}),
    "strong style transfer": (
        dict.fromkeys((0, 1, 2, 4, 5, 6, 7, 8, 9, 10), 1.0),
        dict.fromkeys((0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), 1.0),
    ),
    "style and composition": (
        {3: 1.0, 6: 1.0},
        {4: 0.25, 5: 1.0, **dict.fromkeys((0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15), 1.0)},
    ),
}


@pytest.mark.parametrize("name", STRENGTHS)
def test_layers_are_those_of_the_weight_type(name):
    (row,) = [row for row in weight_rows() if row[0] == f"`{name}`"]

    for text, blocks, wanted in zip(row[1:], (SDXL, SD15), STRENGTHS[name], strict=True):
        strengths = parse_layer_strengths(text.strip("`"))
        assert [strengths.of(*block) for block in blocks] == [wanted.get(i, 0.0) for i in range(len(blocks))]


def test_other_weight_types_can_be_read():
    for row in weight_rows():
        for text in row[1:]:
            if text.startswith("`"):
                parse_layer_strengths(text.strip("`"))
