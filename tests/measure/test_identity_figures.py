"""Published figures of identity on exact small numbers, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.measure.identity_figures import face_sim, id_conf, mixing, multi_sim, sim_ref
from pack.measure.match import match_faces, similarity_matrix
from pack.tests.measure import reference_figures

A, B, C = np.eye(3)


def figures(faces, references):
    """Every figure of faces against references, as embeddings."""
    faces, references = np.reshape(faces, (-1, 3)), np.reshape(references, (-1, 3))
    similarity = similarity_matrix(faces, references)
    matched = match_faces(similarity)
    among = similarity_matrix(faces, faces)
    return {
        "sim_ref": sim_ref(similarity, matched),
        "face_sim": face_sim(similarity),
        "multi_sim": multi_sim(similarity, matched, among),
        "mixing": mixing(matched, among, similarity_matrix(references, references)),
        "id_conf": id_conf(similarity, matched),
    }


def test_two_people_drawn_as_they_are():
    found = figures([A, B], [A, B])

    assert (found["sim_ref"], found["face_sim"], found["multi_sim"], found["mixing"]) == (1, 1, 2, 0)
    assert found["id_conf"].tolist() == [1, 1]


def test_one_face_for_both_is_fully_mixed():
    blend = (A + B) / 2**0.5
    found = figures([blend, blend], [A, B])

    assert found["sim_ref"] == pytest.approx(0.5**0.5)
    assert found["multi_sim"] == pytest.approx(0.5**0.5)  # the second term is 0
    assert found["mixing"] == pytest.approx(1)
    np.testing.assert_allclose(found["id_conf"], 0, atol=1e-12)


def test_multisim_pays_for_any_difference_and_mixing_does_not():
    twin = np.array([1, 0.1, 0])
    found = figures([A, twin], [A, twin])

    assert found["multi_sim"] == pytest.approx(2 - 1 / 1.01**0.5)
    assert found["mixing"] == pytest.approx(0)


@pytest.mark.parametrize("faces", [[A], []])
def test_who_is_missing_earns_nothing(faces):
    found = figures(faces, [A, B])

    assert found["face_sim"] == 0
    assert found["multi_sim"] == pytest.approx(0.5 * len(faces))
    assert found["mixing"] is None
    assert found["sim_ref"] == (1 if faces else None)
    assert found["id_conf"].tolist() == [len(faces), 0]


def test_one_member_alone_has_nobody_to_be_mixed_with():
    found = figures([A, B], [A])

    assert (found["multi_sim"], found["mixing"], found["sim_ref"]) == (None, None, 1)


def test_facesim_matches_greedily_and_takes_the_least():
    similarity = np.array([[0.9, 0.8], [0.7, 0.1]])  # the best sum would be 0.8 + 0.7

    assert face_sim(similarity) == 0.1
    assert face_sim(np.array([[0.9, 0.0], [0.0, -0.3]])) == 0


def test_identity_confidence_is_the_lead_of_the_best_face():
    similarity = np.array([[0.8, 0.1], [0.2, 0.5], [0.1, -0.4]])

    np.testing.assert_allclose(id_conf(similarity, np.array([0, 1])), [0.75, 0.8])


def test_identity_confidence_has_bounds_where_similarities_are_below_nothing():
    similarity = np.array([[-0.1, 0.4], [-0.2, -0.9]])

    assert id_conf(similarity, np.array([1, 0])).tolist() == [0, 1]


rows = st.lists(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda row: np.linalg.norm(row) > 0.1), max_size=5)


@settings(max_examples=60, deadline=None)
@given(rows, rows.filter(lambda some: len(some) > 1), st.randoms())
def test_neither_the_order_of_faces_nor_of_members_nor_their_lengths_matter(faces, references, random):
    plain = figures(faces, references)
    order = random.sample(range(len(faces)), len(faces))
    people = random.sample(range(len(references)), len(references))
    turned = figures([np.multiply(faces[i], 3) for i in order], [references[i] for i in people])
    similarity = similarity_matrix(np.reshape(faces, (-1, 3)), np.array(references))

    assert turned["face_sim"] == pytest.approx(plain["face_sim"], abs=1e-9) or _tied(similarity)
    if not _tied(similarity):
        np.testing.assert_allclose(turned["id_conf"], plain["id_conf"][people], atol=1e-9)
        for name in ("sim_ref", "multi_sim", "mixing"):
            assert turned[name] == (plain[name] if plain[name] is None else pytest.approx(plain[name], abs=1e-9))
    assert 0 <= plain["face_sim"] <= 1 + 1e-9
    assert -1 - 1e-9 <= plain["multi_sim"] <= 3 + 1e-9
    assert ((plain["id_conf"] >= 0) & (plain["id_conf"] <= 1)).all()


@settings(max_examples=60, deadline=None)
@given(rows, rows.filter(lambda some: len(some) > 1))
def test_multisim_is_its_formula_written_slowly(faces, references):
    similarity = similarity_matrix(np.reshape(faces, (-1, 3)), np.array(references))
    matched = match_faces(similarity)
    drawn = [faces[face] if face >= 0 else None for face in matched]

    found = multi_sim(similarity, matched, similarity_matrix(np.reshape(faces, (-1, 3)), np.reshape(faces, (-1, 3))))

    assert found == pytest.approx(reference_figures.multi_sim(references, drawn), abs=1e-12)


def _tied(similarity):
    """Whether two pairs are so equally alike that either match is right."""
    values = np.sort(similarity.ravel())
    return len(values) > 1 and np.diff(values).min() < 1e-6
