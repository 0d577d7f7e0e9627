"""Matching faces to references by similarity."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pack.measure.match import match_faces, similarity_matrix

similarities = st.tuples(st.integers(0, 5), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1, 1, width=16))
)


@settings(max_examples=100, deadline=None)
@given(similarities)
def test_the_match_is_one_to_one_and_no_other_is_better(similarity):
    faces, members = similarity.shape

    matched = match_faces(similarity)

    used = matched[matched >= 0]
    assert len(set(used)) == len(used) == min(faces, members)
    total = sum(similarity[face, member] for member, face in enumerate(matched) if face >= 0)
    slots = [*range(faces), *[None] * max(0, members - faces)]
    best = max(
        sum(0 if face is None else similarity[face, member] for member, face in enumerate(order))
        for order in permutations(slots, members)
    )
    assert total == pytest.approx(best)


@settings(max_examples=50, deadline=None)
@given(similarities, st.randoms())
def test_the_order_in_which_faces_were_found_does_not_matter(similarity, random):
    order = list(range(len(similarity)))
    random.shuffle(order)

    value = lambda s: sum(s[face, member] for member, face in enumerate(match_faces(s)) if face >= 0)  # noqa: E731

    assert value(similarity) == pytest.approx(value(similarity[order]))


def test_missing_faces_are_marked():
    assert match_faces(np.array([[0.1, 0.9, 0.2]])).tolist() == [-1, 0, -1]
    assert match_faces(np.zeros((0, 2))).tolist() == [-1, -1]


def test_the_total_decides_not_the_greedy_choice():
    assert match_faces(np.array([[0.9, 0.8], [0.7, 0.1]])).tolist() == [1, 0]


def test_similarity_is_the_cosine_whatever_the_lengths():
    found = similarity_matrix(np.array([[2.0, 0], [3, 3]]), np.array([[5.0, 0], [0, 0.1]]))

    np.testing.assert_allclose(found, [[1, 0], [0.5**0.5, 0.5**0.5]])


def test_no_faces_give_an_empty_matrix():
    assert similarity_matrix(np.zeros((0, 3)), np.eye(3)).shape == (0, 3)


def test_embeddings_of_two_recognisers_are_refused():
    with pytest.raises(ValueError, match=r"\[1, 512\] and references \[2, 128\] cannot be compared"):
        similarity_matrix(np.ones((1, 512)), np.ones((2, 128)))


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_embeddings_without_a_direction_are_refused(value):
    with pytest.raises(ValueError, match="length 0, or one that is not finite"):
        similarity_matrix(np.full((1, 3), value), np.eye(3))
