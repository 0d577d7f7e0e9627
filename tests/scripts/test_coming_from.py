"""The page for users of other packs names every node that they have there, and `layers` that can be read."""

import re

import pytest
from pack.attention.recipes.layer_strengths import parse_layer_strengths
from pack.scripts.bootstrap.places import ROOT

PAGE = (ROOT / "docs" / "coming-from-other-packs.md").read_text(encoding="utf-8")
# As these packs display them, at the commits that the page names.
IPADAPTER_PLUS = """\
IPAdapter|IPAdapter Advanced|IPAdapter Batch (Adv.)|IPAdapter FaceID|IPAdapter FaceID Kolors|IPAdapter FaceID Batch
IPAdapter Tiled|IPAdapter Tiled Batch|IPAdapter Embeds|IPAdapter Embeds Batch|IPAdapter Style & Composition SDXL
IPAdapter Style & Composition Batch SDXL|IPAdapter Mad Scientist|IPAdapter ClipVision Enhancer
IPAdapter ClipVision Enhancer Batch|IPAdapter from Params|IPAdapter Precise Style Transfer
IPAdapter Precise Style Transfer Batch|IPAdapter Precise Composition|IPAdapter Precise Composition Batch
IPAdapter Unified Loader|IPAdapter Unified Loader FaceID|IPAdapter Unified Loader Community|IPAdapter Model Loader
IPAdapter InsightFace Loader|IPAdapter Encoder|IPAdapter Combine Embeds|IPAdapter Noise|Prep Image For ClipVision
IPAdapter Save Embeds|IPAdapter Load Embeds|IPAdapter Weights|IPAdapter Weights From Strategy
IPAdapter Combine Weights|Prompt Schedule From Weights Strategy|IPAdapter Regional Conditioning
IPAdapter Combine Params"""
INSTANTID = """Load InstantID Model|InstantID Face Analysis|Apply InstantID|Apply InstantID Advanced
Face Keypoints Preprocessor|InstantID Patch Attention|InstantID Apply ControlNet"""
PULID = "Load PuLID Model|Load InsightFace (PuLID)|Load Eva Clip (PuLID)|Apply PuLID|Apply PuLID Advanced"
# Their inputs but for models, pictures, conditionings and sockets between their own nodes.
IPADAPTER_PLUS_INPUTS = """\
add_ending_frames add_starting_frames attn_mask blur combine_embeds composition_boost crop_position embeds_scaling
encode_batch_size end_at end_frame enhance_ratio enhance_tiles expand_style frames image_negative image_weight
interpolation ipadapter_file layer_weights lora_strength method model_name neg_embed pos_embed preset prompt_weight
provider sharpening start_at start_frame strength style_boost timing type weight weight_composition weight_faceidv2
weight_kolors weight_style weight_type weights weights_strategy"""
INSTANTID_INPUTS = "cn_strength combine_embeds end_at image_kps ip_weight mask noise start_at strength weight"
PULID_INPUTS = "attn_mask end_at fidelity method noise projection start_at weight"
WEIGHT_TYPES = (
    "linear", "ease in", "ease out", "ease in-out", "reverse in-out", "weak input", "weak output", "weak middle",
    "strong middle", "style transfer", "composition", "strong style transfer", "style and composition",
    "style transfer precise", "composition precise",
)  # fmt: skip


PACKS = {
    "IPAdapter_plus": (IPADAPTER_PLUS, IPADAPTER_PLUS_INPUTS),
    "InstantID": (INSTANTID, INSTANTID_INPUTS),
    "PuLID": (PULID, PULID_INPUTS),
}


@pytest.mark.parametrize("pack", PACKS)
def test_every_node_and_setting_of_the_pack_is_mapped(pack):
    nodes, inputs = PACKS[pack]
    part = PAGE.split(f"\n## {pack}\n")[1].split("\n## ")[0]
    firsts = [line.split("|")[1] for line in part.splitlines() if line.startswith("|")]

    named = {name for cell in firsts for name in re.split(r", with |, |; ", cell.strip())}
    assert [name for name in re.split(r"[|\n]", nodes) if name not in named] == []
    assert [name for name in inputs.split() if not any(f"`{name}`" in line for line in part.splitlines())] == []


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
