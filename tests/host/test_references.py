"""Self-attention to reference photos on a real, tiny UNet, with a real VAE of random weights."""

from dataclasses import replace

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Recipe, References
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.layer_recorder import self_attention_layers
from pack.tests.host.tiny_models import ADA, ADAPTER_LAYERS, BOB, LEFT, RIGHT, assert_different, assert_same, sample
from pack.tests.host.vae import PAIR, SEEING, photographed

DECODER = [key for key in ADAPTER_LAYERS if key[0] == "output"]


@torch.inference_mode()
def patched(model, adapter, vae, references, cast=PAIR, **changes):
    return patch_cast(model, cast, adapter, Recipe("decoupled", references=references, **changes), 1.0, vae)


def test_photos_of_vanishing_weight_change_nothing(model, adapter, vae):
    plain = sample(patch_cast(model, PAIR, adapter, Recipe("decoupled"), 1.0))

    assert_same(sample(patched(model, adapter, vae, replace(SEEING, odds=1e-20))), plain)
    assert_different(sample(patched(model, adapter, vae, SEEING)), plain)


@pytest.mark.parametrize("match_mean", [False, True])
def test_all_photos_run_in_one_batch_once_for_each_noise_level(model, adapter, vae, unet_calls, match_mean):
    out = sample(patched(model, adapter, vae, replace(SEEING, match_mean=match_mean)), steps=3)

    assert out.isfinite().all()
    assert unet_calls == [3, 2] * 3  # three photos, then the picture's two rows


def test_photos_run_in_their_part_of_the_schedule_alone(model, adapter, vae, unet_calls):
    sample(patched(model, adapter, vae, replace(SEEING, end=0.5)), steps=4)

    assert unet_calls == [3, 2, 3, 2, 2, 2]


def test_a_member_sees_their_own_photos_in_their_region_in_the_decoder_in_positive_rows(model, adapter, vae):
    cast = (Member(photographed(ADA, 1, 3), LEFT), Member(BOB, RIGHT))  # of Bob no photo was kept

    seen, plain = ({}, {})
    for found, references in ((seen, SEEING), (plain, References())):
        with self_attention_layers(model, rows=2) as layers:  # the photos are three rows
            sample(patched(model, adapter, vae, references, cast), steps=1)
        found.update(layers)

    first = DECODER[0]
    for key in ADAPTER_LAYERS[: ADAPTER_LAYERS.index(first)]:
        assert torch.equal(seen[key, "out"], plain[key, "out"]), key
    torch.testing.assert_close(seen[first, "to_q"], plain[first, "to_q"])
    change = (seen[first, "out"] - plain[first, "out"]).abs().amax(-1).unflatten(1, (2, 2))
    negative, positive = change
    assert positive[:, 0].min() > 1e-3  # Ada's column
    assert positive[:, 1].max() < 1e-5
    assert negative.max() < 1e-5


def test_without_a_vae_or_a_photo_it_says_what_to_do(model, adapter, vae):
    with pytest.raises(ValueError, match="Connect the checkpoint's VAE"):
        patched(model, adapter, None, SEEING)
    with pytest.raises(ValueError, match="no identity in the cast has one"):
        patched(model, adapter, vae, SEEING, (Member(ADA, LEFT),))
