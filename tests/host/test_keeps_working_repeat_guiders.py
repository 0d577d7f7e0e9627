"""Packs in the manner of Attention Couple under other guiders, where they repeat other rows than those of the positive.

They leave the rows of list position 1 alone and repeat all others, whatever their role: with DualCFG those of the
negative prompt too, with SAG those of the negative prompt alone.
"""

import pytest
from comfy_extras.nodes_custom_sampler import Guider_DualCFG
from comfy_extras.nodes_sag import SelfAttentionGuidance
from pack.tests.host.test_keeps_working_row_repeat import couple
from pack.tests.host.tiny_models import POSITIVE, TWO, apply, assert_same, sample


@pytest.fixture(params=[False, True], ids=["silent", "tells"])
def tells(request):
    return request.param


def test_dual_guidance(model, adapter, mode, tells):
    """All three prompts alike, so that the pack's own text is that of every repeated row."""

    def dual(patched):
        guider = Guider_DualCFG(patched)
        guider.set_conds(POSITIVE, POSITIVE, POSITIVE)
        guider.set_cfg(3.0, 2.0)
        return sample(patched, guider=guider, steps=1)

    patched = apply(model, TWO, adapter, mode=mode)
    assert_same(dual(couple(model, tells=tells)), dual(model))
    assert_same(dual(couple(patched, tells=tells)), dual(patched))


def test_self_attention_guidance(model, adapter, mode, tells):
    def guided(patched):
        return SelfAttentionGuidance.execute(patched, 0.5, 2.0).args[0]

    patched = apply(model, TWO, adapter, mode=mode)
    settings = {"negative": POSITIVE, "size": (16, 16), "steps": 1}
    assert_same(sample(guided(couple(model, tells=tells)), **settings), sample(guided(model), **settings))
    assert_same(sample(guided(couple(patched, tells=tells)), **settings), sample(guided(patched), **settings))
