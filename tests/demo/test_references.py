"""Whom the identity adapter is shown: another face of the person in the picture, or nobody at all."""

import pytest
import torch
from pack.demo.train import corpus as corpus_module
from pack.demo.train import identity as identity_module
from pack.demo.train.adapter import TOKENS, Adapter
from pack.demo.train.corpus import Corpus, render_corpus
from pack.demo.train.identity import References


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Many scenes with few people, so that everybody is seen more than once."""
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "PEOPLE", 5)
        patch.setattr(corpus_module, "CHUNK", 20)
        render_corpus(folder, 32, 60)
    return Corpus(folder)


@pytest.fixture
def references(corpus, monkeypatch):
    """With embeddings that say which face they are of."""
    monkeypatch.setattr(identity_module, "face_embeddings", lambda _corpus, _embedder, faces: torch.eye(512)[faces])
    return References(corpus, embedder=None, shown=corpus)


def test_a_reference_is_another_face_of_the_same_person(corpus, references):
    scenes, embedding = references.draw(400, torch.Generator().manual_seed(0))

    given = embedding.abs().sum(1) > 0
    face = embedding.argmax(1)
    for scene, which in zip(scenes[given], face[given], strict=True):
        (shown,) = corpus.facts(scene[None], "kind")[0, :1].tolist()
        assert shown == 0
        chunk, row = corpus.locate(int(scene))
        assert corpus.face_who[which] == chunk["who"][row, 0]
        assert corpus.face_scene[which] != scene


def test_references_of_people_far_away_come_from_the_corpus(corpus, references, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "PEOPLE", 5)
    render_corpus(tmp_path, 32, 8, distant=True)
    shown = Corpus(tmp_path)

    scenes, embedding = References(corpus, None, shown).draw(200, torch.Generator().manual_seed(0))

    given, face = embedding.abs().sum(1) > 0, embedding.argmax(1)
    assert given.float().mean() > 0.8
    for scene, which in zip(scenes[given], face[given], strict=True):
        chunk, row = shown.locate(int(scene))
        assert corpus.face_who[which] == chunk["who"][row, 0]


def test_every_face_of_a_person_serves_as_a_reference(corpus, references):
    _, embedding = references.draw(3000, torch.Generator().manual_seed(0))

    singles = corpus.single[corpus.face_scene]
    used = embedding.sum(0)[: len(corpus.face_who)] > 0
    assert used[~singles].float().mean() > 0.9
    assert used[singles].any()


def test_some_pictures_come_without_an_identity(references):
    _, embedding = references.draw(2000, torch.Generator().manual_seed(0))

    norm = embedding.norm(dim=1)
    assert 0.05 < (norm == 0).float().mean() < 0.11
    torch.testing.assert_close(norm[norm > 0], torch.ones(int((norm > 0).sum())))


def test_an_untrained_adapter_changes_nothing_and_leaves_plain_rows_alone():
    torch.manual_seed(0)
    adapter = Adapter([(("input", 1), 32)])
    tokens = adapter.tokens(torch.randn(2, 512))
    q, k, v = torch.randn(3, 9, 32), torch.randn(3, 5, 32), torch.randn(3, 5, 32)
    extra = {"n_heads": 2}
    (attend,) = adapter.attention_patches(tokens, plain=1).values()

    before = attend(q, k, v, extra)
    torch.nn.init.normal_(adapter.ip_adapter["1"].to_v_ip.weight)
    after = attend(q, k, v, extra)

    assert tokens.shape[1] == TOKENS
    torch.testing.assert_close(
        before,
        torch.nn.functional.scaled_dot_product_attention(*(t.unflatten(-1, (2, -1)).transpose(1, 2) for t in (q, k, v)))
        .transpose(1, 2)
        .flatten(2),
    )
    assert torch.equal(after[0], before[0])
    assert ((after - before)[1:].abs().amax((1, 2)) > 1e-3).all()
