"""Damaged and foreign files of every format: one sentence that says what is wrong, never another error."""

import random

import pytest
import torch
from pack.attention.adapters.parts import PARTS, AdapterFormatError
from pack.attention.adapters.weights import read_adapter
from pack.scripts.benches.engine.adapter_files import PUBLISHED, SD15_WIDTHS, layers, loras, on_meta

ROUNDS = 12
SAME = ("_light", "-face_sd15", "composition_sd15", "-face_sdxl_vit-h", "_flux_v0.9.0")  # keys and shapes as another's
FILES = [name for name in PUBLISHED if not name.endswith(SAME)]


def refused(state, expected=r".") -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(AdapterFormatError, match=expected) as caught:
        read_adapter(state)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert 40 < len(message) < 500
    return message


def rounds(name):
    """A fresh full file and a generator, several times."""
    shapes = PUBLISHED[name].shapes()
    for seed in range(ROUNDS):
        yield on_meta(shapes), random.Random(f"{name} {seed}")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_lacks_any_key_is_refused(name):
    for state, pick in rounds(name):
        key = pick.choice(list(state))
        del state[key]

        refused(state)


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_a_part_too_many_is_refused_and_the_key_is_named(name):
    for state, pick in rounds(name):
        own = sorted({key.partition(".")[0] for key in state} | {"image_proj", "ip_adapter"})
        keys = [f"{part}.1.gate" for part in own if PARTS[part] == "ip_adapter"]
        keys += [f"{part}.{key}" for key in ("layers.19.0.norm1.weight", "pos_emb") for part in own]
        key = pick.choice(keys)
        state[key] = torch.empty(pick.choice([(1,), (4, 4), (1, 16, 8)]), device="meta")

        assert key.split(".", 1)[1].rsplit(".", 1)[0] in refused(state) or "layers.19" in key


@pytest.mark.parametrize("name", FILES)
def test_a_transposed_matrix_is_refused(name):
    for state, pick in rounds(name):
        key = pick.choice([k for k, v in state.items() if v.ndim == 2 and v.shape[0] != v.shape[1]])
        state[key] = state[key].T

        refused(state)


@pytest.mark.parametrize("name", FILES)
def test_half_a_file_is_refused(name):
    for state, pick in rounds(name):
        refused({key: state[key] for key in pick.sample(list(state), len(state) // 2)})


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_off_is_refused_or_fits_no_model(name):
    for state, pick in rounds(name):
        keys = list(state)
        cut = {key: state[key] for key in keys[: pick.randrange(len(keys))]}
        try:
            left = read_adapter(cut).spec.layer_widths
        except AdapterFormatError:
            refused(cut)
        else:  # cut between two layers: what is left is whole, and fits another model alone
            assert len(left) < len(PUBLISHED[name].widths) or PUBLISHED[name].lora


@pytest.mark.parametrize("name", FILES)
def test_tensors_with_a_dimension_too_many_or_none_are_refused(name):
    for state, pick in rounds(name):
        key = pick.choice(list(state))
        state[key] = pick.choice([state[key][None], torch.empty((), device="meta"), state[key][:0]])

        refused(state)


@pytest.mark.parametrize("name", [name for name in FILES if "sd15" in name])
def test_a_file_with_the_layers_of_another_base_is_refused(name):
    state = on_meta(PUBLISHED[name].shapes())
    for key in [key for key in state if key.startswith("ip_adapter.")]:
        del state[key]
    state |= on_meta({f"ip_adapter.{key}": shape for key, shape in layers(2048, SD15_WIDTHS).items()})

    refused(state, "tokens of width 768, and the layers read width 2048")


def test_a_lora_is_no_adapter():
    separate = {f"unet.{key}": shape for key, shape in loras(768, SD15_WIDTHS).items()}

    refused(on_meta(separate), "it looks like a LoRA")


def test_the_lora_of_a_faceid_file_alone_is_no_adapter():
    inside = {f"ip_adapter.{key}": shape for key, shape in loras(768, SD15_WIDTHS).items()}

    refused(on_meta(inside), "incomplete IP-Adapter file")


@pytest.mark.parametrize("value", [3, "text", None, [torch.zeros(2)], {"weight": 1}])
def test_values_that_are_no_tensors_are_passed_over(value):
    state = on_meta(PUBLISHED["ip-adapter_sd15"].shapes())

    assert read_adapter({**state, "image_proj.note": value, "version": value}).spec.kind == "ip-adapter"
