"""InstantID's two halves together, on a real UNet and ControlNet, against the plain method and formulas in float64."""

import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Recipe
from pack.attention.regions.region import Region
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.attention.reference import mean_over_cells
from pack.tests.attention.reference_control import masked_residual
from pack.tests.attention.reference_instantid import instantid_tokens
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.plain_adapter import with_plain_layers
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_adapters import ANTELOPE, tiny_state
from pack.tests.host.tiny_instantid import ADA, BOB, TWO, with_stock_net
from pack.tests.host.tiny_models import EVERYWHERE, LEFT, POSITIVE, assert_different, assert_same, sample

STRENGTH = 0.8


def part(name):
    """A part of the adapter's file, by its keys."""
    return {key.split(".", 1)[1]: value for key, value in tiny_state("instantid").items() if key.startswith(name)}


def tokens_of(identity):
    """A person's tokens and nobody's by the formulas: photos count as their mean direction, at their mean length."""
    weights = {key: value.double().numpy() for key, value in part("image_proj").items()}
    photos = identity.embeddings[ANTELOPE].astype(np.float64)
    lengths = np.linalg.norm(photos, axis=1)
    mean = (photos / lengths[:, None]).mean(0)
    face = mean / np.linalg.norm(mean) * lengths.mean()
    return [torch.from_numpy(instantid_tokens(weights, row)).float() for row in (face, np.zeros(512))]


def with_adapter(model, cast, instantid):
    return patch_cast(model, cast, instantid, Recipe("decoupled"), STRENGTH)


def test_one_person_everywhere_is_the_plain_method_of_adapter_and_identity_net(
    model, control, instantid, applied, core_nodes
):
    cast = (Member(ADA, EVERYWHERE),)
    tokens = tokens_of(ADA)

    ours = sample(with_adapter(model, cast, instantid), **applied(cast))
    plain_model = with_plain_layers(model, tokens, part("ip_adapter"), STRENGTH)
    plain = with_stock_net(core_nodes, control, *tokens)

    assert_same(ours, sample(plain_model, **plain))
    assert_different(sample(model, **plain), sample(plain_model, **plain))
    assert_different(sample(plain_model), sample(plain_model, **plain))


def test_people_side_by_side_are_single_runs_inside_their_regions_in_the_adapters_part(model, instantid):
    """In the first layer, which all runs enter alike; in later ones people meet in the picture."""

    def first_change(cast):
        with record_layers(model) as (recorded, calls):
            sample(with_adapter(recorded, cast, instantid), steps=1)
        return calls[0].change(0)[0]

    together = first_change(TWO)
    ada, bob = (first_change((Member(who, EVERYWHERE),)) for who in (ADA, BOB))

    torch.testing.assert_close(together[:, :4], ada[:, :4], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together[:, 4:], bob[:, 4:], atol=1e-5, rtol=1e-5)
    assert (ada[:, 4:] - bob[:, 4:]).abs().max() > 1e-2


def test_the_adapters_tokens_stay_inside_the_regions_in_every_layer(model, instantid):
    spots = [Region("a", x=0.25, y=0.25, width=0.25, height=0.5), Region("b", x=0.5, y=0.5, width=0.25, height=0.25)]
    with record_layers(model) as (recorded, calls):
        cast = tuple(Member(who, spot) for who, spot in zip((ADA, BOB), spots, strict=True))
        sample(with_adapter(recorded, cast, instantid), size=(16, 16), steps=1)

    assert_only_inside(calls, spots, (16, 16), least=16)


def painted(name, columns, seed):
    """A soft mask over some of 16 columns, of which no cell of any layer keeps less than half its peak."""
    mask = torch.zeros(16, 16)
    mask[:, columns] = 0.8 + 0.2 * torch.rand(16, 16, generator=torch.Generator().manual_seed(seed))[:, columns]
    return Region(name, shape="mask", mask=mask)


@pytest.mark.parametrize("people", [1, 2])
def test_residuals_are_the_nets_times_the_masks_by_the_formula(model, applied, people):
    """Of overlapping people the residual counts once."""
    cast = (Member(ADA, painted("a", slice(0, 11), 1)), Member(BOB, painted("b", slice(5, 16), 2)))[:people]
    own = applied(cast)["positive"][0][1]
    net = own["control"]
    net.pre_run(model.model, lambda percent: 1e9 if percent == 0 else -1.0)
    (key,) = own["model_conds"]
    cond = {"c_crossattn": POSITIVE[0][0], key: own["model_conds"][key].cond}
    asked = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3)), torch.tensor([1.0]), cond, 1, {}
    whole, found = net.inner.get_control(*asked), net.get_control(*asked)
    net.cleanup()

    pairs = [pair for name in ("output", "middle") for pair in zip(whole[name], found[name], strict=True)]
    assert len(pairs) == 13
    masks = {
        grid: sum(mean_over_cells(member.region.mask, *grid) for member in cast).clamp(max=1)
        for grid in {tuple(inner.shape[-2:]) for inner, _ in pairs}
    }
    for inner, masked in pairs:
        expected = masked_residual([inner], masks[tuple(inner.shape[-2:])][None])
        torch.testing.assert_close(masked.double(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("start", "end", "calls"), [(0.0, 1.0, 4), (0.0, 0.5, 2), (0.5, 1.0, 2)])
def test_the_net_is_called_from_its_start_to_its_end_alone(model, control, applied, start, end, calls):
    seen = []
    hook = control.control_model.register_forward_pre_hook(lambda *_: seen.append(1))
    try:
        sample(model, **applied((Member(ADA, LEFT),), start=start, end=end), steps=4)
    finally:
        hook.remove()

    assert len(seen) == calls
