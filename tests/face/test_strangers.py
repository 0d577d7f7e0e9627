"""Whether faces show one person, from embeddings whose likeness is known."""

import numpy as np
import pytest
from pack.face.identity import Identity
from pack.face.strangers import groups, stranger_warning, verdict


def alike(*people, likeness=0.6, size=32):
    """Embeddings of photos; those of one person have the given cosine, those of two have 0."""
    names = sorted(set(people))
    axes = np.eye(size)
    rows = []
    for index, person in enumerate(people):
        own = axes[names.index(person)]
        rows.append(likeness**0.5 * own + (1 - likeness) ** 0.5 * axes[len(names) + index])
    return 7 * np.array(rows, np.float32)


def identity(rows):
    count = len(rows)
    crops = np.zeros((count, 112, 112, 3), np.uint8)
    return Identity("Ada", {"r": rows}, crops, np.zeros((count, 5, 2)), np.zeros((count, 4)))


def test_photos_are_grouped_by_person_the_largest_group_first():
    assert groups(alike("b", "a", "a", "b", "a", "c")) == [[1, 2, 4], [0, 3], [5]]


def test_a_chain_of_likeness_keeps_a_turned_face_with_its_person():
    axes = np.eye(3)
    half = 2**-0.5

    assert groups(np.array([axes[0], half * (axes[0] + axes[1]), axes[1]])) == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("a", ""),
        ("aaa", ""),
        ("aab", "Photo 3 of 'Ada' seems to show someone else (similarity to the others at most 0.00)"),
        ("baaca", "Photos 1, 4 of 'Ada' seem to show someone else"),
        ("ab", "do not agree on one person: photo 1 and photo 2 are unlike"),
        ("aabb", "photos 1, 2 and photos 3, 4 are unlike"),
    ],
)
def test_the_warning_names_the_photos(people, words):
    said = stranger_warning(identity(alike(*people)), "r")

    assert words in said
    assert bool(said) == bool(words)


def test_a_verdict_is_plain():
    assert [verdict(s)[:9] for s in (-0.2, 0.24, 0.25, 0.44, 0.45, 1.0)] == [
        "different", "different", "perhaps t", "perhaps t", "the same ", "the same ",
    ]  # fmt: skip
