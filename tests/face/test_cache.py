"""Analyses kept by content: what is found again, what is not, and what happens when somebody else was there."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pack.face.arrays_file import UNFINISHED
from pack.face.cache import SUFFIX, AnalysisCache, key_of
from pack.face.engine import ONE_PASS, Search
from pack.face.search import find_faces
from pack.tests.face.onnx_packs import red_squares

PHOTO = red_squares(256, 256, (96, 96, 32), (20, 160, 32))


@pytest.fixture
def counted(engine, tmp_path):
    """An engine with a cache in a folder; and every look that it takes."""
    looks = []

    def run(pixels):
        looks.append(pixels.shape)
        return engine.run_detector(pixels)

    return replace(engine, run_detector=run, cache=AnalysisCache(tmp_path / "kept")), looks


def same(one, other):
    assert (one.tried, one.found, len(one.faces)) == (other.tried, other.found, len(other.faces))
    for mine, its in zip(one.faces, other.faces, strict=True):
        for name in ("bbox", "keypoints", "embedding", "crop"):
            assert np.array_equal(getattr(mine, name), getattr(its, name))
            assert getattr(mine, name).dtype == getattr(its, name).dtype
        assert mine.score == its.score


def test_the_second_time_no_work_is_done_and_the_same_is_found(counted, engine):
    remembering, looks = counted

    first = find_faces(remembering, PHOTO)
    again = find_faces(remembering, PHOTO.copy())

    assert len(looks) == 1
    same(first, again)
    same(first, find_faces(engine, PHOTO))


def test_another_process_finds_what_is_kept_on_disk(counted):
    remembering, looks = counted
    first = find_faces(remembering, PHOTO)
    other = replace(remembering, cache=AnalysisCache(remembering.cache.folder))

    again = find_faces(other, PHOTO)

    assert len(looks) == 1
    same(first, again)


def test_a_photo_without_a_face_is_remembered_too(counted):
    remembering, looks = counted
    for cache in (remembering.cache, AnalysisCache(remembering.cache.folder)):
        finding = find_faces(replace(remembering, cache=cache), np.zeros((64, 64, 3), np.uint8), Search())

    assert finding.faces == []
    assert len(finding.tried) > 5
    assert len(looks) == len(finding.tried)


def test_anything_that_changes_what_is_found_is_another_analysis(engine):
    keys = {
        key_of(engine, PHOTO, ONE_PASS),
        key_of(engine, PHOTO, Search()),
        key_of(engine, PHOTO, Search(0.4)),
        key_of(replace(engine, fingerprint="other"), PHOTO, ONE_PASS),
        key_of(engine, PHOTO[:, ::-1], ONE_PASS),
        key_of(engine, PHOTO.reshape(128, 512, 3), ONE_PASS),
    }

    assert len(keys) == 6


def test_no_two_faces_share_an_array_that_can_be_written_to(counted):
    face = find_faces(counted[0], PHOTO).faces[0]

    with pytest.raises(ValueError, match="read-only"):
        face.embedding[0] = 1


def test_memory_and_disk_are_bounded_and_the_least_used_goes(engine, tmp_path):
    photos = [red_squares(256, 256, (8 * index, 96, 32)) for index in range(6)]
    size = 45_000
    cache = AnalysisCache(tmp_path, most_in_memory=3 * size, most_on_disk=3 * size)
    remembering = replace(engine, cache=cache)
    files = []
    for number, photo in enumerate(photos):
        find_faces(remembering, photo)
        for path in set(tmp_path.glob(f"*{SUFFIX}")) - set(files):
            files.append(path)
            os.utime(path, (1000 + number, 1000 + number))
        if number == 2:
            os.utime(files[0])  # somebody used the oldest again

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * size
    assert files[0].exists()
    assert not files[1].exists()
    assert cache.clear()[0] <= 3


def test_what_is_damaged_is_made_again(counted, caplog):
    remembering, looks = counted
    first = find_faces(remembering, PHOTO)
    (file,) = remembering.cache.folder.iterdir()
    data = file.read_bytes()
    for broken in (b"", data[:50], data[: len(data) // 2], data.replace(b'"tried"', b'"tired"')):
        file.write_bytes(broken)
        same(first, find_faces(replace(remembering, cache=AnalysisCache(file.parent)), PHOTO))

    assert len(looks) == 5
    assert caplog.text.count("is made again") == 4
    assert len(file.read_bytes()) == len(data)


def test_a_folder_that_cannot_be_written_to_costs_time_and_not_the_run(counted, caplog, tmp_path):
    (tmp_path / "file").write_text("in the way")
    blocked = replace(counted[0], cache=AnalysisCache(tmp_path / "file" / "kept"))

    assert len(find_faces(blocked, PHOTO).faces) == 2
    assert "could not be kept" in caplog.text
    assert find_faces(blocked, PHOTO).faces
    assert len(counted[1]) == 1  # still in memory


def test_clearing_forgets_all_of_it(counted):
    remembering, looks = counted
    find_faces(remembering, PHOTO)
    (remembering.cache.folder / f"left{UNFINISHED}").write_bytes(b"half")

    assert remembering.cache.clear() == (1, 1)
    assert list(remembering.cache.folder.iterdir()) == []
    find_faces(remembering, PHOTO)
    assert len(looks) == 2


def test_processes_that_write_and_clear_at_once_do_not_trip(tmp_path, square_pack):
    code = """
import sys, types
sys.modules['pack'] = types.ModuleType('pack'); sys.modules['pack'].__path__ = [sys.argv[1]]
from pathlib import Path
import numpy as np
from pack.face.cache import AnalysisCache
from pack.face.engine import Face, Finding, ONE_PASS
class Engine: fingerprint, size = 'x', (1, 1)
face = Face(np.zeros(4, np.float32), 0.5, np.zeros((5, 2), np.float32), np.ones(8, np.float32),
            np.zeros((112, 112, 3), np.uint8))
for turn in range(120):
    cache = AnalysisCache(Path(sys.argv[2]), most_on_disk=400_000)
    picture = np.full((1, 1, 3), turn % 15, np.uint8)
    found = cache.get(Engine, picture, ONE_PASS, lambda: Finding([face], ('at 1',), 'at 1'))
    assert found.faces[0].embedding.tolist() == [1.0] * 8
    if turn % 40 == 39:
        cache.clear()
"""
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", code, root, str(tmp_path / "shared")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]

    said = [process.communicate(timeout=120)[1] for process in running]

    assert [process.returncode for process in running] == [0, 0, 0], said
    assert not any("is made again" in text for text in said), said
