"""PuLID on a real, tiny UNet: both versions and every method against the formulas, one person everywhere."""

from dataclasses import replace
from functools import cache

import comfy.ldm.modules.attention as attention
import numpy as np
import pytest
import torch
from pack.attention.adapters.weights import read_adapter
from pack.attention.operators.orthogonal import METHODS, zero_tokens_of
from pack.attention.recipes.cast import Member
from pack.face.grey_portrait import grey_portrait
from pack.nodes.host.adapters.adapter_group import group_of, inputs_of, nobody_for
from pack.nodes.host.adapters.eva_features import eva_features_of, pixels_of
from pack.tests.attention import reference_eva, reference_pulid
from pack.tests.host.tiny_adapters import ANTELOPE, photographed
from pack.tests.host.tiny_models import ADAPTER_LAYERS, EVERYWHERE, apply, assert_different, assert_same, sample
from pack.tests.host.tiny_pulid import KINDS, TOKENS, VECTOR, WIDTH, eva_state, pulid_state

ADA, BOB = (photographed(name, seed, photos=1, recogniser=ANTELOPE) for name, seed in (("Ada", 1), ("Bob", 2)))


@pytest.fixture(scope="module")
def untouched(model):
    return sample(model, steps=1)


def exact(state):
    return {key: value.double().numpy() for key, value in state.items()}


@cache
def tokens_by_formula(kind, identity):
    """Tokens of one photo, from the photo itself: crop, encoder and projection written out."""
    side = 28
    pixels = pixels_of(grey_portrait(identity.photos[0], identity.keypoints[0]), side)[0].double().numpy()
    seeing = {key.removeprefix("visual."): value for key, value in exact(eva_state()).items()}
    vector, scales = reference_eva.eva_vision({k: v for k, v in seeing.items() if "rope" not in k}, pixels)
    (face,) = identity.embeddings[ANTELOPE].astype(np.float64)
    return tokens_of(kind, face, vector / np.linalg.norm(vector), scales)


def tokens_of(kind, face, vector, scales):
    projection = exact(read_adapter(pulid_state(kind)).projection)
    formula = {"pulid": reference_pulid.id_encoder, "pulid v1.1": reference_pulid.id_former}[kind]
    return formula(projection, face, vector, scales)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_from_photo_and_nobody_are_those_of_the_formulas(pulid, kind):
    adapter = pulid(kind)
    group = group_of(adapter, [0], [ADA], "average")

    person, nobody = adapter.module.tokens(group.rows).double().numpy()

    assert person.shape == (TOKENS[kind], 64)
    np.testing.assert_allclose(person, tokens_by_formula(kind, ADA), atol=1e-4, rtol=0)
    zeros = tokens_of(kind, np.zeros(512), np.zeros(VECTOR), np.zeros((5, 5, WIDTH)))
    np.testing.assert_allclose(nobody, zeros, atol=1e-5, rtol=0)


def plain(model, kind, name, zeros, pooled=False):
    """PuLID as published: one person everywhere, in every layer by the formula in float64, row by row.

    pooled : as the pack for this host has it, which never reaches the middle block
    """
    method = replace(METHODS[name], pooled=pooled)
    rows = [tokens_by_formula(kind, ADA), tokens_of(kind, np.zeros(512), np.zeros(VECTOR), np.zeros((5, 5, WIDTH)))]
    maps = exact(pulid_state(kind))

    def replacement(number):
        def text_and_face(q, k, v, options):
            out = attention.optimized_attention(q, k, v, options["n_heads"])
            done = []
            for text, asking, index in zip(out, q, options["cond_or_uncond"], strict=True):
                tokens = np.concatenate([rows[index], np.zeros((zeros, 64))])
                key, value = (tokens @ maps[f"id_adapter_attn_layers.{number}.id_to_{w}.weight"].T for w in "kv")
                done.append(by_formula(text.double(), asking.double(), key, value, options["n_heads"], method))
            return torch.stack(done).to(out)

        return text_and_face

    clone = model.clone()
    for index, key in enumerate(ADAPTER_LAYERS):
        if not (pooled and key[0] == "middle"):
            clone.set_model_attn2_replace(replacement(2 * index + 1), *key)
    return clone


def by_formula(text, q, key, value, heads, method):
    """The reference's layer for one row [N, C] and one person, vectorised over the points, no code shared."""
    q, key, value = (torch.as_tensor(t).unflatten(-1, (heads, -1)).transpose(0, 1) for t in (q, key, value))
    bare = q @ key.mT
    own = ((bare / q.shape[-1] ** 0.5).softmax(-1) @ value).transpose(0, 1).flatten(1)
    if not method.orthogonal:
        return text + own
    along = (text * own).sum(0) / (text * text).sum(0) * text
    kept = bare.softmax(-1)[..., :5].sum(-1).mean(0)[:, None] if method.lead else 0.0
    if method.lead and method.pooled:
        kept = bare.sum(0).softmax(-1)[:, :5].sum(-1).mean()
    return text + own + (kept - 1) * along


@pytest.mark.parametrize(("kind", "name"), [*(("pulid", name) for name in METHODS), ("pulid v1.1", "fidelity")])
def test_one_person_everywhere_is_the_plain_method(model, untouched, pulid, kind, name):
    adapter = pulid(kind, method=name)

    expected = sample(plain(model, kind, name, zero_tokens_of(kind, name)), steps=1)

    assert_same(sample(apply(model, [Member(ADA, EVERYWHERE)], adapter), steps=1), expected, tolerance=1e-3)
    assert_different(expected, untouched)


def test_peer_compatible_is_the_pack_for_this_host(model, untouched, pulid):
    adapter = pulid("pulid", peers=True)
    expected = sample(plain(model, "pulid", "fidelity", 8, pooled=True), steps=1)

    assert_same(sample(apply(model, [Member(ADA, EVERYWHERE)], adapter), steps=1), expected, tolerance=1e-3)
    assert_different(expected, untouched)
    assert_different(sample(plain(model, "pulid", "fidelity", 8), steps=1), expected)


def test_both_halves_see_the_same_face(pulid):
    """A photo of two: the embedding is that of the face whose key points the identity has, and so is the crop."""
    other = photographed("Ada", 1, photos=1, recogniser=ANTELOPE)
    other.keypoints[0] += 15

    (mine, _), (theirs, _) = (eva_features_of(pulid(), identity) for identity in (ADA, other))

    expected = pulid().vision.model(pixels_of(grey_portrait(ADA.photos[0], ADA.keypoints[0]), 28))[1]
    torch.testing.assert_close(mine, expected)
    assert (mine - theirs).abs().max() > 1e-2


def test_a_person_kept_without_photos_is_seen_by_the_crop(pulid):
    saved = photographed("Ada", 1, photos=1, recogniser=ANTELOPE)
    without = type(saved)("Ada", saved.embeddings, saved.crops, saved.keypoints, saved.boxes)

    rows = inputs_of(without, pulid(), "average")

    assert rows.features.shape == (1, 5, 5, WIDTH)
    torch.testing.assert_close(rows.vectors.norm(dim=-1), torch.ones(1))


def test_embeddings_are_raw_and_nobody_is_zeros(pulid):
    rows, nobody = inputs_of(ADA, pulid(), "average"), nobody_for(pulid())

    torch.testing.assert_close(rows.faces, torch.from_numpy(ADA.embeddings[ANTELOPE]))
    assert not any(part.any() for part in nobody.parts[:3])
    assert [part.shape[1:] for part in nobody.parts[:3]] == [part.shape[1:] for part in rows.parts[:3]]
