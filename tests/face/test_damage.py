"""Photos whose files are damaged at the face, and pictures that only look a little like it."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.face import extraction
from pack.face.damage import DECODERS_OWN, DamagedPhoto, broken_blocks, damage_at, filled_from, shifted_from
from pack.face.engine import NoFaceFound
from pack.face.extraction import extract_identity
from pack.face.extraction_words import SKIP, TAKE
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.scripts.bootstrap.places import ROOT
from PIL import Image

BOX = np.array([40, 40, 80, 100], np.float32)


@pytest.fixture(scope="module")
def demo_engine():
    folder = ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo"
    return load_engine(read_pack("troupe-demo", folder), "CPU")


@pytest.fixture(scope="module")
def ada():
    return (photo_of("Ada") * 255).round().byte().numpy()


def scene(height=160, width=128):
    """Smooth shapes with a little noise, as photos have."""
    draw = np.random.default_rng(0)
    rough = draw.integers(60, 190, (height // 32, width // 32, 3), dtype=np.uint8)
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC).astype(int)
    return (smooth + draw.integers(-3, 4, smooth.shape)).clip(0, 255).astype(np.uint8)


def cut(photo, row, colour=DECODERS_OWN, begun=0):
    """What readers make of a file cut off in the row of blocks above `row`, of which the first `begun` pixels exist."""
    photo = photo.copy()
    photo[row:] = colour
    if begun:
        photo[row - 16 : row, begun:] = colour
    return photo


@pytest.mark.parametrize(("row", "at_face"), [(30, True), (96, True), (128, True), (132, False), (158, False)])
def test_the_decoders_own_colour_counts_down_from_the_face_or_right_below_it(row, at_face):
    assert ("is one colour from row" in damage_at(cut(scene(), row), BOX, sure=True)) is at_face


def test_the_decoders_own_colour_anywhere_counts_where_no_look_was_sure_of_the_face():
    photo = cut(scene(), 152, begun=64)

    assert filled_from(photo) == (136, True)
    assert damage_at(photo, BOX, sure=True) == ""
    assert "no look was sure of a face above" in damage_at(photo, BOX, sure=False)


@pytest.mark.parametrize("colour", [(0, 0, 0), (128, 128, 128)])
def test_black_and_grey_count_across_a_face_unless_the_picture_has_a_bar_above_as_well(colour):
    photo = cut(scene(), 80, colour)
    assert "is one colour from row 80" in damage_at(photo, BOX, sure=True)
    assert damage_at(cut(scene(), 96, colour), BOX, sure=True) == ""

    photo[:12] = colour
    assert damage_at(photo, BOX, sure=True) == ""


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 160, 0), (30, 30, 30), (200, 180, 160)])
def test_other_colours_are_a_background(colour):
    assert damage_at(cut(scene(), 80, colour), BOX, sure=False) == ""


@pytest.mark.parametrize(("block", "channels"), [(8, [0, 1, 2]), (16, [0, 1, 2]), (16, [2])])
def test_colours_that_shift_from_one_block_on_count(block, channels):
    photo = scene().astype(int)
    photo[48:, :, channels] += 40
    photo[48 - block : 48, 56:, channels] += 40

    assert shifted_from(photo.clip(0, 255).astype(np.uint8)) == 48 - block


def test_straight_edges_across_a_picture_are_no_shift():
    one, other = scene(), scene()[::-1] // 2
    collage = np.vstack([one[:80], other[:80]])
    screen = np.full((160, 128, 3), 240, np.uint8)
    screen[:24], screen[136:], screen[64:104, 32:96] = 40, 90, one[:40, :64]

    assert [shifted_from(picture) for picture in (one, collage, screen, np.hstack([one, other]))] == [None] * 4


def test_edges_on_the_borders_of_a_webps_blocks_count_within_the_face_alone():
    photo = scene()
    for row, column in [(48, 48), (60, 56), (72, 60), (84, 44)]:
        photo[row : row + 8, column : column + 8] = 250
    moved = np.roll(photo, (3, 3), (0, 1))
    compressed = scene() // 48 * 48
    compressed = np.kron(compressed[::8, ::8], np.ones((8, 8, 1), np.uint8))  # as a JPEG of the lowest quality

    assert broken_blocks(photo, BOX)
    assert not broken_blocks(moved, BOX)
    assert not broken_blocks(photo, BOX + np.array([0, 60, 0, 60]))
    assert not broken_blocks(compressed, BOX)


def test_more_of_them_around_the_face_count_where_no_look_was_sure_of_it():
    photo = scene()
    for place in range(6):
        row = 16 * place + 4 * (place % 2)
        photo[row : row + 8, 88:96] = 250
    frames = scene()
    for place in range(3):
        frames[16 * place : 152 - 16 * place, 4 + 8 * place : 124 - 8 * place] = (250, 20)[place % 2]

    assert damage_at(photo, BOX, sure=True) == ""
    assert "no look was sure of a face" in damage_at(photo, BOX, sure=False)
    assert damage_at(frames, BOX, sure=False) == ""


@pytest.mark.parametrize("quality", [30, 60, 90])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_compressed_photos_are_not_taken_for_damaged(demo_engine, kind, quality):
    for name in ("Ben", "Cleo", "Dev"):
        buffer = io.BytesIO()
        Image.fromarray((photo_of(name) * 255).round().byte().numpy()).save(buffer, kind, quality=quality)
        extract_identity(demo_engine, [np.asarray(Image.open(buffer).convert("RGB"))], name)


def test_what_a_strict_reader_says_of_the_file_counts_unless_the_photo_shows_where_it_breaks_off_below_a_sure_face():
    whole, below = scene(), cut(scene(), 144, (0, 0, 0))

    assert damage_at(whole, BOX, True, "no sound PNG") == "comes from a damaged file (no sound PNG)"
    assert damage_at(below, BOX, True, "no sound PNG") == ""
    assert "is one colour from row 144" in damage_at(below, BOX, False, "no sound PNG")


def test_a_photo_damaged_at_the_face_is_an_error_skipped_or_taken_with_a_doubt(demo_engine, ada):
    top, bottom = extract_identity(demo_engine, [ada], "Ada").faces[0][0].bbox[[1, 3]]
    broken = cut(ada, int(top + 0.75 * (bottom - top)))

    with pytest.raises(DamagedPhoto, match=r"Photo 2 of 2 of 'Ada' \(256x256 pixels\) is one colour from row .*'take"):
        extract_identity(demo_engine, [ada, broken], "Ada")
    skipped = extract_identity(demo_engine, [ada, broken], "Ada", damaged=SKIP)
    taken = extract_identity(demo_engine, [ada, broken], "Ada", damaged=TAKE)

    assert (skipped.chosen, len(skipped.identity.photos)) == ([0, None], 1)
    assert skipped.report[1].endswith("which is where the face is: skipped.")
    assert (taken.chosen, len(taken.identity.photos)) == ([0, 0], 2)
    assert "This is unsure: the photo is one colour" in taken.report[1]
    with pytest.raises(NoFaceFound, match="any of 1 photos of 'Ada', so every one of them was skipped.*is one colour"):
        extract_identity(demo_engine, [broken], "Ada", damaged=SKIP, no_face="whole picture")
    with pytest.raises(ValueError, match="Unknown rule for photos that seem damaged"):
        extract_identity(demo_engine, [ada], "Ada", damaged="ignore")


@pytest.mark.parametrize(
    ("score", "said"),
    [(0.95, None), (0.8, "not quite sure: look at the preview"), (0.5, "unsure: look at the preview")],
)
def test_the_report_doubts_a_face_that_no_look_was_sure_of(demo_engine, ada, monkeypatch, score, said):
    found = extraction.find_faces

    def scored(*arguments):
        finding = found(*arguments)
        return replace(finding, faces=[replace(face, score=score) for face in finding.faces])

    monkeypatch.setattr(extraction, "find_faces", scored)
    (line,) = extract_identity(demo_engine, [ada], "Ada").report

    assert (said in line) if said else ("look at the preview" not in line)
