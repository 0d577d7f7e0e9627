"""Casts whose members bring adapters of unlike families: one pass of the UNet, each acting in their own region."""

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_adapters import ANTELOPE, BUFFALO, photographed, tiny_of
from pack.tests.host.tiny_models import apply, sample

# A family with the recogniser of its face pack, and the columns of 16 in which its member stands.
FAMILIES = {
    "faceid": (BUFFALO, slice(0, 4)),
    "instantid": (ANTELOPE, slice(6, 10)),
    "pulid": (ANTELOPE, slice(12, 16)),
}
SEEDS = (31, 32, 33)


@pytest.fixture(scope="module")
def adapters(tmp_path_factory, pulid):
    """One of each; PuLID's without what it takes out of the text, which would be a sum over the whole picture."""
    folder = tmp_path_factory.mktemp("adapters")
    return {**{kind: tiny_of(kind, folder) for kind in ("faceid", "instantid")}, "pulid": pulid(method="neutral")}


def cast_of(adapters, seeds=SEEDS):
    """A member of each family, in a strip that is apart from the others by two columns."""
    members = []
    for (family, (recogniser, columns)), seed in zip(FAMILIES.items(), seeds, strict=True):
        strip = Region(family, x=columns.start / 16, width=0.25)
        members.append(Member(photographed(family, seed, 1, recogniser), strip, adapter=adapters[family]))
    return tuple(members)


def layers_of(model, cast, mode):
    """Every layer call of one step, and the latent."""
    with record_layers(model) as (recorded, calls):
        latent = sample(apply(recorded, cast, mode=mode), size=(16, 16), steps=1)
    return calls, latent


def test_a_mixed_cast_acts_in_one_call_of_the_unet_inside_of_its_regions_alone(model, adapters, mode, unet_calls):
    cast = cast_of(adapters)
    calls, latent = layers_of(model, cast, mode)

    assert unet_calls == [2]
    assert latent.isfinite().all()
    assert_only_inside(calls, [member.region for member in cast], (16, 16), least=16)


def test_another_person_changes_their_own_region_alone(model, adapters, mode):
    """In the first layer, which all runs enter alike."""

    def first_change(seeds):
        return layers_of(model, cast_of(adapters, seeds), mode)[0][0].change(0)[0]

    before = first_change(SEEDS)
    for place, (_, columns) in enumerate(FAMILIES.values()):
        difference = (before - first_change((*SEEDS[:place], 77, *SEEDS[place + 1 :]))).abs().amax(-1)
        assert difference[:, columns].max() > 1e-3
        difference[:, columns] = 0
        assert torch.equal(difference, torch.zeros_like(difference))


def test_beside_a_mixed_cast_an_identity_net_hears_instantid_alone(model, adapters, applied, unet_calls):
    cast = cast_of(adapters)
    prompts = applied(cast, None)

    latent = sample(apply(model, cast), **prompts, size=(16, 16), steps=2)

    assert latent.isfinite().all()
    assert unet_calls == [2, 2]
    (net,) = {id(values["control"]): values["control"] for role in prompts.values() for _, values in role}.values()
    assert [region.name for region in net.regions] == ["instantid"]
