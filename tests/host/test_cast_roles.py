"""Which rows follow the positive prompt, and which crop of the picture they see, with every kind of guider."""

import comfy.samplers
import pytest
import torch
from comfy_extras.nodes_custom_sampler import Guider_Basic, Guider_DualCFG
from comfy_extras.nodes_perpneg import Guider_PerpNeg
from comfy_extras.nodes_sag import SelfAttentionGuidance
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.nodes.host.model.rows import Row, Step, resolve, role_of
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    LEFT,
    NEGATIVE,
    POSITIVE,
    RIGHT,
    apply,
    assert_same,
    conditioning,
    sample,
)

MIDDLE = conditioning(13)


@pytest.fixture
def rows(monkeypatch):
    """{list position: is positive} of all model calls of a test."""
    seen: dict[int, set[bool]] = {}
    original = Step.of

    def noting(self, indices, uuids):
        found = original(self, indices, uuids)
        for index, row in zip(indices, found, strict=True):
            seen.setdefault(index, set()).add(row.positive)
        return found

    monkeypatch.setattr(Step, "of", noting)
    return seen


def guider(kind, patched, *prompts, **settings):
    made = kind(patched)
    made.set_conds(*prompts)
    if settings:
        made.set_cfg(**settings)
    return made


def test_classifier_free_guidance(model, adapter, rows):
    sample(apply(model, [Member(ADA, LEFT)], adapter))

    assert rows == {0: {True}, 1: {False}}


def test_guidance_of_one_has_only_the_positive_prompt(model, adapter, rows):
    sample(apply(model, [Member(ADA, LEFT)], adapter), cfg=1.0)

    assert rows == {0: {True}}


def test_a_basic_guider_has_only_the_positive_prompt(model, adapter, rows):
    patched = apply(model, [Member(ADA, LEFT)], adapter)
    sample(patched, guider=guider(Guider_Basic, patched, POSITIVE))

    assert rows == {0: {True}}


@pytest.mark.parametrize("nested", [False, True])
def test_dual_guidance_puts_the_positive_prompt_last(model, adapter, rows, nested):
    patched = apply(model, [Member(ADA, LEFT)], adapter)
    dual = guider(Guider_DualCFG, patched, POSITIVE, MIDDLE, NEGATIVE, cfg1=3.0, cfg2=2.0, nested=nested)
    sample(patched, guider=dual)

    assert rows == {0: {False}, 1: {False}, 2: {True}}


def test_perpendicular_negative_guidance(model, adapter, rows):
    patched = apply(model, [Member(ADA, LEFT)], adapter)
    perp = Guider_PerpNeg(patched)
    perp.set_conds(POSITIVE, NEGATIVE, MIDDLE)
    perp.set_cfg(4.0, 1.0)
    sample(patched, guider=perp)

    assert rows == {0: {True}, 1: {False}, 2: {False}}


def test_self_attention_guidance_evaluates_the_negative_prompt_alone_in_first_place(model, adapter, rows):
    patched = apply(model, [Member(ADA, LEFT)], adapter)
    guided = SelfAttentionGuidance.execute(patched, 0.5, 2.0).args[0]
    sample(guided, size=(16, 16))

    assert rows == {0: {True, False}, 1: {False}}  # alone it stands first


def test_negative_rows_do_not_depend_on_who_is_in_the_cast(model, adapter):
    def negative_rows(identity):
        with record_layers(model) as (recorded, calls):
            patched = apply(recorded, [Member(identity, LEFT)], adapter)
            dual = guider(Guider_DualCFG, patched, POSITIVE, MIDDLE, NEGATIVE, cfg1=3.0, cfg2=2.0, nested=False)
            sample(patched, guider=dual, steps=1)
        return calls[0].change(0), calls[0].change(1), calls[0].change(2)

    ada, bob = negative_rows(ADA), negative_rows(BOB)
    assert torch.equal(ada[0], bob[0])
    assert torch.equal(ada[1], bob[1])
    assert not torch.equal(ada[2], bob[2])


def test_several_positive_prompts_all_see_the_cast(model, adapter):
    masks = torch.zeros(2, 1, 8, 8)
    masks[0, ..., :4], masks[1, ..., 4:] = 1, 1
    both = [
        (tokens, {"mask": mask, "mask_strength": 1.0}) for (tokens, _), mask in zip(POSITIVE * 2, masks, strict=True)
    ]
    patched = apply(model, [Member(ADA, LEFT)], adapter)

    assert_same(sample(patched, positive=both), sample(patched))


@pytest.mark.parametrize(
    ("region", "area", "everywhere"),
    [(RIGHT, (8, 4, 0, 4), True), (RIGHT, (8, 4, 0, 0), False), (Region("low", y=0.5, height=0.5), (4, 8, 4, 0), True)],
)
def test_a_crop_sees_its_own_part_of_the_regions(model, adapter, region, area, everywhere):
    positive = conditioning(11, area=area, strength=1.0)
    with record_layers(model) as (recorded, calls):
        sample(apply(recorded, [Member(ADA, region)], adapter), positive=positive, steps=1)

    first = [call for call in calls if call.key == ("input", 1, 0)]
    cropped = [call for call in first if call.grid == area[:2]]
    whole = [call for call in first if call.grid == (8, 8)]
    assert cropped
    assert whole  # the negative prompt sees the picture both whole and cropped
    for call in cropped:
        for group in set(call.groups):
            changed = (call.change(group)[0] != 0).any(-1)
            assert changed.all() if everywhere else not changed.any()


def test_a_crop_at_an_odd_place_moves_the_masks_by_as_much(model, adapter):
    region = Region("spot", x=0.5, y=0.25, width=0.25, height=0.25)  # latent rows 4-7 of 16, columns 8-11
    with record_layers(model) as (recorded, calls):
        positive = conditioning(11, area=(9, 11, 3, 5), strength=1.0)
        sample(apply(recorded, [Member(ADA, region)], adapter), positive=positive, size=(16, 16), steps=1)

    call = next(call for call in calls if call.key == ("input", 1, 0) and call.grid == (9, 11))
    expected = torch.zeros(9, 11, dtype=torch.bool)
    expected[1:5, 3:7] = True
    assert torch.equal((call.change(0)[0] != 0).any(-1), expected)


def cond(uuid, **values):
    return {"uuid": uuid, **values}


def test_the_copy_of_a_cropped_positive_in_the_negative_list_is_negative():
    positive = [cond("p", area=(4, 4, 0, 4))]
    negative = [cond("n"), cond("p", area=(4, 4, 0, 4))]  # as ComfyUI appends it, uuid included

    step = resolve([positive, negative], {"positive": positive, "negative": negative}, (8, 8))

    assert step.rows == {
        (0, "p"): Row(True, (4, 4, 0, 4)),
        (1, "n"): Row(False, None, 1, negative=True),
        (1, "p"): Row(False, (4, 4, 0, 4), 1, negative=True),
    }


def test_lists_that_a_pack_rebuilt_are_known_by_their_uuids():
    named = {"positive": [cond("p"), cond("q")], "negative": [cond("n"), cond("p")], "middle": [cond("m")]}

    assert role_of([cond("p"), cond("q")], named) == "positive"
    assert role_of([cond("n"), cond("p")], named) == "negative"
    assert role_of([cond("m")], named) == "middle"
    assert role_of([cond("q")], named) == "positive"
    assert role_of([cond("unknown")], named) is None
    assert role_of([], named) is None
    assert role_of(None, named) is None


def test_positions_without_uuids_fall_back_to_the_list():
    step = resolve([[cond("p")], [cond("n")]], {"positive": [cond("p")], "negative": [cond("n")]}, (8, 8))

    assert step.of([1, 0, 0], []) == (Row(False, None, 1, negative=True), Row(True, None), Row(True, None))


def test_a_crop_that_reaches_over_the_edge_is_cut_as_comfyui_cuts_it():
    wide = cond("p", area=(8, 99, 2, 3))

    step = resolve([[wide]], {"positive": [wide]}, (8, 10))

    assert step.rows[0, "p"].area == (6, 7, 2, 3)
    x = torch.zeros(1, 4, 8, 10)
    assert tuple(comfy.samplers.get_area_and_mult({**wide, "model_conds": {}}, x, torch.zeros(1)).area) == (6, 7, 2, 3)
