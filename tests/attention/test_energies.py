"""The energy of each identity at every point: what it is, and that measuring it changes nothing."""

from dataclasses import replace

import pytest
import torch
from pack.attention.maps.contribution_norms import attend_and_measure
from pack.attention.operators.masked import TextKeys
from pack.attention.operators.modes import attend_to_identities, lay_out
from pack.attention.operators.orthogonal import METHODS
from pack.attention.recipes.recipe import Gate, Recipe
from pack.tests.attention.mode_inputs import HEADS, case

RECIPES = {
    "decoupled": Recipe("decoupled"),
    "masked": Recipe("masked", odds=4.0),
    "literal": Recipe("masked", odds=4.0, literal=True),
    "gated": Recipe("gated"),
    "released": Recipe("gated", gate=Gate(joint=True, released=True, boost=2.0)),
}
ADDING = ("decoupled", "gated")


@pytest.fixture(params=RECIPES)
def recipe(request):
    return RECIPES[request.param]


def layer(recipe, c):
    """The arguments of a layer, after the recipe."""
    layout = lay_out(recipe, c.shares, c.strengths, c.sources, torch.ones(len(c.k)))
    return layout, c.text, c.q, TextKeys(c.text_k), c.k, c.v, HEADS, 0.5


def halves(members=2, **shape):
    """A case whose members hold a stretch of the tokens each, and leave the last one to nobody."""
    c = case(members=members, tokens=7, **shape)
    c.shares[:] = 0
    for member in range(members):
        c.shares[:, member * 3 : member * 3 + 3, member] = 1
    return c


@pytest.mark.parametrize("shape", [{}, {"images": 2}, {"members": 1}])
def test_measuring_changes_no_bit(recipe, shape):
    inputs = layer(recipe, case(**shape))

    out, energy = attend_and_measure(recipe, *inputs, True)

    assert torch.equal(out, attend_to_identities(recipe, *inputs, True))
    assert energy.shape == (shape.get("members", 3), *out.shape[:2])
    assert energy.isfinite().all()


@pytest.mark.parametrize("mode", ADDING)
def test_an_energy_is_the_length_of_what_one_identity_adds(mode):
    c = case(groups=1, images=2)
    inputs = layer(RECIPES[mode], c)
    _, energy = attend_and_measure(RECIPES[mode], *inputs)

    for member in range(3):
        alone = c.shares.clone()
        alone[..., [other for other in range(3) if other != member]] = 0
        own = replace(inputs[0], pages=lay_out(RECIPES[mode], alone, c.strengths, c.sources, torch.ones(4)).pages)
        added = attend_to_identities(RECIPES[mode], own, *inputs[1:]) - c.text
        torch.testing.assert_close(energy[member], added.norm(dim=-1), atol=1e-5, rtol=1e-4)


def test_of_orthogonal_attention_it_is_the_length_of_what_is_left():
    c, recipe = case(groups=1, images=2, members=1), RECIPES["decoupled"]
    copies = torch.ones(len(c.k))
    layout = lay_out(recipe, c.shares, c.strengths, c.sources, copies, [METHODS["style"]], copies)
    inputs = layout.to(c.q.device, c.q.dtype), *layer(recipe, c)[1:]

    out, energy = attend_and_measure(recipe, *inputs)
    assert torch.equal(out, attend_to_identities(recipe, *inputs))
    torch.testing.assert_close(energy[0], (out - c.text).norm(dim=-1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("mode", ["masked", "literal"])
def test_in_a_joint_softmax_it_is_the_length_of_ones_part(mode):
    c = case(groups=1)
    recipe = RECIPES[mode]
    inputs = layer(recipe, c)
    _, energy = attend_and_measure(recipe, *inputs)

    def drawn(values):
        return attend_to_identities(recipe, *inputs[:5], values, *inputs[6:])

    silent = c.v.clone()
    for member in range(3):
        silent[member] = 0
        part = drawn(c.v) - drawn(silent)
        torch.testing.assert_close(energy[member], part.norm(dim=-1), atol=1e-5, rtol=1e-4)
        silent = c.v.clone()


def test_the_published_masking_leaks_everywhere_and_ours_nowhere():
    c = halves()
    _, hard = attend_and_measure(RECIPES["masked"], *layer(RECIPES["masked"], c))
    _, literal = attend_and_measure(RECIPES["literal"], *layer(RECIPES["literal"], c))

    assert torch.equal(hard[:, 0] > 0, c.shares[0].mT > 0)
    assert (literal > 0).all()


@pytest.mark.parametrize("mode", ["decoupled", "masked", "gated"])
def test_outside_of_a_hard_region_the_energy_is_exactly_0(mode):
    c = halves()
    _, energy = attend_and_measure(RECIPES[mode], *layer(RECIPES[mode], c))

    assert (energy[0, 0, 3:] == 0).all()
    assert (energy[1, 0, :3] == 0).all()
    assert (energy[:, 0, 6] == 0).all()
    assert energy[0, 0, :3].max() > 0
    assert energy[1, 0, 3:6].max() > 0


def test_nobody_at_work_has_no_energy(recipe):
    c = replace(halves(), strengths=torch.zeros(2))

    _, energy = attend_and_measure(recipe, *layer(recipe, c))

    assert not energy.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_single(recipe, dtype):
    c = case(dtype=dtype)
    layout, *rest = layer(recipe, c)

    _, energy = attend_and_measure(recipe, layout.to(c.q.device, dtype), *rest)

    assert energy.dtype == torch.float32
    assert energy.isfinite().all()
