"""How well faces are found and told apart on hard photos, in one pass and by search; engines, cache, sound files.

Photos are rendered, 512 pixels a side, of people the demo's face pack was never trained on, and then turned, covered,
blurred, cut to the face, made tiny or dark. Recall: the face that Extract Identity takes (the largest) has its middle
within a quarter of the face's height of the true one. Rank-1: of all people, it resembles a plain photo of the same
person most; a face that is not found is not recognised. Engines are compared on the same photos and on the same files
at the same size. Sound files are photos of the demo's people in all kinds of files, among them odd ones (large
profiles, bytes behind the end, wrong checksums of texts, enlargements, screenshots, stills of videos), read by
ComfyUI's own Load Image in a process of their own: none may be refused.
The last question is how sure a search is: of the demo's pack on rendered photos, as they lie and turned.
With --photos DIR and --pack DIR (or --real) your own photos and packs are measured instead, pack by pack.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from ...face.engine import ONE_PASS, Search
from ...face.insightface_engine import is_installed
from ...face.onnx_engine import OnnxEngine, load_engine
from ...face.pack import read_pack
from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.intervals import bootstrap_figure, t_figure
from ..figures.samples import Samples, Values
from ..figures.verdict import Figure, Row
from .face_search.conditions import CONDITIONS, people_with_photos
from .face_search.looking import PROBES, engines_compared, known_people, searched, timed
from .face_search.real_photos import pack_rows, rows_of_pack
from .face_search.sound_files import examine

PACKS = ROOT / "demo" / "weights" / "insightface" / "models"
SEARCHES = {"one pass": ONE_PASS, "search": Search()}
MOST_PIXELS, LEAST_COSINE = 1.0, 0.9999


def rows(settings: Settings) -> list[Row]:
    """All rows; what several of them rest on is measured once."""
    if settings.photos:
        return list(pack_rows(settings))
    samples = Samples(settings.places.home / "bench" / "faces-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    people, files = (8, 200) if settings.quick else (24, 1500)
    engine = load_engine(read_pack("troupe-demo", PACKS / "troupe-demo"), "CPU")
    found = list(condition_rows(engine, people, samples))
    found += rendered_rows(engine, people)
    if is_installed():
        found += engine_rows(PACKS / "troupe-demo", max(12, people // 2), samples)
    found += cache_rows(engine, 12, samples)
    return [*found, *file_rows(settings, files, samples)]


def condition_rows(engine: OnnxEngine, people: int, samples: Samples) -> Iterator[Row]:
    """Recall and rank-1 of each condition, by one pass and by search, and how many passes the search took."""

    @cache
    def known() -> np.ndarray:
        return known_people(engine, people)

    for condition in CONDITIONS:
        for says in ("one pass: recall", "search: recall", "one pass: rank-1", "search: rank-1", "search: passes"):

            def figure(condition: str = condition, says: str = says) -> Figure:
                values = samples.get(condition, lambda: searched(engine, known(), condition, SEARCHES))
                return bootstrap_figure(values[says])

            yield Row(f"{condition}, {says}", "", figure)


def rendered_rows(engine: OnnxEngine, people: int) -> Iterator[Row]:
    """What is asked of published packs on real photos, of the demo's pack on rendered ones."""
    photos = [photo.picture for photo in people_with_photos(4 * people, PROBES, "plain")]
    return rows_of_pack(engine, PACKS / engine.name, photos, "rendered photos")


def engine_rows(pack: Path, photos: int, samples: Samples) -> list[Row]:
    """Our engine against the insightface library, face by face."""

    def compared() -> Values:
        return samples.get("engines", lambda: engines_compared(pack, photos))

    def worst(field: str, largest: bool) -> Figure:
        values = compared()[field]
        value = max(values) if largest else min(values)
        return Figure(value, value, value, len(values))

    return [
        Row("engines: largest difference of boxes", "px", lambda: worst("pixels", True), MOST_PIXELS),
        Row("engines: smallest cosine of embeddings", "", lambda: worst("cosine", False), LEAST_COSINE, at_most=False),
        Row("engines: faces only one of them finds", "", lambda: worst("alone", True), 0.0),
    ]


def cache_rows(engine: OnnxEngine, photos: int, samples: Samples) -> list[Row]:
    """What an analysis costs the first time, and every time after."""

    def times() -> Values:
        return samples.get("times", lambda: timed(engine, photos))

    names = {"fresh": "analysed", "memory": "kept in memory", "disk": "kept on disk"}
    return [
        Row(f"a photo of 512 px, {words}, process time", "ms", lambda field=field: t_figure(times()[field]))
        for field, words in names.items()
    ]


def file_rows(settings: Settings, files: int, samples: Samples) -> list[Row]:
    """What becomes of sound files."""

    def total(outcome: str) -> Figure:
        found = samples.get("files", lambda: examine(settings.installation, files, settings.console.status))
        count = float(sum(found[outcome]))
        return Figure(count, count, count, files)

    return [
        Row(f"{files:,} sound variants: refused", "", lambda: total("refused"), 0.0),
        Row(f"{files:,} sound variants: no face found", "", lambda: total("no face")),
    ]
