"""Faces of a layout picture to named regions, and who of several people stands in which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...attention.regions.feathering import with_margin
from ...attention.regions.region import Region
from ...face.engine import Face, FaceEngine, Finding, Search
from ...face.identity import Identity, described_by, normed_embedding
from ...face.search import find_faces, tried_words
from ...face.selection import left_to_right
from ...measure.annotate import GREY, Mark, annotate, member_colour
from ...measure.match import match_faces, similarity_matrix
from ..marks import reduced
from .region_lists import split_names

NODE = "Troupe, Regions from Faces"
BY_SIMILARITY, BY_ORDER = "similarity", "left to right"
ASSIGN = (BY_SIMILARITY, BY_ORDER)


@dataclass(frozen=True, eq=False)
class Layout:
    """The regions from left to right, the faces they were made of, and how alike a face is to the person it is named
    after, where it is."""

    regions: tuple[Region, ...]
    faces: tuple[Face, ...]
    likeness: tuple[float | None, ...]


def layout_of(
    engine: FaceEngine,
    picture: np.ndarray,
    search: Search,
    people: Sequence[Identity] = (),
    assign: str = BY_SIMILARITY,
    names: str = "",
    shape: str = "box",
    margin: float = 0.25,
    most: int = 0,
    others: Sequence[Region] = (),
) -> Layout:
    """A region for each face of a picture, uint8 [H, W, 3], from left to right; nearer faces (larger ones) in front.

    people : whose names regions get: those of the faces that resemble them most, or in order from the left (`assign`);
             the others are called by `names` (see split_names), or person 1, person 2, ...
    margin : of the face's box, on each side (InstantFamily, arXiv 2404.19427, section 4.2)
    most   : at most so many faces, the largest; 0 for all
    others : regions whose names are taken
    Raises ValueError for a picture without a face, for fewer faces than people or names, and for names that are taken.
    """
    finding = find_faces(engine, picture, search)
    faces = finding.faces[: most or None]
    wanted = max(len(people), len(split_names(names)))
    if not faces or len(faces) < wanted:
        raise ValueError(_too_few(engine, picture, search, finding, len(faces), wanted, people))
    faces = [faces[index] for index in left_to_right(faces)]
    owners, likeness = assigned(engine, faces, people, assign)
    called = _names(owners, split_names(names), [region.name for region in others])
    nearest = np.argsort(np.argsort([-np.prod(face.bbox[2:] - face.bbox[:2]) for face in faces], kind="stable"))
    size = np.array([picture.shape[1], picture.shape[0]])
    regions = []
    for name, face, order in zip(called, faces, nearest, strict=True):
        (x, y), (width, height) = face.bbox[:2] / size, (face.bbox[2:] - face.bbox[:2]) / size
        regions.append(Region(name, shape, float(x), float(y), float(width), float(height), order=int(order)))
    return Layout(with_margin(regions, margin), tuple(faces), tuple(likeness))


def assigned(
    engine: FaceEngine, faces: Sequence[Face], people: Sequence[Identity], assign: str
) -> tuple[list[str | None], list[float | None]]:
    """For each face, left to right, the name of the person it is given to and its similarity to them, or None.

    By similarity the sum over all people is the largest there is (Hungarian method); nobody gets two faces.
    """
    owners: list[str | None] = [None] * len(faces)
    likeness: list[float | None] = [None] * len(faces)
    if not people:
        return owners, likeness
    references = [normed_embedding(described_by(person, engine), engine.recogniser) for person in people]
    similarity = similarity_matrix(np.stack([face.embedding for face in faces]), np.stack(references))
    matched = match_faces(similarity) if assign == BY_SIMILARITY else range(len(people))
    for person, face in enumerate(matched):
        owners[face], likeness[face] = people[person].name, float(similarity[face, person])
    return owners, likeness


def marked(picture: np.ndarray, layout: Layout) -> np.ndarray:
    """The picture with its faces numbered from the left and named; a large one is reduced."""
    small, factor = reduced(picture)
    marks = []
    for index, (face, region, alike) in enumerate(zip(layout.faces, layout.regions, layout.likeness, strict=True)):
        note = "" if alike is None else f" {alike:.2f}"
        colour = GREY if alike is None and any(value is not None for value in layout.likeness) else member_colour(index)
        marks.append(Mark(face.bbox / factor, f"{index + 1}: {region.name}{note}", colour))
    return annotate(small, marks)


def _names(owners: Sequence[str | None], given: Sequence[str], taken: Sequence[str]) -> list[str]:
    called, left = [], list(given)
    for number, owner in enumerate(owners, 1):
        called.append(owner or (left.pop(0) if left else f"person {number}"))
    for name in called:
        if [*called, *taken].count(name) > 1:
            raise ValueError(f"{NODE}: two regions would be named '{name}'. Give every person a name of their own.")
    return called


def _too_few(
    engine: FaceEngine, picture: np.ndarray, search: Search, finding: Finding, found: int, wanted: int, people: Sequence
) -> str:
    height, width = picture.shape[:2]
    what = "no face was" if not found else f"{found} face{'s were' if found > 1 else ' was'}"
    whom = f", and {wanted} {'people are' if people else 'names are'} given" if wanted else ""
    return (
        f"{NODE}: {what} found on the layout picture ({width}x{height} pixels){whom}. Tried: "
        f"{tried_words(engine, finding.tried, search.threshold)}. Lower the threshold, use a picture whose faces are "
        "larger and upright, or draw the regions."
    )
