"""ComfyUI's own ControlNets of FLUX.1 and Qwen-Image keep working beside a cast: people are routed in them too."""

import comfy.controlnet
import comfy.latent_formats
import comfy.ops
import pytest
import torch
from comfy.ldm.flux.controlnet import ControlNetFlux
from comfy.ldm.qwen_image.controlnet import QwenImageControlNetModel
from pack.nodes.host.control.regional_control import apply_in_regions
from pack.nodes.host.effects.routing import RouteRun
from pack.nodes.host.model.flux import FluxFamily
from pack.scripts.benches.engine.joint_models import FLUX, QWEN, SHAPES, randomised, routed, sample, text, tiny, vae_of
from pack.tests.host.test_keeps_working_joint import TWO, apart, assert_apart


@pytest.fixture(scope="module")
def flux():
    return tiny("FLUX.1")


def tiny_control(kind="FLUX.1", modes=0):
    """ComfyUI's own ControlNet of a family, with random weights and a hint, as conditionings hold it."""
    common = {"dtype": torch.float32, "device": "cpu", "operations": comfy.ops.disable_weight_init}
    if kind == "Qwen":
        shape = {name: value for name, value in QWEN.items() if name != "image_model"}
        network = QwenImageControlNetModel(**{**shape, "num_layers": 1}, **common)
    else:
        shape = {**FLUX, **SHAPES["FLUX.1"], "vec_in_dim": 128, "hidden_size": 256, "num_heads": 2}
        network = ControlNetFlux(
            latent_input=True, num_union_modes=modes, depth=1, depth_single_blocks=1, **shape, **common
        )
    latents = comfy.latent_formats.Wan21 if kind == "Qwen" else comfy.latent_formats.Flux
    control = comfy.controlnet.ControlNet(
        randomised(network), compression_ratio=1, latent_format=latents(), load_device=torch.device("cpu"),
        manual_cast_dtype=None, extra_conds=["y", "guidance"],
    )  # fmt: skip
    if modes:
        control.set_extra_arg("control_type", [1])
    hint = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    return control.set_cond_hint(hint, 1.0, (0.0, 1.0), vae=vae_of(tiny(kind)))


def controlled(control):
    """Prompts with a ControlNet."""
    values = {"control": control, "control_apply_to_uncond": True, "pooled_output": torch.zeros(1, 128)}
    return {"positive": text(1, **values), "negative": text(2, pooled_output=torch.zeros(1, 128))}


@pytest.mark.parametrize(("kind", "modes"), [("FLUX.1", 0), ("FLUX.1", 2), ("Qwen", 0)])
def test_keeps_working_with_a_controlnet_in_whose_attention_people_are_routed_too(kind, modes):
    model, control = tiny(kind), tiny_control(kind, modes)
    weights = {name: value.clone() for name, value in control.control_model.state_dict().items()}

    out = assert_apart(apart(model), **controlled(control), cfg=3.0, steps=3)

    assert not torch.equal(out, sample(routed(model, TWO, "apart"), cfg=3.0, steps=3))
    assert torch.equal(sample(routed(model, TWO, "free"), **controlled(control)), beside_free(model, control))
    assert all(torch.equal(value, weights[name]) for name, value in control.control_model.state_dict().items())


def beside_free(model, control):
    """The same where nobody stands in for the ControlNet."""
    patched = routed(model, TWO, "free")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RouteRun, "conds", lambda self, conds: conds)
        return sample(patched, **controlled(control))


def test_keeps_working_with_a_controlnet_in_regions(flux):
    """What it says in the first person's region alone reaches nobody else."""
    (positive,), (negative,) = apply_in_regions(
        text(1, pooled_output=torch.zeros(1, 128)), text(2, pooled_output=torch.zeros(1, 128)),
        tiny_control(), [TWO[0].region], 0.0,
    )  # fmt: skip
    beside = sample(routed(flux, TWO, "apart"), [positive], [negative])
    without = sample(routed(flux, TWO, "apart"), *(text(seed, pooled_output=torch.zeros(1, 128)) for seed in (1, 2)))

    changed = (beside != without).any(1)[0]
    assert changed[:6, :4].any()
    assert not changed[:, 4:].any()
    assert not changed[6:].any()


def test_a_controlnet_of_unknown_layout_is_named(flux, caplog, monkeypatch):
    monkeypatch.setattr(FluxFamily, "control_blocks", lambda *_: ())
    sample(routed(flux, TWO), **controlled(tiny_control()))

    assert caplog.text.count("the ControlNet ControlNetFlux attends to the whole picture by itself") == 1
