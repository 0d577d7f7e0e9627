"""What ComfyUI and other packs do to FLUX models keeps working beside a cast, and a cast beside it."""

from dataclasses import replace

import comfy.controlnet
import comfy.latent_formats
import comfy.ops
import comfy.samplers
import numpy as np
import pytest
import torch
from comfy.patcher_extension import WrappersMP
from comfy_extras.nodes_context_windows import ContextWindowsManualNode
from comfy_extras.nodes_custom_sampler import Guider_DualCFG
from comfy_extras.nodes_flux import FluxKVCache
from comfy_extras.nodes_torch_compile import TorchCompileModel
from pack.attention.recipes.recipe import Recipe, Routing
from pack.face.identity import subject_from_pictures
from pack.nodes.host.layers.joint_attention import PLACE
from pack.nodes.host.refine.redrawing import RefineSettings, redraw
from pack.scripts.benches.engine.joint_models import (
    FAMILIES,
    LAYERS,
    cast_of,
    routed,
    sample,
    text,
    tiny,
    tiny_flux,
    vae_of,
)

TWO = cast_of(2)
OTHER = cast_of(2, photos=(100, 151))


@pytest.fixture(scope="module")
def flux():
    return tiny("FLUX.1")


def first_part(latents):
    """The place of the first person."""
    return latents[..., : latents.shape[-2] * 3 // 4, : latents.shape[-1] // 2]


def assert_apart(model_with, **run):
    """Another photo of the second person leaves the first one's place alone, and not the second's."""
    one, other = (sample(model_with(cast), **run) for cast in (TWO, OTHER))
    assert one.isfinite().all()
    assert torch.equal(first_part(one), first_part(other))
    assert not torch.equal(one, other)
    return one


def apart(flux):
    return lambda cast: routed(flux, cast, "apart")


def with_lora(model):
    """The model with random changes to all weights of its blocks."""
    generator = torch.Generator().manual_seed(1)
    names = [name for name in model.model.state_dict() if "blocks" in name and name.endswith("proj.weight")]
    patched = model.clone()
    weights = {name: model.model.state_dict()[name] for name in names}
    patches = {name: (torch.randn(value.shape, generator=generator) * 0.05,) for name, value in weights.items()}
    assert patched.add_patches(patches, 1.0)
    return patched


def test_keeps_working_with_loras_on_either_side(flux):
    before = assert_apart(lambda cast: routed(with_lora(flux), cast, "apart"))
    after = assert_apart(lambda cast: with_lora(routed(flux, cast, "apart")))

    assert torch.equal(before, after)
    assert not torch.equal(before, sample(routed(flux, TWO, "apart")))


class Override:
    """Another pack's attention: twice what the kernel makes; counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, kernel, *args, **kwargs):
        self.calls += 1
        return 2 * kernel(*args, **kwargs)


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_keeps_working_with_anothers_override_on_either_side(flux, first):
    override = Override()

    def with_both(cast):
        model = flux.clone() if first else routed(flux, cast, "apart")
        model.model_options["transformer_options"][PLACE] = override
        return routed(model, cast, "apart") if first else model

    out = assert_apart(with_both)

    assert override.calls == 2 * 2 * LAYERS * 5  # casts, steps, layers, groups
    assert not torch.equal(out, sample(routed(flux, TWO, "apart")))


def test_keeps_working_with_a_users_own_references_which_are_everybodys_and_come_first(flux):
    own = torch.randn(1, 16, 4, 6, generator=torch.Generator().manual_seed(9))
    positive = text(1, reference_latents=[own])
    seen = []
    model = routed(flux, TWO, "apart").clone()
    model.add_wrapper_with_key(
        WrappersMP.DIFFUSION_MODEL,
        "seen",
        lambda executor, *args, **kwargs: (seen.append(args[5]), executor(*args, **kwargs))[1],
    )

    out = sample(model, positive)

    scaled = flux.model.process_latent_in(own)
    assert [tuple(latent.shape[-2:]) for latent in seen[0]] == [(4, 6), (8, 8), (8, 8)]
    assert torch.allclose(seen[0][0], scaled)
    assert_apart(apart(flux), positive=positive)
    assert not torch.equal(first_part(out), first_part(sample(routed(flux, TWO, "apart"))))


@pytest.mark.parametrize("policy", ["closed", "apart"])
def test_keeps_working_exactly_with_the_key_value_cache(policy):
    flux = tiny("FLUX.2")
    cached = FluxKVCache.execute(routed(flux, TWO, policy)).result[0]
    positive = text(1, reference_latents_method="index_timestep_zero")
    calls = []
    cached.add_wrapper_with_key(
        WrappersMP.DIFFUSION_MODEL,
        "seen",
        lambda executor, *args, **kwargs: (calls.append(1), executor(*args, **kwargs))[1],
    )

    with_cache, without = sample(cached, positive, steps=3), sample(routed(flux, TWO, policy), positive, steps=3)

    assert len(calls) == 3
    assert torch.equal(with_cache, without)


def test_keeps_working_with_areas_and_masks(flux):
    left, right = text(1, area=(8, 4, 0, 0)), text(3, area=(8, 4, 0, 4))
    mask = torch.zeros(1, 8, 8)
    mask[..., 4:] = 1

    assert_apart(apart(flux), positive=text(1) + left + right, cfg=3.0)
    assert_apart(apart(flux), positive=text(1) + text(3, mask=mask, mask_strength=1.0), cfg=3.0)


def test_keeps_working_with_a_crop_that_shows_one_person_alone(flux):
    """A conditioning of the left half has the first person in all of it."""
    out = sample(routed(flux, TWO, "apart"), text(1, area=(8, 4, 0, 0)))

    assert out.isfinite().all()


def test_keeps_working_with_prompts_of_unlike_lengths_in_calls_of_their_own(flux):
    rows = []
    model = routed(flux, TWO, "apart").clone()
    model.add_wrapper_with_key(
        WrappersMP.DIFFUSION_MODEL,
        "rows",
        lambda executor, *args, **kwargs: (rows.append(len(args[0])), executor(*args, **kwargs))[1],
    )
    short, equal = (sample(model, text(1, 6), text(2, tokens), cfg=3.0) for tokens in (6, 12))

    assert rows == [1, 1] * 2 + [2] * 2  # of 6 + 3 + 3 tokens and 6, then of 12 and 12
    assert short.isfinite().all()
    assert equal.isfinite().all()


def test_keeps_working_with_rows_of_different_layouts_in_one_call(flux):
    """Positive and negative in one call give what they give in calls of their own."""
    together = sample(routed(flux, TWO), text(1, 6), text(2, 12), cfg=3.0)
    model = routed(flux, TWO)
    model.model_options["sampler_calc_cond_batch_function"] = one_by_one
    torch.testing.assert_close(sample(model, text(1, 6), text(2, 12), cfg=3.0), together, rtol=1e-4, atol=1e-4)


def one_by_one(args):
    return [
        comfy.samplers.calc_cond_batch(args["model"], [cond], args["input"], args["sigma"], args["model_options"])[0]
        for cond in args["conds"]
    ]


def test_keeps_working_with_torch_compile_on_either_side(flux):
    plain = sample(routed(flux, TWO))
    compiled = TorchCompileModel.execute(flux, backend="eager").result[0]
    before = sample(routed(compiled, TWO))
    without = sample(compiled)
    after = sample(TorchCompileModel.execute(routed(flux, TWO), backend="eager").result[0])

    for out in (before, after):
        torch.testing.assert_close(out, plain, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(without, sample(flux), rtol=1e-4, atol=1e-4)


def test_keeps_working_on_two_branches_of_one_model(flux):
    one, other = routed(flux, TWO), routed(flux, OTHER)
    first = sample(one)
    second, plain = sample(other), sample(flux)

    assert torch.equal(sample(one), first)
    assert not torch.equal(first, second)
    assert torch.equal(sample(flux), plain)
    assert PLACE not in flux.model_options["transformer_options"]


def test_a_run_leaves_the_conditionings_of_the_graph_as_they_were(flux):
    prompts = [text(seed, reference_latents=[torch.zeros(1, 16, 4, 4)]) for seed in (1, 2)]
    before = [
        (id(values), sorted(values), tokens.shape, len(values["reference_latents"])) for ((tokens, values),) in prompts
    ]

    sample(routed(flux, TWO), *prompts, cfg=3.0)

    after = [
        (id(values), sorted(values), tokens.shape, len(values["reference_latents"])) for ((tokens, values),) in prompts
    ]
    assert after == before


def test_a_stopped_run_leaves_nothing_behind(flux):
    model = routed(flux, TWO).clone()
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(text(1), text(2))

    def stop(executor, *args, **kwargs):
        raise InterruptedError

    model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "stop", stop)
    with pytest.raises(InterruptedError):
        sample(model, guider=guider)
    model.remove_wrappers_with_key(WrappersMP.DIFFUSION_MODEL, "stop")

    assert torch.equal(sample(model), sample(routed(flux, TWO)))


def test_keeps_working_with_every_photos_place_moved_to_the_first(flux):
    """FLUX.1 by itself does so; told to keep the order, another picture comes, as exact."""
    in_order = assert_apart(lambda cast: routed(flux, cast, "apart", place="in order"))

    assert not torch.equal(in_order, sample(routed(flux, TWO, "apart", place="auto")))
    assert torch.equal(
        sample(routed(flux, TWO, "apart", place="auto")), sample(routed(flux, TWO, "apart", place="each first"))
    )


def test_where_everybodys_photo_lies_first_the_order_of_the_cast_does_not_matter(flux):
    """Two people in one order or the other: the same sequence but for the order of its tokens."""
    one, other = sample(routed(flux, TWO, "apart")), sample(routed(flux, TWO[::-1], "apart"))

    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_keeps_working_with_a_guider_of_three_prompts(flux):
    """The middle prompt gets the photos, so that it may share a call, and nobody's own prompt."""

    def run(cast):
        guider = Guider_DualCFG(routed(flux, cast, "apart"))
        guider.set_conds(text(1), text(3), text(2))
        guider.set_cfg(3.0, 2.0)
        return sample(None, guider=guider)

    one, other = run(TWO), run(OTHER)
    assert torch.equal(first_part(one), first_part(other))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("name", FAMILIES)
def test_keeps_working_in_close_ups_of_refine_cast(name):
    flux = tiny(name)
    settings = RefineSettings(
        text(1), text(2), Recipe("decoupled", routing=Routing(size=64)), steps=2, cfg=1.0, size=64
    )
    crop = np.full((64, 64, 3), 128, np.uint8)

    (one,), (other,) = (redraw([crop], member, flux, vae_of(flux), None, settings) for member in (TWO[1], OTHER[1]))
    assert one.shape == crop.shape
    assert (one != other).any()


def test_keeps_working_with_subjects_from_pictures_that_have_no_face(flux):
    """All of the picture is the reference, whichever crop or part of it is asked for."""

    def subject(seed):
        picture = np.random.default_rng(seed).integers(0, 255, (48, 40, 3), dtype=np.uint8)
        return (TWO[0], replace(TWO[1], identity=subject_from_pictures("mug", [picture])))

    one, other = (sample(routed(flux, subject(seed), "apart", tokens="face")) for seed in (1, 2))
    assert torch.equal(first_part(one), first_part(other))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", FAMILIES)
def test_keeps_working_in_half_precision(name, dtype):
    flux = tiny(name, dtype)
    assert flux.model.get_dtype() == dtype
    assert_apart(lambda cast: routed(flux, cast, "apart"))


def test_keeps_working_with_weights_of_eight_bits():
    flux = tiny_flux("FLUX.1", dtype=torch.float8_e4m3fn)
    assert next(flux.model.diffusion_model.double_blocks.parameters()).dtype == torch.float8_e4m3fn
    assert_apart(lambda cast: routed(flux, cast, "apart"))


def test_keeps_working_with_layers_of_a_loaders_own_as_for_quantised_files():
    class Operations(comfy.ops.manual_cast):
        calls = 0

        class Linear(comfy.ops.manual_cast.Linear):
            def forward(self, x):
                Operations.calls += 1
                return super().forward(x)

    flux = tiny_flux("FLUX.1", custom_operations=Operations)

    assert torch.equal(assert_apart(apart(flux)), sample(routed(tiny("FLUX.1"), TWO, "apart")))
    assert Operations.calls > 0


def test_keeps_working_in_context_windows_along_a_side(flux):
    """Each window of eight columns shows one person, whose region is all of it but the background."""

    def windowed(cast):
        model = routed(flux, cast, "apart")
        return ContextWindowsManualNode.execute(
            model, 8, 0, "standard_static", 1, False, "pyramid", 3, False, causal_window_fix=False
        ).args[0]

    sizes = []
    counted = windowed(TWO).clone()
    counted.add_wrapper_with_key(
        WrappersMP.DIFFUSION_MODEL,
        "sizes",
        lambda executor, x, *args, **kwargs: (sizes.append(tuple(x.shape[-2:])), executor(x, *args, **kwargs))[1],
    )
    assert torch.equal(assert_apart(windowed, size=(8, 16)), sample(counted, size=(8, 16)))
    assert set(sizes) == {(8, 8)}
