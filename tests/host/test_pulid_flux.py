"""PuLID for FLUX.1 on a real, tiny FLUX.1: against the formula, person by person, alone and beside routing."""

import gc
from dataclasses import replace

import comfy.model_management
import pytest
import torch
from comfy_extras.nodes_torch_compile import TorchCompileModel
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Recipe, Routing
from pack.nodes.host.adapters.adapter_group import group_of
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.effects.pulid_flux import MODELS, PictureTerm
from pack.scripts.benches.engine.joint_models import sample, strips, text, tiny, tiny_flux, vae_of
from pack.tests.host.tiny_adapters import ANTELOPE, photographed
from pack.tests.host.tiny_models import EVERYWHERE
from pack.tests.host.tiny_models import apply as apply_to_unet
from pack.tests.host.tiny_pulid import FLUX, pulid_state

ADA, BOB, CY = (
    photographed(name, seed, photos=1, recogniser=ANTELOPE) for name, seed in zip("ABC", (1, 2, 3), strict=True)
)
PLACES = [("double_block", 0), ("double_block", 2), ("single_block", 0), ("single_block", 4)]
CELLS, TEXT = 16, 6  # tokens of a picture of 8 x 8 cells, and of a prompt


@pytest.fixture(scope="module")
def flux():
    return tiny_flux("FLUX.1", depth=(3, 5))


@pytest.fixture(scope="module")
def adapter(pulid):
    return pulid("pulid flux")


def people(adapter, *who, **settings):
    return tuple(
        Member(own, region, adapter=adapter, **settings) for own, region in zip(who, strips(len(who)), strict=True)
    )


def patched(model, cast, policy="closed", photos=False, **settings):
    recipe = Recipe("decoupled", routing=Routing(policy, size=64), **settings)
    return patch_cast(model, cast, None, recipe, 1.0, vae_of(model) if photos else None)


@pytest.fixture
def calls(monkeypatch):
    """What each place was given and what came out: (layer, first token of the picture, before, after)."""
    found, original = [], PictureTerm.__call__

    def recorded(self, sequence, layer, first):
        before = sequence.clone()
        out = original(self, sequence, layer, first)
        found.append((layer, first, before, out.clone()))
        return out

    monkeypatch.setattr(PictureTerm, "__call__", recorded)
    return found


def plain(model, adapter, person, strength):
    """As published: one person everywhere, behind each of the blocks, by the formula in float64."""
    weights = {key.removeprefix("pulid_ca."): value.double() for key, value in pulid_state(FLUX.kind).items()}
    tokens = adapter.module.tokens(group_of(adapter, [0], [person], "average").rows).detach().double()

    def normalised(x, at):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * weights[f"{at}.weight"] + weights[f"{at}.bias"]

    def read(number, picture, own):
        asking = normalised(picture, f"{number}.norm2") @ weights[f"{number}.to_q.weight"].T
        key, value = (normalised(own, f"{number}.norm1") @ weights[f"{number}.to_kv.weight"].T).tensor_split(2, -1)
        heads = [
            (q @ k.T / 128**0.5).softmax(-1) @ v
            for q, k, v in zip(*(part.split(128, -1) for part in (asking, key, value)), strict=True)
        ]
        return torch.cat(heads, -1) @ weights[f"{number}.to_out.weight"].T

    def behind(number, single):
        def block(args, extra):
            out = extra["original_block"](args)
            image = out["img"].clone()
            first = TEXT if single else 0
            for row, role in enumerate(args["transformer_options"]["cond_or_uncond"]):
                part = image[row, first : first + CELLS]
                part += strength * read(number, part.double(), tokens[role]).to(part)
            return {**out, "img": image}

        return block

    clone = model.clone()
    for number, (kind, index) in enumerate(PLACES):
        clone.set_model_patch_replace(behind(number, kind == "single_block"), "dit", kind, index)
    return clone


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_one_person_everywhere_is_the_published_form(flux, adapter, cfg):
    cast = (Member(ADA, EVERYWHERE, 0.7, adapter=adapter),)

    expected, untouched = sample(plain(flux, adapter, ADA, 0.7), cfg=cfg), sample(flux, cfg=cfg)

    torch.testing.assert_close(sample(patched(flux, cast), cfg=cfg), expected, atol=1e-3, rtol=1e-3)
    assert (expected - untouched).abs().max() > 1e-2


@pytest.mark.parametrize("photos", [False, True], ids=["alone", "beside routing"])
def test_behind_each_block_only_rows_of_regions_have_changed(flux, adapter, calls, photos):
    cast = people(adapter, ADA, BOB)
    lit = [cell for cell in range(CELLS) if cell < 12]  # three of four rows of tokens

    sample(patched(flux, cast, photos=photos), steps=2)

    assert [layer for layer, *_ in calls] == [0, 1, 2, 3] * 2
    for layer, first, before, after in calls:
        assert first == (0 if layer < 2 else TEXT)
        assert before.shape[1] == first + CELLS * (3 if photos else 1)
        outside = [row for row in range(before.shape[1]) if row - first not in lit]
        assert torch.equal(after[:, outside], before[:, outside])
        inside = [first + cell for cell in lit]
        assert (after != before)[:, inside].any(-1).all()


def test_each_region_reads_its_own_person_alone(flux, adapter, calls):
    for other in (BOB, CY):
        sample(patched(flux, people(adapter, ADA, other)), steps=1)

    (_, _, before, one), (_, _, _, two) = calls[0], calls[4]
    left = [cell for cell in range(CELLS) if cell % 4 < 2]
    right = [cell for cell in range(12) if cell % 4 >= 2]
    assert torch.equal(one[:, left], two[:, left])
    assert (one != two)[:, right].any(-1).all()
    assert before.shape[1] == CELLS


def test_apart_nothing_of_anothers_face_reaches_a_person(flux, adapter):
    one, other = (
        sample(patched(flux, people(adapter, ADA, who), "apart", photos=True))[..., :6, :] for who in (BOB, CY)
    )

    assert torch.equal(one[..., :4], other[..., :4])
    assert not torch.equal(one[..., 4:], other[..., 4:])


def test_the_order_of_members_does_not_matter(flux, adapter):
    cast = people(adapter, ADA, BOB, CY)

    torch.testing.assert_close(sample(patched(flux, cast)), sample(patched(flux, cast[::-1])), atol=1e-4, rtol=1e-4)


def test_strength_nought_is_the_model_itself(flux, adapter):
    assert patched(flux, people(adapter, ADA, BOB, strength=0.0)) is flux
    ada, bob = people(adapter, ADA, BOB)

    alone, silent = (sample(patched(flux, cast)) for cast in ((ada,), (ada, replace(bob, strength=0.0))))

    assert torch.equal(alone, silent)
    assert not torch.equal(alone, sample(patched(flux, (ada, bob))))


def test_each_member_has_their_own_strength(flux, adapter, calls):
    ada, bob = people(adapter, ADA, BOB)
    for cast in ((ada, bob), (replace(ada, strength=0.25), replace(bob, strength=2.0))):
        sample(patched(flux, cast), steps=1)

    whole, scaled = (after - before for _, _, before, after in (calls[0], calls[4]))
    for column, strength in enumerate((0.25, 0.25, 2.0, 2.0)):
        cells = [cell for cell in range(12) if cell % 4 == column]
        torch.testing.assert_close(scaled[:, cells], strength * whole[:, cells], atol=1e-4, rtol=1e-3)


def test_members_act_in_their_part_of_the_schedule(flux, adapter, calls):
    early, late = people(adapter, ADA, BOB)
    cast = replace(early, end=0.4), replace(late, start=0.6)

    sample(patched(flux, cast), steps=4)

    changed = [
        tuple(bool((after != before)[:, [first + column]].any()) for column in (0, 3))
        for layer, first, before, after in calls
        if layer == 0
    ]
    assert changed[0] == (True, False)
    assert changed[-1] == (False, True)


def test_keys_and_values_are_made_once_and_kept_between_runs(flux, pulid, monkeypatch):
    adapter = pulid("pulid flux", recogniser="any")
    asked, original = [], type(adapter.module).keys_and_values
    monkeypatch.setattr(
        type(adapter.module), "keys_and_values", lambda *args: (asked.append(args[2]), original(*args))[1]
    )
    model = patched(flux, people(adapter, ADA, BOB))

    for _ in range(2):
        sample(model, steps=3)

    assert asked == [0, 1, 2, 3]


def test_weights_are_loaded_beside_the_model(flux, adapter):
    model = patched(flux, people(adapter, ADA, BOB))

    (beside,) = model.get_additional_models_with_key(MODELS)

    assert beside.model is adapter.module.crossings
    assert not flux.get_additional_models_with_key(MODELS)
    sample(model, steps=1)
    assert any(loaded.model is not None and loaded.model.model is beside.model
               for loaded in comfy.model_management.current_loaded_models)  # fmt: skip


def test_the_host_finds_no_leak_when_a_graph_is_changed_and_run_again(flux, adapter, caplog):
    """Of weights that outlive the last handle on them it says so, at the next load."""
    for person in (BOB, CY, BOB):
        sample(patched(flux, people(adapter, ADA, person)), steps=1)
        gc.collect()
        comfy.model_management.cleanup_models_gc()

    assert [text for text in caplog.messages if "ModuleList" in text] == []


def test_several_pictures_and_prompts_of_unlike_lengths(flux, adapter):
    model = patched(flux, people(adapter, ADA, BOB))

    one, two = sample(model, text(1, 6), text(2, 9), cfg=2.0), sample(model, text(1, 6), text(2, 9), cfg=2.0, batch=2)

    assert two.shape[0] == 2
    assert two.isfinite().all()
    assert not torch.equal(one, sample(flux, text(1, 6), text(2, 9), cfg=2.0))


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_what_another_pack_left_at_a_block_is_called_first(flux, adapter, calls, first):
    asked = []

    def doubled(args, extra):
        out = extra["original_block"](args)
        asked.append(2 * out["img"])
        return {**out, "img": asked[-1]}

    model = flux.clone() if first else patched(flux, people(adapter, ADA, BOB)).clone()
    model.set_model_patch_replace(doubled, "dit", "double_block", 2)
    model = patched(model, people(adapter, ADA, BOB)) if first else model

    sample(model, steps=1)

    assert torch.equal(calls[1][2], asked[0])
    assert model.model_options["transformer_options"]["patches_replace"]["dit"] == {("double_block", 2): doubled}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(adapter, dtype):
    model = tiny_flux("FLUX.1", dtype=dtype, depth=(3, 5))
    cast = people(adapter, ADA, BOB)

    out = sample(patched(model, cast))

    assert out.isfinite().all()
    assert not torch.equal(out, sample(model))


def test_a_compiled_graph_serves_any_cast(flux, adapter):
    compiled = TorchCompileModel.execute(flux, "eager").args[0]

    for cast in (people(adapter, ADA, BOB), people(adapter, CY)):
        expected = sample(patched(flux, cast), steps=1)
        torch.testing.assert_close(sample(patched(compiled, cast), steps=1), expected, atol=1e-4, rtol=1e-4)


def test_a_model_that_is_not_flux_1_is_named(model, adapter):
    with pytest.raises(ValueError, match=r"is PuLID for FLUX.1, and this model is FLUX.2. Load FLUX.1"):
        patched(tiny("FLUX.2"), people(adapter, ADA))
    with pytest.raises(ValueError, match=r"is PuLID for FLUX.1, and this model is Stable Diffusion.*pulid_v1.1"):
        apply_to_unet(model, people(adapter, ADA))


def test_a_flux_1_of_other_sizes_is_named(adapter):
    with pytest.raises(ValueError, match=r"behind 4 blocks of width 256, and the model has 2 such places of width 256"):
        patched(tiny("FLUX.1"), people(adapter, ADA))
