"""What the plain adapter and its image encoder are shown: pairs of photos of one subject, and half of them things."""

import pytest
import torch
from pack.demo.renderer import render
from pack.demo.scenes import KINDS
from pack.demo.train import corpus as corpus_module
from pack.demo.train import subject as subject_module
from pack.demo.train.adapter import TOKENS, Adapter
from pack.demo.train.corpus import Corpus, render_corpus
from pack.demo.train.importance import face_weight
from pack.demo.train.subject import PHOTOS, WIDTH, SubjectReferences, subject_boxes
from pack.demo.train.subject_encoder import BATCH, SHARES, contrast, kinds_of, pairs, portraits, worn


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Many scenes of few identities, some of them things."""
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "PEOPLE", 5)
        patch.setattr(corpus_module, "CHUNK", 40)
        render_corpus(folder, 32, 120)
    return Corpus(folder)


@pytest.fixture
def references(corpus, monkeypatch, tmp_path):
    """With embeddings that start with the kind, the identity and the number of the photo that they are of, plus one."""

    def named(_path, subjects, _encoder):
        embedding = torch.zeros(len(subjects), PHOTOS, WIDTH)
        embedding[..., :2] = subjects[:, None] + 1
        embedding[..., 2] = torch.arange(PHOTOS) + 1
        return embedding

    monkeypatch.setattr(subject_module, "_kept_embeddings", named)
    return SubjectReferences(corpus, None, tmp_path)


def test_a_reference_shows_the_subject_of_the_picture_and_half_of_the_subjects_are_things(corpus, references):
    scenes, embedding = references.draw(400, torch.Generator().manual_seed(0))

    kind = torch.stack([corpus.facts(scene[None], "kind")[0, 0] for scene in scenes])
    assert (kind > 0).sum() == 200
    given = embedding.abs().sum(1) > 0
    assert 0.85 < given.float().mean() < 0.98
    for scene, (of_kind, who) in zip(scenes[given], embedding[given, :2] - 1, strict=True):
        chunk, row = corpus.locate(int(scene))
        assert chunk["who"].shape[1] == 1
        assert (of_kind, who) == (chunk["scene"]["kind"][row, 0], chunk["who"][row, 0])
    assert set(embedding[given, 2].tolist()) == set(range(1, PHOTOS + 1))


def test_pairs_are_two_photos_of_one_subject():
    kind = kinds_of(400)
    album = torch.stack([torch.arange(400) // 4, torch.arange(400) % 4], 1)[:, None].repeat(1, 3, 1)
    album = torch.cat([album, torch.arange(3).expand(400, 3)[..., None]], -1)

    one, other = pairs(album, kind, torch.Generator().manual_seed(0))

    assert torch.equal(one[:, :2], other[:, :2])
    assert (one[:, 2] != other[:, 2]).all()
    drawn = kind[one[:, 0] * 4 + one[:, 1]]
    assert drawn.bincount(minlength=len(KINDS)).tolist() == [int(BATCH * share) for share in SHARES]
    assert len(one[:, :2].unique(dim=0)) == BATCH


def test_contrast_is_little_for_partners_and_much_for_strangers():
    one = torch.eye(8)

    assert contrast(torch.cat([one, one])) < 1e-3
    assert contrast(torch.cat([one, one.roll(1, 0)])) > 10
    assert contrast(torch.ones(16, 8)) == pytest.approx(torch.tensor(15.0).log().item(), abs=1e-4)


def test_photos_are_of_the_kind_asked_for_and_all_different():
    identity, kind = torch.rand(1, 24, generator=torch.Generator().manual_seed(0)).expand(3, 24), torch.arange(3)

    drawn = portraits(identity, kind, 2, seed=1, size=16).float()

    assert drawn.shape == (3, 2, 3, 16, 16)
    flat = drawn.flatten(0, 1).flatten(1)
    apart = torch.cdist(flat, flat, p=1).fill_diagonal_(1e9)
    assert apart.min() > 100
    assert torch.equal(drawn, portraits(identity, kind, 2, seed=1, size=16).float())
    assert portraits(identity[:1], kind[1:2], 2, seed=1, size=16).float().std() > 1  # where there are things only


def test_wear_keeps_colours():
    plain = torch.tensor([0.6, 0.3, 0.1])[None, :, None, None].expand(50, 3, 16, 16)

    mean = worn(plain, torch.Generator().manual_seed(0)).mean((2, 3))

    ratio = mean / mean.sum(1, keepdim=True)
    torch.testing.assert_close(ratio, plain[:, :, 0, 0], atol=0.01, rtol=0)
    assert mean.sum(1).std() > 0.02


def test_a_thing_counts_as_a_whole_and_a_person_by_the_face(corpus):
    scenes = corpus.single.nonzero().flatten()
    kind = corpus.facts(scenes, "kind")[:, 0]
    weight = face_weight(subject_boxes(corpus, scenes), 32, 4.0)[:, 0] > 1

    for number in (1, 2):
        rows = (kind == number).nonzero().flatten()
        assert len(rows)
        for row in rows:
            mask = render(corpus.scene(int(scenes[row])), 32).mask[0, 0] > 0.5
            assert (mask & weight[row]).sum() > 0.85 * mask.sum()
    people = scenes[kind == 0]
    assert torch.equal(subject_boxes(corpus, people), corpus.facts(people, "face_box"))


def test_a_plain_adapter_reads_image_embeddings_in_one_linear_map():
    adapter = Adapter([(("input", 1), 32), (("middle", 0), 64)], width=WIDTH)

    shapes = {key: tuple(value.shape) for key, value in adapter.state_dict().items()}
    assert shapes == {
        "image_proj.proj.weight": (TOKENS * 128, WIDTH),
        "image_proj.proj.bias": (TOKENS * 128,),
        "image_proj.norm.weight": (128,),
        "image_proj.norm.bias": (128,),
        "ip_adapter.1.to_k_ip.weight": (32, 128),
        "ip_adapter.1.to_v_ip.weight": (32, 128),
        "ip_adapter.3.to_k_ip.weight": (64, 128),
        "ip_adapter.3.to_v_ip.weight": (64, 128),
    }
    assert adapter.tokens(torch.randn(2, WIDTH)).shape == (2, TOKENS, 128)


def test_kinds_fill_the_album_by_their_shares():
    assert kinds_of(8).tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
