"""Apply Cast under every guider, in every mode: each mixes what its prompts say alone, and only one has people."""

import pytest
import torch
from comfy_extras.nodes_custom_sampler import Guider_Basic, Guider_DualCFG, Guider_DualModel
from comfy_extras.nodes_pag import PerturbedAttentionGuidance
from comfy_extras.nodes_perpneg import Guider_PerpNeg, perp_neg
from comfy_extras.nodes_sag import SelfAttentionGuidance
from pack.attention.recipes.cast import Member
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    LEFT,
    NEGATIVE,
    POSITIVE,
    RIGHT,
    apply,
    assert_different,
    assert_same,
    conditioning,
    sample,
)

MIDDLE = conditioning(13)


def guided(kind, model, *prompts, cfg=(), options=None):
    guider = kind(model)
    guider.set_conds(*prompts)
    guider.set_cfg(*cfg, **(options or {}))
    return guider


def prediction(model, prompt, role):
    """What a model makes of one prompt alone in one step: guidance of 1 leaves the positive, of 0 the negative."""
    given = {"positive": prompt, "cfg": 1.0} if role == "positive" else {"negative": prompt, "cfg": 0.0}
    return sample(model, steps=1, **given)


def test_guidance_of_one_asks_the_negative_prompt_nothing(patched):
    alone = sample(patched, cfg=1.0)
    basic = Guider_Basic(patched)
    basic.set_conds(POSITIVE)

    assert torch.equal(sample(patched, negative=MIDDLE, cfg=1.0), alone)
    assert torch.equal(sample(patched, guider=basic), alone)


def test_guidance_mixes_what_the_prompts_say_alone(model, adapter, mode, patched):
    positive, negative = prediction(patched, POSITIVE, "positive"), prediction(patched, NEGATIVE, "negative")

    assert_same(sample(patched, steps=1), negative + 4.0 * (positive - negative))
    exchanged = apply(model, [Member(BOB, LEFT), Member(ADA, RIGHT)], adapter, mode=mode)
    assert_same(prediction(exchanged, NEGATIVE, "negative"), negative)
    assert_different(prediction(exchanged, POSITIVE, "positive"), positive)


@pytest.mark.parametrize("nested", [False, True])
def test_dual_guidance_mixes_what_the_three_prompts_say_alone(patched, nested):
    dual = guided(Guider_DualCFG, patched, POSITIVE, MIDDLE, NEGATIVE, cfg=(3.0, 2.0), options={"nested": nested})

    positive = prediction(patched, POSITIVE, "positive")
    middle, negative = (prediction(patched, prompt, "negative") for prompt in (MIDDLE, NEGATIVE))
    mixed = negative + 2.0 * (middle - negative) + 3.0 * (positive - middle)
    if nested:
        mixed = negative + 2.0 * (middle + 3.0 * (positive - middle) - negative)
    assert_same(sample(patched, guider=dual, steps=1), mixed)


@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_perpendicular_negative_guidance_mixes_what_the_three_prompts_say_alone(patched, scale):
    guider = guided(Guider_PerpNeg, patched, POSITIVE, NEGATIVE, MIDDLE, cfg=(4.0, scale))

    positive = prediction(patched, POSITIVE, "positive")
    negative, empty = (prediction(patched, prompt, "negative") for prompt in (NEGATIVE, MIDDLE))
    assert_same(sample(patched, guider=guider, steps=1), perp_neg(None, positive, negative, empty, scale, 4.0))


def test_a_second_model_for_the_negative_prompt_is_the_same_as_one_for_both(patched):
    guider = Guider_DualModel(patched, patched.clone())
    guider.set_conds(POSITIVE, NEGATIVE)
    guider.set_cfg(4.0)

    assert_same(sample(patched, guider=guider, steps=1), sample(patched, steps=1))


def test_self_attention_guidance_adds_nothing_of_anybody(model, adapter, mode):
    """Its extra evaluation, of the blurred picture with the negative prompt alone, is that of nobody."""

    def added(identity):
        patched = apply(model, [Member(identity, LEFT)], adapter, mode=mode)
        guided = SelfAttentionGuidance.execute(patched, 0.5, 2.0).args[0]
        plain, with_guidance = (sample(each, size=(16, 16), steps=1, batch=2) for each in (patched, guided))
        return plain, with_guidance - plain

    (ada, of_ada), (bob, of_bob) = added(ADA), added(BOB)
    assert_same(of_ada, of_bob)
    assert of_ada.abs().max() > 0
    assert_different(ada, bob)


def test_perturbed_attention_asks_the_positive_prompt_with_its_people(model, adapter, mode):
    """Its extra evaluation sees the positive prompt alone; the difference of both is added with its scale."""
    patched = apply(model, [Member(ADA, LEFT)], adapter, mode=mode)
    perturbed = patched.clone()
    perturbed.set_model_attn1_replace(lambda q, k, v, options: v, "middle", 0)
    settings = {"size": (16, 16), "steps": 1}
    plain = sample(patched, **settings)
    positive, other = (sample(each, cfg=1.0, **settings) for each in (patched, perturbed))

    guided = PerturbedAttentionGuidance.execute(patched, 3.0).args[0]
    assert_same(sample(guided, **settings), plain + 3.0 * (positive - other))
    assert_different(other, positive)
