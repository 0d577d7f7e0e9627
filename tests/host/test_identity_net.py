"""Apply IdentityNet on a real, tiny ControlNet and a tiny InstantID adapter: whose face is read where."""

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.nodes.host.adapters.adapter_group import group_of
from pack.tests.host.tiny_control import INPUTS, control_layers
from pack.tests.host.tiny_instantid import ADA, BOB, TWO, with_stock_net
from pack.tests.host.tiny_models import EVERYWHERE, LEFT, assert_same, sample

ALL_BLOCKS = [*INPUTS, ("middle", 0)]


@pytest.fixture
def plain(control, instantid, core_nodes):
    """Prompts with the stock node, whose ControlNet's context are the tokens of one person, or of nobody."""

    def apply(identity=None):
        own, nobody = face_tokens(instantid, identity or ADA)
        return with_stock_net(core_nodes, control, own if identity else nobody, nobody)

    return apply


def face_tokens(adapter, identity):
    """[2, T, width]: of a person, and of nobody."""
    return adapter.module.tokens(group_of(adapter, [0], [identity], "average").rows)


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
