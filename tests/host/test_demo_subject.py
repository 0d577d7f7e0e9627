"""The demo world's plain adapter, from picture to picture through the nodes: what is drawn looks like the subject."""

import numpy as np
import pytest
import torch
from pack.attention.regions.region import Region
from pack.demo.people import new_identities
from pack.demo.people_by_name import photo_of
from pack.demo.renderer import render
from pack.demo.scenes import KINDS, photos
from pack.face.extraction import extract_identity
from pack.nodes.cast.adapter_nodes import LoadAdapter
from pack.nodes.cast.cast_nodes import ApplyCast, CastMember
from pack.nodes.faces.subject_nodes import SubjectFromImage, WeighPhotos
from pack.nodes.host.faces.face_packs import load_pack
from pack.nodes.host.images import to_pictures
from pack.nodes.scores.cast_scoring import score_cast
from pack.nodes.setup.demo_nodes import LoadDemoWorld

FILE = "troupe-demo-subject.safetensors"
STRENGTH, STEPS = 1.6, 8


@pytest.fixture(scope="module")
def world():
    return LoadDemoWorld.execute().args


@pytest.fixture(scope="module")
def adapter(world):
    return LoadAdapter.execute(FILE, "auto", clip_vision=world[4]).args[0]


def picture_of(kind: int, seed: int) -> torch.Tensor:
    """A picture of a thing or person that no training saw, [1, 128, 128, 3]."""
    generator = torch.Generator().manual_seed(seed)
    return render(photos(new_identities(1, generator), generator, kind), 128).picture.permute(0, 2, 3, 1)


@torch.inference_mode()
def drawn(core_nodes, world, model, prompt):
    _, clip, vae, *_ = world
    encode = core_nodes["CLIPTextEncode"]().encode
    (latent,) = core_nodes["EmptyLatentImage"]().generate(128, 128, 1)
    conditioning = (encode(clip, prompt)[0], encode(clip, "")[0])
    (latent,) = core_nodes["KSampler"]().sample(model, 7, STEPS, 3.0, "euler", "simple", *conditioning, latent)
    return core_nodes["VAEDecode"]().decode(vae, latent)[0]


def similarity(world, one, other):
    seen = [world[4].encode_image(picture)["image_embeds"] for picture in (one, other)]
    return torch.cosine_similarity(*seen).item()


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
def test_a_subject_that_is_shown_is_drawn(core_nodes, world, adapter, kind):
    picture = picture_of(kind, 40 + kind)
    (subject,) = SubjectFromImage.execute(picture, "it").args
    (cast,) = CastMember.execute(subject, (Region("all"),), "all", STRENGTH).args
    (model,) = ApplyCast.execute(world[0], cast, "decoupled", 1.0, adapter).args
    prompt = f"{'one' * (kind == 0)} beach, {KINDS[kind] if kind else 'red'}"

    with_it, without = (drawn(core_nodes, world, one, prompt) for one in (model, world[0]))

    assert similarity(world, with_it, picture) > 0.45
    assert similarity(world, with_it, picture) > similarity(world, without, picture) + 0.2


def test_the_node_says_what_the_file_is(world):
    adapter, report = LoadAdapter.execute(FILE, "auto", clip_vision=world[4]).args

    assert report.startswith("Read as ip-adapter (4 tokens of width 128, 16 layers)")
    assert adapter.vision is world[4]
    assert adapter.packs == ()


def test_several_pictures_of_a_subject_can_be_weighed():
    (subject,) = SubjectFromImage.execute(torch.rand(3, 8, 8, 3), " cat ").args

    (weighed,) = WeighPhotos.execute(subject, "1, 0.5; 0").args

    assert (subject.name, len(subject.photos), weighed.weights) == ("cat", 3, (1.0, 0.5, 0.0))
    assert np.array_equal(weighed.photos[2], subject.photos[2])


@pytest.mark.parametrize("text", ["", "1", "1, 2", "1, 2, three", "0, 0, 0", "1, -1, 1", "1, 1, inf", "nan, 1, 1"])
def test_weights_that_do_not_fit_are_refused(text):
    (subject,) = SubjectFromImage.execute(torch.rand(3, 8, 8, 3), "cat").args

    with pytest.raises(ValueError, match="'cat' has 3 photos.*Type 3 numbers from 0 up with commas between"):
        WeighPhotos.execute(subject, text)


def test_a_subject_needs_a_name():
    with pytest.raises(ValueError, match="The subject has no name"):
        SubjectFromImage.execute(torch.rand(1, 8, 8, 3), "  ")


def test_scores_are_about_the_people_and_leave_subjects_out():
    engine = load_pack("troupe-demo-scorer", "CPU")
    photo = photo_of("Ada")[None]
    (cat,) = SubjectFromImage.execute(picture_of(1, 3), "cat").args
    ada = extract_identity(engine, to_pictures(photo), "Ada").identity
    everywhere = (Region("all"), Region("also"))
    (alone,) = CastMember.execute(cat, everywhere, "also", 1.0).args
    (both,) = CastMember.execute(ada, everywhere, "all", 1.0, cast=alone).args

    report = score_cast(engine, to_pictures(photo), both).report

    assert report["own"] > 0.9
    assert (report["images"][0]["expected"], report["images"][0]["missing"]) == (1, [])
    with pytest.raises(ValueError, match="subjects without a face alone"):
        score_cast(engine, to_pictures(photo), alone)
