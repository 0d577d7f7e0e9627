"""Photos that were cut off through the face."""

from dataclasses import replace

import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.face import extraction
from pack.face.damage import ends_at
from pack.face.extraction import extract_identity
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.scripts.bootstrap.places import ROOT

BOX = np.array([10, 10, 30, 50], np.float32)


@pytest.fixture(scope="module")
def demo_engine():
    folder = ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo"
    return load_engine(read_pack("troupe-demo", folder), "CPU")


def noisy(height=60, width=40):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("cut", "ends"), [(60, False), (59, False), (57, False), (55, True), (30, True), (0, True)])
def test_flat_rows_count_that_reach_from_the_lower_border_up_to_the_face(cut, ends):
    photo = noisy()
    photo[cut:] = (0, 130, 0)

    assert ends_at(photo, BOX) is ends


def test_flat_ground_elsewhere_does_not_count():
    photo = noisy()
    photo[20:50] = 7  # a band across, with a picture below it
    photo[:, 32:] = 9  # a wall beside the face

    assert not ends_at(photo, BOX)


def test_the_report_doubts_a_photo_that_ends_in_the_face(demo_engine):
    photo = (photo_of("Ada") * 255).round().byte().numpy()
    top, bottom = extract_identity(demo_engine, [photo], "Ada").faces[0][0].bbox[[1, 3]]
    cut = photo.copy()
    cut[int(top + 0.75 * (bottom - top)) :] = (0, 130, 0)

    report = extract_identity(demo_engine, [photo, cut], "Ada").report

    assert "unsure" not in report[0]
    assert (
        "unsure: the picture ends in one colour at the face, as a damaged file does; look at the preview" in report[1]
    )


@pytest.mark.parametrize(
    ("score", "said"),
    [(0.95, None), (0.8, "not quite sure: look at the preview"), (0.5, "unsure: look at the preview")],
)
def test_the_report_doubts_a_face_that_no_look_was_sure_of(demo_engine, monkeypatch, score, said):
    found = extraction.find_faces

    def scored(*arguments):
        finding = found(*arguments)
        return replace(finding, faces=[replace(face, score=score) for face in finding.faces])

    monkeypatch.setattr(extraction, "find_faces", scored)
    (line,) = extract_identity(demo_engine, [(photo_of("Ada") * 255).round().byte().numpy()], "Ada").report

    assert (said in line) if said else ("look at the preview" not in line)
