"""Routed attention against the slow reference: every policy, overlaps, shared heads, fewer queries, other's masks."""

import pytest
import torch
import torch.nn.functional as F
from pack.attention.routing.policies import CLOSED, POLICIES, Odds, routed_groups
from pack.attention.routing.routed_attention import routed_attention
from pack.tests.attention.reference_routing import routed
from pack.tests.attention.routed_scenes import SCENES, people_in, qkv, scene


def kernel(q, k, v, mask):
    """torch's, with heads that share keys, [B, H, Q, D] -> [B, Q, H * D]."""
    out = F.scaled_dot_product_attention(q, k, v, mask, enable_gqa=q.shape[1] != k.shape[1])
    return out.transpose(1, 2).flatten(2)


def joined(reference):
    """[H, Q, D] -> [1, Q, H * D] float32."""
    return reference.transpose(0, 1).flatten(1)[None].float()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", SCENES)
def test_every_row_attends_to_what_the_reference_says(name, policy):
    whose, tokens = scene(SCENES[name], people_in(SCENES[name]))
    q, k, v = qkv(len(tokens))

    out = routed_attention(kernel, q, k, v, routed_groups(tokens, policy))

    torch.testing.assert_close(out, joined(routed(q[0], k[0], v[0], whose, policy)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("background", ["shared", "apart"])
def test_strengths_and_eta_are_odds_within_the_softmax(policy, background):
    whose, tokens = scene(SCENES["an overlap"])
    q, k, v = qkv(len(tokens))
    odds = Odds((0.3, 2.5), 0.2, background)

    out = routed_attention(kernel, q, k, v, routed_groups(tokens, policy, odds))

    expected = routed(q[0], k[0], v[0], whose, policy, odds.references, 0.2, background)
    torch.testing.assert_close(out, joined(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shared", [1, 2, 4])
def test_heads_may_share_keys_and_the_last_columns_may_have_no_rows(shared):
    whose, tokens = scene(SCENES["two people"])
    queries = len(tokens) - 5  # the references' keys are from a cache
    q, k, v = qkv(len(tokens), heads=4, shared=shared, queries=queries)

    out = routed_attention(kernel, q, k, v, routed_groups(tokens, CLOSED, queries=queries))

    torch.testing.assert_close(out, joined(routed(q[0], k[0], v[0], whose, CLOSED)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", ["full", "keys alone", "bool", "of each row of the batch"])
def test_anothers_mask_is_kept_for_rows_and_columns(shape):
    whose, tokens = scene(SCENES["two people"])
    q, k, v = qkv(len(tokens))
    generator = torch.Generator().manual_seed(3)
    mask = torch.randn(1 if shape == "keys alone" else len(tokens), len(tokens), generator=generator)
    bias = mask.expand(len(tokens), -1)
    if shape == "bool":
        mask = (mask > -1) | torch.eye(len(tokens), dtype=torch.bool)
        bias = torch.zeros(mask.shape).masked_fill(~mask, -1e30)

    if shape == "of each row of the batch":
        q, k, v = (t.expand(3, -1, -1, -1) for t in (q, k, v))
        mask = mask.expand(3, -1, -1)

    groups = routed_groups(tokens, CLOSED, Odds((2.0, 0.5)))
    out = routed_attention(kernel, q, k, v, groups, mask)[-1:]

    expected = routed(q[0], k[0], v[0], whose, CLOSED, (2.0, 0.5), bias=bias)
    torch.testing.assert_close(out, joined(expected), rtol=0, atol=1e-6)


def test_a_single_group_is_the_kernels_own_call_with_the_very_tensors():
    _, tokens = scene([{0}, {1}])
    given, mask = qkv(len(tokens)), torch.zeros(len(tokens), len(tokens))
    seen = []

    routed_attention(lambda *arguments: seen.append(arguments), *given, routed_groups(tokens, "free"), mask)

    ((*found, with_mask),) = seen
    assert all(one is other for one, other in zip(found, given, strict=True))
    assert with_mask is mask


def test_tokens_may_lie_along_other_axes():
    _, tokens = scene(SCENES["an overlap"])
    q, k, v = qkv(len(tokens))
    groups = routed_groups(tokens, CLOSED)

    def flat(q, k, v, mask):
        return kernel(*(t.unflatten(-1, (2, -1)).transpose(1, 2) for t in (q, k, v)), mask)

    out = routed_attention(flat, *(t.transpose(1, 2).flatten(2) for t in (q, k, v)), groups, axes=(1, 1))

    torch.testing.assert_close(out, routed_attention(kernel, q, k, v, groups), rtol=0, atol=1e-6)


def test_no_group_is_handed_a_mask_unless_something_is_weighed():
    _, tokens = scene(SCENES["three, one of them in another"], people=3)
    masks = []

    def noting(q, k, v, mask):
        masks.append(mask)
        return kernel(q, k, v, mask)

    routed_attention(noting, *qkv(len(tokens)), routed_groups(tokens, CLOSED))
    assert masks
    assert all(mask is None for mask in masks)

    masks.clear()
    routed_attention(noting, *qkv(len(tokens)), routed_groups(tokens, CLOSED, Odds((0.5, 1.0, 1.0))))
    assert {tuple(mask.shape[:3]) for mask in masks if mask is not None} == {(1, 1, 1)}
