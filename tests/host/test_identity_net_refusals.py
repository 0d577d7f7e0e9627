"""Whom Apply IdentityNet leaves out, what it refuses and how it says so, and noise in nobody's place."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.nodes.host.adapters.adapter_group import group_of, noise_for
from pack.scripts.benches.engine import joint_models
from pack.tests.host.tiny_adapters import ANTELOPE, BUFFALO, tiny_of
from pack.tests.host.tiny_control import INPUTS, control_layers, tiny_control
from pack.tests.host.tiny_instantid import ADA, BOB, TWO
from pack.tests.host.tiny_models import EVERYWHERE, RIGHT, person, sample
from safetensors.torch import load_file


def test_members_of_another_kind_or_without_strength_are_nobody_to_it(model, control, applied, adapter):
    for other in (Member(BOB, RIGHT, adapter=adapter), Member(BOB, RIGHT, strength=0.0)):
        alone, both = (
            control_layers(control, lambda cast=cast: sample(model, **applied(cast), steps=1))[INPUTS[0]]
            for cast in (TWO[:1], (TWO[0], other))
        )
        torch.testing.assert_close(both, alone, atol=1e-6, rtol=1e-5)


def test_a_cast_without_instantid_is_refused(applied, adapter, instantid):
    with pytest.raises(ValueError, match=r"Apply IdentityNet: nobody .* of format faceid\).*format instantid"):
        applied(TWO, adapter)
    with pytest.raises(ValueError, match=r"found no adapter"):
        applied(TWO, None)
    with pytest.raises(ValueError, match="nobody in this cast has a strength above 0"):
        applied(tuple(replace(member, strength=0.0) for member in TWO), instantid)


def test_the_recogniser_of_another_pack_is_refused_by_name(applied, instantid):
    published = replace(instantid, packs=("buffalo_l", "antelopev2"))  # as its file is read where nobody chose a format
    both = Member(person("Di", 24, (BUFFALO, ANTELOPE)), EVERYWHERE)
    wrong = Member(person("Eve", 25, (BUFFALO,)), EVERYWHERE)

    assert applied((both,), published)
    with pytest.raises(ValueError, match="pack antelopev2, and identity 'Eve' was described by that of buffalo_l"):
        applied((wrong,), published)
    with pytest.raises(ValueError, match="nobody in this cast"):
        applied((both,), replace(instantid, packs=("buffalo_l",)))


def test_control_nets_of_other_kinds_and_widths_are_refused(applied, instantid):
    class Flow(torch.nn.Module):
        pass

    other = tiny_control()
    other.control_model = Flow()
    with pytest.raises(ValueError, match="is a Flow, .*Load InstantID's ControlNet"):
        applied(TWO, net=other)
    wide = replace(instantid, spec=replace(instantid.spec, cross_width=2048))
    with pytest.raises(ValueError, match="reads tokens of width 64, and the adapter '.*' makes tokens of width 2048"):
        applied(TWO, wide)


def test_noise_for_nobody_is_in_negative_prompts_and_where_nobody_stands(applied, instantid):
    def tokens(noise):
        own = replace(instantid, settings=replace(instantid.settings, noise=noise))
        prompts = applied(TWO[:1], own)
        return [next(iter(prompts[role][0][1]["model_conds"].values())).cond for role in ("positive", "negative")]

    (positive, negative), (noisy_positive, noisy_negative) = tokens(0.0), tokens(0.35)
    assert torch.equal(noisy_positive[:, :16], positive[:, :16])
    assert (noisy_positive[:, 16:] - positive[:, 16:]).abs().max() > 1e-3
    assert (noisy_negative - negative).abs().max() > 1e-3
    assert torch.equal(noisy_negative[:, :16], noisy_positive[:, 16:])


def test_prompts_that_lost_their_faces_are_an_error_that_says_so(model, applied):
    prompts = applied(TWO)
    for _, values in prompts["positive"]:
        values["model_conds"] = {}

    with pytest.raises(RuntimeError, match="put Apply IdentityNet after it"):
        sample(model, **prompts)


def test_the_noise_of_one_person_is_that_of_the_published_nodes():
    """Random faces, two of which sum to less than 0, and the noise at .35 of both nodes of ComfyUI_InstantID."""
    vectors = load_file(Path(__file__).parents[1] / "fixtures" / "instantid_noise.safetensors")  # commit 1ef34ef

    assert (vectors["faces"].sum(1) < 0).tolist() == [True, False, True, False]
    for face, expected in zip(vectors["faces"], vectors["expected"], strict=True):
        assert torch.equal(0.35 * noise_for(face[None])[0], expected)


def test_instantid_may_have_noise_for_nobody_that_only_the_people_decide(tmp_path):
    def nobody(noise, *people, kind="instantid"):
        return group_of(tiny_of(kind, tmp_path, noise=noise), range(len(people)), people, "average").rows.faces[-1]

    of_faceid = person("Di", 24, (BUFFALO,))
    assert not nobody(0.0, ADA).any()
    noise = nobody(0.35, ADA)
    assert torch.equal(nobody(0.35, ADA), noise)
    assert torch.equal(nobody(0.7, ADA), 2 * noise)
    assert not torch.equal(nobody(0.35, ADA, BOB), noise)
    assert 0 <= noise.min() < 0.02 < 0.33 < noise.max() <= 0.35
    assert not nobody(0.35, of_faceid, kind="faceid").any()


def test_a_model_that_is_no_unet_is_named(applied):
    with pytest.raises(RuntimeError, match=r"Apply IdentityNet: the model is a Flux, .*Take Apply IdentityNet out"):
        joint_models.sample(joint_models.tiny("FLUX.1"), *applied(TWO).values())
