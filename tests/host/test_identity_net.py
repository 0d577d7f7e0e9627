"""Apply IdentityNet on a real, tiny ControlNet and a tiny InstantID adapter: whose face is read where."""

from dataclasses import replace

import pytest
import torch
from pack.attention.cast import Member
from pack.attention.recipes import Recipe
from pack.attention.regions import Region
from pack.nodes.control_nodes import ApplyControlInRegions
from pack.nodes.host.model_patch import patch_cast
from pack.nodes.host.troop import troop_of
from pack.nodes.identity_net_nodes import ApplyIdentityNet
from pack.tests.host.test_control_reach import INPUTS, control_layers
from pack.tests.host.tiny_adapters import ANTELOPE, BUFFALO, tiny_of
from pack.tests.host.tiny_control import tiny_control
from pack.tests.host.tiny_models import (
    EVERYWHERE,
    LEFT,
    NEGATIVE,
    POSITIVE,
    RIGHT,
    assert_different,
    assert_same,
    conditioning,
    person,
    sample,
)

HINT = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(6))
ADA, BOB, CY = (person(name, seed, (ANTELOPE,)) for name, seed in (("Ada", 21), ("Bob", 22), ("Cy", 23)))
TWO = (Member(ADA, LEFT), Member(BOB, RIGHT))
ALL_BLOCKS = [*INPUTS, ("middle", 0)]


@pytest.fixture(scope="module")
def control():
    return tiny_control()


@pytest.fixture(scope="module")
def instantid(tmp_path_factory):
    return tiny_of("instantid", tmp_path_factory.mktemp("instantid"))


@pytest.fixture
def applied(control, instantid):
    """Prompts with the IdentityNet, by role."""

    def apply(cast, adapter=instantid, positive=POSITIVE, negative=NEGATIVE, strength=0.5, net=control, feather=0.0):
        out = ApplyIdentityNet.execute(positive, negative, net, HINT, cast, strength, 0.0, 1.0, adapter, feather)
        return dict(zip(("positive", "negative"), out.args, strict=True))

    return apply


@pytest.fixture
def plain(control, instantid, core_nodes):
    """Prompts with the stock node, whose ControlNet's context are the tokens of one person, or of nobody."""

    def apply(identity=None):
        own, nobody = face_tokens(instantid, identity or ADA)
        given = {"positive": own if identity else nobody, "negative": nobody}
        stock = core_nodes["ControlNetApplyAdvanced"]().apply_controlnet
        prompts = stock(POSITIVE, NEGATIVE, control, HINT, 0.5, 0.0, 1.0)
        return {
            role: [[text, {**values, "cross_attn_controlnet": given[role][None]}] for text, values in prompt]
            for role, prompt in zip(given, prompts, strict=True)
        }

    return apply


def face_tokens(adapter, identity):
    """[2, T, width]: of a person, and of nobody."""
    return adapter.module.tokens(troop_of(adapter, [0], [identity], "average").rows)


def first_layers(control, model, prompts):
    """The attention of every layer in the first call, [2, N, C], negative and positive."""
    return control_layers(control, lambda: sample(model, **prompts, steps=1))


def halves(layer):
    """The left and right half of the first layer's grid, negative and positive, [2, 8, 4, C] each."""
    return layer.unflatten(1, (8, 8)).split(4, 2)


def test_one_person_with_a_full_region_is_the_plain_method(model, control, applied, plain):
    ours, theirs = applied((Member(ADA, EVERYWHERE),)), plain(ADA)

    assert_same(sample(model, **ours), sample(model, **theirs), 1e-6)
    found, expected = (first_layers(control, model, prompts) for prompts in (ours, theirs))
    assert list(found) == ALL_BLOCKS
    for block in ALL_BLOCKS:
        torch.testing.assert_close(found[block], expected[block], atol=2e-6, rtol=1e-5)


def test_several_people_are_single_runs_inside_of_their_regions(model, control, applied, plain):
    together = first_layers(control, model, applied(TWO))[INPUTS[0]]
    ada, bob = (first_layers(control, model, plain(who))[INPUTS[0]] for who in (ADA, BOB))

    left, right = halves(together)
    torch.testing.assert_close(left, halves(ada)[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(right, halves(bob)[1], atol=1e-6, rtol=1e-5)
    assert (halves(ada)[1] - right)[1].abs().max() > 1e-2


def test_where_nobody_stands_it_reads_nobody(model, control, applied, plain):
    found = first_layers(control, model, applied((Member(ADA, LEFT),)))[INPUTS[0]]
    nobody = first_layers(control, model, plain())[INPUTS[0]]

    torch.testing.assert_close(halves(found)[1], halves(nobody)[1], atol=1e-6, rtol=1e-5)
    assert (halves(found)[0] - halves(nobody)[0])[1].abs().max() > 1e-2


@torch.no_grad()
def test_the_layers_are_the_formula_written_out(model, control, instantid, applied):
    """In float64, from the layer's own queries and maps: Ada a quarter of everywhere, Bob the left, and nobody."""
    queries = []
    layer = control.control_model.input_blocks[1][1].transformer_blocks[0].attn2
    hook = layer.to_q.register_forward_hook(lambda _, __, out: queries.append(out.clone().double()))
    soft = Region("soft", shape="mask", mask=torch.full((8, 8), 0.25))
    try:
        found = first_layers(control, model, applied((Member(ADA, soft), Member(BOB, LEFT))))[INPUTS[0]].double()
    finally:
        hook.remove()

    tokens = [face_tokens(instantid, ADA)[0], face_tokens(instantid, BOB)[0], face_tokens(instantid, ADA)[1]]
    share = torch.zeros(8, 8, 3, dtype=torch.float64)
    share[:, :4, :2] = torch.tensor([0.2, 0.8])  # painted masks divide what they share, here 0.25 and 1
    share[:, 4:, 0], share[:, 4:, 2] = 0.25, 0.75
    expected = torch.zeros_like(found[1])
    for part, own in zip(share.flatten(0, 1).unbind(-1), tokens, strict=True):
        q, k, v = (t.unflatten(-1, (4, -1)).transpose(0, 1) for t in (queries[0][1], *maps(layer, own)))
        scores = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        expected += part[:, None] * (scores @ v).transpose(0, 1).flatten(1)
    torch.testing.assert_close(found[1], expected, atol=1e-5, rtol=0)


def maps(layer, tokens):
    return (tokens.double() @ part.weight.double().T for part in (layer.to_k, layer.to_v))


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
        return first_layers(other, model, applied(cast, **prompts) if cast else prompts)[INPUTS[0]]

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


def test_members_of_another_kind_or_without_strength_are_nobody_to_it(model, control, applied, adapter):
    for other in (Member(BOB, RIGHT, adapter=adapter), Member(BOB, RIGHT, strength=0.0)):
        alone, both = (first_layers(control, model, applied(cast))[INPUTS[0]] for cast in (TWO[:1], (TWO[0], other)))
        torch.testing.assert_close(both, alone, atol=1e-6, rtol=1e-5)


def test_a_cast_without_instantid_is_refused(applied, adapter, instantid):
    with pytest.raises(ValueError, match=r"Apply IdentityNet: nobody .* of format faceid\).*format instantid"):
        applied(TWO, adapter)
    with pytest.raises(ValueError, match=r"found no adapter"):
        applied(TWO, None)
    with pytest.raises(ValueError, match="nobody in this cast has a strength above 0"):
        applied(tuple(replace(member, strength=0.0) for member in TWO), instantid)


def test_the_recogniser_of_another_pack_is_refused_by_name(applied, instantid):
    published = replace(instantid, packs=("buffalo_l", "antelopev2"))  # as its file is read where nobody chose a format
    both = Member(person("Di", 24, (BUFFALO, ANTELOPE)), EVERYWHERE)
    wrong = Member(person("Eve", 25, (BUFFALO,)), EVERYWHERE)

    assert applied((both,), published)
    with pytest.raises(ValueError, match="pack antelopev2, and identity 'Eve' was described by that of buffalo_l"):
        applied((wrong,), published)
    with pytest.raises(ValueError, match="nobody in this cast"):
        applied((both,), replace(instantid, packs=("buffalo_l",)))


def test_control_nets_of_other_kinds_and_widths_are_refused(applied, instantid):
    class Flow(torch.nn.Module):
        pass

    other = tiny_control()
    other.control_model = Flow()
    with pytest.raises(ValueError, match="is a Flow, .*Load InstantID's ControlNet"):
        applied(TWO, net=other)
    wide = replace(instantid, spec=replace(instantid.spec, cross_width=2048))
    with pytest.raises(ValueError, match="reads tokens of width 64, and the adapter '.*' makes tokens of width 2048"):
        applied(TWO, wide)


def test_prompts_that_lost_their_faces_are_an_error_that_says_so(model, applied):
    prompts = applied(TWO)
    for _, values in prompts["positive"]:
        values["model_conds"] = {}

    with pytest.raises(RuntimeError, match="put Apply IdentityNet after it"):
        sample(model, **prompts)
