"""The bench `faces`: its photos show a face where they say, its rows give figures, its sound files are read."""

import sys
from pathlib import Path

import numpy as np
import pytest
from pack.demo.people_by_name import NAMES, photo_of
from pack.face.engine import Search
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.face.search import find_faces
from pack.scripts.benches import faces
from pack.scripts.benches.face_search.conditions import CONDITIONS, people_with_photos
from pack.scripts.benches.face_search.looking import is_at
from pack.scripts.benches.face_search.real_photos import photos_in, rows_of_pack
from pack.scripts.benches.face_search.sound_files import OUTCOMES, examine
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.figures.samples import Samples
from pack.tests.host.conftest import host_folder
from PIL import Image

EASY = ("plain", "turned by 15 degrees", "a third covered", "24 px faces")


@pytest.fixture(scope="module")
def engine():
    return load_engine(read_pack("troupe-demo", faces.PACKS / "troupe-demo"), "CPU")


@pytest.mark.parametrize("condition", EASY)
def test_the_face_is_where_the_photo_says(engine, condition):
    shown = people_with_photos(3, 5, condition)

    found = [find_faces(engine, photo.picture, Search()).faces for photo in shown]

    assert sum(is_at(faces[0], photo) for faces, photo in zip(found, shown, strict=True) if faces) >= 2
    photo = shown[0]
    if condition == "24 px faces":
        assert photo.height == pytest.approx(24, abs=0.5)


def test_a_quarter_turn_and_a_close_up_move_the_truth_along():
    (plain,), (turned,), (close,) = (people_with_photos(1, 5, c) for c in ("plain", "turned by 90 degrees", "close-up"))

    x, y = plain.middle
    np.testing.assert_allclose(turned.middle, [y, 512 - x], atol=1)
    np.testing.assert_allclose(close.middle, np.array(close.picture.shape[1::-1]) / 2, atol=1.5)
    assert np.abs(turned.picture.astype(int) - np.rot90(plain.picture)).mean() < 4


def test_every_condition_has_rows_and_one_person_gives_a_figure(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(faces, "CONDITIONS", {"blurred": CONDITIONS["blurred"]})

    rows = list(faces.condition_rows(engine, 1, Samples(tmp_path / "samples.jsonl", "key")))

    assert len(rows) == 5
    assert [row.measure().value for row in rows] == [1, 1, 1, 1, 1]


def test_sound_files_are_read_by_the_host_and_none_is_refused():
    python = Path(sys.executable)
    lines = []

    outcomes = examine(Installation(host_folder(), python, python, True), 26, lines.append)

    assert [sum(row) for row in zip(*outcomes.values(), strict=True)] == [1] * 26
    assert set(outcomes) == set(OUTCOMES)
    assert (sum(outcomes["taken"]), lines) == (26, [])


def test_own_photos_and_packs_have_rows_with_figures(tmp_path, engine):
    for name in NAMES[:2]:
        Image.fromarray((photo_of(name).numpy() * 255).round().astype(np.uint8)).save(tmp_path / f"{name}.png")
    photos = photos_in(tmp_path)

    found = rows_of_pack(engine, faces.PACKS / "troupe-demo", photos)
    rows = {row.name.split(": ")[1]: row.measure().value for row in found}

    assert len(photos) == 2
    assert rows["one pass sees somebody"] == rows["searches that end after one pass"] == 100
    assert rows["reports that doubt the face"] == rows["on their side, a stranger without doubt"] == 0
    assert rows["score upright over the best turn, 5th percentile"] > 1
    assert rows.get("lowest cosine with insightface", 1) >= 0.9999
