"""Photos looked at by the engines: what is found, whom it resembles, whether two engines agree, how long it takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....face import insightface_engine, onnx_engine
from ....face.cache import AnalysisCache
from ....face.engine import ONE_PASS, Face, Search
from ....face.onnx_engine import OnnxEngine
from ....face.pack import read_pack
from ....face.search import find_faces
from ....measure.match import similarity_matrix
from ...figures.samples import Values
from .conditions import Photo, people_with_photos

GALLERY, PROBES = 8_200_001, 8_300_001
NEAR = 0.25  # of the face's height


def known_people(engine: OnnxEngine, people: int) -> np.ndarray:
    """An embedding of a plain photo of each person, [people, D]."""
    return np.stack([_one_face(engine, photo).embedding for photo in people_with_photos(people, GALLERY, "plain")])


def searched(engine: OnnxEngine, known: np.ndarray, condition: str, searches: Mapping[str, Search]) -> Values:
    """By person, for each search: whether the largest face is theirs, whether it is recognised, how many passes.

    known : [people, D], see known_people
    """
    values: Values = {f"{way}: {says}": [] for way in searches for says in ("recall", "rank-1", "passes")}
    for number, photo in enumerate(people_with_photos(len(known), PROBES, condition)):
        for way, search in searches.items():
            finding = find_faces(engine, photo.picture, search)
            face = finding.faces[0] if finding.faces else None
            values[f"{way}: recall"].append(float(face is not None and is_at(face, photo)))
            nearest = similarity_matrix(face.embedding[None], known)[0].argmax() if face is not None else -1
            values[f"{way}: rank-1"].append(float(nearest == number))
            values[f"{way}: passes"].append(float(len(finding.tried)))
    return values


def is_at(face: Face, photo: Photo) -> bool:
    """Whether a found face is the photo's."""
    middle = (face.bbox[:2] + face.bbox[2:]) / 2
    return float(np.hypot(*(middle - photo.middle))) <= NEAR * photo.height


def engines_compared(folder: Path, photos: int) -> Values:
    """By face that both engines find: the largest difference of a box's edge in pixels, and the embeddings' cosine."""
    pack = read_pack(folder.name, folder)
    ours, theirs = onnx_engine.load_engine(pack, "CPU"), insightface_engine.load_engine(pack, "CPU")
    values: Values = {"pixels": [], "cosine": [], "alone": []}
    for condition in ("plain", "turned by 15 degrees", "24 px faces"):
        for photo in people_with_photos(photos, PROBES, condition):
            mine, other = ours.detect(photo.picture), theirs.detect(photo.picture)
            values["alone"].append(float(abs(len(mine) - len(other))))
            for face in mine if other else ():
                twin = min(other, key=lambda candidate: np.abs(candidate.bbox - face.bbox).max())
                values["pixels"].append(float(np.abs(twin.bbox - face.bbox).max()))
                values["cosine"].append(float(similarity_matrix(face.embedding[None], twin.embedding[None])[0, 0]))
    return values


def timed(engine: OnnxEngine, photos: int) -> Values:
    """Process time of each photo in milliseconds: analysed, from memory, from disk by a cache that has not seen it."""
    values: Values = {"fresh": [], "memory": [], "disk": []}
    with tempfile.TemporaryDirectory() as folder:
        kept = replace(engine, cache=AnalysisCache(Path(folder)))
        for photo in people_with_photos(photos, PROBES, "plain"):
            engine.detect(photo.picture)  # what onnxruntime does at its first call is no part of it
            values["fresh"].append(_milliseconds(engine, photo))
            find_faces(kept, photo.picture)
            values["memory"].append(_milliseconds(kept, photo))
            values["disk"].append(_milliseconds(replace(engine, cache=AnalysisCache(Path(folder))), photo))
    return values


def _milliseconds(engine: OnnxEngine, photo: Photo) -> float:
    begun = time.process_time()
    find_faces(engine, photo.picture, ONE_PASS)
    return 1000 * (time.process_time() - begun)


def _one_face(engine: OnnxEngine, photo: Photo) -> Face:
    faces = find_faces(engine, photo.picture, Search()).faces
    if not faces:
        raise RuntimeError("A plain photo of the gallery shows no face. Train the stage 'detector'.")
    return faces[0]
