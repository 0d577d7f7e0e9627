"""Who somebody is, apart from what their face does: reconfigured tokens reach the keys and values, and nothing else."""

from dataclasses import replace

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.face.extraction import extract_identity
from pack.face.identity_file import load_identity, save_identity
from pack.face.mixing import mix_identities
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.nodes.faces.motion_nodes import FaceMotion, ReconfigureIdentity
from pack.nodes.host.adapters.adapter_group import group_of
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.adapters.keys_values import keys_values_of
from pack.nodes.host.adapters.reconfigurer_model import load_reconfigurer, with_reconfigurer
from pack.nodes.host.demo_text import load_text_encoder
from pack.nodes.host.demo_world import weights_file
from pack.nodes.host.images import to_images
from pack.nodes.host.model.blocks import cross_attention_blocks
from pack.tests.face.onnx_packs import red_squares, write_106_points, write_recogniser, write_square_detector
from pack.tests.host.tiny_adapters import photographed, tiny_of
from pack.tests.host.tiny_models import LEFT, RIGHT, apply, assert_different, sample
from pack.tests.host.tiny_reconfigurer import SHAPE, reconfiguration, write_reconfigurer
from safetensors.torch import load_file

ADA, BOB = photographed("Ada", 1), photographed("Bob", 2, photos=3)
PHOTOS = len(ADA.boxes)


def asked(identity, **options):
    return replace(identity, motion=reconfiguration(len(identity.boxes), **options))


@pytest.fixture(scope="module")
def reconfigurer(tmp_path_factory):
    return load_reconfigurer(write_reconfigurer(tmp_path_factory.mktemp("reconfigurer")), "IMR.bin")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return tiny_of("faceid", tmp_path_factory.mktemp("adapter"))


@pytest.fixture
def adapter(plain, reconfigurer):
    return with_reconfigurer(plain, reconfigurer)


def keys_values(model, adapter, identity, photos="average"):
    blocks = cross_attention_blocks(model)
    made = keys_values_of([group_of(adapter, [0], [identity], photos)], blocks, torch.device("cpu"), torch.float32)
    return torch.cat([part for pair in made.values() for part in pair], -1)


def test_an_identity_without_another_motion_is_what_it_was(model, plain, adapter):
    assert torch.equal(keys_values(model, adapter, ADA), keys_values(model, plain, ADA))
    assert torch.equal(keys_values(model, adapter, asked(ADA, strength=0.0)), keys_values(model, plain, ADA))


@pytest.mark.parametrize("photos", ["average", "one per picture", "concatenate"])
def test_tokens_are_those_that_the_reconfigurer_makes_of_each_photo(model, plain, adapter, photos):
    identity = asked(ADA, strength=0.25)
    rows = group_of(plain, [0], [ADA], "one per picture").rows.rows(range(PHOTOS))
    tokens = plain.module.tokens(rows)
    made = adapter.reconfigurer.module(tokens, *adapter.reconfigurer.motions(identity).unbind(1))
    wanted = 0.75 * tokens + 0.25 * made
    if photos == "average":
        wanted = wanted.mean(0, keepdim=True)
    elif photos == "concatenate":
        wanted = wanted.flatten(0, 1)[None]
    blocks = cross_attention_blocks(model)
    expected = [torch.cat(plain.module.keys_and_values(wanted, layer), -1) for layer in range(len(blocks))]

    found = keys_values(model, adapter, identity, photos)[:-1]  # last nobody's

    torch.testing.assert_close(found, torch.cat(expected, -1))


def test_nobody_is_not_reconfigured(model, plain, adapter):
    torch.testing.assert_close(keys_values(model, adapter, asked(ADA))[-1], keys_values(model, plain, ADA)[-1])


def test_another_motion_is_not_taken_out_of_the_cache(model, adapter):
    one, other = (keys_values(model, adapter, asked(ADA, seed=seed)) for seed in (1, 2))

    assert not torch.equal(one[0], other[0])


def test_one_person_has_two_faces_in_one_picture(model, adapter):
    def drawn(left, right):
        return sample(apply(model, [Member(left, LEFT), Member(right, RIGHT)], adapter))

    smile, frown = asked(ADA, seed=1), asked(ADA, seed=2)

    assert_different(drawn(smile, frown), drawn(smile, smile))
    assert torch.isfinite(drawn(smile, frown)).all()


def test_who_is_not_reconfigured_keeps_their_tokens_beside_one_who_is(model, adapter):
    blocks = cross_attention_blocks(model)

    def of(*people):
        group = group_of(adapter, range(len(people)), people, "one per picture")
        made = keys_values_of([group], blocks, torch.device("cpu"), torch.float32)
        return torch.cat([part for pair in made.values() for part in pair], -1)

    beside, alone = of(asked(ADA), BOB), of(BOB)
    torch.testing.assert_close(beside[PHOTOS:], alone)


def test_a_saved_and_a_mixed_identity_keep_it_as_numbers(tmp_path):
    one = asked(ADA, seed=1)
    save_identity(tmp_path / "ada.safetensors", one)
    loaded = load_identity(tmp_path / "ada.safetensors")

    assert loaded.motion.said == one.motion.said
    assert (loaded.motion.landmarks == one.motion.landmarks).all()
    assert (loaded.motion.words == one.motion.words).all()
    both = mix_identities("both", [one, BOB], [1, 1]).motion
    assert both.strength.tolist() == [1.0] * PHOTOS + [0.0] * len(BOB.boxes)
    with pytest.raises(ValueError, match="12 and 16 numbers: connect one CLIP"):
        mix_identities("both", [one, asked(BOB, words=16)], [1, 1])


def test_what_does_not_fit_is_said(model, plain, adapter, reconfigurer, tmp_path):
    with pytest.raises(ValueError, match="'Ada' is to look in a happy expression .* has no reconfigurer. Connect"):
        keys_values(model, plain, asked(ADA))
    with pytest.raises(ValueError, match="reads words of 12 numbers, and those of 'Ada' have 16"):
        keys_values(model, adapter, asked(ADA, words=16))
    wide = load_reconfigurer(write_reconfigurer(tmp_path, replace(SHAPE, token=80)), "IMR.bin")
    with pytest.raises(ValueError, match="changes tokens of width 80"):
        with_reconfigurer(plain, wide)
    with pytest.raises(ValueError, match="choose it in Load Reconfigurer"):
        load_adapter(tmp_path / "IMR.bin", "IMR.bin")
    (tmp_path / "key_point_encoder.bin").unlink()
    with pytest.raises(ValueError, match=r"there is no key_point_encoder\.bin in"):
        load_reconfigurer(tmp_path / "IMR.bin", "IMR.bin")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("squares")
    write_square_detector(folder / "det.onnx", lenient=True)
    write_recogniser(folder / "rec.onnx")
    write_106_points(folder / "points.onnx")
    return load_engine(read_pack("squares", folder), "CPU")


@pytest.fixture(scope="module")
def clip():
    return load_text_encoder(load_file(weights_file("text_encoder.safetensors")))


@pytest.fixture(scope="module")
def cleo(engine):
    pictures = [red_squares(256, 256, (x, 96, 32), seed=1) for x in (96, 60)]
    return extract_identity(engine, pictures, "Cleo").identity


def asked_of_the_node(identity, engine, clip, **options):
    values = {"expression": "happy", "view": "keep", "strength": 0.5, **options}
    return ReconfigureIdentity.execute(identity, engine, clip, **values).args[0]


def test_the_node_reads_points_and_words_of_each_photo(engine, clip, cleo):
    motion = asked_of_the_node(cleo, engine, clip).motion

    assert motion.said == "in a happy expression, in front view"
    assert motion.strength.tolist() == [0.5, 0.5]
    assert (motion.landmarks[:, 0] == motion.landmarks[:, 1]).all()
    assert motion.words.shape[:2] == (2, 2)
    assert not (motion.words[:, 0] == motion.words[:, 1]).all()
    typed = asked_of_the_node(cleo, engine, clip, words="smiling left", source_words="smiling left").motion
    assert (typed.words[:, 0] == typed.words[:, 1]).all()
    kept = asked_of_the_node(cleo, engine, clip, expression="keep").motion
    assert (kept.words[:, 0] == kept.words[:, 1]).all()


def test_the_face_takes_the_points_of_another_photo(engine, clip, cleo):
    photo = to_images([red_squares(256, 256, (150, 40, 32), seed=2)])
    motion, preview = FaceMotion.execute(engine, photo).args

    taken = asked_of_the_node(cleo, engine, clip, expression="keep", motion=motion).motion

    assert (taken.landmarks[:, 1] == motion.landmarks).all()
    assert preview.shape == photo.shape
    assert (preview != photo).any()


def test_nodes_say_what_they_lack(engine, clip, cleo):
    blank = replace(engine, landmark_file=None)
    with pytest.raises(ValueError, match="Troupe, Reconfigure Identity: The face pack 'squares' has no landmark model"):
        asked_of_the_node(cleo, blank, clip)
    with pytest.raises(ValueError, match="'Cleo' has no photo of a face"):
        asked_of_the_node(replace(cleo, photos=()), engine, clip)
    with pytest.raises(ValueError, match="Troupe, Face Motion: no face was found on the photo of 64 x 64"):
        FaceMotion.execute(engine, torch.zeros(1, 64, 64, 3))
