"""Isolation and photos in self-attention against their formula, and what they leave alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.isolation.grouped_attention import PhotoKeys, grouped_attention, mean_matched
from pack.attention.isolation.token_groups import owners, token_groups
from pack.attention.operators.kernel import fused_attention
from pack.tests.attention import reference_self as slow
from pack.tests.attention.self_inputs import HEADS, ONE, REGIONS, K, Q, V, photo

DOUBLE = {"atol": 1e-12, "rtol": 1e-12}


def attended(regions=REGIONS, eta=1.0, background="shared", photos=None, q=Q, k=K, v=V):
    """The pack's own way, for one row."""
    groups = token_groups(regions, eta, background)
    return grouped_attention(torch.empty_like(q)[None], q[None], k[None], v[None], groups, HEADS, eta, photos)[0]


def kept(reference):
    """A reference of the slow code as photos of the fast one."""
    return PhotoKeys(reference.k[reference.face][None], reference.v[reference.face][None], reference.odds)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=7, max_size=7),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from(["shared", "apart"]),
    st.lists(st.sampled_from([None, 0.5, 1.0, 3.0]), min_size=3, max_size=3),
)
def test_isolation_and_photos_are_their_formula(regions, eta, background, odds):
    regions = torch.tensor(regions)
    faces = [True, False, True, True, False]
    references = [None if o is None else photo(20 + 2 * i, odds=o, face=faces) for i, o in enumerate(odds)]
    photos = {i: kept(reference) for i, reference in enumerate(references) if reference}

    out = attended(regions, eta, background, photos)

    torch.testing.assert_close(out, slow.self_attention(Q, K, V, regions, HEADS, eta, background, references), **DOUBLE)


def test_an_eta_of_one_and_a_picture_without_people_are_plain_attention():
    plain = fused_attention(Q[None], K[None], V[None], HEADS)[0]

    torch.testing.assert_close(attended(eta=1.0), plain, **DOUBLE)
    assert torch.equal(attended(REGIONS & False, eta=0.0), plain)
    assert torch.equal(attended(ONE, eta=0.0), plain)  # one person, everywhere


def test_at_eta_zero_people_do_not_depend_on_each_other():
    jacobian = torch.autograd.functional.jacobian(lambda k, v: attended(eta=0.0, k=k, v=v), (K, V))
    reach = sum(part.abs().amax((1, 3)) for part in jacobian) > 0
    first, second = REGIONS[:, 0], REGIONS[:, 1]

    assert not reach[first][:, second].any()
    assert not reach[second][:, first].any()
    assert reach[first][:, first].all()
    assert reach[~(first | second)].all()


def test_copies_of_the_own_tokens_cancel():
    everywhere = ONE
    photos = {0: PhotoKeys(K[None], V[None], 2.0)}

    torch.testing.assert_close(attended(everywhere, photos=photos), attended(everywhere), **DOUBLE)


def test_photos_of_vanishing_weight_are_plain_attention():
    photos = {0: PhotoKeys(*(photo(30)[:2][i][None] for i in (0, 1)), 1e-30)}

    torch.testing.assert_close(attended(photos=photos), attended(), **DOUBLE)


def test_the_order_of_members_does_not_matter():
    photos = {0: kept(photo(30)), 1: kept(photo(32))}
    swapped = {0: photos[1], 1: photos[0]}

    one, other = attended(eta=0.2, photos=photos), attended(REGIONS.flip(1), eta=0.2, photos=swapped)

    torch.testing.assert_close(one, other, **DOUBLE)


def test_matched_means_are_the_pictures():
    reference = photo(30)

    out = mean_matched(reference.k[None], K[None])[0]

    torch.testing.assert_close(out, slow.adain_mean(reference.k, K), **DOUBLE)


@pytest.mark.parametrize(
    ("shares", "owned"),
    [
        ([1.0, 0.0], [True, False]),
        ([0.5, 0.5], [True, True]),
        ([0.34, 0.33], [True, True]),
        ([0.9, 0.1], [True, False]),
        ([0.2, 0.2], [False, False]),
        ([0.0, 0.0], [False, False]),
        ([1.0, 1.0], [True, True]),
    ],
)
def test_a_cell_belongs_to_those_who_hold_most_of_it(shares, owned):
    assert owners(torch.tensor([shares]))[0].tolist() == owned
