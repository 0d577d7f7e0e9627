"""Prompts of unlike length: what ComfyUI does to put them into one call must not change what people weigh against text.

It repeats the tokens of all to the least common multiple. A picture must not depend on what fits into memory.
"""

import comfy.model_management
import pytest
import torch
from pack.tests.host.masked_prompts import half, masked
from pack.tests.host.tiny_models import (
    NEGATIVE,
    POSITIVE,
    assert_same,
    conditioning,
    sample,
)

LONG = [[torch.cat([conditioning(14)[0][0], conditioning(15)[0][0]], 1), {}]]  # 154 tokens


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        (LONG, NEGATIVE),
        (POSITIVE, LONG),
        (masked(POSITIVE, half("left")) + masked(LONG, half("right")), NEGATIVE),
    ],
    ids=["long positive", "long negative", "two positives"],
)
def test_prompts_in_one_call_are_those_of_calls_that_low_memory_splits(
    patched, unet_calls, monkeypatch, positive, negative, batch
):
    together = sample(patched, positive, negative, batch=batch, steps=1)
    rows = (len(positive) + len(negative)) * batch
    assert unet_calls == [rows]
    unet_calls.clear()

    monkeypatch.setattr(comfy.model_management, "get_free_memory", lambda *_, **__: 1)
    assert_same(sample(patched, positive, negative, batch=batch, steps=1), together)
    assert unet_calls == [batch] * (rows // batch)


def test_a_prompt_for_each_half_is_in_its_half_what_it_is_alone(patched):
    both = masked(POSITIVE, half("left")) + masked(LONG, half("right"))

    seen = sample(patched, both, cfg=1.0, steps=1)

    assert_same(seen[..., :4], sample(patched, POSITIVE, cfg=1.0, steps=1)[..., :4])
    assert_same(seen[..., 4:], sample(patched, LONG, cfg=1.0, steps=1)[..., 4:])
