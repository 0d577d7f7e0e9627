"""Latents and embeddings that are kept on disk: made once, and anew when what they come from has changed."""

import logging

import pytest
import torch
from pack.demo.train import corpus as corpus_module
from pack.demo.train import latents as latents_module
from pack.demo.train.corpus import Corpus, render_corpus
from pack.demo.train.embeddings import face_embeddings
from pack.demo.train.faces import face_crops
from pack.demo.train.latents import latents_of
from torch import nn


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "CHUNK", 4)
        render_corpus(folder, 32, 8)
    return Corpus(folder)


class TinyAutoencoder(nn.Module):
    """What `latents_of` needs of an autoencoder, with a single convolution for an encoder."""

    def __init__(self, seed, cut_off_after=None):
        super().__init__()
        torch.manual_seed(seed)
        self.taesd_encoder = nn.Sequential(nn.Conv2d(3, 2, 8, 8))
        self.vae_scale, self.vae_shift = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.tensor(0.5))
        self.encoded, self.cut_off_after = 0, cut_off_after
        self.taesd_encoder.register_forward_hook(self.count)

    def count(self, *_):
        if self.encoded == self.cut_off_after:
            raise KeyboardInterrupt
        self.encoded += 1


def test_latents_are_made_once_and_then_read(corpus, tmp_path):
    model = TinyAutoencoder(0)
    first = latents_of(model, corpus, tmp_path)
    made = model.encoded

    again = latents_of(model, corpus, tmp_path)

    assert model.encoded == made > 0
    assert torch.equal(first, again)
    assert first.shape == (8, 2, 4, 4)
    assert first.dtype == torch.float16


def test_latents_are_what_the_host_would_encode(corpus, tmp_path):
    model = TinyAutoencoder(0)

    latents = latents_of(model, corpus, tmp_path).float()

    with torch.no_grad():
        exact = model.taesd_encoder(corpus.pictures(torch.arange(8))) / 2.0 + 0.5
    torch.testing.assert_close(latents, exact, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("change", ["weights", "scale"])
def test_another_autoencoder_makes_others_and_says_what_no_longer_fits(corpus, tmp_path, change, caplog):
    first = latents_of(TinyAutoencoder(0), corpus, tmp_path)
    other = TinyAutoencoder(int(change == "weights"))
    with torch.no_grad():
        other.vae_scale.fill_(4.0 if change == "scale" else 2.0)

    with caplog.at_level(logging.WARNING):
        second = latents_of(other, corpus, tmp_path)

    assert not torch.equal(first, second)
    assert "does not fit" in caplog.text


@pytest.mark.parametrize("cut_off_after", [1, 3, 5])
def test_an_interrupted_run_goes_on_from_its_last_save(corpus, tmp_path, monkeypatch, cut_off_after):
    monkeypatch.setattr(latents_module, "PART", 1)
    monkeypatch.setattr(latents_module, "SAVE_EVERY", 2)
    whole, folder = latents_of(TinyAutoencoder(0), corpus, tmp_path), tmp_path / "cut off"
    folder.mkdir()

    with pytest.raises(KeyboardInterrupt):
        latents_of(TinyAutoencoder(0, cut_off_after), corpus, folder)
    resumed = TinyAutoencoder(0)
    latents = latents_of(resumed, corpus, folder)

    assert torch.equal(latents, whole)
    assert resumed.encoded == 8 - cut_off_after // 2 * 2


def test_a_grown_corpus_is_gone_on_with(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "CHUNK", 4)
    render_corpus(tmp_path / "some", 32, 8)
    (tmp_path / "some" / "chunk-0001.pt").unlink()
    model = TinyAutoencoder(0)
    first = latents_of(model, Corpus(tmp_path / "some"), tmp_path)
    made = model.encoded

    whole = latents_of(model, corpus, tmp_path)

    assert (len(first), len(whole)) == (4, 8)
    assert torch.equal(whole[:4], first)
    assert model.encoded == 2 * made


def test_a_cut_off_write_is_no_latents_file(corpus, tmp_path):
    (tmp_path / "latents.part").write_bytes(b"cut off")

    assert latents_of(TinyAutoencoder(0), corpus, tmp_path).shape == (8, 2, 4, 4)


def test_embeddings_are_of_the_faces_asked_for(corpus):
    faces = torch.tensor([3, 0])

    found = face_embeddings(corpus, lambda crops: crops.flatten(1)[:, :512], faces)

    assert torch.equal(found, (face_crops(corpus, faces) * 2 - 1).flatten(1)[:, :512])
