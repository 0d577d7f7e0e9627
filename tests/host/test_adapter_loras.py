"""The LoRA inside FaceID files: on the model once, like the separate file, and only as strongly as asked."""

import logging
from dataclasses import replace

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.nodes.host.adapters.apply_lora import apply_loras, transformer_names
from pack.nodes.host.model.blocks import cross_attention_blocks
from pack.tests.host.tiny_adapters import photographed, tiny_of, tiny_state
from pack.tests.host.tiny_models import (
    ADAPTER_LAYERS,
    EVERYWHERE,
    LEFT,
    RIGHT,
    apply,
    assert_different,
    assert_same,
    sample,
)
from safetensors.torch import save_file

ADA, BOB = photographed("Ada", 1), photographed("Bob", 2)
ALONE = [Member(ADA, EVERYWHERE)]
# Where the library that adapters are trained with has the transformers of an SD1.5 UNet, in the order of adapter files.
DIFFUSERS = [f"down_blocks.{block}.attentions.{i}" for block in range(3) for i in range(2)]
DIFFUSERS += [f"up_blocks.{block}.attentions.{i}" for block in range(1, 4) for i in range(3)]
DIFFUSERS += ["mid_block.attentions.0"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("loras")


@pytest.fixture(scope="module")
def faceid(folder):
    return tiny_of("faceid", folder, lora=True)


@pytest.fixture(scope="module")
def without(folder):
    return tiny_of("faceid", folder, lora=True, lora_strength=0.0)


def separate(model, folder, core_nodes, monkeypatch, strength=1.0):
    """The model with the same LoRA from a file of its own, under the names it is published with, by Load LoRA."""
    lora = {}
    for key, value in tiny_state("faceid", lora=True).items():
        if "_lora." in key:
            number, rest = key.removeprefix("ip_adapter.").split(".", 1)
            block = f"{DIFFUSERS[int(number) // 2]}.transformer_blocks.0.attn{1 + int(number) % 2}"
            lora[f"unet.{block}.processor.{rest}"] = value
    save_file(lora, folder / "separate_lora.safetensors")
    monkeypatch.setattr("folder_paths.get_full_path_or_raise", lambda *_: str(folder / "separate_lora.safetensors"))
    return core_nodes["LoraLoaderModelOnly"]().load_lora_model_only(model, "separate_lora.safetensors", strength)[0]


def test_the_lora_inside_acts_like_the_separate_file(model, faceid, without, folder, core_nodes, monkeypatch):
    inside = sample(apply(model, ALONE, faceid))

    assert_same(inside, sample(apply(separate(model, folder, core_nodes, monkeypatch), ALONE, without)))
    assert_different(inside, sample(apply(model, ALONE, without)))


def test_every_matrix_of_the_lora_reaches_a_weight_of_the_model(model, faceid):
    patched = apply(model, ALONE, faceid)

    assert len(patched.patches) == 8 * len(ADAPTER_LAYERS)
    assert not model.patches
    assert set(transformer_names(model)) == {block.key for block in cross_attention_blocks(model)}


def test_what_is_on_the_model_already_is_not_added_again(model, faceid, folder, core_nodes, monkeypatch, caplog):
    loaded = separate(model, folder, core_nodes, monkeypatch)

    with caplog.at_level(logging.INFO):
        both = sample(apply(loaded, ALONE, faceid))

    assert_same(both, sample(apply(model, ALONE, faceid)))
    assert "is on the model already" in caplog.text


def test_one_lora_for_all_members_and_all_casts(model, faceid):
    series = apply(apply(model, [Member(ADA, LEFT)], faceid), [Member(BOB, RIGHT)], faceid)

    assert {len(patches) for patches in series.patches.values()} == {1}
    together = apply(model, [Member(ADA, LEFT), Member(BOB, RIGHT)], faceid)
    assert_same(sample(series, size=(16, 16)), sample(together, size=(16, 16)))


def test_the_same_file_loaded_twice_is_one_lora(model, faceid, folder):
    again = tiny_of("faceid", folder, lora=True)

    series = apply(apply(model, [Member(ADA, LEFT)], faceid), [Member(BOB, RIGHT)], again)

    assert {len(patches) for patches in series.patches.values()} == {1}


def test_the_strength_scales_the_lora_alone(model, faceid, folder, core_nodes, monkeypatch, without):
    half = replace(faceid, settings=replace(faceid.settings, lora_strength=0.5))

    expected = apply(separate(model, folder, core_nodes, monkeypatch, 0.5), ALONE, without)

    assert_same(sample(apply(model, ALONE, half)), sample(expected))


def test_a_lora_that_does_not_fit_the_model_is_named(model, faceid):
    pair = replace(faceid.lora[0], up=torch.zeros(48, 4))
    odd = replace(faceid, lora=(pair, *faceid.lora[1:]))

    with pytest.raises(ValueError, match=r"LoRA inside 'faceid-0.safetensors' does not fit this model.*\[48, 32\]"):
        apply_loras(model.clone(), [odd])


def test_other_packs_patches_on_the_same_weight_are_no_lora_of_ours(model, faceid):
    other = model.clone()
    name = f"{transformer_names(model)[ADAPTER_LAYERS[0]]}.attn1.to_q.weight"
    other.add_patches({name: ("diff", (torch.zeros(32, 32),))}, 1.0)

    assert len(apply(other, ALONE, faceid).patches[name]) == 2
