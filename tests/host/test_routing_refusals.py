"""What FLUX and like models cannot do with a cast is said before anything is drawn; what went wrong in a run, after."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from comfy.patcher_extension import WrappersMP
from pack.attention.recipes.recipe import Isolation, Routing
from pack.attention.recipes.recipe_book import RECIPE_BOOK
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.doctor.doctor import report
from pack.nodes.host.effects.attention_recorder import record_attention
from pack.nodes.host.layers.joint_attention import PLACE
from pack.nodes.host.model import joint_stream
from pack.nodes.host.model.families import family_lines, family_of
from pack.nodes.host.refine.redrawing import RefineSettings, check_redrawable
from pack.scripts.benches.engine.joint_models import LAYERS, cast_of, routed, sample, text, tiny, tiny_vae, tiny_zimage

TWO = cast_of(2)


@pytest.fixture(scope="module")
def flux():
    return tiny("FLUX.1")


def cast_with(**changes):
    return (TWO[0], replace(TWO[1], **changes))


@pytest.mark.parametrize("name", RECIPE_BOOK)
def test_recipes_that_are_about_cross_attention_say_so_and_the_others_draw(flux, name):
    recipe = RECIPE_BOOK[name]
    recipe = replace(recipe, routing=recipe.routing and Routing(size=64))

    def apply():
        return patch_cast(flux, TWO, None, recipe, 1.0, tiny_vae(16))

    if name in ("Troupe", "MultiID"):
        assert apply() is not flux
    else:
        with pytest.raises(ValueError, match=r"adds people to cross-attention, and FLUX.1 has none.*recipe Troupe"):
            apply()


def test_without_a_vae_or_with_another_models_it_says_so(flux):
    recipe = replace(RECIPE_BOOK["Troupe"], routing=Routing(size=64))
    with pytest.raises(ValueError, match=r"FLUX.1 takes people from their photos.*'vae' of Apply Cast"):
        patch_cast(flux, TWO, None, recipe, 1.0)
    with pytest.raises(ValueError, match=r"makes latents of 4 channels, and this FLUX.1 model reads 16"):
        patch_cast(flux, TWO, None, recipe, 1.0, tiny_vae(4))


def test_a_model_that_reads_no_photos_draws_prompts_in_their_regions_alone():
    plain = tiny_zimage(omni=False)
    with pytest.raises(ValueError, match=r"this Z-Image model reads no photos.*prompts still act"):
        routed(plain, TWO)
    silent = [replace(member, strength=0.0) for member in TWO]
    other = [silent[0], replace(silent[1], prompt=text(77, 3))]

    one, two = (sample(routed(plain, cast, "apart")) for cast in (silent, other))
    assert torch.equal(one[..., :6, :4], two[..., :6, :4])
    assert not torch.equal(one, two)


def test_a_member_without_a_photo_is_named(flux):
    with pytest.raises(ValueError, match=r"'Eve' has no photo .*FLUX.1 takes people from photos"):
        routed(flux, cast_with(identity=SimpleNamespace(name="Eve", photos=(), boxes=())))


def test_a_prompt_of_another_text_encoder_is_named(flux):
    with pytest.raises(ValueError, match=r"'P1' has text tokens of width 64, and the model reads width 128"):
        routed(flux, cast_with(prompt=[[torch.zeros(1, 3, 64), {}]]))


def test_everything_apart_and_a_second_cast_are_refused(flux):
    with pytest.raises(ValueError, match=r"'apart_in' is everything, and FLUX.1 has no convolutions"):
        routed(flux, TWO, isolation=Isolation(eta=0.0, apart_in="everything"))
    with pytest.raises(ValueError, match=r"draws a cast already.*one Apply Cast"):
        routed(routed(flux, TWO), TWO)


def test_nodes_about_cross_attention_say_so_and_close_ups_need_no_adapter(flux):
    with pytest.raises(ValueError, match=r"Record Attention: FLUX.1 has no cross-attention"):
        record_attention(flux)
    settings = RefineSettings(text(1), text(2), RECIPE_BOOK["Troupe"])
    assert check_redrawable(flux, TWO, None, settings, tiny_vae(16)) is None


def test_a_host_without_the_place_is_told_to_be_updated(flux, monkeypatch):
    monkeypatch.delattr(joint_stream.attention, "wrap_attn")
    assert sum(line.startswith("! ") for line in family_lines()) == 4
    with pytest.raises(ValueError, match=r"no place where the attention of FLUX.1 can be answered.*Update ComfyUI"):
        routed(flux, TWO)


def test_the_doctor_names_every_family_and_what_it_needs():
    assert [line.split(":")[0] for line in family_lines()] == [
        "Stable Diffusion 1.5 or SDXL", "FLUX.1", "FLUX.2", "Qwen-Image-Edit", "Z-Image",
    ]  # fmt: skip
    assert all(line in report() for line in family_lines())


def test_a_model_of_no_family_lists_those_that_work():
    with pytest.raises(
        ValueError, match=r"model is a Linear\..*1.5 or SDXL, FLUX.1, FLUX.2, Qwen-Image-Edit and Z-Image"
    ):
        family_of(SimpleNamespace(model=SimpleNamespace(diffusion_model=torch.nn.Linear(1, 1))))


def test_an_attention_mask_over_the_picture_is_refused_where_references_have_no_room(flux):
    prompt = text(1, attention_mask=torch.zeros(1, 22, 22), attention_mask_img_shape=(4, 4))
    with pytest.raises(RuntimeError, match="attention mask over text and picture"):
        sample(routed(flux, TWO), prompt)


def test_many_people_where_everybody_sees_all_are_warned_about(flux, caplog):
    routed(flux, cast_of(3), "bound")
    assert "3 reference photos, and FLUX.1 was made for 1" in caplog.text
    caplog.clear()
    routed(flux, cast_of(3))
    assert not caplog.text


def test_a_run_says_what_it_routed(flux, caplog):
    with caplog.at_level(logging.INFO):
        sample(routed(flux, TWO), text(1), text(1))

    # Of 60 x 60: 9 rows of each person see 41, 10 of nobody 22, 16 of each photo themselves.
    assert (
        "FLUX.1: 12 tokens of text, 16 of picture, 16 + 16 of references, 5 groups, 0.41 of the attention's work, "
        f"{2 * LAYERS} attention calls routed" in caplog.text
    )


def test_a_run_in_which_a_pack_replaces_the_forward_says_that_nobody_was_placed(flux, caplog):
    model = routed(flux, TWO).clone()

    def without_place(executor, *args, **kwargs):
        options = {key: value for key, value in args[7].items() if key != PLACE}
        return executor(*args[:7], options, *args[8:], **kwargs)

    model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "other", without_place)
    sample(model)

    assert "no attention of this FLUX.1 model reached Apply Cast" in caplog.text


def test_a_run_in_which_a_pack_changes_the_sequence_says_so(flux, caplog):
    model = routed(flux, TWO).clone()
    model.set_model_post_input_patch(
        lambda inputs: {**inputs, "img": inputs["img"][:, :-5], "img_ids": inputs["img_ids"][:, :-5]}
    )
    out = sample(model)

    assert out.isfinite().all()
    assert (
        f"had 55 tokens, 60 were expected, so people were not kept to their places in {2 * LAYERS} calls" in caplog.text
    )


def test_a_run_in_which_a_pack_takes_the_photos_away_says_so(flux, caplog):
    other = flux.clone()
    other.add_wrapper_with_key(
        WrappersMP.APPLY_MODEL, "other", lambda executor, *args, ref_latents=None, **kwargs: executor(*args, **kwargs)
    )
    out = sample(routed(other, TWO))

    assert out.isfinite().all()
    assert "photos did not reach this FLUX.1 model in 2 calls" in caplog.text
