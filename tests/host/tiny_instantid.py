"""People of antelopev2, and the prompts that Apply IdentityNet makes of them with a tiny ControlNet."""

from __future__ import annotations

import torch
from pack.attention.recipes.cast import Member
from pack.nodes.control.identity_net_nodes import ApplyIdentityNet
from pack.tests.host.tiny_adapters import ANTELOPE
from pack.tests.host.tiny_models import LEFT, NEGATIVE, POSITIVE, RIGHT, person

HINT = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(6))
ADA, BOB, CY = (person(name, seed, (ANTELOPE,)) for name, seed in (("Ada", 21), ("Bob", 22), ("Cy", 23)))
TWO = (Member(ADA, LEFT), Member(BOB, RIGHT))


def with_identity_net(
    net, adapter, cast, positive=POSITIVE, negative=NEGATIVE, strength=0.5, feather=0.0, start=0.0, end=1.0
) -> dict:
    """Prompts with the IdentityNet, by role."""
    out = ApplyIdentityNet.execute(positive, negative, net, HINT, cast, strength, start, end, adapter, feather)
    return dict(zip(("positive", "negative"), out.args, strict=True))


def with_stock_net(core_nodes, net, positive_tokens, negative_tokens, strength=0.5) -> dict:
    """Prompts by role with ComfyUI's own node, whose ControlNet reads face tokens [T, width] in place of the text."""
    stock = core_nodes["ControlNetApplyAdvanced"]().apply_controlnet
    prompts = stock(POSITIVE, NEGATIVE, net, HINT, strength, 0.0, 1.0)
    given = {"positive": positive_tokens, "negative": negative_tokens}
    return {
        role: [[text, {**values, "cross_attn_controlnet": given[role][None]}] for text, values in prompt]
        for role, prompt in zip(given, prompts, strict=True)
    }
