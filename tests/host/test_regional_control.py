"""Apply ControlNet in Regions on a real, tiny ControlNet: its residuals by their places."""

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Recipe
from pack.attention.regions.region import Region
from pack.nodes.control.control_nodes import ApplyControlInRegions
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.tiny_control import tiny_control
from pack.tests.host.tiny_models import (
    ADA,
    EVERYWHERE,
    LEFT,
    NEGATIVE,
    POSITIVE,
    RIGHT,
    assert_different,
    assert_same,
    conditioning,
    sample,
)

HINT = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(6))


@pytest.fixture(scope="module")
def control():
    return tiny_control()


def prompts(control, regions, names="", feather=0.0, strength=0.5, prompts=(POSITIVE, NEGATIVE), hint=HINT):
    out = ApplyControlInRegions.execute(*prompts, control, hint, regions, names, strength, 0.0, 1.0, None, feather)
    return dict(zip(("positive", "negative"), out.args, strict=True))


def residuals(control, regions, **options):
    """What the UNet would get, by layer: [2, C, H, W] in the order of the ControlNet's outputs."""
    own = prompts(control, regions, **options)["positive"][0][1]["control"]
    own.pre_run(tiny_sampling(), lambda percent: 1e9 if percent == 0 else -1.0)
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(8))
    text = torch.cat([POSITIVE[0][0], NEGATIVE[0][0]])
    found = own.get_control(x, torch.tensor([1.0, 1.0]), {"c_crossattn": text}, 2, {})
    own.cleanup()
    return [*found["output"], *found["middle"]]


def tiny_sampling():
    from pack.tests.host.tiny_models import tiny_model

    return tiny_model().model


@torch.inference_mode()
def test_residuals_are_the_control_nets_inside_and_nothing_outside(control):
    whole, left = residuals(control, (EVERYWHERE,)), residuals(control, (LEFT,))

    assert len(left) == 13
    for all_of_it, part in zip(whole, left, strict=True):
        half = -(-part.shape[-1] // 2)
        assert torch.equal(part[..., :half], all_of_it[..., :half])
        assert part.shape[-1] == 1 or not part[..., half:].any()


def test_over_the_whole_picture_it_is_the_stock_node(model, control, core_nodes):
    apply = core_nodes["ControlNetApplyAdvanced"]().apply_controlnet
    stock = apply(POSITIVE, NEGATIVE, control, HINT, 0.5, 0.0, 1.0)

    assert torch.equal(sample(model, **prompts(control, (EVERYWHERE,))), sample(model, *stock))


def test_a_strength_of_nought_and_other_names_leave_everything_alone(model, control):
    assert prompts(control, (LEFT,), strength=0.0)["positive"] is POSITIVE
    with pytest.raises(ValueError, match="Troupe, Apply ControlNet in Regions: .*'left', 'right'"):
        prompts(control, (LEFT, RIGHT), names="middle")
    assert "control" not in POSITIVE[0][1]


def test_two_in_a_chain_act_each_in_its_place(model, control):
    """The order of the chain does not matter."""

    def chained(*regions):
        values = (POSITIVE, NEGATIVE)
        for region in regions:
            values = tuple(prompts(control, (region,), prompts=values).values())
        return sample(model, *values)

    assert_same(chained(LEFT, RIGHT), chained(RIGHT, LEFT))


@pytest.mark.parametrize("feather", [0.0, 0.1])
def test_regions_side_by_side_are_the_whole_without_a_seam(model, control, feather):
    halves = sample(model, **prompts(control, (LEFT, RIGHT), feather=feather))

    assert_same(halves, sample(model, **prompts(control, (EVERYWHERE,))))


def test_it_follows_an_area_where_a_cast_says_where_it_lies(model, adapter, control):
    """A crop that lies wholly inside of the region sees the ControlNet on all of its rows and columns."""
    area = [[conditioning(3)[0][0], {"area": (4, 8, 4, 0), "strength": 1.0}]]
    lower = Region("lower", y=0.5, height=0.5)
    cast = patch_cast(model, (Member(ADA, EVERYWHERE),), adapter, Recipe("decoupled"), 1.0)

    def drawn(region):
        return sample(cast, prompts(control, (region,), prompts=(area, NEGATIVE))["positive"], NEGATIVE)

    assert_same(drawn(lower)[..., 4:, :], drawn(EVERYWHERE)[..., 4:, :], 1e-3)
    assert_different(drawn(Region("upper", height=0.5))[..., 4:, :], drawn(lower)[..., 4:, :])


def test_a_cast_reaches_into_it(model, adapter, control):
    values = prompts(control, (EVERYWHERE,))
    plain, reach = (
        patch_cast(model, (Member(ADA, EVERYWHERE),), adapter, Recipe("decoupled", reach=reach), 1.0)
        for reach in (False, True)
    )

    assert_different(sample(reach, **values), sample(plain, **values), 1e-4)
