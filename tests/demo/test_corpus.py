"""The training set on disk: rendered once, mended after an interruption, read back as it was."""

import pytest
import torch
from pack.demo.renderer import render
from pack.demo.train import corpus as module
from pack.demo.train.corpus import Corpus, render_corpus, training_identities

SIZE, SCENES = 32, 20


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 4)


@pytest.fixture
def folder(tmp_path):
    render_corpus(tmp_path, SIZE, SCENES)
    return tmp_path


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_second_run_renders_nothing(folder):
    before = contents(folder)

    render_corpus(folder, SIZE, SCENES)

    assert contents(folder) == before
    assert len(before) == SCENES / 4


def test_an_interrupted_run_is_mended_to_the_same_scenes(folder):
    before = {path.name: torch.load(path, weights_only=True) for path in folder.iterdir()}
    (folder / "chunk-0001.pt").unlink()
    (folder / "chunk-0003.part").write_bytes(b"cut off in the middle")
    (folder / "chunk-0003.pt").unlink()

    render_corpus(folder, SIZE, SCENES)

    assert sorted(path.name for path in folder.iterdir()) == sorted(before)
    for name, chunk in before.items():
        again = torch.load(folder / name, weights_only=True)
        assert torch.equal(again["picture"], chunk["picture"])
        assert torch.equal(again["who"], chunk["who"])


def test_an_interruption_leaves_no_chunk_behind(tmp_path, monkeypatch):
    def cut_off(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", cut_off)
    with pytest.raises(KeyboardInterrupt):
        render_corpus(tmp_path, SIZE, SCENES)

    assert not list(tmp_path.glob("*.pt"))
    with pytest.raises(RuntimeError, match="stage 'corpus'"):
        Corpus(tmp_path)


def test_scenes_are_read_back_as_they_were_rendered(folder):
    corpus = Corpus(folder)

    assert len(corpus) == SCENES
    for number in (0, 5, SCENES - 1):
        drawn, where = render(corpus.scene(number), SIZE), torch.tensor([number])
        figures = corpus.scene(number).figures
        assert (corpus.pictures(where)[0] - drawn.picture[0]).abs().max() < 0.51 / 255
        assert (corpus.pictures(where, "depth")[0] - drawn.depth[0]).abs().max() < 0.51 / 255
        torch.testing.assert_close(corpus.facts(where, "face_box")[0, :figures], drawn.face_box[0])
        assert (corpus.facts(where, "face_box")[0, figures:] == 0).all()
        assert bool(corpus.single[number]) == (figures == 1)


def test_people_come_alone_and_in_company(folder):
    single = Corpus(folder).single

    assert single.any()
    assert not single.all()


def test_people_far_away_are_alone_and_as_small_as_in_company(tmp_path):
    render_corpus(tmp_path, SIZE, SCENES, distant=True)

    corpus = Corpus(tmp_path)

    x, _, half = corpus.facts(torch.arange(len(corpus)), "place")[:, 0].unbind(-1)
    assert corpus.single.all()
    assert (half < 0.215).all()
    assert half.max() > 2 * half.min()
    assert (x - 0.79 * half > 0).all()
    assert (x + 0.79 * half < 1).all()
    assert x.std() > 0.15


def test_faces_show_the_identities_they_are_listed_with(folder):
    corpus, people = Corpus(folder), training_identities()

    assert len(corpus.face_who) > SCENES / 2
    for scene, figure, who in zip(corpus.face_scene, corpus.face_figure, corpus.face_who, strict=True):
        assert torch.equal(corpus.scene(int(scene)).identity[0, figure], people[who])
        assert corpus.facts(scene[None], "visible")[0, figure] > 0.6
        assert corpus.facts(scene[None], "kind")[0, figure] == 0
