"""Settings of one member against the arithmetic of ComfyUI_IPAdapter_plus (outputs of its code at 9d076a3)."""

from pathlib import Path

import pytest
import torch
from pack.attention.adapters.inputs import RULES, AdapterInputs, combined
from pack.attention.recipes.layer_strengths import parse_layer_strengths
from pack.attention.recipes.member_settings import (
    BY_LAYER,
    SCALINGS,
    WEIGHT_TYPES,
    MemberSettings,
    scaled,
    share_of,
)
from pack.scripts.bootstrap.places import ROOT
from safetensors.torch import load_file

THEIRS = load_file(Path(__file__).parents[1] / "fixtures" / "ipadapter_settings.safetensors")
ORDER = {
    11: [*(("input", b) for b in (4, 5, 7, 8)), ("middle", 0), *(("output", b) for b in range(6))],
    16: [*(("input", b) for b in (1, 2, 4, 5, 7, 8)), ("middle", 0), *(("output", b) for b in range(3, 12))],
}


@pytest.mark.parametrize("count", ORDER)
@pytest.mark.parametrize("kind", WEIGHT_TYPES)
def test_every_weight_type_is_theirs_in_every_layer(kind, count):
    places = [place for place in ORDER[count] for _ in range(2)][::-1]  # several layers a block, in no order

    found = MemberSettings(kind).factors(places)

    wanted = dict(zip(ORDER[count], THEIRS[f"factors {kind} {count}"].tolist(), strict=True))
    assert found == pytest.approx([wanted[place] for place in places], abs=1e-5)


def test_layers_multiply_the_weight_type():
    settings = MemberSettings("weak output", parse_layer_strengths("output 1: 0.5, input: 0"))

    assert settings.factors([("input", 4), ("middle", 0), ("output", 1), ("output", 2)]) == (0, 1, 0.1, 0.2)


@pytest.mark.parametrize("strength", [0.6, 1.4])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_embeds_scaling_is_theirs(scaling, strength):
    q, heads = THEIRS["q"], 2
    rows = []
    for row, tokens in enumerate((THEIRS["cond"], THEIRS["uncond"])):
        keys, values = (tokens @ THEIRS[name].T for name in ("to_k", "to_v"))
        keys, values = scaled(scaling, keys, values, strength)
        parts = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (q[row : row + 1], keys, values))
        out = torch.nn.functional.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)
        rows.append(out * share_of(scaling, strength, q.shape[-1]))

    torch.testing.assert_close(torch.cat(rows), THEIRS[f"{scaling} {strength}"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_for_several_photos_is_theirs(rule):
    rows = THEIRS["photos"]

    found = combined(AdapterInputs(rows, rows[:, None]), rule)

    torch.testing.assert_close(found.faces, THEIRS[f"photos {rule}"])
    torch.testing.assert_close(found.features, THEIRS[f"photos {rule}"][:, None])
    one = AdapterInputs(rows[:1])
    assert combined(one, rule) is one


@pytest.mark.parametrize("kind", BY_LAYER)
def test_the_page_for_their_users_says_the_same(kind):
    page = (ROOT / "docs" / "coming-from-other-packs.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith("|") and f"`{kind}`" in line.split("|")[1]]
    sd15, sdxl = BY_LAYER[kind]

    assert [cell.strip().strip("`") or "(empty)" for cell in line.split("|")[2:4]] == [
        sdxl or "(empty)",
        sd15 or "(empty)",
    ]
