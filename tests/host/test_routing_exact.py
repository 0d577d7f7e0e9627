"""People in models of one attention, exactly: free is the model itself, apart nobody reaches another's place."""

import pytest
import torch
from pack.attention.recipes.recipe import Isolation
from pack.face.cut_out import cut_out
from pack.scripts.benches.engine.joint_models import (
    FAMILIES,
    cast_of,
    pictured,
    routed,
    sample,
    strips,
    text,
    tiny,
    vae_of,
)


@pytest.fixture(scope="module", params=FAMILIES)
def flux(request):
    return tiny(request.param)


def columns_of(latents, person, count):
    """(those of a person's place, everything else) of the latents, flat."""
    height, width = latents.shape[-2:]
    inside = torch.zeros(height, width, dtype=torch.bool)
    inside[: height * 3 // 4, width * person // count : width * (person + 1) // count] = True
    return latents[..., inside], latents[..., ~inside]


def swapped(count, who, photo=True):
    """A cast, and the same with another photo or prompt of one of them."""
    photos, prompts = list(range(100, 100 + count)), list(range(200, 200 + count))
    (photos if photo else prompts)[who] += 50
    return cast_of(count), cast_of(count, photos, prompts)


def with_users_references(conditioning, *latents):
    return [[tokens, {**values, "reference_latents": list(latents)}] for tokens, values in conditioning]


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_free_is_the_model_itself_with_the_references_that_a_user_would_give_it(flux, cfg):
    cast = cast_of(2, prompts=(None, None))
    vae = vae_of(flux)
    patched = routed(flux, cast, "free")
    pixels = [cut_out(m.identity.photos[0], m.identity.boxes[0], 64, 3.5)[0] for m in cast]
    latents = [vae.encode(torch.from_numpy(photo)[None].float() / 255) for photo in pixels]
    prompts = [with_users_references(text(seed), *latents) for seed in (1, 2)]

    assert torch.equal(sample(patched, cfg=cfg), sample(flux, *prompts, cfg=cfg))


@pytest.mark.parametrize("photo", [True, False], ids=["photo", "prompt"])
@pytest.mark.parametrize(("count", "cfg", "batch"), [(2, 3.0, 1), (5, 1.0, 2)])
def test_apart_another_photo_or_prompt_changes_nothing_outside_its_place(flux, count, cfg, batch, photo):
    unit = 1 if flux.model.latent_format.latent_channels == 128 else 2  # cells of a token
    size = (4 * unit, count * unit) if count > 2 else None
    who = count - 1
    one, other = (
        sample(routed(flux, cast, "apart"), cfg=cfg, steps=4, batch=batch, size=size)
        for cast in swapped(count, who, photo)
    )

    (own, rest), (own_after, rest_after) = columns_of(one, who, count), columns_of(other, who, count)
    assert torch.equal(rest, rest_after)
    assert not torch.equal(own, own_after)
    assert one.isfinite().all()


def test_apart_eight_people_in_a_row_are_as_exact():
    flux = tiny("FLUX.2")
    one, other = (sample(routed(flux, cast, "apart"), cfg=3.0, steps=4, size=(4, 8)) for cast in swapped(8, 3))

    assert torch.equal(columns_of(one, 3, 8)[1], columns_of(other, 3, 8)[1])
    assert not torch.equal(columns_of(one, 3, 8)[0], columns_of(other, 3, 8)[0])


def leak(flux, policy):
    one, other = (sample(routed(flux, cast, policy)) for cast in swapped(2, 1))
    (own, rest), (own_after, rest_after) = columns_of(one, 1, 2), columns_of(other, 1, 2)
    return float((rest - rest_after).abs().mean() / (own - own_after).abs().mean())


def test_the_stricter_the_policy_the_less_of_a_person_is_found_elsewhere(flux):
    free, bound, closed = (leak(flux, policy) for policy in ("free", "bound", "closed"))

    assert free > bound > closed > 0


def test_closed_with_eta_0_and_an_apart_background_keeps_people_from_each_others_places(flux):
    isolation = Isolation(eta=0.0, end=1.0, background="apart")
    one, other = (sample(routed(flux, cast, "closed", isolation=isolation), steps=4) for cast in swapped(2, 1))

    assert torch.equal(columns_of(one, 1, 2)[1], columns_of(other, 1, 2)[1])


def test_apart_holds_up_to_its_part_of_the_schedule(flux):
    casts = swapped(2, 1)
    runs = {until: [sample(routed(flux, cast, apart_until=until), steps=1) for cast in casts] for until in (0.0, 0.5)}

    assert not torch.equal(*(columns_of(run, 1, 2)[1] for run in runs[0.0]))
    assert torch.equal(*(columns_of(run, 1, 2)[1] for run in runs[0.5]))  # the only step lies in it


def test_a_member_without_strength_is_left_out_and_keeps_the_place(flux):
    full = cast_of(2)
    left_out = (full[0], type(full[1])(**{**vars(full[1]), "strength": 0.0}))
    without_photo = (full[0], type(full[1])(**{**vars(full[1]), "strength": 0.0, "identity": pictured("X", 999)}))

    out = sample(routed(flux, left_out, "apart"))
    assert torch.equal(out, sample(routed(flux, without_photo, "apart")))
    if not hasattr(flux.model.diffusion_model, "noise_refiner"):  # Z-Image counts positions through its references
        assert torch.equal(columns_of(out, 1, 2)[1], columns_of(sample(routed(flux, full, "apart")), 1, 2)[1])
    assert not torch.equal(columns_of(out, 1, 2)[0], columns_of(sample(routed(flux, full, "apart")), 1, 2)[0])


def test_outside_their_part_of_the_schedule_a_members_photo_is_not_seen(flux):
    late = [cast_of(2, photos=(100, seed), start=0.99) for seed in (101, 151)]
    early = [cast_of(2, photos=(100, seed), end=0.5) for seed in (101, 151)]

    assert torch.equal(*(sample(routed(flux, cast), steps=1) for cast in late))
    assert not torch.equal(*(sample(routed(flux, cast), steps=1) for cast in early))


def test_an_empty_cast_and_one_of_no_strength_are_the_same_model_object(flux):
    assert routed(flux, ()) is flux
    assert routed(flux, cast_of(2), strength=0.0) is flux
    assert routed(flux, cast_of(2, prompts=(None, None), strength=0.0)) is flux


def test_several_photos_of_a_person_are_all_theirs(flux):
    def cast(seed):
        members = list(cast_of(2))
        members[1] = type(members[1])(**{**vars(members[1]), "identity": pictured("P1", seed, 3)})
        return members

    one, other = (sample(routed(flux, cast(seed), "apart"), steps=2) for seed in (101, 151))
    assert torch.equal(columns_of(one, 1, 2)[1], columns_of(other, 1, 2)[1])
    assert not torch.equal(one, other)


def test_odd_sizes_are_exact_where_a_token_is_a_cell_and_near_where_the_host_wraps_around():
    for name, size, tolerance in (("FLUX.2", (7, 9), 0.0), ("FLUX.1", (15, 17), 0.2)):
        flux = tiny(name)
        one, other = (sample(routed(flux, cast, "apart"), steps=2, size=size) for cast in swapped(2, 1))
        patch = 2 if name == "FLUX.1" else 1
        border = -(-size[1] // patch) // 2 * patch  # tokens that both touch are both's
        changed = (one - other).abs()
        outside = changed[..., : border - patch]
        assert outside.max() <= tolerance * changed.max(), name
        assert changed.max() > 0


def test_regions_on_a_picture_too_small_for_them_say_so(flux):
    members = cast_of(2)
    covered = (members[0], type(members[1])(**{**vars(members[1]), "region": strips(2)[0]}))
    with pytest.raises(RuntimeError, match="the region of 'P1' has none of its own"):
        sample(routed(flux, covered))
