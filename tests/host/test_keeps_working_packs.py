"""Apply Cast among other patches of the same layers, in every mode: other packs' replacements, and the host's own."""

import pytest
import torch
from comfy_extras.nodes_freelunch import FreeU_V2
from comfy_extras.nodes_hypertile import HyperTile
from comfy_extras.nodes_model_downscale import PatchModelAddDownscale
from comfy_extras.nodes_tomesd import TomePatchModel
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.tests.host.layer_recorder import attn2, record_layers
from pack.tests.host.region_cells import assert_only_inside, touched
from pack.tests.host.test_other_packs import PAIRS, OlderJoinable, join_slots, set_slots
from pack.tests.host.tiny_models import (
    ADA,
    ADAPTER_LAYERS,
    BOB,
    CONTEXT,
    EVERYWHERE,
    LEFT,
    POSITIVE,
    RIGHT,
    apply,
    assert_different,
    assert_same,
    sample,
)

SPOT = Region("spot", x=0.25, y=0.5, width=0.5, height=0.25)
FIRST = ADAPTER_LAYERS[0]


def more_context(model):
    """A pack that appends tokens of its own to the text, as IP-Adapters without a mask do, with values unlike keys."""
    extra = torch.randn(1, 5, CONTEXT, generator=torch.Generator().manual_seed(51))

    def patch(n, context, value, options):
        more = extra.expand(len(context), -1, -1)
        return n, torch.cat([context, more], 1), torch.cat([value, 2 * more], 1)

    clone = model.clone()
    clone.set_model_attn2_patch(patch)
    return clone


def scaled_output(model):
    """A pack that changes what leaves each layer."""
    clone = model.clone()
    clone.set_model_attn2_output_patch(lambda n, options: 1.5 * n)
    return clone


PACKS = {
    "sets transformer keys": set_slots,
    "sets block keys": lambda model: set_slots(model, PAIRS),
    "adds": lambda model: join_slots(model, 0.25),
    "adds in the older way": lambda model: join_slots(model, 0.25, kind=OlderJoinable),
    "more context": more_context,
    "scales the output": scaled_output,
}


def first_layer(model) -> torch.Tensor:
    """[3 groups, 16, 16, C]: what the first layer hands to its output projection, in the only call of one step."""
    seen = []
    hook = attn2(model, FIRST).to_out.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    try:
        sample(model, POSITIVE + POSITIVE, size=(16, 16), steps=1)
    finally:
        hook.remove()
    (only,) = seen
    return only.unflatten(1, (16, 16))


@pytest.mark.parametrize("name", PACKS)
def test_outside_the_regions_a_pack_does_what_it_does_alone_bit_for_bit(model, adapter, mode, name):
    cast = [Member(ADA, SPOT)]
    alone = first_layer(PACKS[name](model))

    before = first_layer(apply(PACKS[name](model), cast, adapter, mode=mode))
    after = first_layer(PACKS[name](apply(model, cast, adapter, mode=mode)))

    inside = touched(SPOT, (16, 16), (16, 16))
    assert inside.sum() == 32
    assert torch.equal(before[:, ~inside], alone[:, ~inside])
    assert (before[:, inside] != alone[:, inside]).any(-1).sum() >= 3 * 31
    assert torch.equal(after, before)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_may_stand_before_or_after(model, adapter, mode, name):
    pack, cast = PACKS[name], [Member(ADA, LEFT), Member(BOB, RIGHT)]
    patched, packed = apply(model, cast, adapter, mode=mode), pack(model)
    before = sample(apply(packed, cast, adapter, mode=mode), steps=1)

    assert torch.equal(sample(pack(patched), steps=1), before)
    assert_different(before, sample(patched, steps=1))
    assert_different(before, sample(packed, steps=1))


@pytest.mark.parametrize("name", PACKS)
def test_both_halves_make_the_whole_on_top_of_a_pack(model, adapter, mode, name):
    halves, whole = (
        sample(apply(PACKS[name](model), cast, adapter, mode=mode), steps=1)
        for cast in ([Member(ADA, LEFT), Member(ADA, RIGHT)], [Member(ADA, EVERYWHERE)])
    )

    assert_same(halves, whole)


def deep_shrink(model):
    return PatchModelAddDownscale.execute(model, 3, 2.0, 0.0, 1.0, True, "bicubic", "bicubic").args[0]


STOCK = {
    "Kohya Deep Shrink": deep_shrink,
    "HyperTile": lambda model: HyperTile.execute(model, 64, 2, 1, False)[0],
    "ToMe": lambda model: TomePatchModel.execute(model, 0.5).args[0],
    "FreeU": lambda model: FreeU_V2.execute(model, 1.3, 1.4, 0.9, 0.2).args[0],
}


@pytest.mark.parametrize("name", STOCK)
def test_patches_of_the_host_leave_the_regions_where_they_are(model, adapter, mode, name):
    with record_layers(model) as (recorded, calls):
        patched = STOCK[name](apply(recorded, [Member(ADA, SPOT)], adapter, mode=mode))
        sample(patched, size=(16, 16), steps=1, batch=2)

    assert_only_inside(calls, [SPOT], (16, 16), images=2, least=16)
    assert calls[2].grid == ((4, 4) if name == "Kohya Deep Shrink" else (8, 8))
