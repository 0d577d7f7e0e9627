"""Routed attention in every attention that ComfyUI has for a CPU, against the slow reference."""

import comfy.ldm.modules.attention as attention
import pytest
import torch
from pack.attention.routing.policies import APART, CLOSED, Odds, routed_groups
from pack.attention.routing.routed_attention import routed_attention
from pack.tests.attention.reference_routing import routed
from pack.tests.attention.routed_scenes import SCENES, qkv, scene

KERNELS = {
    "basic": attention.attention_basic,
    "sub_quad": attention.attention_sub_quad,
    "split": attention.attention_split,
    "pytorch": attention.attention_pytorch,
}
PARTS = {
    "closed": (CLOSED, Odds()),
    "apart": (APART, Odds()),
    "weighed": (CLOSED, Odds((0.4, 2.0), 0.3, "apart")),
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("shared", [1, 2])
def test_every_kernel_gives_what_the_reference_says(name, part, shared):
    policy, odds = PARTS[part]
    whose, tokens = scene(SCENES["an overlap"])
    queries = len(tokens) - 4
    q, k, v = qkv(len(tokens), heads=4, width=8, shared=shared, queries=queries)

    def attend(q, k, v, mask):
        return KERNELS[name](q, k, v, 4, mask=mask, skip_reshape=True, enable_gqa=shared > 1)

    out = routed_attention(attend, q, k, v, routed_groups(tokens, policy, odds, queries))

    weights = odds.references or (1.0, 1.0), odds.others, odds.background
    expected = routed(q[0], k[0], v[0], whose, policy, *weights).transpose(0, 1).flatten(1)[None].float()
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-6)
