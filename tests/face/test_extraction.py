"""What is said and done about photos: damaged files, unsure faces, real photos before a pack for drawn people."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.face import extraction
from pack.face.engine import DamagedPhoto, Search
from pack.face.extraction import extract_identity
from pack.face.extraction_words import LOOK, SKIP, TAKE
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.scripts.bootstrap.places import ROOT

DEMO = Path(ROOT, "demo", "weights", "insightface", "models", "troupe-demo")
FLAW = "'a.jpg': its data breaks off"


@pytest.fixture(scope="module")
def engine():
    return replace(load_engine(read_pack("troupe-demo", DEMO), "CPU"), drawn_only=True)


@pytest.fixture(scope="module")
def ada():
    return (photo_of("Ada") * 255).round().byte().numpy()


@pytest.mark.parametrize("damaged", ["error", SKIP])
def test_a_damaged_file_is_an_error_that_names_it(engine, ada, damaged):
    with pytest.raises(DamagedPhoto, match=r"photo of 'Ada' comes from a damaged file \('a.jpg'.*'take it'"):
        extract_identity(engine, [ada], "Ada", damaged=damaged, flaw=FLAW)


def test_a_damaged_file_that_is_taken_is_a_warning(engine, ada):
    found = extract_identity(engine, [ada], "Ada", damaged=TAKE, flaw=FLAW)

    assert FLAW in found.warning
    assert LOOK not in found.report[0]
    with pytest.raises(ValueError, match="Unknown rule for photos from a damaged file"):
        extract_identity(engine, [ada], "Ada", damaged="ignore")


@pytest.mark.parametrize(("sure", "score", "doubted"), [(True, 0.7, False), (False, 0.95, True), (True, 0.55, True)])
def test_the_report_doubts_a_face_that_is_not_sure_or_scores_low(engine, ada, monkeypatch, sure, score, doubted):
    found = extraction.find_faces

    def told(*arguments):
        finding = found(*arguments)
        return replace(finding, faces=[replace(face, score=score) for face in finding.faces], sure=sure)

    monkeypatch.setattr(extraction, "find_faces", told)

    assert (LOOK in extract_identity(engine, [ada], "Ada").report[0]) is doubted


def test_a_pack_for_drawn_people_says_so_on_a_real_photo_and_not_on_a_drawn_one(engine, ada):
    data = pytest.importorskip("skimage.data", reason="scikit-image comes with insightface")
    photo = data.astronaut()
    collar = photo[150:350, 150:350]
    drawn = extract_identity(engine, [ada], "Ada", search=Search())
    real = extract_identity(engine, [collar], "Eileen", search=Search(), no_face="whole picture")
    plain = replace(engine, drawn_only=False)
    others = extract_identity(plain, [collar], "E", search=Search(), no_face="whole picture")

    assert drawn.warning == others.warning == ""
    assert "'troupe-demo' knows the demo's drawn people alone" in real.warning


@pytest.mark.parametrize("name", ["", "  ", "Ada\ud800"])
def test_a_name_that_is_none_is_refused_in_a_sentence(engine, ada, name):
    with pytest.raises(ValueError, match="Type (one|the name again)"):
        extract_identity(engine, [ada], name)


def test_a_sound_photo_that_was_enlarged_is_taken(engine):
    small = (photo_of("Ada", 64) * 255).round().byte().numpy()

    found = extract_identity(engine, [np.kron(small, np.ones((4, 4, 1), np.uint8))], "Ada", search=Search())

    assert found.warning == ""
    assert LOOK not in found.report[0]
