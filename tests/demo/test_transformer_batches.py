"""What the transformer is shown: whose photo, in which place, beside which pictures."""

import pytest
import torch
from pack.demo.train import corpus as corpus_module
from pack.demo.train import photos
from pack.demo.train.corpus import Corpus, render_corpus
from pack.demo.train.identity import Pictures
from pack.demo.train.photos import Album, kept_album
from pack.demo.train.transformer import ALONE, ALONE_FAR, Batches, Data
from torch import nn

DRAWS = 150


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Scenes whose latents say which they are, and photos that say whose they are."""
    folder = tmp_path_factory.mktemp("corpora")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "PEOPLE", 30)
        patch.setattr(corpus_module, "CHUNK", 6)
        render_corpus(folder / "near", 32, 48)
        render_corpus(folder / "distant", 32, 12, distant=True)
        render_corpus(folder / "wide", (32, 64), 48)
    near, distant, wide = (Corpus(folder / name) for name in ("near", "distant", "wide"))
    who = torch.cat([shown.face_who for shown in (near, distant, wide)]).unique()
    whose = who[:, None, None, None, None].float()
    return Data(
        Pictures(near, numbered(near, 0, 4, 4)),
        Pictures(distant, numbered(distant, 1000, 4, 4), counted=False),
        Pictures(wide, numbered(wide, 2000, 4, 8)),
        torch.arange(24)[:, None, None, None].expand(-1, 8, 4, 4).half(),
        Album(who, whose.expand(-1, 4, 8, 8, 8), whose.expand(-1, 1, 8, 16, 16)),
    )


def numbered(corpus, start, rows, columns):
    return (start + torch.arange(len(corpus)))[:, None, None, None].expand(-1, 8, rows, columns).half()


def scenes_of(batch, data):
    """Corpus and number of each picture of a batch."""
    corpora = (data.near.corpus, data.distant.corpus, data.wide.corpus)
    for number in batch.latents[:, 0, 0, 0].long().tolist():
        yield corpora[number // 1000], number % 1000


@pytest.fixture(scope="module")
def drawn(data):
    batches = Batches(data)
    with_photo = [batches.with_photo(4, torch.Generator().manual_seed(n)) for n in range(DRAWS)]
    without = [batches.without(4, torch.Generator().manual_seed(n)) for n in range(DRAWS)]
    return with_photo, without


def test_a_photo_is_of_somebody_who_is_seen_in_the_picture(drawn, data):
    for batch in drawn[0]:
        photo = batch.references[0]
        for (corpus, scene), who in zip(scenes_of(batch, data), photo.latent[:, 0, 0, 0].tolist(), strict=True):
            assert who in corpus.face_who[corpus.face_scene == scene].tolist()


def test_most_photos_stand_first_and_some_second_or_third(drawn):
    places = torch.cat([batch.references[0].place for batch in drawn[0]])

    assert set(places.tolist()) == {10.0, 20.0, 30.0}
    assert 0.65 < (places == 10).float().mean() < 0.85


def test_the_other_half_is_given_nobody(drawn):
    shapes = {tuple(r.latent.shape[1:]) for batch in drawn[1] for r in batch.references}

    assert shapes == {(8, 4, 4)}  # depth maps alone
    assert any(not batch.references for batch in drawn[1])


def test_a_depth_map_is_that_of_its_picture(drawn):
    for batch in drawn[0] + drawn[1]:
        for layout in batch.references:
            if layout.latent.shape[-1] == 4:
                assert torch.equal(layout.latent, batch.latents)


def test_all_kinds_of_pictures_are_seen(drawn):
    for half in drawn:
        assert {tuple(batch.latents.shape[2:]) for batch in half} == {(4, 4), (4, 8)}
    for batch in drawn[0] + drawn[1]:
        assert batch.weight.shape[2:] == batch.latents.shape[2:]


def test_faces_of_people_far_away_count_most(drawn, data):
    most = {}
    for batch in drawn[0]:
        for weight, (corpus, _) in zip(batch.weight, scenes_of(batch, data), strict=True):
            most[corpus] = max(most.get(corpus, 0.0), weight.max().item())

    assert most[data.distant.corpus] >= ALONE_FAR
    assert all(weight >= ALONE for weight in most.values())


class MeanColours(nn.Module):
    """An autoencoder whose latents are mean colours."""

    def __init__(self):
        super().__init__()
        self.taesd_encoder = nn.Sequential(nn.Conv2d(3, 3, 8, 8))
        self.vae_scale, self.vae_shift = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(0.0))


def test_an_album_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "PART", 2)
    model, who, made = MeanColours(), torch.tensor([3, 5, 8]), []
    encode = photos.encode
    monkeypatch.setattr(photos, "encode", lambda *given: made.append(len(given[1])) or encode(*given))

    whole = kept_album(model, who, tmp_path)
    first = len(made)
    again = kept_album(model, who, tmp_path)

    assert whole.head.shape == (3, photos.HEADS, 3, 8, 8)
    assert whole.bust.shape == (3, photos.BUSTS, 3, 16, 16)
    assert sum(made) == 3 * (photos.HEADS + photos.BUSTS)
    assert len(made) == first
    assert torch.equal(whole.head, again.head)
    assert len(whole.head.flatten(2).unique(dim=1).flatten(0, 1).unique(dim=0)) == 3 * photos.HEADS
