"""What each format reads of an identity, and what it says when that is not there or comes from elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.face.alignment import aligned_crop
from pack.face.photo_crops import crops_of, square_crop
from pack.nodes.host.adapters.adapter_group import inputs_of, nobody_for
from pack.nodes.host.adapters.vision_features import crop_for
from pack.nodes.host.images import to_images
from pack.tests.host.tiny_adapters import (
    ANTELOPE,
    BUFFALO,
    EMBEDDING,
    FEATURES,
    HIDDEN,
    KINDS,
    SIDE,
    photographed,
    subject,
    tiny_of,
    tiny_vision,
)
from pack.tests.host.tiny_models import EVERYWHERE, apply, assert_different, assert_same, sample

ADA = photographed("Ada", 1)


@pytest.fixture(scope="module")
def vision():
    return tiny_vision()


@pytest.fixture(scope="module")
def make(vision, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapters")

    def made(kind, encoder=vision, **settings):
        return tiny_of(kind, folder, encoder, **settings)

    return made


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_draws_its_people_and_nobody_in_the_negative(model, make, kind):
    adapter = make(kind)

    first = sample(apply(model, [Member(ADA, EVERYWHERE)], adapter))
    other = sample(apply(model, [Member(photographed("Bob", 2), EVERYWHERE)], adapter))

    assert_different(first, sample(model))
    assert_different(first, other)
    assert torch.equal(sample(apply(model, [Member(ADA, EVERYWHERE)], adapter)), first)
    negatives = sample(apply(model, [Member(ADA, EVERYWHERE)], adapter), cfg=0.0)
    assert_same(negatives, sample(apply(model, [Member(photographed("Bob", 2), EVERYWHERE)], adapter), cfg=0.0))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("ip-adapter")])
def test_faces_are_normed_or_raw_as_the_format_has_them(make, kind):
    faces = inputs_of(ADA, make(kind), "one per picture").faces

    raw = torch.from_numpy(ADA.embeddings[BUFFALO])
    expected = raw if kind in ("faceid portrait unnorm", "instantid") else torch.nn.functional.normalize(raw, dim=-1)
    torch.testing.assert_close(faces, expected)


def test_a_plain_adapter_reads_the_image_embedding_and_nobody_is_zeros(make, vision):
    adapter = make("ip-adapter")

    features = inputs_of(ADA, adapter, "one per picture").features

    whole = torch.cat([vision.encode_image(to_images([photo]))["image_embeds"] for photo in ADA.photos])
    torch.testing.assert_close(features, whole)
    assert torch.equal(nobody_for(adapter).features, torch.zeros(1, EMBEDDING))


@pytest.mark.parametrize("kind", ["ip-adapter plus", "faceid plus v2"])
def test_others_read_the_last_layer_but_one_and_nobody_is_a_picture_of_zeros_after_normalisation(make, vision, kind):
    adapter = make(kind)
    assert inputs_of(ADA, adapter, "average").features.shape == (1, FEATURES, HIDDEN)

    zeros = vision.model(pixel_values=torch.zeros(1, 3, SIDE, SIDE), intermediate_output=-2)[1]
    black = vision.encode_image(torch.zeros(1, SIDE, SIDE, 3))["penultimate_hidden_states"]

    torch.testing.assert_close(nobody_for(adapter).features, zeros)
    torch.testing.assert_close(nobody_for(make(kind, peers=True)).features, black)
    assert (zeros - black).abs().max() > 0.1


@pytest.mark.parametrize(
    ("kind", "settings", "crop"),
    [
        ("ip-adapter", {}, ("whole", 0)),
        ("ip-adapter plus", {}, ("whole", 0)),
        ("ip-adapter plus", {"crop": "face"}, ("head", 0)),
        ("ip-adapter full-face", {}, ("head", 0)),
        ("faceid plus v2", {}, ("aligned", 224)),
        ("faceid plus v2", {"peers": True}, ("aligned", 224)),
        ("faceid plus v2", {"crop": "whole picture"}, ("whole", 0)),
        ("dynamicid", {}, ("whole", 0)),
    ],
)
def test_the_encoder_sees_the_part_of_the_photo_that_the_format_defines(make, kind, settings, crop):
    assert crop_for(make(kind, **settings)) == crop


def test_on_sdxl_older_packs_show_a_wider_face(make):
    adapter = make("faceid plus v2", peers=True)
    sdxl = replace(adapter, spec=replace(adapter.spec, cross_width=2048))

    assert crop_for(sdxl) == ("aligned", 256)
    assert crop_for(replace(sdxl, settings=replace(sdxl.settings, peers=False))) == ("aligned", 224)


def test_kolors_sees_the_square_of_the_face_and_a_raw_embedding(make):
    adapter = make("faceid plus v2")
    kolors = replace(adapter, spec=replace(adapter.spec, kind="kolors faceid plus", token_width=4096))
    peers = replace(kolors, settings=replace(kolors.settings, peers=True))

    assert crop_for(kolors) == ("square", 336)
    assert crop_for(peers) == ("aligned", 336)
    raw = torch.from_numpy(ADA.embeddings[BUFFALO])
    torch.testing.assert_close(inputs_of(ADA, kolors, "one per picture").faces, raw)
    torch.testing.assert_close(inputs_of(ADA, peers, "one per picture").faces.norm(dim=-1), torch.ones(2))


def test_crops_come_from_the_photos():
    aligned = crops_of(ADA, "aligned", 224, "x")
    square = crops_of(ADA, "square", 0, "x")

    assert np.array_equal(aligned[1], aligned_crop(ADA.photos[1], ADA.keypoints[1], 224))
    assert [crop.shape for crop in aligned] == [(224, 224, 3)] * 2
    assert np.array_equal(square[0], ADA.photos[0][20:70, 17:67])
    assert np.array_equal(crops_of(ADA, "whole", 0, "x")[0], ADA.photos[0])


def test_a_square_that_reaches_beyond_the_photo_is_black_there():
    photo = np.full((10, 8, 3), 9, np.uint8)

    crop = square_crop(photo, np.array([-2, 4, 4, 12]), 1.0)

    assert crop.shape == (8, 8, 3)
    assert (crop[:, 3:] == np.where(np.arange(8)[:, None, None] < 6, 9, 0)).all()
    assert (crop[:, :3] == 0).all()


def test_without_photos_the_stored_crop_stands_in_for_the_face_but_not_for_the_picture():
    kept = replace(ADA, photos=())

    assert crops_of(kept, "aligned", 224, "x")[0].shape == (224, 224, 3)
    assert np.array_equal(crops_of(kept, "square", 336, "x")[0], ADA.crops[0])
    with pytest.raises(ValueError, match="'x' reads whole pictures, and identity 'Ada' was kept without its photos"):
        crops_of(kept, "whole", 0, "x")


def test_pictures_are_encoded_once(make, vision, monkeypatch):
    seen = []
    original = vision.encode_image
    monkeypatch.setattr(vision, "encode_image", lambda *given, **named: seen.append(1) or original(*given, **named))
    fay = photographed("Fay", 31)  # nobody has seen her yet
    adapter, again = make("ip-adapter plus"), make("ip-adapter plus", seed=4)

    for one in (adapter, again, adapter):
        inputs_of(fay, one, "average")

    assert len(seen) == 2


def test_a_subject_draws_through_adapters_that_read_pictures_and_no_others(model, make):
    cat = subject("the cat", 7)

    assert_different(sample(apply(model, [Member(cat, EVERYWHERE)], make("ip-adapter plus"))), sample(model))
    with pytest.raises(ValueError, match="reads faces, and 'the cat' was made from a picture without one"):
        apply(model, [Member(cat, EVERYWHERE)], make("faceid"))
    with pytest.raises(ValueError, match="reads the face on a photo, and 'the cat' has none"):
        apply(model, [Member(cat, EVERYWHERE)], make("ip-adapter full-face"))


def test_the_recogniser_of_another_pack_is_refused_with_the_pack_that_is_needed(make):
    adapter = replace(make("faceid"), packs=("buffalo_l",))

    assert len(inputs_of(ADA, adapter, "average")) == 1
    with pytest.raises(ValueError, match="pack buffalo_l, and identity 'Bob' was described by that of antelopev2"):
        inputs_of(photographed("Bob", 2, recogniser=ANTELOPE), adapter, "average")
    with pytest.raises(ValueError, match=r"an unknown one \(0123456789abcdef\).*Choose buffalo_l in Load Face Engine"):
        inputs_of(photographed("Bob", 2, recogniser="0123456789abcdef"), adapter, "average")


def test_of_several_recognisers_the_adapters_own_is_taken(make):
    both = replace(ADA, embeddings={**ADA.embeddings, ANTELOPE: photographed("x", 9).embeddings[BUFFALO]})

    faces = inputs_of(both, replace(make("instantid"), packs=("antelopev2",)), "one per picture").faces

    torch.testing.assert_close(faces, torch.from_numpy(both.embeddings[ANTELOPE]))
