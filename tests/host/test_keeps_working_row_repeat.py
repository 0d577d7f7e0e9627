"""Apply Cast among packs that repeat rows inside the UNet, in the manner of Attention Couple.

They repeat the positive prompt's rows in each layer, once for each of their regions with a text of its own, and mix the
outputs with masks that sum to 1. Nobody's part in a picture changes by that.
"""

import math

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.tests.host.region_cells import touched
from pack.tests.host.tiny_models import (
    ADA,
    ADAPTER_LAYERS,
    BOB,
    LEFT,
    POSITIVE,
    TWO,
    apply,
    assert_different,
    assert_same,
    conditioning,
    sample,
)

SPOT = Region("spot", x=0.25, y=0.5, width=0.5, height=0.25)
FIRST = ADAPTER_LAYERS[0]


class Couple:
    """The two patches of such a pack, which share what they know of a layer's call.

    texts : tokens of each region's own prompt, [1, T, C]; the prompt of the sampler fills the rest of the picture
    tells : whether the pack also writes the repeated rows into `cond_or_uncond`, as some of them do
    """

    def __init__(self, texts: list[torch.Tensor], tells: bool) -> None:
        self.texts, self.tells = texts, tells
        self.groups: list[int] = []

    def repeat(self, n, context, value, options):
        self.groups = list(options["cond_or_uncond"])
        images = len(n) // len(self.groups)
        queries, texts, groups = [], [], []
        for group, rows, text in zip(
            self.groups, n.chunk(len(self.groups)), context.chunk(len(self.groups)), strict=True
        ):
            copies = 1 if group == 1 else len(self.texts) + 1
            queries.append(rows.repeat(copies, 1, 1))
            texts += [text, *(own.repeat(images, 1, 1) for own in self.texts[: copies - 1])]
            groups += [group] * copies
        if self.tells:
            options["cond_or_uncond"] = groups
        length = math.lcm(*(text.shape[1] for text in texts))
        texts = torch.cat([text.repeat(1, length // text.shape[1], 1) for text in texts])
        return torch.cat(queries), texts, texts

    def mix(self, n, options):
        height, width = options["activations_shape"][-2:]
        copies = [1 if group == 1 else len(self.texts) + 1 for group in self.groups]
        images = len(n) // sum(copies)
        shares = stripes(len(self.texts) + 1, height, width)
        outs = []
        for count, rows in zip(copies, n.split([images * count for count in copies]), strict=True):
            parts = rows.unflatten(0, (count, images))
            outs.append((parts * shares[:, None, :, None]).sum(0) if count > 1 else parts[0])
        return torch.cat(outs)


def stripes(count: int, height: int, width: int) -> torch.Tensor:
    """[count, H * W]: upright stripes beside each other, softly joined; they sum to 1 everywhere."""
    at = torch.linspace(0, count - 1, width)
    shares = (1 - (at[None] - torch.arange(count)[:, None]).abs()).clamp(min=0)
    return shares[:, None].expand(count, height, width).flatten(1)


def couple(model, prompts=(POSITIVE, POSITIVE), tells=False):
    pack, clone = Couple([prompt[0][0] for prompt in prompts], tells), model.clone()
    clone.set_model_attn2_patch(pack.repeat)
    clone.set_model_attn2_output_patch(pack.mix)
    return clone


@pytest.fixture(params=[False, True], ids=["silent", "tells"])
def tells(request):
    return request.param


@pytest.mark.parametrize(("batch", "cfg"), [(1, 4.0), (2, 4.0), (2, 1.0)])
def test_rows_repeated_with_the_same_text_change_nothing(model, adapter, mode, tells, batch, cfg):
    settings = {"batch": batch, "cfg": cfg, "steps": 1}
    assert_same(sample(couple(model, tells=tells), **settings), sample(model, **settings))
    patched = apply(model, TWO, adapter, mode=mode)
    expected = sample(patched, **settings)

    assert_same(sample(couple(patched, tells=tells), **settings), expected)
    before = apply(couple(model, tells=tells), TWO, adapter, mode=mode)
    assert_same(sample(before, **settings), expected)
    assert_different(expected, sample(model, **settings))


def test_a_text_that_such_a_pack_repeats_counts_once(model, adapter, mode, tells):
    """Texts of regions are brought to one length with the prompt by repeating each; here one is the prompt twice."""
    twice = [[POSITIVE[0][0].repeat(1, 2, 1), {}]]
    patched = apply(model, TWO, adapter, mode=mode)

    assert_same(sample(couple(patched, (twice,), tells), steps=1), sample(patched, steps=1))


def first_layer(model, batch=1) -> torch.Tensor:
    """[groups, images, 16, 16, C]: what the first layer adds to the picture's features in one step, mixed by the pack.

    The output projection before it is linear, and the same for all: sums and equal rows stay so.
    """
    seen, clone = [], model.clone()
    clone.set_model_attn2_output_patch(lambda n, options: seen.append((options["block"], n.clone())) or n)
    sample(clone, size=(16, 16), steps=1, batch=batch)
    (out,) = [n for block, n in seen if block == FIRST[:2]]
    return out.unflatten(0, (-1, batch)).unflatten(2, (16, 16))


def test_outside_the_regions_the_texts_of_such_a_pack_stay_as_they_are(model, adapter, mode, tells):
    prompts = (conditioning(61), conditioning(62))
    alone = first_layer(couple(model, prompts, tells), batch=2)

    both = first_layer(apply(couple(model, prompts, tells), [Member(ADA, SPOT)], adapter, mode=mode), batch=2)

    inside = touched(SPOT, (16, 16), (16, 16))
    assert torch.equal(both[:, :, ~inside], alone[:, :, ~inside])
    assert ((both - alone)[:, :, inside].abs().amax(-1) > 1e-4).sum() >= 2 * 2 * 31


def test_decoupled_people_are_the_same_whatever_the_texts(model, adapter, tells):
    """The term of a person with an attention of their own does not know the text: it comes through the masks whole."""
    prompts, cast = (conditioning(61), conditioning(62)), [Member(ADA, SPOT), Member(BOB, Region("top", height=0.2))]
    term = first_layer(apply(model, cast, adapter)) - first_layer(model)

    coupled = couple(model, prompts, tells)
    assert_same(first_layer(apply(coupled, cast, adapter)) - first_layer(coupled), term)


def test_people_of_several_positive_prompts_stay_in_their_rows(model, adapter, mode, tells):
    """Three groups of rows, two of them repeated; only the negative prompt's rows are nobody's."""
    patched = apply(model, [Member(ADA, LEFT)], adapter, mode=mode)
    settings = {"positive": POSITIVE + POSITIVE, "steps": 1, "batch": 2}

    coupled = sample(couple(patched, tells=tells), **settings)
    assert_same(coupled, sample(patched, **settings))
    assert_different(coupled, sample(apply(model, [Member(BOB, LEFT)], adapter, mode=mode), **settings))
