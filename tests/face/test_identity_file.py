"""People as files: what comes back, what is refused, and what a file may be called."""

import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack.face.arrays_file import UNFINISHED, write_arrays
from pack.face.extraction import extract_identity
from pack.face.identity import Identity, described_by, normed_embedding, subject_from_pictures, unit
from pack.face.identity_file import LONGEST_SIDE, load_identity, read_picture, save_identity, with_portraits
from pack.face.identity_names import file_stem, free_stem
from pack.face.mixing import mix_identities
from pack.face.photo_crops import crops_of
from pack.tests.face.onnx_packs import red_squares


@pytest.fixture
def ada(engine):
    photos = [red_squares(256, 256, (96, 96, 32)), red_squares(300, 200, (40, 96, 40))]
    return extract_identity(engine, photos, "Ada Ł", no_face="skip the photo").identity


def test_a_person_comes_back_with_the_same_face(ada, engine, tmp_path):
    save_identity(tmp_path / "a.safetensors", ada)

    back = load_identity(tmp_path / "a.safetensors")

    assert back.name == "Ada Ł"
    assert np.array_equal(back.embeddings[engine.recogniser], ada.embeddings[engine.recogniser])
    assert np.array_equal(back.crops, ada.crops)
    assert np.array_equal(normed_embedding(back, engine.recogniser), normed_embedding(ada, engine.recogniser))
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_key_points_and_photos_of_a_file_belong_together(ada, tmp_path):
    save_identity(tmp_path / "a.safetensors", ada)

    back = load_identity(tmp_path / "a.safetensors")

    assert back.photos[0].shape[0] < ada.photos[0].shape[0]
    for mine, other in zip(crops_of(ada, "aligned", 224, "x"), crops_of(back, "aligned", 224, "x"), strict=True):
        assert np.abs(mine.astype(int) - other).mean() < 4


def test_of_a_large_photo_only_the_surroundings_of_the_face_are_kept(ada):
    large = np.zeros((3000, 4000, 3), np.uint8)
    person = Identity("A", {}, ada.crops[:1], ada.keypoints[:1] * 10, ada.boxes[:1] * 10, photos=(large,))

    kept = with_portraits(person)

    assert max(kept.photos[0].shape) == LONGEST_SIDE
    box = kept.boxes[0]
    assert box.min() >= 0
    assert box.max() <= LONGEST_SIDE
    assert 0.25 < (box[2] - box[0]) / LONGEST_SIDE < 0.4


def test_weights_and_subjects_without_a_face_come_back_too(ada, tmp_path):
    mixed = mix_identities("Mixed", [ada, ada], [1, 3])
    subject = subject_from_pictures("a ball", [np.full((900, 700, 3), 7, np.uint8)])
    for name, person in (("m", mixed), ("s", subject)):
        save_identity(tmp_path / name, person)

    assert load_identity(tmp_path / "m").weights == mixed.weights
    back = load_identity(tmp_path / "s")
    assert (back.name, len(back.crops), back.photos[0].shape) == ("a ball", 0, (640, 498, 3))


def damaged(name):
    """What is wrong with a file, by name: a change of its arrays or texts."""
    return {
        "of another kind": lambda arrays, texts: texts.update(format="lora"),
        "newer": lambda arrays, texts: texts.update(version="2"),
        "without a version": lambda arrays, texts: texts.pop("version"),
        "nameless": lambda arrays, texts: texts.update(name=" "),
        "without crops": lambda arrays, texts: arrays.pop("crops"),
        "with crops of another size": lambda arrays, texts: arrays.update(crops=np.zeros((1, 96, 96, 3), np.uint8)),
        "with fewer boxes": lambda arrays, texts: arrays.update(boxes=np.zeros((0, 4), np.float32)),
        "not finite": lambda arrays, texts: arrays.update({"embeddings.r": np.full((1, 4), np.nan, np.float32)}),
        "in double precision": lambda arrays, texts: arrays.update({"embeddings.r": np.ones((1, 4))}),
        "with two photos of one face": lambda arrays, texts: arrays.update({"photo.1": np.zeros((9, 9, 3), np.uint8)}),
    }[name]


FAULTS = ("of another kind", "newer", "without a version", "nameless", "without crops", "with crops of another size",
          "with fewer boxes", "not finite", "in double precision", "with two photos of one face")  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_no_identity_is_named_with_its_fault(tmp_path, fault):
    arrays = {
        "crops": np.zeros((1, 112, 112, 3), np.uint8),
        "keypoints": np.zeros((1, 5, 2), np.float32),
        "boxes": np.zeros((1, 4), np.float32),
        "embeddings.r": np.ones((1, 4), np.float32),
        "photo.0": np.zeros((9, 9, 3), np.uint8),
    }
    texts = {"format": "troupe-identity", "version": "1", "name": "A"}
    write_arrays(tmp_path / "good", arrays, texts)
    assert load_identity(tmp_path / "good").name == "A"
    damaged(fault)(arrays, texts)
    write_arrays(tmp_path / "bad", arrays, texts)

    with pytest.raises(ValueError, match=r"The identity file .*bad cannot be used: .*Save the identity again"):
        load_identity(tmp_path / "bad")


def test_damaged_and_missing_files_are_errors_that_name_them(ada, tmp_path):
    path = tmp_path / "a.safetensors"
    save_identity(path, ada)
    data, draw = path.read_bytes(), np.random.default_rng(0)
    for number in range(60):
        broken = bytearray(data[: draw.integers(len(data))] if number % 2 else data)
        for place in draw.integers(0, max(1, min(len(broken), 600)), 3 if broken else 0):
            broken[place] ^= 1 << int(draw.integers(8))
        path.write_bytes(broken)
        said, back = "", None
        try:
            back = load_identity(path)
        except ValueError as error:
            said = str(error)
        assert str(path) in said or back.crops.shape == ada.crops.shape  # flipped bits may be in a name or a crop
    with pytest.raises(ValueError, match="gone.*cannot be read"):
        load_identity(tmp_path / "gone")


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_rubbish(ada, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_identity(path, ada)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        save_identity(path, mix_identities("B", [ada], [1]))

    assert path.read_bytes() == before
    assert not list(tmp_path.glob(f"*{UNFINISHED}"))


@pytest.mark.parametrize("fault", ["a number that is none", "too large", "half a character"])
def test_what_could_not_be_loaded_again_is_not_saved_and_the_old_file_stays(ada, tmp_path, monkeypatch, fault):
    path = tmp_path / "a.safetensors"
    save_identity(path, ada)
    before = path.read_bytes()
    bad = ada
    if fault == "a number that is none":
        bad = replace(ada, embeddings={name: rows * np.nan for name, rows in ada.embeddings.items()})
    if fault == "half a character":
        bad = replace(ada, name="Ada\ud800")
    if fault == "too large":
        monkeypatch.setattr("pack.face.identity_file.MOST_BYTES", len(before) // 2)

    with pytest.raises(ValueError, match=r"cannot be saved, because no file of it could be loaded again"):
        save_identity(path, bad)
    assert path.read_bytes() == before


def test_what_a_killed_process_began_to_write_is_removed_after_an_hour(ada, tmp_path):
    old, young = tmp_path / f"old{UNFINISHED}", tmp_path / f"young{UNFINISHED}"
    for path in (old, young):
        path.write_bytes(b"half a face")
    os.utime(old, (0, 0))

    save_identity(tmp_path / "a.safetensors", ada)

    assert (old.exists(), young.exists()) == (False, True)


def test_a_picture_of_a_file_is_read_without_the_rest(ada, tmp_path):
    path = tmp_path / "a.safetensors"
    save_identity(path, replace(ada, embeddings={"r": np.ones((len(ada.crops), 4 << 20), np.float32)}))
    tracemalloc.start()
    picture = read_picture(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert np.array_equal(picture, ada.crops[0])
    assert peak < 4 << 20
    path.write_bytes(b"none")
    with pytest.raises(ValueError, match=r"The identity file a.safetensors shows no picture"):
        read_picture(path)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Ada", "Ada"),
        ("  Ada  Lovelace ", "Ada Lovelace"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\x", "C__Windows_x"),
        ("con", "con_"),
        ("LPT1.txt", "LPT1.txt_"),
        ("a\nb\x00c\u202e", "a_b_c_"),
        ("Łucja 王", "Łucja 王"),
        ("e\u0301", "\u00e9"),
        ("x" * 500, "x" * 120),
        ("王" * 100, "王" * 40),
    ],
)
def test_any_name_becomes_a_safe_one(name, stem):
    assert file_stem(name) == stem


@given(st.text(max_size=200))
def test_no_name_leads_out_of_its_folder(name):
    try:
        stem = file_stem(name)
    except ValueError:
        return
    assert os.path.basename(stem) == stem
    assert stem not in ("", ".", "..")
    assert stem == stem.strip(" .")
    assert len(stem.encode()) <= 121
    assert not set(stem) & set('/\\:*?"<>|\n\x00')


@pytest.mark.parametrize("name", ["", "  ", "..", "///", "\x00"])
def test_a_name_of_which_nothing_is_left_is_refused(name):
    with pytest.raises(ValueError, match="leaves nothing"):
        file_stem(name)


def test_a_taken_name_is_numbered():
    assert free_stem("Ada", {"Ben"}) == "Ada"
    assert free_stem("Ada", {"ada", "Ada-2"}) == "Ada-3"


def test_a_mixed_person_lies_on_the_arc_between_two_as_far_as_the_weights_say(ada):
    a, b = np.eye(4, dtype=np.float32)[:2]
    people = [Identity(n, {"r": 9 * row[None]}, ada.crops[:1], ada.keypoints[:1], ada.boxes[:1]) for n, row in
              (("A", a), ("B", b))]  # fmt: skip

    mixed = mix_identities("AB", people, [3, 1])

    angle = np.pi / 2 / 4
    np.testing.assert_allclose(normed_embedding(mixed, "r"), np.cos(angle) * a + np.sin(angle) * b, atol=1e-6)
    np.testing.assert_allclose(normed_embedding(mix_identities("A", people, [1, 0]), "r"), a, atol=1e-6)


def test_photos_share_their_persons_weight_and_mixes_can_be_mixed():
    draw = np.random.default_rng(0)

    def person(name, photos):
        rows = draw.normal(size=(photos, 16)).astype(np.float32)
        return Identity(name, {"r": rows}, np.zeros((photos, 112, 112, 3), np.uint8), np.zeros((photos, 5, 2)),
                        np.zeros((photos, 4)))  # fmt: skip

    a, b, c = person("A", 3), person("B", 1), person("C", 2)

    pair = mix_identities("AB", [a, b], [1, 1])
    np.testing.assert_allclose(pair.weights, [1 / 3, 1 / 3, 1 / 3, 1])
    nested = mix_identities("ABC", [pair, c], [2, 1])
    flat = mix_identities("ABC", [a, b, c], [1, 1, 1])
    np.testing.assert_allclose(normed_embedding(nested, "r"), normed_embedding(flat, "r"), atol=1e-6)


def test_a_mixed_person_is_described_by_another_recogniser_with_the_same_weights(ada, engine):
    crops_only = [Identity(n, {"x": np.ones((1, 2), np.float32)}, ada.crops[i : i + 1], ada.keypoints[:1],
                           ada.boxes[:1]) for i, n in enumerate("AB")]  # fmt: skip

    mixed = described_by(mix_identities("AB", crops_only, [1, 3]), engine)

    rows = unit(engine.embed(ada.crops))
    toward = normed_embedding(mixed, engine.recogniser) @ rows.T
    assert toward[1] > toward[0]


def test_people_who_cannot_be_mixed_are_named(ada):
    other = Identity("Ben", {"elsewhere": np.ones((1, 4), np.float32)}, ada.crops[:1], ada.keypoints[:1], ada.boxes[:1])

    with pytest.raises(ValueError, match=r"no recogniser in common.*'Ada Ł' by .*; 'Ben' by elsewhere"):
        mix_identities("X", [ada, other], [1, 1])
    with pytest.raises(ValueError, match="Weights are 0 or more"):
        mix_identities("X", [ada, ada], [0, 0])
    with pytest.raises(ValueError, match="no name"):
        mix_identities(" ", [ada, ada], [1, 1])
