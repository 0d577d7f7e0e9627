"""Apply IdentityNet beside everything else: calls, chains, casts, crops, batches, and what must not change."""

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Isolation, Recipe
from pack.attention.regions.region import Region
from pack.nodes.control.control_nodes import ApplyControlInRegions
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.tiny_adapters import ANTELOPE
from pack.tests.host.tiny_control import INPUTS, control_layers, tiny_control
from pack.tests.host.tiny_instantid import ADA, BOB, CY, HINT, TWO
from pack.tests.host.tiny_models import (
    EVERYWHERE,
    LEFT,
    NEGATIVE,
    POSITIVE,
    assert_different,
    assert_same,
    conditioning,
    person,
    sample,
)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_people_take_one_call_of_each_network_per_step(model, control, applied, unet_calls, count):
    strips = [Region(f"strip {n}", x=n / count, width=1 / count) for n in range(count)]
    cast = tuple(Member(person(f"P{n}", 50 + n, (ANTELOPE,)), strip) for n, strip in enumerate(strips))
    calls = []
    hook = control.control_model.input_blocks[0].register_forward_pre_hook(lambda _, x: calls.append(len(x[0])))
    try:
        sample(model, **applied(cast), steps=3)
    finally:
        hook.remove()

    assert unet_calls == [2, 2, 2]
    assert calls == [2, 2, 2]


def test_it_moves_nothing_outside_of_the_regions_in_what_the_unet_is_told(model, applied):
    own = applied((Member(ADA, LEFT),))["positive"][0][1]
    net = own["control"]
    net.pre_run(model.model, lambda percent: 1e9 if percent == 0 else -1.0)
    (key,) = own["model_conds"]
    cond = {"c_crossattn": POSITIVE[0][0], key: own["model_conds"][key].cond}
    found = net.get_control(torch.randn(1, 4, 8, 8), torch.tensor([1.0]), cond, 1, {})
    net.cleanup()

    fine = [part for part in found["output"] if part.shape[-1] == 8]
    assert len(fine) == 3
    assert all(part[..., :4].any() and not part[..., 4:].any() for part in fine)


def test_other_control_nets_in_the_chain_go_on_reading_the_text(model, control, applied):
    def layers_of_the_other(cast):
        out = ApplyControlInRegions.execute(POSITIVE, NEGATIVE, other, HINT, (EVERYWHERE,), "", 0.5, 0.0, 1.0)
        prompts = dict(zip(("positive", "negative"), out.args, strict=True))
        return control_layers(other, lambda: sample(model, **(applied(cast, **prompts) if cast else prompts), steps=1))[
            INPUTS[0]
        ]

    other = tiny_control()
    assert torch.equal(layers_of_the_other(TWO), layers_of_the_other(()))


def test_a_cast_acts_beside_it_and_does_not_reach_into_it(model, applied, instantid):
    prompts = applied(TWO)
    without, reach, plain = (
        sample(patch_cast(model, TWO, instantid, Recipe("decoupled", reach=reach), strength), **prompts)
        for reach, strength in ((False, 0.0), (True, 1.0), (False, 1.0))
    )

    assert torch.equal(reach, plain)
    assert_different(plain, without)


@pytest.mark.parametrize(("apart_in", "reaches"), [("everything", False), ("self-attention", True)])
def test_people_kept_apart_in_everything_do_not_meet_in_it(model, applied, instantid, apart_in, reaches):
    isolation = Isolation(0.0, end=1.0, cells=1000, apart_in=apart_in)
    others = (TWO[0], Member(CY, TWO[1].region))
    one, other = (
        sample(patch_cast(model, cast, instantid, Recipe("decoupled", isolation=isolation), 1.0), **applied(cast),
               size=(16, 16), steps=2)
        for cast in (TWO, others)
    )  # fmt: skip

    left, right = ((one - other).abs()[..., :8].max().item(), (one - other).abs()[..., 8:].max().item())
    assert (left > 1e-4) == reaches
    assert left == 0 or reaches
    assert right > 1e-3


def test_a_crop_of_the_picture_reads_whoever_stands_in_it(model, control, applied, instantid):
    """The lower half alone, in which Bob stands: with a cast, the crop's rows are Bob's."""
    upper, lower = Region("upper", height=0.5), Region("lower", y=0.5, height=0.5)
    cast = (Member(ADA, upper), Member(BOB, lower))
    area = [[conditioning(3)[0][0], {"area": (4, 8, 4, 0), "strength": 1.0}]]
    patched = patch_cast(model, cast, instantid, Recipe("decoupled"), 1.0)

    def drawn(members):
        return sample(patched, **applied(members, positive=area))[..., 4:, :]

    assert_same(drawn(cast), drawn((Member(CY, upper), cast[1])))
    assert_different(drawn(cast), drawn((cast[0], Member(CY, lower))), 1e-4)


def test_pictures_of_a_batch_read_the_same_people(model, applied):
    prompts = applied(TWO)

    assert_same(sample(model, **prompts, batch=2)[:1], sample(model, **prompts), 1e-5)


def test_soft_edges_are_between_the_people(model, applied):
    assert_different(sample(model, **applied(TWO, feather=0.1)), sample(model, **applied(TWO)), 1e-4)


def test_what_was_given_stays_as_it_was(model, control, applied):
    parts = [id(part) for part in control.control_model.modules()]
    before = sample(model)
    first = sample(model, **(prompts := applied(TWO)))

    assert torch.equal(sample(model, **prompts), first)
    assert torch.equal(sample(model), before)
    assert [id(part) for part in control.control_model.modules()] == parts
    assert POSITIVE[0][1] == {}
    assert applied(TWO, strength=0.0)["positive"] is POSITIVE
