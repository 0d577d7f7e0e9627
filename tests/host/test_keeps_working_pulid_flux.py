"""What ComfyUI and other packs do to a FLUX.1 model keeps working beside people of PuLID, and they beside it."""

from types import SimpleNamespace
from unittest.mock import patch

import comfy.ops
import comfy.sd
import pytest
import torch
from comfy.ldm.flux.layers import timestep_embedding
from comfy_extras.nodes_easycache import EasyCacheNode
from pack.nodes.host.effects.pulid_flux import PictureTerm
from pack.nodes.host.layers.picture_layer import UNTOLD
from pack.scripts.benches.engine.joint_models import sample, tiny_flux
from pack.tests.host.test_keeps_working_joint import with_lora
from pack.tests.host.test_keeps_working_joint_control import controlled, tiny_control
from pack.tests.host.test_pulid_flux import ADA, BOB, CELLS, calls, patched, people

__all__ = ["calls"]  # a fixture
DEPTH = (3, 5)
LIT = [cell for cell in range(CELLS) if cell < 12]  # cells of the two regions


@pytest.fixture(scope="module")
def flux():
    return tiny_flux("FLUX.1", depth=DEPTH)


@pytest.fixture(scope="module")
def adapter(pulid):
    return pulid("pulid flux")


@pytest.fixture
def two(adapter):
    return people(adapter, ADA, BOB)


def assert_only_regions_changed(calls):
    """Behind every block that was asked: rows of regions alone, and all of them."""
    assert calls
    for _, first, before, after in calls:
        start = first if first >= 0 else before.shape[1] - CELLS
        inside = [start + cell for cell in LIT]
        outside = [row for row in range(before.shape[1]) if row not in inside]
        assert torch.equal(after[:, outside], before[:, outside])
        assert (after != before)[:, inside].any(-1).all()


def test_keeps_working_with_loras_on_either_side(flux, two):
    before, after = sample(patched(with_lora(flux), two)), sample(with_lora(patched(flux, two)))

    assert torch.equal(before, after)
    assert not torch.equal(before, sample(patched(flux, two)))
    assert not torch.equal(before, sample(with_lora(flux)))


def test_keeps_working_with_a_controlnet(flux, two, calls):
    prompt = controlled(tiny_control())["positive"]

    steered = sample(patched(flux, two), prompt, steps=1)

    assert_only_regions_changed(calls)
    assert not torch.equal(steered, sample(patched(flux, two), steps=1))
    assert not torch.equal(steered, sample(flux, prompt, steps=1))


class EightBits(comfy.ops.manual_cast):
    """As ComfyUI-GGUF has it: linear layers keep whole numbers, and make floats of them in every call."""

    class Linear(comfy.ops.manual_cast.Linear):
        def __init__(self, inputs, outputs, bias=True, device=None, dtype=None):
            torch.nn.Module.__init__(self)
            self.in_features, self.out_features, self.weight, self.bias = inputs, outputs, None, None

        def _load_from_state_dict(self, state, prefix, *_):
            for name in ("weight", "bias"):
                value = state.get(prefix + name)
                setattr(self, name, None if value is None else torch.nn.Parameter(value, requires_grad=False))

        def forward_comfy_cast_weights(self, given):
            weight = self.weight if self.weight.is_floating_point() else self.weight.to(given) / 256
            return torch.nn.functional.linear(given, weight, self.bias)


def test_keeps_working_with_quantised_layers_of_another_pack(flux, two, calls):
    state = flux.model.diffusion_model.state_dict()
    whole = {key: (v * 256).round().clamp(-127, 127).to(torch.int8) for key, v in state.items()
             if "blocks" in key and v.ndim == 2}  # fmt: skip
    floats = {key: value.float() / 256 for key, value in whole.items()}
    options = {"dtype": torch.float32}
    plain = comfy.sd.load_diffusion_model_state_dict({**state, **floats}, model_options=options)
    quantised = comfy.sd.load_diffusion_model_state_dict(
        {**state, **whole}, model_options={**options, "custom_operations": EightBits}
    )
    assert quantised.model.diffusion_model.double_blocks[0].img_mlp[0].weight.dtype == torch.int8

    out = sample(patched(quantised, two))

    torch.testing.assert_close(out, sample(patched(plain, two)), atol=1e-4, rtol=1e-4)
    assert_only_regions_changed(calls)


def test_keeps_working_with_weights_of_eight_bits(two, calls):
    model = tiny_flux("FLUX.1", dtype=torch.float8_e4m3fn, depth=DEPTH)

    assert sample(patched(model, two)).isfinite().all()
    assert_only_regions_changed(calls)


def test_keeps_working_with_the_hosts_cache_of_steps(flux, two):
    def cached(model):
        return EasyCacheNode.execute(model, 0.5, 0.15, 0.95, False).result[0]

    out = sample(cached(patched(flux, two)), steps=6)

    assert out.isfinite().all()
    assert not torch.equal(out, sample(cached(flux), steps=6))


class OwnForward:
    """As TeaCache has it: blocks run without options, and in every second call their sum is that of the call before."""

    def __init__(self, network, skips):
        self.network, self.skips, self.kept, self.number = network, skips, None, 0

    def __call__(self, apply_model, given):
        with patch.object(self.network, "forward_orig", self.forward):
            return apply_model(given["input"], given["timestep"], **given["c"])

    def forward(self, img, img_ids, txt, txt_ids, timesteps, *_, transformer_options, **__):
        net, replaced = self.network, transformer_options.get("patches_replace", {}).get("dit", {})
        img, txt = net.img_in(img), net.txt_in(txt)
        vec = net.time_in(timestep_embedding(timesteps, 256).to(img.dtype))
        self.number += 1
        if self.skips and self.number % 2 == 0:
            return net.final_layer(img + self.kept, vec)
        given = {"vec": vec, "pe": net.pe_embedder(torch.cat((txt_ids, img_ids), 1)), "attn_mask": None}
        begun = img
        for place, block in enumerate(net.double_blocks):

            def double(args, block=block):
                return dict(zip(("img", "txt"), block(**args), strict=True))

            out = run(replaced.get(("double_block", place)), double, {"img": img, "txt": txt, **given})
            img, txt = out["img"], out["txt"]
        joint = torch.cat((txt, img), 1)
        for place, block in enumerate(net.single_blocks):

            def single(args, block=block):
                return {"img": block(args["img"], args["vec"], args["pe"], args["attn_mask"])}

            joint = run(replaced.get(("single_block", place)), single, {"img": joint, **given})["img"]
        self.kept = joint[:, txt.shape[1] :] - begun
        return net.final_layer(joint[:, txt.shape[1] :], vec)


def run(replacement, block, args):
    return replacement(args, {"original_block": block}) if replacement else block(args)


@pytest.mark.parametrize("skips", [False, True], ids=["each step", "every second step"])
def test_keeps_working_with_packs_that_run_the_blocks_on_their_own(flux, two, calls, skips):
    model = patched(flux, two)
    model.set_model_unet_function_wrapper(OwnForward(flux.model.diffusion_model, skips))

    out = sample(model, cfg=3.0, steps=4)

    assert len(calls) == 4 * (2 if skips else 4)
    assert_only_regions_changed(calls)
    plain = sample(patched(flux, two), cfg=3.0, steps=4)
    assert torch.allclose(out, plain, atol=1e-4, rtol=1e-4) is not skips


def test_a_pack_that_leaves_out_the_first_blocks_is_named(flux):
    term = untold_term(flux)

    with pytest.raises(RuntimeError, match="another pack runs the blocks of FLUX.1 on its own and left out the first"):
        term(torch.zeros(1, 22, 256), 2, UNTOLD)


def untold_term(flux):
    """What adds people in a call, as no block has asked it."""
    return PictureTerm(SimpleNamespace(effect=SimpleNamespace(groups=())), SimpleNamespace(base=flux.model), (1.0, 1.0))
