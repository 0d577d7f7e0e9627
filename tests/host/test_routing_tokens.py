"""Tokens of photos that are left out: the others keep their places, and everything that is exact stays so."""

import logging

import pytest
import torch
from comfy_extras.nodes_flux import FluxKVCache
from pack.nodes.host.layers.joint_attention import PLACE
from pack.scripts.benches.engine.joint_models import FAMILIES, cast_of, routed, sample, text, tiny

TWO = cast_of(2, prompts=(None, None))
OTHER = cast_of(2, photos=(100, 151), prompts=(None, None))
CORNERS = (0, 3, 12, 15)  # of the 4 x 4 tokens of a photo, outside the ellipse of a face
CUTTING = [name for name in FAMILIES if name != "Z-Image"]


@pytest.fixture(scope="module", params=CUTTING)
def flux(request):
    return tiny(request.param)


def seen_without(dropped):
    """Another pack's attention that sees nothing of some tokens, counted from the end."""

    def attend(kernel, q, k, v, heads, mask=None, **rest):
        kept = torch.ones(k.shape[2], dtype=torch.bool)
        kept[[k.shape[2] - token for token in dropped]] = False
        return kernel(q, k[:, :, kept], v[:, :, kept], heads, mask=mask, **rest)

    return attend


def test_a_token_that_is_left_out_is_one_that_nobody_sees_and_the_others_keep_their_places(flux):
    hidden = routed(flux, TWO, "free").clone()
    dropped = [32 - corner - 16 * photo for photo in (0, 1) for corner in CORNERS]
    hidden.model_options["transformer_options"][PLACE] = seen_without(dropped)

    out = sample(routed(flux, TWO, "free", tokens="face"))

    torch.testing.assert_close(out, sample(hidden), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(out, sample(routed(flux, TWO, "free")), atol=1e-3)


def test_another_photo_changes_nothing_outside_its_place(flux):
    positive = text(1, reference_latents=[torch.zeros(1, *flux_latent(flux))])  # the user's own is whole
    size = (7, 8) if flux.model.latent_format.latent_channels == 128 else None
    one, other = (sample(routed(flux, cast, "apart", tokens="face"), positive, size=size) for cast in (TWO, OTHER))

    assert torch.equal(one[..., : one.shape[-1] // 2], other[..., : one.shape[-1] // 2])
    assert not torch.equal(one, other)


def flux_latent(flux):
    latents = flux.model.latent_format
    return (latents.latent_channels, *(1,) * (latents.latent_dimensions - 2), 4, 4)


@pytest.mark.parametrize("policy", ["closed", "apart"])
def test_the_cache_of_keys_and_values_stays_exact(policy):
    flux = tiny("FLUX.2")
    positive = text(1, reference_latents_method="index_timestep_zero")
    model = routed(flux, TWO, policy, tokens="face")

    cached = sample(FluxKVCache.execute(model).result[0], positive, steps=3)
    assert torch.equal(cached, sample(model, positive, steps=3))


def test_places_are_moved_before_tokens_are_left_out():
    flux = tiny("FLUX.1")
    first = [sample(routed(flux, cast, "apart", tokens="face")) for cast in (TWO, TWO[::-1])]

    torch.testing.assert_close(*first, rtol=1e-3, atol=1e-3)


def test_a_run_says_how_many_were_left_out_and_counts_less_work(caplog):
    flux = tiny("FLUX.1")
    with caplog.at_level(logging.INFO):
        sample(routed(flux, TWO, tokens="face"), text(1), text(1))

    assert "12 + 12 of references (8 left out), " in caplog.text
    share = float(caplog.text.split(" groups, ")[1].split(" ")[0])
    caplog.clear()
    with caplog.at_level(logging.INFO):
        sample(routed(flux, TWO), text(1), text(1))
    assert share < float(caplog.text.split(" groups, ")[1].split(" ")[0])


def test_where_a_family_has_no_place_to_do_so_it_says_what_else_saves_as_much():
    with pytest.raises(ValueError, match=r"no tokens can be taken out of photos in Z-Image.*'photo_tokens'.*to all"):
        routed(tiny("Z-Image"), TWO, tokens="face")
