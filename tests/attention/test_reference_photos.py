"""The slow reference of self-attention to photos: what must hold of it, and numbers worked out by hand."""

import math

import pytest
import torch
from pack.tests.attention.reference_modes import softmax_attention
from pack.tests.attention.reference_self import Reference, adain_mean, self_attention
from pack.tests.attention.self_inputs import (
    BOTH,
    FIRST,
    HEADS,
    ONE,
    PLAIN,
    REGIONS,
    SECOND,
    WIDTH,
    K,
    Q,
    V,
    close,
    photo,
    reach,
    run,
)


def test_photos_by_hand():
    regions = torch.tensor([FIRST, SECOND], dtype=torch.bool)
    zeros, v = torch.zeros(2, 1), torch.tensor([[1.0], [3.0]])
    faces = Reference(zeros, torch.tensor([[10.0], [99.0]]), torch.tensor([True, False]), 3.0)

    out = self_attention(torch.ones(2, 1), zeros, v, regions, 1, 0.5, references=[faces, None])

    assert out[:, 0].tolist() == pytest.approx([(1 + 1.5 + 30) / 4.5, (0.5 + 3) / 1.5])


def test_photos_without_odds_or_faces_leave_self_attention_as_it_is():
    faceless, empty = photo(10, face=[0] * 5), photo(20, length=0)

    for references in ([photo(10, odds=0.0), None], [faceless, empty], [None, None], ()):
        for eta in (1.0, 0.2, 0.0):
            assert torch.equal(run(eta=eta, references=references), run(eta=eta))
    assert torch.allclose(run(references=[photo(10, odds=1e-12), photo(20, odds=1e-12)]), PLAIN, atol=1e-9)


@pytest.mark.parametrize("odds", [1.0, 0.3, 20.0])
def test_copies_of_the_own_tokens_cancel(odds):
    copies = Reference(K, V, ONE[:, 0], odds)

    assert close(run(ONE, references=[copies]), PLAIN)
    assert close(run(ONE.expand(-1, 3), references=[copies] * 3), PLAIN)


def test_copies_cancel_in_isolation_where_everybody_sees_only_their_own():
    regions = torch.tensor([FIRST, FIRST, SECOND, SECOND, FIRST, SECOND, SECOND], dtype=torch.bool)
    copies = [Reference(K, V, regions[:, i], 2.0) for i in range(2)]

    assert close(run(regions, 0.0, references=copies), run(regions, 0.0))


def test_a_photo_is_seen_from_its_member_alone_and_only_its_face():
    faces = [photo(10, face=[1, 0, 1, 1, 0]), photo(20, length=3)]
    dirty = faces[0]._replace(k=faces[0].k.clone(), v=faces[0].v.clone())
    dirty.k[[1, 4]], dirty.v[[1, 4]] = torch.nan, torch.nan

    changed = (run(references=faces) != run(references=[photo(30), faces[1]])).any(-1)

    assert torch.equal(changed, REGIONS[:, 0])
    assert torch.equal(run(references=faces), run(references=[dirty, faces[1]]))
    assert torch.equal(run(references=faces)[4:6], PLAIN[4:6])


def test_photos_do_not_open_a_way_between_people():
    references = [photo(10), photo(20)]

    assert torch.equal(reach(REGIONS, references=references), reach(REGIONS))


def test_odds_are_the_odds_of_the_photo_in_the_same_softmax():
    blank, bright = torch.zeros_like(V), torch.ones(5, WIDTH, dtype=torch.float64)

    def weight(odds):
        return run(eta=0.4, v=blank, references=[photo(10, odds=odds)._replace(v=bright), None])[0, 0]

    one, three = weight(1.0), weight(3.0)
    assert (three / (1 - three) / (one / (1 - one))).item() == pytest.approx(3.0)
    assert weight(math.exp(50)).item() == pytest.approx(1.0)


def test_one_photo_for_members_who_fill_the_picture_is_that_photo_everywhere():
    halves = torch.tensor([FIRST, SECOND, SECOND, FIRST, FIRST, SECOND, FIRST], dtype=torch.bool)

    assert torch.equal(run(halves, references=[photo(10)] * 2), run(ONE, references=[photo(10)]))


def test_an_overlap_sees_the_photos_of_both():
    regions = torch.tensor([FIRST, BOTH, SECOND], dtype=torch.bool)
    q, k, v = Q[:3], K[:3], V[:3]
    both = self_attention(q, k, v, regions, HEADS, 0.0, references=[photo(10), photo(20)])

    keys, values = (torch.cat([own, photo(10)[side], photo(20)[side]]) for side, own in enumerate((k, v)))
    assert close(both[1], softmax_attention(q[1:2], keys, values, HEADS)[0])


def test_adain_takes_over_the_means_and_nothing_else():
    x, target = torch.tensor([[1.0, 10.0], [3.0, 30.0]]), torch.tensor([[0.0, 5.0], [6.0, 5.0], [0.0, 5.0]])

    assert adain_mean(x, target).tolist() == [[1.0, -5.0], [3.0, 15.0]]
    assert close(adain_mean(K, K), K)
    assert close(adain_mean(adain_mean(K[:3], V), Q), adain_mean(K[:3], Q))
    assert torch.equal(adain_mean(K, V[:0]), K)
    assert adain_mean(K[:0], V).shape == (0, WIDTH)
