"""People kept apart in everything that a real, tiny UNet and ControlNet do: not a number of one reaches the other."""

from dataclasses import replace

import pytest
import torch
from pack.attention.isolation.isolated_norms import enlarged
from pack.attention.isolation.token_groups import owners
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Isolation, Recipe
from pack.attention.regions.masks import cells_of
from pack.attention.regions.region import Region
from pack.attention.regions.shares import token_shares
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.attention import reference_severed as slow
from pack.tests.host.layer_recorder import hooked
from pack.tests.host.tiny_models import CY, LEFT, RIGHT, TWO, assert_different, assert_same, sample
from torch import nn

WHOLE = Isolation(0.0, end=1.0, cells=1000, apart_in="everything")
PLAIN, APART = Recipe("decoupled"), Recipe("decoupled", isolation=WHOLE)
NARROW = (replace(TWO[0], region=Region("left", width=0.4)), replace(TWO[1], region=Region("right", x=0.5, width=0.3)))
THREE = (TWO[0], Member(CY, RIGHT))  # somebody else on the right


def drawn(model, adapter, cast, recipe=APART, size=(16, 16), **options):
    return sample(patch_cast(model, cast, adapter, recipe, 1.0), size=size, **options)


def changes(model, adapter, recipe=APART, **options):
    """By how much the left and the right half of the latent change when the person on the right does."""
    one, other = (drawn(model, adapter, cast, recipe, **options) for cast in (TWO, THREE))
    return [part.abs().max().item() for part in (one - other).chunk(2, -1)]


@pytest.mark.parametrize("mode", ["decoupled", "masked"])
def test_somebody_else_on_the_right_changes_nothing_on_the_left(model, adapter, mode):
    left, right = changes(model, adapter, replace(APART, mode=mode), steps=3)

    assert left == 0
    assert right > 1e-3


def test_nothing_comes_through_a_control_net_either(model, adapter, hinted):
    left, right = changes(model, adapter, replace(APART, reach=True), steps=3, positive=hinted)
    without, _ = changes(
        model, adapter, Recipe("decoupled", isolation=replace(WHOLE, apart_in="self-attention")),
        steps=3, positive=hinted,
    )  # fmt: skip

    assert left == 0
    assert right > 1e-3
    assert without > 1e-5


def test_the_layers_stay_as_they_were(model, adapter, control, hinted):
    before = sample(model, positive=hinted), drawn(model, adapter, TWO, PLAIN, positive=hinted)
    parts = [part.forward.__func__ for part in control.control_model.modules()]

    drawn(model, adapter, TWO, positive=hinted)

    assert [part.forward.__func__ for part in control.control_model.modules()] == parts
    assert torch.equal(sample(model, positive=hinted), before[0])
    assert torch.equal(drawn(model, adapter, TWO, PLAIN, positive=hinted), before[1])


def test_an_eta_of_one_is_bit_equal(model, adapter, hinted):
    off = Recipe("decoupled", isolation=replace(WHOLE, eta=1.0))

    assert torch.equal(
        drawn(model, adapter, TWO, off, positive=hinted),
        drawn(model, adapter, TWO, PLAIN, positive=hinted),
    )


def test_it_acts_in_its_window_and_on_its_grids_alone(model, adapter, hinted):
    def out(isolation):
        return drawn(model, adapter, TWO, Recipe("decoupled", isolation=isolation), steps=3, positive=hinted)

    plain = out(Isolation(1.0))
    assert_different(out(WHOLE), out(replace(WHOLE, apart_in="self-attention")), 1e-4)
    assert torch.equal(out(replace(WHOLE, start=0.999, end=0.9999)), plain)
    assert torch.equal(out(replace(WHOLE, cells=0)), plain)
    assert not torch.equal(out(replace(WHOLE, end=0.4)), out(WHOLE))
    assert_different(out(replace(WHOLE, eta=0.3)), out(WHOLE), 1e-4)


def test_pictures_of_a_batch_do_not_meet(model, adapter, unet_calls):
    batch = drawn(model, adapter, TWO, batch=2, steps=1)

    assert unet_calls == [4]
    assert_same(batch[:1], drawn(model, adapter, TWO, steps=1))


def test_one_person_everywhere_is_not_cut(model, adapter):
    everywhere = (replace(TWO[0], region=replace(LEFT, width=1.0)),)

    assert torch.equal(drawn(model, adapter, everywhere), drawn(model, adapter, everywhere, PLAIN))


def test_a_cast_before_it_stays_as_it_was_and_both_keep_apart(model, adapter):
    apart = Recipe("decoupled", isolation=replace(WHOLE, background="apart"))
    one = patch_cast(model, TWO[:1], adapter, apart, 1.0)
    alone = sample(one, size=(16, 16))

    both = [sample(patch_cast(one, TWO[1:], adapter, recipe, 1.0), size=(16, 16)) for recipe in (apart, PLAIN)]

    assert torch.equal(sample(one, size=(16, 16)), alone)
    assert_different(both[0], alone, 1e-3)
    assert_different(both[0], both[1], 1e-4)


def recorded(model, draw):
    """What goes into and comes out of every convolution and group norm of the UNet in its first call, by path."""
    seen, hooks = {}, []
    for path, module in model.model.diffusion_model.named_modules():
        if isinstance(module, (nn.GroupNorm, nn.Conv2d)):

            def note(module, given, out, path=path):
                seen.setdefault(path, (module, given[0].clone(), out.clone()))

            hooks.append(module.register_forward_hook(note))
    with hooked(hooks):
        draw()
    return seen


def owned_at(grid, latent):
    shares = token_shares([member.region for member in NARROW], cells_of(grid, latent), "priority")
    return owners(shares.flatten(1).mT).unflatten(0, grid)


@pytest.mark.parametrize(("eta", "background"), [(0.0, "apart"), (0.3, "shared")])
def test_every_layer_is_the_formula(model, adapter, eta, background):
    recipe = Recipe("decoupled", isolation=replace(WHOLE, eta=eta, background=background))

    layers = recorded(model, lambda: drawn(model, adapter, NARROW, recipe, size=(8, 10), steps=1))

    several = {path: found for path, found in layers.items() if getattr(found[0], "kernel_size", 0) != (1, 1)}
    assert len(several) > 100
    for path, (layer, x, out) in several.items():
        read, written = (tuple(t.shape[-2:]) for t in (x, out))
        owned = owned_at(written, (8, 10))
        if isinstance(layer, nn.GroupNorm):
            expected = slow.group_norm(
                x[0].double(), layer.num_groups, layer.weight, layer.bias, layer.eps, owned, eta, background
            )
        else:
            before = owned_at(read, (8, 10))
            if path.endswith("conv"):  # after an enlargement
                before = enlarged(owned_at((-(-read[0] // 2), -(-read[1] // 2)), (8, 10)), read)
            weight, bias = layer.weight.double(), layer.bias.double()
            expected = slow.convolution(x[0].double(), weight, bias, layer.stride[0], 1, before, owned, eta, background)
        torch.testing.assert_close(out[0].double(), expected, atol=1e-3, rtol=1e-3, msg=path)


@pytest.mark.parametrize("size", [(9, 13), (7, 10)])
def test_sizes_that_do_not_divide_evenly_are_drawn(model, adapter, hinted, size):
    out = drawn(model, adapter, TWO, size=size, positive=hinted)

    assert out.isfinite().all()
    assert_different(out, drawn(model, adapter, TWO, PLAIN, size=size, positive=hinted), 1e-4)
