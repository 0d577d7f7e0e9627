"""What an adapter file is, told from its keys and shapes."""

import pytest
import torch
from pack.attention.adapter_weights import AdapterFormatError, describe, read_adapter


def faceid(tokens=4, cross=24, widths=(32, 64), hidden=16, embedding=512):
    state = {
        "image_proj.proj.0.weight": torch.zeros(hidden, embedding),
        "image_proj.proj.0.bias": torch.zeros(hidden),
        "image_proj.proj.2.weight": torch.zeros(tokens * cross, hidden),
        "image_proj.proj.2.bias": torch.zeros(tokens * cross),
        "image_proj.norm.weight": torch.ones(cross),
        "image_proj.norm.bias": torch.zeros(cross),
    }
    for layer, width in enumerate(widths):
        state[f"ip_adapter.{2 * layer + 1}.to_k_ip.weight"] = torch.full((width, cross), float(layer))
        state[f"ip_adapter.{2 * layer + 1}.to_v_ip.weight"] = torch.full((width, cross), -float(layer))
    return state


def nested(state):
    out = {}
    for key, value in state.items():
        part, _, rest = key.partition(".")
        out.setdefault(part, {})[rest] = value
    return out


@pytest.mark.parametrize("layout", [dict, nested])
def test_both_layouts_of_a_faceid_file_are_read(layout):
    weights = read_adapter(layout(faceid(tokens=16, widths=(32, 64, 64))))

    spec = weights.spec
    assert (spec.kind, spec.tokens, spec.cross_width, spec.hidden, spec.embedding_width) == ("faceid", 16, 24, 16, 512)
    assert spec.layer_widths == (32, 64, 64)
    assert not spec.lora
    assert [key[0, 0].item() for key in weights.keys] == [0, 1, 2]


def test_layers_come_in_the_order_of_their_numbers_not_of_the_file():
    state = faceid(widths=tuple(range(1, 13)))

    assert read_adapter(dict(sorted(state.items()))).spec.layer_widths == tuple(range(1, 13))  # "11." sorts before "3."


def test_the_layers_may_be_called_adapter_modules():
    state = {key.replace("ip_adapter.", "adapter_modules."): value for key, value in faceid().items()}

    assert read_adapter(state).spec.layer_widths == (32, 64)


def test_a_lora_inside_the_file_is_noticed_and_left_out():
    state = faceid() | {"ip_adapter.0.to_q_lora.down.weight": torch.zeros(2, 2)}

    assert read_adapter(state).spec.lora


LOOKS = {
    "an IP-Adapter FaceID Plus file": {"image_proj.perceiver_resampler.proj_in.weight": (768, 1280)},
    "an IP-Adapter full-face file": {"image_proj.proj.0.weight": (1280, 1280), "image_proj.proj.3.weight": (768,)},
    "an InstantID or FaceID portrait-unnorm file": {
        "image_proj.latents": (1, 16, 1280),
        "image_proj.proj_in.weight": (1280, 512),
    },
    "an IP-Adapter Plus file": {"image_proj.latents": (1, 16, 768), "image_proj.proj_in.weight": (768, 1280)},
    "a plain IP-Adapter that reads CLIP Vision instead of a face": {"image_proj.proj.weight": (3072, 1024)},
    "an unknown kind of IP-Adapter (its image_proj holds strange)": {"image_proj.strange": (1,)},
}
LAYERS = {"ip_adapter.1.to_k_ip.weight": (4, 4), "ip_adapter.1.to_v_ip.weight": (4, 4)}


@pytest.mark.parametrize("look", LOOKS)
def test_other_ip_adapters_are_named(look):
    state = {key: torch.zeros(shape) for key, shape in (LOOKS[look] | LAYERS).items()}

    assert describe(state) == look
    with pytest.raises(AdapterFormatError, match="which this version does not read"):
        read_adapter(state)


@pytest.mark.parametrize(
    ("key", "look"),
    [
        ("id_adapter.mapping_0.weight", "a PuLID file"),
        ("double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight", "a FLUX IP-Adapter"),
        ("lora_unet_down_blocks_0.lora_down.weight", "a LoRA"),
        ("control_model.input_blocks.0.0.weight", "a ControlNet"),
        ("model.diffusion_model.input_blocks.0.0.weight", "a whole checkpoint"),
        ("down_blocks.0.resnets.0.conv1.weight", "a diffusion model or ControlNet in the diffusers layout"),
        ("image_proj.proj.0.weight", "an incomplete IP-Adapter file (it has no 'ip_adapter' part)"),
        ("ip_adapter.1.to_k_ip.weight", "an incomplete IP-Adapter file (it has no 'image_proj' part)"),
        ("encoder.layer.0", "no adapter at all (its first keys are encoder.layer.0)"),
    ],
)
def test_files_that_are_no_ip_adapter_are_named(key, look):
    assert describe({key: torch.zeros(2, 2)}) == look


def test_an_empty_file_is_no_adapter():
    with pytest.raises(AdapterFormatError, match="no adapter at all"):
        read_adapter({})


def broken(change):
    state = faceid()
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("ip_adapter.1.to_k_ip.weight"), "layer 1 does not have key and value"),
        (
            lambda s: s.update({"ip_adapter.1.to_v_ip.weight": torch.zeros(3, 24)}),
            "layer 1 does not have key and value",
        ),
        (lambda s: s.update({"ip_adapter.7.to_k_ip.weight": torch.zeros(3, 24)}), r"numbered \[1, 3, 7\]"),
        (lambda s: [s.pop(k) for k in list(s) if k.startswith("ip_adapter.1.")], r"numbered \[3\]"),
        (lambda s: s.update({"image_proj.norm.bias": torch.zeros(24, dtype=torch.int8)}), "quantised"),
        (lambda s: s.update({"image_proj.norm.weight": torch.zeros(0)}), "contradict each other"),
        (lambda s: s.pop("image_proj.norm.bias"), "lacks norm.bias"),
        (lambda s: s.update({"image_proj.norm.weight": torch.zeros(7)}), "contradict each other"),
        (lambda s: s.update({"image_proj.proj.0.bias": torch.zeros(2, 2)}), "wrong number of dimensions"),
        (lambda s: s.update({"image_proj.proj.2.bias": torch.zeros(5)}), "contradict each other"),
    ],
)
def test_a_damaged_file_says_what_is_damaged(change, message):
    with pytest.raises(AdapterFormatError, match=message):
        read_adapter(broken(change))
