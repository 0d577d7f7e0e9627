"""What an adapter file holds, and what a file says that is none or is damaged."""

import pytest
import torch
from pack.attention.adapters.parts import AdapterFormatError, first_of, not_an_adapter, split_parts
from pack.attention.adapters.weights import check_numbers, describe, read_adapter


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


def looks_like(state):
    return not_an_adapter(state, split_parts(state))


def test_a_lora_inside_the_file_is_read_in_the_order_of_the_blocks():
    state = faceid(widths=(32, 64))
    for number, part, inputs, outputs in ((2, "q", 64, 64), (1, "k", 24, 32), (0, "out", 32, 32)):
        state[f"ip_adapter.{number}.to_{part}_lora.down.weight"] = torch.zeros(8, inputs)
        state[f"ip_adapter.{number}.to_{part}_lora.up.weight"] = torch.zeros(outputs, 8)

    weights = read_adapter(state)

    assert weights.spec.lora
    assert [(pair.layer, pair.cross, pair.part) for pair in weights.lora] == [
        (0, False, "out"),
        (0, True, "k"),
        (1, False, "q"),
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {"0.to_q_lora.down.weight": (8, 32)},
        {"0.to_q_lora.down.weight": (8, 32), "0.to_q_lora.up.weight": (32, 4)},
        {"4.to_q_lora.down.weight": (8, 32), "4.to_q_lora.up.weight": (32, 8)},
    ],
    ids=["half", "ranks", "beyond"],
)
def test_a_broken_lora_inside_the_file_is_named(keys):
    state = faceid() | {f"ip_adapter.{key}": torch.zeros(shape) for key, shape in keys.items()}

    with pytest.raises(AdapterFormatError, match=r"LoRA inside it is broken at \d.to_q_lora"):
        read_adapter(state)


@pytest.mark.parametrize(
    ("key", "look"),
    [
        ("pulid_ca.0.norm1.weight", "an incomplete PuLID file for FLUX.1 (it has no 'pulid_encoder' part)"),
        ("pulid_encoder.latents", "an incomplete PuLID file for FLUX.1 (it has no 'pulid_ca' part)"),
        ("id_encoder.visual_projection.weight", "a PhotoMaker file"),
        ("double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight", "a FLUX IP-Adapter"),
        ("lora_unet_down_blocks_0.lora_down.weight", "a LoRA"),
        ("down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight", "a LoRA"),
        ("visual.conv1.weight", "a CLIP vision encoder, which belongs into models/clip_vision"),
        ("control_model.input_blocks.0.0.weight", "a ControlNet"),
        ("model.diffusion_model.input_blocks.0.0.weight", "a whole checkpoint"),
        ("down_blocks.0.resnets.0.conv1.weight", "a diffusion model or ControlNet in the diffusers layout"),
        ("image_proj.proj.0.weight", "an incomplete IP-Adapter file (it has no 'ip_adapter' part)"),
        ("ip_adapter.1.to_k_ip.weight", "an incomplete IP-Adapter file (it has no 'image_proj' part)"),
        ("encoder.layer.0", "no adapter at all (its first keys are encoder.layer.0)"),
    ],
)
def test_files_that_are_no_ip_adapter_are_named(key, look):
    assert looks_like({key: torch.zeros(2, 2)}) == look


def test_infinite_you_is_named_and_left_unread():
    state = {"latents": (1, 8, 1280), "proj_in.weight": (1280, 512), "proj_out.weight": (4096, 1280)}

    found = looks_like({f"image_proj.{key}": torch.zeros(shape) for key, shape in state.items()})

    assert found.startswith("InfiniteYou's image projection")
    assert "recogniser" in found


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
        (lambda s: s.update({"image_proj.norm.weight": torch.zeros(0)}), "cannot have"),
        (lambda s: s.pop("image_proj.norm.bias"), "lacks norm.bias"),
        (lambda s: s.update({"image_proj.norm.weight": torch.zeros(7)}), "no multiple of the token width 7"),
        (lambda s: s.update({"image_proj.proj.0.bias": torch.zeros(2, 2)}), "contradict each other"),
        (lambda s: s.update({"image_proj.proj.2.bias": torch.zeros(5)}), "contradict each other"),
    ],
)
def test_a_damaged_file_says_what_is_damaged(change, message):
    with pytest.raises(AdapterFormatError, match=message):
        read_adapter(broken(change))


LORA_SIZES = {"down": (8, 32), "up": (32, 8)}
UNSOUND = {
    "a NaN": (lambda t: t.index_fill_(0, torch.tensor([0]), float("nan")), "not finite"),
    "an infinity": (lambda t: t.fill_(float("-inf")), "not finite"),
    "no numbers": (lambda t: t.to("meta"), "without numbers"),
    "sparse": (lambda t: t.to_sparse(), "sparse"),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("fault", UNSOUND)
@pytest.mark.parametrize(
    "name",
    [
        "image_proj.proj.0.weight",
        "image_proj.norm.bias",
        "ip_adapter.1.to_k_ip.weight",
        "ip_adapter.3.to_v_ip.weight",
        "ip_adapter.0.to_q_lora.up.weight",
    ],
)
def test_a_tensor_that_cannot_be_used_is_named(name, fault, dtype):
    lora = {f"ip_adapter.0.to_q_lora.{half}.weight": torch.ones(size) for half, size in LORA_SIZES.items()}
    state = {key: value.to(dtype) for key, value in (faceid() | lora).items()}
    check_numbers(read_adapter(state))
    change, said = UNSOUND[fault]
    state[name] = change(state[name])

    with pytest.raises(AdapterFormatError, match=f"its {name} .*{said}"):
        check_numbers(read_adapter(state))


def test_what_nothing_is_made_from_may_hold_anything():
    check_numbers(read_adapter(faceid() | {"optimizer.step": torch.tensor(float("nan"))}))


def test_weights_in_eight_bits_are_looked_at_too():
    state = {key: value.to(torch.float8_e4m3fn) for key, value in faceid().items()}
    check_numbers(read_adapter(state))
    state["image_proj.norm.bias"] = torch.full((24,), float("nan")).to(torch.float8_e4m3fn)

    with pytest.raises(AdapterFormatError, match="its image_proj.norm.bias .*not finite"):
        check_numbers(read_adapter(state))


FORGED = "x\n[ERROR] of somebody else's\x1b[2K" + "y" * 300


def messages_with(name):
    """What is said of a tensor's name: of a strange file, of an adapter with more in it, of one that lacks a part."""
    yield first_of([name] * 9)
    for state in ({name: torch.zeros(2)}, {**faceid(), f"image_proj.{name}": torch.zeros(2)}):
        try:
            weights = read_adapter(state)
        except AdapterFormatError as error:
            yield str(error)
        else:
            yield describe(weights.spec, weights.reason, weights.extras)
    layers = {**faceid(), f"ip_adapter.1.{name}": torch.zeros(2)}
    with pytest.raises(AdapterFormatError) as caught:
        read_adapter(layers)
    yield str(caught.value)


def test_no_name_of_a_tensor_forges_a_line_or_fills_a_log():
    for text in messages_with(FORGED):
        assert text.isprintable()
        assert "x\\n[ERROR]" in text
        assert "y" * 101 not in text
