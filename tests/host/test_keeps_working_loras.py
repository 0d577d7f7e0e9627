"""Apply Cast and LoRAs, in every mode: before it or after it, they are what they are in the model's weights."""

import comfy.sd
import pytest
import torch
from pack.tests.host.tiny_models import TWO, apply, assert_different, assert_same, sample, tiny_model

LAYERS = ["input_blocks_4_1_transformer_blocks_0_attn2_to_q", "middle_block_1_transformer_blocks_0_attn2_to_out_0"]
LAYERS += ["output_blocks_9_1_transformer_blocks_0_attn1_to_v", "input_blocks_1_1_proj_in"]
STRENGTH = 0.8


def weights_of(model) -> dict[str, torch.Tensor]:
    """The weights of LAYERS in a model's UNet."""
    named = {key.replace(".", "_"): value for key, value in model.model.diffusion_model.named_parameters()}
    return {name: named[f"{name}_weight"] for name in LAYERS}


@pytest.fixture(scope="module")
def lora(model) -> dict[str, torch.Tensor]:
    """A LoRA of rank 2 with alpha 1 in the format in which they are published."""
    generator, state = torch.Generator().manual_seed(41), {}
    for name, weight in weights_of(model).items():
        rows, columns, *rest = weight.shape
        for part, shape in {"up": (rows, 2), "down": (2, columns)}.items():
            values = 0.3 * torch.randn(shape, generator=generator)
            state[f"lora_unet_{name}.lora_{part}.weight"] = values.view(*shape, *rest)
        state[f"lora_unet_{name}.alpha"] = torch.tensor(1.0)
    return state


@pytest.fixture(scope="module")
def merged(lora):
    """A fresh model with the weights W + strength * alpha / rank * up @ down."""
    model = tiny_model()
    with torch.no_grad():
        for name, weight in weights_of(model).items():
            up, down = (lora[f"lora_unet_{name}.lora_{part}.weight"].flatten(1) for part in ("up", "down"))
            weight += (STRENGTH / 2 * up @ down).view_as(weight)
    return model


@pytest.mark.parametrize("load", [comfy.sd.load_lora_for_models, comfy.sd.load_bypass_lora_for_models])
def test_a_lora_before_or_after_apply_cast_is_the_lora_in_the_weights(model, adapter, mode, lora, merged, load):
    patched = apply(model, TWO, adapter, mode=mode)
    before = sample(apply(load(model, None, lora, STRENGTH, 0)[0], TWO, adapter, mode=mode), steps=1)
    after = sample(load(patched, None, lora, STRENGTH, 0)[0], steps=1)

    assert torch.equal(after, before)
    assert_same(before, sample(apply(merged, TWO, adapter, mode=mode), steps=1))
    assert_different(before, sample(patched, steps=1))


def test_a_lora_leaves_when_it_is_no_longer_wired(model, adapter, mode, lora):
    patched = apply(model, TWO, adapter, mode=mode)
    expected = sample(patched, steps=1)

    sample(comfy.sd.load_lora_for_models(patched, None, lora, STRENGTH, 0)[0], steps=1)

    assert torch.equal(sample(patched, steps=1), expected)
