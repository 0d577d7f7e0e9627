"""People kept apart in the self-attention of a real, tiny UNet, layer by layer against the slow formula."""

from dataclasses import replace

import pytest
import torch
from pack.attention.isolation.token_groups import owners
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Isolation, Recipe
from pack.attention.regions.masks import cells_of
from pack.attention.regions.region import Region
from pack.attention.regions.shares import token_shares
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.attention.reference_self import self_attention
from pack.tests.host.layer_recorder import self_attention_layers
from pack.tests.host.tiny_models import ADA, ADAPTER_LAYERS, TWO, assert_different, assert_same, sample

NARROW = (Member(ADA, Region("left", width=0.4)), replace(TWO[1], region=Region("right", x=0.5, width=0.3)))
WHOLE = Isolation(0.0, end=1.0, cells=1000)


def isolated(isolation, **changes):
    return Recipe("decoupled", isolation=isolation, **changes)


@pytest.mark.parametrize("background", ["shared", "apart"])
@pytest.mark.parametrize("eta", [0.0, 0.3])
def test_every_layer_is_the_formula(model, adapter, eta, background):
    isolation = replace(WHOLE, eta=eta, background=background)

    with self_attention_layers(model) as seen:
        sample(patch_cast(model, NARROW, adapter, isolated(isolation), 1.0), steps=1)

    for key in ADAPTER_LAYERS:
        q, k, v, out = (seen[key, name] for name in ("to_q", "to_k", "to_v", "out"))
        side = int(q.shape[1] ** 0.5)
        shares = token_shares([m.region for m in NARROW], cells_of((side, side), (8, 8)), "priority")
        owned = owners(shares.flatten(1).mT)
        for row in range(len(q)):
            expected = self_attention(*(t[row].double() for t in (q, k, v)), owned, 4, eta, background)
            torch.testing.assert_close(out[row].double(), expected, atol=1e-4, rtol=1e-3, msg=str(key))


def test_an_eta_of_one_is_bit_equal(model, adapter):
    plain = sample(patch_cast(model, TWO, adapter, Recipe("decoupled"), 1.0))

    assert torch.equal(sample(patch_cast(model, TWO, adapter, isolated(Isolation(1.0)), 1.0)), plain)


def test_it_acts_in_its_window_and_on_its_grids_alone(model, adapter):
    def out(isolation):
        return sample(patch_cast(model, TWO, adapter, isolated(isolation), 1.0), steps=3)

    plain = out(Isolation(1.0))
    assert_different(out(WHOLE), plain)
    assert torch.equal(out(replace(WHOLE, start=0.999, end=0.9999)), plain)
    assert torch.equal(out(replace(WHOLE, cells=0)), plain)
    assert not torch.equal(out(replace(WHOLE, end=0.4)), out(WHOLE))


def test_a_layer_that_another_pack_holds_is_left_to_it(model, adapter):
    clone, calls = model.clone(), []

    def perturbed(q, k, v, options):
        calls.append(options["block"])
        return v

    clone.set_model_attn1_replace(perturbed, "middle", 0, 0)
    out = sample(patch_cast(clone, TWO, adapter, isolated(WHOLE), 1.0), steps=1)

    assert calls == [("middle", 0)]
    assert out.isfinite().all()


def test_it_needs_no_further_calls_and_pictures_of_a_batch_do_not_meet(model, adapter, unet_calls):
    patched = patch_cast(model, TWO, adapter, isolated(WHOLE), 1.0)

    batch = sample(patched, batch=2, steps=1)
    assert unet_calls == [4]
    assert_same(batch[:1], sample(patched, steps=1))
